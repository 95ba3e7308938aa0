//! What the simulator looks at after each event: nothing here looks at every link.

use super::Node;
use super::event::LinkId;
use crate::stats::Stats;

impl Node {
    /// Returns the number of peers, and of message ids that are remembered.
    pub fn sizes(&self) -> (usize, usize) {
        (self.table.len(), self.seen.len())
    }

    /// Returns the counters that this node keeps, without what [`Node::stats`] counts when it is asked.
    pub fn counters(&self) -> &Stats {
        &self.stats
    }

    /// Returns the youngest of the links.
    pub fn youngest_link(&self) -> Option<LinkId> {
        self.links.youngest()
    }
}
