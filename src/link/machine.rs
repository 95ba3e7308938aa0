//! The half of a link that only its own thread touches, in turns: obey, read, write, rest.

use std::sync::Arc;
use std::time::Duration;

use super::close_timing::CloseTiming;
use super::flow::{Hold, Load};
use super::host::Host;
use super::liveness::Liveness;
use super::mailbox::Order;
use super::reading::Reading;
use super::writing::Flushed;
use crate::cause::Cause;
use crate::config::Config;
use crate::node::LinkSettings;

/// When a link's thread takes its next turn. Readiness and wakes come before any of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Now,
    At(Duration),
    WhenWoken,
}

/// A link that is up. `L` refers to another link, `T` is what the simulator keeps with each frame.
#[derive(Debug)]
pub(crate) struct Machine<L, T> {
    pub(super) reading: Reading<T>,
    /// `None` before the handshake is done. A copy of what is on the mailbox.
    pub(super) settings: Option<Arc<LinkSettings>>,
    pub(super) closing: Option<CloseTiming>,
    pub(super) liveness: Liveness,
    holds: Vec<Hold<L>>,
    /// There is more to write than one turn took.
    has_more: bool,
    is_new: bool,
}

impl<L: PartialEq, T: Copy + Default> Machine<L, T> {
    pub fn new(config: &Config) -> Self {
        Machine {
            reading: Reading::new(config),
            settings: None,
            closing: None,
            liveness: Liveness::default(),
            holds: Vec::new(),
            has_more: false,
            is_new: true,
        }
    }

    /// Lends the link memory to read into, see [`FrameReader::lend`](crate::wire::FrameReader::lend).
    #[cfg(feature = "sim")]
    pub fn lend(&mut self, room: &mut crate::wire::ReadRoom) {
        self.reading.reader.lend(room);
    }

    /// Takes that memory back, unless a part of a frame is in it.
    #[cfg(feature = "sim")]
    pub fn give_back(&mut self, room: &mut crate::wire::ReadRoom) {
        self.reading.reader.give_back(room);
    }

    /// Notes that the connection has something to read. It says so once.
    pub fn readable(&mut self) {
        self.reading.is_readable = true;
    }

    /// Takes one turn. With an error the link's life is over: see [`Machine::finish`].
    pub fn turn(&mut self, host: &mut impl Host<L, T>) -> Result<Next, Cause> {
        self.obey(host);
        // The hello goes out before anything is read: a peer that speaks something else learns what
        // it is linked to.
        if std::mem::take(&mut self.is_new) {
            self.write(host)?;
        }
        self.read(host)?;
        self.keep_pace(host);
        self.write(host)?;
        self.rest(host)
    }

    /// Carries out what was left on the mailbox.
    fn obey(&mut self, host: &mut impl Host<L, T>) {
        let news = host.mailbox(|mailbox| mailbox.take_news());
        self.settings = news.settings;
        for order in news.orders {
            match order {
                Order::Resend => {
                    if host.port(|_, writing, _| writing.resend()).unwrap_or(false) {
                        host.note_resent();
                    }
                }
                Order::Hold(hold) => self.holds.push(hold),
                Order::Close(cause) => self.leave_now(cause, host.now()),
                Order::Retire => self.closing = Some(CloseTiming::retire(host.now())),
                Order::Linger { until } => self.closing = Some(CloseTiming::linger(until)),
            }
        }
    }

    /// Writes what is queued, and notices a peer that does not take it.
    fn write(&mut self, host: &mut impl Host<L, T>) -> Result<(), Cause> {
        let flush = host.port(|stream, writing, mut mailbox| {
            let flush = writing.flush(stream, &mut mailbox);
            (flush, writing.traffic(stream))
        });
        let mut flushed = Flushed::Empty;
        if let Some((flush, sent)) = flush {
            host.count_written(flush.bytes);
            host.wake_freed(flush.freed);
            match flush.outcome {
                Ok(outcome) => {
                    flushed = outcome;
                    self.watch_peer(host, flushed != Flushed::Empty, sent);
                }
                Err(error) => self.write_failed(host, error.into()),
            }
        }
        self.has_more = flushed == Flushed::More;
        self.leave(host, flushed == Flushed::Empty)
    }

    /// Says when to take the next turn.
    fn rest(&mut self, host: &mut impl Host<L, T>) -> Result<Next, Cause> {
        let now = host.now();
        let frame = self.reading.unfinished_until(host.config());
        if frame.is_some_and(|until| now >= until) {
            return Err(Cause::UnfinishedFrame);
        }
        let hold = self.release_holds(host, now);
        if self.has_more || self.can_read(host) {
            return Ok(Next::Now);
        }
        let closing = self.closing.as_ref().map(CloseTiming::deadline);
        // A link that leaves is no longer watched, and may have stalled before: that is past.
        let watched = closing.or_else(|| self.watch_again(host, now));
        let next = [frame, hold, watched, self.reading.starved].into_iter().flatten().min();
        Ok(next.map_or(Next::WhenWoken, Next::At))
    }

    /// Returns the credit that need not be held any longer; when to look again.
    fn release_holds(&mut self, host: &mut impl Host<L, T>, now: Duration) -> Option<Duration> {
        let mut released = Load::default();
        self.holds.retain_mut(|hold| {
            let is_held = hold.still_holds(now, |link| host.moved_above_bound(link));
            if !is_held {
                released.add(hold.load);
            }
            is_held
        });
        if released != Load::default() {
            // This is the link's own thread: it is awake.
            let _ = host.mailbox(|mailbox| mailbox.give_back(released));
        }
        self.holds.iter().filter_map(Hold::until).min()
    }

    /// Whether the link is ending.
    #[cfg(test)]
    pub fn is_leaving(&self) -> bool {
        self.closing.is_some()
    }

    /// Until when the link may take to end, if it is ending.
    #[cfg(feature = "sim")]
    pub fn leaves_by(&self) -> Option<Duration> {
        self.closing.as_ref().map(CloseTiming::deadline)
    }

    /// Batches whose credit is held back.
    #[cfg(any(test, feature = "sim"))]
    pub fn holds(&self) -> usize {
        self.holds.len()
    }

    /// The batch that the daemon's channel had no room for.
    #[cfg(any(test, feature = "sim"))]
    pub fn held(&self) -> Option<&super::reading::Batch<T>> {
        self.reading.held.as_ref()
    }
}
