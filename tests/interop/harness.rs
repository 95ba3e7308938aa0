//! The harness itself, with py2p nodes only: it shows what goes wrong, so that it can be trusted
//! when it shows that rs2p goes right. What the promises show as well is not repeated here.

use std::time::{Duration, Instant};

use crate::{
    ignoring::tests,
    net::soon,
    options::{IdOrder, PeerOptions, SendAs},
    peer::Peer,
    python::{Python, python},
};

tests![
    ids_come_in_the_order_asked_for,
    numbered_sends_all_arrive_and_equal_ones_do_not,
    a_broadcast_is_one_message_though_seconds_end_while_it_is_sent,
    a_crash_and_a_disconnect_show_as_lost_links,
    #[cfg(unix)]
    a_frozen_node_hears_everything_when_it_thaws,
    a_paused_node_leaves_its_links_unread,
    what_py2p_raises_and_keeps_is_reported,
];

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

fn ids_come_in_the_order_asked_for() {
    let python = python();
    let start = |order| Peer::start(PeerOptions { id: Some(order), ..quiet(python) });
    let (low, high) = (start(IdOrder::Low), start(IdOrder::High));
    // More digits, or the same number of them and greater ones, as in any base.
    let rank = |peer: &Peer| (peer.id().len(), peer.id().to_owned());
    assert!(rank(&low) < rank(&high), "{} {}", low.id(), high.id());
    link(&low, &high);
}

fn numbered_sends_all_arrive_and_equal_ones_do_not() {
    let python = python();
    let (a, b) = pair(quiet(python));
    a.send_as(SendAs { numbered: Some(50), ..SendAs::default() }, ["n"]);
    let numbers = b.recv_n(50, soon()).into_iter().map(|message| message.packets[2].clone());
    assert!(numbers.eq((0..50).map(|n| n.to_string().into_bytes())));
    a.send_as(SendAs { repeat: Some(20), ..SendAs::default() }, ["equal"]);
    a.send(["last"]);
    assert_eq!(b.recv(soon()).expect("a message").payload(), [b"equal"]);
    assert_eq!(b.recv(soon()).expect("a message").payload(), [b"last"]);
}

/// py2p dates each copy by itself: without the driver's help each of the two listeners hears it
/// from its sender with one date, and from the other listener with the next.
fn a_broadcast_is_one_message_though_seconds_end_while_it_is_sent() {
    let python = python();
    let (speaker, listener) = pair(quiet(python));
    let other = node(python);
    link(&speaker, &other);
    link(&listener, &other);
    let slowly = SendAs { rest: Some(Duration::from_millis(1100)), ..SendAs::default() };
    speaker.send_as(slowly, ["slow"]);
    speaker.send(["last"]);
    for node in [&listener, &other] {
        assert_eq!(node.recv(soon()).expect("a message").payload(), [b"slow"]);
        assert_eq!(node.recv(soon()).expect("a message").payload(), [b"last"]);
    }
}

fn a_crash_and_a_disconnect_show_as_lost_links() {
    let python = python();
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
fn a_frozen_node_hears_everything_when_it_thaws() {
    let python = python();
    let (a, b) = pair(quiet(python));
    assert_ne!(a.pid(), b.pid());
    b.freeze();
    a.send(["while you slept"]);
    let short = Instant::now() + Duration::from_millis(200);
    assert!(b.recv(short).is_none());
    b.thaw();
    assert_eq!(b.recv(soon()).expect("a message").payload(), [b"while you slept"]);
}

fn a_paused_node_leaves_its_links_unread() {
    let python = python();
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

fn what_py2p_raises_and_keeps_is_reported() {
    let python = python();
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
