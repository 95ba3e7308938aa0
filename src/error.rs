//! What can go wrong, and what to do about it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{error, fmt, io};

use crate::events::Cause;
use crate::id::NodeId;
use crate::options::Kind;
use crate::protocol::Encryption;

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
    /// A host name has no address, or cannot be looked up.
    Resolve {
        /// The system's own words.
        source: io::Error,
    },
    /// No address was given, or the name has none.
    NoAddress,
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

impl Error {
    /// What became of a `connect` to this address.
    pub(crate) fn from_connect(addr: SocketAddr, ours: &str, cause: Cause) -> Self {
        match cause {
            Cause::Refused => Error::Refused { addr },
            Cause::TimedOut => Error::ConnectTimedOut { addr },
            Cause::WrongSubnet { theirs } => Error::WrongSubnet { ours: ours.to_string(), theirs },
            Cause::OwnAddress => Error::OwnAddress { addr },
            Cause::NotPy2p => Error::NotPy2p { addr },
            Cause::WrongEncryption { theirs } => Error::WrongEncryption { addr, theirs },
            Cause::Tls(source) => Error::Tls { addr, source },
            Cause::Untrusted(source) => Error::Untrusted { addr, source },
            Cause::WrongFingerprint { theirs } => Error::WrongFingerprint { addr, theirs },
            Cause::WrongSecret => Error::WrongSecret { addr },
            Cause::TooManyLinks => Error::TooManyLinks,
            Cause::Closed => Error::Closed,
            cause => Error::Connect { addr, cause },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Bind { addr, source } => write!(
                f,
                "cannot bind {addr}: {source}; choose another port, or 0 for any free one"
            ),
            Error::Resolve { source } => write!(f, "cannot look up the address: {source}"),
            Error::NoAddress => f.write_str("no address was given, or the name has none"),
            Error::Refused { addr } => {
                write!(f, "nobody listens at {addr}: is the other node running?")
            }
            Error::ConnectTimedOut { addr } => write!(
                f,
                "no answer from {addr} in time: is it reachable, does it use the same encryption?"
            ),
            Error::WrongSubnet { ours, theirs } => write!(
                f,
                "the peer belongs to another mesh: our protocol id is {ours}, its is {theirs}; \
                 both ends need the same `Protocol`"
            ),
            Error::OwnAddress { addr } => {
                write!(f, "{addr} is this socket's own address; connect to another node's")
            }
            Error::NotPy2p { addr } => write!(
                f,
                "what answers at {addr} is no py2p or rs2p node; check the port and the encryption"
            ),
            Error::WrongEncryption { addr, theirs } => write!(
                f,
                "the encryption at {addr} is another one than ours: {theirs}; both ends need the \
                 same `Protocol`"
            ),
            Error::Tls { addr, source } => write!(f, "TLS with {addr} failed: {source}"),
            Error::Untrusted { addr, source } => write!(
                f,
                "the certificate of {addr} is not trusted: {source}; is it signed by one of the \
                 trusted roots?"
            ),
            Error::WrongFingerprint { addr, theirs } => write!(
                f,
                "the certificate of {addr} is none of the pinned ones: its SHA-256 fingerprint is \
                 {theirs}"
            ),
            Error::WrongSecret { addr } => write!(
                f,
                "the node at {addr} and this one do not share the secret of the mesh, or somebody \
                 sits in between; both ends need the same secret"
            ),
            Error::Connect { addr, cause } => write!(f, "cannot connect to {addr}: {cause}"),
            Error::TooManyLinks => f.write_str(
                "the socket has as many links as it may have; raise `max_links` in the builder",
            ),
            Error::TlsNotCompiled => f.write_str(
                "this build has no encryption; enable the feature `native-tls` of rs2p",
            ),
            Error::TlsSettings { what, source } => {
                write!(f, "{what} cannot be used for TLS: {source}")
            }
            Error::SecretWithoutTls => f.write_str(
                "a secret protects nothing without encryption; use `Encryption::Ssl` with it",
            ),
            Error::SecretTooShort { len, min } => write!(
                f,
                "a secret of {len} bytes can be guessed; take {min} or more, best 16 random ones"
            ),
            Error::Closed => f.write_str("the socket is closed"),
            Error::TooLarge { len, max } => write!(
                f,
                "the message would be a frame of {len} bytes, the limit is {max}; split it, or raise \
                 `max_frame` in the builder of every node"
            ),
            Error::TooManyPackets { count, max } => write!(
                f,
                "the message has {count} packets, the limit is {max}; join some of them"
            ),
            Error::Repeated => f.write_str(
                "too many equal messages: no second is free to date this one with; put something \
                 unique into it",
            ),
            Error::Full { peer } => write!(
                f,
                "too much waits to be written to peer {peer}; nothing was sent, try again later"
            ),
            Error::TooManyRequests => {
                f.write_str("too many messages wait for a route; try again later")
            }
            Error::UnknownPeer { id } => write!(f, "{id} is not a direct peer"),
            Error::NoRoute => f.write_str("no route to that node was found"),
            Error::TimedOut => f.write_str("timed out"),
            Error::ReservedKind { kind } => write!(
                f,
                "only the protocol sends messages of kind {kind:?}; choose a kind of your own"
            ),
            Error::ReservedFlag => f.write_str("only the protocol sends messages with this flag"),
            Error::WouldDeadlock => f.write_str(
                "waiting inside a handler would wait for the handler itself; use another thread, or \
                 a call that does not wait",
            ),
            Error::InvalidId => f.write_str("not an id"),
            Error::Io(error) => write!(f, "{error}"),
        }
    }
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
            Error::ConnectTimedOut { .. } | Error::TimedOut => io::ErrorKind::TimedOut,
            Error::Closed => io::ErrorKind::NotConnected,
            Error::WouldDeadlock | Error::Full { .. } => io::ErrorKind::WouldBlock,
            Error::InvalidId
            | Error::TooLarge { .. }
            | Error::TlsSettings { .. }
            | Error::SecretWithoutTls
            | Error::SecretTooShort { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

macro_rules! receive_errors {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $error:ident,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $name { $($(#[$variant_doc])* $variant,)+ }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    Error::from(*self).fmt(f)
                }
            }

            impl error::Error for $name {}

            impl From<$name> for Error {
                fn from(error: $name) -> Self {
                    match error { $($name::$variant => Error::$error,)+ }
                }
            }
        )+
    };
}

receive_errors! {
    /// Why `recv` gave no message.
    RecvError {
        /// The socket is closed and everything was handed out.
        Closed = Closed,
        /// Called inside a handler, which the message would have to pass first.
        WouldDeadlock = WouldDeadlock,
    }

    /// Why `recv_timeout` gave no message.
    RecvTimeoutError {
        /// None came in time.
        Timeout = TimedOut,
        /// The socket is closed and everything was handed out.
        Closed = Closed,
        /// Called inside a handler, which the message would have to pass first.
        WouldDeadlock = WouldDeadlock,
    }

    /// Why `try_recv` gave no message.
    TryRecvError {
        /// None is waiting.
        Empty = TimedOut,
        /// The socket is closed and everything was handed out.
        Closed = Closed,
    }
}
