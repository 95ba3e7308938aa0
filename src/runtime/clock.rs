//! The one place where the clock is read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::node::Now;

/// Both clocks of this machine, counted from when the socket was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Clock(Instant::now())
    }

    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono: self.0.elapsed(), wall }
    }

    /// Monotonic time only: cheaper where no date is needed.
    pub fn mono(&self) -> Duration {
        self.0.elapsed()
    }
}
