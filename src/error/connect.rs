//! What became of a `connect`.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::Error;
use crate::events::Cause;
use crate::node::Failure;
use crate::wire::HostPort;

/// An address at which no node was found, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The address as `host:port`; a name, if it could not be looked up.
    pub addr: String,
    /// Why.
    pub cause: Cause,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.addr, self.cause)
    }
}

impl Error {
    /// Returns why a `connect` failed; `ours` is our protocol id.
    pub(crate) fn from_failure(ours: &str, failure: Failure) -> Self {
        let Failure { cause, attempts } = failure;
        let own = attempts.iter().position(|(_, cause)| matches!(cause, Cause::OwnAddress));
        let refused = |(_, cause): &&(HostPort, Cause)| matches!(cause, Cause::Refused);
        match (own, attempts.len()) {
            (_, 0) => Error::without_address(cause),
            // Nobody else is there.
            (Some(own), len) if attempts.iter().filter(refused).count() + 1 == len => {
                let (addr, cause) = attempts[own].clone();
                Error::at(&addr, ours, cause)
            }
            (_, 1) => {
                let (addr, cause) = attempts[0].clone();
                Error::at(&addr, ours, cause)
            }
            _ => {
                let attempts = attempts.into_iter();
                let each =
                    |(addr, cause): (HostPort, Cause)| Attempt { addr: addr.to_string(), cause };
                Error::NoneAnswers { attempts: attempts.map(each).collect() }
            }
        }
    }

    /// Returns whether a later dial may succeed.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Error::Refused { .. }
                | Error::ConnectTimedOut { .. }
                | Error::Connect { .. }
                | Error::Resolve { .. }
                | Error::NoneAnswers { .. }
                | Error::NoAddress
                | Error::TooManyLinks
                | Error::TimedOut
        )
    }

    fn without_address(cause: Cause) -> Self {
        match cause {
            Cause::TooManyLinks => Error::TooManyLinks,
            Cause::Closed => Error::Closed,
            Cause::TimedOut => Error::TimedOut,
            Cause::Io(error) => Error::Io(io::Error::new(error.kind(), error)),
            _ => Error::NoAddress,
        }
    }

    fn at(addr: &HostPort, ours: &str, cause: Cause) -> Self {
        match (addr.to_socket_addr(), cause) {
            (Some(addr), cause) => Error::from_connect(addr, ours, cause),
            (None, Cause::Unresolved(error)) => {
                let text = format!("{}: {error}", addr.host);
                Error::Resolve { source: io::Error::new(error.kind(), text) }
            }
            (None, Cause::TimedOut) => {
                let text = format!("{}: the name server did not answer in time", addr.host);
                Error::Resolve { source: io::Error::new(io::ErrorKind::TimedOut, text) }
            }
            (None, cause) => Error::without_address(cause),
        }
    }

    /// Returns what became of a `connect` to this address.
    pub(crate) fn from_connect(addr: SocketAddr, ours: &str, cause: Cause) -> Self {
        match cause {
            Cause::Refused => Error::Refused { addr },
            Cause::TimedOut => Error::ConnectTimedOut { addr },
            Cause::WrongSubnet { theirs, difference } => {
                Error::WrongSubnet { ours: ours.to_string(), theirs, difference }
            }
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
