//! The reading half of a link's thread: bytes to verified messages; `runtime/reading.rs`.

use std::io;

use bytes::BytesMut;

use super::ledger::Tag;
use super::link::{Batch, Item, Link};
use super::process::Inbound;
use super::schedule::ProcessId;
use super::tcp::Socket;
use super::world::World;
use crate::events::Cause;
use crate::link::input::Input;
use crate::link::leaving::Leaving;
use crate::node::{Event, LinkId};
use crate::runtime::reading::{BATCH, BATCH_BYTES, TURN, event, is_control};
use crate::runtime::start::BATCHES_PER_LINK;
use crate::wire::{Header, Malformed};

impl World {
    pub(super) fn read(&mut self, pid: ProcessId, id: LinkId) -> Result<(), Cause> {
        self.retry_held(pid, id);
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
        let Some(socket) = link.socket else { return Ok(()) };
        if Leaving::discards(link.leaving.as_ref()) {
            return self.discard(pid, id, socket);
        }
        if !self.can_read(pid, id) {
            self.excuse(pid, id);
            return Ok(());
        }
        let mut left = TURN;
        while left > 0 && self.can_read(pid, id) {
            left = left.saturating_sub(self.fill(pid, id, socket, left)?);
            self.decode(pid, id, socket)?;
        }
        self.wires.has_read(&mut self.ground, socket);
        let link = self.processes[pid].links.get(&id);
        if link.is_some_and(|at| at.is_at_end && !at.is_backlogged && at.leaving.is_none()) {
            self.tell(pid, Event::HungUp { link: id });
        }
        Ok(())
    }

    /// Whether there is something to read, and nothing in its way.
    pub(super) fn can_read(&self, pid: ProcessId, id: LinkId) -> bool {
        let Some(link) = self.processes[pid].links.get(&id) else { return false };
        self.input_of(link).goes_on(link.leaving.as_ref(), || link.credit.may_read())
    }

    pub(super) fn input(&self, pid: ProcessId, id: LinkId) -> Option<Input> {
        Some(self.input_of(self.processes[pid].links.get(&id)?))
    }

    fn input_of(&self, link: &Link) -> Input {
        Input {
            is_readable: self.is_readable(link),
            is_backlogged: link.is_backlogged,
            is_held: link.held.is_some(),
            is_at_end: link.is_at_end,
        }
    }

    fn is_readable(&self, link: &Link) -> bool {
        let Some(socket) = link.socket else { return false };
        let conn = self.wires.conn(socket);
        !link.is_at_end && conn.is_some_and(|conn| conn.is_readable(socket.end))
    }

    /// If it is we who pause, that is not the peer's fault.
    fn excuse(&mut self, pid: ProcessId, id: LinkId) {
        let now = self.ground.schedule.now();
        let Some(link) = self.processes[pid].links.get(&id) else { return };
        if self.input_of(link).waits() {
            self.with_link(pid, id, |link| {
                link.unfinished_since = link.unfinished_since.map(|_| now);
                link.leaving.iter_mut().for_each(|leaving| leaving.pause(now));
            });
        }
    }

    /// Reads once, unless there is enough; how many bytes.
    fn fill(
        &mut self,
        pid: ProcessId,
        id: LinkId,
        at: Socket,
        most: usize,
    ) -> Result<usize, Cause> {
        let process = &mut self.processes[pid];
        let Some(link) = process.links.get_mut(&id) else { return Ok(0) };
        let Some(conn) = self.wires.conn_mut(at) else { return Ok(0) };
        if link.is_backlogged {
            return Ok(0);
        }
        match link.reader.read_from(&mut conn.tap(at.end), most) {
            Ok(0) => link.is_at_end = true,
            Ok(bytes) => {
                process.bytes_in += bytes as u64;
                return Ok(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        Ok(0)
    }

    /// Takes the complete frames out of what was read, while there is credit for them.
    fn decode(&mut self, pid: ProcessId, id: LinkId, socket: Socket) -> Result<(), Cause> {
        let (mut bytes, mut any) = (0, false);
        let mut headers = Vec::new();
        self.with_link(pid, id, |link| link.is_backlogged = false);
        let end = loop {
            let (tag, frame) = match self.next_frame(pid, id, socket) {
                Ok(Some(next)) => next,
                Ok(None) => break Ok(()),
                Err(cause) => break Err(cause),
            };
            any = true;
            let len = frame.len();
            let Some(link) = self.processes[pid].links.get(&id) else { return Ok(()) };
            let methods = link.terms.as_ref().map(|terms| &terms.receive[..]).unwrap_or_default();
            let header = Header::parse(frame, methods, self.config.max_frame);
            if !link.is_established() {
                if self.greet(pid, id, tag, header) {
                    continue;
                }
                return Ok(());
            }
            bytes += header.as_ref().map_or(len, Header::pinned);
            headers.push((tag, header));
            if headers.len() >= BATCH || bytes >= BATCH_BYTES {
                self.sort(pid, id, std::mem::take(&mut headers), std::mem::take(&mut bytes));
                let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
                if link.held.is_some() || !link.credit.may_read() {
                    link.is_backlogged = true;
                    break Ok(());
                }
            }
        };
        if !headers.is_empty() {
            self.sort(pid, id, headers, bytes);
        }
        self.note_unfinished(pid, id, any);
        end
    }

    fn next_frame(
        &mut self,
        pid: ProcessId,
        id: LinkId,
        socket: Socket,
    ) -> Result<Option<(Tag, BytesMut)>, Cause> {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(None) };
        if link.is_established() {
            link.reader.allow(self.config.max_frame);
        }
        let next = link.reader.next();
        let next = next.map_err(|at| Cause::TooLarge { len: at.len, max: at.max })?;
        Ok(next.map(|frame| {
            let conn = self.wires.conn_mut(socket);
            let tag = conn.and_then(|conn| conn.pipes[1 - socket.end].tags.pop_front().flatten());
            (tag, frame)
        }))
    }

    /// Before the handshake is done the node is told directly; whether the link goes on.
    fn greet(
        &mut self,
        pid: ProcessId,
        id: LinkId,
        tag: Tag,
        header: Result<Header, Malformed>,
    ) -> bool {
        self.ground.ledger.arrived(tag);
        let from = self.peer(pid, id).unwrap_or(pid);
        let before = self.processes[pid].node.stats();
        let item = header.and_then(Header::verify).map(Box::new);
        self.tell(pid, event(id, item));
        let why = self.turned_down(pid, &before);
        self.account(pid, (from, id), tag, why, false);
        let link = self.processes[pid].links.get(&id);
        link.is_some_and(|link| link.orders.is_empty() || link.is_established())
    }

    /// Drops duplicates, verifies the rest, and hands it to the daemon, or to the node if it is
    /// between neighbours.
    fn sort(
        &mut self,
        pid: ProcessId,
        id: LinkId,
        headers: Vec<(Tag, Result<Header, Malformed>)>,
        bytes: usize,
    ) {
        let (now, from) = (self.clock(pid), self.peer(pid, id).unwrap_or(pid));
        let mut control = Vec::new();
        let mut items: Vec<Item> = Vec::new();
        for (tag, header) in headers {
            let node = &mut self.processes[pid].node;
            let is_duplicate = header.as_ref().is_ok_and(|header| {
                header.main().is_relayed() && node.is_duplicate(now, id, header.id(), header.time())
            });
            if is_duplicate {
                self.ground.ledger.arrived(tag);
                self.account(pid, (from, id), tag, None, false);
                continue;
            }
            let item = header.and_then(Header::verify).map(Box::new);
            if is_control(&item) { control.push((tag, item)) } else { items.push((tag, item)) }
        }
        for (tag, item) in control {
            self.ground.ledger.arrived(tag);
            self.tell(pid, event(id, item));
        }
        let process = &mut self.processes[pid];
        let Some(link) = process.links.get_mut(&id) else { return };
        if !items.is_empty() {
            link.take_credit(bytes);
            process.marks.undigested.note(link.undigested);
            let batch = Batch { link: id, from, items, bytes };
            match link.held {
                Some(ref mut held) => held.append(batch),
                None => self.offer(pid, id, batch),
            }
        }
    }

    fn offer(&mut self, pid: ProcessId, id: LinkId, batch: Batch) {
        let capacity = self.config.max_links.max(1) * BATCHES_PER_LINK;
        if self.processes[pid].daemon.inbox.len() < capacity {
            self.hand_in(pid, Inbound::Batch(batch));
        } else {
            self.processes[pid].daemon.has_held = true;
            self.with_link(pid, id, |link| link.held = Some(batch));
        }
    }

    fn retry_held(&mut self, pid: ProcessId, id: LinkId) {
        let link = self.processes[pid].links.get_mut(&id);
        if let Some(batch) = link.and_then(|link| link.held.take()) {
            self.offer(pid, id, batch);
        }
    }

    fn note_unfinished(&mut self, pid: ProcessId, id: LinkId, any: bool) {
        let now = self.ground.schedule.now();
        self.with_link(pid, id, |link| {
            if !link.reader.is_mid_frame() {
                link.unfinished_since = None;
            } else if any || link.unfinished_since.is_none() {
                link.unfinished_since = Some(now);
            }
        });
    }
}
