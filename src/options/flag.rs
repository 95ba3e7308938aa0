//! How other nodes relay a message.

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
