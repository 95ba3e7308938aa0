//! How a message travels ([`Flag`]), what it is for ([`Kind`]), and how to send it
//! ([`SendOptions`]).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::packet::Packet;

/// How other nodes relay a message: its main flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Flag {
    /// Every node relays it: it reaches the whole mesh.
    #[default]
    Broadcast,
    /// A broadcast that was relayed at least once. A message that is sent with it is a broadcast.
    Waterfall,
    /// No node relays it: it reaches the direct peers.
    Whisper,
    /// Two peers agree on how they talk. Reserved for the protocol.
    Renegotiate,
    /// Any other byte. Peers treat it like a whisper.
    Other(u8),
}

impl Flag {
    /// Returns the byte on the wire.
    #[must_use]
    pub fn as_byte(self) -> u8 {
        match self {
            Flag::Broadcast => 0,
            Flag::Waterfall => 1,
            Flag::Whisper => 2,
            Flag::Renegotiate => 3,
            Flag::Other(byte) => byte,
        }
    }

    /// Returns the flag that this byte stands for.
    #[must_use]
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Flag::Broadcast,
            1 => Flag::Waterfall,
            2 => Flag::Whisper,
            3 => Flag::Renegotiate,
            other => Flag::Other(other),
        }
    }

    /// Returns whether nodes pass it on.
    pub(crate) fn is_relayed(self) -> bool {
        matches!(self, Flag::Broadcast | Flag::Waterfall)
    }
}

/// What a message is for: its sub-flag, the first of its packets.
///
/// [`Kind::BROADCAST`] and [`Kind::WHISPER`] are ordinary messages and reach `recv`. Any other text
/// is a kind of your own, for handlers and [subscriptions](crate::topic::Subscription): a message of that
/// kind never reaches `recv`. The names of the standard
/// kinds are reserved: `send_with` refuses a kind that is made of such a text.
///
/// A kind equals the text that it prints as, and the bytes that it is on the wire.
///
/// ```
/// use rs2p::Kind;
///
/// let kind = Kind::new("tx_relay");
/// assert_eq!(kind.as_bytes(), b"tx_relay");
/// assert_eq!(format!("{:?}", Kind::WHISPER), "b'whisper'");
/// assert!(Kind::WHISPER == "whisper" && Kind::WHISPER == b"\x02");
/// assert!(kind == "tx_relay" && kind == b"tx_relay");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub(crate) Bytes);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $byte:literal, $text:literal;)*) => {
        impl Kind {
            $($(#[$doc])* pub const $name: Kind = Kind(Bytes::from_static(&[$byte]));)*

            /// Returns the standard name, if this is a kind of the protocol.
            fn name(&self) -> Option<&'static str> {
                match self.0[..] {
                    $([$byte] => Some($text),)*
                    _ => None,
                }
            }

            /// Returns whether these bytes are the text of a standard name, which is no kind
            /// itself.
            fn is_name(bytes: &[u8]) -> bool {
                [$($text),*].iter().any(|name| name.as_bytes() == bytes)
            }
        }
    };
}

/// The kind of what only rs2p nodes say to each other.
pub(crate) const GREETING: &[u8] = b"rs2p";

kinds! {
    /// An ordinary message; the default.
    BROADCAST = 0x00, "broadcast";
    /// Protocol: a list of compression methods.
    COMPRESSION = 0x01, "compression";
    /// An ordinary message to a direct peer, such as a reply.
    WHISPER = 0x02, "whisper";
    /// Protocol: the handshake.
    HANDSHAKE = 0x03, "handshake";
    /// Protocol: reserved.
    PING = 0x04, "ping";
    /// Protocol: reserved.
    PONG = 0x05, "pong";
    /// Protocol: reserved.
    NOTIFY = 0x06, "notify";
    /// Protocol: a list of peers.
    PEERS = 0x07, "peers";
    /// Protocol: asks which node knows an id.
    REQUEST = 0x08, "request";
    /// Protocol: asks for the last message again.
    RESEND = 0x09, "resend";
    /// Protocol: the answer to such a question.
    RESPONSE = 0x0a, "response";
    /// Protocol: reserved.
    STORE = 0x0b, "store";
    /// Protocol: reserved.
    RETRIEVE = 0x0c, "retrieve";
}

impl Kind {
    /// Returns a kind of your own, or the one that these bytes stand for.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Kind(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// Returns the bytes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether `send_with` refuses it: the single bytes up to `0x1f` other than the two
    /// ordinary kinds, the greeting between rs2p nodes, and the names of the standard kinds.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        match self.0[..] {
            [0x00 | 0x02] => false,
            [byte] => byte < 0x20,
            _ => self.0[..] == *GREETING || self.is_a_name(),
        }
    }

    /// Returns whether it is the text of a standard name instead of the kind of that name.
    pub(crate) fn is_a_name(&self) -> bool {
        Kind::is_name(&self.0)
    }

    /// Returns whether `recv` hands it out.
    pub(crate) fn is_ordinary(&self) -> bool {
        matches!(self.0[..], [0x00 | 0x02])
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.0.split_first()) {
            (Some(name), _) => write!(f, "b'{name}'"),
            // This text must differ from that of the standard kind.
            (None, Some((first, rest))) if self.is_a_name() => {
                write!(f, "b'\\x{first:02x}{}'", rest.escape_ascii())
            }
            (None, _) => write!(f, "b'{}'", self.0.escape_ascii()),
        }
    }
}

impl AsRef<[u8]> for Kind {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Kind {
    fn from(text: &str) -> Self {
        Kind::new(text)
    }
}

impl From<&Packet> for Kind {
    fn from(packet: &Packet) -> Self {
        Kind(packet.0.clone())
    }
}

impl PartialEq<[u8]> for Kind {
    fn eq(&self, other: &[u8]) -> bool {
        self.0[..] == *other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Kind {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.0[..] == other[..]
    }
}

impl PartialEq<str> for Kind {
    /// Compares with the text that the kind prints as.
    fn eq(&self, other: &str) -> bool {
        match self.name() {
            Some(name) => name == other,
            None => self.0[..] == *other.as_bytes() && !self.is_a_name(),
        }
    }
}

impl PartialEq<&str> for Kind {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

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
