//! The writing end of a link: takes parcels, encodes what is not encoded yet, writes what the
//! system takes.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};

use super::counters::Counters;
use super::outbox::Outbox;
use super::stream::Stream;
use crate::id::NodeId;
use crate::link::outgoing::weight;
use crate::node::Parcel;
use crate::wire::{Frame, Method};

/// Bytes taken from the outbox at a time.
pub(crate) const BATCH: usize = 256 * 1024;
/// Bytes written in one turn.
pub(crate) const TURN: u64 = 256 * 1024;
/// Frames handed to the system in one call.
const SLICES: usize = 64;

/// Whether all is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    Empty,
    /// The system takes no more for now.
    Blocked,
    /// The turn is used up.
    More,
}

/// A stream and what is being written to it. Behind the link's lock, which is held only for calls
/// that do not wait.
#[derive(Debug)]
pub(crate) struct Writer {
    pub stream: Stream,
    me: NodeId,
    batch: VecDeque<Chunk>,
    parcels: Vec<Parcel>,
    last: Option<Frame>,
    written: u64,
}

/// The rest of a frame that is being written.
#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    /// What it counts for in the outbox.
    weight: usize,
}

impl Writer {
    pub fn new(stream: Stream, me: NodeId) -> Self {
        let (batch, parcels) = (VecDeque::new(), Vec::new());
        Writer { stream, me, batch, parcels, last: None, written: 0 }
    }

    /// Writes what waits in the outbox, until it is empty or the system takes no more. What TLS
    /// took and the system did not is not written yet.
    ///
    /// No longer than a turn: others may put more in as fast as it goes out.
    pub fn flush(
        &mut self,
        outbox: &Outbox,
        method: Option<Method>,
        counters: &Counters,
    ) -> io::Result<Flushed> {
        let until = self.written + TURN;
        loop {
            if self.written >= until {
                return Ok(Flushed::More);
            }
            if self.batch.is_empty() {
                self.refill(outbox, method);
            }
            if self.batch.is_empty() {
                let had_rest = self.stream.rest() > 0;
                let all_sent = self.stream.send_rest()?;
                if had_rest {
                    outbox.note_progress();
                }
                return Ok(if all_sent { Flushed::Empty } else { Flushed::Blocked });
            }
            match self.write_once() {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    counters.wrote(bytes as u64);
                    self.advance(bytes, outbox);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says the last message again, as it was, uncompressed; once for each message.
    pub fn resend(&mut self) {
        if let Some(frame) = self.last.take() {
            self.batch.push_back(Chunk { bytes: frame.bytes(None).clone(), weight: 0 });
        }
    }

    /// Bytes written since the link began, as far as the system took them.
    pub fn written(&self) -> u64 {
        self.written.saturating_sub(self.stream.rest() as u64)
    }

    /// Bytes that encryption took and the system has not taken yet.
    pub fn rest(&self) -> u64 {
        self.stream.rest() as u64
    }

    /// Gives up what was not finished: how many frames. What is left below TLS counts as one.
    pub fn abandon(&mut self) -> usize {
        let below = self.stream.rest() > 0;
        self.stream.forget_rest();
        std::mem::take(&mut self.batch).len() + usize::from(below)
    }

    fn refill(&mut self, outbox: &Outbox, method: Option<Method>) {
        let mut parcels = std::mem::take(&mut self.parcels);
        outbox.take(BATCH, &mut parcels);
        for parcel in parcels.drain(..) {
            let weight = weight(&parcel);
            let bytes = self.encode(parcel, method);
            self.batch.push_back(Chunk { bytes, weight });
        }
        self.parcels = parcels;
    }

    fn encode(&mut self, parcel: Parcel, method: Option<Method>) -> Bytes {
        match parcel {
            Parcel::Own(frame) | Parcel::Relay(frame) => {
                let bytes = frame.bytes(method).clone();
                self.last = Some(frame);
                bytes
            }
            Parcel::Control(draft) => draft.encode(&self.me, &draft.id()).bytes(None).clone(),
        }
    }

    fn write_once(&mut self) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slice, chunk) in slices.iter_mut().zip(&self.batch) {
            *slice = IoSlice::new(&chunk.bytes);
            count += 1;
        }
        self.stream.write_frames(&slices[..count])
    }

    fn advance(&mut self, mut bytes: usize, outbox: &Outbox) {
        self.written += bytes as u64;
        let mut done = 0;
        while let Some(first) = self.batch.front_mut() {
            if bytes < first.bytes.len() {
                first.bytes.advance(bytes);
                break;
            }
            bytes -= first.bytes.len();
            done += first.weight;
            self.batch.pop_front();
        }
        if done > 0 {
            outbox.written(done);
        }
    }
}
