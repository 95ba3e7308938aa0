//! How a link ends: what is still written, what is still read, who is told.

use std::io::{self, Read};
use std::time::Duration;

use super::close_timing::{CloseTiming, DISCARD, Step};
use super::host::Host;
use super::machine::Machine;
use super::reading::Batch;
use super::transport::Transport;
use crate::cause::Cause;
use crate::node::Event;

/// What a link that has ended still has to hand in. Until then it counts as one.
#[derive(Debug)]
#[must_use = "the daemon waits for the end of this link"]
pub(crate) struct Closing<T> {
    held: Option<Batch<T>>,
}

impl<L: PartialEq, T: Copy + Default> Machine<L, T> {
    /// Writes what can be written without waiting, then closes.
    pub(super) fn leave_now(&mut self, cause: Cause, now: Duration) {
        self.closing = Some(CloseTiming::close(cause, now));
    }

    /// Begins to leave a link that cannot be written to any more. What the peer sent before it went
    /// is still there to be read, and delivered.
    pub(super) fn write_failed(&mut self, host: &mut impl Host<L, T>, cause: Cause) {
        if self.closing.is_none() && self.settings.is_some() {
            host.tell(Event::Lost { link: host.link(), cause: cause.clone() });
            self.closing = Some(CloseTiming::write_failed(cause, host.now()));
        } else if self.closing.is_none() {
            self.leave_now(cause, host.now());
        }
        give_up_writing(host);
    }

    /// Takes the next steps towards the end: all written, nothing more to read.
    pub(super) fn leave(
        &mut self,
        host: &mut impl Host<L, T>,
        is_flushed: bool,
    ) -> Result<(), Cause> {
        let input = self.reading.input();
        let Some(closing) = self.closing.as_mut() else { return Ok(()) };
        let (now, is_read) = (host.now(), input.is_over(Some(closing)));
        loop {
            match closing.step(now, is_flushed, is_read) {
                Step::Wait => return Ok(()),
                Step::FinishWriting => {
                    host.port(|stream, _, _| stream.finish_writing());
                }
                Step::End(cause) => return Err(cause),
            }
        }
    }

    /// Reads and discards, so that closing does not reset the connection.
    pub(super) fn discard(&mut self, host: &mut impl Host<L, T>) -> Result<(), Cause> {
        // Nobody waits for the rest of a frame any more.
        self.reading.unfinished_since = None;
        self.forget_input(host);
        if !self.reading.is_readable {
            return Ok(());
        }
        let end = host.port(|stream, _, _| discard(stream)).unwrap_or(Ok(Discarded::ToTheEnd));
        let end = end.map_err(Cause::from)?;
        self.reading.is_at_end |= end == Discarded::ToTheEnd;
        self.reading.is_readable = end == Discarded::ATurn;
        Ok(())
    }

    /// Ends a link whose turn has failed: tells the node, and closes the connection. `None` if there
    /// is nothing left to hand in.
    pub fn finish(self, host: &mut impl Host<L, T>, cause: Cause) -> Option<Closing<T>> {
        finish(host, cause, self.reading.held)
    }
}

impl<T: Copy + Default> Closing<T> {
    /// Hands in the last batch of a link. Returns false if the daemon's channel has no room, and
    /// this is to be tried again when the link is woken.
    pub fn hand_in<L: PartialEq>(&mut self, host: &mut impl Host<L, T>) -> bool {
        if let Some(batch) = self.held.take() {
            self.held = host.offer(batch).err();
        }
        self.held.is_none() && host.offer_end()
    }

    #[cfg(feature = "sim")]
    pub fn held(&self) -> Option<&Batch<T>> {
        self.held.as_ref()
    }
}

/// Ends a link, whether it ever was up or not.
pub(crate) fn finish<L: PartialEq, T: Copy + Default>(
    host: &mut impl Host<L, T>,
    cause: Cause,
    held: Option<Batch<T>>,
) -> Option<Closing<T>> {
    host.tell(Event::Lost { link: host.link(), cause });
    give_up_writing(host);
    host.close_port();
    if host.mailbox(|mailbox| mailbox.settings().is_some()) {
        return Some(Closing { held });
    }
    // Nothing of this link ever went to the daemon.
    host.tell(Event::Finished { link: host.link() });
    None
}

/// Counts what will never be written, and takes nothing more.
fn give_up_writing<L: PartialEq, T: Copy + Default>(host: &mut impl Host<L, T>) {
    let abandoned = host.port(|stream, writing, _| writing.abandon(stream)).unwrap_or_default();
    let (parcels, freed) = host.mailbox(|mailbox| mailbox.outgoing.seal());
    host.wake_freed(freed);
    if parcels.iter().any(|(parcel, _)| parcel.is_for_any_link()) {
        host.note_loss();
    }
    host.count_unsent(abandoned.into_iter().chain(parcels.into_iter().map(|(_, tag)| tag)));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Discarded {
    ATurn,
    All,
    ToTheEnd,
}

fn discard(stream: &mut impl Read) -> io::Result<Discarded> {
    let mut scratch = [0; 4096];
    let mut left = DISCARD;
    while left > 0 {
        match stream.read(&mut scratch) {
            Ok(0) => return Ok(Discarded::ToTheEnd),
            Ok(bytes) => left = left.saturating_sub(bytes),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Discarded::All),
            Err(error) => return Err(error),
        }
    }
    Ok(Discarded::ATurn)
}
