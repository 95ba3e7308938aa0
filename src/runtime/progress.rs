//! Waiting until something was written.

use std::time::Instant;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Condvar, Mutex};

/// Progress is counted only while somebody waits for it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    watchers: AtomicUsize,
    count: Mutex<u64>,
    progressed: Condvar,
}

impl Progress {
    /// Wakes the threads that wait, to look again: something was written, or never will be.
    pub fn note(&self) {
        if self.watchers.load(Ordering::SeqCst) > 0 {
            *self.count.lock() += 1;
            self.progressed.notify_all();
        }
    }

    /// Waits until `is_done` says so, asked whenever something was written. Returns false if it did
    /// not in time.
    pub fn wait(&self, deadline: Instant, mut is_done: impl FnMut() -> bool) -> bool {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        let done = loop {
            let before = *self.count.lock();
            if is_done() {
                break true;
            }
            let mut count = self.count.lock();
            if *count == before && self.progressed.wait_until(&mut count, deadline).timed_out() {
                drop(count);
                break is_done();
            }
        };
        self.watchers.fetch_sub(1, Ordering::SeqCst);
        done
    }
}

#[cfg(all(test, rs2p_loom))]
mod models {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn no_order_of_steps_lets_a_thread_wait_on_for_what_was_written() {
        crate::sync::model(|| {
            let shared = Arc::new((Progress::default(), Mutex::new(0)));
            let waiter = Arc::clone(&shared);
            let waiter = loom::thread::spawn(move || {
                let (progress, written) = &*waiter;
                assert!(progress.wait(Instant::now(), || *written.lock() == 2));
            });
            let (progress, written) = &*shared;
            for _ in 0..2 {
                *written.lock() += 1;
                progress.note();
            }
            waiter.join().expect("it has seen both");
        });
    }
}
