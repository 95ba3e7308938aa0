//! A connection's thread: it dials or was accepted, sets up the encryption, then drives the link's
//! machine. It blocks only in its poll.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{hint, thread};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll};

use super::core::Core;
use super::dial;
use super::link::{Link, LinkRef, Port, STREAM};
use super::link_host::LinkHost;
use super::start::random;
use super::stream::Stream;
use crate::cause::Cause;
use crate::link::close_timing::CLOSE_GRACE;
use crate::link::machine::{Machine, Next};
use crate::link::transport::Transport;
use crate::link::writing::Writing;
use crate::node::{Channel, Event, Target};

/// Stack of a connection's thread: only what is touched counts, about 10 KiB.
const STACK: usize = 512 * 1024;

/// Looks at most at what a program sends, before it is written, and rounds of spinning between two.
const GATHER: usize = 32;
const PAUSE: usize = 32;

/// How a link's thread begins.
#[derive(Debug)]
pub(crate) enum Start {
    Accepted(TcpStream),
    /// To this target, without these addresses.
    Dial(Target, Vec<SocketAddr>),
}

/// Why a link did not come up.
#[derive(Debug)]
pub(crate) enum End {
    /// The connection failed.
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
    poll: Poll,
    events: Events,
    machine: Machine<LinkRef, ()>,
}

/// Starts the thread of a link.
pub(crate) fn spawn(core: &Arc<Core>, link: Arc<Link>, poll: Poll, start: Start) -> io::Result<()> {
    let name = format!("rs2p-link-{}", link.id.0);
    let thread = LinkThread {
        core: Arc::clone(core),
        link,
        poll,
        events: Events::with_capacity(8),
        machine: Machine::new(&core.config),
    };
    let builder = std::thread::Builder::new().name(name).stack_size(STACK);
    core.threads.add(builder, move || thread.run(start))
}

impl LinkThread {
    fn run(mut self, start: Start) {
        let cause = match self.open(start) {
            Ok(()) => self.serve(),
            Err(end) => end.cause(),
        };
        self.finish(cause);
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
            Err(End::Lost(cause)) => return Err(self.drain_then_close(&mut stream, cause)),
            channel => channel?,
        };
        *self.link.port.lock() = Some(Port { stream, writing: Writing::new(self.core.id) });
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

    /// Reads what a peer sends with which there is no encryption: closing with input unread would
    /// reset the connection, and the peer would not learn from TLS what was wrong.
    fn drain_then_close(&mut self, stream: &mut Stream, cause: Cause) -> End {
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

    /// Waits, while the link is not up yet, for the stream, for a wake, or until `deadline`.
    pub(super) fn wait(&mut self, deadline: Option<Duration>) -> Result<(), End> {
        self.poll_until(deadline).map_err(lost)?;
        match self.link.mailbox(|mailbox| mailbox.ended_early()) {
            Some(cause) => Err(End::Closed(cause)),
            None => Ok(()),
        }
    }

    /// Runs a link that is up. Returns why it ended.
    fn serve(&mut self) -> Cause {
        loop {
            let mut host = LinkHost { core: &self.core, link: &self.link };
            let deadline = match self.machine.turn(&mut host) {
                Ok(Next::Now) => Some(Duration::ZERO),
                Ok(Next::At(at)) => Some(at),
                Ok(Next::WhenWoken) => None,
                Err(cause) => return cause,
            };
            self.gather();
            if let Err(error) = self.poll_until(deadline) {
                return error.into();
            }
        }
    }

    /// Lets a program that sends many messages go on for as long as each look finds more of them, so
    /// that they are written together. Takes microseconds; nothing waits for a timer.
    fn gather(&self) {
        let mut last = None;
        for _ in 0..GATHER {
            let gathered = self.link.mailbox(|mailbox| mailbox.gathered());
            if gathered.is_none() || gathered == last {
                return;
            }
            last = gathered;
            thread::yield_now();
            (0..PAUSE).for_each(|_| hint::spin_loop());
        }
    }

    fn poll_until(&mut self, deadline: Option<Duration>) -> io::Result<()> {
        let may_sleep = deadline != Some(Duration::ZERO) && self.link.sleep();
        let timeout = match deadline {
            Some(at) if may_sleep => Some(at.saturating_sub(self.core.clock.mono())),
            None if may_sleep => None,
            _ => Some(Duration::ZERO),
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => other?,
        }
        self.link.look();
        let mut stream = self.events.iter().filter(|event| event.token() == STREAM);
        if stream.any(|event| event.is_readable() || event.is_read_closed()) {
            self.machine.readable();
        }
        Ok(())
    }

    /// Tells the node, and behind the last message the daemon, that this link is over. Waits on the
    /// link's own poll for the daemon to take what is left.
    fn finish(mut self, cause: Cause) {
        let mut host = LinkHost { core: &self.core, link: &self.link };
        let mut ending = self.machine.finish(&mut host, cause);
        while let Some(last) = &mut ending {
            if !self.core.phase.is_open() || last.hand_in(&mut host) {
                break;
            }
            let timeout = if self.link.sleep() { None } else { Some(Duration::ZERO) };
            if self.poll.poll(&mut self.events, timeout).is_err() {
                break;
            }
            self.link.look();
        }
        self.core.forget_link(self.link.id);
    }
}

fn lost(error: io::Error) -> End {
    End::Lost(error.into())
}
