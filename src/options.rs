//! How a message travels ([`Flag`]), what it is for ([`Kind`]), and how to send it
//! ([`SendOptions`]).

use std::time::Duration;

mod flag;
mod kind;

pub use flag::Flag;
pub(crate) use kind::GREETING;
pub use kind::Kind;

/// How to send a message: its [`Flag`], its [`Kind`], and how long to wait for room.
///
/// ```
/// use rs2p::{Flag, Kind, SendOptions};
/// use std::time::Duration;
///
/// let options = SendOptions::new().flag(Flag::Whisper).kind(Kind::new("tx_relay"));
/// let options = options.timeout(Duration::from_millis(50));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SendOptions {
    pub(crate) flag: Flag,
    pub(crate) kind: Kind,
    /// `None`: the timeout of the builder.
    pub(crate) timeout: Option<Duration>,
}

impl SendOptions {
    /// Returns the options of an ordinary broadcast.
    pub fn new() -> Self {
        SendOptions { flag: Flag::Broadcast, kind: Kind::BROADCAST, timeout: None }
    }

    /// Sets how long the call waits for room in the queues to the peers; zero never waits.
    /// Default: [`Builder::send_timeout`](crate::Builder::send_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how other nodes relay the message. [`Flag::Other`] with the byte of another flag is
    /// that flag.
    pub fn flag(mut self, flag: Flag) -> Self {
        self.flag = Flag::from_byte(flag.as_byte());
        self
    }

    /// Sets the kind: an ordinary one, or one of your own.
    pub fn kind(mut self, kind: impl Into<Kind>) -> Self {
        self.kind = kind.into();
        self
    }

    /// Returns the options of a message to direct peers that shows as a whisper.
    pub(crate) fn whisper() -> Self {
        SendOptions { flag: Flag::Whisper, kind: Kind::WHISPER, timeout: None }
    }
}

impl Default for SendOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What happens when messages arrive faster than they are received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Wait while messages keep leaving, so that the mesh slows down and nothing is lost; drop
    /// the oldest, counted, when nobody receives.
    #[default]
    Auto,
    /// Always wait. A node whose program stops receiving stops relaying too.
    Block,
    /// Never wait: drop the oldest at once, counted.
    DropOldest,
}
