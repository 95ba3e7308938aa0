//! Which nodes connect to which at the start.

use super::world::World;
use crate::node::rng::Rng;

/// Which nodes the programs of a world connect to.
///
/// ```
/// use rs2p::sim::{Topology, World};
/// use std::time::Duration;
///
/// let mut world = World::new(42).topology(Topology::Ring).nodes(8);
/// world.run_for(Duration::from_secs(10));
/// assert!((0..8).all(|node| world.peers(node).len() == 2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topology {
    /// Each node joins through one earlier node; the nodes find each other from there, as they do
    /// outside of a simulation.
    #[default]
    Mesh,
    /// Each node connects to this many earlier ones, and no links are made beyond that.
    Random {
        /// How many earlier nodes: the mean degree is about twice that.
        links: usize,
    },
    /// A chain, and no other links.
    Line,
    /// A chain whose ends are linked, and no other links.
    Ring,
    /// A binary tree, and no other links: each message has one path to each node.
    Tree,
    /// All nodes are linked to the first one, and no other links.
    Star,
    /// Every node connects to every other one at the same moment.
    Full,
    /// No node connects to any other one unless it is told to.
    Alone,
}

impl Topology {
    /// Returns whether the nodes are to find others by themselves.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Topology::Mesh | Topology::Alone)
    }

    /// Returns the nodes that a node connects to.
    pub(super) fn targets(self, node: usize, nodes: usize, rng: &mut Rng) -> Vec<usize> {
        match self {
            Topology::Mesh => random_earlier(node, 1, rng),
            Topology::Random { links } => random_earlier(node, links, rng),
            Topology::Line | Topology::Ring if node > 0 => vec![node - 1],
            Topology::Ring if nodes > 2 => vec![nodes - 1],
            Topology::Tree if node > 0 => vec![(node - 1) / 2],
            Topology::Star if node > 0 => vec![0],
            Topology::Full => (0..nodes).filter(|&other| other != node).collect(),
            _ => Vec::new(),
        }
    }
}

impl World {
    /// Gives this share of the nodes that are added later no lazy push: like py2p nodes, they are sent
    /// every message.
    ///
    /// ```
    /// use rs2p::sim::World;
    ///
    /// let world = World::new(42).plain_share(0.25).nodes(8);
    /// ```
    #[must_use]
    pub fn plain_share(mut self, share: f64) -> Self {
        self.plain_share = share;
        self
    }

    /// Returns whether a node knows no lazy push, see [`World::plain_share`].
    ///
    /// ```
    /// use rs2p::sim::World;
    ///
    /// assert!(World::new(42).plain_share(1.0).nodes(8).is_plain(7));
    /// ```
    #[must_use]
    pub fn is_plain(&self, node: usize) -> bool {
        self.machines[node].is_plain
    }

    pub(super) fn draws_plain(&mut self) -> bool {
        const PARTS: u32 = 1 << 20;
        // Worlds without plain nodes draw nothing.
        let below = self.plain_share * f64::from(PARTS);
        below > 0.0 && (self.shared.rng.below(PARTS.into()) as f64) < below
    }
}

/// Draws so many different numbers below `node`, or all (R. W. Floyd's algorithm): each set of them is as likely as
/// any other one.
fn random_earlier(node: usize, count: usize, rng: &mut Rng) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(count.min(node));
    for last in node.saturating_sub(count)..node {
        let one = rng.below(last as u64 + 1) as usize;
        drawn.push(if drawn.contains(&one) { last } else { one });
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topology_joins_all_nodes_to_the_first() {
        let mut rng = Rng::new(1);
        let random = Topology::Random { links: 3 };
        for topology in [Topology::Mesh, random, Topology::Line, Topology::Tree, Topology::Star] {
            for node in 1..20 {
                let targets = topology.targets(node, 20, &mut rng);
                assert!(!targets.is_empty() && targets.iter().all(|&to| to < node), "{topology:?}");
            }
        }
        let mut some = random.targets(9, 20, &mut rng);
        some.sort_unstable();
        some.dedup();
        assert_eq!((some.len(), random.targets(2, 20, &mut rng).len()), (3, 2));
        assert_eq!(Topology::Ring.targets(0, 20, &mut rng), [19]);
        assert_eq!(Topology::Full.targets(1, 3, &mut rng), [0, 2]);
    }
}
