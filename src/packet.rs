//! Packets: the byte strings that a message is made of, and what can be sent as them.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

/// One packet of a message: a byte string, cheap to clone.
///
/// It derefs to `[u8]`, compares with byte strings and text, and its `Debug` form is the byte
/// string literal.
///
/// ```
/// use rs2p::Packet;
///
/// let packet = Packet::from("tx_relay");
/// assert!(packet == b"tx_relay" && packet == "tx_relay");
/// assert_eq!(format!("{packet:?}"), "b'tx_relay'");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet(pub(crate) Bytes);

impl Packet {
    /// The bytes of this packet.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The packet as text, with what is not UTF-8 replaced.
    #[must_use]
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b'{}'", self.0.escape_ascii())
    }
}

impl Deref for Packet {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Packet {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for Packet {
    fn from(bytes: Bytes) -> Self {
        Packet(bytes)
    }
}

impl From<&[u8]> for Packet {
    fn from(bytes: &[u8]) -> Self {
        Packet(Bytes::copy_from_slice(bytes))
    }
}

impl From<Vec<u8>> for Packet {
    fn from(bytes: Vec<u8>) -> Self {
        Packet(bytes.into())
    }
}

impl From<&str> for Packet {
    fn from(text: &str) -> Self {
        Packet::from(text.as_bytes())
    }
}

impl PartialEq<[u8]> for Packet {
    fn eq(&self, other: &[u8]) -> bool {
        &self.0[..] == other
    }
}

impl PartialEq<&[u8]> for Packet {
    fn eq(&self, other: &&[u8]) -> bool {
        &self.0[..] == *other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Packet {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.0[..] == other[..]
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Packet {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.0[..] == other[..]
    }
}

impl PartialEq<str> for Packet {
    fn eq(&self, other: &str) -> bool {
        self.0[..] == *other.as_bytes()
    }
}

impl PartialEq<&str> for Packet {
    fn eq(&self, other: &&str) -> bool {
        self.0[..] == *other.as_bytes()
    }
}

/// What `send` and its siblings take: one byte string or text, or any number of them.
///
/// A `&str`, `String`, `&[u8]`, `Vec<u8>` or [`Packet`] is one packet; an array, slice, vector or
/// iterator of such is one packet each. The type parameter is inferred: never name it.
///
/// ```
/// fn count<M>(packets: impl rs2p::Packets<M>) -> usize {
///     packets.into_packets().len()
/// }
///
/// assert_eq!(count("one"), 1);
/// assert_eq!(count(b"one"), 1);
/// assert_eq!(count(["this is", "a test"]), 2);
/// assert_eq!(count((0..3).map(|n| n.to_string())), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as packets",
    label = "expected one byte string or text, or an array, slice, vector or iterator of them"
)]
pub trait Packets<M> {
    /// The packets, in order.
    fn into_packets(self) -> Vec<Packet>;
}

/// Marks what is one packet; see [`Packets`].
#[derive(Debug)]
pub enum One {}

/// Marks what is any number of packets; see [`Packets`].
#[derive(Debug)]
pub enum Many {}

impl<T: AsRef<[u8]>> Packets<One> for T {
    fn into_packets(self) -> Vec<Packet> {
        vec![Packet::from(self.as_ref())]
    }
}

impl<I> Packets<Many> for I
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    fn into_packets(self) -> Vec<Packet> {
        self.into_iter().map(|packet| Packet::from(packet.as_ref())).collect()
    }
}
