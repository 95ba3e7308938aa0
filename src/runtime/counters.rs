//! What only the runtime can count. The node counts the rest.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::core::Core;
use crate::stats::Stats;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    unsent: AtomicU64,
    missed: AtomicU64,
    unanswered: AtomicU64,
    letters: AtomicU64,
    exhausted: AtomicU64,
}

impl Counters {
    pub fn read(&self, bytes: u64) {
        self.bytes_in.fetch_add(bytes, Relaxed);
    }

    pub fn wrote(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Relaxed);
    }

    pub fn left_unsent(&self, frames: usize) {
        self.unsent.fetch_add(frames as u64, Relaxed);
    }

    pub fn missed(&self) {
        self.missed.fetch_add(1, Relaxed);
    }

    pub fn left_unanswered(&self) {
        self.unanswered.fetch_add(1, Relaxed);
    }

    /// A number that no other message to one node has.
    pub fn next_letter(&self) -> u64 {
        self.letters.fetch_add(1, Relaxed)
    }

    pub fn exhausted(&self) {
        self.exhausted.fetch_add(1, Relaxed);
    }

    pub fn unsent(&self) -> u64 {
        self.unsent.load(Relaxed)
    }
}

impl Core {
    /// Returns every counter: the node's, the runtime's, the program's.
    pub fn stats(&self) -> Stats {
        let counters = &self.counters;
        let mut stats = Stats {
            unsent_frames: counters.unsent(),
            missed_frames: counters.missed.load(Relaxed),
            bytes_in: counters.bytes_in.load(Relaxed),
            bytes_out: counters.bytes_out.load(Relaxed),
            exhausted: counters.exhausted.load(Relaxed),
            lost_events: self.journal.lost(),
            memory_limit: self.config.memory as u64,
            ..self.look(|state| state.node.stats())
        };
        stats.unanswered += counters.unanswered.load(Relaxed);
        stats.memory_used += self.arriving() as u64;
        self.outlet.count(&mut stats);
        stats
    }
}
