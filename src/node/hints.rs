//! IPv4 addresses that peers told and that were never dialled: most of an address book. They take 64 bytes
//! each, where a contact takes several hundred.

use std::net::SocketAddrV4;

use super::dialable::Scope;
use crate::base58;
use crate::host_port::HostPort;
use crate::id::NodeId;

/// Room is made for so many more at a time: a book is seldom full.
const STEP: usize = 32;

/// In no order: what is forgotten is replaced by the last one.
#[derive(Debug, Default)]
pub(super) struct Hints {
    list: Vec<Hint>,
    /// Of each hint, the digest of the node that is said to be there. Apart, because looking for an address or
    /// a rank does not need it.
    ids: Vec<[u8; 48]>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    pub addr: SocketAddrV4,
    pub scope: Scope,
    /// The rank of the node, see `exchange.rs`.
    pub rank: u64,
}

/// Where a hint may be dialled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Short(SocketAddrV4),
    Long(HostPort),
}

impl Place {
    pub fn into_addr(self) -> HostPort {
        match self {
            Place::Short(addr) => long(addr),
            Place::Long(addr) => addr,
        }
    }
}

/// Returns the address in its short form; `None` for names and for IPv6.
pub(super) fn short(addr: &HostPort) -> Option<SocketAddrV4> {
    addr.host.parse().ok().map(|ip| SocketAddrV4::new(ip, addr.port))
}

/// Returns the address as nodes exchange it.
pub(super) fn long(addr: SocketAddrV4) -> HostPort {
    HostPort { host: addr.ip().to_string(), port: addr.port() }
}

impl Hints {
    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn contains(&self, addr: &HostPort) -> bool {
        self.position(addr).is_some()
    }

    /// Adds a hint. Returns false if the address has no short form.
    pub fn add(&mut self, addr: &HostPort, id: &NodeId, scope: Scope, rank: u64) -> bool {
        let (Some(addr), Some(digest)) = (short(addr), base58::decode_digest(id.as_bytes())) else {
            return false;
        };
        if self.list.len() == self.list.capacity() {
            self.list.reserve_exact(STEP);
            self.ids.reserve_exact(STEP);
        }
        self.list.push(Hint { addr, scope, rank });
        self.ids.push(digest);
        true
    }

    /// Returns who is said to be at this address.
    pub fn id_at(&self, addr: &HostPort) -> Option<NodeId> {
        self.ids.get(self.position(addr)?).map(NodeId::from_digest)
    }

    /// Returns the scope of the peer that told this address.
    pub fn scope_of(&self, addr: &HostPort) -> Option<Scope> {
        self.list.get(self.position(addr)?).map(|hint| hint.scope)
    }

    /// Removes the hint at this address.
    pub fn take(&mut self, addr: &HostPort) -> Option<(Hint, NodeId)> {
        self.take_at(self.position(addr)?)
    }

    /// Removes the hint with this number.
    pub fn take_at(&mut self, at: usize) -> Option<(Hint, NodeId)> {
        if at >= self.list.len() {
            return None;
        }
        let (hint, digest) = (self.list.swap_remove(at), self.ids.swap_remove(at));
        Some((hint, NodeId::from_digest(&digest)))
    }

    /// Removes a hint about this node.
    pub fn take_peer(&mut self, id: &NodeId) -> Option<(Hint, NodeId)> {
        let digest = base58::decode_digest(id.as_bytes())?;
        self.take_at(self.ids.iter().position(|other| *other == digest)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Hint, &[u8; 48])> {
        self.list.iter().zip(&self.ids)
    }

    fn position(&self, addr: &HostPort) -> Option<usize> {
        let addr = short(addr)?;
        self.list.iter().position(|hint| hint.addr == addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> NodeId {
        NodeId::from_digest(&[n; 48])
    }

    fn addr(host: &str) -> HostPort {
        HostPort { host: host.into(), port: 4444 }
    }

    #[test]
    fn a_hint_is_returned_as_it_was_told() {
        let mut hints = Hints::default();
        for (n, host) in ["10.0.0.1", "10.0.0.2", "10.0.0.3"].into_iter().enumerate() {
            assert!(hints.add(&addr(host), &id(n as u8), Scope::Segment, n as u64));
        }
        let (first, who) = hints.take(&addr("10.0.0.1")).expect("it was added");
        assert_eq!((long(first.addr), first.rank, who), (addr("10.0.0.1"), 0, id(0)));
        assert!(!hints.contains(&addr("10.0.0.1")) && hints.len() == 2);
        assert_eq!(hints.id_at(&addr("10.0.0.3")), Some(id(2)));
        assert_eq!(hints.scope_of(&addr("10.0.0.2")), Some(Scope::Segment));
        assert_eq!(hints.take_peer(&id(1)).map(|(hint, _)| hint.rank), Some(1));
        assert!(hints.take_peer(&id(1)).is_none() && hints.take_at(1).is_none());
    }

    #[test]
    fn what_is_no_plain_address_has_no_short_form() {
        let mut hints = Hints::default();
        for host in ["a.example", "::1", "010.0.0.1", "10.0.0"] {
            assert!(!hints.add(&addr(host), &id(1), Scope::Host, 1), "{host}");
        }
        assert_eq!(hints.len(), 0);
    }
}
