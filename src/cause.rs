//! Why a link ended, or never came to be.

use std::error::Error;
use std::sync::Arc;
use std::{fmt, io};

use crate::protocol::Encryption;

/// Why a link ended, or never came to be.
///
/// It prints as what happened; [`Cause::remedy`] says what to do.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::{Cause, Error};
///
/// match sock.connect("127.0.0.1:9") {
///     Err(Error::Connect { cause: Cause::Refused, .. }) => println!("nobody is there"),
///     Err(error) => return Err(error),
///     Ok(peer) => println!("linked to {}", peer.id()),
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The peer closed the connection.
    PeerClosed,
    /// The operating system reported an error.
    Io(Arc<io::Error>),
    /// No program listens at the address.
    Refused,
    /// The host name cannot be looked up, or has no address.
    Unresolved(Arc<io::Error>),
    /// There was no answer, or no handshake, in time.
    TimedOut,
    /// The peer belongs to another mesh: another subnet, encryption or protocol version.
    WrongSubnet(Arc<OtherMesh>),
    /// The address is this socket's own.
    OwnAddress,
    /// The server at the address is not a py2p or rs2p node.
    NotPy2p,
    /// One end speaks TLS, and the other does not.
    WrongEncryption {
        /// The encryption of the peer.
        theirs: Encryption,
    },
    /// TLS failed, with the error of the TLS library.
    Tls(Arc<dyn Error + Send + Sync>),
    /// The certificate of the node that was dialled is not covered by the trusted roots, or has
    /// expired, with the error of the TLS library.
    Untrusted(Arc<dyn Error + Send + Sync>),
    /// The certificate of the node that was dialled is not one of the pinned ones.
    WrongFingerprint {
        /// The SHA-256 fingerprint of its certificate, in hex.
        theirs: Arc<String>,
    },
    /// The two ends have different mesh secrets, or the connection is being intercepted.
    WrongSecret,
    /// Another link to the same peer stays.
    Duplicate,
    /// One end has exchanged this link for one to another node, because that makes the way through a large
    /// mesh shorter. Nothing is lost by it.
    Exchanged,
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
    /// The peer took no message, or showed no sign of life, for longer than
    /// [`Builder::stall_timeout`](crate::Builder::stall_timeout) or
    /// [`Builder::stall_timeout_py2p`](crate::Builder::stall_timeout_py2p) allows.
    Stalled,
    /// The outbound queue to the peer was over its limit.
    Overflow,
    /// The memory of messages that arrive was used up, and this link held most of it with a message that
    /// did not come to its end. See [`Builder::memory`](crate::Builder::memory).
    MemoryFull,
    /// The socket has reached its limit of links.
    TooManyLinks,
    /// Too many other connections were in their handshake at the same time.
    Crowded,
    /// The connection sent nothing, or did not go on with its handshake, and a newer connection took
    /// its place.
    Evicted,
    /// The connection ended before it sent anything.
    Silent,
}

/// The mesh of a peer that does not belong to ours.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::{Cause, Encryption, Error, Protocol};
///
/// let chat = MeshSocket::builder().protocol(Protocol::new("chat", Encryption::Plaintext));
/// let chat = chat.bind("127.0.0.1:0")?;
/// if let Err(Error::Connect { cause: Cause::WrongSubnet(other), .. }) = chat.connect(sock.local_addr()) {
///     assert_eq!(other.difference, r#"its subnet is "mesh", ours is "chat""#);
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OtherMesh {
    /// The protocol id of this node.
    pub ours: String,
    /// The protocol id of the peer.
    pub theirs: String,
    /// What differs, in words.
    pub difference: String,
}

impl fmt::Display for OtherMesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OtherMesh { ours, theirs, difference } = self;
        write!(f, "{difference} (its protocol id is {theirs}, ours is {ours})")
    }
}

impl Cause {
    /// Returns what to do about it, if anything can be done.
    ///
    /// ```
    /// use rs2p::Cause;
    ///
    /// assert_eq!(Cause::Refused.remedy(), Some("check the address, and that the other node runs"));
    /// ```
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        Some(match self {
            Cause::Refused => "check the address, and that the other node runs",
            Cause::Unresolved(_) => "check the name",
            Cause::TimedOut => "check that the node can be reached and uses the same encryption",
            Cause::WrongSubnet(_) | Cause::WrongEncryption { .. } => {
                "both ends need the same `Protocol`"
            }
            Cause::OwnAddress => "connect to the address of another node",
            Cause::NotPy2p => "check the port and the encryption",
            Cause::Untrusted(_) => "both ends need a certificate of the same trusted root",
            Cause::WrongFingerprint { .. } => "if it is the right certificate, pin it",
            Cause::WrongSecret => "both ends need the same secret",
            Cause::TooLarge { .. } => "raise `max_frame` in the builder of every node",
            Cause::TooManyLinks => "raise `max_links` in the builder",
            Cause::MemoryFull => "raise `memory` in the builder",
            _ => return None,
        })
    }

    /// Returns whether a later dial may succeed.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(
            self,
            Cause::WrongSubnet(_)
                | Cause::OwnAddress
                | Cause::NotPy2p
                | Cause::WrongEncryption { .. }
                | Cause::Tls(_)
                | Cause::Untrusted(_)
                | Cause::WrongFingerprint { .. }
                | Cause::WrongSecret
                | Cause::Closed
        )
    }

    /// Returns what it is in the terms of the standard library.
    pub(crate) fn kind(&self) -> io::ErrorKind {
        match self {
            Cause::Io(error) | Cause::Unresolved(error) => error.kind(),
            Cause::Refused => io::ErrorKind::ConnectionRefused,
            Cause::TimedOut => io::ErrorKind::TimedOut,
            Cause::PeerClosed => io::ErrorKind::ConnectionReset,
            Cause::OwnAddress => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::PeerClosed => f.write_str("the peer closed the connection"),
            Cause::Io(error) => write!(f, "{error}"),
            Cause::Refused => f.write_str("connection refused"),
            Cause::Unresolved(error) => write!(f, "the name cannot be looked up: {error}"),
            Cause::TimedOut => f.write_str("timed out"),
            Cause::WrongSubnet(mesh) => write!(f, "the peer belongs to another mesh: {mesh}"),
            Cause::OwnAddress => f.write_str("the address is this socket's own"),
            Cause::NotPy2p => f.write_str("the server there is not a py2p or rs2p node"),
            Cause::WrongEncryption { theirs } => {
                write!(f, "the peer uses different encryption ({theirs})")
            }
            Cause::Tls(error) => write!(f, "TLS failed: {error}"),
            Cause::Untrusted(error) => {
                write!(f, "the certificate of the peer is not trusted: {error}")
            }
            Cause::WrongFingerprint { theirs } => write!(
                f,
                "the certificate of the peer is not pinned: its SHA-256 fingerprint is {theirs}"
            ),
            Cause::WrongSecret => f.write_str(
                "the two ends have different mesh secrets, or the connection is being intercepted",
            ),
            Cause::Duplicate => f.write_str("another link to the same peer stays"),
            Cause::Exchanged => f.write_str("the link was exchanged for one to another node"),
            Cause::Disconnected => f.write_str("disconnected by this node"),
            Cause::Closed => f.write_str("this socket was closed"),
            Cause::Malformed(what) => write!(f, "the peer broke the protocol: {what}"),
            Cause::TooLarge { len, max } => {
                write!(f, "the peer announced a frame of {len} bytes, over the limit of {max}")
            }
            Cause::UnfinishedFrame => f.write_str("the peer did not finish a frame in time"),
            Cause::Stalled => {
                f.write_str("the peer took nothing, or showed no sign of life, for too long")
            }
            Cause::MemoryFull => f.write_str(
                "the memory of messages that arrive was full, and this link held most of it",
            ),
            Cause::Overflow => f.write_str("the outbound queue to the peer was over its limit"),
            Cause::TooManyLinks => f.write_str("this socket has reached its limit of links"),
            Cause::Crowded => f.write_str("too many connections in their handshake at once"),
            Cause::Evicted => f.write_str("a newer connection took its place"),
            Cause::Silent => f.write_str("the connection ended before it sent anything"),
        }
    }
}

impl Error for Cause {
    /// Returns the error of the operating system or of the TLS library.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
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
