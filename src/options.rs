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
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// sock.send_with(rs2p::SendOptions::new(), "the same as `send`")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn new() -> Self {
        SendOptions { flag: Flag::Broadcast, kind: Kind::BROADCAST, timeout: None }
    }

    /// Sets how long the call waits until it may send; zero never waits.
    /// Default: [`Builder::send_timeout`](crate::Builder::send_timeout).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// # use std::time::Duration;
    /// use rs2p::SendOptions;
    ///
    /// sock.send_with(SendOptions::new().timeout(Duration::from_secs(1)), "tick")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how other nodes relay the message. [`Flag::Other`] with the byte of another flag is
    /// that flag.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::{Flag, SendOptions};
    ///
    /// sock.send_with(SendOptions::new().flag(Flag::Whisper), "to direct peers only")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn flag(mut self, flag: Flag) -> Self {
        self.flag = Flag::from_byte(flag.as_byte());
        self
    }

    /// Sets the kind: an ordinary one, or one of your own.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::SendOptions;
    ///
    /// sock.send_with(SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
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
///
/// ```
/// use rs2p::{MeshSocket, Overflow};
///
/// // A display that shows the latest prices needs no old ones.
/// let sock = MeshSocket::builder().overflow(Overflow::DropOldest).queue_messages(100);
/// let sock = sock.bind("127.0.0.1:0")?;
/// # Ok::<(), rs2p::Error>(())
/// ```
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
