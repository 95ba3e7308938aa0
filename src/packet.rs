//! Packets: the byte strings of a message, and the types that can be sent as packets.

use std::fmt;
use std::ops::{Deref, Range};

use bytes::Bytes;
use smallvec::SmallVec;

/// All packets of one byte, such as kinds. They are static memory, so no clone touches a counter.
const SINGLES: &[u8; 256] = &singles();

const fn singles() -> [u8; 256] {
    let mut singles = [0; 256];
    let mut byte = 0;
    while byte < singles.len() {
        singles[byte] = byte as u8;
        byte += 1;
    }
    singles
}

/// The packets of a received message: nearly always a kind and one more.
pub(crate) type PacketList = SmallVec<[Packet; 2]>;

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
    /// Returns the bytes of this packet.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns a part of a frame, which shares the memory of the frame.
    pub(crate) fn cut(frame: &Bytes, range: Range<usize>) -> Self {
        match frame.get(range.clone()) {
            Some([byte]) => {
                let at = usize::from(*byte);
                Packet(Bytes::from_static(&SINGLES[at..=at]))
            }
            _ => Packet(frame.slice(range)),
        }
    }

    /// Returns the packet as text. Bytes that are not UTF-8 are replaced.
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

/// Copies the borrowed bytes.
impl<T: AsRef<[u8]> + ?Sized> From<&T> for Packet {
    fn from(bytes: &T) -> Self {
        Packet(Bytes::copy_from_slice(bytes.as_ref()))
    }
}

impl<const N: usize> From<[u8; N]> for Packet {
    fn from(bytes: [u8; N]) -> Self {
        Packet::from(&bytes)
    }
}

/// The same memory.
impl From<Bytes> for Packet {
    fn from(bytes: Bytes) -> Self {
        Packet(bytes)
    }
}

/// The same memory.
impl From<Vec<u8>> for Packet {
    fn from(bytes: Vec<u8>) -> Self {
        Packet(bytes.into())
    }
}

/// The same memory.
impl From<Box<[u8]>> for Packet {
    fn from(bytes: Box<[u8]>) -> Self {
        Packet(bytes.into())
    }
}

/// The same memory.
impl From<String> for Packet {
    fn from(text: String) -> Self {
        Packet(text.into())
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

impl PartialEq<Vec<u8>> for Packet {
    fn eq(&self, other: &Vec<u8>) -> bool {
        self.0[..] == other[..]
    }
}

impl PartialEq<String> for Packet {
    fn eq(&self, other: &String) -> bool {
        self.0[..] == *other.as_bytes()
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

/// What `send` and its siblings take: one packet, or any number of them.
///
/// One packet is what a [`Packet`] can be made from: borrowed text or bytes (`&str`, `&[u8]`,
/// `&String`, ...), which are copied, or owned ones (`String`, `Vec<u8>`, `Bytes`, [`Packet`]),
/// which are not. An array, slice, vector or iterator of these has one packet per item. A tuple of
/// two to twelve packets may mix types. The type parameter is inferred and need not be named.
///
/// ```
/// fn count<M>(packets: impl rs2p::Packets<M>) -> usize {
///     packets.into_packets().count()
/// }
///
/// assert_eq!(count("one"), 1);
/// assert_eq!(count(b"one"), 1);
/// assert_eq!(count(vec![0xff; 1000]), 1);
/// assert_eq!(count(["this is", "a test"]), 2);
/// assert_eq!(count((0..3).map(|n| n.to_string())), 3);
/// assert_eq!(count(("job", 7.to_string(), vec![0, 255])), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as packets",
    label = "expected one byte string or text, or an array, slice, vector or iterator of them",
    note = "packets of different types go into a tuple: `(\"job\", number.to_string())`"
)]
pub trait Packets<M> {
    /// Returns the packets, in order.
    fn into_packets(self) -> impl Iterator<Item = Packet>;
}

/// Marks what is one packet; see [`Packets`].
#[derive(Debug)]
pub enum One {}

/// Marks what is any number of packets; see [`Packets`].
#[derive(Debug)]
pub enum Many {}

/// Marks a tuple of packets; see [`Packets`].
#[derive(Debug)]
pub enum Mixed {}

impl<T: Into<Packet>> Packets<One> for T {
    fn into_packets(self) -> impl Iterator<Item = Packet> {
        std::iter::once(self.into())
    }
}

impl<I> Packets<Many> for I
where
    I: IntoIterator,
    I::Item: Into<Packet>,
{
    fn into_packets(self) -> impl Iterator<Item = Packet> {
        self.into_iter().map(Into::into)
    }
}

macro_rules! tuples {
    ($(($($packet:ident),*))*) => {$(
        impl<$($packet: Into<Packet>),*> Packets<Mixed> for ($($packet,)*) {
            #[allow(non_snake_case)]
            fn into_packets(self) -> impl Iterator<Item = Packet> {
                let ($($packet,)*) = self;
                [$($packet.into()),*].into_iter()
            }
        }
    )*};
}

tuples! {
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
    (A, B, C, D, E, F, G, H, I)
    (A, B, C, D, E, F, G, H, I, J)
    (A, B, C, D, E, F, G, H, I, J, K)
    (A, B, C, D, E, F, G, H, I, J, K, L)
}
