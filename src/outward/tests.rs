//! The rule of what is announced to whom, without an interface.

use super::interfaces::Interface;
use super::*;

fn interfaces(list: &[(&str, &str)], routed: &[&str]) -> Interfaces {
    let list = list.iter().map(|(name, ip)| Interface { name: (*name).into(), ip: parse(ip) });
    Interfaces { list: list.collect(), routed: routed.iter().map(|ip| parse(ip)).collect() }
}

fn parse(ip: &str) -> IpAddr {
    ip.parse().expect("an address")
}

fn at(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(parse(ip), port)
}

fn bound(ip: &str) -> Outward {
    Outward::new(None, at(ip, 4444), true)
}

fn best(outward: &Outward, list: &[(&str, &str)], routed: &[&str]) -> Option<String> {
    outward.best(&interfaces(list, routed)).map(|addr| addr.to_string())
}

fn text(addr: &Option<HostPort>) -> Option<String> {
    addr.as_ref().map(ToString::to_string)
}

/// What is said on a link, first and second address.
fn said(outward: &Outward, local: &str, remote: &str) -> (Option<String>, Option<String>) {
    let list = [("lo", "127.0.0.1"), ("eth0", "10.77.0.1"), ("eth0", "fd00::1")];
    let way = outward.way(at(local, 4444), at(remote, 999), || interfaces(&list, &[]));
    (text(&way.announce), text(&way.also))
}

fn some(addr: &str) -> Option<String> {
    Some(addr.into())
}

#[test]
fn a_lan_without_a_default_route_has_an_address() {
    let list = [("lo", "127.0.0.1"), ("eth0", "10.77.0.1")];
    assert_eq!(best(&bound("0.0.0.0"), &list, &[]), some("10.77.0.1:4444"));
    assert_eq!(best(&bound("::"), &list, &[]), some("10.77.0.1:4444"));
    assert_eq!(best(&bound("0.0.0.0"), &list[..1], &[]), None);
}

#[test]
fn of_several_addresses_the_one_is_taken_that_most_others_can_dial() {
    let list = [
        ("lo", "127.0.0.1"),
        ("docker0", "172.17.0.1"),
        ("eth2", "169.254.7.7"),
        ("eth0", "fe80::1"),
        ("eth0", "2001:db8::1"),
        ("eth0", "192.168.1.5"),
        ("eth1", "10.0.0.5"),
    ];
    assert_eq!(best(&bound("0.0.0.0"), &list, &["10.0.0.5"]), some("10.0.0.5:4444"));
    assert_eq!(best(&bound("::"), &list, &["2001:db8::1"]), some("192.168.1.5:4444"));
    assert_eq!(best(&bound("::"), &list[..5], &[]), some("[2001:db8::1]:4444"));
    assert_eq!(best(&bound("::"), &list[..4], &[]), some("172.17.0.1:4444"));
    assert_eq!(best(&bound("0.0.0.0"), &list[2..4], &[]), some("169.254.7.7:4444"));
    assert_eq!(best(&bound("::"), &list[3..4], &[]), None);
    let only_v6 = Outward::new(None, at("::", 4444), false);
    assert_eq!(best(&only_v6, &list, &[]), some("[2001:db8::1]:4444"));
}

#[test]
fn a_link_through_an_interface_announces_that_interface() {
    let any = bound("0.0.0.0");
    assert_eq!(said(&any, "192.168.9.9", "192.168.9.1"), (some("192.168.9.9:4444"), None));
    let any = bound("::");
    assert_eq!(said(&any, "::ffff:192.168.9.9", "::ffff:192.168.9.1").0, some("192.168.9.9:4444"));
    assert_eq!(said(&any, "fd00::7", "fd00::8"), (some("[fd00::7]:4444"), None));
    assert_eq!(said(&any, "fe80::7", "fe80::8"), (some("10.77.0.1:4444"), None));
}

#[test]
fn a_family_that_the_listener_does_not_take_is_not_announced() {
    assert_eq!(said(&bound("0.0.0.0"), "fd00::7", "fd00::8"), (some("10.77.0.1:4444"), None));
}

#[test]
fn a_peer_on_the_same_host_gets_the_address_of_the_host_and_loopback_besides() {
    let said_here = said(&bound("0.0.0.0"), "127.0.0.1", "127.0.0.1");
    assert_eq!(said_here, (some("10.77.0.1:4444"), some("127.0.0.1:4444")));
    let way = bound("0.0.0.0").way(at("127.0.0.1", 4444), at("127.0.0.1", 9), Interfaces::default);
    assert_eq!((text(&way.announce), way.also), (some("127.0.0.1:4444"), None));
}

#[test]
fn a_loopback_address_is_never_announced_to_the_network() {
    assert_eq!(said(&bound("127.0.0.1"), "10.77.0.1", "10.77.0.2"), (None, None));
    let here = said(&bound("127.0.0.1"), "127.0.0.1", "127.0.0.1");
    assert_eq!(here, (some("127.0.0.1:4444"), None));
}

#[test]
fn out_addr_overrules_and_the_address_of_the_link_comes_second() {
    let set = HostPort { host: "203.0.113.5".into(), port: 5555 };
    let forwarded = Outward::new(Some(set), at("0.0.0.0", 4444), true);
    let said = said(&forwarded, "192.168.1.5", "192.168.1.7");
    assert_eq!(said, (some("203.0.113.5:5555"), some("192.168.1.5:4444")));
}

#[test]
fn a_change_is_told_once() {
    let any = bound("0.0.0.0");
    let addr = |ip: &str| HostPort::from(at(ip, 4444));
    assert_eq!(bound("0.0.0.0").note(Some(&addr("10.0.0.1"))), None, "as it should be");
    assert_eq!(any.note(None), Some(Change::Lost));
    assert_eq!(any.note(None), None);
    assert_eq!(any.note(Some(&addr("10.0.0.1"))), Some(Change::Found(addr("10.0.0.1"))));
    assert_eq!(any.note(Some(&addr("10.0.0.1"))), None);
    assert_eq!(any.note(Some(&addr("10.0.0.2"))), Some(Change::Found(addr("10.0.0.2"))));
    assert_eq!(any.note(None), Some(Change::Lost));
}
