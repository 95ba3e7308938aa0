//! Which interfaces beacons are sent and heard on.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An interface to use for one family, as the calls for multicast name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interface {
    /// By one of its addresses. An interface that was removed and added again has another number: its groups
    /// have to be joined again.
    V4(Ipv4Addr, Option<u32>),
    /// By its number.
    V6(u32),
}

/// An address of an interface that is up.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub name: String,
    pub ip: IpAddr,
    pub index: Option<u32>,
}

/// Asks the system. What it does not tell is left out.
pub(super) fn addresses() -> Vec<Address> {
    let list = if_addrs::get_if_addrs().unwrap_or_default();
    let up = list.into_iter().filter(if_addrs::Interface::is_oper_up);
    up.map(|it| Address { ip: it.ip(), index: it.index, name: it.name }).collect()
}

/// Returns where to send beacons: on the interfaces that the program wants, by name or address; otherwise on
/// the one that the socket is bound to; otherwise on all.
pub(super) fn interfaces(
    addresses: &[Address],
    wanted: &[String],
    bound: SocketAddr,
) -> BTreeSet<Interface> {
    let bound = bound.ip().to_canonical();
    let is_wanted = |address: &&Address| match wanted {
        [] if !bound.is_unspecified() => address.ip == bound,
        [] => !address.ip.is_loopback(),
        names => names.iter().any(|name| *name == address.name || *name == address.ip.to_string()),
    };
    // `[::]` takes both families.
    let has_family = |address: &&Address| {
        let is_either = bound.is_unspecified() && bound.is_ipv6();
        is_either || bound.is_ipv4() == address.ip.is_ipv4()
    };
    let interface = |address: &Address| match address.ip {
        IpAddr::V4(ip) => Some(Interface::V4(ip, address.index)),
        IpAddr::V6(_) => address.index.map(Interface::V6),
    };
    let found: BTreeSet<Interface> =
        addresses.iter().filter(is_wanted).filter(has_family).filter_map(interface).collect();
    match bound {
        _ if !found.is_empty() || !wanted.is_empty() => found,
        // Any address of 127.0.0.0/8 can be bound, and one is listed.
        IpAddr::V4(bound) if !bound.is_unspecified() => {
            BTreeSet::from([Interface::V4(bound, None)])
        }
        // Without a network there are still the nodes of this host.
        _ if bound.is_unspecified() => BTreeSet::from([Interface::V4(Ipv4Addr::LOCALHOST, None)]),
        _ => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str, ip: &str, index: u32) -> Address {
        Address { name: name.into(), ip: ip.parse().expect("an address"), index: Some(index) }
    }

    fn chosen(wanted: &[&str], bound: &str) -> Vec<Interface> {
        let addresses = [
            address("lo", "127.0.0.1", 1),
            address("lo", "::1", 1),
            address("eth0", "10.0.0.1", 2),
            address("eth0", "fe80::1", 2),
            address("eth0", "fd00::1", 2),
            address("eth1", "10.1.0.1", 3),
        ];
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        interfaces(&addresses, &wanted, bound.parse().expect("an address")).into_iter().collect()
    }

    fn v4(ip: [u8; 4], index: u32) -> Interface {
        Interface::V4(ip.into(), Some(index))
    }

    #[test]
    fn all_interfaces_are_used_or_the_one_that_is_bound() {
        assert_eq!(chosen(&[], "0.0.0.0:1"), [v4([10, 0, 0, 1], 2), v4([10, 1, 0, 1], 3)]);
        assert_eq!(
            chosen(&[], "[::]:1"),
            [v4([10, 0, 0, 1], 2), v4([10, 1, 0, 1], 3), Interface::V6(2)]
        );
        assert_eq!(chosen(&[], "127.0.0.1:1"), [v4([127, 0, 0, 1], 1)]);
        let other = Interface::V4(Ipv4Addr::new(127, 0, 0, 9), None);
        assert_eq!(chosen(&[], "127.0.0.9:1"), [other]);
        assert_eq!(chosen(&[], "[fd00::1]:1"), [Interface::V6(2)]);
    }

    #[test]
    fn a_program_chooses_by_name_or_address() {
        assert_eq!(chosen(&["eth1"], "[::]:1"), [v4([10, 1, 0, 1], 3)]);
        assert_eq!(chosen(&["eth0"], "[::]:1"), [v4([10, 0, 0, 1], 2), Interface::V6(2)]);
        assert_eq!(chosen(&["10.0.0.1"], "0.0.0.0:1"), [v4([10, 0, 0, 1], 2)]);
        assert_eq!(
            chosen(&["eth0"], "0.0.0.0:1"),
            [v4([10, 0, 0, 1], 2)],
            "no IPv6 in a socket of IPv4"
        );
        assert_eq!(chosen(&["eth7"], "0.0.0.0:1"), [], "it may come later");
    }

    #[test]
    fn without_a_network_the_nodes_of_this_host_find_each_other() {
        let bound = "0.0.0.0:1".parse().expect("an address");
        let loopback = Interface::V4(Ipv4Addr::LOCALHOST, None);
        assert_eq!(interfaces(&[], &[], bound), BTreeSet::from([loopback]));
    }
}
