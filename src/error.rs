//! What can go wrong, and what to do about it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{error, io};

use crate::events::Cause;
use crate::id::NodeId;
use crate::options::Kind;
use crate::protocol::Encryption;

mod connect;
mod display;
mod receive;
mod send;

pub use connect::Attempt;
pub use receive::{RecvError, RecvTimeoutError, TryRecvError};
pub use send::SendError;

/// The result of calls that fail with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. Every message says what happened and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be bound: it is taken, or not an address of this machine.
    Bind {
        /// Which.
        addr: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The `out_addr` of the builder is not an address that other nodes can dial.
    OutAddr {
        /// Its host, as written.
        host: String,
        /// What is wrong, and what to write.
        problem: &'static str,
    },
    /// A host name has no address, or cannot be looked up.
    Resolve {
        /// The error of the system.
        source: io::Error,
    },
    /// No address was given, or the name has none.
    NoAddress,
    /// The text is not an address: `host:port`, with an IPv6 address in brackets.
    InvalidAddress {
        /// The text.
        text: String,
    },
    /// No node answers at any of several addresses.
    NoneAnswers {
        /// Each address, with its own cause.
        attempts: Vec<Attempt>,
    },
    /// No program listens at the address.
    Refused {
        /// Where.
        addr: SocketAddr,
    },
    /// There was no answer, or no handshake, in time.
    ConnectTimedOut {
        /// Where.
        addr: SocketAddr,
    },
    /// The peer belongs to another mesh: another subnet, encryption or protocol version.
    WrongSubnet {
        /// Our protocol id.
        ours: String,
        /// The peer's.
        theirs: String,
        /// What differs, in words.
        difference: String,
    },
    /// The address is the socket's own.
    OwnAddress {
        /// Which.
        addr: SocketAddr,
    },
    /// The server at the address is not a py2p or rs2p node.
    NotPy2p {
        /// Where.
        addr: SocketAddr,
    },
    /// One end speaks TLS, and the other does not.
    WrongEncryption {
        /// Where.
        addr: SocketAddr,
        /// The encryption of the node there.
        theirs: Encryption,
    },
    /// TLS failed.
    Tls {
        /// Where.
        addr: SocketAddr,
        /// The error of the TLS library.
        source: Arc<dyn error::Error + Send + Sync>,
    },
    /// The certificate at the address is not covered by the trusted roots, or has expired.
    Untrusted {
        /// Where.
        addr: SocketAddr,
        /// The error of the TLS library.
        source: Arc<dyn error::Error + Send + Sync>,
    },
    /// The certificate at the address is not one of the pinned ones.
    WrongFingerprint {
        /// Where.
        addr: SocketAddr,
        /// The SHA-256 fingerprint of the certificate there, in hex.
        theirs: String,
    },
    /// The two ends have different mesh secrets, or the connection is being intercepted.
    WrongSecret {
        /// Where.
        addr: SocketAddr,
    },
    /// The link could not be made for another reason.
    Connect {
        /// The address.
        addr: SocketAddr,
        /// Why.
        cause: Cause,
    },
    /// The socket has reached its limit of links.
    TooManyLinks,
    /// Encryption was asked for, and this build has none.
    TlsNotCompiled,
    /// A certificate, a key or a trusted root cannot be used.
    TlsSettings {
        /// Which.
        what: &'static str,
        /// The error of the TLS library.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// A secret was given without encryption, and would protect nothing.
    SecretWithoutTls,
    /// The secret is so short that it can be guessed.
    SecretTooShort {
        /// Its length in bytes.
        len: usize,
        /// The least number of bytes.
        min: usize,
    },
    /// The socket is closed.
    Closed,
    /// This process was forked from the one that bound the socket, and has none of its threads.
    Forked,
    /// The message is larger than a frame may be.
    TooLarge {
        /// Its size in bytes, as a frame.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The message has more packets than a message may have.
    TooManyPackets {
        /// Packets, the kind included.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// Identical messages were sent so often that no date is left for this one.
    Repeated,
    /// The outbound queue to this peer is full. The message was sent to no peer.
    Full {
        /// Which peer.
        peer: NodeId,
    },
    /// Too many messages wait for a route.
    TooManyRequests,
    /// The node is not a direct peer.
    UnknownPeer {
        /// Which.
        id: NodeId,
    },
    /// No node knew the receiver, or it could not be reached.
    NoRoute,
    /// The timeout ended first.
    TimedOut,
    /// Only the protocol itself sends messages of this kind.
    ReservedKind {
        /// Which.
        kind: Kind,
    },
    /// Only the protocol itself sends messages with this flag.
    ReservedFlag,
    /// The call would wait for the thread that it runs on, which is one of the socket's own.
    WouldDeadlock,
    /// This text is not an id: base58 of at most 384 bits, without leading `1`.
    InvalidId,
    /// The operating system reported an error.
    Io(io::Error),
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Bind { source, .. } | Error::Resolve { source } | Error::Io(source) => {
                Some(source)
            }
            Error::Tls { source, .. } | Error::Untrusted { source, .. } => Some(&**source),
            Error::TlsSettings { source, .. } => Some(&**source),
            Error::Connect { cause, .. } => cause.source(),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Bind { source, .. } | Error::Resolve { source } | Error::Io(source) => {
                source.kind()
            }
            Error::Refused { .. } => io::ErrorKind::ConnectionRefused,
            Error::NoneAnswers { .. } => io::ErrorKind::ConnectionRefused,
            Error::ConnectTimedOut { .. } | Error::TimedOut => io::ErrorKind::TimedOut,
            Error::Closed | Error::Forked => io::ErrorKind::NotConnected,
            Error::WouldDeadlock | Error::Full { .. } => io::ErrorKind::WouldBlock,
            Error::InvalidId
            | Error::InvalidAddress { .. }
            | Error::OutAddr { .. }
            | Error::TooLarge { .. }
            | Error::TlsSettings { .. }
            | Error::SecretWithoutTls
            | Error::SecretTooShort { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
