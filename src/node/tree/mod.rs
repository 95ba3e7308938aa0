//! Lazy push: the tree over which large messages are sent, and the announcements beside it (Plumtree:
//! Leitão, Pereira, Rodrigues, "Epidemic Broadcast Trees", SRDS 2007).
//!
//! ```text
//!              messages came twice: prune
//!    eager ─────────────────────────────────► lazy
//!   (messages) ◄───────────────────────────── (their ids)
//!              a message is missing: want, which is a graft
//! ```
//!
//! Every link begins eager, so the first messages flood. A link that brings duplicates only becomes lazy at
//! both ends. What is left is a tree, and each node gets each message once. A node announces messages on
//! its lazy links. A peer that has an announcement and not the message asks for it after a time, which
//! makes the link eager again. So the tree mends itself where it is broken.
//!
//! What a node does with the words is in `spreading.rs`; here is what it remembers.

mod absent;
mod bodies;
mod branches;
mod lag;
mod missing;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(super) use bodies::Bodies;
pub(super) use branches::{BranchId, Branches};
pub(super) use lag::Lag;
pub(super) use missing::Missing;

use super::Parcel;
use super::keyed_hash::{Fingerprint, KeyedHash};
use crate::id::{MessageId, NodeId};
use crate::wire::Named;

/// Announcements are collected for this time, ...
pub(super) const COLLECT: Duration = Duration::from_millis(5);
/// ... and up to this number.
pub(super) const MOST_NAMES: usize = 64;

/// A link over which so many messages in a row came late is pruned. With 1 the first message decides on the
/// whole tree, which then has the shortest paths from one node; with 8 the paths between all nodes are
/// shorter: the last of 1,000 nodes has a message after 170 ms instead of 195.
pub(super) const LATE: u32 = 8;

/// Messages that were sent before a link became lazy still arrive for this time.
const SETTLES: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Tree {
    pub branches: Branches,
    pub bodies: Bodies,
    pub missing: Missing,
    fingerprints: KeyedHash,
    /// When the timer that sends announcements is due, if it is set; and the one that asks.
    pub announces_at: Option<Duration>,
    pub asks_at: Option<Duration>,
}

impl Tree {
    /// Creates a tree that keeps this many bytes of messages.
    pub fn new(max_bytes: usize, fingerprints: KeyedHash) -> Self {
        Tree {
            branches: Branches::default(),
            bodies: Bodies::new(max_bytes),
            missing: Missing::default(),
            fingerprints,
            announces_at: None,
            asks_at: None,
        }
    }

    pub fn fingerprint(&self, id: &MessageId) -> Fingerprint {
        self.fingerprints.of_message(id)
    }

    /// Notes the first copy of a large message. Peers that announced it need no copy.
    pub fn arrived(&mut self, now: Duration, from: &NodeId, id: &MessageId, len: usize) {
        let print = self.fingerprint(id);
        let (branch, number) = self.branches.entry(*from);
        branch.is_useful();
        let was_asked = self.missing.is_asked(print, number);
        // The peer sends, though both ends should know that it need not: it has missed a word.
        if branch.is_lazy && !was_asked && branch.is_settled(now) {
            branch.set_lazy(now, false);
        }
        let announcers = self.missing.found(now, print, Some(number));
        self.bodies.add(now, print, len, Some(number), announcers);
    }

    /// Notes the first copy of a message that a peer has sent before it left.
    pub fn arrived_late(&mut self, now: Duration, id: &MessageId, len: usize) {
        let print = self.fingerprint(id);
        let announcers = self.missing.found(now, print, None);
        self.bodies.add(now, print, len, Some(BranchId::GONE), announcers);
    }

    /// Notes a message of this node.
    pub fn published(&mut self, now: Duration, id: &MessageId, len: usize) {
        let print = self.fingerprint(id);
        self.bodies.add(now, print, len, None, Vec::new());
    }

    /// Notes a further copy of a large message. Returns whether the link that it came over is to be
    /// pruned: if the first copy came over another link that is eager, so that no node prunes all.
    pub fn duplicate(&mut self, now: Duration, from: &NodeId, id: &MessageId) -> bool {
        let print = self.fingerprint(id);
        let Some(first) = self.bodies.first_of(print) else { return false };
        let (_, number) = self.branches.entry(*from);
        self.bodies.is_known_to(print, number, |number| self.branches.is_linked(number));
        let is_kept = first.is_some_and(|first| first == number || !self.branches.is_eager(first));
        let (branch, _) = self.branches.entry(*from);
        if branch.is_lazy {
            // The peer has not heard that it is pruned.
            return branch.is_settled(now) && branch.set_lazy(now, true);
        }
        branch.is_late() && !is_kept && branch.set_lazy(now, true)
    }

    /// Announces a message to a peer, if the link to it is lazy. Returns false if it has to be sent.
    pub fn announces(&mut self, now: Duration, to: &NodeId, name: Named) -> bool {
        let print = self.fingerprint(&name.id);
        let Some(branch) = self.branches.get_mut(to).filter(|branch| branch.is_lazy) else {
            return false;
        };
        self.bodies.tell(print, branch.number) && {
            branch.announce(now, name);
            true
        }
    }

    /// Returns whether a peer has announced this message, so that it need not be sent there.
    pub fn has(&self, peer: &NodeId, id: &MessageId) -> bool {
        let Some(branch) = self.branches.get(peer) else { return false };
        self.bodies.knows(self.fingerprint(id), branch.number)
    }

    /// Takes the announcements to a peer, without messages that it has announced meanwhile.
    pub fn take_names(&mut self, peer: &NodeId) -> Vec<Named> {
        let Some(branch) = self.branches.get_mut(peer) else { return Vec::new() };
        let (mut names, number) = (branch.take_names(), branch.number);
        names.retain(|name| self.bodies.awaits(self.fingerprint(&name.id), number));
        names
    }

    /// Forgets a peer. What it may have been about to send is asked for at once.
    pub fn left(&mut self, now: Duration, peer: &NodeId) {
        let branch = self.branches.remove(peer);
        if let Some(branch) = &branch {
            self.missing.left(now, branch.number);
        }
        if branch.is_none_or(|branch| !branch.is_lazy) {
            self.missing.hurry(now);
        }
    }

    /// Notes that a peer has announced a message that has not come. `wait` says whether it may come by
    /// itself. Returns false if there is no room to remember it.
    pub fn announced(&mut self, now: Duration, by: &NodeId, name: Named, wait: bool) -> bool {
        let (print, (_, number)) = (self.fingerprint(&name.id), self.branches.entry(*by));
        let is_linked = |number| self.branches.is_linked(number);
        self.missing.announced(now, print, name, number, wait, is_linked)
    }

    /// Notes that a peer has a message that came.
    pub fn is_known_to(&mut self, peer: &NodeId, id: &MessageId) {
        let (print, (_, number)) = (self.fingerprint(id), self.branches.entry(*peer));
        self.bodies.is_known_to(print, number, |number| self.branches.is_linked(number));
    }

    /// Takes a message for a peer that asks for it and was told of it. It gets it once.
    pub fn give(&mut self, peer: &NodeId, id: &MessageId) -> Option<Parcel> {
        let (print, (_, number)) = (self.fingerprint(id), self.branches.entry(*peer));
        self.bodies.give(print, number)
    }

    /// Notes that a message had no room on the way to a peer, which may ask again.
    pub fn was_not_given(&mut self, peer: &NodeId, id: &MessageId) {
        let (print, (_, number)) = (self.fingerprint(id), self.branches.entry(*peer));
        self.bodies.was_not_given(print, number);
    }

    /// Returns whom to ask now for which messages.
    pub fn ask(&mut self, now: Duration) -> Vec<(NodeId, Named)> {
        let branches = &self.branches;
        let asked = self.missing.ask(now, |number| branches.is_linked(number));
        asked.into_iter().filter_map(|(by, name)| Some((branches.peer(by)?, name))).collect()
    }

    pub fn sweep(&mut self, now: Duration) {
        self.bodies.expire(now);
        self.missing.expire(now);
    }

    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty() && self.missing.is_empty()
    }
}
