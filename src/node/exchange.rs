//! Exchanges links, so that a large mesh becomes a random graph. Nodes that dial what their peers tell them
//! make a chain of clusters, and the way through it grows like a power of the number of nodes. Through a
//! random graph it grows like the logarithm.
//!
//! A node ranks all nodes by a keyed hash of their ids, with a key of its own, and prefers to dial those of
//! the lowest rank. Whichever nodes it hears of, how often, and in which order: those that it comes to dial
//! are a random sample of them. So a node that makes itself heard more often is not dialled more often.
//!
//! ```text
//!   a sample names a node of a much lower rank
//!           │
//!           ▼
//!   dial it ── fails ──► as before
//!           │
//!           │ acknowledged: one link more than wanted
//!           ▼
//!   ask the dialled peer of the highest rank to part ── it does not ──► it stays
//!           │
//!           │ the peer agrees: it puts nothing more on the link
//!           ▼
//!   both ends write what is queued, then read to the end
//! ```
//!
//! A link that the user asked for is never given up, nor one to a node that does not know the word, nor the last
//! link of a node.

use std::time::Duration;

use super::address_book::{Place, Trust};
use super::event::LinkId;
use super::keyed_hash::KeyedHash;
use super::peer::Peer;
use super::rng::Rng;
use super::waiting::Waiter;
use super::{Node, Now};
use crate::id::NodeId;
use crate::wire::Exchange;

/// The longest time that a node waits after an exchange before it begins another one.
const EXCHANGE_EVERY: Duration = Duration::from_secs(2);
/// With fewer other nodes than this no link is exchanged.
const SMALL_MESH: usize = 16;
/// A node's rank has to be so many times lower before it is worth an exchange: so a link is exchanged a few times,
/// and then hardly ever.
const GAIN: u64 = 2;
/// A node has enough links with so many times as many as it dials. The average node has twice as many.
const ENOUGH: usize = 3;

#[derive(Debug)]
pub(super) struct Exchanges {
    ranks: KeyedHash,
    next: Duration,
    pub next_room: Duration,
}

impl Exchanges {
    pub fn new(seed: u64) -> Self {
        let ranks = KeyedHash::new(&mut Rng::new(seed));
        Exchanges { ranks, next: Duration::ZERO, next_room: Duration::ZERO }
    }

    /// Returns the rank of a node: the lower, the rather it is dialled.
    pub fn rank(&self, id: &NodeId) -> u64 {
        self.ranks.of_node(id)
    }
}

impl Node {
    /// Handles a word about exchanges.
    pub(super) fn told_exchange(&mut self, now: Now, link: LinkId, from: NodeId, word: &Exchange) {
        match word {
            Exchange::Sample { hops, entries } => self.sample_came(now, link, from, *hops, entries),
            Exchange::Part => self.told_to_part(now, link, from),
        }
    }

    /// Returns whether no peer need be added, unless somebody needs this node.
    pub(super) fn has_enough_links(&self) -> bool {
        self.table.len() >= self.enough_links()
    }

    fn enough_links(&self) -> usize {
        let most = (self.config.max_links.saturating_mul(3) / 4).max(1);
        match self.config.max_outgoing {
            0 => most,
            wanted => most.min(wanted.saturating_mul(ENOUGH)),
        }
    }

    /// Returns whether a link that is being made could be done without, which the peer is told: no user asked
    /// for it, and there are others.
    pub(super) fn is_extra_dial(&self, peer: &Peer) -> bool {
        let is_hint = |waiter: &Waiter| matches!(waiter, Waiter::Mesh);
        let trust = peer.dial.addr.as_ref().and_then(|addr| self.book.trust(addr));
        peer.is_outgoing()
            && peer.waiters.iter().all(is_hint)
            && trust.is_some_and(|trust| trust < Trust::Wanted)
            && !self.table.is_empty()
    }

    /// Dials a node that ranks much lower than one of those that were dialled, if one is known.
    pub(super) fn dial_better(&mut self, now: Now) {
        let is_dialling = |peer: &Peer| peer.is_outgoing() && peer.is_handshaking();
        if self.is_closed
            || now.mono < self.exchanges.next
            || self.dialled(|_| true) > self.config.max_outgoing
            || self.has_enough_links()
            || self.links.any(is_dialling)
            || self.has_room().is_err()
            || self.is_small_mesh(now)
        {
            return;
        }
        let Some((worst, _)) = self.worst_extra(now, Peer::is_outgoing) else { return };
        let hints = self.book.hints(now.mono, |id| self.exchanges.rank(id));
        let ranked = hints.filter_map(|(rank, place)| Some((rank?, place)));
        let mut better: Vec<(u64, Place)> =
            ranked.filter(|(rank, _)| *rank < worst / GAIN).collect();
        better.sort_unstable();
        let addrs = better.into_iter().map(|(_, place)| place.into_addr());
        if let Some(addr) = addrs.into_iter().find(|addr| !self.is_linked_contact(addr)) {
            self.exchanges.next = now.mono.saturating_add(self.rng.jitter(EXCHANGE_EVERY));
            self.dial_contact(now, &addr);
        }
    }

    /// Returns whether so few other nodes are known that every way is short: then links stay as they are.
    pub(super) fn is_small_mesh(&self, now: Now) -> bool {
        !self.book.has_hints(now.mono, SMALL_MESH.saturating_sub(self.table.len()))
    }

    /// Returns how many links are up that this node dialled, of those like that.
    pub(super) fn dialled(&self, like: impl Fn(&Peer) -> bool) -> usize {
        self.links.count(|peer| peer.is_outgoing() && peer.is_acknowledged() && like(peer))
    }
}
