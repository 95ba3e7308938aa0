//! What became of a `connect`.

use std::sync::Arc;
use std::{fmt, io};

use super::Error;
use crate::cause::Cause;
use crate::host_port::HostPort;
use crate::peer_addr::PeerAddr;

/// Why a dial failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub cause: Cause,
    /// Each address that was tried, with its own cause.
    pub attempts: Vec<(HostPort, Cause)>,
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Failure { cause, attempts: Vec::new() }
    }
}

impl Failure {
    /// Returns the cause of each address, then the cause of the whole dial.
    pub fn causes(&self) -> impl Iterator<Item = &Cause> {
        self.attempts.iter().map(|(_, cause)| cause).chain([&self.cause])
    }
}

/// An address at which no node was found, and why.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::{Error, PeerAddr};
///
/// let addrs: PeerAddr = ["127.0.0.1:9", "[::1]:9"].into_iter().collect();
/// if let Err(Error::NoneAnswers { attempts }) = sock.connect(addrs) {
///     for attempt in &attempts {
///         println!("{}: {}", attempt.addr, attempt.cause);
///     }
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The address; a name, if it could not be looked up.
    pub addr: PeerAddr,
    /// Why.
    pub cause: Cause,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.addr, self.cause)
    }
}

impl From<(HostPort, Cause)> for Attempt {
    fn from((addr, cause): (HostPort, Cause)) -> Self {
        let cause = match cause {
            Cause::TimedOut if addr.to_socket_addr().is_none() => no_name_server(),
            cause => cause,
        };
        Attempt { addr: addr.into(), cause }
    }
}

fn no_name_server() -> Cause {
    let words = "the name server did not answer in time";
    Cause::Unresolved(Arc::new(io::Error::new(io::ErrorKind::TimedOut, words)))
}

impl Error {
    /// Returns why a `connect` to these addresses failed.
    pub(crate) fn from_failure(addrs: PeerAddr, failure: Failure) -> Self {
        let Failure { cause, attempts } = failure;
        let mut attempts: Vec<Attempt> = attempts.into_iter().map(Attempt::from).collect();
        match the_one(&attempts) {
            Some(index) => {
                let Attempt { addr, cause } = attempts.swap_remove(index);
                Error::at(addr, cause)
            }
            None if attempts.is_empty() => Error::before_any_attempt(addrs, cause),
            None => Error::NoneAnswers { attempts },
        }
    }

    /// Returns whether a later dial may succeed.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Error::Connect { cause, .. } => cause.may_pass(),
            Error::NoneAnswers { .. } | Error::NoAddress => true,
            _ => false,
        }
    }

    fn before_any_attempt(addrs: PeerAddr, cause: Cause) -> Self {
        match cause {
            Cause::Closed | Cause::TooManyLinks | Cause::TimedOut | Cause::Io(_) => {
                Error::at(addrs, cause)
            }
            // A name that was looked up, and has no address.
            _ => Error::NoAddress,
        }
    }

    fn at(addr: PeerAddr, cause: Cause) -> Self {
        match cause {
            Cause::Closed => Error::Closed,
            cause => Error::Connect { addr: Box::new(addr), cause },
        }
    }
}

/// Returns which attempt tells all: the only one, or that at this socket's own address if no program
/// listens at the others.
fn the_one(attempts: &[Attempt]) -> Option<usize> {
    let own = attempts.iter().position(|attempt| matches!(attempt.cause, Cause::OwnAddress));
    let refused = attempts.iter().filter(|attempt| matches!(attempt.cause, Cause::Refused));
    let others = attempts.len().checked_sub(1)?;
    own.filter(|_| refused.count() == others).or((others == 0).then_some(0))
}
