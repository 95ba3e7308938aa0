//! What is planned, in the order of its times.
//!
//! Only what is about to happen is sorted: it is in a heap, which is small. The rest waits in slots of four
//! milliseconds. So a thing costs about the same in a large world as in a small one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// A slot is 2 to the power of this many nanoseconds.
const SLOT_BITS: u32 = 22;

#[derive(Debug)]
pub(super) struct Queue<T> {
    /// What happens before slot `end`.
    soon: BinaryHeap<Entry<T>>,
    end: u64,
    later: BTreeMap<u64, Vec<Entry<T>>>,
}

#[derive(Debug)]
pub(super) struct Entry<T> {
    pub at: Duration,
    /// Of two things at one time, the one that was planned first.
    pub number: u64,
    pub what: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { soon: BinaryHeap::new(), end: 0, later: BTreeMap::new() }
    }
}

impl<T> Queue<T> {
    pub fn push(&mut self, entry: Entry<T>) {
        let slot = u64::try_from(entry.at.as_nanos()).unwrap_or(u64::MAX) >> SLOT_BITS;
        if slot < self.end {
            self.soon.push(entry);
        } else {
            self.later.entry(slot).or_default().push(entry);
        }
    }

    /// Takes the first entry, unless it is later than `limit`.
    pub fn pop(&mut self, limit: Duration) -> Option<Entry<T>> {
        if self.soon.is_empty() {
            let (slot, entries) = self.later.pop_first()?;
            (self.soon, self.end) = (BinaryHeap::from(entries), slot + 1);
        }
        if self.soon.peek()?.at > limit { None } else { self.soon.pop() }
    }
}

impl<T> Ord for Entry<T> {
    /// Orders by time, reversed: the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::rng::Rng;

    #[test]
    fn what_is_planned_comes_in_the_order_of_its_times_and_then_of_its_planning() {
        let (mut rng, mut queue) = (Rng::new(1), Queue::default());
        let mut planned: Vec<(Duration, u64)> = Vec::new();
        let mut now = Duration::ZERO;
        for number in 0..20_000 {
            // Some at once, some soon, some in many slots.
            let most = [1, 100, 10_000, 10_000_000][number as usize % 4];
            let at = now + Duration::from_micros(rng.below(most));
            planned.push((at, number));
            queue.push(Entry { at, number, what: () });
            if number % 3 == 0 {
                planned.sort_unstable_by(|a, b| b.cmp(a));
                let first = queue.pop(Duration::MAX).expect("some are planned");
                assert_eq!(planned.pop(), Some((first.at, first.number)));
                now = first.at;
            }
        }
    }

    #[test]
    fn what_is_later_than_the_limit_stays() {
        let (soon, late) = (Duration::from_millis(1), Duration::from_secs(9));
        let mut queue = Queue::default();
        queue.push(Entry { at: late, number: 1, what: "late" });
        assert!(queue.pop(soon).is_none());
        queue.push(Entry { at: soon, number: 2, what: "soon" });
        assert_eq!(queue.pop(soon).map(|entry| entry.what), Some("soon"));
        assert!(queue.pop(soon).is_none());
        assert_eq!(queue.pop(late).map(|entry| entry.what), Some("late"));
        assert!(queue.pop(Duration::MAX).is_none());
    }
}
