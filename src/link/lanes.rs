//! Messages that wait for one peer. Those of this node, and the relays of each link, take turns by bytes: who
//! sends a lot through this node holds up its own messages, not those of others.

use std::collections::VecDeque;

use super::turns::Turns;
use crate::node::{LinkId, Parcel};
use crate::tally::Tally;

/// While less than this waits, messages leave in the order in which they came.
const SHORT: usize = 16 * 1024;
/// Bytes that one source may send in a turn, if it is not a single message.
const TURN: usize = 16 * 1024;
/// Bytes that a message counts for beside its own.
const OVERHEAD: usize = 64;

#[derive(Debug)]
pub(crate) struct Lanes<T> {
    /// What leaves next, in this order.
    first: VecDeque<Waiting<T>>,
    first_bytes: usize,
    /// What waits behind it, by the link that it came from; `None` for what this node says itself.
    turns: Turns<Option<LinkId>, Waiting<T>>,
    /// Bytes of this node's messages, and of all, that wait.
    own: usize,
    all: usize,
    /// Bytes that ever came.
    came: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    parcel: Parcel,
    tag: T,
    weight: usize,
    /// Bytes that came before it.
    after: u64,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        let (first, turns) = (VecDeque::new(), Turns::default());
        Lanes { first, first_bytes: 0, turns, own: 0, all: 0, came: 0 }
    }
}

impl<T> Lanes<T> {
    pub fn push(&mut self, parcel: Parcel, tag: T, weight: usize) {
        let source = parcel.source();
        self.own.tally(if is_own(&parcel) { weight } else { 0 });
        self.all.tally(weight);
        let waiting = Waiting { parcel, tag, weight, after: self.came };
        self.came.tally(weight as u64);
        if self.turns.is_empty() && self.first_bytes < SHORT {
            self.first_bytes.tally(weight);
            self.first.push_back(waiting);
        } else {
            self.turns.add(source, waiting);
        }
    }

    /// Moves what the next source may send now.
    fn take_turn(&mut self) {
        let Some(source) = self.turns.choose() else { return };
        let mut spent = 0;
        while spent < TURN
            && let Some(waiting) = self.turns.take(source)
        {
            spent = spent.saturating_add(waiting.weight).saturating_add(OVERHEAD);
            self.first_bytes.tally(waiting.weight);
            self.first.push_back(waiting);
        }
        self.turns.charge(source, spent as u64);
    }

    /// Returns bytes of this node's messages that wait.
    pub fn own(&self) -> usize {
        self.own
    }

    /// Returns bytes of relays that wait, and of names of messages.
    pub fn relayed(&self) -> usize {
        self.all.saturating_sub(self.own)
    }

    /// Returns how many bytes ever came.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// Returns whether everything has left that came among the first so many bytes.
    pub fn has_left(&self, came: u64) -> bool {
        // The messages of one source keep their order, so the oldest one is one of those.
        let mut oldest = self.turns.heads().chain(self.first.front());
        oldest.all(|waiting| waiting.after >= came)
    }

    /// See [`Outgoing::release`](super::outgoing::Outgoing::release).
    #[cfg(feature = "sim")]
    pub fn release(&mut self) {
        super::release::release(&mut self.first);
    }

    #[cfg(any(test, feature = "sim"))]
    pub fn len(&self) -> usize {
        self.first.len().saturating_add(self.turns.len())
    }
}

impl<T> Iterator for Lanes<T> {
    type Item = (Parcel, T);

    fn next(&mut self) -> Option<(Parcel, T)> {
        if self.first.is_empty() {
            self.take_turn();
        }
        let Waiting { parcel, tag, weight, .. } = self.first.pop_front()?;
        self.first_bytes = self.first_bytes.saturating_sub(weight);
        self.all = self.all.saturating_sub(weight);
        if is_own(&parcel) {
            self.own = self.own.saturating_sub(weight);
        }
        Some((parcel, tag))
    }
}

fn is_own(parcel: &Parcel) -> bool {
    matches!(parcel, Parcel::Own(_))
}

impl Parcel {
    /// Returns the link that a relay came from; `None` for what is of this node.
    fn source(&self) -> Option<LinkId> {
        match self {
            Parcel::Relay(_, from) => Some(*from),
            Parcel::Own(_) | Parcel::Control(_) | Parcel::Announce(_) | Parcel::Answer(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::options::Flag;
    use crate::wire::{Draft, Frame};

    fn frame() -> Frame {
        let draft = Draft { main: Flag::Whisper, packets: vec![vec![0; 1000].into()], time: 1 };
        draft.encode(&NodeId::from_digest(&[1; 48]), &draft.id())
    }

    fn push(lanes: &mut Lanes<u32>, source: Option<u64>, tag: u32) {
        let frame = frame();
        let weight = frame.len();
        let parcel = match source {
            Some(link) => Parcel::Relay(frame, LinkId(link)),
            None => Parcel::Own(frame),
        };
        lanes.push(parcel, tag, weight);
    }

    #[test]
    fn a_short_queue_keeps_the_order_in_which_all_came() {
        let mut lanes = Lanes::default();
        for tag in 0..10 {
            push(&mut lanes, (tag % 3 > 0).then_some(u64::from(tag % 3)), tag);
        }
        assert_eq!(lanes.len(), 10);
        assert!(lanes.map(|(_, tag)| tag).eq(0..10));
    }

    #[test]
    fn who_sends_a_lot_holds_up_neither_this_node_nor_others() {
        let mut lanes = Lanes::default();
        (0..2000).for_each(|tag| push(&mut lanes, Some(1), tag));
        (2000..4000).for_each(|tag| push(&mut lanes, Some(2), tag));
        push(&mut lanes, None, 9001);
        push(&mut lanes, Some(3), 9002);
        push(&mut lanes, Some(3), 9003);
        let left: Vec<u32> = (0..80).filter_map(|_| lanes.next()).map(|(_, tag)| tag).collect();
        assert!([9001, 9002, 9003].iter().all(|tag| left.contains(tag)), "{left:?}");
        let rest: Vec<u32> = left.into_iter().chain(lanes.by_ref().map(|(_, tag)| tag)).collect();
        let of = |range: std::ops::Range<u32>| rest.iter().filter(move |tag| range.contains(tag));
        assert!(of(0..2000).is_sorted() && of(2000..4000).is_sorted(), "each keeps its order");
        assert_eq!((rest.len(), lanes.own(), lanes.relayed(), lanes.len()), (4003, 0, 0, 0));
    }

    #[test]
    fn what_came_before_has_left_when_the_oldest_of_it_has() {
        let mut lanes = Lanes::default();
        (0..100).for_each(|tag| push(&mut lanes, Some(1), tag));
        push(&mut lanes, None, 100);
        let came = lanes.came();
        (101..200).for_each(|tag| push(&mut lanes, Some(2), tag));
        let mut before = 101;
        while before > 0 {
            assert!(!lanes.has_left(came), "{before}");
            let (_, tag) = lanes.next().expect("more waits");
            before -= u32::from(tag <= 100);
        }
        assert!(lanes.has_left(came) && lanes.len() > 0);
    }
}
