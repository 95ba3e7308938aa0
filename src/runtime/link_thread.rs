//! A connection's thread: it dials or was accepted, shakes hands, then reads, decodes, verifies
//! and writes. It waits for nothing but its poll.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll};

use super::core::Core;
use super::daemon::Batch;
use super::dial;
use super::link::{Link, STREAM};
use super::start::random;
use super::stream::Stream;
use super::writer::{Flushed, Writer};
use crate::events::Cause;
use crate::link::flow::{Pace, StallWatch};
use crate::link::leaving::{CLOSE_GRACE, Leaving};
use crate::node::{Channel, Event, Target};
use crate::wire::FrameReader;

/// Stack of a connection's thread: only what is touched counts, about 10 KiB.
const STACK: usize = 512 * 1024;

/// How a link's thread begins.
#[derive(Debug)]
pub(crate) enum Start {
    Accepted(TcpStream),
    /// To this target, without these addresses.
    Dial(Target, Vec<SocketAddr>),
}

/// Why a thread's work is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The link is gone, or never came to be.
    Lost(Cause),
    /// It was closed as ordered.
    Closed(Cause),
}

impl End {
    pub fn cause(self) -> Cause {
        match self {
            End::Lost(cause) | End::Closed(cause) => cause,
        }
    }
}

pub(crate) struct LinkThread {
    pub(super) core: Arc<Core>,
    pub(super) link: Arc<Link>,
    pub(super) poll: Poll,
    pub(super) events: Events,
    pub(super) reader: FrameReader,
    /// There may be more to read: the poll tells only once.
    pub(super) is_readable: bool,
    /// Frames that were read wait for credit.
    pub(super) is_backlogged: bool,
    /// There is more to write than one turn took.
    has_more: bool,
    pub(super) is_at_end: bool,
    /// A batch that the daemon's channel had no room for.
    pub(super) held: Option<Batch>,
    pub(super) unfinished_since: Option<Duration>,
    stall: StallWatch,
    /// How long the system was told to wait for the peer.
    patience: Option<Duration>,
    pub(super) leaving: Option<Leaving>,
}

/// Starts the thread of a link.
pub(crate) fn spawn(core: &Arc<Core>, link: Arc<Link>, poll: Poll, start: Start) -> io::Result<()> {
    let thread = LinkThread {
        reader: FrameReader::new(core.config.first_frame_limit()),
        core: Arc::clone(core),
        link,
        poll,
        events: Events::with_capacity(8),
        is_readable: false,
        is_backlogged: false,
        has_more: false,
        is_at_end: false,
        held: None,
        unfinished_since: None,
        stall: StallWatch::default(),
        patience: None,
        leaving: None,
    };
    let name = format!("rs2p-link-{}", thread.link.id.0);
    let builder = std::thread::Builder::new().name(name).stack_size(STACK);
    core.threads.add(builder, move || thread.run(start))
}

impl LinkThread {
    fn run(mut self, start: Start) {
        // The hello goes out before anything is read: whoever speaks something else sees whom he has
        // dialled.
        let end = match self.open(start).and_then(|()| self.write()) {
            Ok(()) => self.serve(),
            Err(end) => end,
        };
        self.finish(end);
    }

    /// Gets the stream up, encryption included.
    fn open(&mut self, start: Start) -> Result<(), End> {
        let (tcp, is_dialler) = match start {
            Start::Accepted(mut tcp) => {
                self.register(&mut tcp)?;
                (tcp, false)
            }
            Start::Dial(target, skip) => (self.dial(&target, skip)?, true),
        };
        dial::prepare(&tcp, &self.core);
        if let Some(way) = self.core.way(&tcp) {
            self.core.tell(Event::Placed { link: self.link.id, way });
        }
        let mut stream = Stream::new(tcp, self.core.tls.as_ref(), is_dialler);
        let channel = match self.secure(&mut stream) {
            Err(End::Lost(cause)) => return Err(self.part(&mut stream, cause)),
            channel => channel?,
        };
        *self.link.writer.lock() = Some(Writer::new(stream, self.core.id));
        self.is_readable = true;
        let link = self.link.id;
        self.core.act(|state, now| {
            if let Some(channel) = channel {
                state.node.handle(now, Event::Secured { link, channel });
            }
            state.node.handle(now, Event::Opened { link });
        });
        Ok(())
    }

    /// Encrypts the stream, if the mesh is; in a private one, what proofs are bound to.
    fn secure(&mut self, stream: &mut Stream) -> Result<Option<Channel>, End> {
        while !stream.handshake().map_err(End::Lost)? {
            self.wait(None)?;
        }
        if self.core.protocol.secret().is_none() {
            return Ok(None);
        }
        let Some(end_point) = stream.end_point().map_err(End::Lost)? else { return Ok(None) };
        let nonce = random().map_err(lost)?;
        Ok(Some(Channel { end_point, nonce }))
    }

    /// Takes leave of a peer with which there is no encryption: closing with input unread would
    /// reset the connection, and the peer would not learn from TLS what was wrong.
    fn part(&mut self, stream: &mut Stream, cause: Cause) -> End {
        stream.finish_writing();
        let by = self.core.clock.mono() + CLOSE_GRACE;
        let mut scratch = [0; 4096];
        while self.core.clock.mono() < by {
            match stream.tcp().read(&mut scratch) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.wait(Some(by)).is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        End::Lost(cause)
    }

    pub(super) fn register(&mut self, tcp: &mut TcpStream) -> Result<(), End> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(tcp, STREAM, interest).map_err(lost)
    }

    /// The life of a link that is up.
    fn serve(&mut self) -> End {
        loop {
            let turn = self.read().and_then(|()| self.write()).and_then(|()| self.rest());
            if let Err(end) = turn {
                return end;
            }
        }
    }

    /// Writes what waits, and notices a peer that does not take it.
    fn write(&mut self) -> Result<(), End> {
        let flushed = match self.flush() {
            Ok(flushed) => flushed,
            Err(error) => {
                self.mourn(error.into());
                Flushed::Empty
            }
        };
        self.has_more = flushed == Flushed::More;
        self.leave(flushed)
    }

    fn flush(&mut self) -> io::Result<Flushed> {
        let method = self.link.send_method();
        let (flushed, written) = {
            let mut writer = self.link.writer.lock();
            let Some(writer) = writer.as_mut() else { return Ok(Flushed::Empty) };
            let flushed = writer.flush(&self.link.outbox, method, &self.core.counters)?;
            (flushed, writer.written())
        };
        // What others have put in since is not waiting for the peer.
        let is_waiting = flushed != Flushed::Empty;
        let queued = if is_waiting { self.link.outbox.queued().max(1) } else { 0 };
        let pace = self.pace();
        let stalled = self.stall.is_stalled(self.core.clock.mono(), queued, written, pace);
        if stalled && self.leaving.is_none() {
            self.leave_now(Cause::Stalled);
        }
        Ok(flushed)
    }

    /// What the peer has to take. The system is told as well: it would go on for a quarter of an hour
    /// to send what a peer that has vanished does not acknowledge, and after a partition it waits
    /// about as long again as that lasted.
    fn pace(&mut self) -> Pace {
        let config = &self.core.config;
        let is_rs2p = self.link.terms.lock().as_ref().is_some_and(|terms| terms.is_rs2p);
        let patience = if is_rs2p { config.stall } else { config.stall_py2p };
        if self.patience.replace(patience) != Some(patience)
            && let Some(writer) = self.link.writer.lock().as_ref()
        {
            dial::give_up_after(writer.stream.tcp(), patience);
        }
        Pace { least: config.stall_bytes, patience }
    }

    /// Waits until there is something to do.
    fn rest(&mut self) -> Result<(), End> {
        let now = self.core.clock.mono();
        if self.is_overdue(now) {
            return Err(End::Lost(Cause::UnfinishedFrame));
        }
        let hold = self.link.release_holds(now);
        let goes_on = self.has_more || self.can_read();
        let timeout = if goes_on { Some(now) } else { self.next_deadline(hold) };
        self.wait(timeout)
    }

    /// Waits for the stream, for a wake, or until `deadline`; then carries out orders.
    pub(super) fn wait(&mut self, deadline: Option<Duration>) -> Result<(), End> {
        let timeout = deadline.map(|at| at.saturating_sub(self.core.clock.mono()));
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => other.map_err(lost)?,
        }
        self.link.woken();
        let mut stream = self.events.iter().filter(|event| event.token() == STREAM);
        self.is_readable |= stream.any(|event| event.is_readable() || event.is_read_closed());
        self.obey()
    }

    fn is_overdue(&self, now: Duration) -> bool {
        let since = self.unfinished_since;
        since.is_some_and(|since| now >= since + self.core.config.frame_timeout)
    }

    fn next_deadline(&mut self, hold: Option<Duration>) -> Option<Duration> {
        let config = &self.core.config;
        let frame = self.unfinished_since.map(|since| since + config.frame_timeout);
        let leaving = self.leaving.as_ref().map(Leaving::deadline);
        // A link that leaves is no longer watched, and may have stalled before: that is past.
        [frame, hold, leaving.or(self.stall.deadline())].into_iter().flatten().min()
    }
}

pub(super) fn lost(error: io::Error) -> End {
    End::Lost(error.into())
}
