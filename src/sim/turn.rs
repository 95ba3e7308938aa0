//! A link's thread, in turns: obey, read, write, rest; `runtime/link_thread.rs` over the modelled
//! network.

use std::time::Duration;

use super::schedule::{Happening, ProcessId};
use super::world::World;
use crate::events::Cause;
use crate::node::LinkId;
use crate::node::flow::Hold;

/// So many turns in a row may find nothing to do: somebody woke the thread for another's sake.
const MOST_IDLE: u32 = 50;

/// What a link's thread has to do, and has done. A turn that does anything changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    written: u64,
    queued: usize,
    undigested: usize,
    unread: usize,
    holds: usize,
    is_held: bool,
    is_at_end: bool,
    is_leaving: bool,
}

/// How many turns of a link in a row changed nothing.
#[derive(Debug)]
pub(super) struct Idleness {
    last: Look,
    turns: u32,
}

impl World {
    pub(super) fn turn(&mut self, pid: ProcessId, id: LinkId) {
        let now = self.ground.schedule.now();
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        link.is_woken = false;
        if link.alarm.is_some_and(|alarm| alarm <= now) {
            link.alarm = None;
        }
        let turn = self
            .obey(pid, id)
            .and_then(|()| self.read(pid, id))
            .and_then(|()| self.write(pid, id))
            .and_then(|()| self.rest(pid, id));
        match turn {
            Err(cause) => {
                self.processes[pid].idle.remove(&id);
                self.finish(pid, id, cause);
            }
            Ok(()) => self.does_something(pid, id),
        }
    }

    /// Breaks a promise if this link's thread has run again and again, and nothing has changed.
    fn does_something(&mut self, pid: ProcessId, id: LinkId) {
        let Some(now) = self.look(pid, id) else { return };
        let process = &mut self.processes[pid];
        process.marks.undigested.note(now.undigested);
        let idle = process.idle.entry(id).or_insert(Idleness { last: now, turns: 0 });
        idle.turns = if idle.last == now { idle.turns + 1 } else { 0 };
        idle.last = now;
        if idle.turns > MOST_IDLE {
            let what = format!("link {} of process {pid} runs in vain: {now:?}", id.0);
            self.ground.ledger.breaks("a thread rests when there is nothing to do", what);
        }
    }

    fn look(&self, pid: ProcessId, id: LinkId) -> Option<Look> {
        let link = self.processes[pid].links.get(&id)?;
        let conn = link.socket.and_then(|socket| self.wires.conn(socket));
        let pipe = link.socket.and_then(|socket| Some(&conn?.pipes[1 - socket.end]));
        Some(Look {
            written: link.written,
            queued: link.outbox.len(),
            undigested: link.undigested,
            unread: pipe.map_or(0, |pipe| pipe.unread),
            holds: link.holds.len(),
            is_held: link.held.is_some(),
            is_at_end: link.is_at_end,
            is_leaving: link.leaving.is_some(),
        })
    }

    fn rest(&mut self, pid: ProcessId, id: LinkId) -> Result<(), Cause> {
        let (now, timeout) = (self.ground.schedule.now(), self.config.frame_timeout);
        let Some(link) = self.processes[pid].links.get(&id) else { return Ok(()) };
        if link.unfinished_since.is_some_and(|since| now >= since + timeout) {
            return Err(Cause::UnfinishedFrame);
        }
        let hold = self.release_holds(pid, id);
        let can_read = self.can_read(pid, id);
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return Ok(()) };
        let discards = link.leaving.as_ref().is_some_and(|leaving| !leaving.delivers);
        if link.has_more || can_read && !discards {
            self.wake(pid, id);
            return Ok(());
        }
        let frame = link.unfinished_since.map(|since| since + timeout);
        let leaving = link.leaving.as_ref().map(super::link::Leaving::deadline);
        let next = [frame, hold, leaving.or(link.stall.deadline())].into_iter().flatten().min();
        if let Some(next) = next.filter(|next| link.alarm.is_none_or(|alarm| *next < alarm)) {
            link.alarm = Some(next);
            self.ground.schedule.at(next, Happening::Turn { process: pid, link: id });
        }
        Ok(())
    }

    /// Gives back what need not be held any longer; when to look again.
    fn release_holds(&mut self, pid: ProcessId, id: LinkId) -> Option<Duration> {
        let now = self.ground.schedule.now();
        let links = &mut self.processes[pid].links;
        let mut holds = std::mem::take(&mut links.get_mut(&id)?.holds);
        let mut released = 0;
        holds.retain_mut(|hold| {
            let keep = hold.goes_on(now, |target| links.get(target)?.outbox.pressed());
            released += if keep { 0 } else { hold.bytes };
            keep
        });
        let link = links.get_mut(&id)?;
        link.give_back(released);
        link.holds = holds;
        link.holds.iter().filter_map(Hold::until).min()
    }
}
