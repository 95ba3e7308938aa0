//! What the tests share: sockets of the suite's encryption, and waiting for events.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rs2p::{Builder, MeshEvent, MeshSocket, Message, NodeId, Protocol};

use crate::ENCRYPTION;

/// Longer than anything here takes on a busy machine; reached only by a failure.
pub const PATIENCE: Duration = Duration::from_secs(20);

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

/// Waits for an event that answers `wanted`.
pub fn wait_for<T>(socket: &MeshSocket, wanted: impl Fn(&MeshEvent) -> Option<T>) -> T {
    let events = socket.events();
    let deadline = Instant::now() + PATIENCE;
    loop {
        match events.recv_deadline(deadline) {
            Ok(event) => {
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
            Err(_) => panic!("{socket:?}: the event did not come\n{}", socket.status()),
        }
    }
}

/// Waits until a peer has left.
pub fn wait_left(socket: &MeshSocket, peer: NodeId) -> rs2p::Cause {
    wait_for(socket, |event| match event {
        MeshEvent::Left { id, cause } if *id == peer => Some(cause.clone()),
        _ => None,
    })
}

/// Whether the slow and thorough variants of the tests are wanted.
pub fn is_long() -> bool {
    std::env::var_os("RS2P_LONG").is_some()
}

/// Waits without anything to wait for: time passing is what is wanted.
pub fn let_pass(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
    }
}

/// Closes all at once, as a mesh goes down, and checks that nothing was left behind and that
/// every counter adds up.
pub fn close_all(sockets: &[MeshSocket]) {
    std::thread::scope(|scope| {
        for socket in sockets {
            scope.spawn(|| {
                let report = socket.close().expect("closed");
                assert_eq!(report.left_behind, Vec::<String>::new());
                assert_balanced(socket);
            });
        }
    });
}

/// Every counter adds up. Only once a socket is quiet.
pub fn assert_balanced(socket: &MeshSocket) {
    let stats = socket.stats();
    let accounted =
        stats.delivered + stats.relayed_only + stats.control + stats.duplicates + stats.refused();
    assert_eq!(stats.received, accounted, "received frames add up:\n{stats}");
    let delivered = stats.handled + stats.ignored + stats.queued;
    assert_eq!(stats.delivered, delivered, "delivered messages add up:\n{stats}");
    let queued = stats.taken + stats.dropped + stats.waiting;
    assert_eq!(stats.queued, queued, "queued messages add up:\n{stats}");
}
