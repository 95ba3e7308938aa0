//! What a node says about addresses, and to whom.

use super::super::dialable::{Scope, Way};
use super::*;

const LAN: &str = "10.77.0.1";

fn named(host: &str, port: u16) -> HostPort {
    HostPort { host: host.into(), port }
}

fn way(remote: &str, announce: Option<HostPort>) -> Way {
    let remote: SocketAddr = format!("{remote}:999").parse().expect("an address");
    let local = if remote.ip().is_loopback() { "127.0.0.1" } else { LAN };
    let scope = Scope::of(local.parse().expect("an address"), remote.ip());
    Way { remote, scope, announce, also: Some(named("127.0.0.1", 10_100)) }
}

/// The peer of this number, rs2p or not, dials us from there and announces this.
fn dials_us(hand: &mut Hand, n: u8, from: &str, hello: Option<Hello>, says: &str) -> LinkId {
    let link = hand.node.admit(hand.now).expect("room");
    let way = way(from, Some(named(LAN, 10_100)));
    hand.tell(Event::Placed { link, way });
    hand.tell(Event::Opened { link });
    if let Some(hello) = hello {
        hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello.payload()));
    }
    let handshake = Handshake {
        id: id(n),
        protocol: Protocol::default().id().into(),
        addr: Some(named(says, 4444)),
        methods: vec![],
    };
    hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, handshake.payload()));
    link
}

fn rs2p() -> Option<Hello> {
    Some(Hello::new(["links"]))
}

/// What a peer is told when it asks whom we know.
fn told(hand: &mut Hand, link: LinkId, n: u8) -> Vec<String> {
    hand.pass(1000);
    let asks = envelope(id(n), Flag::Whisper, SECOND, peers::request_payload());
    let bodies = bodies(&hand.hear(link, asks), link);
    let list = bodies.into_iter().find_map(|body| match body {
        Body::Peers(entries) => Some(entries),
        _ => None,
    });
    let entries = list.expect("a peers list");
    let mut addrs: Vec<String> =
        entries.into_iter().filter_map(|entry| Some(entry.addr?.to_string())).collect();
    addrs.sort();
    addrs
}

/// What is said to a link, read as the other end does.
fn bodies(actions: &[Action], to: LinkId) -> Vec<Body> {
    let said = actions.iter().filter_map(|action| match action {
        Action::Send { link, parcel: Parcel::Control(draft) } if *link == to => Some(draft),
        _ => None,
    });
    said.map(|draft| envelope(id(100), draft.main, draft.time, draft.packets.clone()).body)
        .collect()
}

#[test]
fn a_link_announces_what_its_way_says() {
    let mut hand = Hand::new();
    for announce in [Some(named(LAN, 10_100)), None] {
        let link = hand.node.admit(hand.now).expect("room");
        hand.tell(Event::Placed { link, way: way("10.77.0.2", announce.clone()) });
        let hello = hand.tell(Event::Opened { link });
        let at = bodies(&hello, link).into_iter().find_map(|body| match body {
            Body::Hello(hello) => hello.at(),
            _ => None,
        });
        assert_eq!(at, Some(named("127.0.0.1", 10_100)), "the second address");
        let theirs = Hello::new(["links"]).payload();
        let answer = hand.hear(link, envelope(id(1), Flag::Whisper, SECOND, theirs));
        let addr = bodies(&answer, link).into_iter().find_map(|body| match body {
            Body::Handshake(handshake) => Some(handshake.addr),
            _ => None,
        });
        assert_eq!(addr, Some(announce));
    }
}

#[test]
fn a_peer_from_the_network_that_says_loopback_is_told_of_by_where_it_came_from() {
    let mut hand = Hand::new();
    dials_us(&mut hand, 1, "10.77.0.2", None, "127.0.0.1");
    let asking = dials_us(&mut hand, 2, "10.77.0.3", rs2p(), "10.77.0.3");
    assert_eq!(told(&mut hand, asking, 2), ["10.77.0.2:4444"]);
}

#[test]
fn loopback_addresses_stay_on_this_host() {
    let mut hand = Hand::new();
    let also = named("127.0.0.1", 4444);
    let hello = Hello::new(["links"]).and_at(Some(&also));
    dials_us(&mut hand, 1, "127.0.0.1", Some(hello), LAN);
    let near = dials_us(&mut hand, 2, "127.0.0.1", rs2p(), LAN);
    let far = dials_us(&mut hand, 3, "10.77.0.3", rs2p(), "10.77.0.3");
    let both = ["10.77.0.1:4444", "10.77.0.3:4444", "127.0.0.1:4444"];
    assert_eq!(told(&mut hand, near, 2), both);
    assert_eq!(told(&mut hand, far, 3), ["10.77.0.1:4444", "10.77.0.1:4444"]);
}

#[test]
fn py2p_is_told_one_address_of_each() {
    let mut hand = Hand::new();
    let hello = Hello::new(["links"]).and_at(Some(&named("192.168.1.5", 4444)));
    dials_us(&mut hand, 1, "192.168.1.5", Some(hello), "203.0.113.5");
    let py2p = dials_us(&mut hand, 2, "10.77.0.3", None, "10.77.0.3");
    assert_eq!(told(&mut hand, py2p, 2), ["203.0.113.5:4444"]);
    let rs2p = dials_us(&mut hand, 3, "10.77.0.4", rs2p(), "10.77.0.4");
    let all = ["10.77.0.3:4444", "192.168.1.5:4444", "203.0.113.5:4444"];
    assert_eq!(told(&mut hand, rs2p, 3), all, "behind a forward, and in its own network");
}

#[test]
fn loopback_hints_from_the_network_are_not_dialled() {
    let hint = [PeerEntry { addr: Some(named("127.0.0.1", 4444)), id: id(50) }];
    for (from, dialled) in [("10.77.0.2", 0), ("127.0.0.1", 1)] {
        let mut hand = Hand::new();
        let link = dials_us(&mut hand, 1, from, rs2p(), LAN);
        let tells = envelope(id(1), Flag::Whisper, SECOND, peers::payload(&hint));
        assert_eq!(dials(&hand.hear(link, tells)).len(), dialled, "told from {from}");
    }
}

#[test]
fn two_addresses_of_one_node_are_not_dialled_at_once() {
    let mut hand = Hand::new();
    let link = hand.rs2p(1);
    let addrs = [host(4444), named(LAN, 4444)];
    let hints = addrs.map(|addr| PeerEntry { addr: Some(addr), id: id(50) });
    let tells = envelope(id(1), Flag::Whisper, SECOND, peers::payload(&hints));
    let first = dials(&hand.hear(link, tells));
    assert_eq!(first.len(), 1);
    let next = hand.tell(Event::Lost { link: first[0], cause: Cause::Refused });
    assert_eq!(dials(&next).len(), 1, "the other one, when the first came to nothing");
}
