//! The harness itself, with py2p nodes only: what it shows, it can be trusted
//! to show about rs2p.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    options::{IdOrder, PeerOptions, SendAs},
    peer::Peer,
    python::{Python, python},
    soon,
};

/// A node that dials nobody by itself: so tests decide who is linked.
fn node(python: &'static Python) -> Peer {
    Peer::start(quiet(python))
}

fn quiet(python: &'static Python) -> PeerOptions {
    PeerOptions { max_outgoing: Some(0), ..PeerOptions::new(python) }
}

/// Links `from` to `to` and waits for both ends.
fn link(from: &Peer, to: &Peer) {
    from.connect(to.addr());
    from.wait_links(soon(), |links| links.link(to.id()).is_some());
    to.wait_links(soon(), |links| links.link(from.id()).is_some());
}

fn pair(options: PeerOptions) -> (Peer, Peer) {
    let (a, b) = (Peer::start(options), Peer::start(options));
    link(&a, &b);
    (a, b)
}

#[test]
fn a_broadcast_arrives_and_its_reply_comes_back() {
    let Some(python) = python() else { return };
    let (a, b) = pair(quiet(python));
    a.send(["did you get this?", "really?"]);
    let question = b.recv(soon()).expect("the broadcast");
    assert_eq!(question.flag, b"\x00");
    assert_eq!(question.kind(), b"\x00");
    assert_eq!(question.payload(), [&b"did you get this?"[..], b"really?"]);
    assert_eq!(question.sender, a.id());
    assert!(question.time > 1_700_000_000, "seconds since 1970: {}", question.time);
    b.reply(&question, ["yes", "I did"]);
    let answer = a.recv(soon()).expect("the reply");
    assert_eq!(answer.flag, b"\x02");
    assert_eq!(answer.kind(), b"\x02");
    assert_eq!(answer.payload(), [&b"yes"[..], b"I did"]);
    assert_eq!(answer.sender, b.id());
    assert_ne!(answer.id, question.id);
}

#[test]
fn the_links_say_who_dialled_and_what_was_announced() {
    let Some(python) = python() else { return };
    let elsewhere = PeerOptions { out_addr: Some(("192.0.2.7", 7)), ..quiet(python) };
    let (a, b) = (Peer::start(elsewhere), node(python));
    link(&a, &b);
    let (at_a, at_b) = (a.table().links, b.table().links);
    let (to_b, to_a) = (at_a.link(b.id()).expect("b"), at_b.link(a.id()).expect("a"));
    assert!(to_b.outgoing && !to_a.outgoing);
    assert_eq!(to_b.addr, json!(["127.0.0.1", b.port()]));
    assert_eq!(to_a.addr, json!(["192.0.2.7", 7]));
    assert_eq!(a.protocol_id(), "FGeuEWvuSU2gnxrtiCBG5jQvJNBvGRoE6XEqmqRNgqnc");
}

#[test]
fn a_line_of_three_relays() {
    let Some(python) = python() else { return };
    let (a, b, c) = (node(python), node(python), node(python));
    link(&a, &b);
    link(&c, &b);
    a.send(["over two links"]);
    let near = b.recv(soon()).expect("at the middle");
    let far = c.recv(soon()).expect("at the end");
    assert_eq!((near.flag, far.flag), (vec![0], vec![1]), "sent, then relayed");
    assert_eq!((near.id, near.sender), (far.id, far.sender));
    assert!(b.table().seen > 0, "so that it relays once");
    assert_eq!(a.wait_peers(1, soon()), [b.id()], "still a line");
}

#[test]
fn nodes_that_may_dial_make_a_full_mesh_of_three() {
    let Some(python) = python() else { return };
    let (hub, b) = pair(PeerOptions::new(python));
    let c = Peer::start(PeerOptions::new(python));
    c.connect(hub.addr());
    for peer in [&hub, &b, &c] {
        assert_eq!(peer.wait_peers(2, soon()).len(), 2);
    }
}

#[test]
fn a_node_that_asks_for_peers_dials_those_it_did_not_know() {
    let Some(python) = python() else { return };
    let (curious, b) = (Peer::start(PeerOptions::new(python)), node(python));
    link(&curious, &b);
    let c = node(python);
    link(&c, &b);
    assert_eq!(curious.table().links.ids(), [b.id()], "nobody told it of c");
    curious.request_peers();
    curious.wait_links(soon(), |links| links.link(c.id()).is_some());
}

#[test]
fn a_node_of_another_subnet_never_links() {
    let Some(python) = python() else { return };
    let stranger = Peer::start(PeerOptions { subnet: "other", ..quiet(python) });
    let (a, b) = (node(python), node(python));
    stranger.connect(a.addr());
    stranger.wait_links(soon(), |links| links.awaiting == 0);
    // One thread reads all links: what the stranger said, it said before b.
    link(&b, &a);
    let links = a.wait_links(soon(), |links| links.awaiting == 0);
    assert_eq!(links.ids(), [b.id()]);
    assert!(stranger.table().links.peers.is_empty());
}

#[test]
fn ids_come_in_the_order_asked_for() {
    let Some(python) = python() else { return };
    let start = |order| Peer::start(PeerOptions { id: Some(order), ..quiet(python) });
    let (low, high) = (start(IdOrder::Low), start(IdOrder::High));
    // More digits, or the same number of them and greater ones, as in any base.
    let rank = |peer: &Peer| (peer.id().len(), peer.id().to_owned());
    assert!(rank(&low) < rank(&high), "{} {}", low.id(), high.id());
    link(&low, &high);
}

#[test]
fn tls_nodes_talk() {
    let Some(python) = python() else { return };
    let (a, b) = pair(PeerOptions { encryption: "SSL", ..quiet(python) });
    a.send(["in private"]);
    assert_eq!(b.recv(soon()).expect("a message").payload(), [b"in private"]);
}

#[test]
fn numbered_sends_all_arrive_and_equal_ones_do_not() {
    let Some(python) = python() else { return };
    let (a, b) = pair(quiet(python));
    a.send_as(SendAs { numbered: Some(50), ..SendAs::default() }, ["n"]);
    let numbers = b.recv_n(50, soon()).into_iter().map(|message| message.packets[2].clone());
    assert!(numbers.eq((0..50).map(|n| n.to_string().into_bytes())));
    a.send_as(SendAs { repeat: Some(20), ..SendAs::default() }, ["equal"]);
    a.send(["last"]);
    let rest = std::iter::from_fn(|| b.recv(soon())).take_while(|m| m.payload() != [b"last"]);
    // Two where a second ends among them.
    assert!((1..=2).contains(&rest.count()));
}

#[test]
fn a_whisper_goes_to_one_peer_with_any_kind() {
    let Some(python) = python() else { return };
    let (a, b, c) = (node(python), node(python), node(python));
    link(&a, &b);
    link(&a, &c);
    let whisper =
        SendAs { flag: Some(2), kind: Some(b"\x02"), to: Some(b.id()), ..SendAs::default() };
    a.send_as(whisper, ["for b"]);
    a.send(["for all"]);
    let heard = |peer: &Peer, n| -> Vec<_> {
        peer.recv_n(n, soon()).iter().map(|message| message.payload()[0].clone()).collect()
    };
    assert_eq!(heard(&b, 2), [&b"for b"[..], b"for all"]);
    assert_eq!(heard(&c, 1), [b"for all"]);
}

#[test]
fn a_crash_and_a_disconnect_show_as_lost_links() {
    let Some(python) = python() else { return };
    let (a, b, c) = (node(python), node(python), node(python));
    link(&a, &b);
    link(&a, &c);
    b.kill();
    a.wait_links(soon(), |links| links.ids() == [c.id()]);
    assert!(a.disconnect(c.id()) && !a.disconnect(c.id()));
    for lonely in [&a, &c] {
        lonely.wait_links(soon(), |links| links.peers.is_empty());
    }
    assert!(b.recv(soon()).is_none(), "the dead say nothing, at once");
}

#[cfg(unix)]
#[test]
fn a_frozen_node_hears_everything_when_it_thaws() {
    let Some(python) = python() else { return };
    let (a, b) = pair(quiet(python));
    assert_ne!(a.pid(), b.pid());
    b.freeze();
    a.send(["while you slept"]);
    let short = Instant::now() + Duration::from_millis(200);
    assert!(b.recv(short).is_none());
    b.thaw();
    assert_eq!(b.recv(soon()).expect("a message").payload(), [b"while you slept"]);
}

#[test]
fn a_paused_node_leaves_its_links_unread() {
    let Some(python) = python() else { return };
    let (a, b) = pair(quiet(python));
    b.pause();
    a.send(["held"]);
    a.send(["unread"]);
    assert!(b.recv(Instant::now() + Duration::from_millis(200)).is_none());
    b.resume();
    assert_eq!(b.recv_n(2, soon())[1].payload(), [b"unread"]);
    b.slow(Duration::from_millis(50));
    let begun = Instant::now();
    a.send_as(SendAs { numbered: Some(4), ..SendAs::default() }, ["slow"]);
    b.recv_n(4, soon());
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[test]
fn what_py2p_raises_and_keeps_is_reported() {
    let Some(python) = python() else { return };
    let (a, b) = pair(quiet(python));
    assert!(a.python_version().starts_with("3."));
    assert_eq!(a.try_connect(a.addr()), Ok(false), "its own address");
    let closed = crate::peer::free_port();
    let refused = a.try_connect(([127, 0, 0, 1], closed).into());
    assert!(refused.is_err_and(|text| text.contains("Refused")));
    assert_eq!(a.status(), [""; 0]);
    // A peers list that is none: b drops the link and keeps the traceback.
    let junk = SendAs { flag: Some(2), kind: Some(b"\x07"), ..SendAs::default() };
    a.send_as(junk, ["junk"]);
    b.wait_links(soon(), |links| links.peers.is_empty());
    assert!(b.status()[0].contains("JSONDecodeError"), "{:?}", b.status());
}

#[test]
fn a_closed_node_says_farewell_to_nobody_and_keeps_what_it_heard() {
    let Some(python) = python() else { return };
    let (a, mut b, c) = (node(python), node(python), node(python));
    link(&a, &b);
    link(&c, &b);
    a.send(["just in time"]);
    assert!(c.recv(soon()).is_some(), "relayed, so b has it");
    b.close();
    assert_eq!(b.recv(soon()).expect("a message").payload(), [b"just in time"]);
    assert!(b.recv(soon()).is_none());
    a.wait_links(soon(), |links| links.peers.is_empty());
}
