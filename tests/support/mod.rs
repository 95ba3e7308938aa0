//! What the test binaries share: waiting for events instead of for time, closing with checks, nodes
//! in processes of their own, a node by hand, and a slow way. Each binary that uses it has `mod support`.

// No binary uses all of it.
#![allow(dead_code)]

pub mod process;
pub mod raw;
pub mod slow_way;

use std::thread;
use std::time::{Duration, Instant};

use rs2p::{Cause, Error, MeshEvent, MeshSocket, NodeId};

/// Longer than anything here takes on a busy machine. Only a failure waits that long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The cause of a `connect` to one address that failed.
pub fn cause(error: &Error) -> &Cause {
    match error {
        Error::Connect { cause, .. } => cause,
        error => panic!("{error}: {error:?}"),
    }
}

/// Waits for an event for which `wanted` returns something.
pub fn wait_for<T>(socket: &MeshSocket, wanted: impl Fn(&MeshEvent) -> Option<T>) -> T {
    wait_event(socket, Instant::now() + PATIENCE, wanted)
}

/// Waits for such an event until this time.
pub fn wait_event<T>(
    socket: &MeshSocket,
    deadline: Instant,
    wanted: impl Fn(&MeshEvent) -> Option<T>,
) -> T {
    let events = socket.events();
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

/// Waits until a peer has left; returns the cause.
pub fn wait_left(socket: &MeshSocket, peer: NodeId) -> Cause {
    wait_for(socket, |event| match event {
        MeshEvent::Left { id, cause, .. } if *id == peer => Some(cause.clone()),
        _ => None,
    })
}

/// Waits for what no event tells. Looks again every millisecond.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Lets time pass. Only for tests in which time itself is what is wanted.
pub fn let_pass(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        thread::park_timeout(until.saturating_duration_since(Instant::now()));
    }
}

/// Returns whether the slow and thorough variants of the tests are wanted.
pub fn is_long() -> bool {
    std::env::var_os("RS2P_LONG").is_some()
}

/// Closes all sockets at once, as a mesh goes down, and checks that nothing was left behind and that
/// every counter adds up.
pub fn close_all(sockets: &[MeshSocket]) {
    thread::scope(|scope| {
        for socket in sockets {
            scope.spawn(|| {
                let report = socket.close().expect("closed");
                assert_eq!(report.left_behind, Vec::<String>::new());
                assert_balanced(socket);
            });
        }
    });
}

/// Checks that every counter adds up. Holds only when a socket is quiet.
pub fn assert_balanced(socket: &MeshSocket) {
    let stats = socket.stats();
    let accounted =
        stats.delivered + stats.relayed_only + stats.control + stats.duplicates + stats.refused();
    assert_eq!(stats.received, accounted, "received frames add up:\n{stats}");
    let answers = stats.answers + stats.late_answers;
    let delivered = answers + stats.handled + stats.subscribed + stats.ignored + stats.queued;
    assert_eq!(stats.delivered, delivered, "delivered messages add up:\n{stats}");
    let queued = stats.taken + stats.dropped + stats.waiting;
    assert_eq!(stats.queued, queued, "queued messages add up:\n{stats}");
}

/// Returns one certificate for all nodes of a test that is not about how fast keys are made.
#[cfg(feature = "native-tls")]
pub fn identity() -> rs2p::tls::TlsIdentity {
    static IDENTITY: std::sync::OnceLock<rs2p::tls::TlsIdentity> = std::sync::OnceLock::new();
    IDENTITY.get_or_init(|| rs2p::tls::TlsIdentity::generate().expect("a key")).clone()
}

/// Returns the settings of a node with this subnet and encryption. All nodes have one certificate.
pub fn builder_of(subnet: &str, encryption: rs2p::Encryption) -> rs2p::Builder {
    let builder = MeshSocket::builder().protocol(rs2p::Protocol::new(subnet, encryption));
    #[cfg(feature = "native-tls")]
    if encryption == rs2p::Encryption::Ssl {
        return builder.tls(rs2p::tls::Tls::new().identity(identity()));
    }
    builder
}
