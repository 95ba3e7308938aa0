//! The writing half of a link's thread; `runtime/writer.rs`.

use super::schedule::{Happening, ProcessId};
use super::tcp::Socket;
use super::world::World;
use crate::events::Cause;
use crate::link::flow::Pace;
use crate::node::LinkId;
use crate::runtime::writer::{BATCH, Flushed, TURN};

impl World {
    pub(super) fn write(&mut self, pid: ProcessId, id: LinkId) -> Result<(), Cause> {
        let Some(link) = self.processes[pid].links.get(&id) else { return Ok(()) };
        let Some(socket) = link.socket else { return Ok(()) };
        let has_something = !link.batch.is_empty() || link.outbox.len() > 0;
        let error = self.wires.end(socket).and_then(|end| end.error).filter(|_| has_something);
        let flushed = match error {
            Some(broken) => {
                self.mourn(pid, id, broken.cause());
                Flushed::Empty
            }
            None => self.flush(pid, id, socket),
        };
        self.with_link(pid, id, |link| link.has_more = flushed == Flushed::More);
        if error.is_none() {
            self.watch_pace(pid, id, flushed);
        }
        self.leave(pid, id, socket, flushed == Flushed::Empty)
    }

    /// Notices a peer that does not take what waits for it.
    fn watch_pace(&mut self, pid: ProcessId, id: LinkId, flushed: Flushed) {
        let (config, now) = (&self.config, self.ground.schedule.now());
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        let is_rs2p = link.terms.as_ref().is_some_and(|terms| terms.is_rs2p);
        let patience = if is_rs2p { config.stall } else { config.stall_py2p };
        let pace = Pace { least: config.stall_bytes, patience };
        let is_waiting = flushed != Flushed::Empty;
        let queued = if is_waiting { link.outbox.queued().max(1) } else { 0 };
        let is_stalled = link.stall.is_stalled(now, queued, link.written, pace);
        if is_stalled && link.leaving.is_none() {
            self.leave_now(pid, id, Cause::Stalled);
        }
    }

    /// Writes until the outbox is empty, the network takes no more, or the turn is over.
    fn flush(&mut self, pid: ProcessId, id: LinkId, socket: Socket) -> Flushed {
        let process = &mut self.processes[pid];
        let Some(link) = process.links.get_mut(&id) else { return Flushed::Empty };
        let (mut done, until) = (0, link.written + TURN);
        let flushed = loop {
            if link.written >= until {
                break Flushed::More;
            }
            if link.batch.is_empty() {
                link.refill(BATCH, &process.id);
            }
            let Some(chunk) = link.batch.front_mut() else { break Flushed::Empty };
            let room = self.wires.room(socket).min(chunk.bytes.len());
            if room == 0 {
                self.wires.await_room(socket);
                break Flushed::Blocked;
            }
            self.wires.write(&mut self.ground, socket, chunk.bytes.split_to(room));
            link.written += room as u64;
            process.bytes_out += room as u64;
            if chunk.bytes.is_empty() {
                self.wires.wrote_frame(socket, chunk.tag);
                done += chunk.weight;
                link.batch.pop_front();
            }
        };
        if done > 0 {
            self.wrote(pid, id, done);
        }
        flushed
    }

    /// This much has left the outbox: whoever waited for that goes on.
    fn wrote(&mut self, pid: ProcessId, id: LinkId, weight: usize) {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        let freed = link.outbox.written(weight);
        self.go_on(pid, freed.pressers);
        if freed.has_drained {
            self.let_send(pid);
        }
    }

    /// Wakes links that were held back for a queue.
    pub(super) fn go_on(&mut self, pid: ProcessId, pressers: Vec<LinkId>) {
        for presser in pressers {
            self.wake(pid, presser);
        }
    }

    /// Has the program look whether there is room for what it waits to send.
    pub(super) fn let_send(&mut self, pid: ProcessId) {
        if !self.processes[pid].line.is_empty() {
            let pause = self.lag();
            self.ground.schedule.after(pause, Happening::Send { process: pid });
        }
    }
}
