//! Clients that are no nodes: how TLS is offered, and that mute ones hold up nobody.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use native_tls::{HandshakeError, Protocol, TlsConnector, TlsStream};
use rs2p::MeshSocket;

use crate::{SOON, bind, dial, serves, ssl};

#[test]
fn two_hundred_mute_clients_delay_nobody() {
    // The mute ones may stay for longer than the honest one waits.
    let node = bind(ssl().handshake_timeout(2 * SOON));
    let honest = bind(ssl().handshake_timeout(SOON));
    let mute: Vec<TcpStream> = (0..200).map(|_| dial(node.local_addr())).collect();
    honest.connect(node.local_addr()).expect("a link, before any of the mute ones goes");
    assert!(node.awaiting_ids() <= 16, "{} wait", node.awaiting_ids());
    drop(mute);
    serves(&node, ssl());
}

#[test]
fn tls_1_2_is_spoken_and_nothing_older() {
    let node = bind(ssl());
    let dial_with = |version| dial_tls(node.local_addr(), version);
    // Whether 1.3 is accepted is the library's choice: with OpenSSL it is not, though it is dialled.
    let mut stream = dial_with(Protocol::Tlsv12).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    assert!(u32::from_be_bytes(length) < 1000, "a hello");
    for version in [Protocol::Tlsv10, Protocol::Tlsv11] {
        assert!(dial_with(version).is_err(), "{version:?}");
    }
    serves(&node, ssl());
}

#[test]
fn who_has_not_shaken_hands_may_announce_64_kib_and_no_more() {
    let short = Duration::from_secs(2);
    let (patient, node) =
        (bind(ssl().handshake_timeout(2 * SOON)), bind(ssl().handshake_timeout(short)));
    let closed_after = |node: &MeshSocket, announced: u32| {
        let mut stream = dial_tls(node.local_addr(), Protocol::Tlsv12).unwrap();
        let begun = Instant::now();
        stream.write_all(&announced.to_be_bytes()).unwrap();
        // All that it says, to the end.
        let _ = stream.read_to_end(&mut Vec::new());
        begun.elapsed()
    };
    assert!(closed_after(&patient, 64 * 1024 + 1) < SOON, "closed, and not at the deadline");
    assert!(closed_after(&node, 64 * 1024) > short / 2, "waited for, to the deadline");
    serves(&node, ssl());
}

/// A TLS client of just this version that believes everybody.
fn dial_tls(
    addr: SocketAddr,
    version: Protocol,
) -> Result<TlsStream<TcpStream>, HandshakeError<TcpStream>> {
    let connector = TlsConnector::builder()
        .min_protocol_version(Some(version))
        .max_protocol_version(Some(version))
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true)
        .build()
        .unwrap();
    connector.connect("localhost", dial(addr))
}
