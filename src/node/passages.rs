//! Replies that pass through this node, or that it has taken: which way their receipts go back, and
//! which of them have been here before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::id::{MessageId, NodeId};

/// Replies that may be on their way through this node at once ...
const MAX_PASSAGES: usize = 8192;
/// ... and those of one peer among them.
const MAX_OF_ONE: usize = 2048;
/// A receipt that takes longer is lost: the sender has given up by then.
const KEEP: Duration = Duration::from_secs(30);
/// Replies remembered as taken; then others are refused rather than one delivered twice. 10 MiB.
const MAX_TAKEN: usize = 1 << 18;
/// How long that is: longer than a sender may say one again, see `requests.rs`.
const KEEP_TAKEN: Duration = Duration::from_secs(61);

type Key = [u8; 16];

/// A reply that was passed on, and whose receipt is to come.
#[derive(Clone, Copy, Debug)]
struct Passage {
    from: NodeId,
    to: NodeId,
    since: Duration,
}

/// What became of a reply for this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    New,
    Again,
    /// Nothing more can be remembered.
    Full,
}

#[derive(Debug, Default)]
pub(crate) struct Passages {
    under_way: BTreeMap<MessageId, Passage>,
    /// How many of them came from each peer.
    of: BTreeMap<NodeId, usize>,
    order: VecDeque<(Duration, MessageId)>,
    taken: BTreeSet<Key>,
    taken_order: VecDeque<(Duration, Key)>,
}

impl Passages {
    pub fn contains(&self, id: &MessageId) -> bool {
        self.under_way.contains_key(id)
    }

    /// Notes that a reply of this peer goes on to that one; false if there are too many.
    pub fn add(&mut self, now: Duration, id: MessageId, from: NodeId, to: NodeId) -> bool {
        self.forget(now);
        let of_peer = self.of.get(&from).copied().unwrap_or_default();
        if self.under_way.len() >= MAX_PASSAGES || of_peer >= MAX_OF_ONE {
            return false;
        }
        self.under_way.insert(id, Passage { from, to, since: now });
        self.order.push_back((now, id));
        if self.order.len() > 2 * MAX_PASSAGES {
            let under_way = &self.under_way;
            self.order.retain(|(at, id)| under_way.get(id).is_some_and(|it| it.since == *at));
        }
        self.of.insert(from, of_peer + 1);
        true
    }

    /// A receipt came from this peer: whom it is for, if the reply was passed on there.
    pub fn end(&mut self, id: &MessageId, to: NodeId) -> Option<NodeId> {
        self.under_way.get(id).filter(|passage| passage.to == to)?;
        self.remove(id)
    }

    /// A peer was lost: the replies that were passed on to it, and whom they came from.
    pub fn lost(&mut self, peer: NodeId) -> Vec<(MessageId, NodeId)> {
        let is_over = |passage: &Passage| passage.to == peer || passage.from == peer;
        let over = self.under_way.iter().filter(|(_, passage)| is_over(passage));
        let over: Vec<MessageId> = over.map(|(id, _)| *id).collect();
        let ended = over.into_iter().filter_map(|id| Some((id, self.remove(&id)?)));
        ended.filter(|(_, from)| *from != peer).collect()
    }

    /// Notes that this node has taken a reply.
    pub fn take(&mut self, now: Duration, id: &MessageId) -> Taken {
        self.forget(now);
        let digest = id.as_digest();
        let key: Key = std::array::from_fn(|at| digest[at]);
        if self.taken.contains(&key) {
            return Taken::Again;
        }
        if self.taken.len() >= MAX_TAKEN {
            return Taken::Full;
        }
        self.taken.insert(key);
        self.taken_order.push_back((now, key));
        Taken::New
    }

    /// Forgets what is too old.
    pub fn forget(&mut self, now: Duration) {
        while let Some(&(at, id)) = self.order.front().filter(|(at, _)| *at + KEEP <= now) {
            self.order.pop_front();
            // One that has ended may have come again since.
            if self.under_way.get(&id).is_some_and(|passage| passage.since == at) {
                self.remove(&id);
            }
        }
        let is_old = |&&(at, _): &&(Duration, Key)| at + KEEP_TAKEN <= now;
        while let Some((_, key)) = self.taken_order.front().filter(is_old).copied() {
            self.taken_order.pop_front();
            self.taken.remove(&key);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty() && self.taken_order.is_empty()
    }

    fn remove(&mut self, id: &MessageId) -> Option<NodeId> {
        let from = self.under_way.remove(id)?.from;
        if let Some(count) = self.of.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&from);
            }
        }
        Some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_receipt_counts_only_from_whom_the_reply_went_to() {
        let mut passages = Passages::default();
        assert!(passages.add(S(0), id(1), node(1), node(2)));
        assert_eq!(passages.end(&id(1), node(3)), None);
        assert_eq!(passages.end(&id(1), node(2)), Some(node(1)));
        assert_eq!(passages.end(&id(1), node(2)), None);
    }

    #[test]
    fn a_lost_peer_ends_what_went_to_it_and_what_came_from_it() {
        let mut passages = Passages::default();
        passages.add(S(0), id(1), node(1), node(2));
        passages.add(S(0), id(2), node(2), node(3));
        passages.add(S(0), id(3), node(1), node(3));
        assert_eq!(passages.lost(node(2)), [(id(1), node(1))]);
        assert!(passages.contains(&id(3)) && !passages.contains(&id(2)));
    }

    #[test]
    fn one_peer_cannot_take_all_the_room_and_old_passages_end() {
        let mut passages = Passages::default();
        let mut added = 0;
        for n in 0..3 * MAX_OF_ONE as u64 {
            added += usize::from(passages.add(S(0), id(n), node(1), node(2)));
        }
        assert_eq!(added, MAX_OF_ONE);
        assert!(passages.add(S(0), id(1 << 40), node(3), node(2)));
        assert!(passages.add(KEEP, id(1 << 41), node(1), node(2)), "the old ones are forgotten");
    }

    #[test]
    fn a_reply_is_taken_once() {
        let mut passages = Passages::default();
        assert_eq!(passages.take(S(0), &id(1)), Taken::New);
        assert_eq!(passages.take(S(60), &id(1)), Taken::Again);
    }
}
