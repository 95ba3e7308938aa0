//! A mesh of two kinds of nodes over one encryption: what every promise is tested with.

use std::time::{Duration, Instant};

use rs2p::{Builder, Cause, Encryption, MeshEvent, MeshSocket, NodeId, Protocol};
use serde_json::json;

use crate::{
    options::PeerOptions,
    peer::Peer,
    python::{Python, python},
    support::PATIENCE,
};

pub use crate::support::{raw::NOWHERE, wait_event};

/// Makes nodes that can talk to each other.
#[derive(Clone, Copy)]
pub struct Net {
    python: &'static Python,
    encryption: Encryption,
}

impl Net {
    pub fn over(encryption: Encryption) -> Net {
        Net { python: python(), encryption }
    }

    /// A py2p node that dials nobody by itself: so tests decide who is linked.
    pub fn py2p(self) -> Peer {
        Peer::start(self.quiet())
    }

    pub fn quiet(self) -> PeerOptions {
        PeerOptions { max_outgoing: Some(0), ..self.options() }
    }

    /// py2p as it is.
    pub fn options(self) -> PeerOptions {
        PeerOptions { encryption: self.encryption.as_str(), ..PeerOptions::new(self.python) }
    }

    /// An rs2p node that dials nobody by itself.
    pub fn rs2p(self) -> MeshSocket {
        bind(self.builder().max_outgoing(0))
    }

    /// rs2p as it is.
    pub fn builder(self) -> Builder {
        MeshSocket::builder().protocol(self.protocol("mesh"))
    }

    pub fn protocol(self, subnet: &str) -> Protocol {
        Protocol::new(subnet, self.encryption)
    }
}

/// A promise with its name: a test for every encryption.
pub type Promise = (&'static str, fn(Net));

/// Lists the promises of a module.
macro_rules! promises {
    ($($promise:ident),* $(,)?) => {
        pub const PROMISES: &[$crate::net::Promise] =
            &[$((concat!(module_path!(), "::", stringify!($promise)), $promise)),*];
    };
}
pub(crate) use promises;

pub fn bind(builder: Builder) -> MeshSocket {
    builder.bind(("127.0.0.1", 0)).expect("a free port")
}

/// What a py2p node calls itself, as rs2p writes it.
pub fn id_of(peer: &Peer) -> NodeId {
    peer.id().parse().expect("py2p's ids are ids")
}

/// Links an rs2p node to a py2p node and waits until both know.
pub fn link(from: &MeshSocket, to: &Peer) {
    let connection = from.connect(to.addr()).expect("a link");
    assert_eq!((connection.id(), connection.is_outgoing()), (id_of(to), true));
    assert_eq!(connection.addr(), to.addr().to_string());
    wait_link(to, from, false);
}

/// Links a py2p node to an rs2p node and waits until both know.
pub fn link_back(from: &Peer, to: &MeshSocket) {
    from.connect(to.local_addr());
    wait_link(from, to, true);
    let connection = to.peer(&id_of(from)).expect("py2p knows us only from our answer");
    assert!(!connection.is_outgoing());
    assert_eq!(connection.addr(), from.addr().to_string());
}

fn wait_link(py: &Peer, rs: &MeshSocket, is_outgoing: bool) {
    let id = rs.id();
    let links = py.wait_links(soon(), |links| links.link(id.as_str()).is_some());
    let link = links.link(id.as_str()).expect("just seen");
    let addr = rs.local_addr();
    assert_eq!(link.outgoing, is_outgoing);
    assert_eq!(link.addr, json!([addr.ip().to_string(), addr.port()]));
}

/// When to give up on something that takes milliseconds on a quiet machine.
pub fn soon() -> Instant {
    Instant::now() + PATIENCE
}

pub fn wait_joined(node: &MeshSocket, peer: NodeId, deadline: Instant) {
    wait_event(node, deadline, |event| match event {
        MeshEvent::Joined { id, .. } if *id == peer => Some(()),
        _ => None,
    });
}

pub fn wait_left(node: &MeshSocket, peer: NodeId, deadline: Instant) -> Cause {
    wait_event(node, deadline, |event| match event {
        MeshEvent::Left { id, cause, .. } if *id == peer => Some(cause.clone()),
        _ => None,
    })
}

pub fn wait_turned_away(node: &MeshSocket) -> Cause {
    wait_event(node, soon(), |event| match event {
        MeshEvent::TurnedAway { cause, .. } => Some(cause.clone()),
        _ => None,
    })
}

/// Waits for what is no event. A node's next event may be what makes it true, so it paces this.
pub fn wait_until(node: &MeshSocket, what: &str, deadline: Instant, is_so: impl Fn() -> bool) {
    let events = node.events();
    while !is_so() {
        assert!(Instant::now() < deadline, "{node:?}: not {what}\n{}", node.stats());
        let _ = events.recv_timeout(Duration::from_millis(5));
    }
}

/// Closes, and checks that nothing was left behind.
pub fn close(node: &MeshSocket) {
    let report = node.close().expect("closed");
    assert_eq!(report.left_behind, Vec::<String>::new());
}
