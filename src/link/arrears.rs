//! Accounts for how long a peer keeps senders waiting beyond what it takes meanwhile. Pure.
//!
//! While senders wait for a peer, it falls into arrears. What it takes pays for as much time as a peer at
//! the floor would need for it. The time for which a peer has kept to the floor is its credit: half of it
//! may be spent on standing still. A peer without credit is a stranger. How long strangers together may
//! keep senders waiting is for the node to decide; it says when a peer is not to be waited for any longer.

use std::time::Duration;

use crate::config::Config;
use crate::node::event::PaceChange;
use crate::wire::Total;

/// The node is told when the arrears have grown by this much, and then by half as much again each time.
const FIRST_NOTICE: Duration = Duration::from_millis(10);
/// A peer that is not waited for is waited for again when it has kept to the floor for so long.
const PROOF: Duration = Duration::from_millis(200);

/// Bytes a second at which a large frame is expected to be taken.
const LARGE_FRAME: u32 = 1 << 20;
/// The longest time that it is given for that. A frame of 16 MiB takes some seconds over TLS on a busy
/// machine, and a newcomer with such a machine is no attacker.
const MOST_SLACK: Duration = Duration::from_secs(8);
/// More bytes than the systems at both ends accept for a peer that takes nothing.
pub(super) const BUFFERS: u64 = 8 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Arrears {
    floor: Total,
    /// The longest time for which a peer is trusted to stand still.
    most: Duration,
    owed: Duration,
    /// How much of `owed` the node was told.
    told: Duration,
    /// The time for which the peer has kept to the floor, less what it has stood still for since.
    kept: Duration,
    /// Time that is not charged, because a large frame is on its way.
    slack: Duration,
    /// `false` from when the node says so until the peer has kept to the floor.
    is_waited_for: bool,
    /// How much of `owed` has lapsed since it was nothing.
    lapsed: Duration,
    /// What the peer has paid of what the node was told of: it has taken it.
    paid: Option<Duration>,
    /// Whether the node is to be told that the peer is waited for again.
    is_proven: bool,
    /// Until when a large frame is given no time: others have used it up.
    no_slack: Duration,
}

impl Arrears {
    pub fn new(config: &Config) -> Self {
        Arrears {
            floor: config.pace_floor,
            most: config.pace_window / 4 * 3,
            owed: Duration::ZERO,
            told: Duration::ZERO,
            kept: Duration::ZERO,
            slack: Duration::ZERO,
            is_waited_for: true,
            lapsed: Duration::ZERO,
            paid: None,
            is_proven: false,
            no_slack: Duration::ZERO,
        }
    }

    /// Adds what the peer took in a `span` of time; `full` is how long of it senders waited. Time in
    /// which nobody waits lets arrears lapse. `earns`: the peer itself took it, and not a system.
    pub fn note(&mut self, span: Duration, full: Duration, taken: Total, earns: bool) {
        let payment = self.worth(taken);
        if earns {
            let kept = self.kept.saturating_add(payment.min(span));
            self.kept = kept.min(self.most.saturating_mul(2));
        }
        // Nobody waits for a peer that is not waited for.
        let full = if self.is_waited_for { full } else { Duration::ZERO };
        let owed = self.owed.saturating_add(full).saturating_sub(payment);
        self.owed = owed.saturating_sub(span.saturating_sub(full));
        self.lapsed = self.lapsed.saturating_add(owed.saturating_sub(self.owed));
        if self.owed.is_zero() {
            let told = std::mem::take(&mut self.told);
            let lapsed = std::mem::take(&mut self.lapsed);
            if !told.is_zero() {
                self.paid = Some(told.saturating_sub(lapsed));
            }
            self.is_proven |= !self.is_waited_for && self.kept >= PROOF;
            self.is_waited_for |= self.is_proven;
        }
    }

    /// Notes the largest frame that waits: it is taken all at once.
    pub fn holds(&mut self, now: Duration, largest: u64) {
        let slack = (Duration::from_secs(largest) / LARGE_FRAME).min(MOST_SLACK);
        self.slack = if now < self.no_slack { Duration::ZERO } else { slack };
    }

    /// Gives large frames no time until then.
    pub fn deny_slack(&mut self, until: Duration) {
        self.no_slack = until;
    }

    /// Returns how long a peer at the floor takes for this much.
    fn worth(&self, taken: Total) -> Duration {
        let part = |taken: u64, floor: u64| match floor {
            0 => f64::INFINITY,
            floor => taken as f64 / floor as f64,
        };
        let bytes = part(taken.bytes, self.floor.bytes);
        let seconds = bytes.max(part(taken.frames, self.floor.frames));
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Returns whether senders wait for the peer.
    pub fn is_waited_for(&self) -> bool {
        self.is_waited_for
    }

    /// Senders no longer wait for the peer, until it has kept to the floor.
    pub fn stop_waiting(&mut self) {
        (self.is_waited_for, self.is_proven) = (false, false);
        self.kept = Duration::ZERO;
    }

    /// Returns what the node is to be told.
    pub fn news(&mut self) -> Option<PaceChange> {
        if let Some(paid) = self.paid.take() {
            return Some(PaceChange::Resumed { paid });
        }
        if std::mem::take(&mut self.is_proven) {
            return Some(PaceChange::Proven);
        }
        if !self.is_waited_for || self.owed < self.notice_at() {
            return None;
        }
        let by = self.owed.saturating_sub(self.told);
        self.told = self.owed;
        let is_trusted = by <= self.kept / 2;
        if is_trusted {
            self.kept = self.kept.saturating_sub(by * 2);
        }
        Some(PaceChange::KeptWaiting { by, is_trusted })
    }

    /// Returns after which time of waiting there may be news.
    pub fn pause(&self) -> Duration {
        if !self.is_waited_for {
            return self.most;
        }
        self.notice_at().saturating_sub(self.owed).max(FIRST_NOTICE / 2)
    }

    fn notice_at(&self) -> Duration {
        FIRST_NOTICE.max(self.told.saturating_add(self.told / 2)).saturating_add(self.slack)
    }

    /// Forgets everything: the peer is left behind, and has to keep to the floor to be waited for.
    pub fn clear(&mut self) {
        (self.owed, self.told, self.kept) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        (self.is_waited_for, self.is_proven, self.paid) = (false, false, None);
        self.lapsed = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn take(bytes: u64) -> Total {
        Total { bytes, frames: 1 }
    }

    /// A stranger that has kept senders waiting for a second, of which the node was told.
    fn in_arrears() -> Arrears {
        let mut arrears = Arrears::new(&Config::default());
        arrears.note(MS(1000), MS(1000), Total::default(), true);
        let by = MS(1000);
        assert_eq!(arrears.news(), Some(PaceChange::KeptWaiting { by, is_trusted: false }));
        arrears
    }

    #[test]
    fn what_a_stranger_has_taken_is_paid_and_what_has_lapsed_is_not() {
        let mut arrears = in_arrears();
        arrears.note(MS(100), MS(0), take(64 * 1024), true);
        assert_eq!(arrears.news(), Some(PaceChange::Resumed { paid: MS(1000) }));
        let mut arrears = in_arrears();
        arrears.note(MS(5000), MS(0), Total::default(), true);
        assert_eq!(arrears.news(), Some(PaceChange::Resumed { paid: MS(0) }));
    }

    #[test]
    fn a_peer_that_nobody_waits_for_falls_into_no_arrears() {
        let mut arrears = in_arrears();
        arrears.stop_waiting();
        arrears.note(MS(60_000), MS(60_000), Total::default(), true);
        let _ = arrears.news();
        arrears.note(MS(250), MS(250), take(64 * 1024), true);
        assert!(arrears.is_waited_for(), "it has kept to the floor, and owes nothing");
        assert_eq!((arrears.news(), arrears.news()), (Some(PaceChange::Proven), None));
    }

    #[test]
    fn a_large_frame_is_given_time_unless_others_have_used_it_up() {
        let mut arrears = Arrears::new(&Config::default());
        arrears.holds(MS(0), 16 << 20);
        arrears.note(MS(2000), MS(2000), Total::default(), true);
        assert_eq!(arrears.news(), None);
        arrears.deny_slack(MS(60_000));
        arrears.holds(MS(2000), 16 << 20);
        assert!(matches!(arrears.news(), Some(PaceChange::KeptWaiting { .. })));
        arrears.holds(MS(60_000), 16 << 20);
        assert_eq!(arrears.pause(), MOST_SLACK + MS(1000), "again later");
    }
}
