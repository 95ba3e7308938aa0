//! How the programs of the nodes connect: repeatedly, until they have succeeded.

use std::time::Duration;

use super::process::address;
use super::schedule::{Happening, ProcessId};
use super::world::World;
use crate::node::{ConnectId, Connecting};

/// A program whose `connect` failed tries again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(1);

impl World {
    /// Makes a node's program connect to another node, repeatedly until it succeeds; also after a
    /// restart.
    ///
    /// ```
    /// use rs2p::sim::{Topology, World};
    /// use std::time::Duration;
    ///
    /// let mut world = World::new(42).topology(Topology::Alone).nodes(2);
    /// world.connect(0, 1);
    /// world.run_for(Duration::from_secs(5));
    /// assert!(world.is_connected());
    /// ```
    pub fn connect(&mut self, node: usize, to: usize) {
        self.machines[node].targets.push(to);
        if let Some(pid) = self.machines[node].process {
            self.processes[pid].to_reach.insert(to);
            self.shared.schedule.after(Duration::ZERO, Happening::Program { process: pid });
        }
    }

    /// Connects the program to the nodes that it has not reached yet.
    pub(super) fn program(&mut self, pid: ProcessId) {
        self.processes[pid].tries_again = false;
        self.send_line(pid);
        let process = &self.processes[pid];
        let under_way: Vec<usize> = process.connects.values().copied().collect();
        let targets = process.to_reach.iter().copied().filter(|to| !under_way.contains(to));
        let mut targets: Vec<usize> = targets.collect();
        // Where there is not room for all of them, none is to wait forever.
        self.shared.rng.shuffle(&mut targets);
        for to in targets {
            let connecting = self.act(pid, |node, now| node.connect(now, vec![address(to).into()]));
            match connecting {
                Ok(Connecting::Linked(_)) => drop(self.processes[pid].to_reach.remove(&to)),
                Ok(Connecting::Dialling(connect)) => {
                    self.processes[pid].connects.insert(connect, to);
                }
                Err(_) => {
                    self.try_again(pid);
                }
            }
        }
    }

    /// Notes the outcome of a `connect` of the program.
    pub(super) fn connected(&mut self, pid: ProcessId, connect: ConnectId, is_ok: bool) {
        let Some(to) = self.processes[pid].connects.remove(&connect) else { return };
        if is_ok {
            self.processes[pid].to_reach.remove(&to);
        } else {
            self.try_again(pid);
        }
    }

    /// Plans one retry, however many of the program's attempts have failed.
    fn try_again(&mut self, pid: ProcessId) {
        self.wake_program(pid, TRY_AGAIN);
    }

    /// Runs the program after this time, which is a second at most, or when it was to be run anyway.
    pub(super) fn wake_program(&mut self, pid: ProcessId, after: Duration) {
        if !std::mem::replace(&mut self.processes[pid].tries_again, true) {
            self.shared.schedule.after(after, Happening::Program { process: pid });
        }
    }
}
