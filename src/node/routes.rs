//! Return paths: the peer that each message first came from, so that an answer can take the same
//! path in the other direction.
//!
//! A path leads from a node to one that had the message before it, so it is never a circle.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::event::LinkId;
use super::keyed_hash::{Fingerprint, FingerprintMap, KeyedHash};
use crate::id::{MessageId, NodeId};

/// How long a path is kept: as long as the ids in the seen cache.
pub(super) const KEEP: Duration = Duration::from_secs(61);
/// Most messages whose path is remembered, in 4 MiB; the oldest is forgotten.
pub(super) const MAX_WAYS: usize = 65_536;
/// Most nodes whose latest message is remembered, in 800 KiB.
const MAX_ORIGINS: usize = 4096;
/// Most links whose peers are remembered: the latest that messages came over.
const MAX_LINKS: usize = 1024;
/// The shortest time after which a later message of a node replaces its latest one.
const RENEW: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Routes {
    ways: FingerprintMap<LinkId>,
    order: VecDeque<(Duration, Fingerprint)>,
    fingerprints: KeyedHash,
    /// The peer at the other end of a link. It may have another link by now.
    peers: BTreeMap<LinkId, NodeId>,
    latest: BTreeMap<NodeId, (MessageId, Duration)>,
}

impl Routes {
    pub fn new(fingerprints: KeyedHash) -> Self {
        Routes {
            ways: FingerprintMap::default(),
            order: VecDeque::new(),
            fingerprints,
            peers: BTreeMap::new(),
            latest: BTreeMap::new(),
        }
    }

    /// Notes which peer a message came from, and which node sent it.
    pub fn learn(
        &mut self,
        now: Duration,
        id: &MessageId,
        origin: NodeId,
        (link, peer): (LinkId, NodeId),
    ) {
        // Whoever answers a peer needs no way but the link to that peer.
        if origin == peer || self.learn_way(now, id, link, peer) {
            self.note_latest(now, id, origin);
        }
    }

    /// Returns whether the message is new.
    fn learn_way(&mut self, now: Duration, id: &MessageId, link: LinkId, peer: NodeId) -> bool {
        let fingerprint = self.fingerprints.of_message(id);
        let Entry::Vacant(way) = self.ways.entry(fingerprint) else { return false };
        way.insert(link);
        self.order.push_back((now, fingerprint));
        self.forget(now, MAX_WAYS);
        if self.peers.insert(link, peer).is_none() && self.peers.len() > MAX_LINKS {
            self.peers.pop_first();
        }
        true
    }

    /// Returns the peer that this message first came from.
    pub fn way_back(&self, id: &MessageId) -> Option<NodeId> {
        self.peers.get(self.ways.get(&self.fingerprints.of_message(id))?).copied()
    }

    /// Returns a recent message of this node.
    pub fn latest_of(&self, origin: &NodeId) -> Option<MessageId> {
        self.latest.get(origin).map(|(id, _)| *id)
    }

    /// Forgets what is too old.
    pub fn sweep(&mut self, now: Duration) {
        self.forget(now, MAX_WAYS);
        self.latest.retain(|_, (_, at)| at.saturating_add(KEEP) > now);
    }

    pub fn len(&self) -> usize {
        self.ways.len()
    }

    fn forget(&mut self, now: Duration, most: usize) {
        while let Some(&(at, fingerprint)) = self.order.front() {
            if at.saturating_add(KEEP) > now && self.order.len() <= most {
                return;
            }
            self.order.pop_front();
            self.ways.remove(&fingerprint);
        }
    }

    fn note_latest(&mut self, now: Duration, id: &MessageId, origin: NodeId) {
        if let Some((latest, at)) = self.latest.get_mut(&origin) {
            if at.saturating_add(RENEW) <= now {
                (*latest, *at) = (*id, now);
            }
            return;
        }
        if self.latest.len() >= MAX_ORIGINS {
            self.latest.retain(|_, (_, at)| at.saturating_add(KEEP) > now);
        }
        // A flood of invented senders must not displace known ones.
        if self.latest.len() < MAX_ORIGINS {
            self.latest.insert(origin, (*id, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::rng::Rng;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn id(n: u64) -> MessageId {
        let mut digest = [0; 48];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        MessageId::from_digest(digest)
    }

    fn node(n: u8) -> NodeId {
        NodeId::from_digest(&[n; 48])
    }

    #[test]
    fn a_message_leads_back_to_the_peer_that_it_first_came_from() {
        let mut routes = Routes::new(KeyedHash::new(&mut Rng::new(1)));
        routes.learn(S(0), &id(1), node(9), (LinkId(1), node(1)));
        routes.learn(S(1), &id(1), node(9), (LinkId(2), node(2)));
        assert_eq!(routes.way_back(&id(1)), Some(node(1)));
        assert_eq!(routes.way_back(&id(2)), None);
        assert_eq!(routes.latest_of(&node(9)), Some(id(1)));
    }

    #[test]
    fn a_message_of_a_peer_itself_needs_no_way() {
        let mut routes = Routes::new(KeyedHash::new(&mut Rng::new(1)));
        routes.learn(S(0), &id(1), node(1), (LinkId(1), node(1)));
        assert_eq!((routes.len(), routes.latest_of(&node(1))), (0, Some(id(1))));
    }

    #[test]
    fn ways_are_forgotten_by_age_and_by_number() {
        let mut routes = Routes::new(KeyedHash::new(&mut Rng::new(1)));
        let link = (LinkId(1), node(1));
        routes.learn(S(0), &id(0), node(9), link);
        for n in 1..=MAX_WAYS as u64 {
            routes.learn(S(1), &id(n), node(9), link);
        }
        assert_eq!((routes.way_back(&id(0)), routes.len()), (None, MAX_WAYS));
        routes.sweep(S(1) + KEEP);
        assert_eq!((routes.len(), routes.latest_of(&node(9))), (0, None));
    }

    #[test]
    fn invented_senders_push_nobody_out() {
        let mut routes = Routes::new(KeyedHash::new(&mut Rng::new(1)));
        let link = (LinkId(1), node(1));
        routes.learn(S(0), &id(0), node(9), link);
        for n in 1..2 * MAX_ORIGINS as u64 {
            let mut digest = [1; 48];
            digest[..8].copy_from_slice(&n.to_be_bytes());
            routes.learn(S(1), &id(n), NodeId::from_digest(&digest), link);
        }
        assert_eq!(routes.latest.len(), MAX_ORIGINS);
        assert_eq!(routes.latest_of(&node(9)), Some(id(0)));
    }
}
