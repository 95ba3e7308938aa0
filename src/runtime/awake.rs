//! Records whether a link's thread will look at its mailbox without being woken, so that other threads
//! wake it only when it sleeps.

use crate::sync::atomic::{AtomicU8, Ordering};

const ASLEEP: u8 = 0;
const AWAKE: u8 = 1;
/// Awake, and to take another turn before it sleeps.
const CALLED: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct Awake(AtomicU8);

impl Awake {
    /// Notes that there is something to do. Whether the thread sleeps, so that it has to be woken:
    /// true once for each sleep.
    pub fn call(&self) -> bool {
        self.0.swap(CALLED, Ordering::AcqRel) == ASLEEP
    }

    /// Notes that the thread is about to look at everything. Later calls count again.
    pub fn look(&self) {
        // Not just a store: what was left before a call that this takes back must be seen.
        self.0.swap(AWAKE, Ordering::AcqRel);
    }

    /// Notes that the thread has looked at everything and wants to sleep. Returns false if it was
    /// called since.
    pub fn sleep(&self) -> bool {
        self.0.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(all(test, rs2p_loom))]
mod models {
    use std::sync::Arc;

    use loom::sync::Notify;
    use loom::sync::atomic::AtomicUsize;

    use super::*;

    /// Threads leave something each, and call. The link's thread sees all of it, and then sleeps for
    /// nothing more.
    fn callers(count: usize) {
        crate::sync::model(move || {
            let shared = Arc::new((Awake::default(), AtomicUsize::new(0), Notify::new()));
            let call = || {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || {
                    let (awake, left, waker) = &*shared;
                    left.fetch_add(1, Ordering::Relaxed);
                    if awake.call() {
                        waker.notify();
                    }
                })
            };
            let threads: Vec<_> = (0..count).map(|_| call()).collect();
            let (awake, left, waker) = &*shared;
            loop {
                awake.look();
                if left.load(Ordering::Relaxed) == count {
                    break;
                }
                if awake.sleep() {
                    waker.wait();
                }
            }
            threads.into_iter().for_each(|thread| thread.join().expect("it has called"));
        });
    }

    #[test]
    fn no_order_of_steps_lets_a_links_thread_sleep_on_what_was_left_for_it() {
        callers(1);
    }

    #[test]
    fn nor_if_two_threads_call() {
        callers(2);
    }
}

#[cfg(all(test, not(rs2p_loom)))]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_that_sleeps_has_to_be_woken_and_only_once() {
        let awake = Awake::default();
        assert!(awake.call() && !awake.call());
        awake.look();
        assert!(!awake.call(), "it will see it");
        assert!(!awake.sleep(), "it has not seen it");
        awake.look();
        assert!(awake.sleep() && awake.call());
    }
}
