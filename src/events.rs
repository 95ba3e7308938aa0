//! What happened in the mesh.

use std::time::Duration;

use crate::cause::Cause;
use crate::id::NodeId;
use crate::presence::{Absence, Member};
use crate::stats::{Refusal, ReplyLoss};
use crate::trouble::Trouble;

/// Something that happened to this node. Read them from `MeshSocket::events`. Later versions may add variants and
/// fields: patterns end with `..`.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
/// use rs2p::MeshEvent;
///
/// bob.connect(alice.local_addr())?;
/// for event in alice.events().try_iter() {
///     match event {
///         MeshEvent::Joined { id, addr, .. } => println!("{id} joined from {addr}"),
///         MeshEvent::Left { id, cause, .. } => println!("{id} left: {cause}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MeshEvent {
    /// A peer is linked to us: what we send reaches it directly.
    #[non_exhaustive]
    Joined {
        /// Who.
        id: NodeId,
        /// The address that it announced, as `host:port`.
        addr: String,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
        /// Whether we dialled.
        outgoing: bool,
    },
    /// A peer is no longer linked to us.
    #[non_exhaustive]
    Left {
        /// Who.
        id: NodeId,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
        /// Why.
        cause: Cause,
    },
    /// A node answers at a seed: for the first time, or again after it was lost.
    #[non_exhaustive]
    SeedReached {
        /// The seed as it was given, as `host:port`; of several addresses the first.
        addr: String,
        /// Who answers there.
        id: NodeId,
    },
    /// A node of the mesh has announced itself, see [`presence`](crate::presence). Members can announce nodes that
    /// do not exist. So such events, and those of members that left, never push out what peers did: when
    /// [`max_events`](crate::Builder::max_events) wait, they are dropped first.
    /// [`MeshSocket::members`](crate::MeshSocket::members) knows all.
    MemberJoined(Member),
    /// A node that had announced itself is gone.
    #[non_exhaustive]
    MemberLeft {
        /// The node.
        id: NodeId,
        /// How it left.
        why: Absence,
    },
    /// The last link went away; the node is looking for the mesh again.
    Alone,
    /// Linked again after having been [`Alone`](MeshEvent::Alone).
    Healed,
    /// A dial in the background led nowhere.
    #[non_exhaustive]
    DialFailed {
        /// Where to, as `host:port`.
        addr: String,
        /// Why.
        cause: Cause,
    },
    /// Somebody connected and was turned away, or never finished its handshake. Who says nothing
    /// at all, as a health check does, is only counted in
    /// [`Stats::silent`](crate::Stats::silent).
    #[non_exhaustive]
    TurnedAway {
        /// Where it connected from, as `host:port`.
        addr: String,
        /// Why.
        cause: Cause,
        /// How many others were turned away since the last such event and have none of their own: at most 64
        /// at once have one, and then four a second.
        others: u64,
    },
    /// A message to a node that is no peer was taken by it, or, if that is a py2p, written to a link
    /// to it.
    #[non_exhaustive]
    ReplySent {
        /// To whom.
        to: NodeId,
    },
    /// A message to a node that is no peer was given up.
    #[non_exhaustive]
    ReplyFailed {
        /// To whom.
        to: NodeId,
        /// Why.
        why: ReplyLoss,
    },
    /// Messages were dropped because nobody received them.
    #[non_exhaustive]
    Lagged {
        /// How many since the last such event.
        dropped: u64,
    },
    /// A peer sends frames that no honest rs2p sends, 32 or more, and they are refused. A py2p may pass on those of
    /// others. Told once a minute for each link; [`PeerStats`](crate::report::PeerStats) has all numbers.
    #[non_exhaustive]
    Refused {
        /// The peer.
        id: NodeId,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
        /// Why the latest one was refused.
        reason: Refusal,
        /// How many since the last such event.
        refused: u64,
    },
    /// A peer takes less than [`Builder::pace_floor_bytes`](crate::Builder::pace_floor_bytes). Senders no longer
    /// wait for it, and it misses what has no room.
    #[non_exhaustive]
    LeftBehind {
        /// The peer.
        id: NodeId,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
    },
    /// A peer that was left behind has caught up. Senders wait for it again.
    #[non_exhaustive]
    CaughtUp {
        /// The peer.
        id: NodeId,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
        /// How many messages it missed on its link with this node.
        missed: u64,
    },
    /// This program takes messages too slowly for a peer: this node misses what has no room there.
    #[non_exhaustive]
    FellBehind {
        /// The peer that no longer waits for this node.
        id: NodeId,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
    },
    /// A peer that no longer waited for this node waits for it again.
    #[non_exhaustive]
    KeepsUp {
        /// The peer.
        id: NodeId,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
        /// How many messages this node missed on the link. Some may have come over other links.
        missed: u64,
    },
    /// A peer's clock and ours differ; broadcasts older than 60 s are dropped everywhere.
    #[non_exhaustive]
    ClockSkew {
        /// Whose clock.
        id: NodeId,
        /// The address at the other end of the connection, as `host:port`.
        remote: String,
        /// By how much.
        by: Duration,
    },
    /// The address that others are told to dial has changed, or there is one again.
    #[non_exhaustive]
    OutAddr {
        /// The new one, as `host:port`.
        addr: String,
    },
    /// Something is wrong with this node from now on.
    TroubleBegan(Trouble),
    /// It is over.
    TroubleEnded(Trouble),
    /// A handler panicked; the message went on to the next one.
    #[non_exhaustive]
    HandlerPanicked {
        /// What it said.
        message: String,
    },
}
