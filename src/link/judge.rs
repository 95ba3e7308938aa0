//! Who is waited for: a peer that keeps others waiting and takes less than the floor is left behind
//! until it has caught up. Pure.

use std::time::Duration;

use super::meter::{Total, Window};
use crate::config::Config;

/// Whether a peer is waited for has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// From now on it misses what has no room.
    LeftBehind,
    /// It is still left behind, and has missed this much so far.
    Misses { missed: Total },
    /// It is waited for again, after having missed this much.
    CaughtUp { missed: Total },
}

#[derive(Debug)]
pub(crate) struct Judge {
    floor: Total,
    window: Duration,
    record: Window,
    now: Duration,
    behind: Option<Behind>,
    turned: Option<Turn>,
}

/// A peer that is left behind.
#[derive(Debug)]
struct Behind {
    missed: Total,
    /// Something had no room since that was last looked at.
    has_missed: bool,
    /// When to look whether it has caught up.
    review: Duration,
}

impl Judge {
    pub fn new(config: &Config) -> Self {
        Judge {
            floor: config.pace_floor,
            window: config.pace_window,
            record: Window::new(config.pace_window),
            now: Duration::ZERO,
            behind: None,
            turned: None,
        }
    }

    /// The peer took this in the time before `now`, and kept others waiting for `full` of it.
    pub fn note(&mut self, now: Duration, full: Duration, taken: Total) {
        self.now = now;
        self.record.note(now, full, taken);
    }

    /// Whether the peer misses what has no room, rather than being waited for.
    pub fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    /// Whether the peer is waited for, and was when that was last asked.
    pub fn is_quiet(&self) -> bool {
        self.behind.is_none() && self.turned.is_none()
    }

    /// Something had no room in the queue of a peer that is left behind.
    pub fn miss(&mut self, bytes: usize) {
        if let Some(behind) = &mut self.behind {
            behind.missed.add(Total { bytes: bytes as u64, frames: 1 });
            behind.has_missed = true;
        }
    }

    /// From now on the peer misses what has no room.
    pub fn leave_behind(&mut self) {
        if self.behind.is_none() {
            self.record.clear();
            let review = self.now + self.window / 2;
            self.behind = Some(Behind { missed: Total::default(), has_missed: true, review });
            self.turned = Some(Turn::LeftBehind);
        }
    }

    /// Looks whether the peer is to be left behind, or has caught up; what has changed since this
    /// was last called.
    pub fn judge(&mut self, is_full: bool) -> Option<Turn> {
        match &self.behind {
            None if self.is_below_floor() => self.leave_behind(),
            Some(behind) if self.now >= behind.review => self.review(is_full),
            _ => {}
        }
        self.turned.take()
    }

    /// It kept others waiting for most of the window, and took too little meanwhile.
    fn is_below_floor(&self) -> bool {
        let record = self.record.record();
        record.full >= self.window / 4 * 3 && self.is_slow(record.taken, record.full)
    }

    fn is_slow(&self, taken: Total, span: Duration) -> bool {
        let seconds = span.as_secs_f64();
        (taken.bytes as f64) < self.floor.bytes as f64 * seconds
            && (taken.frames as f64) < self.floor.frames as f64 * seconds
    }

    /// A peer has caught up when for half a window there was room for everything, and there is now,
    /// or it kept above the floor.
    fn review(&mut self, is_full: bool) {
        let half = self.window / 2;
        let is_slow = self.is_slow(self.record.record().taken, half);
        self.record.clear();
        let Some(behind) = &mut self.behind else { return };
        if (std::mem::take(&mut behind.has_missed) || is_full) && is_slow {
            behind.review = self.now + half;
            self.turned = Some(Turn::Misses { missed: behind.missed });
            return;
        }
        self.turned = Some(Turn::CaughtUp { missed: behind.missed });
        self.behind = None;
    }

    /// When to judge a peer again that keeps others waiting, or not.
    pub fn deadline(&self, is_full: bool) -> Option<Duration> {
        match &self.behind {
            Some(behind) => Some(behind.review),
            None => is_full.then(|| self.now + self.window / 10),
        }
    }
}
