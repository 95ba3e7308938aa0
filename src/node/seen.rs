//! The seen cache: which messages were received, so that none is delivered or relayed twice.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use super::event::LinkId;
use super::keyed_hash::{FingerprintMap, KeyedHash};
use super::time::Now;
use crate::id::MessageId;
use crate::tally::Tally;

/// Ids are kept this long past the later of their date and their arrival. Longer than the age at
/// which a broadcast is refused, so nothing is forgotten while it could still be accepted.
const KEEP: Duration = Duration::from_secs(61);

/// Only seconds that are this old are dropped to make room: a copy of what is younger may be on its way.
const SETTLED: u64 = 4;
/// By so much the clock of a node may be behind the one of a sender that fills its cache: it drops seconds
/// that much later.
const BEHIND: u64 = 1;
/// Dates further ahead than this have a small part of the cache: ids of them cannot be dropped for long.
const NEAR: u64 = 5;
const AHEAD_PART: usize = 16;
/// Most links among which a full cache is divided: otherwise links that come and go would leave no part
/// to the others.
const COUNTED: usize = 64;
/// The least number of ids that are dated far ahead.
const LEAST_AHEAD: usize = 64;

/// Message ids by the second that they are dated with. An id covers its date, so looking in that
/// second's bucket is enough, and a bucket is dropped as a whole.
///
/// A full cache drops seconds that are old enough. Where that is not enough, it refuses the messages of the
/// links that brought the most ids; other links, and this node, go beyond the limit. So a flood of ids
/// costs the link that it comes from, and nobody else.
#[derive(Debug)]
pub(crate) struct SeenCache {
    seconds: BTreeMap<u64, Second>,
    /// How many ids each link brought.
    shares: Shares,
    fingerprints: KeyedHash,
    len: usize,
    max: usize,
    /// All ids dated at or before this second were evicted: messages of that time are refused,
    /// because they may be duplicates.
    floor: Option<u64>,
}

/// Where an id comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    link: u64,
    is_new: bool,
}

impl Source {
    /// This node itself.
    pub const OWN: Source = Source { link: 0, is_new: false };

    /// A link; whether its peer is the sender of the message, which then does not count among those that
    /// the peer only relays; whether it is new: a new one has less room in a full cache.
    pub fn link(link: LinkId, is_direct: bool, is_new: bool) -> Self {
        Source { link: link.0.saturating_mul(2).saturating_add(u64::from(is_direct)), is_new }
    }
}

/// What became of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remembered {
    New,
    Known,
    /// It is not remembered: its link has used up its share.
    NoPlace,
}

#[derive(Debug, Default)]
struct Second {
    // A map without values, because a set has no entries that one look-up can find and fill.
    ids: FingerprintMap<()>,
    shares: Shares,
    last_arrival: Duration,
}

/// Numbers of ids by link. Few links bring ids of one second.
#[derive(Debug, Default)]
struct Shares(Vec<(u64, usize)>);

impl Shares {
    fn add(&mut self, link: u64) {
        match self.0.iter_mut().find(|(of, _)| *of == link) {
            Some((_, count)) => count.tally(1),
            None => self.0.push((link, 1)),
        }
    }

    fn remove(&mut self, others: &Shares) {
        for (link, count) in &others.0 {
            let own = self.0.iter_mut().find(|(of, _)| of == link);
            own.into_iter().for_each(|(_, own)| *own = own.saturating_sub(*count));
        }
        self.0.retain(|(_, count)| *count > 0);
    }

    fn of(&self, link: u64) -> usize {
        self.0.iter().find(|(of, _)| *of == link).map_or(0, |(_, count)| *count)
    }
}

impl SeenCache {
    /// Creates a cache of about `max` ids.
    pub fn new(max: usize, fingerprints: KeyedHash) -> Self {
        let (seconds, shares) = (BTreeMap::new(), Shares::default());
        SeenCache { seconds, shares, fingerprints, len: 0, max, floor: None }
    }

    pub fn contains(&self, id: &MessageId, time: u64) -> bool {
        self.seconds
            .get(&time)
            .is_some_and(|second| second.ids.contains_key(&self.fingerprints.of_message(id)))
    }

    /// Returns whether ids of this second were evicted to stay within the limit.
    pub fn is_evicted(&self, time: u64) -> bool {
        self.floor.is_some_and(|floor| time <= floor)
    }

    /// Remembers an id that passes a check. Looks up once, unless the cache is full: only a new id is
    /// checked.
    pub fn remember<E>(
        &mut self,
        now: Now,
        source: Source,
        id: &MessageId,
        time: u64,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Remembered, E> {
        let is_tight = self.len >= self.max || time > now.second().saturating_add(NEAR);
        if is_tight {
            if self.contains(id, time) {
                return Ok(Remembered::Known);
            }
            check()?;
            if !self.make_place(now, source, time) {
                return Ok(Remembered::NoPlace);
            }
            return self.insert(now, source, id, time, || Ok(()));
        }
        self.insert(now, source, id, time, check)
    }

    fn insert<E>(
        &mut self,
        now: Now,
        source: Source,
        id: &MessageId,
        time: u64,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Remembered, E> {
        let fingerprint = self.fingerprints.of_message(id);
        let second = match self.seconds.get_mut(&time) {
            Some(second) => {
                let Entry::Vacant(place) = second.ids.entry(fingerprint) else {
                    return Ok(Remembered::Known);
                };
                check()?;
                place.insert(());
                second
            }
            None => {
                // A refused message adds no second.
                check()?;
                let second = self.seconds.entry(time).or_default();
                second.ids.insert(fingerprint, ());
                second
            }
        };
        second.last_arrival = now.mono;
        second.shares.add(source.link);
        self.shares.add(source.link);
        self.len.tally(1);
        Ok(Remembered::New)
    }

    /// Returns whether an id of this source may be added.
    fn make_place(&mut self, now: Now, source: Source, time: u64) -> bool {
        while self.len >= self.max && self.evict_oldest(now) {}
        if source == Source::OWN {
            return true;
        }
        let far = now.second().saturating_add(NEAR).saturating_add(1);
        if time >= far && self.ahead(far) >= (self.max / AHEAD_PART).max(LEAST_AHEAD) {
            return false;
        }
        let beyond = if source.is_new { self.max / 4 } else { self.max / 2 };
        self.len < self.max
            || self.len < self.max.saturating_add(beyond) && !self.is_greedy(source.link)
    }

    /// Returns whether a link brought more than half of an equal part of all ids.
    fn is_greedy(&self, link: u64) -> bool {
        let links = self.shares.0.len().clamp(1, COUNTED);
        self.is_over_half(self.shares.of(link), links)
    }

    /// Returns whether this node has to stop sending for a while: three quarters of the room are full of ids
    /// that others cannot drop yet, and its own are more than a full cache grants to each of its sources. The caches of
    /// others are about as full as this one, and would refuse its messages; the last quarter is for what is on its
    /// way, and for the many who send less.
    pub fn is_own_share_used(&self, now: Now) -> bool {
        let most = (self.max / 4).saturating_mul(3).max(1);
        // Most nodes send little, and most caches are not full.
        let is_large = |ids| self.is_over_half(ids, COUNTED);
        if self.len < most || !is_large(self.shares.of(Source::OWN.link)) {
            return false;
        }
        let (mut all, mut own) = (0_usize, 0_usize);
        let oldest = now.second().saturating_add(1).saturating_sub(SETTLED.saturating_add(BEHIND));
        // What is dated further ahead is not of the traffic of now: the clock was set back.
        for (_, second) in self.seconds.range(oldest..=now.second().saturating_add(NEAR)) {
            all = all.saturating_add(second.ids.len());
            own = own.saturating_add(second.shares.of(Source::OWN.link));
        }
        all >= most && is_large(own)
    }

    /// Returns whether these are more ids than half of one of so many equal parts of the room.
    fn is_over_half(&self, ids: usize, parts: usize) -> bool {
        ids.saturating_mul(2).saturating_mul(parts) > self.max
    }

    /// Returns how many ids are dated with this second or a later one.
    fn ahead(&self, second: u64) -> usize {
        self.seconds.range(second..).map(|(_, second)| second.ids.len()).sum()
    }

    /// Forgets what is old enough by both clocks.
    pub fn sweep(&mut self, now: Now) {
        let SeenCache { seconds, shares, len, .. } = self;
        seconds.retain(|&date, second| {
            let keep = date.saturating_add(KEEP.as_secs()) > now.second()
                || second.last_arrival.saturating_add(KEEP) > now.mono;
            if !keep {
                *len = len.saturating_sub(second.ids.len());
                shares.remove(&second.shares);
            }
            keep
        });
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Drops the ids of the oldest second, if it is old enough.
    fn evict_oldest(&mut self, now: Now) -> bool {
        let is_settled = |date: u64| date.saturating_add(SETTLED) <= now.second();
        let oldest = self.seconds.first_entry().filter(|oldest| is_settled(*oldest.key()));
        let Some((date, second)) = oldest.map(|oldest| oldest.remove_entry()) else {
            return false;
        };
        self.len = self.len.saturating_sub(second.ids.len());
        self.shares.remove(&second.shares);
        self.floor = self.floor.max(Some(date));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::rng::Rng;

    fn cache(max: usize) -> SeenCache {
        SeenCache::new(max, KeyedHash::new(&mut Rng::new(1)))
    }

    fn id(n: u64) -> MessageId {
        let mut digest = [0; 48];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        MessageId::from_digest(digest)
    }

    fn at(mono: u64, wall: u64) -> Now {
        Now { mono: Duration::from_secs(mono), wall: Duration::from_secs(wall) }
    }

    fn link(n: u64) -> Source {
        Source::link(LinkId(n), false, false)
    }

    fn remember(seen: &mut SeenCache, now: Now, from: Source, n: u64, time: u64) -> Remembered {
        let check = || Ok::<(), std::convert::Infallible>(());
        let Ok(remembered) = seen.remember(now, from, &id(n), time, check);
        remembered
    }

    fn insert(seen: &mut SeenCache, now: Now, n: u64, time: u64) -> bool {
        remember(seen, now, link(1), n, time) == Remembered::New
    }

    #[test]
    fn an_id_is_new_once() {
        let mut seen = cache(100);
        assert!(insert(&mut seen, at(0, 1000), 1, 1000));
        assert!(!insert(&mut seen, at(5, 1005), 1, 1000));
        assert!(seen.contains(&id(1), 1000));
        assert!(!seen.contains(&id(2), 1000));
    }

    #[test]
    fn an_id_is_kept_until_61_s_after_the_later_of_date_and_arrival() {
        let mut seen = cache(100);
        insert(&mut seen, at(0, 1000), 1, 1030);
        insert(&mut seen, at(0, 1000), 2, 950);
        seen.sweep(at(60, 1060));
        assert!(seen.contains(&id(1), 1030) && seen.contains(&id(2), 950));
        seen.sweep(at(61, 1061));
        assert!(seen.contains(&id(1), 1030) && !seen.contains(&id(2), 950));
        seen.sweep(at(91, 1091));
        assert_eq!(seen.len(), 0);
    }

    #[test]
    fn what_is_refused_is_not_remembered_and_what_is_known_is_not_checked() {
        let mut seen = cache(100);
        insert(&mut seen, at(0, 1000), 1, 1000);
        for time in [1000, 2000] {
            let refused = seen.remember(at(1, 1001), link(1), &id(2), time, || Err("too old"));
            assert_eq!(refused, Err("too old"));
            assert!(!seen.contains(&id(2), time));
        }
        let known = seen.remember(at(1, 1001), link(1), &id(1), 1000, || Err("too old"));
        assert_eq!(known, Ok(Remembered::Known));
        assert_eq!((seen.len(), seen.seconds.len()), (1, 1));
    }

    #[test]
    fn a_clock_that_jumps_ahead_forgets_nothing_early() {
        let mut seen = cache(100);
        insert(&mut seen, at(10, 1000), 1, 1000);
        seen.sweep(at(11, 9000));
        assert!(seen.contains(&id(1), 1000));
    }

    #[test]
    fn at_its_bound_it_refuses_old_seconds_rather_than_forget_them() {
        let mut seen = cache(3);
        for n in 0..4 {
            assert!(insert(&mut seen, at(0, 1010 + n), n, 1000 + n));
        }
        assert_eq!(seen.len(), 3);
        assert!(seen.is_evicted(1000) && !seen.is_evicted(1001));
    }

    /// Fills the cache from a link, with ids of this second; returns how many were taken.
    fn flood(seen: &mut SeenCache, now: Now, from: u64, time: u64) -> usize {
        let ids = (0..4000).map(|n| from * 10_000 + n);
        ids.filter(|&n| remember(seen, now, link(from), n, time) == Remembered::New).count()
    }

    #[test]
    fn a_flood_of_ids_costs_the_links_that_it_comes_from_and_nobody_else() {
        for ahead in [0, 55, 299] {
            let mut seen = cache(1600);
            let now = at(0, 1000);
            let taken: usize = (1..4).map(|from| flood(&mut seen, now, from, 1000 + ahead)).sum();
            assert!(taken <= 2400, "{ahead}: {taken}");
            for n in 0..60 {
                let honest = remember(&mut seen, now, link(9), 90_000 + n, 1000);
                let own = remember(&mut seen, now, Source::OWN, 80_000 + n, 1000);
                assert_eq!((honest, own), (Remembered::New, Remembered::New), "{ahead} {n}");
            }
            assert!(!seen.is_evicted(1000), "no date is refused");
        }
    }

    /// Where a neighbour's own messages come from; those that it passes on come from `link`.
    fn direct(n: u64) -> Source {
        Source::link(LinkId(n), true, false)
    }

    #[test]
    fn a_node_that_sends_much_stops_before_others_refuse_it_and_goes_on_when_ids_are_old() {
        // A receiver whose clock is right, and one whose clock is behind. The sender sends in bursts.
        for behind in [0, BEHIND] {
            let (mut own, mut other) = (cache(1600), cache(1600));
            let mut sent = 0;
            for second in 1000..1060 {
                let now = at(second, second);
                while !own.is_own_share_used(now) {
                    sent += 1;
                    assert_eq!(remember(&mut own, now, Source::OWN, sent, second), Remembered::New);
                    let there =
                        remember(&mut other, at(second, second - behind), link(1), sent, second);
                    assert_eq!(there, Remembered::New, "{sent} in second {second}");
                }
            }
            assert_eq!(sent, 12 * 1200, "as many as may be young, every five seconds");
        }
    }

    #[test]
    fn equal_senders_around_a_hub_stop_before_any_of_them_is_refused() {
        const LEAVES: u64 = 8;
        let mut leaves: Vec<SeenCache> = (0..LEAVES).map(|_| cache(1600)).collect();
        let mut hub = cache(1600);
        let mut sent = [0_u64; LEAVES as usize];
        for second in 1000..1060 {
            let now = at(second, second);
            // Each in turn sends one, until all wait.
            while (0..LEAVES as usize).fold(false, |has_sent, from| {
                if leaves[from].is_own_share_used(now) {
                    return has_sent;
                }
                sent[from] += 1;
                let n = from as u64 * 1_000_000 + sent[from];
                let at_hub = remember(&mut hub, now, direct(from as u64 + 1), n, second);
                assert_eq!(at_hub, Remembered::New, "{n} in second {second}");
                for (at, leaf) in leaves.iter_mut().enumerate() {
                    let source = if at == from { Source::OWN } else { link(1) };
                    let there = remember(leaf, now, source, n, second);
                    assert_eq!(there, Remembered::New, "{n} at {at} in second {second}");
                }
                true
            }) {}
            assert!(!hub.is_evicted(second - 3), "nothing young is refused for its date: {second}");
        }
        assert!(sent.iter().all(|&sent| sent >= 12 * 1200 / LEAVES), "equal parts: {sent:?}");
    }

    #[test]
    fn a_flood_of_others_does_not_stop_a_node_that_sends_little() {
        for ahead in [0, NEAR] {
            let mut seen = cache(16_000);
            let now = at(0, 1000);
            for from in 1..8 {
                flood(&mut seen, now, from, 1000 + ahead);
            }
            for n in 0..125 {
                assert!(!seen.is_own_share_used(now), "{n}");
                remember(&mut seen, now, Source::OWN, 80_000 + n, 1000);
            }
            remember(&mut seen, now, Source::OWN, 90_000, 1000);
            assert!(seen.is_own_share_used(now), "more than every full cache has room for");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_a_node() {
        let mut seen = cache(1600);
        let mut sent = 0;
        while !seen.is_own_share_used(at(0, 5000)) {
            sent += 1;
            remember(&mut seen, at(0, 5000), Source::OWN, sent, 5000);
        }
        assert!(!seen.is_own_share_used(at(1, 1400)), "an hour back");
    }

    #[test]
    fn links_that_come_and_go_do_not_use_up_the_room_of_older_ones() {
        let mut seen = cache(1600);
        let now = at(0, 1000);
        for n in 0..20_000 {
            let new = Source::link(LinkId(100 + n / 50), false, true);
            remember(&mut seen, now, new, n, 1000);
        }
        assert!(seen.len() <= 2000, "{}", seen.len());
        let old = remember(&mut seen, now, link(1), 90_000, 1000);
        assert_eq!(old, Remembered::New);
    }

    #[test]
    fn what_is_dated_far_ahead_has_a_small_part_of_the_room() {
        let mut seen = cache(16_000);
        assert_eq!(flood(&mut seen, at(0, 1000), 1, 1006), 1000);
        assert_eq!(flood(&mut seen, at(0, 1000), 2, 1005), 4000);
    }
}
