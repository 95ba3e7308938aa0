//! The thread that sends beacons and receives those of others.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::beacon::Beacon;
use super::interfaces::{Interface, addresses, interfaces};
use super::multicast_socket::MulticastSocket;
use crate::runtime::core::Core;
use crate::wire::HostPort;

/// The first beacons follow each other quickly: some nodes, and some interfaces, come a little later.
const FIRST_BEACONS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_secs(10);
/// The time between two looks at the interfaces. One that has come up gets a beacon at once.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Beacons that are looked at in one second; further ones are not.
const MAX_HEARD: u32 = 64;
/// Datagrams that are read before the time is looked at.
const MAX_READ: u32 = 256;
/// Errors in a row after which reading ends until the system says again that there is something to read. An error
/// belongs to what one datagram did; others may be behind it.
const MAX_ERRORS: u32 = 16;
const SECOND: Duration = Duration::from_secs(1);

const V4: Token = Token(0);
const V6: Token = Token(1);
const WAKE: Token = Token(2);

pub(super) struct Announcer {
    core: Arc<Core>,
    /// Names or addresses of the interfaces that the program wants; empty for all.
    wanted: Vec<String>,
    poll: Poll,
    sockets: Vec<MulticastSocket>,
    interfaces: BTreeSet<Interface>,
    sent: u32,
    last: Option<Instant>,
    next: Instant,
    look_at: Instant,
    heard: (Instant, u32),
}

impl Announcer {
    pub fn new(core: Arc<Core>, wanted: Vec<String>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let sockets = sockets(core.local_addr, &poll)?;
        let now = Instant::now();
        let (interfaces, heard) = (BTreeSet::new(), (now, 0));
        let (sent, last, next, look_at) = (0, None, now, now);
        Ok(Announcer { core, wanted, poll, sockets, interfaces, sent, last, next, look_at, heard })
    }

    pub fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKE)
    }

    pub fn run(mut self) {
        let mut events = Events::with_capacity(8);
        let mut has_more = false;
        while self.core.phase.is_open() {
            let now = Instant::now();
            if now >= self.look_at {
                self.look(now);
            }
            if now >= self.next {
                self.announce(now);
            }
            let patience = self.next.min(self.look_at).saturating_duration_since(now);
            let patience = if has_more { Duration::ZERO } else { patience };
            match self.poll.poll(&mut events, Some(patience)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    log::error!(target: "rs2p::discovery", "discovery has ended: {error}");
                    return;
                }
                _ => has_more = self.receive(),
            }
        }
    }

    /// Looks for interfaces that have come up, or are gone. The nodes behind new ones wait for a beacon.
    fn look(&mut self, now: Instant) {
        self.look_at = now + LOOK_EVERY;
        let found = interfaces(&addresses(), &self.wanted, self.core.local_addr);
        if !found.is_subset(&self.interfaces) {
            (self.next, self.sent) = (now, 0);
        }
        self.sockets.iter_mut().for_each(|socket| socket.retain(&found));
        self.interfaces = found;
    }

    /// Sends a beacon on each interface.
    fn announce(&mut self, now: Instant) {
        self.sent = self.sent.saturating_add(1);
        self.last = Some(now);
        self.next = now + if self.sent < FIRST_BEACONS { FIRST_PAUSE } else { PAUSE };
        let mut nonce = [0; 8];
        if getrandom::fill(&mut nonce).is_err() {
            return;
        }
        let beacon = Beacon { id: self.core.id, port: self.core.local_addr.port() };
        let bytes = beacon.encode(self.core.protocol.id(), nonce);
        for socket in &mut self.sockets {
            socket.send(&self.interfaces, &bytes);
        }
    }

    /// Reads what has come. Returns whether there may be more: the poll does not say so again.
    fn receive(&mut self) -> bool {
        let mut has_more = false;
        for number in 0..self.sockets.len() {
            has_more |= self.receive_from(number);
        }
        has_more
    }

    fn receive_from(&mut self, number: usize) -> bool {
        let (mut buffer, mut errors) = ([0; 256], 0);
        for _ in 0..MAX_READ {
            let Some(socket) = self.sockets.get(number) else { return false };
            match socket.receive(&mut buffer) {
                Ok((len, from)) => {
                    errors = 0;
                    self.received(buffer.get(..len).unwrap_or_default(), from);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock || errors >= MAX_ERRORS => {
                    return false;
                }
                Err(_) => errors += 1,
            }
        }
        true
    }

    fn received(&mut self, bytes: &[u8], from: SocketAddr) {
        // A flood is read and not looked at.
        if !self.may_hear() {
            return;
        }
        let beacon = Beacon::read(bytes, self.core.protocol.id());
        if let Some(beacon) = beacon.filter(|beacon| beacon.id != self.core.id) {
            self.heard(beacon, from);
        }
    }

    fn may_hear(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.heard.0 + SECOND {
            self.heard = (now, 0);
        }
        self.heard.1 += 1;
        self.heard.1 <= MAX_HEARD
    }

    /// Dials the node as the mesh sees fit. Answers one that is not linked with a beacon: it may have room
    /// to dial where this node has none.
    fn heard(&mut self, beacon: Beacon, mut from: SocketAddr) {
        from.set_port(beacon.port);
        let addr = HostPort::from(from);
        let is_new = self.core.act(|state, now| state.node.heard_beacon(now, beacon.id, &addr));
        let soonest = self.last.map_or_else(Instant::now, |last| last + FIRST_PAUSE);
        if is_new && soonest < self.next {
            self.next = soonest;
        }
    }
}

/// Opens the sockets of the families that the node takes. One of two may be missing in the system.
fn sockets(bound: SocketAddr, poll: &Poll) -> io::Result<Vec<MulticastSocket>> {
    let v4 = || MulticastSocket::v4(poll.registry(), V4);
    match bound {
        SocketAddr::V4(_) => Ok(vec![v4()?]),
        SocketAddr::V6(bound) => {
            let v6 = MulticastSocket::v6(*bound.ip(), poll.registry(), V6);
            match bound.ip().is_unspecified().then(v4) {
                Some(Ok(v4)) => Ok([v4].into_iter().chain(v6).collect()),
                _ => Ok(vec![v6?]),
            }
        }
    }
}
