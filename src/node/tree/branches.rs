//! The peers as branches of the tree: eager or lazy, and what is still to be announced to each.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LATE, SETTLES};
use crate::id::NodeId;
use crate::tally::Tally;
use crate::wire::Named;

/// The number of a branch, which is shorter than the id of the peer. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BranchId(u32);

impl BranchId {
    /// Of a peer that has left.
    pub const GONE: BranchId = BranchId(0);
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub number: BranchId,
    /// Whether messages are announced to this peer instead of sent.
    pub is_lazy: bool,
    /// When it became eager or lazy.
    since: Option<Duration>,
    /// Messages in a row that came over it after they had come over another one.
    late: u32,
    names: Vec<Named>,
    names_since: Duration,
}

impl Branch {
    /// Makes it lazy or eager. Returns true.
    pub fn set_lazy(&mut self, now: Duration, is_lazy: bool) -> bool {
        self.is_lazy = is_lazy;
        self.since = Some(now);
        true
    }

    /// Returns whether what was sent before the last change has arrived.
    pub fn is_settled(&self, now: Duration) -> bool {
        self.since.is_none_or(|since| since.saturating_add(SETTLES) <= now)
    }

    /// Notes that a message came over it first.
    pub fn is_useful(&mut self) {
        self.late = 0;
    }

    /// Notes that a message came over it late. Returns whether it has been useless for long enough.
    pub fn is_late(&mut self) -> bool {
        self.late.tally(1);
        self.late >= LATE
    }

    pub fn announce(&mut self, now: Duration, name: Named) {
        if self.names.is_empty() {
            self.names_since = now;
        }
        self.names.push(name);
    }

    /// Returns how many names wait, and since when.
    pub fn waiting(&self) -> Option<(usize, Duration)> {
        (!self.names.is_empty()).then_some((self.names.len(), self.names_since))
    }

    pub fn take_names(&mut self) -> Vec<Named> {
        std::mem::take(&mut self.names)
    }
}

/// The branch of each peer that anything was noted about. Other peers are eager.
#[derive(Debug, Default)]
pub(crate) struct Branches {
    of: BTreeMap<NodeId, Branch>,
    peers: BTreeMap<BranchId, NodeId>,
    next: u32,
}

impl Branches {
    pub fn get(&self, peer: &NodeId) -> Option<&Branch> {
        self.of.get(peer)
    }

    pub fn get_mut(&mut self, peer: &NodeId) -> Option<&mut Branch> {
        self.of.get_mut(peer)
    }

    /// Returns the branch of a peer, which is eager at first.
    pub fn entry(&mut self, peer: NodeId) -> (&mut Branch, BranchId) {
        let Branches { of, peers, next } = self;
        let branch = of.entry(peer).or_insert_with(|| {
            next.tally(1);
            let number = BranchId(*next);
            peers.insert(number, peer);
            let (names, names_since) = (Vec::new(), Duration::ZERO);
            Branch { number, is_lazy: false, since: None, late: 0, names, names_since }
        });
        let number = branch.number;
        (branch, number)
    }

    pub fn remove(&mut self, peer: &NodeId) -> Option<Branch> {
        let branch = self.of.remove(peer)?;
        self.peers.remove(&branch.number);
        Some(branch)
    }

    /// Returns whether this is the branch of a peer that has not left.
    pub fn is_linked(&self, number: BranchId) -> bool {
        self.peers.contains_key(&number)
    }

    pub fn peer(&self, number: BranchId) -> Option<NodeId> {
        self.peers.get(&number).copied()
    }

    /// Returns whether this is the branch of a linked peer, and eager.
    pub fn is_eager(&self, number: BranchId) -> bool {
        let branch = self.peers.get(&number).and_then(|peer| self.of.get(peer));
        branch.is_some_and(|branch| !branch.is_lazy)
    }

    pub fn is_lazy(&self, peer: &NodeId) -> bool {
        self.of.get(peer).is_some_and(|branch| branch.is_lazy)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &Branch)> {
        self.of.iter()
    }
}
