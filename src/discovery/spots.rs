//! Which interfaces beacons are sent and heard on.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An interface, as the calls for multicast name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// By one of its addresses.
    V4(Ipv4Addr),
    /// By its number.
    V6(u32),
}

/// An address of an interface that is up.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub name: String,
    pub ip: IpAddr,
    pub index: Option<u32>,
}

/// Asks the system. What it does not tell is left out.
pub(super) fn places() -> Vec<Place> {
    let list = if_addrs::get_if_addrs().unwrap_or_default();
    let up = list.into_iter().filter(if_addrs::Interface::is_oper_up);
    up.map(|it| Place { ip: it.ip(), index: it.index, name: it.name }).collect()
}

/// Returns where to send beacons: on the interfaces that the program wants, by name or address; otherwise on
/// the one that the socket is bound to; otherwise on all.
pub(super) fn spots(places: &[Place], wanted: &[String], bound: SocketAddr) -> BTreeSet<Spot> {
    let bound = bound.ip().to_canonical();
    let is_meant = |place: &&Place| match wanted {
        [] if !bound.is_unspecified() => place.ip == bound,
        [] => !place.ip.is_loopback(),
        names => names.iter().any(|name| *name == place.name || *name == place.ip.to_string()),
    };
    let takes = |place: &&Place| bound.is_unspecified() || bound.is_ipv4() == place.ip.is_ipv4();
    let takes = |place: &&Place| takes(place) && (bound.is_ipv6() || place.ip.is_ipv4());
    let spot = |place: &Place| match place.ip {
        IpAddr::V4(ip) => Some(Spot::V4(ip)),
        IpAddr::V6(_) => place.index.map(Spot::V6),
    };
    let found: BTreeSet<Spot> =
        places.iter().filter(is_meant).filter(takes).filter_map(spot).collect();
    match bound {
        _ if !found.is_empty() || !wanted.is_empty() => found,
        // Any address of 127.0.0.0/8 can be bound, and one is listed.
        IpAddr::V4(bound) if !bound.is_unspecified() => BTreeSet::from([Spot::V4(bound)]),
        // Without a network there are still the nodes of this host.
        _ if bound.is_unspecified() => BTreeSet::from([Spot::V4(Ipv4Addr::LOCALHOST)]),
        _ => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, ip: &str, index: u32) -> Place {
        Place { name: name.into(), ip: ip.parse().expect("an address"), index: Some(index) }
    }

    fn chosen(wanted: &[&str], bound: &str) -> Vec<Spot> {
        let places = [
            place("lo", "127.0.0.1", 1),
            place("lo", "::1", 1),
            place("eth0", "10.0.0.1", 2),
            place("eth0", "fe80::1", 2),
            place("eth0", "fd00::1", 2),
            place("eth1", "10.1.0.1", 3),
        ];
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        spots(&places, &wanted, bound.parse().expect("an address")).into_iter().collect()
    }

    fn v4(last: [u8; 4]) -> Spot {
        Spot::V4(last.into())
    }

    #[test]
    fn all_interfaces_are_used_or_the_one_that_is_bound() {
        assert_eq!(chosen(&[], "0.0.0.0:1"), [v4([10, 0, 0, 1]), v4([10, 1, 0, 1])]);
        assert_eq!(chosen(&[], "[::]:1"), [v4([10, 0, 0, 1]), v4([10, 1, 0, 1]), Spot::V6(2)]);
        assert_eq!(chosen(&[], "127.0.0.1:1"), [v4([127, 0, 0, 1])]);
        assert_eq!(chosen(&[], "127.0.0.9:1"), [v4([127, 0, 0, 9])]);
        assert_eq!(chosen(&[], "[fd00::1]:1"), [Spot::V6(2)]);
    }

    #[test]
    fn a_program_chooses_by_name_or_address() {
        assert_eq!(chosen(&["eth1"], "[::]:1"), [v4([10, 1, 0, 1])]);
        assert_eq!(chosen(&["eth0"], "[::]:1"), [v4([10, 0, 0, 1]), Spot::V6(2)]);
        assert_eq!(chosen(&["10.0.0.1"], "0.0.0.0:1"), [v4([10, 0, 0, 1])]);
        assert_eq!(
            chosen(&["eth0"], "0.0.0.0:1"),
            [v4([10, 0, 0, 1])],
            "no IPv6 in a socket of IPv4"
        );
        assert_eq!(chosen(&["eth7"], "0.0.0.0:1"), [], "it may come later");
    }

    #[test]
    fn without_a_network_the_nodes_of_this_host_find_each_other() {
        let bound = "0.0.0.0:1".parse().expect("an address");
        assert_eq!(spots(&[], &[], bound), BTreeSet::from([v4([127, 0, 0, 1])]));
    }
}
