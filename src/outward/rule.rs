//! The order of several addresses, for a link whose own local address is of no use to the peer.

use std::net::IpAddr;

use super::interfaces::Interfaces;
use crate::node::dialable::is_link_local;

/// How the interfaces begin that container and virtual machine software makes. Behind them are
/// networks of this host alone.
const BRIDGES: [&str; 12] = [
    "docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "flannel", "cali", "podman",
    "lxc", "lxdbr",
];

/// Returns the address that most others can dial, among those that the listener `takes`.
///
/// Loopback and link-local addresses of IPv6 never qualify. In this order: addresses that are not
/// link-local; interfaces that are no container bridge; IPv4, because py2p knows nothing else; the
/// address that the system would use towards the outside; the order of the system.
pub(super) fn best(interfaces: &Interfaces, takes: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let listed = interfaces.list.iter().map(|interface| (interface.ip, is_bridge(&interface.name)));
    let is_listed = |ip: &IpAddr| interfaces.list.iter().any(|interface| interface.ip == *ip);
    // A system that lists nothing may still have a route.
    let routed = interfaces.routed.iter().filter(|ip| !is_listed(ip)).map(|&ip| (ip, false));
    let is_fit = |ip: IpAddr| {
        let is_bound_to_link = ip.is_ipv6() && is_link_local(ip);
        let is_nowhere = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
        takes(ip) && !is_bound_to_link && !is_nowhere
    };
    let rank = |&(ip, is_bridge): &(IpAddr, bool)| {
        (is_link_local(ip), is_bridge, ip.is_ipv6(), !interfaces.routed.contains(&ip))
    };
    listed.chain(routed).filter(|&(ip, _)| is_fit(ip)).min_by_key(rank).map(|(ip, _)| ip)
}

fn is_bridge(name: &str) -> bool {
    BRIDGES.iter().any(|bridge| name.starts_with(bridge))
}
