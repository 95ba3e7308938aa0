//! One modelled TCP connection. Bytes arrive in their order or the connection breaks.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};

use super::ledger::Tag;
use super::schedule::ProcessId;
use crate::link::release::release;
use crate::node::LinkId;

/// One end of a connection: of the two, the dialler's is end 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub conn: usize,
    pub end: usize,
}

impl Socket {
    pub fn other(self) -> Self {
        Socket { end: 1 - self.end, ..self }
    }
}

#[derive(Debug)]
pub(super) struct Conn {
    pub ends: [End; 2],
    /// What each end sends.
    pub pipes: [Pipe; 2],
    pub delay: Duration,
    pub since: Duration,
    /// Nothing passes any more, and nobody is told.
    pub is_cut: bool,
}

#[derive(Debug)]
pub(super) struct End {
    pub machine: usize,
    pub process: ProcessId,
    /// `None` while the connection waits to be accepted.
    pub link: Option<LinkId>,
    pub state: EndState,
    pub error: Option<Broken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndState {
    Open,
    /// The machine answers: no such connection.
    Closed,
    /// The machine is off: no answer.
    Silent,
}

/// What the system says about a connection that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    Reset,
    TimedOut,
}

impl Broken {
    pub fn kind(self) -> io::ErrorKind {
        match self {
            Broken::Reset => io::ErrorKind::ConnectionReset,
            Broken::TimedOut => io::ErrorKind::TimedOut,
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    /// On the way, with their times of arrival.
    pub flying: VecDeque<(Duration, Segment)>,
    /// Arrived, not yet read.
    pub arrived: VecDeque<Bytes>,
    pub has_ended: bool,
    /// The writer said that this is all.
    pub is_shut: bool,
    /// Bytes written and not yet read.
    pub unread: usize,
    /// The frames in it, in their order: written to their last byte, not yet decoded.
    pub tags: VecDeque<Tag>,
    /// When the wire has sent what it was given.
    pub free_at: Duration,
    pub last_at: Duration,
    /// Whether an arrival is planned.
    pub is_planned: bool,
    /// Whether the writer waits for room.
    pub is_awaited: bool,
    /// Since when nothing gets through, and how long until the next attempt.
    pub stuck: Option<(Duration, Duration)>,
}

impl Pipe {
    /// Returns whether its end has arrived, or is on the way.
    pub fn says_so(&self) -> bool {
        self.has_ended || self.flying.iter().any(|(_, segment)| matches!(segment, Segment::Fin))
    }
}

#[derive(Debug)]
pub(super) enum Segment {
    Data(Bytes),
    /// The end of the stream.
    Fin,
}

impl Conn {
    pub fn new(since: Duration, dialler: End, acceptor: End, delay: Duration) -> Self {
        let pipes = [Pipe::default(), Pipe::default()];
        Conn { ends: [dialler, acceptor], pipes, delay, since, is_cut: false }
    }

    /// Returns what arrived at this end, to be read.
    pub fn tap(&mut self, end: usize) -> Tap<'_> {
        let error = self.ends[end].error;
        Tap { pipe: &mut self.pipes[1 - end], error }
    }

    /// Returns whether both processes hold it, and bytes get through.
    pub fn is_whole(&self) -> bool {
        self.why_not_whole().is_empty()
    }

    /// Returns what is wrong with it; nothing, if it is whole.
    pub fn why_not_whole(&self) -> &'static str {
        if self.is_cut {
            "cut"
        } else if self.ends.iter().any(|end| end.state != EndState::Open) {
            "closed at one end"
        } else if self.ends.iter().any(|end| end.error.is_some()) {
            "broken, and its process does not know yet"
        } else if self.pipes.iter().any(|pipe| pipe.is_shut) {
            "finished at one end, and open at the other"
        } else if self.pipes.iter().any(|pipe| pipe.stuck.is_some()) {
            "stuck until TCP tries again"
        } else {
            ""
        }
    }

    /// Returns whether neither process holds it and nothing is on its way.
    pub fn is_over(&self) -> bool {
        let is_left = |end: &End| end.state != EndState::Open;
        self.ends.iter().all(is_left) && self.pipes.iter().all(|pipe| pipe.flying.is_empty())
    }
}

/// The reading end of a pipe. As on Linux, what arrived before a reset can still be read.
pub(super) struct Tap<'a> {
    pipe: &'a mut Pipe,
    error: Option<Broken>,
}

impl Read for Tap<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < room.len() {
            let Some(first) = self.pipe.arrived.front_mut() else { break };
            let bytes = first.len().min(room.len() - read);
            first.copy_to_slice(&mut room[read..read + bytes]);
            read += bytes;
            if first.is_empty() {
                self.pipe.arrived.pop_front();
            }
        }
        self.pipe.unread -= read;
        release(&mut self.pipe.arrived);
        match self.error {
            _ if read > 0 || room.is_empty() => Ok(read),
            Some(broken) => Err(broken.kind().into()),
            None if self.pipe.has_ended => Ok(0),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}
