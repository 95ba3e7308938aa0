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
use super::strangers::Strangers;
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::node::Event;
use crate::trouble::Trouble;

const ALARM: Token = Token(0);
const LISTENER: Token = Token(1);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Accepted at most before others are looked at. Some of those that are here may be gone, and nobody is to
/// give way for a new one before that is known.
const AT_ONCE: usize = 16;
/// How soon to look again whether there is room for who waits to be admitted.
const CALL_AGAIN: Duration = Duration::from_millis(10);
/// After the system could not give us another connection, for want of descriptors for instance.
const RETRY: Duration = Duration::from_millis(100);

pub(crate) struct Listener {
    poll: Poll,
    listener: TcpListener,
    takes_v4: bool,
    /// There may be more to accept: the poll tells only once.
    has_more: bool,
}

impl Listener {
    /// Binds; the waker rings the thread that will run this.
    pub fn bind(addr: SocketAddr) -> io::Result<(Self, mio::Waker)> {
        let (mut listener, takes_v4) = listen(addr)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let alarm = mio::Waker::new(poll.registry(), ALARM)?;
        Ok((Listener { poll, listener, takes_v4, has_more: false }, alarm))
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Returns whether connections over IPv4 reach it.
    pub fn takes_v4(&self) -> bool {
        self.takes_v4
    }

    pub fn run(mut self, core: &Arc<Core>) {
        let mut events = Events::with_capacity(64);
        let mut strangers = Strangers::new(core.config.max_waiting_strangers());
        let mut retry = None;
        while core.phase.goes_on() {
            let alarm = core.act(|state, now| {
                state.node.handle(now, Event::Tick);
                state.alarm_at = state.node.next_deadline();
                state.alarm_at
            });
            let check = core.end_old_troubles();
            let watch = core.watch_daemon();
            let now = core.clock.mono();
            let silent = strangers.next_deadline(core.config.handshake_timeout);
            let call = strangers.has_speakers().then_some(now + CALL_AGAIN);
            let more = self.may_accept(core, &strangers).then_some(now);
            let next = [alarm, retry, silent, call, check, watch, more].into_iter().flatten().min();
            let timeout = next.map(|at| at.saturating_sub(now));
            let polled = self.poll.poll(&mut events, timeout);
            let failed = polled.err().filter(|error| error.kind() != io::ErrorKind::Interrupted);
            if let Some(error) = &failed {
                // Deadlines and connections are served all the same, if less promptly.
                core.trouble(Trouble::CannotAccept { error: error.to_string() });
                std::thread::park_timeout(RETRY);
                retry = Some(now);
            }
            for event in &events {
                self.has_more |= event.token() == LISTENER;
                let gone = strangers.look_at(event.token());
                gone.into_iter().for_each(|addr| turn_away(core, addr, Cause::Silent));
            }
            self.admit_all(core, &mut strangers);
            if retry.is_some_and(|at| core.clock.mono() >= at) {
                (self.has_more, retry) = (true, None);
            }
            if self.may_accept(core, &strangers) {
                retry = self.accept_some(core, &mut strangers);
            }
            if failed.is_none() && retry.is_none() {
                core.trouble_over(&Trouble::CannotAccept { error: String::new() });
            }
        }
    }

    /// Admits whoever has spoken, as long as there is room, and shows out who has not.
    fn admit_all(&self, core: &Arc<Core>, strangers: &mut Strangers) {
        let registry = self.poll.registry();
        while strangers.has_speakers() && core.act(|state, now| state.node.may_admit(now)) {
            let Some((stream, addr)) = strangers.call(registry) else { break };
            admit(core, stream, addr);
        }
        let silent = strangers.tidy(core.clock.mono(), core.config.handshake_timeout);
        silent.into_iter().for_each(|addr| turn_away(core, addr, Cause::Silent));
    }

    /// Returns whether there may be a connection to accept, and it may be accepted.
    fn may_accept(&self, core: &Core, strangers: &Strangers) -> bool {
        self.has_more && core.phase.is_open() && !strangers.is_full()
    }

    /// Accepts some of the connections that wait. Returns when to try again, if the system refuses.
    fn accept_some(&mut self, core: &Arc<Core>, strangers: &mut Strangers) -> Option<Duration> {
        for _ in 0..AT_ONCE {
            if !self.may_accept(core, strangers) {
                break;
            }
            match self.listener.accept() {
                Ok((stream, addr)) => self.let_in(core, strangers, stream, addr),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.has_more = false;
                    return None;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    cannot_accept(core, error);
                    self.has_more = false;
                    return Some(core.clock.mono() + RETRY);
                }
            }
        }
        None
    }

    fn let_in(
        &self,
        core: &Arc<Core>,
        strangers: &mut Strangers,
        stream: TcpStream,
        addr: SocketAddr,
    ) {
        core.trace.accepted(addr);
        match strangers.enter(self.poll.registry(), core.clock.mono(), stream, addr) {
            Ok(None) => {}
            Ok(Some(silent)) => turn_away(core, silent, Cause::Silent),
            Err(error) => turn_away(core, addr, error.into()),
        }
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

/// Makes a link of a connection, or says why not.
fn admit(core: &Arc<Core>, stream: TcpStream, addr: SocketAddr) {
    let refused = core.act(|state, now| {
        // Links on their way out have threads as well, though the node knows them no more.
        if state.links.len() >= 2 * core.config.max_links + core.config.max_handshaking {
            let cause = Cause::TooManyLinks;
            state.node.turned_away(&cause);
            return Some(cause);
        }
        let link = match state.node.admit(now) {
            Ok(link) => link,
            Err(cause) => return Some(cause),
        };
        state.node.came_from(link, addr);
        let made = core.make_link(state, link, Start::Accepted(stream));
        if let Err(error) = made {
            state.node.handle(now, Event::Lost { link, cause: error.into() });
        }
        None
    });
    if let Some(cause) = refused {
        core.report(MeshEvent::TurnedAway { addr: addr.to_string(), cause, others: 0 });
    }
}

/// Somebody who connected is shown out before it has become a link.
fn turn_away(core: &Arc<Core>, addr: SocketAddr, cause: Cause) {
    core.act(|state, _| state.node.turned_away(&cause));
    core.report(MeshEvent::TurnedAway { addr: addr.to_string(), cause, others: 0 });
}

/// The system does not let us accept connections; told once while it lasts.
fn cannot_accept(core: &Core, error: io::Error) {
    let words = error.to_string();
    if !core.note_exhausted(&error.into()) {
        core.trouble(Trouble::CannotAccept { error: words });
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
