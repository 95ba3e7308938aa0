//! A link of a simulated process: the three parts that `crate::link` describes, without locks, and
//! when its thread runs.

use std::time::Duration;

use super::ledger::Tag;
use super::link_host::LinkHost;
use super::schedule::{Happening, ProcessId};
use super::tcp::Socket;
use super::world::World;
use crate::cause::Cause;
use crate::config::Config;
use crate::id::NodeId;
use crate::link::closing::{self, Closing};
use crate::link::machine::{Machine, Next};
use crate::link::mailbox::Mailbox;
use crate::link::reading::Batch;
use crate::link::writing::Writing;
use crate::node::LinkId;

/// Turns that change nothing, one soon after the other, that a link's thread may take: it is woken
/// for what others do.
const MOST_IDLE: u32 = 50;
const SOON: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Link {
    /// `None` while dialling, and after it is closed.
    pub socket: Option<Socket>,
    /// The process at the other end, once there is one.
    pub peer: Option<ProcessId>,
    pub mailbox: Mailbox<LinkId, Tag>,
    pub writing: Writing<Tag>,
    pub stage: Stage,
    /// Whether something had no room on it, because its peer was left behind.
    pub has_missed: bool,
    is_woken: bool,
    /// When its thread will wake by itself.
    alarm: Option<Duration>,
    turns: Turns,
}

/// What a link's thread is at.
#[derive(Debug)]
pub(super) enum Stage {
    Opening,
    Up(Box<Machine<LinkId, Tag>>),
    Closing(Closing<Tag>),
    /// It takes a turn, and has its half with it.
    InTurn,
}

/// What a link's thread has done lately.
#[derive(Debug, Default)]
struct Turns {
    /// Bytes written, bytes and segments to read, and how much waits where.
    state: (u64, [usize; 2], [usize; 4]),
    last: Duration,
    /// How many turns changed nothing of that.
    idle: u32,
}

impl Link {
    pub fn dialling(config: &Config, me: NodeId) -> Self {
        Link {
            socket: None,
            peer: None,
            mailbox: Mailbox::new(config),
            writing: Writing::new(me),
            stage: Stage::Opening,
            has_missed: false,
            is_woken: false,
            alarm: None,
            turns: Turns::default(),
        }
    }

    /// Takes a connection over, as its thread does when the stream is up.
    pub fn open(&mut self, config: &Config, socket: Socket, peer: Option<ProcessId>) {
        (self.socket, self.peer) = (Some(socket), peer);
        self.stage = Stage::Up(Box::new(Machine::new(config)));
    }

    /// Returns whether it is on its way out, and has time left for that.
    pub fn is_leaving(&self, now: Duration) -> bool {
        match &self.stage {
            Stage::Up(machine) => {
                self.mailbox.has_orders() || machine.leaves_by().is_some_and(|until| now < until)
            }
            Stage::Closing(_) => true,
            Stage::Opening | Stage::InTurn => false,
        }
    }

    /// Returns the batch that the daemon's channel had no room for.
    pub fn held(&self) -> Option<&Batch<Tag>> {
        match &self.stage {
            Stage::Up(machine) => machine.held(),
            Stage::Closing(closing) => closing.held(),
            Stage::Opening | Stage::InTurn => None,
        }
    }
}

impl World {
    /// Has a link's thread look at its mailbox.
    pub(super) fn wake(&mut self, pid: ProcessId, id: LinkId) {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        if !std::mem::replace(&mut link.is_woken, true) {
            let pause = self.lag();
            self.shared.schedule.after(pause, Happening::Turn { process: pid, link: id });
        }
    }

    /// Tells a link's thread about its connection. That there is something to read is told once.
    pub(super) fn wake_end(&mut self, socket: Socket, is_readable: bool) {
        let Some(end) = self.sockets.end(socket) else { return };
        let (pid, Some(id)) = (end.process, end.link) else { return };
        let is_readable = is_readable || end.error.is_some();
        if let Some(link) = self.processes[pid].links.get_mut(&id)
            && let Stage::Up(machine) = &mut link.stage
            && is_readable
        {
            machine.readable();
        }
        self.wake(pid, id);
    }

    /// Runs a link's thread.
    pub(super) fn turn(&mut self, pid: ProcessId, id: LinkId) {
        let now = self.shared.schedule.now();
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        link.is_woken = false;
        link.alarm = link.alarm.filter(|&alarm| alarm > now);
        match std::mem::replace(&mut link.stage, Stage::InTurn) {
            Stage::Up(machine) => self.turn_machine(pid, id, machine),
            Stage::Closing(ending) => self.hand_in_rest(pid, id, Some(ending)),
            Stage::Opening => match link.mailbox.ended_early() {
                Some(cause) => self.finish(pid, id, cause),
                None => link.stage = Stage::Opening,
            },
            Stage::InTurn => {}
        }
    }

    fn turn_machine(&mut self, pid: ProcessId, id: LinkId, mut machine: Box<Machine<LinkId, Tag>>) {
        machine.lend(&mut self.room);
        let turned = machine.turn(&mut LinkHost { world: self, pid, id });
        machine.give_back(&mut self.room);
        match turned {
            Err(cause) => {
                let ending = machine.finish(&mut LinkHost { world: self, pid, id }, cause);
                self.hand_in_rest(pid, id, ending);
            }
            Ok(next) => {
                self.expect_rest(pid, id, machine.holds());
                self.rest(pid, id, Stage::Up(machine), next);
            }
        }
    }

    fn rest(&mut self, pid: ProcessId, id: LinkId, stage: Stage, next: Next) {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        link.stage = stage;
        link.mailbox.outgoing.release();
        link.writing.release();
        match next {
            Next::Now => self.wake(pid, id),
            Next::At(next) if link.alarm.is_none_or(|alarm| next < alarm) => {
                link.alarm = Some(next);
                self.shared.schedule.at(next, Happening::Turn { process: pid, link: id });
            }
            Next::At(_) | Next::WhenWoken => {}
        }
    }

    /// Ends a link that never came up.
    pub(super) fn finish(&mut self, pid: ProcessId, id: LinkId, cause: Cause) {
        let ending = closing::finish(&mut LinkHost { world: self, pid, id }, cause, None);
        self.hand_in_rest(pid, id, ending);
    }

    fn hand_in_rest(&mut self, pid: ProcessId, id: LinkId, ending: Option<Closing<Tag>>) {
        if let Some(mut ending) = ending
            && !ending.hand_in(&mut LinkHost { world: self, pid, id })
        {
            return self.with_link(pid, id, |link| link.stage = Stage::Closing(ending));
        }
        self.processes[pid].links.remove(&id);
    }

    /// Notes a turn that changed nothing: a thread that has nothing to do must rest.
    fn expect_rest(&mut self, pid: ProcessId, id: LinkId, holds: usize) {
        let now = self.shared.schedule.now();
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        let input = link.socket.and_then(|at| Some((at, self.sockets.conn(at)?)));
        let input = input.map(|(at, conn)| &conn.pipes[1 - at.end]);
        let unread = input.map_or([0; 2], |pipe| [pipe.unread, pipe.arrived.len()]);
        let waiting =
            [link.mailbox.outgoing.len(), link.writing.len(), holds, link.mailbox.undigested()];
        let state = (link.writing.written(), unread, waiting);
        if state == link.turns.state && now < link.turns.last + SOON {
            link.turns.idle += 1;
        } else {
            link.turns.idle = 0;
        }
        (link.turns.state, link.turns.last) = (state, now);
        if link.turns.idle > MOST_IDLE {
            let what = format!("link {id:?} of process {pid} turns and turns at {now:?}");
            self.shared.ledger.breaks("a thread rests when there is nothing to do", what);
        }
    }

    pub(super) fn with_link(&mut self, pid: ProcessId, id: LinkId, act: impl FnOnce(&mut Link)) {
        if let Some(link) = self.processes[pid].links.get_mut(&id) {
            act(link);
        }
    }

    /// Returns who is at the other end of a link, as the network knows.
    pub(super) fn peer(&self, pid: ProcessId, link: LinkId) -> Option<ProcessId> {
        self.processes[pid].links.get(&link)?.peer
    }
}
