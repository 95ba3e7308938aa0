//! What a process uses, as Linux tells it. Elsewhere nothing is known.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// What a process uses at one moment, or at most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub kib: u64,
    pub threads: u64,
    pub descriptors: u64,
    /// Hundredths of a second of processor time so far.
    pub ticks: u64,
}

impl Usage {
    /// Returns what the process uses now; nothing where that cannot be known.
    pub fn of(process: u32) -> Usage {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count);
        Usage {
            kib: number("VmRSS:"),
            threads: number("Threads:"),
            descriptors: descriptors as u64,
            ticks: ticks(process).unwrap_or(0),
        }
    }

    fn at_least(self, other: Usage) -> Usage {
        Usage {
            kib: self.kib.max(other.kib),
            threads: self.threads.max(other.threads),
            descriptors: self.descriptors.max(other.descriptors),
            ticks: self.ticks.max(other.ticks),
        }
    }

    /// Returns the MiB of memory above those of an earlier time.
    pub fn mib_above(self, base: Usage) -> u64 {
        self.kib.saturating_sub(base.kib) / 1024
    }
}

/// User and system time: the 14th and 15th field, counted behind the name in parentheses.
fn ticks(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<u64> =
        fields.split_whitespace().skip(12).take(2).filter_map(|field| field.parse().ok()).collect();
    Some(fields.iter().sum())
}

/// Returns the most that the process uses until that is over.
pub fn peak(process: u32, is_over: &AtomicBool) -> Usage {
    let mut peak = Usage::of(process);
    while !is_over.load(Relaxed) {
        pause(Duration::from_millis(25));
        peak = peak.at_least(Usage::of(process));
    }
    peak
}

/// Lets time pass.
pub fn pause(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        thread::park_timeout(until.saturating_duration_since(Instant::now()));
    }
}

/// Waits until it is so, for at most this long. Looks every 10 ms.
pub fn wait_until(most: Duration, is_so: impl Fn() -> bool) {
    let until = Instant::now() + most;
    while !is_so() && Instant::now() < until {
        pause(Duration::from_millis(10));
    }
}
