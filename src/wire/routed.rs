//! A message to one node that is relayed from peer to peer, back along the path of an earlier
//! message of its receiver, and the receipts for it. Between rs2p nodes only.
//!
//! Whispers of kind [`KIND`] like a hello, with a list of one word of their own:
//!
//! - `["reply"]`, receiver, message id, number, kind, payload: to be passed on to the peer that the
//!   message with this id came from, until the receiver has it. The sender in the frame's head is
//!   who wrote it, not the peer that passes it on. The number, and the sender's text behind it, make
//!   the id of the frame unique.
//! - `["reply-taken"]`, id of the frame: the receiver has it. Goes back the way that the frame came.
//! - `["reply-lost"]`, id of the frame: it could not be passed on.

use super::body::Body;
use super::draft::Draft;
use super::frame::Frame;
use super::hello::KIND;
use crate::id::{MessageId, NodeId};
use crate::options::{Flag, Kind};
use crate::packet::Packet;

const REPLY: &[u8] = br#"["reply"]"#;
const TAKEN: &[u8] = br#"["reply-taken"]"#;
const LOST: &[u8] = br#"["reply-lost"]"#;

/// Number of packets before the kind and the payload of the user's message.
pub(crate) const HEAD: usize = 6;

/// What a relaying node needs to know; the user's message follows it in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutedReply {
    /// The author. The frame's head names it too, but is not covered by the id.
    pub from: NodeId,
    pub to: NodeId,
    /// The message of the receiver whose path it follows back. Without one only a peer of the
    /// receiver can relay it.
    pub about: Option<MessageId>,
}

/// Whether the receiver has a routed message, by the id of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    Taken(MessageId),
    Lost(MessageId),
}

impl Receipt {
    pub fn payload(self) -> Vec<Packet> {
        let (word, id) = match self {
            Receipt::Taken(id) => (TAKEN, id),
            Receipt::Lost(id) => (LOST, id),
        };
        vec![KIND.into(), word.into(), id.to_string().as_str().into()]
    }
}

/// Reads the packets of a whisper of kind [`KIND`]; Returns `None` if it is a hello.
pub(super) fn read(packets: &[Packet]) -> Option<Result<Body, &'static str>> {
    let body = match packets.get(1)?.as_bytes() {
        REPLY => read_reply(packets).map(Body::RoutedReply).ok_or("reply that nobody can read"),
        TAKEN => read_id(packets.get(2)).map(|id| Body::Receipt(Receipt::Taken(id))),
        LOST => read_id(packets.get(2)).map(|id| Body::Receipt(Receipt::Lost(id))),
        _ => return None,
    };
    Some(body)
}

fn read_id(packet: Option<&Packet>) -> Result<MessageId, &'static str> {
    packet.and_then(|id| MessageId::from_wire(id)).ok_or("receipt without an id")
}

fn read_reply(packets: &[Packet]) -> Option<RoutedReply> {
    let [_, _, to, about, _number, from, kind, ..] = packets else { return None };
    let about = match about.as_bytes() {
        b"" => None,
        id => Some(MessageId::from_wire(id)?),
    };
    let (from, to) = (NodeId::from_wire(from)?, NodeId::from_wire(to)?);
    (Kind::WHISPER == *kind.as_bytes()).then_some(RoutedReply { from, to, about })
}

/// A message to one node, encoded in the two forms in which it can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// As an ordinary whisper, for a direct link to the receiver.
    pub plain: Frame,
    /// With what relaying and the receipt need. `None` if that exceeds the largest frame.
    pub routed: Option<(Frame, MessageId)>,
    /// The message of the receiver that it answers, if one is known.
    pub about: Option<MessageId>,
}

/// The receiver of a letter, and what makes the letter unique.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    pub to: NodeId,
    pub about: Option<MessageId>,
    /// Unique among the letters of one node.
    pub number: u64,
}

impl Letter {
    /// Encodes a whisper for one node. Hashes it twice, so the caller should hold no lock.
    pub fn new(draft: &Draft, from: &NodeId, address: &Address, max_frame: usize) -> Self {
        let routed = routed_draft(draft, from, address);
        let fits = routed.encoded_len() <= max_frame;
        Letter {
            plain: draft.encode(from, &draft.id()),
            routed: fits.then(|| {
                let id = routed.id();
                (routed.encode(from, &id), id)
            }),
            about: address.about,
        }
    }

    /// Encodes a whisper for a direct peer, without what relaying and the receipt need.
    pub fn plain(draft: &Draft, from: &NodeId) -> Self {
        Letter { plain: draft.encode(from, &draft.id()), routed: None, about: None }
    }

    /// Returns the bytes of memory that it occupies.
    pub fn len(&self) -> usize {
        self.plain.len() + self.routed.as_ref().map_or(0, |(frame, _)| frame.len())
    }
}

fn routed_draft(draft: &Draft, from: &NodeId, address: &Address) -> Draft {
    let about = address.about.map_or_else(String::new, |about| about.to_string());
    let head: [Packet; HEAD] = [
        KIND.into(),
        REPLY.into(),
        address.to.as_bytes().into(),
        about.as_str().into(),
        address.number.to_string().as_str().into(),
        from.as_bytes().into(),
    ];
    let packets = head.into_iter().chain(draft.packets.iter().cloned()).collect();
    Draft { main: Flag::Whisper, packets, time: draft.time }
}
