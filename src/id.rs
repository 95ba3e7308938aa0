//! Ids of nodes and messages: digests, shown in base58.

use std::fmt;
use std::str::FromStr;

use crate::base58;
use crate::error::{Error, Result};

/// The id of a node: a SHA-384 digest that it drew when it started, shown in base58.
///
/// Ids order by their numeric value; by that order two nodes agree which of them decides. An id is
/// a name and not a proof: no node can check it.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::NodeId;
///
/// let id = sock.id();
/// assert_eq!(id.to_string().parse::<NodeId>()?, id);
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    // Length before text: canonical base58 numerals of an ascending alphabet order numerically
    // when the shorter comes first, so the derived order is the order of the numbers.
    len: u8,
    text: [u8; base58::DIGEST_LEN],
}

impl NodeId {
    /// Returns the id whose number is this big-endian digest.
    ///
    /// ```
    /// use rs2p::NodeId;
    ///
    /// assert!(NodeId::from_digest(&[0; 48]) < NodeId::from_digest(&[1; 48]));
    /// ```
    #[must_use]
    pub fn from_digest(digest: &[u8; 48]) -> Self {
        let (text, len) = base58::encode_digest(digest);
        NodeId { len, text }
    }

    /// Returns the id as it stands on the wire: base58, no padding.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.id().as_bytes(), sock.id().to_string().as_bytes());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// Returns the id as text.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.id().as_str(), sock.id().to_string());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Base58 is ASCII, so this never falls back.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Reads the wire form; `None` unless it is the canonical numeral of a 384-bit number.
    pub(crate) fn from_wire(text: &[u8]) -> Option<Self> {
        base58::decode_digest(text)?;
        let mut padded = [0; base58::DIGEST_LEN];
        padded[..text.len()].copy_from_slice(text);
        Some(NodeId { len: text.len() as u8, text: padded })
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl AsRef<[u8]> for NodeId {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl FromStr for NodeId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        NodeId::from_wire(text.as_bytes()).ok_or(Error::InvalidId)
    }
}

/// The id of a message: the SHA-384 digest of its payload and time, shown in base58.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::MessageId;
///
/// let id = sock.send("hello")?.id();
/// assert_eq!(id.to_string().parse::<MessageId>()?, id);
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId([u8; 48]);

impl MessageId {
    /// Returns the digest, big endian.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// let sent = sock.send("hello")?;
    /// println!("{:02x?}", sent.id().as_digest());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn as_digest(&self) -> &[u8; 48] {
        &self.0
    }

    pub(crate) fn from_digest(digest: [u8; 48]) -> Self {
        MessageId(digest)
    }

    /// Reads the wire form; `None` unless it is the canonical numeral of a 384-bit number.
    pub(crate) fn from_wire(text: &[u8]) -> Option<Self> {
        base58::decode_digest(text).map(MessageId)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, len) = base58::encode_digest(&self.0);
        f.pad(std::str::from_utf8(&text[..usize::from(len)]).unwrap_or_default())
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl FromStr for MessageId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        MessageId::from_wire(text.as_bytes()).ok_or(Error::InvalidId)
    }
}
