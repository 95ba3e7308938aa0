//! A machine, and the process on it that runs a node, with the clock, the daemon's channel and
//! the application around it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::application::Application;
use super::ledger::Tag;
use super::link::{Batch, Link};
use super::schedule::ProcessId;
use crate::id::NodeId;
use crate::message::Message;
use crate::node::{ConnectId, LinkId, Node, Now};
use crate::stats::Stats;
use crate::wire::Draft;

/// When the world begins, since the Unix epoch.
const EPOCH: Duration = Duration::from_secs(1_700_000_000);
/// The port that all nodes listen on.
const PORT: u16 = 4444;

#[derive(Debug, Default)]
pub(super) struct Machine {
    pub process: Option<ProcessId>,
    pub is_off: bool,
    /// Its processes do not run before this time.
    pub frozen_until: Duration,
    /// By how much its wall clock is ahead, in milliseconds.
    pub skew: i64,
    /// Whom its program connects to.
    pub targets: Vec<usize>,
    /// Whether its nodes make no links by themselves.
    pub is_fixed: bool,
    /// How long its application thinks about each message. `None`: see `World::recv`.
    pub pace: Option<Duration>,
    /// Until when it thinks longer.
    pub slow_until: Duration,
}

/// How long an application that is slow thinks about a message.
const SLOW: Duration = Duration::from_secs(3);

impl Machine {
    /// How long its application thinks about the next message, if it takes any by itself.
    pub fn pace(&self, now: Duration) -> Option<Duration> {
        self.pace.map(|pace| if now < self.slow_until { pace.max(SLOW) } else { pace })
    }
}

/// The address of a machine.
pub(super) fn address(machine: usize) -> SocketAddr {
    let [_, a, b, c] = (machine as u32 + 1).to_be_bytes();
    (Ipv4Addr::new(10, a, b, c), PORT).into()
}

/// The machine at an address, if it is one that a machine could have.
pub(super) fn machine_at(addr: SocketAddr) -> Option<usize> {
    let SocketAddr::V4(addr) = addr else { return None };
    let [net, a, b, c] = addr.ip().octets();
    let number = u32::from_be_bytes([0, a, b, c]);
    (net == 10 && addr.port() == PORT).then(|| number.checked_sub(1))?.map(|at| at as usize)
}

#[derive(Debug)]
pub(super) struct Process {
    pub machine: usize,
    pub id: NodeId,
    pub node: Node,
    pub born: Duration,
    pub is_alive: bool,
    pub links: BTreeMap<LinkId, Link>,
    pub daemon: Daemon,
    pub application: Application,
    /// When it will look at its node's deadlines.
    pub alarm: Option<Duration>,
    /// Whom its program has not reached yet.
    pub to_reach: BTreeSet<usize>,
    pub connects: BTreeMap<ConnectId, usize>,
    /// What its program is sending, once there is room.
    pub line: VecDeque<(Draft, Duration)>,
    /// Messages of its program to one node for which a way is being looked for.
    pub unrouted: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub unsent: u64,
    pub peaks: Peaks,
}

/// The most that there ever was of what has a bound.
#[derive(Debug, Default)]
pub(super) struct Peaks {
    /// Bytes that waited to be written to one link.
    pub outbound: Peak,
    /// Bytes of one link that were read and not dealt with.
    pub undigested: Peak,
    /// Batches in the daemon's channel.
    pub inbox: Peak,
    /// Rows of the routing table.
    pub table: Peak,
    /// Links that somebody made who had not said yet who it is.
    pub strangers: Peak,
}

#[derive(Debug, Default)]
pub(super) struct Peak(usize);

impl Peak {
    pub fn note(&mut self, now: usize) {
        self.0 = self.0.max(now);
    }

    pub fn most(&self) -> usize {
        self.0
    }
}

/// The daemon thread: its channel, and what it is at.
#[derive(Debug, Default)]
pub(super) struct Daemon {
    pub inbox: VecDeque<Inbound>,
    pub in_hand: Option<InHand>,
    /// Whether it will look at its channel.
    pub is_planned: bool,
    /// Whether a link holds a batch for want of room.
    pub has_held: bool,
}

#[derive(Debug)]
pub(super) enum Inbound {
    Batch(Batch),
    Finished(LinkId),
}

/// A batch that is decided, and being delivered.
#[derive(Debug)]
pub(super) struct InHand {
    pub link: LinkId,
    pub bytes: usize,
    pub pressed: BTreeSet<LinkId>,
    pub deliver: VecDeque<Message>,
}

impl Process {
    pub fn new(machine: usize, id: NodeId, node: Node, born: Duration) -> Self {
        Process {
            machine,
            id,
            node,
            born,
            is_alive: true,
            links: BTreeMap::new(),
            daemon: Daemon::default(),
            application: Application::default(),
            alarm: None,
            to_reach: BTreeSet::new(),
            connects: BTreeMap::new(),
            line: VecDeque::new(),
            unrouted: 0,
            bytes_in: 0,
            bytes_out: 0,
            unsent: 0,
            peaks: Peaks::default(),
        }
    }

    /// What this process's clocks say.
    pub fn clock(&self, now: Duration, skew: i64) -> Now {
        let wall = EPOCH + now;
        let ahead = Duration::from_millis(skew.unsigned_abs());
        Now {
            mono: now - self.born,
            wall: if skew < 0 { wall.saturating_sub(ahead) } else { wall + ahead },
        }
    }

    /// All counters, as `MeshSocket::stats` would give them.
    pub fn stats(&self) -> Stats {
        let application = &self.application;
        Stats {
            handled: 0,
            ignored: application.ignored,
            queued: application.queued,
            taken: application.taken,
            dropped: application.dropped,
            waiting: application.waiting() as u64,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            unsent_frames: self.unsent,
            ..self.node.stats()
        }
    }

    /// Messages that were delivered and are on their way to the application's queue.
    pub fn in_hand(&self) -> u64 {
        self.daemon.in_hand.as_ref().map_or(0, |in_hand| in_hand.deliver.len() as u64)
    }

    /// The frames that this process has read and its node has not seen, with their links.
    pub fn undecided(&self) -> impl Iterator<Item = (&Batch, Tag)> {
        let inbox = self.daemon.inbox.iter().filter_map(|inbound| match inbound {
            Inbound::Batch(batch) => Some(batch),
            Inbound::Finished(_) => None,
        });
        let held = self.links.values().filter_map(|link| link.held.as_ref());
        inbox.chain(held).flat_map(|batch| batch.items.iter().map(move |(tag, _)| (batch, *tag)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_its_machine() {
        for machine in [0, 1, 255, 256, 99_999] {
            assert_eq!(machine_at(address(machine)), Some(machine));
        }
        assert_eq!(machine_at(([10, 0, 0, 0], PORT).into()), None);
        assert_eq!(machine_at(([127, 0, 0, 1], PORT).into()), None);
    }
}
