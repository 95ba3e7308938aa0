//! A link's thread, in turns: obey, read, write, rest; `runtime/link_thread.rs` over the modelled
//! network.

use std::time::Duration;

use super::schedule::{Happening, ProcessId};
use super::world::World;
use crate::events::Cause;
use crate::link::flow::Hold;
use crate::link::leaving::Leaving;
use crate::node::LinkId;

/// Turns that change nothing, one soon after the other, that a link's thread may take: it is woken
/// for what others do.
const MOST_IDLE: u32 = 50;
const SOON: Duration = Duration::from_millis(10);

/// What a link's thread has done lately.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Bytes written, bytes to read, and how much waits where.
    state: (u64, usize, [usize; 4]),
    last: Duration,
    /// How many turns changed nothing of that.
    idle: u32,
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
            Err(cause) => self.finish(pid, id, cause),
            Ok(()) => self.expect_rest(pid, id),
        }
    }

    /// A thread whose turns change nothing has nothing to do, and has to rest.
    fn expect_rest(&mut self, pid: ProcessId, id: LinkId) {
        let now = self.ground.schedule.now();
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        let input = link.socket.and_then(|at| Some((at, self.wires.conn(at)?)));
        let unread = input.map_or(0, |(at, conn)| conn.pipes[1 - at.end].unread);
        let waiting = [link.outbox.len(), link.batch.len(), link.holds.len(), link.undigested];
        let state = (link.written, unread, waiting);
        if state == link.turns.state && now < link.turns.last + SOON {
            link.turns.idle += 1;
        } else {
            link.turns.idle = 0;
        }
        (link.turns.state, link.turns.last) = (state, now);
        if link.turns.idle > MOST_IDLE {
            let what = format!("link {id:?} of process {pid} turns and turns at {now:?}");
            self.ground.ledger.breaks("a thread rests when there is nothing to do", what);
        }
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
        if link.has_more || can_read {
            self.wake(pid, id);
            return Ok(());
        }
        let frame = link.unfinished_since.map(|since| since + timeout);
        let leaving = link.leaving.as_ref().map(Leaving::deadline);
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
