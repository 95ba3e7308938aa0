//! How a peer stands: how full its queue is, and what follows from that.

use crate::wire::Total;

/// What a reporting peer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// All that it has taken since the link began, as bytes and frames on the wire.
    pub total: Total,
    /// Bytes that it can take on top of that without keeping anybody waiting.
    pub room: u64,
}

/// How a peer stood when that was last looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// It had something to take.
    pub is_busy: bool,
    /// Senders had to wait for it.
    pub is_full: bool,
    /// It had taken nothing for some time.
    pub is_still: bool,
}

/// How full the queue of a peer is, in quarters of what may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fullness {
    /// The peer has something to take at any time; it is asked how far it is.
    Busy = 2,
    /// Senders that waited go on below it.
    GoOn = 3,
    /// Senders wait.
    Full = 4,
    /// Relays are slowed down.
    Pressed = 8,
}
