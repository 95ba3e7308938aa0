//! The accept thread. It also keeps the time: it waits for the listener or for the node's next
//! deadline, whichever comes first.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::core::Core;
use super::link_thread::Start;
use crate::events::{Cause, MeshEvent};
use crate::node::Event;

const ALARM: Token = Token(0);
const LISTENER: Token = Token(1);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// After the system could not give us another connection, for want of descriptors for instance.
const RETRY: Duration = Duration::from_millis(100);

pub(crate) struct Listener {
    poll: Poll,
    listener: TcpListener,
    takes_v4: bool,
}

impl Listener {
    /// Binds; the waker rings the thread that will run this.
    pub fn bind(addr: SocketAddr) -> io::Result<(Self, mio::Waker)> {
        let (mut listener, takes_v4) = listen(addr)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let alarm = mio::Waker::new(poll.registry(), ALARM)?;
        Ok((Listener { poll, listener, takes_v4 }, alarm))
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether connections over IPv4 reach it.
    pub fn takes_v4(&self) -> bool {
        self.takes_v4
    }

    pub fn run(mut self, core: &Arc<Core>) {
        let mut events = Events::with_capacity(8);
        let mut retry = None;
        while core.phase.is_open() {
            let alarm = core.act(|state, now| {
                state.node.handle(now, Event::Tick);
                state.alarm_at = state.node.next_deadline();
                state.alarm_at
            });
            let now = core.clock.mono();
            let next = [alarm, retry].into_iter().flatten().min();
            let timeout = next.map(|at| at.saturating_sub(now));
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    core.journal.trouble(format!("the accept thread cannot wait: {error}"));
                    return;
                }
                _ => {}
            }
            let is_due = retry.is_some_and(|at| core.clock.mono() >= at);
            if is_due || events.iter().any(|event| event.token() == LISTENER) {
                retry = self.accept_all(core);
            }
        }
    }

    /// Accepts whoever waits; when to try again, if the system would not let us.
    fn accept_all(&mut self, core: &Arc<Core>) -> Option<Duration> {
        while core.phase.is_open() {
            match self.listener.accept() {
                Ok((stream, addr)) => admit(core, stream, addr),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    core.journal.trouble(format!("cannot accept connections: {error}"));
                    return Some(core.clock.mono() + RETRY);
                }
            }
        }
        None
    }
}

/// Listens; on `[::]` over IPv4 as well, where the system can do that. Whether it does.
fn listen(addr: SocketAddr) -> io::Result<(TcpListener, bool)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    let takes_v4 =
        addr.is_ipv4() || addr.ip().is_unspecified() && socket.set_only_v6(false).is_ok();
    // On Windows it would let others take the port over.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok((TcpListener::from_std(socket.into()), takes_v4))
}

fn admit(core: &Arc<Core>, stream: TcpStream, addr: SocketAddr) {
    core.trace.accepted(addr);
    let refused = core.act(|state, now| {
        // Links on their way out have threads as well, though the node knows them no more.
        if state.links.len() >= 2 * core.config.max_links {
            state.node.turned_away();
            return Some(Cause::TooManyLinks);
        }
        let link = match state.node.admit(now) {
            Ok(link) => link,
            Err(cause) => return Some(cause),
        };
        let made = core.make_link(state, link, Start::Accepted(stream));
        if let Err(error) = made {
            state.node.handle(now, Event::Lost { link, cause: error.into() });
        }
        None
    });
    if let Some(cause) = refused {
        core.journal.report(MeshEvent::TurnedAway { cause });
    }
}

/// Errors of a connection that died while it waited; the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
