//! Measures how fast a peer takes what waits for it. Pure arithmetic over times that come from outside.

use std::collections::VecDeque;
use std::time::Duration;

use crate::tally::Tally;
use crate::wire::Total;

/// The time that one sample covers. In a shorter one a single lump would pass for the pace; in a longer
/// one a change would be noticed late.
const SAMPLE: Duration = Duration::from_millis(200);
/// The time that a sample covers at least if the pace has risen.
const RISE: Duration = Duration::from_millis(20);
/// Parts of the window over which [`Window`] adds up.
const SLOTS: u32 = 10;

/// The pace of the last moments, in bytes a second. Only time in which the peer had enough to take
/// counts, so that a peer that is sent little does not look slow.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    rate: Option<f64>,
    taken: u64,
    busy: Duration,
}

impl Speed {
    /// Returns bytes a second; `None` before anything was measured.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Adds `bytes` that were taken in this `span`, in which the peer had something to take throughout.
    pub fn note(&mut self, span: Duration, bytes: u64) {
        self.busy.tally(span);
        self.taken.tally(bytes);
        if self.busy < RISE {
            return;
        }
        let sample = self.taken as f64 / self.busy.as_secs_f64();
        let is_rise = self.rate.map_or(self.taken > 0, |rate| sample > 2.0 * rate);
        if self.busy < SAMPLE && !is_rise {
            return;
        }
        self.rate = Some(match self.rate {
            Some(rate) if rate > sample => {
                let kept = 0.5_f64.powf(self.busy.as_secs_f64() / SAMPLE.as_secs_f64());
                rate * kept + sample * (1.0 - kept)
            }
            _ => sample,
        });
        (self.taken, self.busy) = (0, Duration::ZERO);
    }
}

/// What was taken in the last `window` of time, and for how long of it senders waited.
#[derive(Debug)]
pub(crate) struct Window {
    slot: Duration,
    slots: VecDeque<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    number: u64,
    full: Duration,
    taken: Total,
}

/// The sum over a [`Window`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// How long senders waited for the peer.
    pub full: Duration,
    pub taken: Total,
}

impl Window {
    pub fn new(window: Duration) -> Self {
        let slot = (window / SLOTS).max(Duration::from_millis(1));
        Window { slot, slots: VecDeque::new() }
    }

    /// Adds what was taken in the time before `now`, and for how long senders waited meanwhile.
    pub fn note(&mut self, now: Duration, full: Duration, taken: Total) {
        let number = self.number(now);
        let is_over = |slot: &Slot| slot.number.saturating_add(u64::from(SLOTS)) <= number;
        while self.slots.front().is_some_and(is_over) {
            self.slots.pop_front();
        }
        match self.slots.back_mut() {
            Some(slot) if slot.number == number => {
                slot.full.tally(full);
                slot.taken.add(taken);
            }
            _ => self.slots.push_back(Slot { number, full, taken }),
        }
    }

    pub fn record(&self) -> Record {
        self.slots.iter().fold(Record::default(), |mut sum, slot| {
            sum.full.tally(slot.full);
            sum.taken.add(slot.taken);
            sum
        })
    }

    pub fn clear(&mut self) {
        self.slots.clear();
    }

    fn number(&self, now: Duration) -> u64 {
        let number = now.as_nanos().checked_div(self.slot.as_nanos()).unwrap_or(0);
        u64::try_from(number).unwrap_or(u64::MAX / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_pace_that_falls_is_known_within_a_second() {
        let mut speed = Speed::default();
        speed.note(MS(200), 10_000_000);
        assert_eq!(speed.rate(), Some(50_000_000.0));
        (0..5).for_each(|_| speed.note(MS(200), 1000));
        assert!(speed.rate().is_some_and(|rate| rate < 2_000_000.0), "{speed:?}");
        let mut at_once = Speed::default();
        at_once.note(MS(200), 10_000_000);
        at_once.note(MS(5000), 0);
        assert!(at_once.rate().is_some_and(|rate| rate < 10.0), "{at_once:?}");
    }

    #[test]
    fn a_pace_that_rises_is_known_at_once() {
        let mut speed = Speed::default();
        speed.note(MS(5000), 0);
        speed.note(MS(200), 1_000_000);
        assert_eq!(speed.rate(), Some(5_000_000.0));
    }

    #[test]
    fn lumps_within_a_sample_are_a_steady_pace() {
        let mut speed = Speed::default();
        speed.note(MS(200), 2000);
        for _ in 0..100 {
            speed.note(MS(90), 0);
            speed.note(MS(10), 1000);
        }
        assert_eq!(speed.rate(), Some(10_000.0));
    }

    #[test]
    fn a_window_forgets_what_is_older_than_it() {
        let mut window = Window::new(MS(10_000));
        let one = Total { bytes: 100, frames: 1 };
        for second in 0..30 {
            window.note(MS(1000 * second), MS(500), one);
        }
        let record = window.record();
        assert_eq!(record.full, MS(5000));
        assert_eq!(record.taken, Total { bytes: 1000, frames: 10 });
        window.note(MS(90_000), MS(0), Total::default());
        assert_eq!(window.record(), Record::default());
    }
}
