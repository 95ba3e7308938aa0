//! What happened, and what to do about it, in words.

use std::fmt;

use super::Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Bind { addr, source } => write!(
                f,
                "cannot bind {addr}: {source}; choose another port, or 0 for any free one"
            ),
            Error::OutAddr { host, problem } => {
                write!(f, "`out_addr` cannot be {host:?}: {problem}")
            }
            Error::Resolve { source } => write!(f, "cannot look up the address: {source}"),
            Error::NoAddress => f.write_str("no address was given, or the name has none"),
            Error::InvalidAddress { text } => write!(
                f,
                "{text:?} is not an address; write `host:port`, an IPv6 address in brackets: `[::1]:4444`"
            ),
            Error::Connect { addr, cause } => {
                write!(f, "cannot connect to {addr}: {cause}")?;
                cause.remedy().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
            }
            Error::NoneAnswers { attempts } => {
                f.write_str("no node answers")?;
                let mut between = ": ";
                for attempt in attempts {
                    write!(f, "{between}{attempt}")?;
                    between = "; ";
                }
                Ok(())
            }
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
                "a secret of {len} bytes can be guessed; use at least {min} bytes, ideally 16 random \
                 ones"
            ),
            Error::Closed => f.write_str("the socket is closed"),
            Error::Forked => f.write_str(
                "this process was forked from the one that bound the socket; bind after the fork, \
                 in the process that uses the socket",
            ),
            Error::TooLarge { len, max } => write!(
                f,
                "the message would be a frame of {len} bytes, the limit is {max}; split it, or raise \
                 `max_frame` in the builder of every node"
            ),
            Error::TooManyPackets { count, max } => write!(
                f,
                "the message has {count} packets, the limit is {max}; join some of them"
            ),
            Error::NameTooLong { len, max } => write!(
                f,
                "a name or a role of {len} bytes is too long for `presence`; use at most {max} bytes"
            ),
            Error::Repeated => f.write_str(
                "too many identical messages within 86 s; add something unique, such as a counter",
            ),
            Error::Full { peer } => write!(
                f,
                "the outbound queue to peer {peer} is full; nothing was sent, try again later"
            ),
            Error::TooFast => f.write_str(
                "so many messages were sent lately that other nodes might not remember the ids of more; nothing \
                 was sent, try again later",
            ),
            Error::TooManyRequests => {
                f.write_str("too many messages wait for a route; try again later")
            }
            Error::UnknownPeer { id } => write!(f, "{id} is not a direct peer"),
            Error::NoRoute => f.write_str("no route to that node was found"),
            Error::TimedOut => f.write_str("timed out"),
            Error::ReservedKind { kind } if kind.is_a_name() => write!(
                f,
                "the text \"{0}\" is the name of a standard kind, not a kind; use `Kind::{1}` or \
                 choose a kind of your own",
                String::from_utf8_lossy(kind.as_bytes()),
                String::from_utf8_lossy(kind.as_bytes()).to_uppercase()
            ),
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
