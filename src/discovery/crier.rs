//! The thread that sends beacons and hears those of others.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::beacon::Beacon;
use crate::outward::Interfaces;
use crate::runtime::core::Core;
use crate::wire::HostPort;

/// Administratively scoped: routers do not pass it on.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 82, 50);
const PORT: u16 = 24_582;
/// So many beacons follow each other quickly: some nodes, and some interfaces, come a little later.
const EAGER: u32 = 5;
const EAGER_PAUSE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_secs(10);
/// Beacons that are looked at in one second; further ones are not.
const MAX_HEARD: u32 = 64;
/// Datagrams that are read before the time is looked at.
const MAX_READ: u32 = 256;
const SECOND: Duration = Duration::from_secs(1);

const SOCKET: Token = Token(0);
const WAKE: Token = Token(1);

pub(super) struct Crier {
    core: Arc<Core>,
    /// Addresses of the interfaces that the program wants; empty for all.
    wanted: Vec<Ipv4Addr>,
    poll: Poll,
    socket: UdpSocket,
    joined: BTreeSet<Ipv4Addr>,
    sent: u32,
    last: Option<Instant>,
    next: Instant,
    heard: (Instant, u32),
}

impl Crier {
    pub fn new(core: Arc<Core>, wanted: Vec<Ipv4Addr>) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        // Several nodes on one host hear the same port.
        socket.set_reuse_address(true)?;
        #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
        socket.set_reuse_port(true)?;
        socket.set_multicast_loop_v4(true)?;
        socket.set_multicast_ttl_v4(1)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        let mut socket = UdpSocket::from_std(socket.into());
        let poll = Poll::new()?;
        poll.registry().register(&mut socket, SOCKET, Interest::READABLE)?;
        let now = Instant::now();
        let (joined, heard) = (BTreeSet::new(), (now, 0));
        Ok(Crier { core, wanted, poll, socket, joined, sent: 0, last: None, next: now, heard })
    }

    pub fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKE)
    }

    pub fn run(mut self) {
        let mut events = Events::with_capacity(8);
        let mut has_more = false;
        while self.core.phase.is_open() {
            let now = Instant::now();
            if now >= self.next {
                self.cry(now);
            }
            let patience = self.next.saturating_duration_since(now);
            let patience = if has_more { Duration::ZERO } else { patience };
            match self.poll.poll(&mut events, Some(patience)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    log::error!(target: "rs2p::discovery", "discovery has ended: {error}");
                    return;
                }
                _ => has_more = self.hear(),
            }
        }
    }

    /// Sends a beacon on each interface, those included that have come up since.
    fn cry(&mut self, now: Instant) {
        self.sent = self.sent.saturating_add(1);
        self.last = Some(now);
        self.next = now + if self.sent < EAGER { EAGER_PAUSE } else { PAUSE };
        let mut nonce = [0; 8];
        if getrandom::fill(&mut nonce).is_err() {
            return;
        }
        let beacon = Beacon { id: self.core.id, port: self.core.local_addr.port() };
        let bytes = beacon.encode(self.core.protocol.id(), nonce);
        let interfaces = self.interfaces();
        self.joined.retain(|address| interfaces.contains(address));
        for address in interfaces {
            // An interface without multicast, or one that has just gone, is left out.
            let _ = self.cry_on(address, &bytes);
        }
    }

    fn cry_on(&mut self, address: Ipv4Addr, bytes: &[u8]) -> io::Result<()> {
        if !self.joined.contains(&address) {
            match self.socket.join_multicast_v4(&GROUP, &address) {
                // It went and came back.
                Err(error) if error.kind() != ErrorKind::AddrInUse => return Err(error),
                _ => self.joined.insert(address),
            };
        }
        SockRef::from(&self.socket).set_multicast_if_v4(&address)?;
        self.socket.send_to(bytes, SocketAddrV4::new(GROUP, PORT).into())?;
        Ok(())
    }

    /// Returns the addresses of the interfaces to use.
    fn interfaces(&self) -> Vec<Ipv4Addr> {
        match self.core.local_addr {
            _ if !self.wanted.is_empty() => return self.wanted.clone(),
            SocketAddr::V4(bound) if !bound.ip().is_unspecified() => return vec![*bound.ip()],
            _ => {}
        }
        let all = Interfaces::read().list.into_iter().filter_map(|interface| match interface.ip {
            std::net::IpAddr::V4(ip) if !ip.is_loopback() => Some(ip),
            _ => None,
        });
        let all: Vec<Ipv4Addr> = all.collect();
        // Without a network there are still the nodes of this host.
        if all.is_empty() { vec![Ipv4Addr::LOCALHOST] } else { all }
    }

    /// Reads what has come. Returns whether there may be more: the poll does not say so again.
    fn hear(&mut self) -> bool {
        let mut buffer = [0; 256];
        for _ in 0..MAX_READ {
            let Ok((len, from)) = self.socket.recv_from(&mut buffer) else { return false };
            // A flood is read and not looked at.
            if !self.may_hear() {
                continue;
            }
            let mesh = self.core.protocol.id();
            let beacon = buffer.get(..len).and_then(|bytes| Beacon::read(bytes, mesh));
            if let Some(beacon) = beacon.filter(|beacon| beacon.id != self.core.id) {
                self.heard(beacon, from);
            }
        }
        true
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
    fn heard(&mut self, beacon: Beacon, from: SocketAddr) {
        let addr = HostPort::from(SocketAddr::new(from.ip(), beacon.port));
        let is_new = self.core.act(|state, now| state.node.heard_beacon(now, beacon.id, &addr));
        let soonest = self.last.map_or_else(Instant::now, |last| last + EAGER_PAUSE);
        if is_new && soonest < self.next {
            self.next = soonest;
        }
    }
}
