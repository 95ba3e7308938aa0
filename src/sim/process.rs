//! A machine, and the process on it that runs a node, with the clock, the daemon's channel and
//! the application around it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::application::Application;
use super::bounds::Marks;
use super::ledger::Tag;
use super::link::Link;
use super::routes::{Routing, Wish};
use super::schedule::ProcessId;
use crate::config::Config;
use crate::id::NodeId;
use crate::link::batch::BatchWork;
use crate::link::reading::Batch;
use crate::link::turns::Turns;
use crate::node::{ConnectId, LinkId, Node, Now};
use crate::stats::Stats;

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
    /// Whether its nodes know no lazy push.
    pub is_plain: bool,
    /// Whether its nodes break the protocol, see `World::byzantine`.
    pub is_byzantine: bool,
    /// Whether its nodes pass nothing on, see `World::withholding`.
    pub withholds: bool,
    /// When it tells its next lie, if it lies: see `World::turn_liars`.
    pub lies_at: Option<Duration>,
    /// Whether its nodes make no links by themselves.
    pub is_fixed: bool,
    /// How long its application thinks about each message. `None`: see `World::recv`.
    pub pace: Option<Duration>,
    /// Reasons why its application takes nothing for now, whatever its pace.
    pub naps: u32,
}

/// Returns the address of a machine.
pub(super) fn address(machine: usize) -> SocketAddr {
    let [_, a, b, c] = (machine as u32 + 1).to_be_bytes();
    (Ipv4Addr::new(10, a, b, c), PORT).into()
}

/// Returns the machine at an address, if it is one that a machine could have.
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
    /// Boxed, because a `BTreeMap` allocates room for eleven entries at once.
    pub links: BTreeMap<LinkId, Box<Link>>,
    pub daemon: Daemon,
    pub application: Application,
    /// When it will look at its node's deadlines.
    pub alarm: Option<Duration>,
    /// Whom its program has not reached yet.
    pub to_reach: BTreeSet<usize>,
    pub connects: BTreeMap<ConnectId, usize>,
    /// Whether its program will try again to connect.
    pub tries_again: bool,
    /// What its program is sending, once there is room.
    pub line: VecDeque<Wish>,
    /// What it has sent to nodes that the mesh is asked for.
    pub routing: Vec<Routing>,
    pub marks: Marks,
    /// Users' messages that its node delivered, as the ledger has it.
    pub delivered: u64,
    /// Frames that its node put on links.
    pub put: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub unsent: u64,
}

/// The daemon thread: its channel, and what it is at.
#[derive(Debug, Default)]
pub(super) struct Daemon {
    /// What the links have handed in: they take turns, by bytes.
    pub inbox: Turns<LinkId, Inbound>,
    pub in_hand: Option<BatchWork<LinkId>>,
    /// Where the batch in hand came from.
    pub from: Option<ProcessId>,
    /// Whether it will look at its channel.
    pub is_planned: bool,
    /// Whether a link holds a batch for want of room.
    pub has_held: bool,
}

#[derive(Debug)]
pub(super) enum Inbound {
    Batch { link: LinkId, from: ProcessId, batch: Batch<Tag> },
    Finished(LinkId),
}

impl Inbound {
    pub fn link(&self) -> LinkId {
        match self {
            Inbound::Batch { link, .. } | Inbound::Finished(link) => *link,
        }
    }
}

impl Process {
    pub fn new(machine: usize, id: NodeId, node: Node, born: Duration, config: &Config) -> Self {
        Process {
            machine,
            id,
            node,
            born,
            is_alive: true,
            links: BTreeMap::new(),
            daemon: Daemon::default(),
            application: Application::new(config),
            alarm: None,
            to_reach: BTreeSet::new(),
            connects: BTreeMap::new(),
            tries_again: false,
            line: VecDeque::new(),
            routing: Vec::new(),
            marks: Marks::default(),
            delivered: 0,
            put: 0,
            bytes_in: 0,
            bytes_out: 0,
            unsent: 0,
        }
    }

    /// Returns what this process's clocks say.
    pub fn clock(&self, now: Duration, skew: i64) -> Now {
        let wall = EPOCH + now;
        let ahead = Duration::from_millis(skew.unsigned_abs());
        Now {
            mono: now - self.born,
            wall: if skew < 0 { wall.saturating_sub(ahead) } else { wall + ahead },
        }
    }

    /// Returns all counters, as `MeshSocket::stats` would give them.
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

    /// Messages that its daemon is delivering.
    pub fn in_hand(&self) -> usize {
        self.daemon.in_hand.as_ref().map_or(0, BatchWork::waiting)
    }

    /// Returns the frames that this process has read and its node has not seen, with where they
    /// came from.
    pub fn undecided(&self) -> impl Iterator<Item = (Option<ProcessId>, Tag)> {
        let inbox = self.daemon.inbox.iter().filter_map(|inbound| match inbound {
            Inbound::Batch { from, batch, .. } => Some((Some(*from), batch)),
            Inbound::Finished(_) => None,
        });
        let held = self.links.values().filter_map(|link| Some((link.peer, link.held()?)));
        inbox
            .chain(held)
            .flat_map(|(from, batch)| batch.items.iter().map(move |(tag, _)| (from, *tag)))
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
