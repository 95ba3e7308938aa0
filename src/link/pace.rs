//! Limits what may wait for a peer to what it takes in a short time. Decides whether it is waited for. Pure.
//!
//! What waits for a peer is what is queued here and what was written but not taken there. A peer
//! that reports says what it has taken. For any other one, what the system accepted counts as taken.

use std::time::Duration;

pub(crate) use self::standing::Taken;
use self::standing::{Fullness, Standing};
use super::arrears;
use super::meter::Speed;
use super::pace_floor::PaceFloor;
use crate::config::Config;
use crate::node::event::PaceChange;
use crate::wire::Total;

/// What a peer takes in this time may wait for it, ...
const TARGET: Duration = Duration::from_millis(500);
/// ... or in twice the time from a question to its answer, up to this limit.
const MOST_TARGET: Duration = Duration::from_secs(2);
/// Bytes that may wait at any pace, so that a slow program always has something to take.
const LEAST: u64 = 16 * 1024;
/// Bytes that may wait for a peer when an answer to its request is queued.
const ANSWERS: u64 = LEAST / 2;
/// Frames that may wait at any pace.
const LEAST_FRAMES: u64 = 8;
/// A peer is asked for a report this long after its last one, ...
const ASK_EVERY: Duration = Duration::from_millis(50);
/// ... or this long after it, if that report told of at least half of what may wait.
const ASK_OFTEN: Duration = Duration::from_millis(2);
/// A question that was not answered is repeated after this time.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// A peer that has taken nothing for this long stands still.
const STANDS: Duration = Duration::from_millis(250);

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
    /// Bytes of the largest frame since nothing waited.
    largest: u64,
    speed: Speed,
    floor: PaceFloor,
    /// When all of this was last brought up to date, and what had been taken then.
    noted: Duration,
    noted_taken: Total,
    /// The last time at which the peer took something, or had nothing to take.
    moved: Duration,
    /// How full its queue was at `noted`.
    standing: Standing,
    /// When the peer was asked, if it has not answered yet, and when it reported last.
    asked: Option<Duration>,
    reported: Option<Duration>,
    /// The last report told of at least half of what may wait.
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
            largest: 0,
            speed: Speed::default(),
            floor: PaceFloor::new(config),
            noted: Duration::ZERO,
            noted_taken: Total::default(),
            moved: Duration::ZERO,
            standing: Standing::default(),
            asked: None,
            reported: None,
            is_fast: false,
            round_trip: Duration::MAX,
        }
    }

    /// Notes that the peer reports what it takes.
    pub fn expect_reports(&mut self) {
        self.is_reporting = true;
    }

    pub fn put(&mut self, bytes: usize) {
        self.queued.add(Total { bytes: bytes as u64, frames: 1 });
        self.largest = self.largest.max(bytes as u64);
    }

    /// Removes frames that left the queue without being written.
    pub fn dropped(&mut self, dropped: Total) {
        self.queued = self.queued.since(dropped);
    }

    /// Moves frames from the queue to the system, which has accepted all of them.
    pub fn wrote(&mut self, queued: Total, wire: Total) {
        self.queued = self.queued.since(queued);
        self.written.add(wire);
        if !self.is_reporting {
            self.taken = self.written;
        }
    }

    /// Notes a report of the peer. A total that it cannot have taken is limited to what was written.
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

    /// Returns how many bytes a reporting peer has taken: the number only grows.
    pub fn taken(&self) -> Option<u64> {
        self.is_reporting.then_some(self.taken.bytes)
    }

    /// Returns whether there is nothing to do: little waits, as before, and the peer is waited for.
    pub fn is_quiet(&self) -> bool {
        let was_quiet = !self.standing.is_busy && !self.standing.is_full;
        let is_quiet = match self.is_reporting {
            true => self.is_below(Fullness::Busy),
            false => self.queued.frames == 0,
        };
        was_quiet && is_quiet && self.floor.is_quiet()
    }

    /// Returns whether much more waits than when the link's thread last looked.
    pub fn is_news(&self) -> bool {
        self.is_reporting && !self.standing.is_busy && !self.is_below(Fullness::Busy)
    }

    /// Returns whether senders had to wait in the last turn of the link's thread.
    pub fn is_full(&self) -> bool {
        self.standing.is_full
    }

    /// Returns what is queued here, or written and not taken there.
    pub fn waiting(&self) -> Total {
        let mut waiting = self.written.since(self.taken);
        waiting.add(self.queued);
        waiting
    }

    /// Returns how many bytes may wait, by the pace.
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

    /// Returns whether a message of this node may go in.
    pub fn has_room(&self) -> bool {
        self.is_below(Fullness::Full)
    }

    /// Returns whether an answer to a request may go in. Answers alone never keep senders waiting.
    pub fn takes_answer(&self) -> bool {
        self.waiting().bytes <= ANSWERS
    }

    /// The same for a sender that has begun to wait: it goes on some way below the mark at which it stopped.
    pub fn has_drained(&self) -> bool {
        self.is_below(Fullness::GoOn)
    }

    /// Returns whether the sources of relays into this queue are throttled. A peer that takes nothing at all
    /// throttles none of them in this way, or a ring of such peers would stand still for ever: then only
    /// the bound of the queue in bytes throttles.
    pub fn is_pressed(&self) -> bool {
        !self.standing.is_still && !self.is_below(Fullness::Pressed)
    }

    fn is_below(&self, mark: Fullness) -> bool {
        let waiting = self.waiting();
        let most = self.most.saturating_mul(mark as u64) / 4;
        waiting.bytes == 0 || waiting.bytes <= most && self.is_light(waiting, mark)
    }

    /// Returns whether this is below a mark. A few frames are, whatever their size.
    fn is_light(&self, waiting: Total, mark: Fullness) -> bool {
        let quarters = mark as u64;
        waiting.bytes <= self.allowance().saturating_mul(quarters) / 4
            || waiting.frames < (LEAST_FRAMES / 4).saturating_mul(quarters)
    }

    /// Returns whether to ask the peer now how much it has taken, and notes that it was asked.
    pub fn asks(&mut self, now: Duration) -> bool {
        let is_wanted = self.is_reporting
            && now >= self.ask_at()
            && self.written != self.taken
            && !self.is_below(Fullness::Busy);
        if is_wanted {
            self.asked = Some(now);
        }
        is_wanted
    }

    /// Decides whether the peer is waited for.
    pub fn floor(&self) -> &PaceFloor {
        &self.floor
    }

    pub fn floor_mut(&mut self) -> &mut PaceFloor {
        &mut self.floor
    }

    /// Decides whether the peer is to be left behind, or has caught up. The link's thread calls this in
    /// each of its turns.
    pub fn judge(&mut self, now: Duration) -> Option<PaceChange> {
        self.note(now);
        self.floor.judge(self.standing.is_full)
    }

    /// Returns when to judge again, if nothing happens before.
    pub fn deadline(&self) -> Option<Duration> {
        let asks = self.is_reporting && self.standing.is_busy && self.written != self.taken;
        let floor = self.floor.deadline(self.standing.is_full);
        [asks.then(|| self.ask_at()), floor].into_iter().flatten().min()
    }

    fn ask_at(&self) -> Duration {
        let pause = if self.is_fast { ASK_OFTEN } else { ASK_EVERY };
        match (self.asked, self.reported) {
            (Some(asked), _) => asked.saturating_add(ASK_AGAIN),
            (None, reported) => {
                reported.map_or(Duration::ZERO, |reported| reported.saturating_add(pause))
            }
        }
    }

    /// Accounts for the time since the last call, and notes how full the queue of the peer is now.
    fn note(&mut self, now: Duration) {
        let span = now.saturating_sub(self.noted);
        let taken = self.taken.since(self.noted_taken);
        // Only a peer that had something to take shows its pace.
        if self.standing.is_busy {
            self.speed.note(span, taken.bytes);
        }
        let full = if self.standing.is_full { span } else { Duration::ZERO };
        let earns_trust = self.is_reporting || self.written.bytes > arrears::BUFFERS;
        self.floor.note(now, full, taken, earns_trust);
        (self.noted, self.noted_taken) = (now.max(self.noted), self.taken);
        let waiting = self.waiting();
        if waiting.frames == 0 {
            self.largest = 0;
        }
        self.floor.holds(self.largest);
        if taken != Total::default() || waiting == Total::default() {
            self.moved = now;
        }
        self.standing = Standing {
            is_busy: self.is_busy(waiting),
            is_full: !self.is_below(Fullness::GoOn),
            is_still: now >= self.moved.saturating_add(STANDS),
        };
    }

    /// Returns whether the peer has something to take at any time. Of a peer that does not report only this
    /// is known: whether the system refuses bytes.
    fn is_busy(&self, waiting: Total) -> bool {
        if self.is_reporting { !self.is_below(Fullness::Busy) } else { waiting.frames > 0 }
    }
}

mod standing;
#[cfg(test)]
mod tests;
