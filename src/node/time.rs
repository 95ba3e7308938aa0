//! Time as an input: what the clocks say when something happens.

use std::time::Duration;

/// Both clocks, read once for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Since the node started. Never goes back; all deadlines are in it.
    pub mono: Duration,
    /// Since the Unix epoch. Dates messages; may jump.
    pub wall: Duration,
}

impl Now {
    /// The second that a message sent now is dated with.
    pub fn second(&self) -> u64 {
        self.wall.as_secs()
    }
}
