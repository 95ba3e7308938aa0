//! The policy of a full queue towards `recv`: wait, or drop the oldest. Pure: the runtime's queue and
//! the simulator's obey it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Config;
use crate::options::Overflow;

/// What is to be done with the next message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Put,
    /// Wait until a message is taken, or this time; then offer it again.
    WaitUntil(Duration),
    /// Drop the oldest message that waits, then offer it again.
    DropOldest,
}

/// What waits in the queue, as whoever fills it knows.
#[derive(Debug)]
pub(crate) struct Backlog {
    sizes: VecDeque<usize>,
    bytes: usize,
    max_len: usize,
    max_bytes: usize,
    overflow: Overflow,
    patience: Duration,
    /// Since when the next message waits and none was taken.
    full_since: Option<Duration>,
    /// Nobody receives: full queues are not waited for until a message is taken.
    is_abandoned: bool,
}

impl Backlog {
    pub fn new(config: &Config) -> Self {
        Backlog {
            sizes: VecDeque::new(),
            bytes: 0,
            max_len: config.queue_messages.max(1),
            max_bytes: config.queue_bytes,
            overflow: config.overflow,
            patience: config.queue_timeout,
            full_since: None,
            is_abandoned: false,
        }
    }

    /// Notes that only the latest `waiting` messages are left: the others were taken.
    pub fn left(&mut self, waiting: usize) {
        let taken = self.sizes.len().saturating_sub(waiting);
        if taken > 0 {
            self.bytes -= self.sizes.drain(..taken).sum::<usize>();
            (self.full_since, self.is_abandoned) = (None, false);
        }
    }

    /// What to do with a message that pins this many bytes. The time is asked for only if the queue
    /// is full. `is_asked`: somebody has ever asked for
    /// a message.
    pub fn offer(&mut self, now: impl FnOnce() -> Duration, size: usize, is_asked: bool) -> Offer {
        // An empty queue takes a message of any size.
        let has_room = self.sizes.is_empty()
            || (self.sizes.len() < self.max_len && self.bytes + size <= self.max_bytes);
        if has_room {
            return Offer::Put;
        }
        // A queue that was full before this message came does not count: nobody was waited for.
        let now = now();
        let until = self.full_since.get_or_insert(now).saturating_add(self.patience);
        match self.overflow {
            Overflow::DropOldest => Offer::DropOldest,
            Overflow::Block => Offer::WaitUntil(Duration::MAX),
            Overflow::Auto => {
                self.is_abandoned |= !is_asked || now >= until;
                if self.is_abandoned { Offer::DropOldest } else { Offer::WaitUntil(until) }
            }
        }
    }

    /// Returns how many messages the queue holds before the receiver keeps anybody waiting, if they
    /// are as large as those that wait now; `u64::MAX` while nobody waits for it. A message pins more
    /// bytes here than it has on the wire, so bytes that are free here say little to a sender.
    pub fn capacity(&self) -> u64 {
        if self.overflow == Overflow::DropOldest || self.is_abandoned {
            return u64::MAX;
        }
        let average = self.bytes.checked_div(self.sizes.len()).unwrap_or(0).max(1);
        self.max_len.min(self.max_bytes / average) as u64
    }

    /// Notes that a message was put into the queue.
    pub fn put(&mut self, size: usize) {
        self.sizes.push_back(size);
        self.bytes += size;
        self.full_since = None;
    }

    /// Notes that the oldest message was dropped.
    pub fn dropped(&mut self) {
        self.bytes -= self.sizes.pop_front().unwrap_or(0);
    }

    #[cfg(any(test, feature = "sim"))]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    /// Takes two messages of ten bytes.
    fn full(overflow: Overflow) -> Backlog {
        let config = Config { queue_messages: 2, queue_bytes: 20, overflow, ..Config::default() };
        let mut backlog = Backlog::new(&config);
        for _ in 0..2 {
            assert_eq!(backlog.offer(|| S(1), 10, true), Offer::Put);
            backlog.put(10);
        }
        backlog
    }

    #[test]
    fn a_full_queue_waits_for_a_receiver_that_takes_messages() {
        let mut backlog = full(Overflow::Auto);
        assert_eq!(backlog.offer(|| S(5), 10, true), Offer::WaitUntil(S(15)));
        backlog.left(1);
        assert_eq!(backlog.offer(|| S(14), 10, true), Offer::Put);
        backlog.put(10);
        assert_eq!(backlog.offer(|| S(20), 10, true), Offer::WaitUntil(S(30)));
    }

    #[test]
    fn a_queue_that_nobody_takes_from_drops_its_oldest_until_somebody_does() {
        let mut backlog = full(Overflow::Auto);
        let _ = backlog.offer(|| S(5), 10, true);
        assert_eq!(backlog.offer(|| S(15), 10, true), Offer::DropOldest);
        backlog.dropped();
        backlog.put(10);
        assert_eq!(backlog.offer(|| S(16), 10, true), Offer::DropOldest, "it waits no second time");
        backlog.left(1);
        backlog.put(10);
        assert!(matches!(backlog.offer(|| S(17), 10, true), Offer::WaitUntil(_)));
    }

    #[test]
    fn a_queue_that_nobody_ever_asked_for_waits_for_nobody() {
        assert_eq!(full(Overflow::Auto).offer(|| S(5), 10, false), Offer::DropOldest);
        assert_eq!(
            full(Overflow::Block).offer(|| S(5), 10, false),
            Offer::WaitUntil(Duration::MAX)
        );
        assert_eq!(full(Overflow::DropOldest).offer(|| S(5), 10, true), Offer::DropOldest);
    }

    #[test]
    fn an_empty_queue_takes_a_message_of_any_size() {
        let mut backlog = full(Overflow::Auto);
        assert!(matches!(backlog.offer(|| S(5), 1000, true), Offer::WaitUntil(_)));
        backlog.left(0);
        assert_eq!((backlog.offer(|| S(5), 1000, true), backlog.bytes()), (Offer::Put, 0));
    }

    #[test]
    fn a_queue_holds_as_many_messages_as_their_number_and_their_bytes_allow() {
        let mut backlog =
            Backlog::new(&Config { queue_messages: 8, queue_bytes: 100, ..Config::default() });
        assert_eq!(backlog.capacity(), 8);
        backlog.put(10);
        assert_eq!(backlog.capacity(), 8);
        backlog.put(40);
        assert_eq!(backlog.capacity(), 4);
        backlog.left(0);
        assert_eq!(backlog.capacity(), 8);
        assert_eq!(full(Overflow::DropOldest).capacity(), u64::MAX);
    }
}
