//! TLS between rs2p nodes, and whoever is not one: what is refused, with which error, and that the
//! node at the other end goes on.
#![cfg(feature = "native-tls")]

mod certificates;
mod errors;
mod flow;
mod secret;
mod strangers;
#[path = "../support/mod.rs"]
mod support;

use std::net::{SocketAddr, TcpListener, TcpStream};

use rs2p::{Builder, Encryption, MeshSocket, Protocol};
use support::PATIENCE as SOON;

/// A node that dials nobody by itself.
fn builder(encryption: Encryption) -> Builder {
    MeshSocket::builder().protocol(Protocol::new("mesh", encryption)).max_outgoing(0)
}

fn ssl() -> Builder {
    builder(Encryption::Ssl)
}

fn bind(builder: Builder) -> MeshSocket {
    builder.bind("127.0.0.1:0").expect("a free port")
}

/// Shows that a node is well: an honest peer links to it and its message arrives.
fn serves(node: &MeshSocket, honest: Builder) {
    let peer = bind(honest);
    peer.connect(node.local_addr()).expect("an honest peer");
    peer.send("still there?").expect("a message");
    let message = node.recv_timeout(SOON).expect("the message");
    assert_eq!(message.payload(), ["still there?"]);
    peer.close().expect("a report");
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("a bound socket has an address");
    (listener, addr)
}

/// A TCP connection on which no test can wait forever.
fn dial(addr: SocketAddr) -> TcpStream {
    limited(TcpStream::connect(addr).expect("a node that listens"))
}

fn limited(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    stream.set_write_timeout(Some(SOON)).expect("a timeout");
    stream
}
