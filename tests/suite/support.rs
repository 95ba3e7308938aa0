//! What the tests of the suite share: sockets of its encryption, and receiving with a deadline.

use std::collections::BTreeMap;

use rs2p::{Builder, MeshSocket, Message, Protocol};

use crate::ENCRYPTION;
pub use crate::support::*;

/// Settings for this suite's encryption.
pub fn builder() -> Builder {
    MeshSocket::builder().protocol(Protocol::new("mesh", ENCRYPTION))
}

/// A socket on loopback with settings.
pub fn bind_with(builder: Builder) -> MeshSocket {
    builder.bind(("127.0.0.1", 0)).expect("a free port")
}

/// A socket on loopback.
pub fn bind() -> MeshSocket {
    bind_with(builder())
}

/// A socket that makes no links by itself: its neighbours are those that a test connects.
pub fn bind_fixed() -> MeshSocket {
    bind_with(builder().max_outgoing(0))
}

/// Connects and waits until both ends know.
pub fn connect(from: &MeshSocket, to: &MeshSocket) {
    let connection = from.connect(to.local_addr()).expect("a link");
    assert_eq!(connection.id(), to.id());
    assert!(to.peer(&from.id()).is_some(), "the other end knows when connect returns");
}

/// Sockets in a line, each linked with the next one only.
pub fn line(count: usize) -> Vec<MeshSocket> {
    let nodes: Vec<MeshSocket> = (0..count).map(|_| bind_fixed()).collect();
    nodes.windows(2).for_each(|pair| connect(&pair[0], &pair[1]));
    nodes
}

/// The next message, or a failure.
pub fn recv(socket: &MeshSocket) -> Message {
    match socket.recv_timeout(PATIENCE) {
        Ok(message) => message,
        Err(error) => panic!("{socket:?}: {error}\n{}\n{}", socket.stats(), socket.status()),
    }
}

/// The payload of the next message, as text.
pub fn recv_text(socket: &MeshSocket) -> Vec<String> {
    recv(socket).payload().iter().map(|packet| packet.to_text().into_owned()).collect()
}

/// Receives until `count` messages are there: how often each payload came, by its first packet.
pub fn recv_counted(socket: &MeshSocket, count: usize) -> BTreeMap<Vec<u8>, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..count {
        *counts.entry(recv(socket)[1].to_vec()).or_default() += 1;
    }
    counts
}
