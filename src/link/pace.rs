//! How much may wait for a peer, by the pace at which it takes, and who is waited for at all. Pure.
//!
//! What waits for a peer is what is queued here and what was written but not taken there. A peer
//! that reports says what it has taken; of any other one, what the system accepted counts as taken.

use std::time::Duration;

use self::stood::{Mark, Stood};
use super::judge::{Judge, Turn};
use super::meter::{Speed, Total};
use crate::config::Config;

/// What may wait for a peer is what it takes in this time, ...
const TARGET: Duration = Duration::from_millis(500);
/// ... or in twice the time that a question and its answer take, up to this.
const MOST_TARGET: Duration = Duration::from_secs(2);
/// What may wait whatever the pace: enough that a slow program always has something to take.
const LEAST: u64 = 16 * 1024;
/// The same in frames, for large ones.
const LEAST_FRAMES: u64 = 8;
/// A peer that has just reported is not asked, ...
const ASK_EVERY: Duration = Duration::from_millis(50);
/// ... unless it takes as much as may wait from one question to the next.
const ASK_OFTEN: Duration = Duration::from_millis(2);
/// A report that was asked for and did not come is asked for again after this time.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// A peer that has taken nothing for this long stands still.
const STANDS: Duration = Duration::from_millis(250);

/// What a reporting peer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// All that it has taken since the link began, as bytes and frames on the wire.
    pub total: Total,
    /// Bytes that it can take on top of that without keeping anybody waiting.
    pub room: u64,
}

/// One peer's pace, and what follows from it.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The hard bound of what our own messages may fill, in bytes.
    most: u64,
    is_reporting: bool,
    queued: Total,
    written: Total,
    taken: Total,
    room: u64,
    speed: Speed,
    judge: Judge,
    /// When all of this was last brought up to date, and what had been taken then.
    noted: Duration,
    noted_taken: Total,
    /// The last time that the peer took something, or had nothing to take.
    moved: Duration,
    /// How it stood then.
    stood: Stood,
    /// When the peer was asked, if it has not answered yet, and when it reported last.
    asked: Option<Duration>,
    reported: Option<Duration>,
    /// The last report told of much.
    is_fast: bool,
    /// The shortest time from a question to its answer.
    round_trip: Duration,
}

impl Pace {
    pub fn new(config: &Config) -> Self {
        Pace {
            most: config.outbound as u64 / 2,
            is_reporting: false,
            queued: Total::default(),
            written: Total::default(),
            taken: Total::default(),
            room: u64::MAX,
            speed: Speed::default(),
            judge: Judge::new(config),
            noted: Duration::ZERO,
            noted_taken: Total::default(),
            moved: Duration::ZERO,
            stood: Stood::default(),
            asked: None,
            reported: None,
            is_fast: false,
            round_trip: Duration::MAX,
        }
    }

    /// The peer reports what it takes.
    pub fn expect_reports(&mut self) {
        self.is_reporting = true;
    }

    pub fn put(&mut self, bytes: usize) {
        self.queued.add(Total { bytes: bytes as u64, frames: 1 });
    }

    /// Frames left the queue without being written.
    pub fn dropped(&mut self, dropped: Total) {
        self.queued = self.queued.since(dropped);
    }

    /// Frames left the queue: all of them are with the system.
    pub fn wrote(&mut self, queued: Total, wire: Total) {
        self.queued = self.queued.since(queued);
        self.written.add(wire);
        if !self.is_reporting {
            self.taken = self.written;
        }
    }

    /// A peer reports. What cannot be is not believed.
    pub fn reported(&mut self, now: Duration, report: Taken) {
        if !self.is_reporting {
            return;
        }
        if let Some(asked) = self.asked.take() {
            self.round_trip = self.round_trip.min(now.saturating_sub(asked));
        }
        (self.room, self.reported) = (report.room, Some(now));
        let taken = report.total.at_most(self.written);
        self.is_fast = taken.since(self.taken).bytes >= self.allowance() / 2;
        self.taken = Total {
            bytes: taken.bytes.max(self.taken.bytes),
            frames: taken.frames.max(self.taken.frames),
        };
        self.note(now);
    }

    /// Bytes that a reporting peer has taken: they only grow.
    pub fn taken(&self) -> Option<u64> {
        self.is_reporting.then_some(self.taken.bytes)
    }

    /// Whether there is nothing to look at: little waits, as before, and the peer is waited for.
    pub fn is_quiet(&self) -> bool {
        let was_quiet = !self.stood.is_busy && !self.stood.is_full;
        let is_quiet = match self.is_reporting {
            true => self.is_below(Mark::Busy),
            false => self.queued.frames == 0,
        };
        was_quiet && is_quiet && self.judge.is_quiet()
    }

    /// Whether so much waits as the link's thread does not know of.
    pub fn is_news(&self) -> bool {
        self.is_reporting && !self.stood.is_busy && !self.is_below(Mark::Busy)
    }

    /// Whether senders have to wait, as of the last turn of the link's thread.
    pub fn is_full(&self) -> bool {
        self.stood.is_full
    }

    /// What is queued here, or written and not taken there.
    pub fn waiting(&self) -> Total {
        let mut waiting = self.written.since(self.taken);
        waiting.add(self.queued);
        waiting
    }

    /// Bytes that may wait, by the pace.
    pub fn allowance(&self) -> u64 {
        let by_pace = match self.speed.rate() {
            Some(rate) => (rate * self.target().as_secs_f64()) as u64,
            None => LEAST,
        };
        by_pace.min(self.room).max(LEAST).min(self.most)
    }

    fn target(&self) -> Duration {
        match self.round_trip.checked_mul(2) {
            Some(twice) => twice.clamp(TARGET, MOST_TARGET),
            None => TARGET,
        }
    }

    /// Whether a message of this node may go in.
    pub fn has_room(&self) -> bool {
        self.is_below(Mark::Full)
    }

    /// The same for somebody who has begun to wait: some way below where it stopped.
    pub fn has_drained(&self) -> bool {
        self.is_below(Mark::GoOn)
    }

    /// Whether whoever relays into this queue is to be slowed down. A peer that takes nothing at all
    /// slows nobody down in this way, or a ring of them would stand still for ever: then the bound of
    /// the queue in bytes decides alone.
    pub fn is_pressed(&self) -> bool {
        !self.stood.is_still && !self.is_below(Mark::Pressed)
    }

    fn is_below(&self, mark: Mark) -> bool {
        let waiting = self.waiting();
        let most = self.most.saturating_mul(mark as u64) / 4;
        waiting.bytes == 0 || waiting.bytes <= most && self.is_light(waiting, mark)
    }

    /// Whether so much is below a mark. A few frames are, however large.
    fn is_light(&self, waiting: Total, mark: Mark) -> bool {
        let quarters = mark as u64;
        waiting.bytes <= self.allowance().saturating_mul(quarters) / 4
            || waiting.frames < LEAST_FRAMES / 4 * quarters
    }

    /// Whether it is time to ask the peer how far it is. Says yes once.
    pub fn asks(&mut self, now: Duration) -> bool {
        let is_wanted = self.is_reporting
            && now >= self.ask_at()
            && self.written != self.taken
            && !self.is_below(Mark::Busy);
        if is_wanted {
            self.asked = Some(now);
        }
        is_wanted
    }

    /// Whether the peer misses what has no room, rather than being waited for.
    pub fn is_behind(&self) -> bool {
        self.judge.is_behind()
    }

    /// Something had no room in the queue of a peer that is left behind.
    pub fn miss(&mut self, bytes: usize) {
        self.judge.miss(bytes);
    }

    /// From now on the peer misses what has no room.
    pub fn leave_behind(&mut self) {
        self.judge.leave_behind();
    }

    /// Looks whether the peer is to be left behind, or has caught up. The link's thread does so in
    /// each of its turns.
    pub fn judge(&mut self, now: Duration) -> Option<Turn> {
        self.note(now);
        self.judge.judge(self.stood.is_full)
    }

    /// When to judge again, if nothing happens before.
    pub fn deadline(&self) -> Option<Duration> {
        let asks = self.is_reporting && self.stood.is_busy && self.written != self.taken;
        let judge = self.judge.deadline(self.stood.is_full);
        [asks.then(|| self.ask_at()), judge].into_iter().flatten().min()
    }

    fn ask_at(&self) -> Duration {
        let pause = if self.is_fast { ASK_OFTEN } else { ASK_EVERY };
        match (self.asked, self.reported) {
            (Some(asked), _) => asked + ASK_AGAIN,
            (None, reported) => reported.map_or(Duration::ZERO, |reported| reported + pause),
        }
    }

    /// Accounts for the time since this was last called, and looks how the peer stands now.
    fn note(&mut self, now: Duration) {
        let span = now.saturating_sub(self.noted);
        let taken = self.taken.since(self.noted_taken);
        // Only a peer that had something to take shows its pace.
        if self.stood.is_busy {
            self.speed.note(span, taken.bytes);
        }
        let full = if self.stood.is_full { span } else { Duration::ZERO };
        self.judge.note(now, full, taken);
        (self.noted, self.noted_taken) = (now.max(self.noted), self.taken);
        let waiting = self.waiting();
        if taken != Total::default() || waiting == Total::default() {
            self.moved = now;
        }
        self.stood = Stood {
            is_busy: self.is_busy(waiting),
            is_full: !self.is_below(Mark::GoOn),
            is_still: now >= self.moved + STANDS,
        };
    }

    /// What the system of a peer that does not report refuses, the peer leaves it with.
    fn is_busy(&self, waiting: Total) -> bool {
        if self.is_reporting { !self.is_below(Mark::Busy) } else { waiting.frames > 0 }
    }
}

mod stood;
#[cfg(test)]
mod tests;
