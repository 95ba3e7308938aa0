//! Limits for how long peers below the pace floor keep senders waiting, all of them together.
//!
//! A stranger, which has not kept to the floor yet, is waited for only as long as all strangers together
//! may keep senders waiting: a second, and a second more each minute. So links that take turns cost no
//! more than one. Peers that have kept to the floor have a larger allowance: their programs may pause.

use std::time::Duration;

/// How long strangers may keep senders waiting at once, and in which time they earn that again.
const STRANGERS: Duration = Duration::from_secs(1);
const STRANGERS_EARN: u32 = 60;
/// Trusted peers earn a second of waiting in three seconds.
const TRUSTED_EARN: u32 = 3;
/// Times apart that are remembered as charged.
const MOST_TIMES: usize = 64;
/// With less than this left, new links are not waited for.
const LEAST: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Waits {
    strangers: Allowance,
    trusted: Allowance,
}

/// Time in which senders may be kept waiting. What several peers cost at the same time counts once.
#[derive(Debug)]
struct Allowance {
    most: Duration,
    /// A second of it is earned in so many seconds.
    earn: u32,
    /// May exceed `most`: what is known only afterwards is paid back first.
    spent: Duration,
    /// Until when time was earned.
    earned: Duration,
    charged: Charged,
}

/// Times that were charged: from when until when. They do not overlap; the oldest comes first.
#[derive(Debug, Default)]
struct Charged(Vec<(Duration, Duration)>);

impl Waits {
    /// Trusted peers may keep senders waiting for `window` at once.
    pub fn new(window: Duration) -> Self {
        Waits {
            strangers: Allowance::new(STRANGERS, STRANGERS_EARN),
            trusted: Allowance::new(window.max(STRANGERS), TRUSTED_EARN),
        }
    }

    /// Charges the time before `now` in which senders waited for a peer. Returns how much it was beyond
    /// what other peers cost; `None` if the peer is not to be waited for any longer.
    pub fn charge(&mut self, now: Duration, by: Duration, is_trusted: bool) -> Option<Duration> {
        match is_trusted {
            true => self.trusted.charge(now, by).map(|_| Duration::ZERO),
            false => self.strangers.charge(now, by),
        }
    }

    /// Returns what a stranger was charged: it has taken what senders waited for.
    pub fn refund(&mut self, charged: Duration) {
        self.strangers.spent = self.strangers.spent.saturating_sub(charged);
    }

    /// Returns whether strangers are not to be waited for.
    pub fn is_spent(&mut self, now: Duration) -> bool {
        self.strangers.earn(now);
        self.strangers.spent.saturating_add(LEAST) > self.strangers.most
    }
}

impl Allowance {
    fn new(most: Duration, earn: u32) -> Self {
        let zero = Duration::ZERO;
        Allowance { most, earn, spent: zero, earned: zero, charged: Charged::default() }
    }

    fn charge(&mut self, now: Duration, by: Duration) -> Option<Duration> {
        self.earn(now);
        let new = self.charged.add(now.saturating_sub(by), now);
        self.spent = self.spent.saturating_add(new).min(self.most * 2);
        (self.spent <= self.most).then_some(new)
    }

    fn earn(&mut self, now: Duration) {
        let earned = now.saturating_sub(self.earned) / self.earn;
        self.spent = self.spent.saturating_sub(earned);
        self.earned = self.earned.max(now);
    }
}

impl Charged {
    /// Adds a time. Returns how much of it was not charged before.
    fn add(&mut self, start: Duration, end: Duration) -> Duration {
        let overlap =
            |&(from, to): &(Duration, Duration)| to.min(end).saturating_sub(from.max(start));
        let known = self.0.iter().map(overlap).sum();
        let (mut first, mut last) = (start, end);
        self.0.retain(|&(from, to)| {
            let is_apart = to < start || from > end;
            if !is_apart {
                (first, last) = (first.min(from), last.max(to));
            }
            is_apart
        });
        let place = self.0.partition_point(|&(from, _)| from < first);
        self.0.insert(place, (first, last));
        let surplus = self.0.len().saturating_sub(MOST_TIMES);
        self.0.drain(..surplus);
        end.saturating_sub(start).saturating_sub(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// How long strangers that take turns keep senders waiting, in so many seconds.
    fn waited(waits: &mut Waits, seconds: u64) -> Duration {
        let mut all = Duration::ZERO;
        for now in (1..seconds * 100).map(|step| MS(step * 10)) {
            if !waits.is_spent(now) {
                all += MS(10);
                let _ = waits.charge(now, MS(10), false);
            }
        }
        all
    }

    #[test]
    fn strangers_that_take_turns_cost_a_second_and_then_a_second_a_minute() {
        let mut waits = Waits::new(MS(10_000));
        let waited = waited(&mut waits, 600);
        assert!(waited > MS(5000) && waited < MS(12_000), "{waited:?}");
    }

    #[test]
    fn what_strangers_cost_at_the_same_time_counts_once() {
        let mut waits = Waits::new(MS(10_000));
        for step in 1..90 {
            for _ in 0..50 {
                assert!(waits.charge(MS(step * 10), MS(10), false).is_some(), "{step}");
            }
        }
    }

    #[test]
    fn what_a_short_wait_covers_does_not_hide_a_long_one() {
        let mut waits = Waits::new(MS(10_000));
        assert_eq!(waits.charge(MS(900), MS(1), false), Some(MS(1)));
        assert_eq!(waits.charge(MS(901), MS(901), false), Some(MS(900)));
        assert_eq!(waits.charge(MS(902), MS(902), false), Some(MS(1)));
        assert!(waits.charge(MS(1902), MS(1000), false).is_none());
    }

    #[test]
    fn a_newcomer_that_keeps_to_the_floor_costs_the_others_nothing() {
        let mut waits = Waits::new(MS(10_000));
        for newcomer in 1..100 {
            let charged = waits.charge(MS(newcomer * 500), MS(400), false).expect("waited for");
            waits.refund(charged);
        }
    }

    #[test]
    fn trusted_peers_may_pause_for_a_quarter_of_the_time() {
        let mut waits = Waits::new(MS(10_000));
        for second in 1..600_u64 {
            let pauses = second % 20 < 5;
            assert!(!pauses || waits.charge(MS(second * 1000), MS(1000), true).is_some());
        }
    }
}
