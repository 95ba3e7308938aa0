//! A message to one node: one that is relayed from peer to peer, back along the path of an earlier
//! message of its receiver, with the receipts for it, and one to a peer that names the message which it
//! answers. Between rs2p nodes only.
//!
//! Whispers of kind [`KIND`] like a hello, with a list of one word of their own:
//!
//! - `["reply"]`, receiver, message id, number, kind, payload: to be passed on to the peer that the
//!   message with this id came from, until the receiver has it. The sender in the frame's head is
//!   who wrote it, not the peer that passes it on. The number, and the sender's text behind it, make
//!   the id of the frame unique.
//! - `["letter"]`: the same, but its author does not answer the message with this id, which only leads
//!   the way.
//! - `["direct"]`, message id or nothing, number, kind, payload: to a peer, in answer to its message with
//!   this id. The number makes the id of the frame unique: an answer to this frame has no other question.
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
const LETTER: &[u8] = br#"["letter"]"#;
const DIRECT: &[u8] = br#"["direct"]"#;
const TAKEN: &[u8] = br#"["reply-taken"]"#;
const LOST: &[u8] = br#"["reply-lost"]"#;

/// Number of packets before the kind and the payload of the user's message.
pub(crate) const HEAD: usize = 6;
/// The same in a message to a peer.
pub(crate) const DIRECT_HEAD: usize = 4;

/// What a relaying node needs to know; the user's message follows it in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutedReply {
    /// The author. The frame's head names it too, but is not covered by the id.
    pub from: NodeId,
    pub to: NodeId,
    /// The message of the receiver whose path it follows back. Without one only a peer of the
    /// receiver can relay it.
    pub about: Option<MessageId>,
    /// Whether it answers that message.
    pub is_answer: bool,
}

impl RoutedReply {
    /// Returns the message that it answers, if it answers one.
    pub fn answered(&self) -> Option<MessageId> {
        self.about.filter(|_| self.is_answer)
    }
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
        word @ (REPLY | LETTER) => read_reply(packets, word == REPLY)
            .map(Body::RoutedReply)
            .ok_or("reply that nobody can read"),
        DIRECT => read_direct(packets).map(Body::Direct).ok_or("answer that nobody can read"),
        TAKEN => read_id(packets.get(2)).map(|id| Body::Receipt(Receipt::Taken(id))),
        LOST => read_id(packets.get(2)).map(|id| Body::Receipt(Receipt::Lost(id))),
        _ => return None,
    };
    Some(body)
}

fn read_id(packet: Option<&Packet>) -> Result<MessageId, &'static str> {
    packet.and_then(|id| MessageId::from_wire(id)).ok_or("receipt without an id")
}

fn read_direct(packets: &[Packet]) -> Option<Option<MessageId>> {
    let [_, _, about, _number, kind, ..] = packets else { return None };
    let about = read_about(about)?;
    (Kind::WHISPER == *kind.as_bytes()).then_some(about)
}

/// Reads the id of a message, or nothing.
fn read_about(packet: &Packet) -> Option<Option<MessageId>> {
    match packet.as_bytes() {
        b"" => Some(None),
        id => MessageId::from_wire(id).map(Some),
    }
}

fn read_reply(packets: &[Packet], is_answer: bool) -> Option<RoutedReply> {
    let [_, _, to, about, _number, from, kind, ..] = packets else { return None };
    let about = read_about(about)?;
    let (from, to) = (NodeId::from_wire(from)?, NodeId::from_wire(to)?);
    (Kind::WHISPER == *kind.as_bytes()).then_some(RoutedReply { from, to, about, is_answer })
}

/// A message to one node, encoded in the two forms in which it can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// For a direct link to the receiver: an ordinary whisper, or one that names what it answers.
    pub plain: Frame,
    /// The id of that.
    pub plain_id: MessageId,
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
    /// Whether the letter answers that message.
    pub is_answer: bool,
    /// Unique among the letters of one node.
    pub number: u64,
}

impl Letter {
    /// Encodes a whisper for one node. Hashes it twice, so the caller should hold no lock.
    pub fn new(draft: &Draft, from: &NodeId, address: &Address, max_frame: usize) -> Self {
        let routed = routed_draft(draft, from, address);
        let fits = routed.encoded_len() <= max_frame;
        Letter {
            routed: fits.then(|| {
                let id = routed.id();
                (routed.encode(from, &id), id)
            }),
            about: address.about,
            ..Letter::plain(draft, from)
        }
    }

    /// Encodes a whisper for a direct peer, without what relaying and the receipt need.
    pub fn plain(draft: &Draft, from: &NodeId) -> Self {
        let plain_id = draft.id();
        Letter { plain: draft.encode(from, &plain_id), plain_id, routed: None, about: None }
    }

    /// Encodes a whisper for a direct peer that reads which message it answers. `None` if that exceeds
    /// the largest frame.
    pub fn direct(
        draft: &Draft,
        from: &NodeId,
        address: &Address,
        max_frame: usize,
    ) -> Option<Self> {
        let direct = direct_draft(draft, address);
        (direct.encoded_len() <= max_frame).then(|| Letter::plain(&direct, from))
    }

    /// Returns the bytes of memory that it occupies.
    pub fn len(&self) -> usize {
        let routed = self.routed.as_ref().map_or(0, |(frame, _)| frame.len());
        self.plain.len().saturating_add(routed)
    }
}

fn direct_draft(draft: &Draft, address: &Address) -> Draft {
    let about = address.about.filter(|_| address.is_answer);
    let about = about.map_or_else(String::new, |about| about.to_string());
    let head: [Packet; DIRECT_HEAD] = [
        KIND.into(),
        DIRECT.into(),
        about.as_str().into(),
        address.number.to_string().as_str().into(),
    ];
    let packets = head.into_iter().chain(draft.packets.iter().cloned()).collect();
    Draft { main: Flag::Whisper, packets, time: draft.time }
}

fn routed_draft(draft: &Draft, from: &NodeId, address: &Address) -> Draft {
    let about = address.about.map_or_else(String::new, |about| about.to_string());
    let word = if address.is_answer { REPLY } else { LETTER };
    let head: [Packet; HEAD] = [
        KIND.into(),
        word.into(),
        address.to.as_bytes().into(),
        about.as_str().into(),
        address.number.to_string().as_str().into(),
        from.as_bytes().into(),
    ];
    let packets = head.into_iter().chain(draft.packets.iter().cloned()).collect();
    Draft { main: Flag::Whisper, packets, time: draft.time }
}
