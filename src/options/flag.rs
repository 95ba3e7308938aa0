//! How other nodes relay a message.

/// How other nodes relay a message: its main flag.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
/// # bob.connect(alice.local_addr())?;
/// use rs2p::{Flag, SendOptions};
///
/// bob.send_with(SendOptions::new().flag(Flag::Whisper), "to direct peers only")?;
/// assert_eq!(alice.recv()?.flag(), Flag::Whisper);
/// # Ok::<(), rs2p::Error>(())
/// ```
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
    ///
    /// ```
    /// assert_eq!(rs2p::Flag::Whisper.as_byte(), 2);
    /// ```
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
    ///
    /// ```
    /// use rs2p::Flag;
    ///
    /// assert_eq!(Flag::from_byte(2), Flag::Whisper);
    /// assert_eq!(Flag::from_byte(9), Flag::Other(9));
    /// ```
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
