//! Setting up a world.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ledger::Ledger;
use super::network::{Network, Shared, Sockets};
use super::process::Machine;
use super::report::CountedFrom;
use super::schedule::Schedule;
use super::topology::Topology;
use super::world::World;
use crate::builder::Builder;
use crate::config::Config;
use crate::mesh_socket::MeshSocket;
use crate::node::rng::Rng;
use crate::protocol::Protocol;
use crate::wire::ReadRoom;

/// To which peers a message is relayed.
///
/// ```
/// use rs2p::sim::{RelayRule, World};
///
/// let mut world = World::new(42).nodes(8);
/// world.set_relay_rule(RelayRule::Py2p);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayRule {
    /// All peers except the one it came from and its sender.
    #[default]
    Rs2p,
    /// All peers except its sender, as py2p does. For comparison: the node has only the other rule,
    /// so the world adds the copy that goes back.
    Py2p,
}

impl World {
    /// Returns an empty world. The seed decides everything that will happen in it.
    ///
    /// ```
    /// use rs2p::sim::World;
    ///
    /// let world = World::new(42);
    /// assert!(world.is_empty());
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let shared = Shared {
            schedule: Schedule::default(),
            rng: Rng::new(seed),
            ledger: Ledger::default(),
        };
        let config = Config::default();
        World {
            seed,
            shared,
            sockets: Sockets::new(config.keepalive),
            machines: Vec::new(),
            processes: Vec::new(),
            config,
            relay_rule: RelayRule::default(),
            keeps_accounts: true,
            joined: 0,
            left: BTreeMap::new(),
            partitions: 0,
            clear_at: Duration::ZERO,
            counted_from: CountedFrom::default(),
            took: Duration::ZERO,
            protocol: Protocol::default(),
            topology: Topology::default(),
            plain_share: 0.0,
            room: ReadRoom::default(),
        }
        .settings(&MeshSocket::builder())
    }

    /// Sets the settings of the nodes, which are added afterwards: what they would be bound with.
    /// Encryption is not modelled, and secrets neither.
    ///
    /// ```
    /// use rs2p::MeshSocket;
    /// use rs2p::sim::World;
    ///
    /// let settings = MeshSocket::builder().max_links(16).queue_messages(100);
    /// let world = World::new(42).settings(&settings).nodes(8);
    /// ```
    #[must_use]
    pub fn settings(mut self, settings: &Builder) -> Self {
        let (protocol, config) = settings.parts();
        self.protocol = protocol.clone();
        self.sockets.keepalive = config.keepalive;
        self.sockets.buffers = config.system_buffers();
        self.config = config.clone();
        self
    }

    /// Sets how the network behaves, from now on.
    ///
    /// ```
    /// use rs2p::sim::{Network, World};
    ///
    /// let world = World::new(42).network(Network::default()).nodes(8);
    /// ```
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.sockets.network = network;
        self
    }

    /// Sets which nodes the programs of nodes that are added later connect to.
    ///
    /// ```
    /// use rs2p::sim::{Topology, World};
    ///
    /// let world = World::new(42).topology(Topology::Line).nodes(8);
    /// ```
    #[must_use]
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// Sets to which peers the nodes relay messages, from now on.
    ///
    /// ```
    /// use rs2p::sim::{RelayRule, World};
    ///
    /// let mut world = World::new(42).nodes(8);
    /// world.set_relay_rule(RelayRule::Py2p);
    /// ```
    pub fn set_relay_rule(&mut self, rule: RelayRule) {
        self.relay_rule = rule;
    }

    /// Keeps no accounts, which [`World::check`] needs for the promise that every node gets its
    /// messages. A large world then needs less memory.
    ///
    /// ```
    /// use rs2p::sim::World;
    ///
    /// let world = World::new(42).without_accounts().nodes(100);
    /// ```
    #[must_use]
    pub fn without_accounts(mut self) -> Self {
        self.keeps_accounts = false;
        self
    }

    /// Adds machines and starts a node on each; the programs begin to connect within a second, or
    /// at once if they are to do so all together. Nodes have numbers, from 0 in the order in which
    /// they were added; every method that takes a number panics if there is no such node.
    ///
    /// ```
    /// use rs2p::sim::World;
    ///
    /// let world = World::new(42).nodes(8);
    /// assert_eq!(world.len(), 8);
    /// ```
    #[must_use]
    pub fn nodes(mut self, count: usize) -> Self {
        let first = self.machines.len();
        self.machines.reserve_exact(count);
        self.processes.reserve_exact(count);
        for node in first..first + count {
            let targets = self.topology.targets(node - first, count, &mut self.shared.rng);
            let targets = targets.into_iter().map(|target| first + target).collect();
            let is_fixed = !self.topology.is_open();
            let is_plain = self.draws_plain();
            self.machines.push(Machine { targets, is_fixed, is_plain, ..Machine::default() });
        }
        for node in first..first + count {
            self.start(node);
        }
        self
    }
}
