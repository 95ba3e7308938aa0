//! Decides which peers are waited for: a peer that keeps senders waiting and takes less than the floor
//! is left behind until it has caught up. Pure.

use std::time::Duration;

use super::arrears::Arrears;
use super::meter::Window;
use crate::config::Config;
use crate::node::event::PaceChange;
use crate::wire::Total;

#[derive(Debug)]
pub(crate) struct PaceFloor {
    floor: Total,
    window: Duration,
    record: Window,
    arrears: Arrears,
    now: Duration,
    behind: Option<Behind>,
    changed: Option<PaceChange>,
}

/// A peer that is left behind.
#[derive(Debug)]
struct Behind {
    missed: Total,
    /// Whether a message had no room since the last review.
    has_missed: bool,
    /// When to check whether the peer has caught up.
    review: Duration,
}

impl PaceFloor {
    pub fn new(config: &Config) -> Self {
        PaceFloor {
            floor: config.pace_floor,
            window: config.pace_window,
            record: Window::new(config.pace_window),
            arrears: Arrears::new(config),
            now: Duration::ZERO,
            behind: None,
            changed: None,
        }
    }

    /// Adds what the peer took in the time before `now`; `full` is how long of that senders waited for it.
    /// `earns_trust`: the peer itself took it, and not a system.
    pub fn note(&mut self, now: Duration, full: Duration, taken: Total, earns_trust: bool) {
        self.arrears.note(now.saturating_sub(self.now), full, taken, earns_trust);
        self.now = now;
        self.record.note(now, full, taken);
    }

    /// Notes the largest frame that waits.
    pub fn holds(&mut self, largest: u64) {
        self.arrears.holds(self.now, largest);
    }

    /// Returns whether the peer is left behind: messages that have no room do not go to it.
    pub fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    /// Returns whether senders wait for the peer when its queue is full.
    pub fn is_waited_for(&self) -> bool {
        self.behind.is_none() && self.arrears.is_waited_for()
    }

    /// Gives large frames that wait no time of their own until then.
    pub fn deny_slack(&mut self, until: Duration) {
        self.arrears.deny_slack(until);
    }

    /// Senders no longer wait for the peer, until it has kept to the floor.
    pub fn stop_waiting(&mut self) {
        self.arrears.stop_waiting();
    }

    /// Returns whether the peer is not left behind, and [`PaceFloor::judge`] has no change to return.
    pub fn is_quiet(&self) -> bool {
        self.behind.is_none() && self.changed.is_none()
    }

    /// Counts a message that had no room in the queue of a peer that is left behind.
    pub fn miss(&mut self, bytes: usize) {
        if let Some(behind) = &mut self.behind {
            behind.missed.add(Total { bytes: bytes as u64, frames: 1 });
            behind.has_missed = true;
        }
    }

    /// Leaves the peer behind.
    pub fn leave_behind(&mut self) {
        if self.behind.is_none() {
            self.record.clear();
            self.arrears.clear();
            let review = self.now.saturating_add(self.window / 2);
            self.behind = Some(Behind { missed: Total::default(), has_missed: true, review });
            self.changed = Some(PaceChange::LeftBehind);
        }
    }

    /// Decides whether the peer is to be left behind, or has caught up. Returns what has changed since the
    /// last call.
    pub fn judge(&mut self, is_full: bool) -> Option<PaceChange> {
        match &self.behind {
            None if self.is_waited_for() && self.is_below_floor() => self.leave_behind(),
            Some(behind) if self.now >= behind.review => self.review(is_full),
            _ => {}
        }
        self.changed.take().or_else(|| match self.behind {
            // It is told once the peer has caught up.
            Some(_) => None,
            None => self.arrears.news(),
        })
    }

    /// Returns whether senders waited for the peer in most of the window, and it took too little then.
    fn is_below_floor(&self) -> bool {
        let record = self.record.record();
        record.full >= self.window / 4 * 3 && self.is_slow(record.taken, record.full)
    }

    fn is_slow(&self, taken: Total, span: Duration) -> bool {
        let seconds = span.as_secs_f64();
        (taken.bytes as f64) < self.floor.bytes as f64 * seconds
            && (taken.frames as f64) < self.floor.frames as f64 * seconds
    }

    /// Decides whether the peer has caught up: for half a window every message had room, and there is room
    /// now, or the peer took more than the floor.
    fn review(&mut self, is_full: bool) {
        let half = self.window / 2;
        let is_slow = self.is_slow(self.record.record().taken, half);
        self.record.clear();
        let Some(behind) = &mut self.behind else { return };
        if (std::mem::take(&mut behind.has_missed) || is_full) && is_slow {
            behind.review = self.now.saturating_add(half);
            self.changed = Some(PaceChange::Misses { missed: behind.missed });
            return;
        }
        self.changed = Some(PaceChange::CaughtUp { missed: behind.missed });
        self.behind = None;
    }

    /// Returns when to judge again, if nothing happens before.
    pub fn deadline(&self, is_full: bool) -> Option<Duration> {
        match &self.behind {
            Some(behind) => Some(behind.review),
            None => {
                is_full.then(|| self.now.saturating_add(self.arrears.pause().min(self.window / 10)))
            }
        }
    }
}
