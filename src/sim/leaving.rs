//! A link on its way out; `runtime/leaving.rs`.

use std::io::{self, Read};

use super::ledger::{Loss, Tag};
use super::link::{Chunk, Order};
use super::process::Inbound;
use super::schedule::ProcessId;
use super::tcp::Socket;
use super::world::World;
use crate::events::Cause;
use crate::link::leaving::{DISCARD, Leaving, Step};
use crate::node::{Event, LinkId, Parcel};

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
                Order::Close(cause) => link.leaving = Some(Leaving::close(cause, now)),
                Order::Retire => link.leaving = Some(Leaving::retire(now)),
            }
        }
        Ok(())
    }

    /// Writes what can be written without waiting, then closes.
    pub(super) fn leave_now(&mut self, pid: ProcessId, id: LinkId, cause: Cause) {
        let leaving = Leaving::close(cause, self.ground.schedule.now());
        self.with_link(pid, id, |link| link.leaving = Some(leaving));
    }

    /// The link cannot be written to any more. What the peer sent is still delivered.
    pub(super) fn mourn(&mut self, pid: ProcessId, id: LinkId, cause: Cause) {
        let Some(link) = self.processes[pid].links.get(&id) else { return };
        if link.leaving.is_none() && link.is_established() {
            self.tell(pid, Event::Lost { link: id, cause: cause.clone() });
            let leaving = Leaving::mourn(cause, self.ground.schedule.now());
            self.with_link(pid, id, |link| link.leaving = Some(leaving));
        } else if link.leaving.is_none() {
            self.leave_now(pid, id, cause);
        }
        self.count_unsent(pid, id);
    }

    /// The next steps towards the end: all written, nothing more to read.
    pub(super) fn leave(
        &mut self,
        pid: ProcessId,
        id: LinkId,
        at: Socket,
        is_all: bool,
    ) -> Result<(), Cause> {
        let now = self.ground.schedule.now();
        let Some(input) = self.input(pid, id) else { return Ok(()) };
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
        let Some(leaving) = link.leaving.as_mut() else { return Ok(()) };
        let is_read = input.is_over(Some(leaving));
        loop {
            match leaving.step(now, is_all, is_read) {
                Step::Wait => return Ok(()),
                Step::FinishWriting => self.wires.shut(&mut self.ground, at),
                Step::End(cause) => return Err(cause),
            }
        }
    }

    /// Reads and forgets, so that closing does not reset the connection.
    pub(super) fn discard(&mut self, pid: ProcessId, id: LinkId, at: Socket) -> Result<(), Cause> {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
        let Some(conn) = self.wires.conn_mut(at) else { return Ok(()) };
        let mut scratch = [0; 4096];
        let mut left = DISCARD;
        // Nobody waits for the rest of a frame any more.
        link.unfinished_since = None;
        while !link.is_at_end && left > 0 {
            match conn.tap(at.end).read(&mut scratch) {
                Ok(0) => link.is_at_end = true,
                Ok(bytes) => left = left.saturating_sub(bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.wires.has_read(&mut self.ground, at);
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
    }

    fn count_unsent(&mut self, pid: ProcessId, id: LinkId) {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        let batch = std::mem::take(&mut link.batch).into_iter().map(|chunk| chunk.tag);
        let batch: Vec<Tag> = batch.collect();
        let queued = self.seal(pid, id).into_iter().map(|(_, tag)| tag);
        for tag in batch.into_iter().chain(queued) {
            self.lose(pid, Some(id), tag, Loss::Unsent);
        }
    }

    /// A link takes nothing more, and gives what it had not begun. Whoever waits goes on.
    pub(super) fn seal(&mut self, pid: ProcessId, id: LinkId) -> Vec<(Parcel, Tag)> {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Vec::new() };
        let sealed = link.outbox.seal();
        self.go_on(pid, sealed.pressers);
        self.let_send(pid);
        sealed.parcels
    }

    /// A link takes nothing more; what is queued can still be written. Whoever waits goes on.
    pub(super) fn refuse_more(&mut self, pid: ProcessId, id: LinkId) {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        let pressers = link.outbox.refuse_more();
        self.go_on(pid, pressers);
        self.let_send(pid);
    }
}
