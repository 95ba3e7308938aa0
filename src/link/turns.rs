//! Takes turns between sources: what comes next is of the one that has had the least so far.
//!
//! Sources that always have something waiting have had the same, and share. One that has something now and
//! then has had less, so it comes soon, however much waits from the others (fair queueing by virtual time).
//! What a turn costs, time or bytes, is up to the user of this.

use std::collections::{BTreeMap, VecDeque};

use crate::tally::Tally;

/// `K` is a source, `T` is what waits.
#[derive(Debug)]
pub(crate) struct Turns<K, T> {
    sources: BTreeMap<K, Line<T>>,
    /// What a source would have had by now that always waited.
    share: u64,
    /// What a turn has cost lately at most.
    turn: u64,
    waiting: usize,
}

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    had: u64,
}

impl<K, T> Default for Turns<K, T> {
    fn default() -> Self {
        Turns { sources: BTreeMap::new(), share: 0, turn: 0, waiting: 0 }
    }
}

impl<K: Ord + Copy, T> Turns<K, T> {
    /// Adds something of a source, behind what it has added before.
    pub fn add(&mut self, source: K, item: T) {
        let had = self.beginning();
        let new = || Line { waiting: VecDeque::new(), had };
        let line = self.sources.entry(source).or_insert_with(new);
        line.waiting.push_back(item);
        self.waiting.tally(1);
    }

    /// Returns whose turn it is; `None` if nothing waits.
    pub fn choose(&mut self) -> Option<K> {
        let waiting = self.sources.iter().filter(|(_, line)| !line.waiting.is_empty());
        // Of those that have had the same, the one with less comes first.
        let next = waiting.min_by_key(|(_, line)| (line.had, line.waiting.len()));
        let Some((&source, _)) = next else {
            // What each has had is of no account now.
            self.sources.clear();
            return None;
        };
        Some(source)
    }

    /// Takes what a source has added first.
    pub fn take(&mut self, source: K) -> Option<T> {
        let item = self.sources.get_mut(&source)?.waiting.pop_front()?;
        self.waiting = self.waiting.saturating_sub(1);
        Some(item)
    }

    /// Notes what a turn of a source has cost. Forgets sources of which nothing waits, and which have had no
    /// more than those that begin to wait.
    pub fn charge(&mut self, source: K, cost: u64) {
        let cost = cost.max(1);
        if let Some(line) = self.sources.get_mut(&source) {
            line.had = line.had.saturating_add(cost);
        }
        // Or new sources, one after the other, would always come before old ones.
        let parts = self.sources.len().max(1) as u64;
        self.share.tally(cost.checked_div(parts).unwrap_or(cost));
        self.turn = cost.max(self.turn.saturating_sub(self.turn / 8));
        let beginning = self.beginning();
        self.sources.retain(|_, line| !line.waiting.is_empty() || line.had > beginning);
    }

    /// Returns what a source is taken to have had that begins to wait: a turn less than its share, so that it does not
    /// wait for all those that have not had theirs in this round.
    fn beginning(&self) -> u64 {
        self.share.saturating_sub(self.turn)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    #[cfg(any(test, feature = "sim"))]
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Returns all that waits, each source's in its order.
    #[cfg(feature = "sim")]
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.sources.values().flat_map(|line| &line.waiting)
    }

    /// Returns what is next of each source.
    pub fn heads(&self) -> impl Iterator<Item = &T> {
        self.sources.values().filter_map(|line| line.waiting.front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many turns of the same cost. Whose they were.
    fn take(turns: &mut Turns<u8, u32>, count: usize) -> Vec<u8> {
        let take = |_| {
            let source = turns.choose()?;
            turns.take(source)?;
            turns.charge(source, 1000);
            Some(source)
        };
        (0..count).filter_map(take).collect()
    }

    #[test]
    fn what_a_source_adds_keeps_its_order() {
        let mut turns = Turns::default();
        (0..3).for_each(|number| turns.add(1, number));
        let all: Vec<u32> = std::iter::from_fn(|| turns.take(1)).collect();
        assert_eq!((all, turns.is_empty(), turns.choose()), (vec![0, 1, 2], true, None));
    }

    #[test]
    fn sources_that_always_wait_share() {
        let mut turns = Turns::default();
        for source in 1..=2 {
            (0..10).for_each(|number| turns.add(source, number));
        }
        assert_eq!(take(&mut turns, 6), [1, 2, 1, 2, 1, 2]);
    }

    #[test]
    fn who_adds_something_now_and_then_comes_within_two_turns() {
        let mut turns = Turns::default();
        for source in 1..=20 {
            (0..100).for_each(|number| turns.add(source, number));
        }
        for rest in [500, 37, 333] {
            take(&mut turns, rest);
            turns.add(99, 0);
            let next = take(&mut turns, 2);
            assert!(next.contains(&99), "{next:?}");
        }
    }

    #[test]
    fn a_rest_earns_no_lead() {
        let mut turns = Turns::default();
        turns.add(1, 0);
        (0..100).for_each(|number| turns.add(2, number));
        take(&mut turns, 60);
        (0..100).for_each(|number| turns.add(1, number));
        let of_one = take(&mut turns, 40).iter().filter(|&&source| source == 1).count();
        assert!((19..=21).contains(&of_one), "{of_one}");
    }

    #[test]
    fn new_sources_one_after_the_other_do_not_keep_an_old_one_waiting() {
        let mut turns = Turns::default();
        (0..100).for_each(|number| turns.add(0, number));
        let mut of_the_old = 0;
        for new in 1..=100_u8 {
            turns.add(new, 0);
            turns.add(new, 1);
            let source = turns.choose().expect("there is more");
            turns.take(source);
            turns.charge(source, 100);
            of_the_old += usize::from(source == 0);
        }
        // A half, a third, a fourth: what it had would have been among so many.
        assert!(of_the_old >= 3, "{of_the_old}");
    }

    #[test]
    fn what_costs_more_comes_less_often() {
        let mut turns = Turns::default();
        for source in 1..=2_u8 {
            (0..100).for_each(|number| turns.add(source, number));
        }
        let mut had = [0; 3];
        for _ in 0..44 {
            let source: u8 = turns.choose().expect("there is more");
            turns.take(source);
            turns.charge(source, if source == 1 { 10 } else { 1 });
            had[usize::from(source)] += 1;
        }
        assert_eq!(had, [0, 4, 40]);
    }
}
