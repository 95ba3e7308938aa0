//! Connections that are not admitted yet: a socket each, and no thread. A connection is admitted
//! once it sends something, so silent strangers keep no node out and cost little.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// Tokens from here on are those of the strangers.
pub(super) const FIRST: usize = 2;

#[derive(Debug)]
struct Guest {
    token: Token,
    stream: TcpStream,
    addr: SocketAddr,
    since: Duration,
    has_spoken: bool,
}

/// In the order in which they came.
#[derive(Debug)]
pub(super) struct Strangers {
    guests: Vec<Guest>,
    max: usize,
    next: usize,
}

impl Strangers {
    pub fn new(max: usize) -> Self {
        Strangers { guests: Vec::new(), max, next: FIRST }
    }

    /// Adds a connection, if necessary in the place of a silent one: of the address that has the most, the
    /// one that was silent for the longest time. Returns the address of the one that gave way. Only where all have spoken there must be no more: see
    /// [`Strangers::is_full`].
    pub fn enter(
        &mut self,
        registry: &Registry,
        now: Duration,
        mut stream: TcpStream,
        addr: SocketAddr,
    ) -> io::Result<Option<SocketAddr>> {
        let token = Token(self.next);
        registry.register(&mut stream, token, Interest::READABLE)?;
        self.next = self.next.checked_add(1).unwrap_or(FIRST);
        let is_full = self.guests.len() >= self.max;
        let silent = if is_full { self.greediest_silent() } else { None };
        // Dropping a stream closes it, and the system forgets its registration.
        let silent = silent.map(|at| self.guests.remove(at).addr);
        self.guests.push(Guest { token, stream, addr, since: now, has_spoken: false });
        Ok(silent)
    }

    /// Returns the connection that gives way. Connections of one address do not push out those of others.
    fn greediest_silent(&self) -> Option<usize> {
        let mut counts = HashMap::new();
        for guest in &self.guests {
            *counts.entry(guest.addr.ip()).or_insert(0_usize) += 1;
        }
        let silent = self.guests.iter().enumerate().filter(|(_, guest)| !guest.has_spoken);
        // Of equal ones the last, so the others come in reverse order.
        let greediest = silent.rev().max_by_key(|(_, guest)| counts.get(&guest.addr.ip()).copied());
        greediest.map(|(at, _)| at)
    }

    /// Returns whether there is no room and no silent connection that gives way. Then others wait
    /// in the system's backlog.
    pub fn is_full(&self) -> bool {
        self.guests.len() >= self.max && self.guests.iter().all(|guest| guest.has_spoken)
    }

    /// Looks at a connection of which the system has something to tell. Notes that it has sent something, or
    /// drops it if it is gone without a word, and returns its address: it keeps no place from others.
    pub fn look_at(&mut self, token: Token) -> Option<SocketAddr> {
        let at = self.guests.iter().position(|guest| guest.token == token)?;
        let guest = self.guests.get_mut(at)?;
        match guest.stream.peek(&mut [0]) {
            Ok(1..) => guest.has_spoken = true,
            Err(error) if is_passing(&error) => {}
            Ok(0) | Err(_) => return Some(self.guests.remove(at).addr),
        }
        None
    }

    pub fn has_speakers(&self) -> bool {
        self.guests.iter().any(|guest| guest.has_spoken)
    }

    /// Returns the next one to be admitted: the first that has spoken, of those from the address
    /// that has the fewest here. So connections of one address do not delay those of others.
    pub fn call(&mut self, registry: &Registry) -> Option<(TcpStream, SocketAddr)> {
        let of = |ip: IpAddr| self.guests.iter().filter(|guest| guest.addr.ip() == ip).count();
        let speakers = self.guests.iter().enumerate().filter(|(_, guest)| guest.has_spoken);
        let (at, _) = speakers.min_by_key(|(_, guest)| of(guest.addr.ip()))?;
        let Guest { mut stream, addr, .. } = self.guests.remove(at);
        // If it fails, the link's own registration will fail too, and say so.
        let _ = registry.deregister(&mut stream);
        Some((stream, addr))
    }

    /// Drops the connections that were silent for too long. Returns their addresses.
    pub fn tidy(&mut self, now: Duration, patience: Duration) -> Vec<SocketAddr> {
        let is_late = |guest: &mut Guest| !guest.has_spoken && guest.since + patience <= now;
        self.guests.extract_if(.., is_late).map(|guest| guest.addr).collect()
    }

    /// Returns when to tidy next.
    pub fn next_deadline(&self, patience: Duration) -> Option<Duration> {
        let silent = self.guests.iter().find(|guest| !guest.has_spoken)?;
        Some(silent.since + patience)
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
