//! All events that a node handles and all actions that it asks for. Read this file first.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dialable::{Scope, Way};
use crate::cause::Cause;
use crate::error::Failure;
use crate::events::MeshEvent;
use crate::id::{MessageId, NodeId};
use crate::secret::Nonce;
use crate::wire::{Body, Draft, Envelope, Frame, HostPort, Lazy, Malformed, Method, Pacing, Total};

/// The number of one link. The node gives it, see [`super::Node::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LinkId(pub u64);

/// A reply that waits for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TicketId(pub u64);

/// A user's `connect` that waits for its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectId(pub u64);

/// What happens to a node. What its user asks for is in `commands.rs`, as methods.
#[derive(Debug)]
pub(crate) enum Event {
    /// A name that is being dialled was looked up: these are its addresses.
    Resolved { link: LinkId, name: HostPort, addrs: Vec<HostPort> },
    /// One of the addresses of a dial failed.
    Unreached { link: LinkId, addr: HostPort, cause: Cause },
    /// The two ends of a link are known. Comes before [`Event::Secured`] and [`Event::Opened`].
    Placed { link: LinkId, way: Way },
    /// A link is encrypted. Comes before [`Event::Opened`].
    Secured { link: LinkId, channel: Channel },
    /// A link is up, TLS included: frames can go both ways.
    Opened { link: LinkId },
    /// A message arrived, and its id was verified. The messages of a link come in order.
    Received { link: LinkId, envelope: Box<Envelope> },
    /// A frame arrived that is not a message.
    Malformed { link: LinkId, why: Malformed },
    /// The peer has stopped writing: nothing more will arrive.
    HungUp { link: LinkId },
    /// The link is lost, or its dial failed. Messages that it read before may still follow.
    Lost { link: LinkId, cause: Cause },
    /// The last message that a lost link read has been handed in.
    Finished { link: LinkId },
    /// A link has a statement about the pace for its peer.
    Pace { link: LinkId, word: Pacing },
    /// A link no longer waits for its peer, or does so again.
    PaceChanged { link: LinkId, change: PaceChange },
    /// A link keeps the memory of messages that arrive short, and holds most of it.
    Greedy { link: LinkId },
    /// Time has passed, and nothing else happened.
    Tick,
}

/// One frame that a link has read.
pub(crate) type Item = Result<Box<Envelope>, Malformed>;

/// Returns whether the link's own thread hands this to the node: a message between neighbours,
/// which is not delivered to handlers or queue, so it never waits behind a slow handler. A routed
/// reply is delivered or relayed, with backpressure, so it is not one; nor is an answer to a peer.
pub(crate) fn is_control(item: &Item) -> bool {
    let Ok(envelope) = item else { return false };
    let is_delivered = matches!(envelope.body, Body::User | Body::RoutedReply(_) | Body::Direct(_));
    !envelope.main.is_relayed() && !is_delivered
}

impl Event {
    /// Returns the event that a link has read this.
    pub fn read(link: LinkId, item: Item) -> Self {
        match item {
            Ok(envelope) => Event::Received { link, envelope },
            Err(why) => Event::Malformed { link, why },
        }
    }
}

/// What a node asks for. Actions are carried out in order.
#[derive(Debug)]
pub(crate) enum Action {
    /// Dial the addresses of a target, except those that were tried before.
    Dial { link: LinkId, target: Target, skip: Vec<SocketAddr> },
    /// Put this into the outbound queue of a link.
    Send { link: LinkId, parcel: Parcel },
    /// Put a message that the peer asked for into the outbound queue of a link, if it has room there, and
    /// say whether it had: [`super::Node::answered`].
    Answer { link: LinkId, id: MessageId, parcel: Parcel },
    /// The handshake is done: from now on the daemon hands in the messages of the link.
    Establish { link: LinkId, settings: LinkSettings },
    /// The settings of the link have changed.
    Renegotiate { link: LinkId, settings: LinkSettings },
    /// The peer could not read the last message: send it again, uncompressed.
    Resend { link: LinkId },
    /// The peer has made a statement about the pace of this link.
    Pace { link: LinkId, word: Pacing },
    /// Wait for the peer of a link no longer: all that may be waited for strangers is spent. Keep at most so many
    /// bytes for it.
    StopWaiting { link: LinkId, room: usize },
    /// Give large frames that wait for a peer no time of their own until then: strangers have used it up.
    DenySlack { link: LinkId, until: Duration },
    /// Close a link at once; what is queued on it is lost and counted.
    Close { link: LinkId, cause: Cause },
    /// Close a link by draining: move its outbound queue to the heir, stop writing, and read to the
    /// end, so that nothing in flight is lost.
    Retire { link: LinkId, heir: LinkId },
    /// Close a link by draining: write what is queued, stop writing, and read to the end.
    Part { link: LinkId },
    /// Hand a message to the handlers, then to the queue.
    Deliver { envelope: Box<Envelope>, from: Arc<Neighbour> },
    /// Tell the user.
    Report(MeshEvent),
    /// A `connect` has ended.
    Connected { connect: ConnectId, outcome: Result<NodeId, Failure> },
    /// A reply was sent, or was given up.
    Settled { ticket: TicketId, sent: bool },
}

/// What a proof of the secret is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// `tls_server_end_point`: equal at both ends, unless the connection is intercepted.
    pub end_point: Vec<u8>,
    /// Fresh and unpredictable, from the system: the generator of the node is not for secrets.
    pub nonce: Nonce,
}

/// Where to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Addresses that the user gave; names are looked up at each dial.
    Asked(Vec<HostPort>),
    /// An address that a peer told. It is dialled only if it makes sense for the scope of that
    /// peer.
    Told(HostPort, Scope),
}

impl Target {
    /// Returns whether another address may be dialled next time: the user gave a name, or several
    /// addresses.
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
    /// A message of this node, encoded once for all peers.
    Own(Frame),
    /// A message of another node, as it was received, and the link that it came over.
    Relay(Frame, LinkId),
    /// A control message; the link's own thread hashes and encodes it.
    Control(Draft),
    /// Names of messages that this node sends on demand. Encoded like a control message; waits behind
    /// messages, and is missed like them by a peer that is left behind.
    Announce(Draft),
    /// The answer to a request. It is dropped if the peer does not take what it was sent before.
    Answer(Draft),
}

impl Parcel {
    /// Returns whether it may be sent on another link to the same peer. Control messages, such as
    /// handshakes, belong to their link.
    pub fn is_for_any_link(&self) -> bool {
        match self {
            Parcel::Own(_) | Parcel::Relay(..) | Parcel::Announce(_) => true,
            Parcel::Answer(draft) => draft.main.is_relayed(),
            Parcel::Control(draft) => draft.main.is_relayed() || Lazy::is_word(&draft.packets),
        }
    }
}

/// How the two ends of a link encode their frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkSettings {
    pub peer: NodeId,
    /// Whether the peer is an rs2p node, as its hello shows.
    pub is_rs2p: bool,
    /// Whether the peer exchanges statements about the pace.
    pub tells_pace: bool,
    /// Whether messages are kept back: it is not decided yet whether this link speaks for its peer.
    pub is_held: bool,
    /// How the frames of the peer may be compressed, in its order of preference.
    pub receive: Vec<Method>,
    /// How our frames are compressed.
    pub send: Option<Method>,
}

/// The peer that a message came from, which need not be its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub id: NodeId,
    pub addr: Option<HostPort>,
    pub is_outgoing: bool,
    /// Whether it says which message an answer answers.
    pub passes_replies: bool,
}

/// A change of whether a peer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaceChange {
    /// The peer is left behind: messages that have no room do not go to it.
    LeftBehind,
    /// The peer is still left behind, and has missed this much so far.
    Misses { missed: Total },
    /// The peer is waited for again, after it has missed this much.
    CaughtUp { missed: Total },
    /// Senders have waited this much longer for the peer, which takes less than the floor meanwhile.
    /// `is_trusted`: it has kept to the floor for twice as long.
    KeptWaiting { by: Duration, is_trusted: bool },
    /// The peer no longer keeps senders waiting, and has taken so much of what they waited for.
    Resumed { paid: Duration },
    /// The peer has kept to the floor, and is waited for from now on.
    Proven,
}
