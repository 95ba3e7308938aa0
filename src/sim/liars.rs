//! Members that tell of nobody but each other, so that the others come to have links to them alone: an
//! eclipse.

use std::ops::Range;
use std::time::Duration;

use super::actions::Acting;
use super::process::address;
use super::schedule::ProcessId;
use super::world::World;
use crate::link::actions::{Outcome, put};
use crate::node::{Action, LinkId, Parcel};
use crate::options::{Flag, Kind};
use crate::packet::Packet;
use crate::wire::{Draft, Exchange, HostPort, PeerEntry, peers};

/// How often a liar tells all its peers of the others, beside when it is asked.
const TELLS_EVERY: Duration = Duration::from_secs(1);
/// Hops of its samples: as many as are let through.
const HOPS: u64 = 20;
/// Nodes that it tells of at a time.
const TOLD: usize = 16;

impl World {
    /// Has these nodes lie from now on: their peers lists and samples name only each other, and they send
    /// more of them than they are asked for.
    ///
    /// ```
    /// use rs2p::sim::World;
    /// use std::time::Duration;
    ///
    /// let mut world = World::new(42).nodes(20);
    /// world.run_for(Duration::from_secs(10));
    /// world.turn_liars(16..20);
    /// world.run_for(Duration::from_secs(60));
    /// assert!((0..16).all(|node| world.peers(node).iter().any(|peer| *peer < 16)));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there are fewer nodes.
    pub fn turn_liars(&mut self, nodes: Range<usize>) {
        let now = self.now();
        for machine in &mut self.machines[nodes] {
            machine.lies_at = Some(now);
        }
    }

    /// Replaces what a liar is about to tell.
    pub(super) fn falsify(&mut self, pid: ProcessId) {
        if self.machines[self.processes[pid].machine].lies_at.is_none() {
            return;
        }
        let mut actions = std::mem::take(self.processes[pid].node.actions_mut());
        for action in &mut actions {
            if let Action::Send { parcel: Parcel::Control(draft), .. } = action
                && let Some(false_one) = self.false_words(draft)
            {
                draft.packets = false_one;
            }
        }
        *self.processes[pid].node.actions_mut() = actions;
    }

    /// Has a liar tell its peers of the others, if it is time to.
    pub(super) fn tell_lies(&mut self, pid: ProcessId, outcome: &mut Outcome<LinkId>) {
        let (machine, now) = (self.processes[pid].machine, self.clock(pid));
        if self.machines[machine].lies_at.is_none_or(|due| self.now() < due) {
            return;
        }
        self.machines[machine].lies_at = Some(self.now() + TELLS_EVERY);
        let links = self.processes[pid].node.peers().map(|(_, link, _)| link);
        for link in links.collect::<Vec<_>>() {
            let list = peers::payload(&self.each_other());
            let entries = self.each_other();
            let sample = Exchange::Sample { hops: HOPS, entries }.payload();
            for packets in [list, sample] {
                let draft = Draft { main: Flag::Whisper, packets, time: now.second() };
                self.shared.ledger.put(None);
                let mut acting = Acting { world: self, pid, tag: None };
                put(&mut acting, now, link, Parcel::Control(draft), None, outcome);
            }
        }
    }

    /// Returns what is said instead of a peers list or a sample; nothing for the rest.
    fn false_words(&mut self, draft: &Draft) -> Option<Vec<Packet>> {
        let is_list = draft.packets.first().is_some_and(|kind| Kind::PEERS == **kind);
        let is_sample =
            draft.packets.get(1).is_some_and(|word| word.as_bytes() == Exchange::SAMPLE);
        if is_list {
            return Some(peers::payload(&self.each_other()));
        }
        let entries = is_sample.then(|| self.each_other())?;
        Some(Exchange::Sample { hops: HOPS, entries }.payload())
    }

    /// Returns some of the liars.
    fn each_other(&mut self) -> Vec<PeerEntry> {
        let liars =
            self.machines.iter().enumerate().filter(|(_, machine)| machine.lies_at.is_some());
        let mut entries: Vec<PeerEntry> = liars
            .filter_map(|(at, machine)| {
                let addr = HostPort::from(address(at));
                Some(PeerEntry { addr: Some(addr), id: self.processes[machine.process?].id })
            })
            .collect();
        self.shared.rng.shuffle(&mut entries);
        entries.truncate(TOLD);
        entries
    }
}
