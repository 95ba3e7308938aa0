//! Clients that are no nodes: how TLS is offered, and that mute ones hold up nobody.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use native_tls::{Protocol, TlsConnector};

use crate::{bind, dial, serves, ssl, within};

#[test]
fn two_hundred_mute_clients_delay_nobody() {
    let node = bind(ssl());
    let honest = bind(ssl());
    let mute: Vec<TcpStream> = (0..200).map(|_| dial(node.local_addr())).collect();
    within(Duration::from_secs(1), || honest.connect(node.local_addr())).unwrap();
    assert!(node.awaiting_ids() <= 16, "{} wait", node.awaiting_ids());
    drop(mute);
    serves(&node, ssl());
}

#[test]
fn tls_1_2_is_spoken_and_nothing_older() {
    let node = bind(ssl());
    let dial_with = |version| {
        let connector = TlsConnector::builder()
            .min_protocol_version(Some(version))
            .max_protocol_version(Some(version))
            .danger_accept_invalid_certs(true)
            .build()
            .unwrap();
        connector.connect("localhost", dial(node.local_addr()))
    };
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
