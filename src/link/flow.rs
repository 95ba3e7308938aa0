//! Flow control: how many bytes may wait where, and when a peer is too slow. Pure arithmetic.

use std::time::Duration;

use crate::config::Config;
use crate::tally::Tally;
use crate::wire::Total;

/// Sources that may each put a large frame into a full queue: about the neighbours of a node in an
/// ordinary mesh.
pub(crate) const MAX_EXTRA: usize = 8;

/// How full one link's outbound queue is.
#[derive(Debug)]
pub(crate) struct Outflow {
    queued: usize,
    moved: u64,
    /// The value of `moved` at which the last throttled source is released.
    reserved: u64,
    bound: usize,
    limit: usize,
    frame: usize,
    hold: Duration,
    credit: usize,
}

impl Outflow {
    pub fn new(config: &Config) -> Self {
        Outflow {
            queued: 0,
            moved: 0,
            reserved: 0,
            bound: config.outbound,
            limit: config.outbound_limit(),
            frame: config.max_frame,
            hold: config.hold,
            credit: config.link_credit.max(1),
        }
    }

    pub fn queued(&self) -> usize {
        self.queued
    }

    pub fn add(&mut self, bytes: usize) {
        self.queued = self.queued.saturating_add(bytes);
    }

    pub fn remove(&mut self, bytes: usize) {
        self.queued = self.queued.saturating_sub(bytes);
        self.moved.tally(bytes as u64);
    }

    /// Bytes that have left since the link began.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Returns the value of `moved` at which a source that added this many bytes is released.
    /// Sources are released in turn: bytes that leave make room for one of them, not for each.
    fn reserve(&mut self, bytes: usize, moved: u64) -> u64 {
        self.reserved = self.reserved.max(moved).saturating_add(bytes as u64);
        self.reserved
    }

    /// How many times longer a source is held back, by how far the queue is above its bound: it may
    /// stand still for long before it is full to the brim.
    fn urgency(&self) -> u32 {
        let above = self.queued.saturating_sub(self.bound);
        let eighths = above.saturating_mul(8).checked_div(self.bound.max(1)).unwrap_or(0);
        1 << eighths.min(8)
    }

    /// Whether a message of this node may go in: up to half of the bound.
    pub fn takes_own(&self) -> bool {
        self.queued < self.bound / 2
    }

    /// Whether a sender that waited may go on: some way below where it stopped, so that it is not
    /// woken for every frame.
    pub fn has_drained(&self) -> bool {
        // The same mark as that of the pace: who waits for the queue waits for the peer.
        self.queued <= (self.bound / 2).saturating_mul(3) / 4
    }

    /// Whether the source of a relay is to be throttled: relays are queued above the bound, too.
    pub fn is_over_bound(&self) -> bool {
        self.queued > self.bound
    }

    /// Whether this many bytes more would be too many, now that this many sources are held back for
    /// the queue. Each of them may have put one frame in that was large by itself, up to
    /// [`MAX_EXTRA`] of them.
    pub fn would_overflow(&self, bytes: usize, sources: usize) -> bool {
        let extra = sources.min(MAX_EXTRA).saturating_mul(self.frame);
        self.queued.saturating_add(bytes) > self.limit.saturating_add(extra)
    }
}

/// What was read together: the credit that it takes, and what it was on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Bytes that it pins.
    pub bytes: usize,
    pub wire: Total,
}

impl Load {
    pub fn add(&mut self, more: Load) {
        self.bytes.tally(more.bytes);
        self.wire.add(more.wire);
    }

    /// Takes one of so many equal parts out of it.
    pub fn take_part(&mut self, parts: usize) -> Load {
        let parts = parts.max(1);
        let part = |all: u64| all.checked_div(parts as u64).unwrap_or(all);
        let wire = Total { bytes: part(self.wire.bytes), frames: part(self.wire.frames) };
        let part = Load { bytes: part(self.bytes as u64) as usize, wire };
        self.bytes = self.bytes.saturating_sub(part.bytes);
        self.wire = self.wire.since(part.wire);
        part
    }
}

/// Bytes that a link has read and the daemon has not dealt with.
#[derive(Debug)]
pub(crate) struct Credit {
    undigested: usize,
    max: usize,
}

impl Credit {
    pub fn new(config: &Config) -> Self {
        Credit { undigested: 0, max: config.link_credit }
    }

    /// How much more may be read. What completes a frame may exceed it, or a frame larger than
    /// the credit could never be read.
    pub fn left(&self) -> usize {
        self.max.saturating_sub(self.undigested)
    }

    pub fn may_read(&self) -> bool {
        self.left() > 0
    }

    pub fn take(&mut self, bytes: usize) {
        self.undigested.tally(bytes);
    }

    pub fn undigested(&self) -> usize {
        self.undigested
    }

    pub fn give_back(&mut self, bytes: usize) {
        self.undigested = self.undigested.saturating_sub(bytes);
    }
}

/// Credit that is kept back from a source, because what it sent was relayed into queues above
/// their bounds; `T` stands for such a queue.
#[derive(Debug)]
pub(crate) struct Hold<T> {
    pub load: Load,
    waits: Vec<(Wait, T)>,
}

impl<T> Hold<T> {
    pub fn new(load: Load) -> Self {
        Hold { load, waits: Vec::new() }
    }

    pub fn add(&mut self, wait: Wait, target: T) {
        self.waits.push((wait, target));
    }

    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// Whether one of the queues still holds the credit back. `moved` returns how many bytes have
    /// left a queue, or `None` if it is below its bound.
    pub fn still_holds(&mut self, now: Duration, moved: impl Fn(&T) -> Option<u64>) -> bool {
        self.waits.retain_mut(|(wait, target)| {
            moved(target).is_some_and(|moved| wait.still_holds(now, moved))
        });
        !self.waits.is_empty()
    }

    /// When to look again.
    pub fn until(&self) -> Option<Duration> {
        self.waits.iter().map(|(wait, _)| wait.until).min()
    }
}

/// A source's place in the line before a queue above its bound.
///
/// It ends when that queue is below its bound, or has moved on by as much as its sources added to
/// it, this one and those before it. So a slow peer slows its sources down, and a queue that moves
/// grows no further. A queue that does not move at all ends it as well, after [`Config::hold`]:
/// otherwise a ring of full queues would stand still for ever.
#[derive(Debug)]
pub(crate) struct Wait {
    ends_at: u64,
    moved_to: u64,
    pause: Duration,
    until: Duration,
}

impl Wait {
    /// Waits until this much has left the queue.
    pub fn new(now: Duration, bytes: usize, queue: &mut Outflow, moved: u64) -> Self {
        let credits = bytes.div_ceil(queue.credit).max(1);
        let credits = u32::try_from(credits).unwrap_or(u32::MAX);
        let pause = queue.hold.saturating_mul(credits.saturating_mul(queue.urgency()));
        let ends_at = queue.reserve(bytes, moved);
        Wait { ends_at, moved_to: moved, pause, until: now.saturating_add(pause) }
    }

    /// Whether the queue, still above its bound, holds the source back after this many bytes have left.
    fn still_holds(&mut self, now: Duration, moved: u64) -> bool {
        if moved > self.moved_to {
            (self.moved_to, self.until) = (moved, now.saturating_add(self.pause));
        }
        moved < self.ends_at && now < self.until
    }
}

/// Notices a peer of which nothing is seen for too long while something waits for it.
#[derive(Debug, Default)]
pub(crate) struct StallWatch {
    signs: u64,
    deadline: Option<Duration>,
}

impl StallWatch {
    /// Whether nothing was seen for this long. `signs` is a number that grows with each sign.
    pub fn is_stalled(
        &mut self,
        now: Duration,
        is_waiting: bool,
        signs: u64,
        patience: Duration,
    ) -> bool {
        let until = now.saturating_add(patience);
        let was = self.deadline.filter(|_| is_waiting && signs == self.signs);
        self.signs = signs;
        // The clock begins when there is something to take, not when there last was.
        self.deadline = is_waiting.then(|| was.unwrap_or(until).min(until));
        was.is_some_and(|was| now >= was)
    }

    /// When to check again.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn a_peer_of_which_nothing_is_seen_for_its_patience_is_stalled() {
        let mut watch = StallWatch::default();
        assert!(!watch.is_stalled(S(100), true, 0, PATIENCE));
        assert!(!watch.is_stalled(S(109), true, 0, PATIENCE));
        assert_eq!(watch.deadline(), Some(S(110)));
        assert!(watch.is_stalled(S(110), true, 0, PATIENCE));
    }

    #[test]
    fn a_peer_that_takes_anything_at_all_is_never_stalled() {
        let mut watch = StallWatch::default();
        for second in 1..100 {
            assert!(!watch.is_stalled(S(second), true, second / 9, PATIENCE), "{second}");
        }
    }

    #[test]
    fn a_link_that_was_quiet_for_long_has_its_patience_before_it() {
        let mut watch = StallWatch::default();
        assert!(!watch.is_stalled(S(1), true, 0, PATIENCE));
        assert!(!watch.is_stalled(S(2), false, 5, PATIENCE));
        assert_eq!(watch.deadline(), None);
        assert!(!watch.is_stalled(S(5000), true, 5, PATIENCE));
        assert!(!watch.is_stalled(S(5009), true, 5, PATIENCE));
        assert!(watch.is_stalled(S(5010), true, 5, PATIENCE));
    }

    #[test]
    fn one_frame_above_the_credit_can_be_read() {
        let mut credit = Credit::new(&Config { link_credit: 10, ..Config::default() });
        assert!(credit.may_read());
        credit.take(1000);
        assert!(!credit.may_read());
        credit.give_back(1000);
        assert!(credit.may_read());
    }

    #[test]
    fn own_messages_stop_where_relays_go_on() {
        let config = Config { outbound: 100, max_frame: 10, ..Config::default() };
        let mut outflow = Outflow::new(&config);
        outflow.add(50);
        assert!(!outflow.takes_own() && !outflow.is_over_bound());
        outflow.add(51);
        assert!(outflow.is_over_bound() && !outflow.would_overflow(109, 0));
        assert!(outflow.would_overflow(110, 0) && !outflow.would_overflow(110, 1));
        outflow.remove(77);
        assert!(outflow.has_drained());
    }

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn wait(bytes: usize, queue: &mut Outflow) -> Wait {
        let moved = queue.moved();
        Wait::new(MS(0), bytes, queue, moved)
    }

    #[test]
    fn the_fuller_a_queue_that_stands_the_longer_it_holds_its_sources_back() {
        let config = Config { outbound: 1 << 20, ..Config::default() };
        let mut target = Outflow::new(&config);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            target.add(256 << 10);
            pauses.push(wait(1, &mut target).pause.as_millis());
        }
        assert_eq!(pauses, [100, 100, 100, 100, 400, 1600, 6400, 25_600, 25_600]);
    }

    #[test]
    fn a_source_is_held_until_the_queue_has_moved_by_what_it_added() {
        let config = Config::default();
        let mut target = Outflow::new(&config);
        target.remove(5000);
        let mut hold = wait(1000, &mut target);
        assert!(hold.still_holds(MS(99), 5400));
        assert!(hold.still_holds(MS(198), 5999));
        assert!(!hold.still_holds(MS(199), 6000));
    }

    #[test]
    fn what_leaves_a_queue_makes_room_for_one_of_its_sources() {
        let config = Config::default();
        let mut target = Outflow::new(&config);
        let mut holds = [1000, 1000].map(|bytes| wait(bytes, &mut target));
        assert_eq!(holds.each_mut().map(|hold| hold.still_holds(MS(1), 1000)), [false, true]);
        assert_eq!(holds.each_mut().map(|hold| hold.still_holds(MS(2), 2000)), [false, false]);
    }

    #[test]
    fn a_queue_that_does_not_move_holds_nobody_for_long() {
        let config = Config::default();
        let mut target = Outflow::new(&config);
        let mut small = wait(1, &mut target);
        assert!(small.still_holds(MS(99), 0) && !small.still_holds(MS(100), 0));
        let mut large = wait(16 << 20, &mut target);
        assert!(large.still_holds(MS(1599), 0) && !large.still_holds(MS(1600), 0));
    }

    #[test]
    fn a_source_waits_for_all_queues_that_it_went_into() {
        let config = Config::default();
        let mut hold = Hold::new(Load { bytes: 1000, ..Load::default() });
        for target in [0, 1] {
            let mut queue = Outflow::new(&config);
            hold.add(wait(1000, &mut queue), target);
        }
        assert!(hold.still_holds(MS(1), |&target| Some(target * 1000)));
        assert!(!hold.still_holds(MS(2), |_| Some(1000)));
    }
}
