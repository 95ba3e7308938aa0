//! A link on its way out: what is still written, what is still read, and who is told.

use std::io::{self, Read};
use std::time::Duration;

use crossbeam_channel::TrySendError;

use super::daemon::Inbound;
use super::link::Order;
use super::link_thread::{End, LinkThread, lost};
use super::writer::Flushed;
use crate::events::Cause;
use crate::node::Event;

/// After the last byte is written, how long the peer may take to finish as well. Closing earlier,
/// with input unread, would reset the link and destroy what is in flight to the peer.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_millis(100);
/// The same where what still arrives is delivered: a link that gives way to another one to the
/// same peer, or that can no longer be written to.
pub(crate) const DELIVER_GRACE: Duration = Duration::from_secs(5);
/// Bytes read and forgotten in one turn.
pub(crate) const DISCARD: usize = 256 * 1024;

/// How a link goes.
#[derive(Debug)]
pub(crate) struct Leaving {
    cause: Cause,
    flush_by: Duration,
    grace: Duration,
    /// Whether what still arrives is delivered.
    pub delivers: bool,
    /// Set once writing is over.
    read_by: Option<Duration>,
}

impl Leaving {
    /// When to look again.
    pub fn deadline(&self) -> Duration {
        self.read_by.unwrap_or(self.flush_by)
    }

    /// It is we who pause reading: that is not the peer's fault.
    pub fn pause(&mut self, now: Duration) {
        if self.delivers && self.read_by.is_some() {
            self.read_by = Some(now + self.grace);
        }
    }
}

impl LinkThread {
    /// Carries out what the node wants of this link.
    pub(super) fn obey(&mut self) -> Result<(), End> {
        if !self.link.has_orders() {
            return Ok(());
        }
        for order in self.link.take_orders() {
            let is_up = self.link.writer.lock().is_some();
            match order {
                Order::Close(cause) if !is_up => return Err(End::Closed(cause)),
                _ if !is_up => return Err(End::Closed(Cause::Closed)),
                Order::Resend => {
                    if let Some(writer) = self.link.writer.lock().as_mut() {
                        writer.resend();
                    }
                }
                Order::Close(cause) => self.leave_now(cause),
                Order::Retire => {
                    let by = self.core.clock.mono() + DELIVER_GRACE;
                    self.begin_leaving(Cause::Duplicate, by, DELIVER_GRACE, true);
                }
                Order::Linger { until } => {
                    self.begin_leaving(Cause::Closed, until, CLOSE_GRACE, false);
                }
            }
        }
        Ok(())
    }

    /// Writes what can be written without waiting, then closes.
    pub(super) fn leave_now(&mut self, cause: Cause) {
        let now = self.core.clock.mono();
        self.begin_leaving(cause, now, CLOSE_GRACE, false);
    }

    fn begin_leaving(&mut self, cause: Cause, flush_by: Duration, grace: Duration, delivers: bool) {
        self.leaving = Some(Leaving { cause, flush_by, grace, delivers, read_by: None });
    }

    /// The link cannot be written to any more. What the peer sent before it went is still there
    /// to be read, and delivered.
    pub(super) fn mourn(&mut self, cause: Cause) {
        if self.leaving.is_none() && self.link.is_established() {
            self.core.tell(Event::Lost { link: self.link.id, cause: cause.clone() });
            let now = self.core.clock.mono();
            self.begin_leaving(cause, now, DELIVER_GRACE, true);
        } else if self.leaving.is_none() {
            self.leave_now(cause);
        }
        self.count_unsent();
    }

    /// Takes the next step towards the end: all written, nothing more to read.
    pub(super) fn leave(&mut self, flushed: Flushed) -> Result<(), End> {
        let now = self.core.clock.mono();
        let Some(leaving) = self.leaving.as_mut() else { return Ok(()) };
        if leaving.read_by.is_none() && (flushed == Flushed::Empty || now >= leaving.flush_by) {
            // What is left of the time for writing is for reading: the system still has bytes of
            // ours, and closing with input unread would throw them away.
            leaving.read_by = Some(leaving.flush_by.max(now + leaving.grace));
            if let Some(writer) = self.link.writer.lock().as_mut() {
                writer.stream.finish_writing();
            }
        }
        let is_read = self.is_at_end && !self.is_backlogged && self.held.is_none();
        match leaving.read_by {
            Some(read_by) if is_read || now >= read_by => Err(End::Closed(leaving.cause.clone())),
            _ => Ok(()),
        }
    }

    /// Reads and forgets, so that closing does not reset the link.
    pub(super) fn discard(&mut self) -> Result<(), End> {
        let mut scratch = [0; 4096];
        let mut left = DISCARD;
        let mut writer = self.link.writer.lock();
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        while self.is_readable && left > 0 {
            match writer.stream.read(&mut scratch) {
                Ok(0) => {
                    self.is_at_end = true;
                    self.is_readable = false;
                }
                Ok(bytes) => left = left.saturating_sub(bytes),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_readable = false,
                Err(error) => return Err(lost(error)),
            }
        }
        Ok(())
    }

    /// Tells the node, and behind the last message the daemon, that this link is over.
    pub(super) fn finish(mut self, end: End) {
        let link = self.link.id;
        self.core.tell(Event::Lost { link, cause: end.cause() });
        self.count_unsent();
        self.link.writer.lock().take();
        if self.link.is_established() {
            self.hand_in_rest();
        } else {
            self.core.tell(Event::Finished { link });
        }
        self.core.forget_link(link);
    }

    fn count_unsent(&self) {
        let abandoned = self.link.writer.lock().as_mut().map_or(0, |writer| writer.abandon());
        self.core.counters.left_unsent(abandoned + self.link.outbox.seal().len());
    }

    /// Waits for the daemon to take what is left, on the link's own poll, as ever.
    fn hand_in_rest(&mut self) {
        let mut last = Inbound::Finished(self.link.id);
        while self.core.phase.is_open() {
            self.retry_held();
            if self.held.is_none() {
                match self.core.inbox.try_send(last) {
                    Err(TrySendError::Full(back)) => last = back,
                    // Taken; or the daemon is gone, and nobody counts any more.
                    _ => return,
                }
            }
            self.core.note_held();
            if self.poll.poll(&mut self.events, None).is_err() {
                return;
            }
            self.link.woken();
        }
    }
}
