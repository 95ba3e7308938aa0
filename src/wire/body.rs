//! What the protocol reads from a message: the typed form that the node matches on.

use super::exchange::{self, Exchange};
use super::handshake::Handshake;
use super::hello::{self, Hello};
use super::lazy::{self, Lazy};
use super::members::{self, Members};
use super::method::Method;
use super::pacing::Pacing;
use super::peers::{self, PeerEntry};
use super::routed::{self, Receipt, RoutedReply};
use crate::id::{MessageId, NodeId};
use crate::options::{Flag, Kind};
use crate::packet::Packet;

/// What the protocol reads from a message. As in py2p, it is read whatever the main flag is; the
/// node decides whether the combination is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing: the message is for the user, or of an unknown kind.
    User,
    Handshake(Handshake),
    Hello(Hello),
    /// A message to one node that travels over several links.
    RoutedReply(RoutedReply),
    /// A message for the user in answer to this one, if to any.
    Direct(Option<MessageId>),
    /// A receipt for such a message.
    Receipt(Receipt),
    /// A word about messages that are announced instead of sent.
    Lazy(Lazy),
    /// A word about exchanging links.
    Exchange(Exchange),
    /// A statement about the pace of the link.
    Pacing(Pacing),
    /// Who is in the mesh.
    Members(Box<Members>),
    /// The peers of the sender.
    Peers(Vec<PeerEntry>),
    /// The sender asks for a peers list.
    RequestPeers,
    /// The sender asks for the address of this node.
    Request {
        request_id: Packet,
        wanted: NodeId,
    },
    /// The address that was asked for; `None` from a py2p node that does not know it.
    Response {
        request_id: Packet,
        entry: Option<PeerEntry>,
    },
    /// The compression methods that the sender reads from now on. Only as a renegotiation.
    Compression(Vec<Method>),
    /// The sender could not read our last message. Only as a renegotiation.
    Resend,
    /// A kind of the protocol with contents for which py2p closes the link; the text says what is
    /// wrong.
    Invalid(&'static str),
}

impl Body {
    /// Reads a payload, kind first.
    pub(super) fn read(main: Flag, packets: &[Packet]) -> Self {
        let Some(kind) = packets.first() else { return Body::User };
        Body::try_read(main, kind, packets).unwrap_or_else(Body::Invalid)
    }

    fn try_read(main: Flag, kind: &[u8], packets: &[Packet]) -> Result<Self, &'static str> {
        if main == Flag::Renegotiate && Kind::COMPRESSION == *kind {
            return read_methods(packets);
        }
        Ok(match kind {
            _ if main == Flag::Renegotiate && Kind::RESEND == *kind => Body::Resend,
            _ if Kind::HANDSHAKE == *kind => Body::Handshake(Handshake::read(packets)?),
            _ if Kind::PEERS == *kind => read_peers(packets)?,
            _ if Kind::REQUEST == *kind => read_request(packets)?,
            _ if Kind::RESPONSE == *kind => read_response(packets)?,
            members::KIND => Body::Members(Box::new(Members::read(packets)?)),
            hello::KIND => {
                let words = [lazy::read, routed::read, exchange::read];
                match words.iter().find_map(|read| read(packets)) {
                    Some(body) => body?,
                    None => read_hello(packets)?,
                }
            }
            _ => Body::User,
        })
    }
}

fn read_hello(packets: &[Packet]) -> Result<Body, &'static str> {
    match Pacing::read(packets) {
        Some(word) => Ok(Body::Pacing(word)),
        None => Hello::read(packets).map(Body::Hello).ok_or("hello is not a list of text"),
    }
}

fn read_methods(packets: &[Packet]) -> Result<Body, &'static str> {
    let [_, list, ..] = packets else { return Err("compression without a list") };
    Method::read_list(list).map(Body::Compression).ok_or("methods are not a list of text")
}

fn read_peers(packets: &[Packet]) -> Result<Body, &'static str> {
    let [_, list, ..] = packets else { return Err("peers without a list") };
    peers::read_list(list).map(Body::Peers).ok_or("peers are not a list of pairs")
}

fn read_request(packets: &[Packet]) -> Result<Body, &'static str> {
    match packets {
        [_, all, ..] if *all == peers::ALL => Ok(Body::RequestPeers),
        // Text that is not an id belongs to no node: py2p finds it in no table, and ignores the
        // request.
        [_, request_id, wanted, ..] => Ok(NodeId::from_wire(wanted)
            .map_or(Body::User, |wanted| Body::Request { request_id: request_id.clone(), wanted })),
        _ => Err("request of too few packets"),
    }
}

fn read_response(packets: &[Packet]) -> Result<Body, &'static str> {
    let [_, request_id, entry, ..] = packets else { return Err("response of too few packets") };
    let entry = peers::read_entry(entry).ok_or("response is not an address and an id")?;
    Ok(Body::Response { request_id: request_id.clone(), entry })
}
