//! What became of a message.

use crate::id::MessageId;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub(super) peers: usize,
    pub(super) id: MessageId,
}

impl Sent {
    /// How many direct peers it is on its way to. 0 if there is none: nobody will get it.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.peers
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }
}
