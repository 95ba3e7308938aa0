//! Messages that were announced, kept for as long as a peer can ask for them.

use std::collections::VecDeque;
use std::time::Duration;

use smallvec::SmallVec;

use super::super::keyed_hash::{Fingerprint, FingerprintMap};
use super::BranchId;
use crate::node::Parcel;
use crate::tally::Tally;

/// Nobody accepts a broadcast that is older.
pub(crate) const KEEP: Duration = Duration::from_secs(60);
/// A message is kept at least this long. If there is no room, messages are sent on every link instead of
/// announced.
const YOUNG: Duration = Duration::from_secs(1);
/// Most messages that are remembered here, about 10 MiB with what is noted of each.
pub(crate) const MAX_BODIES: usize = 65_536;

/// Most peers that have a message among which those that left are not looked for.
const MANY_KNOWN: usize = 8;

#[derive(Debug)]
struct Body {
    /// `None` until somebody is told.
    parcel: Option<Parcel>,
    len: usize,
    /// The branch that the first copy came from; `None` if the message is of this node.
    first: Option<BranchId>,
    /// Who was told and may ask.
    told: SmallVec<[BranchId; 8]>,
    /// Who announced it or sent it: needs nothing.
    known: SmallVec<[BranchId; 4]>,
}

#[derive(Debug)]
pub(crate) struct Bodies {
    // Never iterated over, so its order is no behaviour.
    of: FingerprintMap<Body>,
    order: VecDeque<(Duration, Fingerprint)>,
    /// Bytes of messages that are kept.
    bytes: usize,
    max_bytes: usize,
}

impl Bodies {
    pub fn new(max_bytes: usize) -> Self {
        Bodies { of: FingerprintMap::default(), order: VecDeque::new(), bytes: 0, max_bytes }
    }

    /// Notes a message whose frame has `len` bytes. If there is no room, it is not noted: then it is
    /// neither announced, nor does a duplicate of it prune a link.
    pub fn add(
        &mut self,
        now: Duration,
        print: Fingerprint,
        len: usize,
        first: Option<BranchId>,
        known: Vec<BranchId>,
    ) {
        if self.make_room(now, len) {
            let (known, told) = (known.into(), SmallVec::new());
            self.of.insert(print, Body { parcel: None, len, first, told, known });
            self.order.push_back((now, print));
        }
    }

    /// Returns whether a message of this length can be kept, after forgetting old ones.
    fn make_room(&mut self, now: Duration, len: usize) -> bool {
        self.expire(now);
        while self.of.len() >= MAX_BODIES || self.bytes.saturating_add(len) > self.max_bytes {
            match self.order.front() {
                Some((since, _)) if since.saturating_add(YOUNG) <= now => self.forget_oldest(),
                _ => return false,
            }
        }
        true
    }

    /// Forgets messages that nobody would accept any more.
    pub fn expire(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(since, _)| since.saturating_add(KEEP) <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, print)) = self.order.pop_front() else { return };
        if let Some(body) = self.of.remove(&print)
            && body.parcel.is_some()
        {
            self.bytes = self.bytes.saturating_sub(body.len);
        }
    }

    /// Returns where the first copy came from, if the message is remembered.
    pub fn first_of(&self, print: Fingerprint) -> Option<Option<BranchId>> {
        self.of.get(&print).map(|body| body.first)
    }

    /// Notes that a peer is told of a message. Returns false if the message is not remembered.
    pub fn tell(&mut self, print: Fingerprint, to: BranchId) -> bool {
        let Some(body) = self.of.get_mut(&print) else { return false };
        if !body.told.contains(&to) {
            body.told.push(to);
        }
        true
    }

    /// Keeps the message itself, now that somebody was told of it.
    pub fn keep(&mut self, print: Fingerprint, parcel: Parcel) {
        if let Some(body) = self.of.get_mut(&print)
            && body.parcel.is_none()
        {
            body.parcel = Some(parcel);
            self.bytes.tally(body.len);
        }
    }

    /// Notes that a peer has the message. A peer that links again and again is another one each time: those
    /// that left are forgotten, so that no more are noted than are linked.
    pub fn is_known_to(
        &mut self,
        print: Fingerprint,
        peer: BranchId,
        is_linked: impl Fn(BranchId) -> bool,
    ) {
        let Some(body) = self.of.get_mut(&print) else { return };
        if body.known.contains(&peer) {
            return;
        }
        if body.known.len() >= MANY_KNOWN {
            body.known.retain(|known| is_linked(*known));
        }
        body.known.push(peer);
    }

    pub fn knows(&self, print: Fingerprint, peer: BranchId) -> bool {
        self.of.get(&print).is_some_and(|body| body.known.contains(&peer))
    }

    /// Returns whether a peer was told of the message and has not shown that it has it.
    pub fn awaits(&self, print: Fingerprint, peer: BranchId) -> bool {
        let awaits = |body: &Body| body.told.contains(&peer) && !body.known.contains(&peer);
        self.of.get(&print).is_some_and(awaits)
    }

    /// Takes a message for a peer that was told of it. It gets it once.
    pub fn give(&mut self, print: Fingerprint, peer: BranchId) -> Option<Parcel> {
        let body = self.of.get_mut(&print)?;
        let at = body.told.iter().position(|told| *told == peer)?;
        let parcel = body.parcel.clone()?;
        body.told.swap_remove(at);
        body.known.push(peer);
        Some(parcel)
    }

    /// Returns whether this peer would be given the message.
    #[cfg(feature = "sim")]
    pub fn may_give(&self, print: Fingerprint, peer: BranchId) -> bool {
        let may = |body: &Body| body.parcel.is_some() && body.told.contains(&peer);
        self.of.get(&print).is_some_and(may)
    }

    /// Takes back [`Bodies::give`].
    pub fn was_not_given(&mut self, print: Fingerprint, peer: BranchId) {
        let Some(body) = self.of.get_mut(&print) else { return };
        body.known.retain(|known| *known != peer);
        if !body.told.contains(&peer) {
            body.told.push(peer);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Returns how many peers are noted to have a message.
    #[cfg(test)]
    pub fn noted(&self, print: Fingerprint) -> usize {
        self.of.get(&print).map_or(0, |body| body.known.len())
    }

    /// Returns the bytes of the messages that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
