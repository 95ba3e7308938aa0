//! What has left a queue, and who was waiting for it and may continue.

use crate::wire::Total;

/// What has been written since that was last said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// What it counted for in the queue, ...
    pub weight: usize,
    /// ... in so many parcels, ...
    pub parcels: u64,
    /// ... and on the wire.
    pub wire: Total,
}

/// Who may continue, now that something has left a queue or the queue takes nothing more.
#[derive(Debug)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct Freed<L> {
    /// Whether senders that wait for room may continue.
    pub has_drained: bool,
    /// Links that this queue throttled.
    pub throttled: Vec<L>,
    /// So much waits that the link's own thread has to look at the pace of the peer.
    pub is_news: bool,
}

impl<L> Default for Freed<L> {
    fn default() -> Self {
        Freed { has_drained: false, throttled: Vec::new(), is_news: false }
    }
}

impl<L> Freed<L> {
    pub fn add(&mut self, more: Freed<L>) {
        self.has_drained |= more.has_drained;
        self.throttled.extend(more.throttled);
        self.is_news |= more.is_news;
    }
}
