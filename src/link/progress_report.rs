//! Counts what a link has read and the daemon has taken, and decides when to report it to the peer. Pure.
//!
//! A peer that knows how much was taken can limit what waits to what this node takes in a short time.
//! Light traffic, of which everything is taken at once, causes no reports.

use std::time::Duration;

use crate::wire::Total;

/// A report is due when this much has been taken since the last one, ...
const VOLUME: Total = Total { bytes: 64 * 1024, frames: 256 };
/// ... and at least this time has passed since then.
const OFTEN: Duration = Duration::from_millis(2);
/// While some of what was read is not taken, a report is due this long after the last one if anything has
/// been taken since, ...
const SLOWLY: Duration = Duration::from_millis(50);
/// ... and this long after it if nothing has.
const STANDING: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(crate) struct ProgressReport {
    read: Total,
    /// What was read and is not taken yet.
    in_hand: Total,
    /// The time since which `in_hand` has not been empty.
    since: Duration,
    reported: Total,
    reported_at: Duration,
    is_asked: bool,
    /// The last report was sent while a slow program had not taken everything.
    is_told_slow: bool,
}

impl ProgressReport {
    /// Adds frames that were read.
    pub fn read(&mut self, wire: Total) {
        self.read.add(wire);
    }

    /// Adds frames that were read and are not taken yet.
    pub fn hand_on(&mut self, now: Duration, total: Total) {
        if self.in_hand == Total::default() {
            self.since = now;
        }
        self.in_hand.add(total);
    }

    /// Removes frames that have now been taken.
    pub fn take_back(&mut self, total: Total) {
        self.in_hand = self.in_hand.since(total);
    }

    /// Notes that the peer asked for a report.
    pub fn ask(&mut self) {
        self.is_asked = true;
    }

    /// Returns all that has been taken since the link began.
    pub fn taken(&self) -> Total {
        self.read.since(self.in_hand)
    }

    /// Returns the average size of a frame on this link, in bytes.
    pub fn frame(&self) -> u64 {
        self.read.bytes.checked_div(self.read.frames).unwrap_or(0).max(1)
    }

    /// Returns when the next report is due.
    pub fn due(&self) -> Option<Duration> {
        if self.is_asked {
            return Some(Duration::ZERO);
        }
        if self.has_news() {
            return Some(self.reported_at.saturating_add(OFTEN));
        }
        if self.in_hand == Total::default() {
            return None;
        }
        let pause = if self.taken() == self.reported { STANDING } else { SLOWLY };
        Some(self.reported_at.max(self.since).saturating_add(pause))
    }

    /// Returns whether so much has been taken that a report is due. After a report of a slow program one is
    /// due also when that program has taken everything: senders may wait for that.
    pub fn has_news(&self) -> bool {
        if self.is_told_slow && self.in_hand == Total::default() {
            return true;
        }
        let untold = self.taken().since(self.reported);
        untold.bytes >= VOLUME.bytes || untold.frames >= VOLUME.frames
    }

    /// Returns what to report now, if a report is due.
    pub fn report(&mut self, now: Duration) -> Option<Total> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        (self.is_asked, self.reported_at, self.reported) = (false, now, self.taken());
        self.is_told_slow =
            self.in_hand != Total::default() && now >= self.since.saturating_add(SLOWLY);
        Some(self.reported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn total(frames: u64) -> Total {
        Total { bytes: 200 * frames, frames }
    }

    fn read(progress: &mut ProgressReport, now: Duration, frames: u64) {
        progress.read(total(frames));
        progress.hand_on(now, total(frames));
    }

    #[test]
    fn light_traffic_that_is_taken_at_once_causes_no_reports() {
        let mut progress = ProgressReport::default();
        for now in 0..200 {
            read(&mut progress, MS(now * 100), 1);
            assert_eq!(progress.report(MS(now * 100 + 1)), None);
            progress.take_back(total(1));
            assert_eq!(progress.due(), None);
        }
    }

    #[test]
    fn heavy_traffic_is_reported_by_volume() {
        let mut progress = ProgressReport::default();
        let mut reports = 0;
        for now in 1000..2000 {
            read(&mut progress, MS(now), 100);
            progress.take_back(total(100));
            reports += u64::from(progress.report(MS(now)).is_some());
        }
        assert!((300..=334).contains(&reports), "{reports}");
        assert!(progress.taken().since(progress.reported).frames < 400);
    }

    #[test]
    fn a_slow_program_is_reported_while_it_goes_on_and_while_it_stands() {
        let mut progress = ProgressReport::default();
        read(&mut progress, MS(1000), 64);
        assert_eq!(progress.due(), Some(MS(1500)));
        progress.take_back(total(1));
        assert_eq!(progress.due(), Some(MS(1050)));
        assert_eq!((progress.report(MS(1049)), progress.report(MS(1050))), (None, Some(total(1))));
        assert_eq!(progress.due(), Some(MS(1550)), "a sign of life");
        assert_eq!(progress.report(MS(1550)), Some(total(1)));
        progress.take_back(total(63));
        assert_eq!(
            progress.due(),
            Some(MS(1552)),
            "all is taken: senders need not wait any longer"
        );
        assert_eq!(progress.report(MS(1552)), Some(total(64)));
        assert_eq!(progress.due(), None);
    }

    #[test]
    fn a_peer_that_asks_gets_a_report_at_once() {
        let mut progress = ProgressReport::default();
        read(&mut progress, MS(1000), 3);
        progress.take_back(total(2));
        progress.ask();
        assert_eq!((progress.report(MS(1000)), progress.report(MS(1000))), (Some(total(2)), None));
    }
}
