//! Members that do not keep to the protocol. Some say every broadcast again on all their links, also to
//! whom it came from, and tell their peers of nodes that do not exist. Others withhold what they should pass
//! on.

use super::actions::Acting;
use super::ledger::Tag;
use super::schedule::ProcessId;
use super::world::World;
use crate::host_port::HostPort;
use crate::id::NodeId;
use crate::link::actions::{Outcome, put};
use crate::node::event::Item;
use crate::node::{Action, LinkId, Parcel};
use crate::options::Flag;
use crate::wire::{Draft, PeerEntry, peers};

/// How often each broadcast is said again on each link.
const AGAIN: usize = 2;
/// Nodes that are made up for each broadcast.
const FORGED: u8 = 5;

impl World {
    /// Has these nodes break the protocol from now on: they say every broadcast again on all their links, and
    /// send peers lists of nodes that do not exist.
    ///
    /// ```
    /// use rs2p::sim::World;
    ///
    /// let world = World::new(42).nodes(8).byzantine(6..8);
    /// ```
    #[must_use]
    pub fn byzantine(mut self, nodes: std::ops::Range<usize>) -> Self {
        for machine in self.machines.get_mut(nodes).into_iter().flatten() {
            machine.is_byzantine = true;
        }
        self
    }

    /// Has these nodes withhold messages from now on: they take what comes, announce what they have, and
    /// never pass a message of another node on, not even to a peer that asks for it.
    ///
    /// ```
    /// use rs2p::sim::World;
    ///
    /// let world = World::new(42).nodes(8).withholding(6..8);
    /// ```
    #[must_use]
    pub fn withholding(mut self, nodes: std::ops::Range<usize>) -> Self {
        for machine in self.machines.get_mut(nodes).into_iter().flatten() {
            machine.withholds = true;
        }
        self
    }

    /// Drops what a node that withholds was about to pass on. The node itself has counted it as put on links.
    pub(super) fn withhold(&mut self, pid: ProcessId) {
        let process = &mut self.processes[pid];
        if !self.machines[process.machine].withholds {
            return;
        }
        let mut dropped = 0;
        process.node.actions_mut().retain(|action| match action {
            Action::Send { parcel: Parcel::Relay(..), .. } => {
                dropped += 1;
                false
            }
            // The node counts this one once it has found room.
            Action::Answer { parcel: Parcel::Relay(..), .. } => false,
            _ => true,
        });
        process.put += dropped;
    }

    /// Returns what a byzantine node says again; nothing for the others.
    pub(super) fn said_again(&self, pid: ProcessId, link: LinkId, item: &Item) -> Option<Parcel> {
        let envelope = item.as_ref().ok().filter(|envelope| envelope.main.is_relayed())?;
        let is_byzantine = self.machines[self.processes[pid].machine].is_byzantine;
        is_byzantine.then(|| Parcel::Relay(envelope.relay(), link))
    }

    /// Says a broadcast again and sends a false list, on each link.
    pub(super) fn misbehave(
        &mut self,
        pid: ProcessId,
        tag: Tag,
        parcel: &Parcel,
        outcome: &mut Outcome<LinkId>,
    ) {
        let is_ready = |link: &super::link::Link| link.mailbox.settings().is_some();
        let links = self.processes[pid].links.iter().filter(|(_, link)| is_ready(link));
        let links: Vec<LinkId> = links.map(|(id, _)| *id).collect();
        let now = self.clock(pid);
        for link in links {
            let list = self.false_list(now.second());
            let mut say = |parcel, tag| {
                self.shared.ledger.put(tag);
                put(&mut Acting { world: self, pid, tag }, now, link, parcel, tag, outcome);
            };
            (0..AGAIN).for_each(|_| say(parcel.clone(), tag));
            say(Parcel::Control(list), None);
        }
    }

    /// Returns a peers list of nodes at loopback addresses where no machine is.
    fn false_list(&mut self, time: u64) -> Draft {
        let entry = |n: u8| {
            let id = NodeId::from_digest(&[self.shared.rng.next_u64() as u8; 48]);
            let addr = HostPort { host: format!("127.99.0.{n}"), port: 9 };
            PeerEntry { addr: Some(addr), id }
        };
        let entries: Vec<PeerEntry> = (0..FORGED).map(entry).collect();
        Draft { main: Flag::Whisper, packets: peers::payload(&entries), time }
    }
}
