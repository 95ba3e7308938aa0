//! Notices a `fork`: the child process has none of the socket's threads, and the missing threads may
//! hold any lock, so calls fail there instead of waiting.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The time between two questions to the system, in microseconds: less than a fork takes.
const ASK_EVERY: u128 = 64;

#[derive(Debug)]
pub(crate) struct ForkGuard {
    pid: u32,
    /// When the system said last that this is the process, in units of [`ASK_EVERY`]; plus one, as
    /// zero stands for never.
    seen_at: AtomicU64,
}

impl ForkGuard {
    pub fn here() -> Self {
        ForkGuard { pid: std::process::id(), seen_at: AtomicU64::new(0) }
    }

    /// Returns whether this is the process that bound the socket.
    pub fn is_here(&self) -> bool {
        std::process::id() == self.pid
    }

    /// Returns the same for calls that are made for every message. To ask the system each time would
    /// take a few per cent of such a call, so it is asked every [`ASK_EVERY`].
    pub fn is_here_at(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_micros() / ASK_EVERY).unwrap_or(u64::MAX).saturating_add(1);
        if self.seen_at.load(Ordering::Relaxed) == now {
            return true;
        }
        let is_here = self.is_here();
        if is_here {
            self.seen_at.store(now, Ordering::Relaxed);
        }
        is_here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_is_noticed_before_a_fork_is_over() {
        let (mut home, at) = (ForkGuard::here(), Duration::from_micros);
        assert!(home.is_here() && home.is_here_at(at(6_400)));
        home.pid += 1;
        assert!(home.is_here_at(at(6_463)), "not asked again");
        assert!(!home.is_here_at(at(6_464)) && !home.is_here_at(at(6_465)) && !home.is_here());
    }

    #[test]
    fn the_first_call_asks() {
        let mut home = ForkGuard::here();
        home.pid += 1;
        assert!(!home.is_here_at(Duration::ZERO));
    }
}
