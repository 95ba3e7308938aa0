//! Reading the state of a world.

use std::collections::BTreeSet;
use std::time::Duration;

use super::world::World;
use crate::id::NodeId;
use crate::presence::Member;
use crate::stats::Stats;

impl World {
    /// Returns how many nodes there are, up or down.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert_eq!(world.len(), 5);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.machines.len()
    }

    /// Returns whether there are no nodes.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert!(!world.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }

    /// Returns whether a node runs.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert!(world.is_up(0));
    /// ```
    #[must_use]
    pub fn is_up(&self, node: usize) -> bool {
        self.machines[node].process.is_some()
    }

    /// Returns the id of a node that runs.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert_ne!(world.id(0), world.id(1));
    /// ```
    #[must_use]
    pub fn id(&self, node: usize) -> Option<NodeId> {
        Some(self.processes[self.machines[node].process?].id)
    }

    /// Returns the counters of a node that runs.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// println!("{}", world.stats(0).expect("node 0 runs"));
    /// ```
    #[must_use]
    pub fn stats(&self, node: usize) -> Option<Stats> {
        Some(self.processes[self.machines[node].process?].stats())
    }

    /// Returns the nodes that a node has in its routing table.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// println!("node 0 is linked to {:?}", world.peers(0));
    /// ```
    #[must_use]
    pub fn peers(&self, node: usize) -> Vec<usize> {
        let Some(pid) = self.machines[node].process else { return Vec::new() };
        let links = self.processes[pid].node.peers().map(|(_, link, _)| link);
        let peers = links.filter_map(|link| self.peer(pid, link));
        peers.map(|peer| self.processes[peer].machine).collect()
    }

    /// Returns the members that a node knows, see [`MeshSocket::members`](crate::MeshSocket::members).
    ///
    /// ```
    /// use rs2p::MeshSocket;
    /// use rs2p::presence::Presence;
    /// use rs2p::sim::World;
    /// use std::time::Duration;
    ///
    /// let settings = MeshSocket::builder().presence(Presence::new().role("printer"));
    /// let mut world = World::new(42).settings(&settings).nodes(5);
    /// world.run_for(Duration::from_secs(30));
    /// assert_eq!(world.members(0).iter().filter(|member| member.role == "printer").count(), 4);
    /// ```
    #[must_use]
    pub fn members(&self, node: usize) -> Vec<Member> {
        let Some(pid) = self.machines[node].process else { return Vec::new() };
        self.processes[pid].node.members()
    }

    /// Returns the nodes that have the broadcast with this number, counted from 0 in the order in which
    /// broadcasts and other messages were sent.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(3, "hello")?;
    /// world.run_for(Duration::from_secs(5));
    /// assert_eq!(world.holders(0).len(), 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn holders(&self, number: usize) -> BTreeSet<usize> {
        let Some(sending) = self.shared.ledger.sendings.get(number) else { return BTreeSet::new() };
        sending.accepted.keys().map(|&pid| self.processes[pid].machine).collect()
    }

    /// Returns how long the broadcast with this number, counted as for [`World::holders`], took to each node that has
    /// it, its sender excepted: the shortest time first. Of a message that was sent to one node, the times of those
    /// that passed it on are among them.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(3, "hello")?;
    /// world.run_for(Duration::from_secs(5));
    /// let times = world.arrivals(0);
    /// assert_eq!(times.len(), 4);
    /// println!("half of the nodes had it after {:?}", times[1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn arrivals(&self, number: usize) -> Vec<Duration> {
        let Some(sending) = self.shared.ledger.sendings.get(number) else { return Vec::new() };
        let others = sending.accepted.iter().filter(|(pid, _)| **pid != sending.origin);
        let mut times: Vec<Duration> = others.map(|(_, arrival)| arrival.at - sending.at).collect();
        times.sort_unstable();
        times
    }

    /// Returns whether a node's process is stopped: see [`World::freeze`].
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert!(!world.is_stopped(0));
    /// ```
    #[must_use]
    pub fn is_stopped(&self, node: usize) -> bool {
        self.machines[node].frozen_until > self.now()
    }

    /// Returns a random node that runs, by the seed. A node that is stopped is returned only if all
    /// are.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// let node = world.some_node();
    /// assert!(world.is_up(node));
    /// ```
    ///
    /// # Panics
    ///
    /// If none runs.
    pub fn some_node(&mut self) -> usize {
        let up = || (0..self.len()).filter(|&node| self.is_up(node));
        let running: Vec<usize> = up().filter(|&node| !self.is_stopped(node)).collect();
        let among = if running.is_empty() { up().collect() } else { running };
        among[self.shared.rng.below(among.len() as u64) as usize]
    }

    /// Returns a random number below `bound`, by the seed.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert!(world.draw(6) < 6);
    /// ```
    pub fn draw(&mut self, bound: u64) -> u64 {
        self.shared.rng.below(bound)
    }

    /// Returns whether no message is on its way, nor waits to be sent or to be taken by an
    /// application that takes messages by itself.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert!(world.run_until(Duration::from_secs(5), World::is_quiet));
    /// ```
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let alive = || self.processes.iter().filter(|process| process.is_alive);
        self.is_at_rest()
            && alive().all(|process| process.line.is_empty() && process.daemon.in_hand.is_none())
    }

    /// Returns whether no message is on its way, nor waits for a way. More than was sent may not
    /// come out: that is for [`World::check`].
    pub(super) fn is_at_rest(&self) -> bool {
        let ledger = &self.shared.ledger;
        ledger.copies.in_flight().unwrap_or(0) == 0 && ledger.routing == 0 && ledger.open.is_empty()
    }

    /// Returns when the faults that were planned so far are over.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.partition(&[0, 1], Duration::from_secs(30));
    /// assert_eq!(world.clear_at(), Duration::from_secs(40));
    /// ```
    #[must_use]
    pub fn clear_at(&self) -> Duration {
        self.clear_at
    }

    /// Returns how many events the simulator has dealt with.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert_eq!(world.events(), world.report().events);
    /// ```
    #[must_use]
    pub fn events(&self) -> u64 {
        self.shared.schedule.passed()
    }

    /// Returns a digest of everything that happened: two worlds with equal fingerprints took the
    /// same course.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// let mut again = World::new(42).nodes(5);
    /// again.run_for(Duration::from_secs(10));
    /// assert_eq!(again.fingerprint(), world.fingerprint());
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.shared.schedule.fingerprint()
    }
}
