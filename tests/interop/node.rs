//! A node of either kind, where a test does not care which.

use std::time::Instant;

use rs2p::{MeshSocket, Message};

use crate::{
    event::PeerMessage,
    net::{id_of, soon},
    options::PeerOptions,
    peer::Peer,
};

pub enum Node {
    Py2p(Box<Peer>),
    Rs2p(MeshSocket),
}

/// A message, whoever got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The main flag as it arrived: a relayed broadcast is a waterfall.
    pub flag: u8,
    pub kind: Vec<u8>,
    pub payload: Vec<Vec<u8>>,
    pub sender: String,
    pub id: String,
    pub time: u64,
}

impl Node {
    pub fn py2p(options: PeerOptions) -> Node {
        Node::Py2p(Box::new(Peer::start(options)))
    }

    pub fn id(&self) -> String {
        match self {
            Node::Py2p(peer) => peer.id().to_owned(),
            Node::Rs2p(socket) => socket.id().to_string(),
        }
    }

    /// Links to another node and waits until both know.
    pub fn connect(&self, to: &Node) {
        match (self, to) {
            (Node::Py2p(from), Node::Py2p(to)) => from.connect(to.addr()),
            (Node::Py2p(from), Node::Rs2p(to)) => from.connect(to.local_addr()),
            (Node::Rs2p(from), Node::Py2p(to)) => {
                assert_eq!(from.connect(to.addr()).expect("a link").id(), id_of(to));
            }
            (Node::Rs2p(from), Node::Rs2p(to)) => {
                assert_eq!(from.connect(to.local_addr()).expect("a link").id(), to.id());
            }
        }
        self.wait_peer(&to.id());
        to.wait_peer(&self.id());
    }

    fn wait_peer(&self, id: &str) {
        match self {
            Node::Py2p(peer) => drop(peer.wait_links(soon(), |links| links.link(id).is_some())),
            Node::Rs2p(socket) => {
                let id = id.parse().expect("an id");
                crate::net::wait_until(socket, "linked", soon(), || socket.peer(&id).is_some());
            }
        }
    }

    /// Waits until there are so many peers, and no more; their ids, sorted as text.
    pub fn wait_peers(&self, count: usize) -> Vec<String> {
        let mut ids = match self {
            Node::Py2p(peer) => peer.wait_peers(count, soon()),
            Node::Rs2p(socket) => {
                socket.wait_for_peers(count, soon() - Instant::now()).expect("peers");
                socket.routing_table().keys().map(ToString::to_string).collect()
            }
        };
        assert_eq!(ids.len(), count, "{ids:?}");
        ids.sort();
        ids
    }

    pub fn broadcast<P: AsRef<[u8]>>(&self, packets: impl IntoIterator<Item = P>) {
        match self {
            Node::Py2p(peer) => peer.send(packets),
            Node::Rs2p(socket) => drop(socket.send(copies(packets)).expect("sent")),
        }
    }

    /// Sends to the direct peers.
    pub fn whisper<P: AsRef<[u8]>>(&self, packets: impl IntoIterator<Item = P>) {
        match self {
            Node::Py2p(peer) => peer.whisper(packets),
            Node::Rs2p(socket) => drop(socket.whisper(copies(packets)).expect("sent")),
        }
    }

    /// The next message.
    pub fn recv(&self) -> Heard {
        match self {
            Node::Py2p(peer) => match peer.recv(soon()) {
                Some(message) => message.into(),
                None => panic!("no message at py2p: {:?}, {:?}", peer.status(), peer.table()),
            },
            Node::Rs2p(socket) => match socket.recv_timeout(soon() - Instant::now()) {
                Ok(message) => message.into(),
                Err(error) => {
                    panic!("{socket:?}: {error}\n{}\n{}", socket.stats(), socket.status())
                }
            },
        }
    }

    /// Nothing has gone wrong: no error kept, by either kind's own account.
    pub fn assert_nominal(&self) {
        match self {
            Node::Py2p(peer) => assert_eq!(peer.status(), [""; 0]),
            Node::Rs2p(socket) => assert!(socket.status().is_nominal(), "{}", socket.status()),
        }
    }
}

impl Heard {
    /// The first packet of the payload, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload[0]).into_owned()
    }
}

impl From<PeerMessage> for Heard {
    fn from(message: PeerMessage) -> Heard {
        Heard {
            flag: message.flag[0],
            kind: message.kind().to_vec(),
            payload: message.payload().to_vec(),
            sender: message.sender,
            id: message.id,
            time: message.time,
        }
    }
}

impl From<Message> for Heard {
    fn from(message: Message) -> Heard {
        Heard {
            flag: message.flag().as_byte(),
            kind: message.kind().as_bytes().to_vec(),
            payload: message.payload().iter().map(|packet| packet.to_vec()).collect(),
            sender: message.sender().to_string(),
            id: message.id().to_string(),
            time: message.time(),
        }
    }
}

fn copies<P: AsRef<[u8]>>(packets: impl IntoIterator<Item = P>) -> Vec<rs2p::Packet> {
    packets.into_iter().map(|packet| packet.as_ref().into()).collect()
}
