//! Dialling: names to addresses, addresses to a connected stream.
//!
//! As RFC 8305 has it ("happy eyeballs"): the addresses of a name in turns of IPv6 and IPv4,
//! beginning with the family that the system prefers; the next one is tried when the last has failed, or after 250 ms
//! beside it; the first that is connected wins. The node ends the dial at its deadline.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use mio::net::TcpStream;
use socket2::{SockRef, TcpKeepalive};

use super::core::Core;
use super::link_thread::{End, LinkThread};
use super::resolver::Answer;
use crate::cause::Cause;
use crate::node::dialable::{Scope, may_dial};
use crate::node::{Event, Target};
use crate::wire::HostPort;

/// How long an address is tried alone.
const STAGGER: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried, at most.
const MAX_ADDRESSES: usize = 16;
/// Keep-alive probes that are not answered before a peer is taken to be gone.
#[cfg(unix)]
const PROBES: u32 = 3;
/// Bytes that the system has accepted and not sent yet: what waits for a peer is to wait with us,
/// where it is counted.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 256 * 1024;
/// See [`give_up_after`].
pub(crate) const UNACKNOWLEDGED: Duration = Duration::from_secs(2);

/// A dial under way.
struct Race {
    /// Where the peer is that told us the address; `None` if the user asked for it.
    told_in: Option<Scope>,
    skip: Vec<SocketAddr>,
    answers: Receiver<Answer>,
    /// Names that are still being looked up.
    lookups: usize,
    waiting: VecDeque<SocketAddr>,
    running: Vec<(SocketAddr, TcpStream)>,
    /// When the next address is tried beside those that run.
    next_at: Duration,
    last: Cause,
}

impl LinkThread {
    /// Connects to the first address that answers.
    pub(super) fn dial(
        &mut self,
        target: &Target,
        skip: Vec<SocketAddr>,
    ) -> Result<TcpStream, End> {
        self.core.look_outward();
        let (asker, answers) = crossbeam_channel::unbounded();
        let told_in = match target {
            Target::Asked(_) => None,
            Target::Told(_, scope) => Some(*scope),
        };
        let mut race = Race {
            told_in,
            skip,
            answers,
            lookups: 0,
            waiting: VecDeque::new(),
            running: Vec::new(),
            next_at: Duration::ZERO,
            last: Cause::Refused,
        };
        for host in target.hosts() {
            self.enter(&mut race, host, &asker);
        }
        loop {
            while let Ok((name, found)) = race.answers.try_recv() {
                self.found(&mut race, name, found);
            }
            if let Some(stream) = self.first_connected(&mut race) {
                return Ok(stream);
            }
            self.start_next(&mut race);
            if race.running.is_empty() && race.lookups == 0 {
                return Err(End::Lost(race.last));
            }
            self.wait(race.deadline())?;
        }
    }

    /// Adds a number to the addresses, or has a name looked up.
    fn enter(&self, race: &mut Race, host: &HostPort, asker: &Sender<Answer>) {
        match host.to_socket_addr() {
            Some(addr) => race.add([addr], self.core.local_addr.port()),
            None => {
                let (name, asker) = (host.clone(), asker.clone());
                match self.core.resolver.look_up(name, asker, &self.link) {
                    Ok(()) => race.lookups += 1,
                    Err(error) => self.failed(race, host.clone(), error.into()),
                }
            }
        }
    }

    fn found(&self, race: &mut Race, name: HostPort, found: io::Result<Vec<SocketAddr>>) {
        race.lookups -= 1;
        match found {
            Err(error) => self.failed(race, name, Cause::Unresolved(Arc::new(error))),
            Ok(found) => {
                let before = race.waiting.len();
                race.add(in_turns(found), self.core.local_addr.port());
                let new = race.waiting.iter().skip(before);
                let addrs = new.map(|&addr| HostPort::from(addr)).collect();
                self.core.tell(Event::Resolved { link: self.link.id, name, addrs });
            }
        }
    }

    /// Starts the next address if it is its turn; what fails at once gives way to the next.
    fn start_next(&mut self, race: &mut Race) {
        while race.running.is_empty() || self.core.clock.mono() >= race.next_at {
            let Some(addr) = race.waiting.pop_front() else { return };
            let started = TcpStream::connect(addr).map_err(Cause::from).and_then(|mut stream| {
                self.register(&mut stream).map_err(End::cause)?;
                Ok(stream)
            });
            match started {
                Ok(stream) => {
                    race.running.push((addr, stream));
                    race.next_at = self.core.clock.mono() + STAGGER;
                }
                Err(cause) => self.failed(race, addr.into(), cause),
            }
        }
    }

    /// The first stream that is connected; those that have failed are given up.
    fn first_connected(&self, race: &mut Race) -> Option<TcpStream> {
        for (addr, stream) in std::mem::take(&mut race.running) {
            match is_connected(&stream) {
                Ok(true) => return Some(stream),
                Ok(false) => race.running.push((addr, stream)),
                Err(cause) => {
                    self.failed(race, addr.into(), cause);
                    race.next_at = Duration::ZERO;
                }
            }
        }
        None
    }

    fn failed(&self, race: &mut Race, addr: HostPort, cause: Cause) {
        race.last = cause.clone();
        self.core.tell(Event::Unreached { link: self.link.id, addr, cause });
    }
}

impl Race {
    /// Adds what may be dialled and was not tried.
    fn add(&mut self, addrs: impl IntoIterator<Item = SocketAddr>, own_port: u16) {
        for addr in addrs.into_iter().take(MAX_ADDRESSES) {
            let may = self.told_in.is_none_or(|scope| may_dial(own_port, scope, addr));
            if may && !self.skip.contains(&addr) && !self.waiting.contains(&addr) {
                self.waiting.push_back(addr);
            }
        }
    }

    fn deadline(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }
}

fn is_connected(stream: &TcpStream) -> Result<bool, Cause> {
    if let Some(error) = stream.take_error()? {
        return Err(error.into());
    }
    match stream.peer_addr() {
        // TCP's simultaneous open: dialling one's own free port connects to oneself.
        Ok(peer) if stream.local_addr().is_ok_and(|local| local == peer) => Err(Cause::Refused),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The two families in turns, beginning with that of the first address.
fn in_turns(addrs: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addrs.first().map(SocketAddr::is_ipv6);
    let (one, other): (VecDeque<_>, VecDeque<_>) =
        addrs.into_iter().partition(|addr| Some(addr.is_ipv6()) == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let turns = std::iter::from_fn(|| match (one.next(), other.next()) {
        (None, None) => None,
        pair => Some([pair.0, pair.1]),
    });
    turns.flatten().flatten().collect()
}

/// What every stream is set up with: no delay for small frames, the system's own probes for
/// peers that vanished without a word, and buffers in proportion to our own. How long the system waits
/// for an acknowledgement is set in [`give_up_after`], at the first turn of the link.
pub(crate) fn prepare(stream: &TcpStream, core: &Core) {
    let idle = core.config.keepalive;
    let probes = TcpKeepalive::new().with_time(idle).with_interval(idle / 3);
    #[cfg(unix)]
    let probes = probes.with_retries(PROBES);
    // All of it only improves things: a system that refuses them still has a working stream.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&probes);
    #[cfg(target_vendor = "apple")]
    let _ = socket.set_nosigpipe(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    if let Some(bytes) = core.config.system_buffers() {
        let _ = socket.set_send_buffer_size(bytes);
        let _ = socket.set_recv_buffer_size(bytes);
    }
}

/// Has the system end the connection when the peer acknowledges nothing for this long, and a
/// little longer, so that a queue that stalls is noticed first. With `None`, or where it cannot be
/// told, it has a patience of its own, which ends only when its probes are not answered.
pub(crate) fn give_up_after(stream: &TcpStream, patience: Option<Duration>) {
    let patience = patience.map(|patience| patience.saturating_add(UNACKNOWLEDGED));
    // A system that refuses it still has a working stream.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let _ = SockRef::from(stream).set_tcp_user_timeout(patience);
    #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
    let _ = (stream, patience);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_up_a_peer_that_acknowledges_nothing() -> io::Result<()> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        give_up_after(&stream, Some(Duration::from_secs(10)));
        let patience = SockRef::from(&stream).tcp_user_timeout()?;
        assert_eq!(patience, Some(Duration::from_secs(12)));
        Ok(())
    }
}
