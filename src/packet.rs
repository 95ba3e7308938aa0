//! A packet: one of the byte strings of a message.

use std::borrow::Cow;
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
    ///
    /// ```
    /// assert_eq!(rs2p::Packet::from("tea").as_bytes(), b"tea");
    /// ```
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
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("tea")?;
    /// println!("{} said {}", bob.id(), alice.recv()?[1].to_text());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
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

macro_rules! copied {
    ($($type:ty),*) => {$(
        /// Copies the bytes.
        impl From<$type> for Packet {
            fn from(bytes: $type) -> Self {
                Packet(Bytes::copy_from_slice(bytes.as_ref()))
            }
        }
    )*};
}

copied!(&str, &&str, &String, &[u8], &&[u8], &Vec<u8>, &crate::NodeId);

macro_rules! taken {
    ($($type:ty),*) => {$(
        /// Copies nothing.
        impl From<$type> for Packet {
            fn from(bytes: $type) -> Self {
                Packet(bytes.into())
            }
        }
    )*};
}

taken!(Bytes, Vec<u8>, Box<[u8]>, String);

/// Copies nothing: both share the bytes.
impl From<&Packet> for Packet {
    fn from(packet: &Packet) -> Self {
        packet.clone()
    }
}

/// Copies nothing: both share the bytes.
impl From<&Bytes> for Packet {
    fn from(bytes: &Bytes) -> Self {
        Packet(bytes.clone())
    }
}

/// Copies the bytes.
impl<const N: usize> From<[u8; N]> for Packet {
    fn from(bytes: [u8; N]) -> Self {
        Packet::from(&bytes[..])
    }
}

/// Copies the bytes.
impl<const N: usize> From<&[u8; N]> for Packet {
    fn from(bytes: &[u8; N]) -> Self {
        Packet::from(&bytes[..])
    }
}

/// Copies the bytes only if they are borrowed.
impl From<Cow<'_, str>> for Packet {
    fn from(text: Cow<'_, str>) -> Self {
        Packet::from(text.into_owned())
    }
}

/// Copies the bytes only if they are borrowed.
impl From<Cow<'_, [u8]>> for Packet {
    fn from(bytes: Cow<'_, [u8]>) -> Self {
        Packet::from(bytes.into_owned())
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
