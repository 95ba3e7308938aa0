//! The application at the end of a node's queue: how fast it takes its messages, and what becomes
//! of those that it does not take: that is for `crate::delivery::backlog` to say.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Config;
use crate::delivery::backlog::{Backlog, Offer};
use crate::message::Message;

#[derive(Debug)]
pub(super) struct Application {
    queue: VecDeque<Message>,
    backlog: Backlog,
    /// Somebody has ever asked for a message.
    pub is_asked: bool,
    /// Whether a `Take` is planned.
    pub is_taking: bool,
    /// The most messages that ever waited.
    peak: usize,
    /// The most bytes that ever waited in more than one message.
    peak_bytes: usize,
    /// Times that the daemon had to wait for room.
    pub waits: u64,
    pub queued: u64,
    pub taken: u64,
    pub dropped: u64,
    pub ignored: u64,
}

impl Application {
    pub fn new(config: &Config) -> Self {
        Application {
            queue: VecDeque::new(),
            backlog: Backlog::new(config),
            is_asked: false,
            is_taking: false,
            peak: 0,
            peak_bytes: 0,
            waits: 0,
            queued: 0,
            taken: 0,
            dropped: 0,
            ignored: 0,
        }
    }

    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Puts a message into the queue, or says until when the daemon waits before it tries again.
    pub fn offer(&mut self, now: Duration, message: Message) -> Result<(), (Message, Duration)> {
        let size = message.pinned();
        self.backlog.left(self.queue.len());
        loop {
            match self.backlog.offer(|| now, size, self.is_asked) {
                Offer::Put => break,
                Offer::WaitUntil(until) => {
                    self.waits += 1;
                    return Err((message, until));
                }
                Offer::DropOldest => {
                    self.queue.pop_front();
                    self.backlog.dropped();
                    self.dropped += 1;
                }
            }
        }
        self.backlog.put(size);
        self.queue.push_back(message);
        self.queued += 1;
        self.note_peaks();
        Ok(())
    }

    /// Returns how many bytes of messages of this size find room before the application has to be
    /// waited for; `u64::MAX` if nobody waits for it.
    pub fn room_for(&self, message: u64) -> u64 {
        let capacity = self.backlog.capacity();
        if !self.is_asked || capacity == u64::MAX {
            return u64::MAX;
        }
        capacity.saturating_sub(self.queue.len() as u64).saturating_mul(message)
    }

    /// One message may be larger than the whole bound.
    fn note_peaks(&mut self) {
        self.peak = self.peak.max(self.queue.len());
        if self.queue.len() > 1 {
            self.peak_bytes = self.peak_bytes.max(self.backlog.bytes());
        }
    }

    /// The most that ever waited: messages, and bytes of more than one message.
    pub fn most(&self) -> (usize, usize) {
        (self.peak, self.peak_bytes)
    }

    pub fn take(&mut self) -> Option<Message> {
        self.is_asked = true;
        let message = self.queue.pop_front()?;
        self.taken += 1;
        Some(message)
    }
}
