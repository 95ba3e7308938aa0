//! A link on its way out, as its thread carries it out: what is still written, what is still
//! read, and who is told.

use std::io::{self, Read};

use crossbeam_channel::TrySendError;

use super::daemon::Inbound;
use super::link::Order;
use super::link_thread::{End, LinkThread, lost};
use super::writer::Flushed;
use crate::events::Cause;
use crate::link::leaving::{DISCARD, Leaving, Step};
use crate::node::Event;

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
                    self.leaving = Some(Leaving::retire(self.core.clock.mono()));
                }
                Order::Linger { until } => self.leaving = Some(Leaving::linger(until)),
            }
        }
        Ok(())
    }

    /// Writes what can be written without waiting, then closes.
    pub(super) fn leave_now(&mut self, cause: Cause) {
        self.leaving = Some(Leaving::close(cause, self.core.clock.mono()));
    }

    /// The link cannot be written to any more. What the peer sent before it went is still there
    /// to be read, and delivered.
    pub(super) fn mourn(&mut self, cause: Cause) {
        if self.leaving.is_none() && self.link.is_established() {
            self.core.tell(Event::Lost { link: self.link.id, cause: cause.clone() });
            self.leaving = Some(Leaving::mourn(cause, self.core.clock.mono()));
        } else if self.leaving.is_none() {
            self.leave_now(cause);
        }
        self.count_unsent();
    }

    /// Takes the next steps towards the end: all written, nothing more to read.
    pub(super) fn leave(&mut self, flushed: Flushed) -> Result<(), End> {
        let input = self.input();
        let Some(leaving) = self.leaving.as_mut() else { return Ok(()) };
        let (now, is_read) = (self.core.clock.mono(), input.is_over(Some(leaving)));
        loop {
            match leaving.step(now, flushed == Flushed::Empty, is_read) {
                Step::Wait => return Ok(()),
                Step::FinishWriting => {
                    if let Some(writer) = self.link.writer.lock().as_mut() {
                        writer.stream.finish_writing();
                    }
                }
                Step::End(cause) => return Err(End::Closed(cause)),
            }
        }
    }

    /// Reads and forgets, so that closing does not reset the link.
    pub(super) fn discard(&mut self) -> Result<(), End> {
        let mut scratch = [0; 4096];
        let mut left = DISCARD;
        // Nobody waits for the rest of a frame any more.
        self.unfinished_since = None;
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
