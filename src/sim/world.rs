//! The world: machines with nodes, the network between them, one clock, one seed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::network::{Shared, Sockets};
use super::process::{Machine, Process, address};
use super::report::CountedFrom;
use super::schedule::{Happening, ProcessId};
use super::setup::RelayRule;
use super::topology::Topology;
use crate::config::Config;
use crate::id::NodeId;
use crate::node::{Identity, Node, Now};
use crate::protocol::Protocol;
use crate::wire::{HostPort, ReadRoom};

/// A world of nodes on a modelled network, in virtual time. See the [module](super).
///
/// ```
/// # use rs2p::sim::World;
/// # use std::time::Duration;
/// # let mut world = World::new(42).nodes(5);
/// # world.run_for(Duration::from_secs(10));
/// world.send(0, "hello")?;
/// world.run_for(Duration::from_secs(5));
/// assert!(world.recv(4).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct World {
    pub(super) seed: u64,
    pub(super) shared: Shared,
    pub(super) sockets: Sockets,
    pub(super) machines: Vec<Machine>,
    pub(super) processes: Vec<Process>,
    pub(super) config: Config,
    pub(super) relay_rule: RelayRule,
    /// Whether the world notes which node must get which message. Without that, a large world needs
    /// less memory.
    pub(super) keeps_accounts: bool,
    pub(super) joined: u64,
    pub(super) left: BTreeMap<String, u64>,
    pub(super) partitions: u64,
    /// When the last fault so far is over.
    pub(super) clear_at: Duration,
    pub(super) counted_from: CountedFrom,
    /// Real time that it took.
    pub(super) took: Duration,
    pub(super) protocol: Protocol,
    pub(super) topology: Topology,
    pub(super) plain_share: f64,
    /// What the links read into: one of them reads at a time.
    pub(super) room: ReadRoom,
}

impl World {
    // Time.

    /// Returns how long the world has existed.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// assert_eq!(world.now(), Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn now(&self) -> Duration {
        self.shared.schedule.now()
    }

    /// Lets the next thing happen, unless that is later than `limit` or a promise is broken.
    fn step(&mut self, limit: Duration) -> bool {
        if self.shared.ledger.broken.is_some() {
            return false;
        }
        let Some(what) = self.shared.schedule.next(limit) else { return false };
        if self.shared.schedule.stands_still() {
            let what = format!("{what:?}, again and again at {:?}", self.now());
            self.shared.ledger.breaks("time goes on", what);
        } else {
            self.happen(what);
            self.close_accounts();
        }
        true
    }

    /// Lets this much time pass. Ends early if a promise is broken: [`World::check`] tells.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.run_for(Duration::from_secs(5));
    /// assert_eq!(world.now(), Duration::from_secs(15));
    /// ```
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    /// Lets time pass until this is true, asked after everything that happens, but no longer than
    /// `span`. Returns what it was last.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.crash(2);
    /// assert!(world.run_until(Duration::from_secs(60), |world| !world.peers(0).contains(&2)));
    /// ```
    pub fn run_until(&mut self, span: Duration, mut done: impl FnMut(&World) -> bool) -> bool {
        let limit = self.now() + span;
        let begun = Instant::now();
        let mut is_done = done(self);
        while !is_done && self.step(limit) {
            is_done = done(self);
        }
        self.took += begun.elapsed();
        is_done
    }

    /// Lets time pass until no message is on its way, but no longer than `span`; whether that is
    /// so. A way to one node that is being looked for counts; what waits for room, or for an
    /// application, does not: see [`World::is_quiet`].
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(0, "hello")?;
    /// assert!(world.settle(Duration::from_secs(5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn settle(&mut self, span: Duration) -> bool {
        self.run_until(span, World::is_at_rest)
    }

    fn happen(&mut self, what: Happening) {
        if let Some(until) = self.is_kept_from(&what) {
            return self.shared.schedule.at(until, what);
        }
        match what {
            Happening::Tick { process } if self.processes[process].is_alive => self.tick(process),
            Happening::Turn { process, link } => self.turn(process, link),
            Happening::WorkOnBatch { process } if self.processes[process].is_alive => {
                self.work_on_batch(process);
            }
            Happening::Take { process } if self.processes[process].is_alive => self.take(process),
            Happening::Program { process } if self.processes[process].is_alive => {
                self.program(process);
            }
            Happening::Send { process } => self.send_line(process),
            Happening::Knock { process, link, to, attempt } => {
                self.knock(process, link, to, attempt);
            }
            Happening::Answer { process, link, socket } => self.answer(process, link, socket),
            Happening::Accept { socket } => self.accept(socket),
            Happening::Arrive { socket } => {
                if self.sockets.arrive(&mut self.shared, socket) {
                    self.wake_end(socket.other(), true);
                }
            }
            Happening::Reset { socket } => self.sockets.reset(&mut self.shared, socket),
            Happening::Probe { socket, since } => {
                self.sockets.probe(&mut self.shared, socket, since);
            }
            Happening::Room { socket } => self.wake_end(socket, false),
            Happening::Audit { number } => self.audit(number),
            Happening::Fault(incident) => self.fault(&incident),
            Happening::Tick { .. }
            | Happening::WorkOnBatch { .. }
            | Happening::Take { .. }
            | Happening::Program { .. } => {}
        }
    }

    /// Returns until when something cannot happen: a stopped process does nothing, but its system does.
    fn is_kept_from(&self, what: &Happening) -> Option<Duration> {
        let process = match what {
            Happening::Tick { process }
            | Happening::Turn { process, .. }
            | Happening::WorkOnBatch { process }
            | Happening::Take { process }
            | Happening::Program { process }
            | Happening::Send { process }
            | Happening::Answer { process, .. } => *process,
            Happening::Accept { socket } => self.sockets.end(*socket)?.process,
            _ => return None,
        };
        let until = self.machines[self.processes[process].machine].frozen_until;
        (until > self.now()).then_some(until)
    }

    pub(super) fn start(&mut self, machine: usize) {
        let pid = self.processes.len();
        let id = NodeId::from_digest(&self.shared.rng.bytes());
        let addr = HostPort::from(address(machine));
        let me = Identity { id, protocol: self.protocol.clone(), addr };
        let mut config = self.config.clone();
        if self.machines[machine].is_fixed {
            config.max_outgoing = 0;
        }
        if self.machines[machine].is_plain {
            config.lazy_from = None;
        }
        let node = Node::new(me, config, self.shared.rng.next_u64());
        let mut process = Process::new(machine, id, node, self.now(), &self.config);
        process.to_reach = self.machines[machine].targets.iter().copied().collect();
        self.processes.push(process);
        self.machines[machine].process = Some(pid);
        // It is another process that was stopped.
        self.machines[machine].frozen_until = Duration::ZERO;
        let soon = Duration::from_secs(u64::from(self.topology != Topology::Full));
        let pause = self.between(Duration::ZERO, soon);
        self.shared.schedule.after(pause, Happening::Program { process: pid });
    }

    pub(super) fn clock(&self, pid: ProcessId) -> Now {
        let process = &self.processes[pid];
        process.clock(self.now(), self.machines[process.machine].skew)
    }

    /// Returns how long a thread takes to run when there is something to do.
    pub(super) fn lag(&mut self) -> Duration {
        Duration::from_micros(self.shared.rng.below(100))
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut world = f.debug_struct("World");
        world.field("seed", &self.seed).field("now", &self.now()).field("nodes", &self.len());
        world.finish_non_exhaustive()
    }
}
