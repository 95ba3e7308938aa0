//! The peers: which link speaks for each, in the order of their ids.

use std::collections::BTreeMap;

use super::event::LinkId;
use crate::id::NodeId;

/// One row for each peer. A row is added only after a verified handshake.
#[derive(Debug, Default)]
pub(crate) struct RoutingTable(BTreeMap<NodeId, LinkId>);

impl RoutingTable {
    pub fn get(&self, id: &NodeId) -> Option<LinkId> {
        self.0.get(id).copied()
    }

    pub fn insert(&mut self, id: NodeId, link: LinkId) {
        self.0.insert(id, link);
    }

    /// Removes the row of this peer, if it names this link.
    pub fn remove(&mut self, id: &NodeId, link: LinkId) -> bool {
        let is_its_row = self.get(id) == Some(link);
        if is_its_row {
            self.0.remove(id);
        }
        is_its_row
    }

    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, LinkId)> {
        self.0.iter().map(|(id, &link)| (id, link))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
