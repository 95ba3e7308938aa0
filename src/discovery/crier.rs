//! The thread that sends beacons and hears those of others.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::beacon::Beacon;
use super::caster::Caster;
use super::spots::{Spot, places, spots};
use crate::runtime::core::Core;
use crate::wire::HostPort;

/// So many beacons follow each other quickly: some nodes, and some interfaces, come a little later.
const EAGER: u32 = 5;
const EAGER_PAUSE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_secs(10);
/// The time between two looks at the interfaces. One that has come up gets a beacon at once.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Beacons that are looked at in one second; further ones are not.
const MAX_HEARD: u32 = 64;
/// Datagrams that are read before the time is looked at.
const MAX_READ: u32 = 256;
const SECOND: Duration = Duration::from_secs(1);

const V4: Token = Token(0);
const V6: Token = Token(1);
const WAKE: Token = Token(2);

pub(super) struct Crier {
    core: Arc<Core>,
    /// Names or addresses of the interfaces that the program wants; empty for all.
    wanted: Vec<String>,
    poll: Poll,
    casters: Vec<Caster>,
    spots: BTreeSet<Spot>,
    sent: u32,
    last: Option<Instant>,
    next: Instant,
    look_at: Instant,
    heard: (Instant, u32),
}

impl Crier {
    pub fn new(core: Arc<Core>, wanted: Vec<String>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let casters = casters(core.local_addr, &poll)?;
        let now = Instant::now();
        let (spots, heard) = (BTreeSet::new(), (now, 0));
        let (sent, last, next, look_at) = (0, None, now, now);
        Ok(Crier { core, wanted, poll, casters, spots, sent, last, next, look_at, heard })
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
                self.cry(now);
            }
            let patience = self.next.min(self.look_at).saturating_duration_since(now);
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

    /// Looks for interfaces that have come up. The nodes behind them wait for a beacon.
    fn look(&mut self, now: Instant) {
        self.look_at = now + LOOK_EVERY;
        let found = spots(&places(), &self.wanted, self.core.local_addr);
        if !found.is_subset(&self.spots) {
            (self.next, self.sent) = (now, 0);
        }
        self.spots = found;
    }

    /// Sends a beacon on each interface.
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
        for caster in &mut self.casters {
            caster.cast(&self.spots, &bytes);
        }
    }

    /// Reads what has come. Returns whether there may be more: the poll does not say so again.
    fn hear(&mut self) -> bool {
        let mut buffer = [0; 256];
        let mut has_more = false;
        for number in 0..self.casters.len() {
            has_more |= self.hear_one(number, &mut buffer);
        }
        has_more
    }

    fn hear_one(&mut self, number: usize, buffer: &mut [u8]) -> bool {
        for _ in 0..MAX_READ {
            let Some(caster) = self.casters.get(number) else { return false };
            let Ok((len, from)) = caster.hear(buffer) else { return false };
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
    fn heard(&mut self, beacon: Beacon, mut from: SocketAddr) {
        from.set_port(beacon.port);
        let addr = HostPort::from(from);
        let is_new = self.core.act(|state, now| state.node.heard_beacon(now, beacon.id, &addr));
        let soonest = self.last.map_or_else(Instant::now, |last| last + EAGER_PAUSE);
        if is_new && soonest < self.next {
            self.next = soonest;
        }
    }
}

/// Opens the sockets of the families that the node takes. One of two may be missing in the system.
fn casters(bound: SocketAddr, poll: &Poll) -> io::Result<Vec<Caster>> {
    let v4 = || Caster::v4(poll.registry(), V4);
    match bound {
        SocketAddr::V4(_) => Ok(vec![v4()?]),
        SocketAddr::V6(bound) => {
            let v6 = Caster::v6(*bound.ip(), poll.registry(), V6);
            match bound.ip().is_unspecified().then(v4) {
                Some(Ok(v4)) => Ok([v4].into_iter().chain(v6).collect()),
                _ => Ok(vec![v6?]),
            }
        }
    }
}
