//! What can be done to a node and its machine, by a test or by the faults that are planned.

use std::collections::BTreeSet;
use std::time::Duration;

use super::faults::Incident;
use super::ledger::CopyLoss;
use super::schedule::{Happening, ProcessId};
use super::tcp::{Conn, Socket};
use super::world::World;

impl World {
    /// Ends a node's process without a word. Its system closes its connections.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.crash(2);
    /// assert!(!world.is_up(2));
    /// ```
    pub fn crash(&mut self, node: usize) {
        let Some(pid) = self.machines[node].process.take() else { return };
        self.bury(pid);
        for socket in self.sockets_of(pid) {
            self.sockets.close(&mut self.shared, socket, CopyLoss::Crashed);
        }
    }

    /// Switches a node's machine off: nothing answers there any more.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.power_off(2);
    /// world.run_for(Duration::from_secs(60));
    /// assert!(!world.peers(0).contains(&2));
    /// ```
    pub fn power_off(&mut self, node: usize) {
        self.machines[node].is_off = true;
        let Some(pid) = self.machines[node].process.take() else { return };
        self.bury(pid);
        for socket in self.sockets_of(pid) {
            self.sockets.silence(&mut self.shared, socket);
        }
    }

    /// Starts a node, with a new id, on a machine that has none. Its program connects to the nodes
    /// that it connected to before.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.crash(2);
    /// world.run_for(Duration::from_secs(5));
    /// world.restart(2);
    /// assert!(world.is_up(2));
    /// ```
    pub fn restart(&mut self, node: usize) {
        if std::mem::take(&mut self.machines[node].is_off) {
            self.sockets.wake_machine(&mut self.shared, node);
        }
        if self.machines[node].process.is_none() {
            self.start(node);
        }
    }

    /// Stops a node's process for this long, if it is not stopped for longer already; its system
    /// still acknowledges what arrives. What its program is told to do meanwhile it does
    /// afterwards.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.freeze(2, Duration::from_secs(3));
    /// assert!(world.is_stopped(2));
    /// ```
    pub fn freeze(&mut self, node: usize, pause: Duration) {
        self.trouble_until(pause);
        let until = self.machines[node].frozen_until.max(self.now() + pause);
        self.machines[node].frozen_until = until;
        if let Some(process) = self.machines[node].process {
            self.shared.schedule.at(until, Happening::Program { process });
        }
    }

    /// Sets how long a node's application takes for each message that it receives by itself. With
    /// `None`, as at first, it takes none by itself: that is up to [`World::recv`].
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.set_pace(2, Some(Duration::from_millis(100))); // ten messages per second
    /// world.send(0, "hello")?;
    /// world.run_for(Duration::from_secs(5));
    /// assert!(world.recv(2).is_none()); // its application took it by itself
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_pace(&mut self, node: usize, pace: Option<Duration>) {
        self.machines[node].pace = pace;
        if let Some(pid) = self.machines[node].process {
            self.plan_take(pid);
        }
    }

    /// Cuts these nodes off from all others for this long. Connections between them stall; nobody
    /// is told.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.partition(&[0, 1], Duration::from_secs(5));
    /// world.send(0, "hello")?;
    /// world.run_for(Duration::from_secs(60));
    /// assert!(world.recv(4).is_some()); // it came when the partition was over
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn partition(&mut self, nodes: &[usize], pause: Duration) {
        self.partitions += 1;
        let (partition, side) = (self.partitions, nodes.iter().copied().collect::<BTreeSet<_>>());
        self.sockets.part(partition, side.clone());
        let is_across = |conn: &Conn| {
            side.contains(&conn.ends[0].machine) != side.contains(&conn.ends[1].machine)
        };
        let across = self.sockets.conns().filter(|(_, conn)| is_across(conn));
        for socket in across.map(|(socket, _)| socket).collect::<Vec<Socket>>() {
            self.sockets.watch(&mut self.shared, socket);
            self.sockets.watch(&mut self.shared, socket.other());
        }
        self.trouble_until(pause);
        self.shared.schedule.after(pause, Happening::Fault(Incident::Heal { partition }));
    }

    pub(super) fn heal(&mut self, partition: u64) {
        self.sockets.heal(partition);
    }

    /// Counts what a process that ends takes with it.
    fn bury(&mut self, pid: ProcessId) {
        let lost: Vec<_> =
            self.processes[pid].undecided().map(|(from, tag)| (from.unwrap_or(pid), tag)).collect();
        for (from, tag) in lost {
            self.shared.ledger.lost(tag, from, pid, CopyLoss::Crashed);
        }
        let process = &mut self.processes[pid];
        process.is_alive = false;
        let routing = std::mem::take(&mut process.routing).len() as u64;
        self.shared.ledger.routing -= routing;
        self.shared.ledger.given_up += process.line.len() as u64 + routing;
        process.line.clear();
        process.daemon.inbox = crate::link::turns::Turns::default();
        let links: Vec<_> = process.links.keys().copied().collect();
        for id in links {
            let to = self.peer(pid, id).unwrap_or(pid);
            let Some(mut link) = self.processes[pid].links.remove(&id) else { continue };
            let (queued, _) = link.mailbox.outgoing.seal();
            let begun = link.writing.give_up();
            for tag in begun.chain(queued.into_iter().map(|(_, tag)| tag)) {
                self.shared.ledger.lost(tag, pid, to, CopyLoss::Crashed);
            }
        }
    }

    fn sockets_of(&self, pid: ProcessId) -> Vec<Socket> {
        let conns = self.sockets.conns().flat_map(|(socket, _)| [socket, socket.other()]);
        conns.filter(|&at| self.sockets.end(at).is_some_and(|end| end.process == pid)).collect()
    }
}
