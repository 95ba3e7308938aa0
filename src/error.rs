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

/// What fails, fails with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. Every message says what happened and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be bound: it is taken, or not ours.
    Bind {
        /// Which.
        addr: SocketAddr,
        /// The system's own words.
        source: io::Error,
    },
    /// The `out_addr` of the builder is none that others can dial.
    OutAddr {
        /// Its host, as written.
        host: String,
        /// What is wrong, and what to write.
        problem: &'static str,
    },
    /// A host name has no address, or cannot be looked up.
    Resolve {
        /// The system's own words.
        source: io::Error,
    },
    /// No address was given, or the name has none.
    NoAddress,
    /// This text is no address: `host:port`, with an IPv6 address in brackets.
    InvalidAddress {
        /// The text.
        text: String,
    },
    /// No node answers at any of several addresses.
    NoneAnswers {
        /// Each address, with its own cause.
        attempts: Vec<Attempt>,
    },
    /// Nobody listens at the address.
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
    },
    /// The address is the socket's own.
    OwnAddress {
        /// Which.
        addr: SocketAddr,
    },
    /// What answers at the address speaks something else.
    NotPy2p {
        /// Where.
        addr: SocketAddr,
    },
    /// One end speaks TLS, and the other does not.
    WrongEncryption {
        /// Where.
        addr: SocketAddr,
        /// What answers there.
        theirs: Encryption,
    },
    /// TLS failed.
    Tls {
        /// Where.
        addr: SocketAddr,
        /// The TLS library's own words.
        source: Arc<dyn error::Error + Send + Sync>,
    },
    /// The certificate at the address is not covered by the trusted roots, or has expired.
    Untrusted {
        /// Where.
        addr: SocketAddr,
        /// The TLS library's own words.
        source: Arc<dyn error::Error + Send + Sync>,
    },
    /// The certificate at the address is none of the pinned ones.
    WrongFingerprint {
        /// Where.
        addr: SocketAddr,
        /// The SHA-256 fingerprint of the certificate there, in hex.
        theirs: String,
    },
    /// The two ends do not share the secret of the mesh, or somebody sits in between.
    WrongSecret {
        /// Where.
        addr: SocketAddr,
    },
    /// The link could not be made, for another reason.
    Connect {
        /// Where to.
        addr: SocketAddr,
        /// Why.
        cause: Cause,
    },
    /// The socket has as many links as it may have.
    TooManyLinks,
    /// Encryption was asked for, and this build has none.
    TlsNotCompiled,
    /// A certificate, a key or a trusted root cannot be used.
    TlsSettings {
        /// Which.
        what: &'static str,
        /// The TLS library's own words.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// A secret was given, and no encryption: it would protect nothing.
    SecretWithoutTls,
    /// The secret is so short that it can be guessed.
    SecretTooShort {
        /// Its length in bytes.
        len: usize,
        /// The least that is taken.
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
    /// Equal messages were sent so often that no second is free to date this one with.
    Repeated,
    /// Too much waits to be written to this peer. Nothing was sent to anybody.
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
    /// Nobody knew the node, or it could not be reached.
    NoRoute,
    /// What was waited for did not happen in time.
    TimedOut,
    /// Only the protocol itself sends messages of this kind.
    ReservedKind {
        /// Which.
        kind: Kind,
    },
    /// Only the protocol itself sends messages with this flag.
    ReservedFlag,
    /// Waiting here, in one of the socket's own threads, would wait for this very thread.
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
