//! The seen cache: which messages were received, so that none is delivered or relayed twice.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::time::Now;
use crate::id::MessageId;

/// Ids are kept this long past the later of their date and their arrival. Longer than the age at
/// which a broadcast is refused, so nothing is forgotten while it could still be accepted.
const KEEP: Duration = Duration::from_secs(61);

/// Message ids by the second that they are dated with. An id covers its date, so looking in that
/// second's bucket is enough, and a bucket is dropped as a whole.
#[derive(Debug)]
pub(crate) struct SeenCache {
    seconds: BTreeMap<u64, Second>,
    key: (u64, u64),
    len: usize,
    max: usize,
    /// All ids dated at or before this second were evicted: messages of that time are refused,
    /// because they may be duplicates.
    floor: Option<u64>,
}

#[derive(Debug, Default)]
struct Second {
    // A map without values, because a set has no entries that one look-up can find and fill.
    ids: HashMap<u128, (), BuildHasherDefault<IdentityHasher>>,
    last_arrival: Duration,
}

impl SeenCache {
    /// Creates a cache of at most `max` ids. The key is secret, so that no node can aim two ids at
    /// one fingerprint.
    pub fn new(max: usize, key: (u64, u64)) -> Self {
        SeenCache { seconds: BTreeMap::new(), key, len: 0, max, floor: None }
    }

    pub fn contains(&self, id: &MessageId, time: u64) -> bool {
        self.seconds.get(&time).is_some_and(|second| second.ids.contains_key(&self.fingerprint(id)))
    }

    /// Returns whether ids of this second were evicted to stay within the limit.
    pub fn is_evicted(&self, time: u64) -> bool {
        self.floor.is_some_and(|floor| time <= floor)
    }

    /// Remembers an id that passes a check. Returns false if it was there already. Looks up once:
    /// only a new id is checked.
    pub fn remember<E>(
        &mut self,
        now: Now,
        id: &MessageId,
        time: u64,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<bool, E> {
        let fingerprint = self.fingerprint(id);
        match self.seconds.get_mut(&time) {
            Some(second) => {
                let Entry::Vacant(place) = second.ids.entry(fingerprint) else { return Ok(false) };
                check()?;
                place.insert(());
                second.last_arrival = now.mono;
            }
            None => {
                // A refused message adds no second.
                check()?;
                let second = self.seconds.entry(time).or_default();
                second.ids.insert(fingerprint, ());
                second.last_arrival = now.mono;
            }
        }
        self.len += 1;
        while self.len > self.max {
            self.evict_oldest();
        }
        Ok(true)
    }

    /// Forgets what is old enough by both clocks.
    pub fn sweep(&mut self, now: Now) {
        let len = &mut self.len;
        self.seconds.retain(|&date, second| {
            let keep = date.saturating_add(KEEP.as_secs()) > now.second()
                || second.last_arrival + KEEP > now.mono;
            if !keep {
                *len -= second.ids.len();
            }
            keep
        });
    }

    pub fn len(&self) -> usize {
        self.len
    }

    fn evict_oldest(&mut self) {
        if let Some((date, second)) = self.seconds.pop_first() {
            self.len -= second.ids.len();
            self.floor = self.floor.max(Some(date));
        }
    }

    fn fingerprint(&self, id: &MessageId) -> u128 {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        hasher.write(id.as_digest());
        hasher.finish128().as_u128()
    }
}

/// A fingerprint is distributed evenly: its low half is its hash.
#[derive(Default)]
pub(super) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u64) -> MessageId {
        let mut digest = [0; 48];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        MessageId::from_digest(digest)
    }

    fn at(mono: u64, wall: u64) -> Now {
        Now { mono: Duration::from_secs(mono), wall: Duration::from_secs(wall) }
    }

    fn insert(seen: &mut SeenCache, now: Now, n: u64, time: u64) -> bool {
        let Ok(is_new) =
            seen.remember(now, &id(n), time, || Ok::<(), std::convert::Infallible>(()));
        is_new
    }

    #[test]
    fn an_id_is_new_once() {
        let mut seen = SeenCache::new(100, (1, 2));
        assert!(insert(&mut seen, at(0, 1000), 1, 1000));
        assert!(!insert(&mut seen, at(5, 1005), 1, 1000));
        assert!(seen.contains(&id(1), 1000));
        assert!(!seen.contains(&id(2), 1000));
    }

    #[test]
    fn an_id_is_kept_until_61_s_after_the_later_of_date_and_arrival() {
        let mut seen = SeenCache::new(100, (1, 2));
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
        let mut seen = SeenCache::new(100, (1, 2));
        insert(&mut seen, at(0, 1000), 1, 1000);
        for time in [1000, 2000] {
            assert_eq!(seen.remember(at(1, 1001), &id(2), time, || Err("too old")), Err("too old"));
            assert!(!seen.contains(&id(2), time));
        }
        assert_eq!(seen.remember(at(1, 1001), &id(1), 1000, || Err("too old")), Ok(false));
        assert_eq!((seen.len(), seen.seconds.len()), (1, 1));
    }

    #[test]
    fn a_clock_that_jumps_ahead_forgets_nothing_early() {
        let mut seen = SeenCache::new(100, (1, 2));
        insert(&mut seen, at(10, 1000), 1, 1000);
        seen.sweep(at(11, 9000));
        assert!(seen.contains(&id(1), 1000));
    }

    #[test]
    fn at_its_bound_it_refuses_old_seconds_rather_than_forget_them() {
        let mut seen = SeenCache::new(3, (1, 2));
        for n in 0..4 {
            insert(&mut seen, at(0, 1000), n, 1000 + n);
        }
        assert_eq!(seen.len(), 3);
        assert!(seen.is_evicted(1000) && !seen.is_evicted(1001));
    }
}
