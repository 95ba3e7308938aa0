//! Closing delivers what was sent, wakes whoever waits, and leaves nothing behind.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rs2p::error::RecvError;
use rs2p::{Connection, Error, MeshSocket, Message, Routed};

use super::support::*;

#[test]
fn send_then_close_delivers() {
    for round in 0..20 {
        let nodes = [bind_with(builder().max_outgoing(0).linger(PATIENCE)), bind_fixed()];
        connect(&nodes[0], &nodes[1]);
        let count = if round % 4 == 0 { 500 } else { 1 };
        for n in 0..count {
            nodes[0].send(format!("bye {n}")).expect("sent");
        }
        let report = nodes[0].close().expect("closed");
        assert_eq!((report.unsent_frames, report.left_behind.len()), (0, 0));
        for n in 0..count {
            assert_eq!(recv_text(&nodes[1]), [format!("bye {n}")]);
        }
        close_all(&nodes);
    }
}

#[test]
fn a_large_message_then_close_delivers() {
    // Debug builds on a busy machine may take longer for it than `close` waits by default.
    let nodes = [bind_with(builder().max_outgoing(0).linger(PATIENCE)), bind_fixed()];
    connect(&nodes[0], &nodes[1]);
    let large = vec![7; 8 << 20];
    nodes[0].send(&large).expect("sent");
    assert_eq!(nodes[0].close().expect("closed").unsent_frames, 0);
    assert!(recv(&nodes[1])[1] == large[..]);
    close_all(&nodes);
}

#[test]
fn dropping_the_last_handle_closes_too() {
    let nodes = line(2);
    let (a, b) = (nodes[0].clone(), nodes[1].clone());
    drop(nodes);
    let id = a.id();
    b.send("hello").expect("sent");
    let message = recv(&a);
    drop(a);
    assert!(message.server().is_none(), "a message does not keep a socket alive");
    assert!(matches!(message.reply("too late"), Err(Error::Closed)));
    wait_left(&b, id);
    close_all(&[b]);
}

#[test]
fn closing_again_gives_the_same_report() {
    let a = bind();
    let report = a.close().expect("closed");
    assert_eq!(a.close().expect("closed"), report);
    assert_eq!(a.clone().close().expect("closed"), report);
    assert!(matches!(a.send("late"), Err(Error::Closed)));
    assert!(matches!(a.wait_for_peers(0, PATIENCE), Err(Error::Closed)));
}

#[test]
fn handlers_are_dropped_with_what_they_captured() {
    let a = bind();
    let captured = std::sync::Arc::new(());
    let (watch, inside) = (std::sync::Arc::downgrade(&captured), a.clone());
    a.register_handler(move |_: &Message, _: &Connection| {
        let _ = (&captured, &inside);
    });
    a.close().expect("closed");
    assert!(watch.upgrade().is_none());
}

/// Longer than any test binary runs: a call with this timeout is ended by `close` or not at all.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

#[test]
fn close_with_fifty_links_ends_every_blocked_call() {
    let hub = bind_with(builder().max_outgoing(0).outbound(4096).send_timeout(FOR_EVER));
    let peers: Vec<MeshSocket> = (0..50).map(|_| bind_fixed()).collect();
    peers.iter().for_each(|peer| connect(peer, &hub));
    let nobody = bind().id();
    // A listener that accepts nothing beyond its backlog: connecting to it waits.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mute = mute.local_addr().map(|addr| (mute, addr)).expect("bound");
    let (sender, outcomes) = mpsc::channel();
    thread::scope(|scope| {
        let run = |name, call: Box<dyn FnOnce(MeshSocket) -> Result<(), Error> + Send>| {
            let (hub, sender) = (hub.clone(), sender.clone());
            scope.spawn(move || sender.send((name, call(hub))).expect("the test listens"));
        };
        run("recv", Box::new(|hub| hub.recv().map(drop).map_err(Error::from)));
        run(
            "recv_timeout",
            Box::new(|hub| hub.recv_timeout(FOR_EVER).map(drop).map_err(Error::from)),
        );
        run("wait_for_peers", Box::new(|hub| hub.wait_for_peers(99, FOR_EVER).map(drop)));
        run("connect", Box::new(move |hub| hub.connect(mute.1).map(drop)));
        run(
            "ticket",
            Box::new(move |hub| match hub.send_to(&nobody, "?")? {
                Routed::Pending(ticket) => ticket.wait(FOR_EVER),
                Routed::Sent => Ok(()),
            }),
        );
        // All five are waiting, or will find the socket closing: both must end the same way.
        wait_until("the dial is under way", || hub.awaiting_ids() > 0);
        let report = hub.close().expect("closed");
        assert_eq!(report.left_behind, Vec::<String>::new());
        for _ in 0..5 {
            let (name, outcome) = outcomes.recv_timeout(PATIENCE).expect("an outcome");
            assert!(matches!(outcome, Err(Error::Closed)), "{name}: {outcome:?}");
        }
        assert_eq!(hub.recv().map(|_| ()), Err(RecvError::Closed));
    });
    let again = builder().bind(hub.local_addr()).expect("the port can be bound at once");
    close_all(&peers);
    close_all(&[again]);
}

#[test]
fn a_blocked_send_ends_with_closed() {
    let (a, b) = (
        bind_with(builder().max_outgoing(0).outbound(1 << 16).send_timeout(FOR_EVER)),
        bind_fixed(),
    );
    connect(&a, &b);
    let (release, gate) = crossbeam_channel::bounded::<()>(0);
    b.register_handler(move |_: &Message, _: &Connection| {
        // Ends when the test drops its side: until then nothing is read.
        let _ = gate.recv();
    });
    let sender = a.clone();
    let (progress, sent) = mpsc::channel();
    let blocked = thread::spawn(move || {
        for number in 0_u64.. {
            match sender.send([&number.to_be_bytes()[..], &[0; 1 << 16]]) {
                Ok(_) => progress.send(()).expect("the test listens"),
                Err(error) => return error,
            }
        }
        unreachable!("there are more numbers than time")
    });
    // It is blocked, or this machine is slow: `close` has to end it either way.
    while sent.recv_timeout(Duration::from_millis(500)).is_ok() {}
    a.close().expect("closed");
    let error = blocked.join().expect("no panic");
    assert!(matches!(error, Error::Closed), "{error:?}");
    drop(release);
    close_all(&[b]);
}

#[test]
fn a_handler_that_does_not_return_is_left_behind_and_named() {
    let nodes = line(2);
    let (release, gate) = crossbeam_channel::bounded::<()>(0);
    let (entered, inside) = mpsc::channel();
    nodes[1].register_handler(move |_: &Message, _: &Connection| {
        entered.send(()).expect("the test listens");
        let _ = gate.recv();
    });
    nodes[0].send("stay").expect("sent");
    inside.recv_timeout(PATIENCE).expect("in the handler");
    // It returns though the handler returns only when the test is over.
    let report = nodes[1].close().expect("closed");
    assert_eq!(report.left_behind, ["rs2p-daemon"]);
    drop(release);
    close_all(&nodes[..1]);
}
