//! The application at the end of a node's queue: how fast it takes its messages, and what becomes
//! of those that it does not take. The counterpart of `runtime/queue.rs`.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Config;
use crate::message::Message;
use crate::options::Overflow;

#[derive(Debug, Default)]
pub(super) struct Application {
    queue: VecDeque<Message>,
    bytes: usize,
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
    full_since: Option<Duration>,
    is_abandoned: bool,
}

impl Application {
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Puts a message into the queue, or says until when the daemon waits before it tries again.
    pub fn offer(
        &mut self,
        config: &Config,
        now: Duration,
        message: Message,
    ) -> Result<(), (Message, Duration)> {
        let size = message.pinned();
        while !self.has_room(config, size) {
            if let Some(until) = self.waits(config, now) {
                self.waits += 1;
                return Err((message, until));
            }
            self.drop_oldest();
        }
        self.bytes += size;
        self.queue.push_back(message);
        self.queued += 1;
        self.note_peaks();
        Ok(())
    }

    /// One message may be larger than the whole bound.
    fn note_peaks(&mut self) {
        self.peak = self.peak.max(self.queue.len());
        if self.queue.len() > 1 {
            self.peak_bytes = self.peak_bytes.max(self.bytes);
        }
    }

    /// The most that ever waited: messages, and bytes of more than one message.
    pub fn most(&self) -> (usize, usize) {
        (self.peak, self.peak_bytes)
    }

    pub fn take(&mut self) -> Option<Message> {
        self.is_asked = true;
        let message = self.queue.pop_front()?;
        self.bytes -= message.pinned();
        self.taken += 1;
        (self.full_since, self.is_abandoned) = (None, false);
        Some(message)
    }

    /// Until when a full queue waits for the application, if it does.
    fn waits(&mut self, config: &Config, now: Duration) -> Option<Duration> {
        let until = *self.full_since.get_or_insert(now) + config.queue_patience;
        match config.overflow {
            Overflow::DropOldest => None,
            Overflow::Block => Some(Duration::MAX),
            Overflow::Auto => {
                self.is_abandoned |= !self.is_asked || now >= until;
                (!self.is_abandoned).then_some(until)
            }
        }
    }

    fn has_room(&self, config: &Config, size: usize) -> bool {
        self.queue.is_empty()
            || (self.queue.len() < config.queue_len && self.bytes + size <= config.queue_bytes)
    }

    fn drop_oldest(&mut self) {
        if let Some(message) = self.queue.pop_front() {
            self.bytes -= message.pinned();
            self.dropped += 1;
        }
    }
}
