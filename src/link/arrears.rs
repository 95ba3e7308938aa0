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
    has_resumed: bool,
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
            has_resumed: false,
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
        let lapsed = span.saturating_sub(full);
        self.owed = self.owed.saturating_add(full).saturating_sub(payment).saturating_sub(lapsed);
        if self.owed.is_zero() {
            self.has_resumed |= !self.told.is_zero();
            self.told = Duration::ZERO;
            self.is_waited_for |= self.kept >= PROOF;
        }
    }

    /// Notes the largest frame that waits: it is taken all at once.
    pub fn holds(&mut self, largest: u64) {
        self.slack = (Duration::from_secs(largest) / LARGE_FRAME).min(MOST_SLACK);
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
        self.is_waited_for = false;
        self.kept = Duration::ZERO;
    }

    /// Returns what the node is to be told.
    pub fn news(&mut self) -> Option<PaceChange> {
        if std::mem::take(&mut self.has_resumed) {
            return Some(PaceChange::Resumed);
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
        (self.is_waited_for, self.has_resumed) = (false, false);
    }
}
