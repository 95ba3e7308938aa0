//! A link on its way out; `runtime/leaving.rs`.

use std::io::{self, Read};

use super::ledger::Loss;
use super::link::{Chunk, Leaving, Order};
use super::process::Inbound;
use super::schedule::ProcessId;
use super::tcp::Socket;
use super::world::World;
use crate::events::Cause;
use crate::node::{Event, LinkId};
use crate::runtime::leaving::{CLOSE_GRACE, DELIVER_GRACE, DISCARD};

impl World {
    /// Carries out what the node wants of a link.
    pub(super) fn obey(&mut self, pid: ProcessId, id: LinkId) -> Result<(), Cause> {
        let now = self.ground.schedule.now();
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
        for order in std::mem::take(&mut link.orders) {
            match order {
                Order::Close(cause) if link.socket.is_none() => return Err(cause),
                _ if link.socket.is_none() => return Err(Cause::Closed),
                Order::Resend => {
                    if let Some(frame) = link.last.take() {
                        let bytes = frame.bytes(None).clone();
                        link.batch.push_back(Chunk { bytes, weight: 0, tag: None });
                        self.ground.ledger.put(None);
                    }
                }
                Order::Close(cause) => {
                    link.leaving = Some(Leaving::new(cause, now, CLOSE_GRACE, false));
                }
                Order::Retire => {
                    let by = now + DELIVER_GRACE;
                    let cause = Cause::Duplicate;
                    link.leaving = Some(Leaving::new(cause, by, DELIVER_GRACE, true));
                }
            }
        }
        Ok(())
    }

    /// Writes what can be written without waiting, then closes.
    pub(super) fn leave_now(&mut self, pid: ProcessId, id: LinkId, cause: Cause) {
        let leaving = Leaving::new(cause, self.ground.schedule.now(), CLOSE_GRACE, false);
        self.with_link(pid, id, |link| link.leaving = Some(leaving));
    }

    /// The link cannot be written to any more. What the peer sent is still delivered.
    pub(super) fn mourn(&mut self, pid: ProcessId, id: LinkId, cause: Cause) {
        let Some(link) = self.processes[pid].links.get(&id) else { return };
        if link.leaving.is_none() && link.is_established() {
            self.tell(pid, Event::Lost { link: id, cause: cause.clone() });
            let now = self.ground.schedule.now();
            let leaving = Leaving::new(cause, now, DELIVER_GRACE, true);
            self.with_link(pid, id, |link| link.leaving = Some(leaving));
        } else if link.leaving.is_none() {
            self.leave_now(pid, id, cause);
        }
        self.count_unsent(pid, id);
    }

    /// The next step towards the end: all written, nothing more to read.
    pub(super) fn leave(
        &mut self,
        pid: ProcessId,
        id: LinkId,
        at: Socket,
        is_all: bool,
    ) -> Result<(), Cause> {
        let now = self.ground.schedule.now();
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
        let is_read = link.is_at_end && !link.is_backlogged && link.held.is_none();
        let Some(leaving) = link.leaving.as_mut() else { return Ok(()) };
        if leaving.read_by.is_none() && (is_all || now >= leaving.flush_by) {
            leaving.read_by = Some(leaving.flush_by.max(now + leaving.grace));
            self.wires.shut(&mut self.ground, at);
        }
        match leaving.read_by {
            Some(read_by) if is_read || now >= read_by => Err(leaving.cause.clone()),
            _ => Ok(()),
        }
    }

    /// Reads and forgets, so that closing does not reset the connection.
    pub(super) fn discard(&mut self, pid: ProcessId, id: LinkId, at: Socket) -> Result<(), Cause> {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
        let Some(conn) = self.wires.conn_mut(at) else { return Ok(()) };
        let mut scratch = [0; 4096];
        let mut left = DISCARD;
        while !link.is_at_end && left > 0 {
            match conn.tap(at.end).read(&mut scratch) {
                Ok(0) => link.is_at_end = true,
                Ok(bytes) => left = left.saturating_sub(bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.wires.has_read(&mut self.ground, at);
        if left == 0 {
            self.wake(pid, id);
        }
        Ok(())
    }

    /// Tells the node, and behind the last message its daemon, that this link is over.
    pub(super) fn finish(&mut self, pid: ProcessId, id: LinkId, cause: Cause) {
        self.tell(pid, Event::Lost { link: id, cause });
        self.count_unsent(pid, id);
        let Some(link) = self.processes[pid].links.remove(&id) else { return };
        if let Some(socket) = link.socket {
            self.wires.close(&mut self.ground, socket, Loss::Discarded);
        }
        if link.is_established() {
            if let Some(batch) = link.held {
                self.hand_in(pid, Inbound::Batch(batch));
            }
            self.hand_in(pid, Inbound::Finished(id));
        } else {
            self.tell(pid, Event::Finished { link: id });
        }
        self.send_line(pid);
    }

    fn count_unsent(&mut self, pid: ProcessId, id: LinkId) {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        let batch = std::mem::take(&mut link.batch).into_iter().map(|chunk| chunk.tag);
        let queued = link.outbox.seal().into_iter().map(|(_, tag)| tag);
        let pressers = std::mem::take(&mut link.outbox.pressers);
        for tag in batch.chain(queued).collect::<Vec<_>>() {
            self.lose(pid, Some(id), tag, Loss::Unsent);
        }
        for presser in pressers {
            self.wake(pid, presser);
        }
    }
}
