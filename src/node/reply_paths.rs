//! Replies that this node relays or has taken: where their receipts go, and which replies came
//! before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::id::{MessageId, NodeId};

/// Most relayed replies whose receipts are awaited ...
const MAX_PASSAGES: usize = 8192;
/// ... and most of them that came from one peer.
const MAX_OF_ONE: usize = 2048;
/// How long a receipt is awaited: the sender has given up by then.
const KEEP: Duration = Duration::from_secs(30);
/// Most replies that are remembered as taken, in 10 MiB. Further ones are refused: otherwise one
/// could be delivered twice.
const MAX_TAKEN: usize = 1 << 18;
/// How long a taken reply is remembered: longer than its sender may send it again, see
/// `requests.rs`.
const KEEP_TAKEN: Duration = Duration::from_secs(61);

type Key = [u8; 16];

/// A reply that was relayed, and whose receipt is awaited.
#[derive(Clone, Copy, Debug)]
struct Passage {
    from: NodeId,
    to: NodeId,
    since: Duration,
}

/// Whether a reply for this node is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    New,
    Again,
    /// Nothing more can be remembered.
    Full,
}

#[derive(Debug, Default)]
pub(crate) struct ReplyPaths {
    under_way: BTreeMap<MessageId, Passage>,
    /// How many of them came from each peer.
    of: BTreeMap<NodeId, usize>,
    order: VecDeque<(Duration, MessageId)>,
    taken: BTreeSet<Key>,
    taken_order: VecDeque<(Duration, Key)>,
}

impl ReplyPaths {
    pub fn contains(&self, id: &MessageId) -> bool {
        self.under_way.contains_key(id)
    }

    /// Notes that a reply is relayed from one peer to another. Returns false if there are too many.
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
        self.of.insert(from, of_peer.saturating_add(1));
        true
    }

    /// Returns the peer that a receipt is for, if the reply was relayed to the peer that sent the
    /// receipt.
    pub fn end(&mut self, id: &MessageId, to: NodeId) -> Option<NodeId> {
        self.under_way.get(id).filter(|passage| passage.to == to)?;
        self.remove(id)
    }

    /// Ends the replies of a lost peer. Returns those that were relayed to it, and where they came
    /// from.
    pub fn lost(&mut self, peer: NodeId) -> Vec<(MessageId, NodeId)> {
        let is_over = |passage: &Passage| passage.to == peer || passage.from == peer;
        let over = self.under_way.iter().filter(|(_, passage)| is_over(passage));
        let over: Vec<MessageId> = over.map(|(id, _)| *id).collect();
        let ended = over.into_iter().filter_map(|id| Some((id, self.remove(&id)?)));
        ended.filter(|(_, from)| *from != peer).collect()
    }

    /// Notes that this node takes a reply.
    pub fn take(&mut self, now: Duration, id: &MessageId) -> Novelty {
        self.forget(now);
        let Some(&key): Option<&Key> = id.as_digest().first_chunk() else { return Novelty::Again };
        if self.taken.contains(&key) {
            return Novelty::Again;
        }
        if self.taken.len() >= MAX_TAKEN {
            return Novelty::Full;
        }
        self.taken.insert(key);
        self.taken_order.push_back((now, key));
        Novelty::New
    }

    /// Forgets what is too old.
    pub fn forget(&mut self, now: Duration) {
        while let Some(&(at, id)) =
            self.order.front().filter(|(at, _)| at.saturating_add(KEEP) <= now)
        {
            self.order.pop_front();
            // One that has ended may have come again since.
            if self.under_way.get(&id).is_some_and(|passage| passage.since == at) {
                self.remove(&id);
            }
        }
        let is_old = |&&(at, _): &&(Duration, Key)| at.saturating_add(KEEP_TAKEN) <= now;
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
            *count = count.saturating_sub(1);
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
        let mut passages = ReplyPaths::default();
        assert!(passages.add(S(0), id(1), node(1), node(2)));
        assert_eq!(passages.end(&id(1), node(3)), None);
        assert_eq!(passages.end(&id(1), node(2)), Some(node(1)));
        assert_eq!(passages.end(&id(1), node(2)), None);
    }

    #[test]
    fn a_lost_peer_ends_what_went_to_it_and_what_came_from_it() {
        let mut passages = ReplyPaths::default();
        passages.add(S(0), id(1), node(1), node(2));
        passages.add(S(0), id(2), node(2), node(3));
        passages.add(S(0), id(3), node(1), node(3));
        assert_eq!(passages.lost(node(2)), [(id(1), node(1))]);
        assert!(passages.contains(&id(3)) && !passages.contains(&id(2)));
    }

    #[test]
    fn one_peer_cannot_take_all_the_room_and_old_passages_end() {
        let mut passages = ReplyPaths::default();
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
        let mut passages = ReplyPaths::default();
        assert_eq!(passages.take(S(0), &id(1)), Novelty::New);
        assert_eq!(passages.take(S(60), &id(1)), Novelty::Again);
    }
}
