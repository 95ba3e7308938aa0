//! What happened in the mesh, and why a link ended.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::id::NodeId;
use crate::protocol::Encryption;
use crate::stats::ReplyLoss;
use crate::trouble::Trouble;

/// Something that happened to this node. Read them from `MeshSocket::events`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MeshEvent {
    /// A peer is linked to us: what we send reaches it directly.
    Joined {
        /// Who.
        id: NodeId,
        /// The address that it announced, as `host:port`.
        addr: String,
        /// Whether we dialled.
        outgoing: bool,
    },
    /// A peer is no longer linked to us.
    Left {
        /// Who.
        id: NodeId,
        /// Why.
        cause: Cause,
    },
    /// A node answers at a seed: for the first time, or again after it was lost.
    SeedReached {
        /// The seed as it was given, as `host:port`; of several addresses the first.
        addr: String,
        /// Who answers there.
        id: NodeId,
    },
    /// The last link went away; the node is looking for the mesh again.
    Alone,
    /// Linked again after having been [`Alone`](MeshEvent::Alone).
    Healed,
    /// A dial in the background led nowhere.
    DialFailed {
        /// Where to, as `host:port`.
        addr: String,
        /// Why.
        cause: Cause,
    },
    /// Somebody connected and was turned away, or never finished its handshake. Who says nothing
    /// at all, as a health check does, is only counted in
    /// [`Stats::silent`](crate::Stats::silent).
    TurnedAway {
        /// Where it connected from, as `host:port`.
        addr: String,
        /// Why.
        cause: Cause,
    },
    /// A message to a node that is no peer was taken by it, or, if that is a py2p, written to a link
    /// to it.
    ReplySent {
        /// To whom.
        to: NodeId,
    },
    /// A message to a node that is no peer was given up.
    ReplyFailed {
        /// To whom.
        to: NodeId,
        /// Why.
        why: ReplyLoss,
    },
    /// Messages were dropped because nobody received them.
    Lagged {
        /// How many since the last such event.
        dropped: u64,
    },
    /// A peer's clock and ours differ; broadcasts older than 60 s are dropped everywhere.
    ClockSkew {
        /// Whose clock.
        id: NodeId,
        /// By how much.
        by: Duration,
    },
    /// The address that others are told to dial has changed, or there is one again.
    OutAddr {
        /// The new one, as `host:port`.
        addr: String,
    },
    /// Something is wrong with this node from now on.
    TroubleBegan(Trouble),
    /// It is over.
    TroubleEnded(Trouble),
    /// A handler panicked; the message went on to the next one.
    HandlerPanicked {
        /// What it said.
        message: String,
    },
}

/// Why a link ended, or never came to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The peer closed it.
    PeerClosed,
    /// The operating system reported an error.
    Io(Arc<io::Error>),
    /// Nobody listens there.
    Refused,
    /// The host name has no address.
    Unresolved(Arc<io::Error>),
    /// No answer, or no handshake, in time.
    TimedOut,
    /// The peer belongs to another mesh: another subnet, encryption or protocol version.
    WrongSubnet {
        /// Its protocol id.
        theirs: String,
        /// What differs, in words.
        difference: String,
    },
    /// The address is our own.
    OwnAddress,
    /// What answers there does not speak the protocol.
    NotPy2p,
    /// One end speaks TLS, and the other does not.
    WrongEncryption {
        /// What the peer speaks.
        theirs: Encryption,
    },
    /// TLS failed, in the words of the TLS library.
    Tls(Arc<dyn std::error::Error + Send + Sync>),
    /// The certificate of the node that we dialled is not covered by the trusted roots, or has
    /// expired; in the words of the TLS library.
    Untrusted(Arc<dyn std::error::Error + Send + Sync>),
    /// The certificate of the node that we dialled is none of the pinned ones.
    WrongFingerprint {
        /// The SHA-256 fingerprint of its certificate, in hex.
        theirs: String,
    },
    /// The peer does not know the secret of the mesh, says that we do not, or somebody sits in
    /// between.
    WrongSecret,
    /// Another link to the same peer stays.
    Duplicate,
    /// `disconnect` was called.
    Disconnected,
    /// The socket was closed.
    Closed,
    /// The peer broke the protocol.
    Malformed(&'static str),
    /// The peer announced a frame above the limit.
    TooLarge {
        /// Bytes announced.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The peer began a frame and did not finish it in time.
    UnfinishedFrame,
    /// The peer took too few bytes in too long a time.
    Stalled,
    /// More waited to be written to the peer than the limit allows.
    Overflow,
    /// There are as many links as allowed.
    TooManyLinks,
    /// Too many others were shaking hands at the same time.
    Crowded,
    /// It said nothing, or did not go on with its handshake, and a newer connection took its place.
    Evicted,
    /// It ended before it had said anything.
    Silent,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::PeerClosed => f.write_str("the peer closed the connection"),
            Cause::Io(error) => write!(f, "{error}"),
            Cause::Refused => f.write_str("connection refused"),
            Cause::Unresolved(error) => write!(f, "the name cannot be resolved: {error}"),
            Cause::TimedOut => f.write_str("timed out"),
            Cause::WrongSubnet { difference, .. } => {
                write!(f, "the peer belongs to another mesh: {difference}")
            }
            Cause::OwnAddress => f.write_str("the address is our own"),
            Cause::NotPy2p => f.write_str("not a py2p or rs2p node"),
            Cause::WrongEncryption { theirs } => {
                write!(f, "the peer's encryption is another one: {theirs}")
            }
            Cause::Tls(error) => write!(f, "TLS: {error}"),
            Cause::Untrusted(error) => write!(f, "the peer's certificate is not trusted: {error}"),
            Cause::WrongFingerprint { theirs } => {
                write!(f, "the peer's certificate is not pinned: its fingerprint is {theirs}")
            }
            Cause::WrongSecret => f.write_str(
                "the two ends do not share the secret of the mesh, or somebody sits in between",
            ),
            Cause::Duplicate => f.write_str("another link to the same peer stays"),
            Cause::Disconnected => f.write_str("disconnected by this node"),
            Cause::Closed => f.write_str("this socket was closed"),
            Cause::Malformed(what) => write!(f, "the peer broke the protocol: {what}"),
            Cause::TooLarge { len, max } => {
                write!(f, "the peer announced a frame of {len} bytes, over the limit of {max}")
            }
            Cause::UnfinishedFrame => f.write_str("the peer did not finish a frame in time"),
            Cause::Stalled => f.write_str("the peer took too few bytes in too long a time"),
            Cause::Overflow => f.write_str("too much waited to be written to the peer"),
            Cause::TooManyLinks => f.write_str("too many links"),
            Cause::Crowded => f.write_str("too many newcomers at once"),
            Cause::Evicted => f.write_str("made room for a newer connection"),
            Cause::Silent => f.write_str("it ended before it had said anything"),
        }
    }
}

impl Cause {
    /// The error of the operating system or of the TLS library behind it.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Cause::Io(error) | Cause::Unresolved(error) => Some(&**error),
            Cause::Tls(error) | Cause::Untrusted(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Cause::Refused,
            io::ErrorKind::TimedOut => Cause::TimedOut,
            io::ErrorKind::UnexpectedEof => Cause::PeerClosed,
            _ => Cause::Io(Arc::new(error)),
        }
    }
}
