//! What can be seen of a world from outside.

use std::time::Duration;

use super::process::Process;
use super::world::World;
use crate::id::NodeId;
use crate::stats::Stats;

impl World {
    /// How many nodes there are, up or down.
    #[must_use]
    pub fn len(&self) -> usize {
        self.machines.len()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }

    /// Whether a node runs.
    #[must_use]
    pub fn is_up(&self, node: usize) -> bool {
        self.machines[node].process.is_some()
    }

    /// The id of a node that runs.
    #[must_use]
    pub fn id(&self, node: usize) -> Option<NodeId> {
        Some(self.processes[self.machines[node].process?].id)
    }

    /// The counters of a node that runs.
    #[must_use]
    pub fn stats(&self, node: usize) -> Option<Stats> {
        Some(self.processes[self.machines[node].process?].stats())
    }

    /// The nodes that a node has in its routing table.
    #[must_use]
    pub fn peers(&self, node: usize) -> Vec<usize> {
        let Some(pid) = self.machines[node].process else { return Vec::new() };
        let links = self.processes[pid].node.peers().map(|(_, link, _)| link);
        let peers = links.filter_map(|link| self.peer(pid, link));
        peers.map(|peer| self.processes[peer].machine).collect()
    }

    /// Some node that runs, as the seed will have it; one that is not stopped, if there is one.
    ///
    /// # Panics
    ///
    /// If none runs.
    pub fn some_node(&mut self) -> usize {
        let mut up: Vec<usize> = (0..self.len()).filter(|&node| self.is_up(node)).collect();
        let is_stopped = |node: &usize| self.machines[*node].frozen_until > self.now();
        if !up.iter().all(is_stopped) {
            up.retain(|node| !is_stopped(node));
        }
        up[self.ground.rng.below(up.len() as u64) as usize]
    }

    /// A number below `bound`, as the seed will have it.
    pub fn draw(&mut self, bound: u64) -> u64 {
        self.ground.rng.below(bound)
    }

    /// Whether no message is on its way, nor waits to be sent or to be taken by an application that
    /// takes messages by itself.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let is_idle =
            |process: &Process| process.line.is_empty() && process.daemon.in_hand.is_none();
        self.has_arrived() && self.alive().all(is_idle)
    }

    /// Whether no message is on a link, and no way to one node is being looked for.
    pub(super) fn has_arrived(&self) -> bool {
        self.ground.ledger.copies.in_flight() == 0
            && self.alive().all(|process| process.unrouted == 0)
    }

    fn alive(&self) -> impl Iterator<Item = &Process> {
        self.machines.iter().filter_map(|at| Some(&self.processes[at.process?]))
    }

    /// When the faults that were planned so far are over.
    #[must_use]
    pub fn clear_at(&self) -> Duration {
        self.clear_at
    }

    /// Two worlds with equal fingerprints took the same course.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.ground.schedule.fingerprint()
    }
}
