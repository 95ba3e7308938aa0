//! The outward address: chooses which of its own addresses a node announces over a link.
//!
//! - `out_addr` in the builder overrules everything else.
//! - A listener that is bound to one address announces that one, where it makes sense.
//! - A wildcard listener announces to a peer the local address of the very link to it: that is the
//!   interface over which the peer reaches this host.
//! - Where that address is of no use to others (loopback, link-local of IPv6, a family that the
//!   listener does not take), the best address of the interfaces is announced, see [`rule`].
//! - A loopback address is announced to peers on the same host only, and only if there is no better
//!   one. Whoever can dial no address of this node is told none.
//! - rs2p peers are told a second address where there is one: that of the link, beside `out_addr`
//!   or beside the address of an interface. So a peer in the same network as a node behind a port
//!   forward gets an address that works there.
//!
//! The interfaces are read when a link comes up, not once: what a handshake says is true then.

mod interfaces;
mod normal;
mod rule;

use std::net::{IpAddr, SocketAddr};

use parking_lot::Mutex;

pub(crate) use interfaces::Interfaces;
pub(crate) use normal::normalised;

use crate::node::dialable::{Scope, Way};
use crate::wire::HostPort;

/// What the outward address depends on.
#[derive(Debug)]
pub(crate) struct Outward {
    /// What the builder says.
    set: Option<HostPort>,
    bound: SocketAddr,
    /// Whether a listener on `[::]` takes IPv4 as well.
    takes_v4: bool,
    /// What was found last.
    last: Mutex<Option<Option<IpAddr>>>,
}

/// How the outward address has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Lost,
    Found(HostPort),
}

impl Outward {
    pub fn new(set: Option<HostPort>, bound: SocketAddr, takes_v4: bool) -> Self {
        Outward { set, bound, takes_v4, last: Mutex::new(None) }
    }

    /// Returns the address that most others can dial; `None` if there is none.
    pub fn best(&self, interfaces: &Interfaces) -> Option<HostPort> {
        if self.set.is_some() {
            return self.set.clone();
        }
        if !self.bound.ip().is_unspecified() {
            return Some(HostPort::from(self.bound));
        }
        rule::best(interfaces, |ip| self.takes(ip)).map(|ip| self.at(ip))
    }

    /// Returns what can be dialled on this host if nothing else can.
    pub fn loopback(&self) -> HostPort {
        let bound = self.bound.ip();
        let (v4, v6) = (std::net::Ipv4Addr::LOCALHOST, std::net::Ipv6Addr::LOCALHOST);
        self.at(if self.takes(v4.into()) {
            v4.into()
        } else if bound.is_ipv6() {
            v6.into()
        } else {
            bound
        })
    }

    /// Returns what is said on a link between these two ends. `read` reads the interfaces, if need
    /// be.
    pub fn way(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        read: impl FnOnce() -> Interfaces,
    ) -> Way {
        let scope = Scope::of(local.ip(), remote.ip());
        let here = self.of_link(local.ip()).filter(|addr| scope.may_tell(addr));
        let first = match (&self.set, scope, &here) {
            (Some(set), _, _) => Some(set.clone()),
            (None, Scope::Network | Scope::Segment, Some(here)) => Some(here.clone()),
            (None, _, _) => self.best(&read()).filter(|addr| scope.may_tell(addr)),
        };
        let announce = first.or_else(|| here.clone());
        let also = here.filter(|here| announce.as_ref() != Some(here));
        Way { remote, scope, announce, also }
    }

    /// Returns the address at which this end of a link can be dialled, if the listener takes it.
    fn of_link(&self, local: IpAddr) -> Option<HostPort> {
        if self.bound.ip().is_unspecified() {
            self.takes(local).then(|| self.at(local))
        } else {
            Some(HostPort::from(self.bound))
        }
    }

    /// Notes what is announced now; how that differs from the last time.
    pub fn note(&self, best: Option<&HostPort>) -> Option<Change> {
        let now = best.and_then(HostPort::to_socket_addr).map(|addr| addr.ip());
        let before = self.last.lock().replace(now);
        match (before, best) {
            (Some(before), _) if before == now => None,
            (None, Some(_)) => None,
            (Some(_), Some(best)) => Some(Change::Found(best.clone())),
            (_, None) => Some(Change::Lost),
        }
    }

    /// Returns whether the interfaces decide.
    pub fn varies(&self) -> bool {
        self.set.is_none() && self.bound.ip().is_unspecified()
    }

    fn takes(&self, ip: IpAddr) -> bool {
        match (self.bound.ip(), ip.to_canonical()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => true,
            (IpAddr::V6(_), IpAddr::V4(_)) => self.takes_v4,
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
        }
    }

    fn at(&self, ip: IpAddr) -> HostPort {
        HostPort::from(SocketAddr::new(ip.to_canonical(), self.bound.port()))
    }
}

#[cfg(test)]
mod tests;
