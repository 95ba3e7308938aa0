//! What `connect` says when the two ends do not speak the same, and that the other end goes on.

use std::error::Error as _;
use std::io::{Read, Write};
use std::time::Duration;

use rs2p::{Cause, Encryption, Error, MeshEvent, Protocol};

use crate::support::cause;
use crate::{SOON, bind, builder, dial, limited, listener, serves, ssl};

/// The handshake timeout of tests that wait for it.
const DEADLINE: Duration = Duration::from_millis(700);

#[test]
fn plaintext_to_an_ssl_port_is_named_and_the_node_goes_on() {
    let node = bind(ssl());
    let plain = bind(builder(Encryption::Plaintext));
    let error = plain.connect(node.local_addr()).unwrap_err();
    assert!(
        matches!(cause(&error), Cause::WrongEncryption { theirs: Encryption::Ssl, .. }),
        "{error}: {error:?}"
    );
    serves(&node, ssl());
    let turned_away = node.events().try_iter().any(|event| {
        let theirs = Encryption::Plaintext;
        matches!(event, MeshEvent::TurnedAway { cause: Cause::WrongEncryption { theirs: t }, .. } if t == theirs)
    });
    assert!(turned_away, "the node knows what came");
}

#[test]
fn ssl_to_a_plaintext_port_is_named_and_the_node_goes_on() {
    let node = bind(builder(Encryption::Plaintext));
    let error = bind(ssl()).connect(node.local_addr()).unwrap_err();
    assert!(
        matches!(cause(&error), Cause::WrongEncryption { theirs: Encryption::Plaintext, .. }),
        "{error}: {error:?}"
    );
    serves(&node, builder(Encryption::Plaintext));
}

#[test]
fn a_server_of_something_else_is_named() {
    let (listener, addr) = listener();
    let server = std::thread::spawn(move || {
        let mut stream = limited(listener.accept().unwrap().0);
        stream.write_all(b"220 mail.example.com ESMTP\r\n").unwrap();
        let _ = stream.read(&mut [0; 1000]);
    });
    let error = bind(ssl()).connect(addr).unwrap_err();
    assert!(matches!(cause(&error), Cause::WrongEncryption { .. }), "{error}: {error:?}");
    server.join().unwrap();
}

#[test]
fn another_subnet_is_named_at_both_ends() {
    let node = bind(ssl());
    let other = bind(ssl().protocol(Protocol::new("other", Encryption::Ssl)));
    let error = other.connect(node.local_addr()).unwrap_err();
    let Cause::WrongSubnet(mesh) = cause(&error) else { panic!("{error}: {error:?}") };
    let ids = (mesh.ours.as_str(), mesh.theirs.as_str());
    assert_eq!(ids, (other.protocol().id(), node.protocol().id()));
    assert!(error.to_string().contains(r#"its subnet is "mesh", ours is "other""#), "{error}");
    serves(&node, ssl());
}

#[test]
fn a_peer_that_closes_during_the_handshake_keeps_the_words_of_the_library() {
    let (listener, addr) = listener();
    let server = std::thread::spawn(move || {
        let mut stream = limited(listener.accept().unwrap().0);
        // Something of the client's hello, so that nothing is left unread.
        let read = stream.read(&mut [0; 100_000]).unwrap();
        assert!(read > 100);
        // The head of a record: it speaks TLS, so it is not a node that has no room.
        stream.write_all(&[0x16, 3, 3]).unwrap();
    });
    let error = bind(ssl()).connect(addr).unwrap_err();
    let Cause::Tls(source) = cause(&error) else { panic!("{error}: {error:?}") };
    assert!(!source.to_string().is_empty());
    assert!(error.source().is_some());
    server.join().unwrap();
}

#[test]
fn a_peer_that_closes_without_a_word_is_named_though_nobody_listens_afterwards() {
    let (listener, addr) = listener();
    let server = std::thread::spawn(move || {
        let mut stream = limited(listener.accept().unwrap().0);
        assert!(stream.read(&mut [0; 100_000]).unwrap() > 100);
    });
    let error = bind(ssl()).connect(addr).unwrap_err();
    assert!(matches!(cause(&error), Cause::PeerClosed), "{error:?}");
    server.join().unwrap();
}

#[test]
fn a_server_that_stalls_in_the_handshake_is_given_up_at_the_deadline() {
    let (listener, addr) = listener();
    let node = bind(ssl().handshake_timeout(DEADLINE));
    let error = node.connect(addr).unwrap_err();
    assert!(matches!(cause(&error), Cause::TimedOut), "{error}: {error:?}");
    drop(listener);
}

#[test]
fn a_client_that_stalls_in_the_handshake_is_let_go_at_the_deadline() {
    let node = bind(ssl().handshake_timeout(DEADLINE));
    let mut mute = dial(node.local_addr());
    let mut half = dial(node.local_addr());
    // The head of a record and a part of what it announces.
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1]).unwrap();
    assert_eq!(mute.read(&mut [0; 100]).unwrap(), 0, "closed");
    assert_eq!(half.read(&mut [0; 100]).unwrap(), 0, "closed");
    serves(&node, ssl());
}

#[test]
fn garbage_is_refused_and_the_node_goes_on() {
    let node = bind(ssl());
    let samples: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[0; 1000],
        &[0x16, 3, 1, 0xff, 0xff, 1, 2, 3],
        &[0x16, 3, 1, 0, 4, 1, 0, 0, 0],
        &[0x17, 3, 3, 0, 1, 0],
    ];
    for sample in samples {
        let mut stream = dial(node.local_addr());
        // It may be closed before all is written.
        let _ = stream.write_all(sample);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.len() < 100, "no more than an alert: {answer:?}");
    }
    serves(&node, ssl());
}

#[test]
fn what_cannot_be_protected_is_refused_by_bind() {
    let secret = |protocol: Protocol, secret: &str| {
        ssl().protocol(protocol.with_secret(secret)).bind("127.0.0.1:0").unwrap_err()
    };
    let plain = secret(Protocol::default(), "sixteen bytes or more");
    assert!(matches!(plain, Error::SecretWithoutTls), "{plain:?}");
    let short = secret(Protocol::new("mesh", Encryption::Ssl), "hunter2");
    assert!(matches!(short, Error::SecretTooShort { len: 7, min: 12 }), "{short:?}");
}

#[test]
fn a_farewell_arrives() {
    let node = bind(ssl());
    let peer = bind(ssl());
    peer.connect(node.local_addr()).unwrap();
    peer.send("bye").unwrap();
    assert_eq!(peer.close().unwrap().unsent_frames, 0);
    assert_eq!(node.recv_timeout(SOON).unwrap().payload(), ["bye"]);
    let left = node.events().iter().find_map(|event| match event {
        MeshEvent::Left { cause, .. } => Some(cause),
        _ => None,
    });
    assert!(matches!(left, Some(Cause::PeerClosed)), "no error, though no close_notify: {left:?}");
}
