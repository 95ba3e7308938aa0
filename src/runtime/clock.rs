//! The one place where the clock is read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::node::Now;

/// The wall clock is read again when this much time has passed. It dates by seconds.
const READ_AGAIN: Duration = Duration::from_millis(10);

/// Both clocks of this machine, counted from when the socket was made.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// When the wall clock was read last, and what it said, in microseconds; plus one, as zero
    /// stands for never.
    read_at: AtomicU64,
    wall: AtomicU64,
}

impl Clock {
    pub fn start() -> Self {
        Clock { start: Instant::now(), read_at: AtomicU64::new(0), wall: AtomicU64::new(0) }
    }

    pub fn now(&self) -> Now {
        let mono = self.mono();
        Now { mono, wall: self.wall(mono) }
    }

    /// Monotonic time only: cheaper where no date is needed.
    pub fn mono(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self, mono: Duration) -> Duration {
        let read_at = self.read_at.load(Ordering::Acquire);
        let now = mono.as_micros() as u64 + 1;
        if read_at == 0 || now.saturating_sub(read_at) >= READ_AGAIN.as_micros() as u64 {
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.wall.store(wall.as_micros() as u64, Ordering::Relaxed);
            self.read_at.store(now, Ordering::Release);
            return wall;
        }
        // Two threads may read it at once: what each of them sees is 10 ms old at most.
        Duration::from_micros(self.wall.load(Ordering::Relaxed))
    }
}
