//! Which addresses make sense between two nodes: which may be told, and which may be dialled.

use std::net::{IpAddr, SocketAddr};

use crate::wire::HostPort;

/// Where the other end of a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// On this host: both ends share the loopback addresses.
    Host,
    /// On the same network segment, reached by link-local addresses only.
    Segment,
    /// Anywhere else.
    Network,
}

/// The two ends of a link, and the addresses that this node announces on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub remote: SocketAddr,
    pub scope: Scope,
    /// The address in our handshake; `None` if the peer cannot dial us.
    pub announce: Option<HostPort>,
    /// A second address, which only rs2p peers are told.
    pub also: Option<HostPort>,
}

impl Scope {
    /// Returns where `remote` is, seen from `local`.
    pub fn of(local: IpAddr, remote: IpAddr) -> Self {
        let (local, remote) = (local.to_canonical(), remote.to_canonical());
        if remote.is_loopback() || remote == local {
            Scope::Host
        } else if is_link_local(remote) {
            Scope::Segment
        } else {
            Scope::Network
        }
    }

    /// Returns whether an address can be dialled between two nodes in this scope.
    pub fn allows(self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let is_host = match ip {
            IpAddr::V4(ip) => !(ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast()),
            IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_multicast()),
        };
        is_host
            && (!ip.is_loopback() || self == Scope::Host)
            && (!is_link_local(ip) || self == Scope::Segment)
    }

    /// Returns whether a node in this scope is told this address. A link-local IPv6 address
    /// includes the number of an interface, which differs between hosts. A name makes sense
    /// everywhere.
    pub fn may_tell(self, addr: &HostPort) -> bool {
        addr.to_socket_addr().is_none_or(|addr| {
            let ip = addr.ip();
            self.allows(ip) && !(ip.is_ipv6() && is_link_local(ip))
        })
    }
}

impl Way {
    /// Corrects what a peer announced: an address that makes no sense from here is replaced by the
    /// one that its link comes from.
    pub fn correct(&self, announced: &HostPort) -> HostPort {
        match announced.to_socket_addr() {
            Some(addr) if !self.scope.allows(addr.ip()) && self.scope.allows(self.remote.ip()) => {
                HostPort { port: announced.port, ..HostPort::from(self.remote) }
            }
            _ => announced.clone(),
        }
    }
}

/// Returns whether an address that a peer in `scope` told may be dialled: it must make sense for
/// that peer and for us, and its port must not be privileged unless ours is.
pub(crate) fn may_dial(own_port: u16, scope: Scope, addr: SocketAddr) -> bool {
    let port_is_fine = addr.port() >= 1024 || (addr.port() != 0 && own_port < 1024);
    port_is_fine && scope.allows(addr.ip())
}

/// Returns whether this address is valid on one network segment only.
pub(crate) fn is_link_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// Returns whether this address is private: many networks use it.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || is_link_local(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn host(text: &str) -> HostPort {
        HostPort { host: text.into(), port: 4444 }
    }

    fn way(remote: &str, scope: Scope) -> Way {
        Way { remote: SocketAddr::new(ip(remote), 999), scope, announce: None, also: None }
    }

    #[test]
    fn peers_are_on_this_host_on_this_wire_or_in_the_network() {
        for (local, remote, scope) in [
            ("127.0.0.1", "127.0.0.9", Scope::Host),
            ("::ffff:10.0.0.1", "10.0.0.1", Scope::Host),
            ("fe80::1", "fe80::2", Scope::Segment),
            ("169.254.1.1", "169.254.2.2", Scope::Segment),
            ("10.0.0.1", "10.0.0.2", Scope::Network),
            ("fd00::1", "2001:db8::1", Scope::Network),
        ] {
            assert_eq!(Scope::of(ip(local), ip(remote)), scope, "{local} {remote}");
        }
    }

    #[test]
    fn hints_are_dialled_only_if_they_make_sense_for_both_ends() {
        let may = |scope, to, port| may_dial(4444, scope, SocketAddr::new(ip(to), port));
        assert!(may(Scope::Host, "127.0.0.1", 4444) && may(Scope::Host, "::1", 4444));
        assert!(may(Scope::Network, "10.0.0.1", 4444) && may(Scope::Host, "10.0.0.1", 4444));
        assert!(may(Scope::Segment, "169.254.1.1", 4444));
        for scope in [Scope::Network, Scope::Segment] {
            assert!(!may(scope, "127.0.0.1", 4444) && !may(scope, "::ffff:127.0.0.1", 4444));
        }
        for nowhere in ["0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1"] {
            assert!(!may(Scope::Host, nowhere, 4444), "{nowhere}");
        }
        assert!(!may(Scope::Network, "169.254.169.254", 4444));
        assert!(!may(Scope::Network, "10.0.0.1", 22) && !may(Scope::Network, "10.0.0.1", 0));
        assert!(may_dial(80, Scope::Network, SocketAddr::new(ip("10.0.0.1"), 81)));
    }

    #[test]
    fn a_loopback_address_from_the_network_is_replaced_by_where_it_came_from() {
        let network = way("10.77.0.2", Scope::Network);
        assert_eq!(network.correct(&host("127.0.0.1")), host("10.77.0.2"));
        assert_eq!(network.correct(&host("0.0.0.0")), host("10.77.0.2"));
        assert_eq!(network.correct(&host("192.168.1.1")), host("192.168.1.1"));
        assert_eq!(network.correct(&host("hub.test")), host("hub.test"));
        let local = way("127.0.0.1", Scope::Host);
        assert_eq!(local.correct(&host("127.0.0.9")), host("127.0.0.9"));
    }

    #[test]
    fn loopback_is_told_on_this_host_only() {
        assert!(Scope::Host.may_tell(&host("127.0.0.1")));
        assert!(!Scope::Network.may_tell(&host("127.0.0.1")));
        assert!(!Scope::Segment.may_tell(&host("fe80::1")));
        assert!(Scope::Network.may_tell(&host("hub.test")));
    }
}
