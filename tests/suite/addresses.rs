//! Several addresses, nodes that are not there yet, and what may be announced.

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use rs2p::{Cause, Encryption, Error, MeshEvent, MeshSocket};

use super::support::*;
use crate::ENCRYPTION;

/// An address where nobody listens.
fn dead() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound")
}

/// Accepts and says nothing, for as long as the listener lives.
fn mute() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

/// Accepts a few connections and closes them at once.
fn closes() -> SocketAddr {
    let listener = mute();
    let addr = listener.local_addr().expect("bound");
    thread::spawn(move || listener.incoming().take(8).for_each(drop));
    addr
}

/// The addresses of an error that names each of several, with their causes.
fn attempts(error: &Error) -> Vec<(String, Cause)> {
    match error {
        Error::NoneAnswers { attempts } => {
            attempts.iter().map(|each| (each.addr.to_string(), each.cause.clone())).collect()
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn each_address_is_named_with_its_own_cause() {
    let a = bind_with(builder().handshake_timeout(Duration::from_secs(2)));
    let (dead, mute) = (dead(), mute());
    let swallows = mute.local_addr().expect("bound");
    for order in [[dead, swallows], [swallows, dead]] {
        let error = a.connect(order).expect_err("no node");
        let mut found = attempts(&error);
        found.sort_by_key(|(addr, _)| *addr != dead.to_string());
        assert_eq!(found.len(), 2, "{error}");
        assert_eq!(found[0].0, dead.to_string());
        assert!(matches!(found[0].1, Cause::Refused), "{error}");
        assert_eq!(found[1].0, swallows.to_string());
        assert!(matches!(found[1].1, Cause::TimedOut), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{dead}: connection refused")), "{text}");
        assert!(text.contains(&format!("{swallows}: timed out")), "{text}");
    }
    close_all(&[a]);
}

#[test]
fn what_accepts_and_is_no_node_gives_way_to_the_next_address() {
    let (a, b) = (bind(), bind());
    let other = [closes(), b.local_addr()];
    assert_eq!(a.connect(other).expect("the second one").id(), b.id());
    close_all(&[a, b]);
}

#[test]
fn what_accepts_and_is_silent_gives_way_to_the_next_address() {
    let (a, b) = (bind_with(builder().handshake_timeout(Duration::from_secs(3))), bind());
    let mute = mute();
    let addrs = [mute.local_addr().expect("bound"), b.local_addr()];
    assert_eq!(a.connect(addrs).expect("the second one").id(), b.id());
    close_all(&[a, b]);
}

#[test]
fn of_several_nodes_the_one_of_our_mesh_is_taken() {
    let other = rs2p::Protocol::new("another mesh", ENCRYPTION);
    let (a, b, stranger) = (bind(), bind(), bind_with(builder().protocol(other)));
    let addrs = [a.local_addr(), stranger.local_addr(), b.local_addr()];
    assert_eq!(a.connect(addrs).expect("ours").id(), b.id());
    close_all(&[a, b, stranger]);
}

#[test]
fn a_name_and_a_number_lead_to_the_same_link() {
    let (a, b) = (bind(), bind());
    let port = b.local_addr().port();
    for _ in 0..2 {
        assert_eq!(a.connect(("localhost", port)).expect("by name").id(), b.id());
        assert_eq!(a.connect(b.local_addr()).expect("by number").id(), b.id());
    }
    assert_eq!((a.stats().joined, b.stats().joined), (1, 1));
    close_all(&[a, b]);
}

#[test]
fn a_name_that_nobody_has_is_named() {
    let a = bind();
    let error = a.connect("nobody.invalid:4444").expect_err("no such name");
    assert!(matches!(cause(&error), Cause::Unresolved(_)), "{error:?}");
    assert!(error.to_string().contains("nobody.invalid"), "{error}");
    let error = a.connect("nonsense").expect_err("no address");
    assert!(matches!(error, Error::InvalidAddress { .. }), "{error:?}");
    assert!(error.to_string().contains("\"nonsense\" is not an address; write `host:port`"));
    close_all(&[a]);
}

#[test]
fn a_seed_is_dialled_until_it_answers_and_again_when_it_is_lost() {
    let addr = dead();
    let by_name = format!("localhost:{}", addr.port());
    let early = bind_with(builder().seed(by_name.as_str()));
    wait_for(&early, |event| matches!(event, MeshEvent::DialFailed { .. }).then_some(()));
    for _ in 0..2 {
        let seed = builder().bind(addr).expect("the port is free");
        let reached = wait_for(&early, |event| match event {
            MeshEvent::SeedReached { addr, id, .. } => Some((addr.clone(), *id)),
            _ => None,
        });
        assert_eq!(reached, (by_name.clone(), seed.id()));
        close_all(&[seed]);
    }
    close_all(&[early]);
}

#[test]
fn nodes_that_all_have_the_same_seeds_form_one_mesh() {
    let addrs = [dead(), dead(), dead()];
    let nodes: Vec<MeshSocket> =
        addrs.iter().map(|&addr| builder().seeds(addrs).bind(addr).expect("free")).collect();
    for node in &nodes {
        node.wait_for_peers(2, PATIENCE).expect("the two others");
    }
    close_all(&nodes);
}

#[test]
fn connect_within_waits_for_a_node_that_starts_later() {
    let addr = dead();
    let early = bind();
    thread::scope(|scope| {
        let linked = scope.spawn(|| early.connect_within(addr, PATIENCE).map(|peer| peer.id()));
        let_pass(Duration::from_millis(300));
        let late = builder().bind(addr).expect("the port is free");
        assert_eq!(linked.join().expect("no panic").expect("a link"), late.id());
        close_all(&[late]);
    });
    close_all(&[early]);
}

#[test]
fn connect_within_says_why_when_its_time_is_over_and_at_once_what_time_does_not_cure() {
    let a = bind();
    let nobody = dead();
    let error = a.connect_within(nobody, Duration::from_secs(2)).expect_err("nobody");
    assert!(matches!(cause(&error), Cause::Refused), "{error:?}");
    let own = a.local_addr();
    let error = a.connect_within(own, Duration::from_secs(3600)).expect_err("own address");
    assert!(matches!(cause(&error), Cause::OwnAddress), "{error:?}");
    close_all(&[a]);
}

#[test]
fn out_addr_is_normalised_or_refused_with_what_to_write() {
    if ENCRYPTION != Encryption::Plaintext {
        return; // it has nothing to do with encryption
    }
    for (host, port, announced) in
        [("[::1]", 4511, "[::1]:4511"), (" 127.0.0.1", 4511, "127.0.0.1:4511")]
    {
        let a = bind_with(builder().out_addr(host, port));
        assert_eq!(a.out_addr(), announced);
        close_all(&[a]);
    }
    let a = bind_with(builder().out_addr("127.0.0.1", 0));
    assert_eq!(a.out_addr(), a.local_addr().to_string(), "port 0 is the bound one");
    close_all(&[a]);
    for host in ["127.0.0.1:4511", "", "0.0.0.0"] {
        let error = builder().out_addr(host, 4511).bind("127.0.0.1:0").expect_err(host);
        assert!(matches!(error, Error::OutAddr { .. }), "{error:?}");
    }
}
