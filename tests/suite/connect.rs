//! `connect` returns when both ends know, or says why not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use rs2p::{Cause, Error, MeshEvent, MeshSocket, Protocol, Trouble};

use super::support::*;
use crate::ENCRYPTION;

#[test]
fn after_connect_both_ends_can_send_without_waiting() {
    for _ in 0..20 {
        let (a, b) = (bind(), bind());
        let connection = b.connect(a.local_addr()).expect("a link");
        assert_eq!(connection.id(), a.id());
        assert!(connection.is_outgoing());
        assert_eq!(a.send("from the one that was called").expect("sent").peers(), 1);
        assert_eq!(b.send("from the one that called").expect("sent").peers(), 1);
        assert_eq!(recv_text(&a), ["from the one that called"]);
        assert_eq!(recv_text(&b), ["from the one that was called"]);
        close_all(&[a, b]);
    }
}

#[test]
fn the_routing_table_names_peer_address_and_direction() {
    let (a, b) = (bind(), bind());
    connect(&b, &a);
    let table = a.routing_table();
    assert_eq!(table.keys().copied().collect::<Vec<_>>(), [b.id()]);
    assert_eq!(table[&b.id()].addr(), b.out_addr());
    assert_eq!((a.incoming(), a.outgoing()), (vec![b.id()], vec![]));
    assert_eq!((b.incoming(), b.outgoing()), (vec![], vec![a.id()]));
    assert_eq!(a.awaiting_ids(), 0);
    close_all(&[a, b]);
}

#[test]
fn an_existing_link_is_returned() {
    let (a, b) = (bind(), bind());
    connect(&a, &b);
    assert_eq!(a.connect(b.local_addr()).expect("the same").id(), b.id());
    assert_eq!(b.connect(a.local_addr()).expect("the same").id(), a.id());
    assert_eq!((a.routing_table().len(), b.routing_table().len()), (1, 1));
    assert_eq!((a.stats().joined, b.stats().joined), (1, 1));
    close_all(&[a, b]);
}

#[test]
fn host_names_and_ipv6_work() {
    let Ok(a) = builder().bind("[::1]:0") else {
        eprintln!("skipped: this machine has no IPv6 loopback");
        return;
    };
    let b = builder().bind("localhost:0").expect("localhost");
    assert!(a.local_addr().is_ipv6());
    b.connect(("localhost", b.local_addr().port())).expect_err("own address");
    b.connect(a.local_addr()).expect("IPv6");
    b.send("over IPv6").expect("sent");
    assert_eq!(recv_text(&a), ["over IPv6"]);
    close_all(&[a, b]);
}

#[test]
fn a_wildcard_address_announces_one_that_others_can_dial() {
    let a = builder().bind("0.0.0.0:0").expect("a free port");
    let addr: SocketAddr = a.out_addr().parse().expect("an address");
    assert!(!addr.ip().is_unspecified());
    assert_eq!(addr.port(), a.local_addr().port());
    assert_ne!(addr.port(), 0);
    let b = bind();
    let at = ("127.0.0.1", a.local_addr().port());
    assert_eq!(b.connect(at).expect("reachable on loopback too").addr(), a.out_addr());
    close_all(&[a, b]);
}

#[test]
fn refused() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let a = bind();
    let error = a.connect(nobody).expect_err("nobody listens");
    assert!(matches!(cause(&error), Cause::Refused), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("cannot connect to {nobody}: connection refused; ")),
        "{text}"
    );
    close_all(&[a]);
}

#[test]
fn wrong_subnet_is_told_at_both_ends_with_both_ids() {
    let other = Protocol::new("another mesh", ENCRYPTION);
    let (a, b) = (bind(), bind_with(builder().protocol(other.clone())));
    let error = a.connect(b.local_addr()).expect_err("another mesh");
    match cause(&error) {
        Cause::WrongSubnet(mesh) => {
            let ids = (mesh.ours.as_str(), mesh.theirs.as_str());
            assert_eq!(ids, (a.protocol().id(), other.id()));
            assert!(error.to_string().contains(&mesh.difference), "{error}");
        }
        cause => panic!("{cause:?}"),
    }
    assert!(error.to_string().contains(other.id()) && error.to_string().contains("`Protocol`"));
    let theirs = wait_for(&b, |event| match event {
        MeshEvent::TurnedAway { cause: Cause::WrongSubnet(mesh), .. } => Some(mesh.theirs.clone()),
        _ => None,
    });
    assert_eq!(theirs, a.protocol().id());
    close_all(&[a, b]);
}

#[test]
fn own_address_under_any_name() {
    let a = builder().bind("0.0.0.0:0").expect("a free port");
    let port = a.local_addr().port();
    for own in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), a.out_addr()] {
        let error = a.connect(own.as_str()).expect_err("own address");
        assert!(matches!(cause(&error), Cause::OwnAddress), "{own}: {error:?}");
    }
    assert!(a.routing_table().is_empty());
    close_all(&[a]);
}

/// A server that is no node: says this to everyone and closes when they do.
fn server(says: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming().take(4) {
            let Ok(mut stream) = stream else { return };
            // The client may be gone already: then it has its answer.
            let _ = stream.write_all(says);
            let mut scratch = [0; 1024];
            while matches!(stream.read(&mut scratch), Ok(read) if read > 0) {}
        }
    });
    addr
}

#[test]
fn not_a_node() {
    if ENCRYPTION != rs2p::Encryption::Plaintext {
        return; // over TLS the handshake of TLS fails first: see ssl.rs
    }
    // If it is told at once, as it should be, this is not what ends the dial.
    let a = bind_with(builder().handshake_timeout(PATIENCE));
    let http = server(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    let error = a.connect(http).expect_err("a web server");
    assert!(matches!(cause(&error), Cause::NotPy2p), "{error:?}");
    assert!(error.to_string().contains(&http.to_string()), "{error}");
    close_all(&[a]);
}

#[test]
fn a_server_that_says_nothing_times_out() {
    let a = bind_with(builder().handshake_timeout(Duration::from_millis(300)));
    let mute = server(b"");
    let error = a.connect(mute).expect_err("no handshake");
    assert!(matches!(cause(&error), Cause::TimedOut), "{error:?}");
    assert!(error.to_string().contains(&mute.to_string()), "{error}");
    close_all(&[a]);
}

#[test]
fn closed_socket() {
    let (a, b) = (bind(), bind());
    a.close().expect("closed");
    assert!(matches!(a.connect(b.local_addr()), Err(Error::Closed)));
    let error = b.connect(a.local_addr()).expect_err("it listens no more");
    assert!(matches!(cause(&error), Cause::Refused), "{error:?}");
    close_all(&[b]);
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let a = bind();
    let error = builder().bind(a.local_addr()).expect_err("taken");
    assert!(matches!(&error, Error::Bind { addr, .. } if **addr == a.local_addr()), "{error:?}");
    assert!(error.to_string().contains("choose another port"));
    close_all(&[a]);
}

#[test]
fn a_lost_peer_that_was_asked_for_comes_back() {
    let (a, b) = (bind(), bind());
    connect(&a, &b);
    let addr = b.local_addr();
    b.close().expect("closed");
    wait_left(&a, b.id());
    wait_for(&a, |event| matches!(event, MeshEvent::Alone).then_some(()));
    let again = builder().bind(addr).expect("the port is free at once");
    wait_for(&again, |event| matches!(event, MeshEvent::Joined { .. }).then_some(()));
    wait_for(&a, |event| matches!(event, MeshEvent::Healed).then_some(()));
    close_all(&[a, again]);
}

#[test]
fn a_disconnected_peer_stays_away() {
    let (a, b) = (bind_fixed(), bind_fixed());
    connect(&a, &b);
    a.disconnect(&b.id()).expect("it is a peer");
    assert!(matches!(wait_left(&a, b.id()), Cause::Disconnected));
    assert!(matches!(wait_left(&b, a.id()), Cause::PeerClosed));
    assert!(matches!(a.disconnect(&b.id()), Err(Error::UnknownPeer { .. })));
    b.connect(a.local_addr()).expect_err("it is not taken back");
    assert!(a.routing_table().is_empty());
    connect(&a, &b);
    close_all(&[a, b]);
}

#[test]
fn links_are_bounded() {
    let hub = bind_with(builder().max_links(3));
    let peers: Vec<MeshSocket> = (0..3).map(|_| bind_fixed()).collect();
    peers.iter().for_each(|peer| connect(peer, &hub));
    let late = bind_fixed();
    late.connect(hub.local_addr()).expect_err("no room");
    let turned_away = |event: &MeshEvent| match event {
        MeshEvent::TurnedAway { cause: Cause::TooManyLinks, .. } => Some(()),
        _ => None,
    };
    wait_for(&hub, turned_away);
    let error = hub.connect(late.local_addr()).expect_err("no free link");
    assert!(matches!(cause(&error), Cause::TooManyLinks), "{error:?}");
    assert_eq!(hub.routing_table().len(), 3);
    assert_eq!(hub.stats().turned_away, 1);
    close_all(&peers);
    close_all(&[hub, late]);
}

#[test]
fn alone_though_told_to_connect_is_a_trouble_until_there_is_a_link_again() {
    let (a, b) = (bind_fixed(), bind_fixed());
    connect(&a, &b);
    let addr = b.local_addr();
    b.close().expect("closed");
    wait_for(&a, |event| matches!(event, MeshEvent::TroubleBegan(Trouble::Alone)).then_some(()));
    let status = a.status();
    assert_eq!(status.current(), [Trouble::Alone]);
    assert!(status.to_string().contains("this node is alone"), "{status}");
    let again = builder().max_outgoing(0).bind(addr).expect("the same port");
    wait_for(&a, |event| matches!(event, MeshEvent::TroubleEnded(Trouble::Alone)).then_some(()));
    assert_eq!((a.status().current(), a.status().troubles().len()), (&[][..], 2));
    // Nobody told that one to connect.
    a.close().expect("closed");
    wait_for(&again, |event| matches!(event, MeshEvent::Alone).then_some(()));
    assert_eq!(again.status().current(), []);
    again.close().expect("closed");
}

#[test]
fn an_address_that_is_none_is_in_the_error() {
    let error = MeshSocket::bind("nonsense").expect_err("no address").to_string();
    assert!(error.contains("\"nonsense\"") && error.contains("host:port"), "{error}");
}
