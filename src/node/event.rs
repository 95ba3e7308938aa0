//! Everything that can happen to a node, and everything that it can ask for. Read this first.

use std::net::SocketAddr;
use std::sync::Arc;

use super::attempts::Failure;
use super::reach::{Scope, Way};
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::link::judge::Turn;
use crate::secret::Nonce;
use crate::wire::{Body, Draft, Envelope, Frame, HostPort, Malformed, Method, Pacing};

/// One wire. The node numbers them, see [`super::Node::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LinkId(pub u64);

/// A reply that waits for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TicketId(pub u64);

/// A user's `connect` that waits for its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectId(pub u64);

/// What happens to a node. What its user asks of it are the methods in `commands.rs`.
#[derive(Debug)]
pub(crate) enum Event {
    /// A name that is being dialled has these addresses, which are tried now.
    Resolved { link: LinkId, name: HostPort, addrs: Vec<HostPort> },
    /// One of the addresses of a dial came to nothing.
    Unreached { link: LinkId, addr: HostPort, cause: Cause },
    /// The two ends of a link are known. Comes before [`Event::Secured`] and [`Event::Opened`].
    Placed { link: LinkId, way: Way },
    /// A link is encrypted. Comes before [`Event::Opened`].
    Secured { link: LinkId, channel: Channel },
    /// A link is up, TLS included: frames can go both ways.
    Opened { link: LinkId },
    /// A message arrived, its id verified. A link's messages come in their order.
    Received { link: LinkId, envelope: Box<Envelope> },
    /// A frame arrived that is no message.
    Malformed { link: LinkId, why: Malformed },
    /// The peer has stopped writing: nothing more will arrive.
    HungUp { link: LinkId },
    /// The link is gone, or a dial came to nothing. Messages that it read may still follow.
    Lost { link: LinkId, cause: Cause },
    /// The last message that a lost link read has been handed in.
    Finished { link: LinkId },
    /// A link has a word about the pace for its peer.
    Pace { link: LinkId, word: Pacing },
    /// A link no longer waits for its peer, or does so again.
    Turned { link: LinkId, turn: Turn },
    /// Nothing but time has passed.
    Tick,
}

/// One frame that a link has read.
pub(crate) type Item = Result<Box<Envelope>, Malformed>;

/// Whether the node can take it from the link's own thread: a message between neighbours, which
/// neither the handlers nor the queue ever see. So it never waits behind a slow handler. A routed
/// reply is none: it is delivered or relayed, with the backpressure that this needs.
pub(crate) fn is_control(item: &Item) -> bool {
    let Ok(envelope) = item else { return false };
    !envelope.main.is_relayed() && !matches!(envelope.body, Body::User | Body::RoutedReply(_))
}

impl Event {
    /// The event that a link has read this.
    pub fn read(link: LinkId, item: Item) -> Self {
        match item {
            Ok(envelope) => Event::Received { link, envelope },
            Err(why) => Event::Malformed { link, why },
        }
    }
}

/// What a node asks for. Actions are carried out in their order.
#[derive(Debug)]
pub(crate) enum Action {
    /// Make a link to one of the addresses of a target, without those that were tried.
    Dial { link: LinkId, target: Target, skip: Vec<SocketAddr> },
    /// Write this to a link, after what was put there before.
    Send { link: LinkId, parcel: Parcel },
    /// The handshake is done: from now on the link's messages are handed in by the daemon.
    Establish { link: LinkId, settings: LinkSettings },
    /// The peer wants to be spoken to in another way.
    Renegotiate { link: LinkId, settings: LinkSettings },
    /// The peer could not read the last message: say it again, as it was, uncompressed.
    Resend { link: LinkId },
    /// The peer has a word about the pace of this link.
    Pace { link: LinkId, word: Pacing },
    /// Close a link at once; what is queued on it is lost and counted.
    Close { link: LinkId, cause: Cause },
    /// Close a link by draining: what is queued on it moves to the heir, then stop writing and
    /// read to the end, so that nothing in flight is lost.
    Retire { link: LinkId, heir: LinkId },
    /// Hand a message to the handlers, then to the queue.
    Deliver { envelope: Box<Envelope>, from: Arc<Neighbour> },
    /// Tell the user.
    Report(MeshEvent),
    /// A `connect` has its outcome.
    Connected { connect: ConnectId, outcome: Result<NodeId, Failure> },
    /// A reply has its outcome: whether it was sent.
    Settled { ticket: TicketId, sent: bool },
}

/// What a proof of the secret is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// `tls_server_end_point`: equal at both ends, unless somebody sits in between.
    pub end_point: Vec<u8>,
    /// Fresh, and nobody can foresee it. The node's own chance is not for secrets.
    pub nonce: Nonce,
}

/// Where to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// What the user asked for; names are looked up at each dial.
    Asked(Vec<HostPort>),
    /// What a peer told us: to be resolved, and dialled only if the addresses make sense, given
    /// where that peer is.
    Told(HostPort, Scope),
}

impl Target {
    /// Whether the user asked for it by more than one fixed number.
    pub fn is_movable(&self) -> bool {
        match self {
            Target::Asked(hosts) => hosts.len() > 1 || hosts.iter().any(HostPort::is_name),
            Target::Told(..) => false,
        }
    }

    pub fn hosts(&self) -> &[HostPort] {
        match self {
            Target::Asked(hosts) => hosts,
            Target::Told(host, _) => std::slice::from_ref(host),
        }
    }
}

/// Something to write.
#[derive(Clone, Debug)]
pub(crate) enum Parcel {
    /// A message of ours, encoded once for all peers.
    Own(Frame),
    /// Somebody else's message, as it came in.
    Relay(Frame),
    /// A message between neighbours; encoded and hashed by the link's own thread.
    Control(Draft),
}

impl Parcel {
    /// Whether it means the same on another link to the same peer. What neighbours say to each
    /// other, handshakes for one, belongs to its link.
    pub fn is_for_any_link(&self) -> bool {
        match self {
            Parcel::Own(_) | Parcel::Relay(_) => true,
            Parcel::Control(draft) => draft.main.is_relayed(),
        }
    }
}

/// How the two ends of a link talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkSettings {
    pub peer: NodeId,
    /// Whether the peer said hello: rs2p, not py2p.
    pub is_rs2p: bool,
    /// Whether it says how fast it takes what it is sent, and wants to be told.
    pub tells_pace: bool,
    /// How its frames may be compressed, in its order.
    pub receive: Vec<Method>,
    /// How ours are.
    pub send: Option<Method>,
}

/// The peer that a message came from, which need not be its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub id: NodeId,
    pub addr: Option<HostPort>,
    pub is_outgoing: bool,
}
