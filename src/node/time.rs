//! Time as an input: both clocks at the time of an event.

use std::time::Duration;

/// Both clocks, read once for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Time since the node started. Never goes back; all deadlines use it.
    pub mono: Duration,
    /// Time since the Unix epoch. Dates messages; may jump.
    pub wall: Duration,
}

impl Now {
    /// Returns the second that a message sent now is dated with.
    pub fn second(&self) -> u64 {
        self.wall.as_secs()
    }
}
