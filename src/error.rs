//! What can go wrong, and what to do about it.

use std::net::SocketAddr;
use std::{error, io};

use crate::cause::Cause;
use crate::id::NodeId;
use crate::options::Kind;
use crate::peer_addr::PeerAddr;

mod connect;
mod display;
mod receive;
mod send;

pub use crate::cause::OtherMesh;
pub use connect::Attempt;
pub(crate) use connect::Failure;
pub use receive::{RecvError, RecvTimeoutError, TryRecvError};
pub use send::SendError;

/// The result of calls that fail with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. Every message says what happened and what to do.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::Error;
/// use std::time::Duration;
///
/// match sock.recv_timeout(Duration::from_millis(1)).map_err(Error::from) {
///     Ok(msg) => println!("{msg}"),
///     Err(Error::TimedOut) => println!("nothing yet"),
///     Err(error) => return Err(error),
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be bound: it is taken, or not an address of this machine.
    Bind {
        /// Which.
        addr: Box<SocketAddr>,
        /// The error of the system.
        source: io::Error,
    },
    /// The `out_addr` of the builder is not an address that other nodes can dial.
    OutAddr {
        /// Its host, as written.
        host: Box<String>,
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
    /// No link could be made to the node at an address.
    Connect {
        /// The address as it was written.
        addr: Box<PeerAddr>,
        /// Why.
        cause: Cause,
    },
    /// No node answers at any of several addresses.
    NoneAnswers {
        /// Each address, with its own cause.
        attempts: Vec<Attempt>,
    },
    /// Encryption was asked for, and this build has none.
    TlsNotCompiled,
    /// A certificate, a key or a trusted root cannot be used.
    TlsSettings {
        /// Which.
        what: &'static str,
        /// The error of the TLS library.
        source: io::Error,
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
    /// A name or a role of [`Presence`](crate::presence::Presence) is too long.
    NameTooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Identical messages were sent so often that no date is left for this one.
    Repeated,
    /// The outbound queue to this peer is full. The message was sent to no peer.
    Full {
        /// Which peer.
        peer: Box<NodeId>,
    },
    /// So many messages were sent lately that other nodes might not remember the ids of more. The message was
    /// sent to no peer. Try again later: it may take 5 s. See [`Builder::seen_ids`](crate::Builder::seen_ids).
    TooFast,
    /// Too many messages wait for a route.
    TooManyRequests,
    /// The node is not a direct peer.
    UnknownPeer {
        /// Which.
        id: Box<NodeId>,
    },
    /// No node knew the receiver, or it could not be reached.
    NoRoute,
    /// The timeout ended first.
    TimedOut,
    /// Only the protocol itself sends messages of this kind.
    ReservedKind {
        /// Which.
        kind: Box<Kind>,
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

impl Error {
    /// Returns what it is in the terms of the standard library.
    fn kind(&self) -> io::ErrorKind {
        match self {
            Error::Bind { source, .. } | Error::Resolve { source } | Error::Io(source) => {
                source.kind()
            }
            Error::Connect { cause, .. } => cause.kind(),
            Error::NoneAnswers { .. } => io::ErrorKind::ConnectionRefused,
            Error::TimedOut => io::ErrorKind::TimedOut,
            Error::Closed | Error::Forked => io::ErrorKind::NotConnected,
            Error::WouldDeadlock | Error::Full { .. } | Error::TooFast => io::ErrorKind::WouldBlock,
            Error::InvalidId
            | Error::InvalidAddress { .. }
            | Error::OutAddr { .. }
            | Error::TooLarge { .. }
            | Error::NameTooLong { .. }
            | Error::TlsSettings { .. }
            | Error::SecretWithoutTls
            | Error::SecretTooShort { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Bind { source, .. }
            | Error::Resolve { source }
            | Error::TlsSettings { source, .. }
            | Error::Io(source) => Some(source),
            Error::Connect { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::new(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn an_error_is_at_most_32_bytes() {
        assert!(size_of::<Cause>() <= 24, "a cause has {} bytes", size_of::<Cause>());
        assert!(size_of::<Error>() <= 32, "an error has {} bytes", size_of::<Error>());
    }

    #[test]
    fn a_failed_connect_names_the_address_the_cause_and_what_to_do() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let addr = Box::new(PeerAddr::from("127.0.0.1:1"));
        let error = Error::Connect { addr, cause: refused.into() };
        assert_eq!(
            error.to_string(),
            "cannot connect to 127.0.0.1:1: connection refused; check the address, and that the \
             other node runs"
        );
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn the_cause_of_a_failed_connect_and_what_is_behind_it_are_its_sources() {
        let denied = Arc::new(io::Error::from(io::ErrorKind::PermissionDenied));
        let addr = Box::new(PeerAddr::from("127.0.0.1:1"));
        let error = Error::Connect { addr, cause: Cause::Io(denied) };
        let cause = error::Error::source(&error).expect("the cause");
        assert!(matches!(cause.downcast_ref(), Some(Cause::Io(_))));
        let system = cause.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(system.expect("of the system").kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::PermissionDenied);
    }
}
