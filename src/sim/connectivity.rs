//! Which nodes can reach each other, over links that work.

use std::collections::BTreeSet;
use std::time::Duration;

use super::schedule::ProcessId;
use super::tcp::{Conn, Socket};
use super::world::World;

impl World {
    /// Returns the socket of the link in a process's routing table to another process.
    pub(super) fn row(&self, pid: ProcessId, peer: ProcessId) -> Option<Socket> {
        let process = &self.processes[pid];
        let link = process.node.link_of(&self.processes[peer].id)?;
        process.links.get(&link)?.socket
    }

    /// Returns whether messages can go both ways between these two, directly and now.
    pub(super) fn are_linked(&self, a: ProcessId, b: ProcessId) -> bool {
        let (Some(there), Some(back)) = (self.row(a, b), self.row(b, a)) else { return false };
        let (a, b) = (self.processes[a].machine, self.processes[b].machine);
        let is_whole = self.sockets.conn(there).is_some_and(Conn::is_whole);
        there == back.other() && is_whole && !self.sockets.is_parted(a, b)
    }

    /// Returns whether every node that runs can reach every other one, over links that work.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert!(world.is_connected());
    /// ```
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.components() <= 1
    }

    /// Returns the nodes that a node can reach, itself among them, over links that work.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert_eq!(world.reachable(0).len(), 5);
    /// ```
    #[must_use]
    pub fn reachable(&self, node: usize) -> Vec<usize> {
        let Some(first) = self.machines[node].process else { return Vec::new() };
        let (mut known, mut next) = (BTreeSet::from([first]), vec![first]);
        while let Some(pid) = next.pop() {
            let links = self.processes[pid].node.peers().map(|(_, link, _)| link);
            for peer in links.filter_map(|link| self.peer(pid, link)) {
                if !known.contains(&peer) && self.are_linked(pid, peer) {
                    known.insert(peer);
                    next.push(peer);
                }
            }
        }
        known.into_iter().map(|pid| self.processes[pid].machine).collect()
    }

    /// Returns into how many parts the mesh has fallen.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.partition(&[0, 1], Duration::from_secs(30));
    /// assert!(world.components() > 1);
    /// ```
    #[must_use]
    pub fn components(&self) -> usize {
        let alive: Vec<ProcessId> = self.machines.iter().filter_map(|at| at.process).collect();
        let mut is_counted = vec![false; self.processes.len()];
        let mut parts = 0;
        for &first in &alive {
            let mut next = vec![first];
            parts += usize::from(!is_counted[first]);
            while let Some(pid) = next.pop() {
                if !std::mem::replace(&mut is_counted[pid], true) {
                    let links = self.processes[pid].node.peers().map(|(_, link, _)| link);
                    let peers = links.filter_map(|link| self.peer(pid, link));
                    next.extend(peers.filter(|&peer| self.are_linked(pid, peer)));
                }
            }
        }
        parts
    }

    /// Lets time pass until [`World::check_calm`] passes, at most `span`; returns how long it took,
    /// or `None`. Links that are younger than 6 s are not asked for more than to be there, so ask
    /// again somewhat later.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.crash(2);
    /// world.restart(2);
    /// let took = world.heals_within(Duration::from_secs(60)).expect("it is linked again");
    /// println!("that took {took:?}");
    /// ```
    #[must_use]
    pub fn heals_within(&mut self, span: Duration) -> Option<Duration> {
        let begun = self.now();
        let step = Duration::from_millis(100);
        while !self.is_calm() {
            if self.is_broken() || self.now() >= begun + span {
                return None;
            }
            self.run_for(step);
        }
        Some(self.now() - begun)
    }
}
