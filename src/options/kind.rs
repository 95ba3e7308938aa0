//! What a message is for.

use std::fmt;

use bytes::Bytes;

use crate::packet::Packet;
use crate::wire::members::KIND as MEMBERS;

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
    ///
    /// ```
    /// use rs2p::Kind;
    ///
    /// assert_eq!(Kind::new("tx_relay"), Kind::new(b"tx_relay"));
    /// assert_eq!(Kind::new([2]), Kind::WHISPER);
    /// ```
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Kind(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// Returns the bytes on the wire.
    ///
    /// ```
    /// use rs2p::Kind;
    ///
    /// assert_eq!(Kind::new("tx_relay").as_bytes(), b"tx_relay");
    /// assert_eq!(Kind::WHISPER.as_bytes(), [2]);
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether `send_with` refuses it: the single bytes up to `0x1f` other than the two
    /// ordinary kinds, `rs2p` and `rs2p-members`, and the names of the standard kinds.
    ///
    /// ```
    /// use rs2p::Kind;
    ///
    /// assert!(Kind::PEERS.is_reserved() && Kind::new("peers").is_reserved());
    /// assert!(!Kind::new("prices").is_reserved());
    /// ```
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        match self.0[..] {
            [0x00 | 0x02] => false,
            [byte] => byte < 0x20,
            _ => [GREETING, MEMBERS].contains(&&self.0[..]) || self.is_a_name(),
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
