//! Parts of the message path, for `benches/` alone. The feature `bench` shows them; it is no part of
//! the public interface, and nothing here is kept stable.
#![allow(missing_docs)]

use crate::base58;
use crate::config::Config;
use crate::id::{MessageId, NodeId};
use crate::node::keyed_hash::KeyedHash;
use crate::node::rng::Rng;
use crate::node::seen::{Remembered, SeenCache, Source};
use crate::node::{Event, Identity, LinkId, Node, Now};
use crate::options::Flag;
use crate::packet::Packet;
use crate::protocol::Protocol;
use crate::wire::{
    Draft, Envelope, FrameReader, Handshake, Header, HostPort, LastSender, Malformed,
};

const SECOND: u64 = 1_800_000_000;
const MAX_FRAME: usize = 16 * 1024 * 1024;

fn id(number: u8) -> NodeId {
    NodeId::from_digest(&[number; 48])
}

fn now() -> Now {
    let mono = std::time::Duration::from_secs(1);
    Now { mono, wall: std::time::Duration::from_secs(SECOND) + mono }
}

fn message(main: Flag, packets: Vec<Packet>) -> Vec<u8> {
    let draft = Draft { main, packets, time: SECOND };
    draft.encode(&id(1), &draft.id()).bytes(None).to_vec()
}

/// Returns a broadcast as it comes over the wire.
#[must_use]
pub fn broadcast(payload: &[u8]) -> Vec<u8> {
    message(Flag::Broadcast, vec![b"\0".into(), payload.into()])
}

#[must_use]
pub fn encode(payload: &[u8]) -> usize {
    let packets = vec![b"\0".into(), payload.into()];
    let draft = Draft { main: Flag::Broadcast, packets, time: SECOND };
    draft.encode(&id(1), &draft.id()).len()
}

#[must_use]
pub fn base58_of_digest(digest: &[u8; 48]) -> ([u8; 66], u8) {
    base58::encode_digest(digest)
}

#[must_use]
pub fn digest_of_base58(text: &[u8]) -> Option<[u8; 48]> {
    base58::decode_digest(text)
}

/// The reading end of a link.
#[derive(Debug)]
pub struct Reading {
    frames: FrameReader,
    last: LastSender,
}

impl Default for Reading {
    fn default() -> Self {
        Reading { frames: FrameReader::new(MAX_FRAME), last: LastSender::default() }
    }
}

impl Reading {
    fn header(&mut self, mut stream: &[u8]) -> Option<Result<Header, Malformed>> {
        while !stream.is_empty() {
            self.frames.read_from(&mut stream, MAX_FRAME).ok()?;
        }
        let frame = self.frames.next().ok()??;
        Some(Header::parse_after(&mut self.last, frame, &[], MAX_FRAME))
    }

    fn envelope(&mut self, stream: &[u8]) -> Option<Box<Envelope>> {
        self.header(stream)?.and_then(Header::verify).map(Box::new).ok()
    }

    /// Cuts, reads and verifies one message. Returns how many packets it has.
    pub fn read(&mut self, stream: &[u8]) -> usize {
        self.envelope(stream).map_or(0, |envelope| envelope.packets.len())
    }
}

/// A node with some links.
#[derive(Debug)]
pub struct Relaying {
    node: Node,
    from: LinkId,
    reading: Reading,
}

impl Relaying {
    /// Returns a node with this many peers, one of which sends.
    #[must_use]
    pub fn new(peers: u8) -> Self {
        let addr = |port| HostPort { host: "127.0.0.1".into(), port };
        let me = Identity { id: id(100), protocol: Protocol::default(), addr: addr(1) };
        let mut node = Node::new(me, Config::default(), 1);
        for number in 1..=peers {
            let Ok(link) = node.admit(now()) else { break };
            node.handle(now(), Event::Opened { link });
            let (addr, methods) = (Some(addr(u16::from(number) + 1)), Vec::new());
            let handshake = Handshake {
                id: id(number),
                protocol: Protocol::default().id().into(),
                addr,
                methods,
            };
            let draft = Draft { main: Flag::Whisper, packets: handshake.payload(), time: SECOND };
            let frame = draft.encode(&id(number), &draft.id()).bytes(None).to_vec();
            if let Some(envelope) = Reading::default().envelope(&frame) {
                node.handle(now(), Event::Received { link, envelope });
            }
        }
        while node.poll_action().is_some() {}
        let from = node.link_of(&id(1)).unwrap_or(LinkId(0));
        Relaying { node, from, reading: Reading::default() }
    }

    /// Takes a message as a link's thread and the daemon do. Returns how many actions follow.
    pub fn take(&mut self, stream: &[u8]) -> usize {
        let Some(head) = self.reading.header(stream) else { return 0 };
        if self.node.is_known(now(), self.from, &head) {
            return 0;
        }
        let Ok(envelope) = head.and_then(Header::verify).map(Box::new) else { return 0 };
        self.node.handle(now(), Event::Received { link: self.from, envelope });
        std::iter::from_fn(|| self.node.poll_action()).count()
    }
}

/// The seen cache.
#[derive(Debug)]
pub struct Seen(SeenCache);

impl Seen {
    #[must_use]
    pub fn new(max: usize) -> Self {
        Seen(SeenCache::new(max, KeyedHash::new(&mut Rng::new(1))))
    }

    /// Returns whether this id is new.
    pub fn remember(&mut self, digest: [u8; 48]) -> bool {
        let id = MessageId::from_digest(digest);
        let source = Source::link(LinkId(1), false, false);
        let known = self.0.remember(now(), source, &id, SECOND, || Ok::<(), ()>(()));
        known == Ok(Remembered::New)
    }
}
