//! The writing end of a link: takes parcels, encodes what is not encoded yet, writes what the
//! connection takes.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use super::mailbox::MailboxAccess;
use super::outgoing::{Freed, Written};
use super::transport::Transport;
use super::weight::weight;
use crate::id::NodeId;
use crate::node::Parcel;
use crate::tally::Tally;
use crate::wire::{Frame, Method, Pacing, Total};

/// Bytes taken from the outbound queue at a time.
const TAKE: usize = 256 * 1024;
/// Bytes written in one turn.
pub(crate) const WRITE_TURN: u64 = 256 * 1024;
/// Frames handed to the system in one call, of a short queue and of a long one.
const FEW_SLICES: usize = 8;
const MANY_SLICES: usize = 256;

/// Whether all is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    Empty,
    /// The connection takes no more for now.
    Blocked,
    /// The turn is used up.
    More,
}

/// What a flush led to.
#[derive(Debug)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct Wrote<L> {
    pub outcome: io::Result<Flushed>,
    pub bytes: u64,
    pub freed: Freed<L>,
}

impl<L> Wrote<L> {
    /// Whether nothing is left for the link's thread to write, or to find wrong.
    pub fn is_complete(&self) -> bool {
        matches!(self.outcome, Ok(Flushed::Empty)) && !self.freed.is_news
    }
}

/// Frames that are being written. In the runtime it is behind one lock with the connection, which
/// is held only for calls that do not wait.
#[derive(Debug)]
pub(crate) struct Writing<T> {
    me: NodeId,
    batch: VecDeque<Chunk<T>>,
    parcels: Vec<(Parcel, T)>,
    last: Option<Frame>,
    written: u64,
    /// The same without words about the pace.
    traffic: u64,
}

/// The rest of a frame that is being written.
#[derive(Debug)]
struct Chunk<T> {
    frame: Frame,
    method: Option<Method>,
    /// Its bytes that are written.
    written: usize,
    /// Whether it is a message that the peer may ask for again.
    may_repeat: bool,
    /// What it counts for in the outbound queue; 0 if it is not from there.
    weight: usize,
    /// Whether the peer counts it as traffic.
    counts: bool,
    tag: T,
}

impl<T> Chunk<T> {
    fn new(frame: Frame, method: Option<Method>, tag: T) -> Self {
        Chunk { frame, method, written: 0, may_repeat: false, weight: 0, counts: false, tag }
    }

    fn rest(&self) -> &[u8] {
        self.frame.bytes(self.method).get(self.written..).unwrap_or_default()
    }
}

impl<T: Copy + Default> Writing<T> {
    /// `me` is the sender of what is encoded only when it is written.
    pub fn new(me: NodeId) -> Self {
        Writing {
            me,
            batch: VecDeque::new(),
            parcels: Vec::new(),
            last: None,
            written: 0,
            traffic: 0,
        }
    }

    /// Writes what is queued, until the queue is empty or the connection takes no more, but no
    /// longer than a turn: others may queue more as fast as it goes out.
    pub fn flush<L: PartialEq>(
        &mut self,
        stream: &mut impl Transport<T>,
        mailbox: &mut impl MailboxAccess<L, T>,
    ) -> Wrote<L> {
        let (before, mut freed) = (self.written, Freed::default());
        let mut done = Written::default();
        let outcome = self.write_turn(stream, mailbox, &mut done, &mut freed);
        if done != Written::default() {
            freed.add(mailbox.with(|mailbox| mailbox.outgoing.written(done)));
        }
        Wrote { outcome, bytes: self.written.saturating_sub(before), freed }
    }

    /// Like [`Writing::flush`], for the thread that has just queued a message; `None` if the link
    /// compresses, which is left to its own thread.
    pub fn flush_plain<L: PartialEq>(
        &mut self,
        stream: &mut impl Transport<T>,
        mailbox: &mut impl MailboxAccess<L, T>,
    ) -> Option<Wrote<L>> {
        let is_plain = mailbox.with(|mailbox| mailbox.send_method().is_none());
        is_plain.then(|| self.flush(stream, mailbox))
    }

    /// Writes the last message again, as it was, uncompressed; once for each message. False if that
    /// was done already.
    pub fn resend(&mut self) -> bool {
        let Some(frame) = self.last.take() else { return false };
        let tag = T::default();
        self.batch.push_back(Chunk { counts: true, ..Chunk::new(frame, None, tag) });
        true
    }

    /// Returns how many bytes have left since the link began, without those that `stream` keeps.
    pub fn sent(&self, stream: &impl Transport<T>) -> u64 {
        self.written.saturating_sub(stream.unsent() as u64)
    }

    /// The same without words about the pace, which are no traffic.
    pub fn traffic(&self, stream: &impl Transport<T>) -> u64 {
        self.traffic.saturating_sub(stream.unsent() as u64)
    }

    /// Gives up the frames that were not finished. What is left in `stream` counts as one.
    pub fn abandon(&mut self, stream: &mut impl Transport<T>) -> Vec<T> {
        let rest = (stream.unsent() > 0).then(T::default);
        stream.forget_unsent();
        self.give_up().chain(rest).collect()
    }

    /// Takes the frames that were not finished.
    pub fn give_up(&mut self) -> impl Iterator<Item = T> + use<T> {
        std::mem::take(&mut self.batch).into_iter().map(|chunk| chunk.tag)
    }

    /// Frees the room of empty queues.
    #[cfg(feature = "sim")]
    pub fn release(&mut self) {
        super::release::release(&mut self.batch);
        self.parcels = Vec::new();
    }

    /// Returns how many frames were begun, or are next.
    #[cfg(feature = "sim")]
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Returns how many bytes the connection has taken.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds to `done` what has been written and is still counted as queued.
    fn write_turn<L: PartialEq>(
        &mut self,
        stream: &mut impl Transport<T>,
        mailbox: &mut impl MailboxAccess<L, T>,
        done: &mut Written,
        freed: &mut Freed<L>,
    ) -> io::Result<Flushed> {
        let until = self.written.saturating_add(WRITE_TURN);
        while self.written < until {
            if self.batch.is_empty() {
                self.refill(mailbox, std::mem::take(done), freed);
            }
            if self.batch.is_empty() {
                return stream
                    .send_rest()
                    .map(|is_all| if is_all { Flushed::Empty } else { Flushed::Blocked });
            }
            match self.write_once(stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => self.advance(bytes, stream, done),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::More)
    }

    /// Takes the next parcels, and says what has been written of the last ones. Encoding and
    /// compressing need no mailbox.
    fn refill<L: PartialEq>(
        &mut self,
        mailbox: &mut impl MailboxAccess<L, T>,
        done: Written,
        freed: &mut Freed<L>,
    ) {
        let mut parcels = std::mem::take(&mut self.parcels);
        let method = mailbox.with(|mailbox| {
            if done != Written::default() {
                freed.add(mailbox.outgoing.written(done));
            }
            mailbox.take(TAKE, &mut parcels)
        });
        for (parcel, tag) in parcels.drain(..) {
            let (weight, counts) = (weight(&parcel), !is_pacing(&parcel));
            let chunk = self.encode(parcel, method, tag);
            self.batch.push_back(Chunk { weight, counts, ..chunk });
        }
        self.parcels = parcels;
    }

    fn encode(&self, parcel: Parcel, method: Option<Method>, tag: T) -> Chunk<T> {
        match parcel {
            Parcel::Own(frame) | Parcel::Relay(frame, _) => {
                Chunk { may_repeat: true, ..Chunk::new(frame, method, tag) }
            }
            Parcel::Control(draft) | Parcel::Answer(draft) | Parcel::Announce(draft) => {
                Chunk::new(draft.encode(&self.me, &draft.id()), None, tag)
            }
        }
    }

    fn write_once(&mut self, stream: &mut impl Transport<T>) -> io::Result<usize> {
        if self.batch.len() <= FEW_SLICES {
            self.write_slices::<FEW_SLICES>(stream)
        } else {
            self.write_slices::<MANY_SLICES>(stream)
        }
    }

    #[inline(never)]
    fn write_slices<const SLICES: usize>(
        &mut self,
        stream: &mut impl Transport<T>,
    ) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slice, chunk) in slices.iter_mut().zip(&self.batch) {
            *slice = IoSlice::new(chunk.rest());
            count.tally(1);
        }
        stream.write_frames(&slices[..count])
    }

    /// Drops what was written; adds the frames that are complete to `done`.
    fn advance(&mut self, mut bytes: usize, stream: &mut impl Transport<T>, done: &mut Written) {
        self.written.tally(bytes as u64);
        while let Some(first) = self.batch.front_mut() {
            let part = bytes.min(first.rest().len());
            first.written.tally(part);
            bytes = bytes.saturating_sub(part);
            if first.counts {
                self.traffic.tally(part as u64);
            }
            if !first.rest().is_empty() {
                break;
            }
            let Some(first) = self.batch.pop_front() else { break };
            done.weight.tally(first.weight);
            done.parcels.tally(u64::from(first.weight > 0));
            if first.counts {
                done.wire.add(Total { bytes: first.written as u64, frames: 1 });
            }
            stream.wrote_frame(first.tag);
            if first.may_repeat {
                self.last = Some(first.frame);
            }
        }
    }
}

fn is_pacing(parcel: &Parcel) -> bool {
    let Parcel::Control(draft) = parcel else { return false };
    matches!(&draft.packets[..], [kind, list, ..] if Pacing::is_word(kind, list))
}
