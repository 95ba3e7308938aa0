//! Wakes threads that wait for messages: once for all messages that were put in together.
//!
//! Crossbeam's channels can do that as well, but they wake once for each message. And a thread that waits
//! there yields four times before it sleeps. On a busy machine each yield may take milliseconds, while
//! a thread that sleeps gets a core soon after it was woken.

use std::time::Instant;

use crate::sync::atomic::{AtomicUsize, Ordering, fence};
use crate::sync::{Condvar, Mutex};

#[derive(Debug, Default)]
pub(crate) struct Bell {
    /// Threads that sleep, or are about to.
    waiting: AtomicUsize,
    lock: Mutex<()>,
    rung: Condvar,
}

impl Bell {
    /// Waits until `look` finds something, which it is asked after each ring; `None` at the deadline.
    pub fn wait<R>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        if let Some(found) = look() {
            return Some(found);
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let found = self.sleep(deadline, look);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        found
    }

    fn sleep<R>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        let mut guard = self.lock.lock();
        // Either this look sees what was put in, or the one who rings sees that this thread waits.
        fence(Ordering::SeqCst);
        let mut is_late = false;
        loop {
            let found = look();
            if found.is_some() || is_late {
                return found;
            }
            match deadline {
                Some(at) => is_late = self.rung.wait_until(&mut guard, at).timed_out(),
                None => self.rung.wait(&mut guard),
            }
        }
    }

    /// Wakes threads that wait, as there is something to find: for one of them, or for more.
    pub fn ring(&self, is_for_one: bool) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        // A thread that has looked before this sleeps once the lock is free.
        drop(self.lock.lock());
        if is_for_one {
            self.rung.notify_one();
        } else {
            self.rung.notify_all();
        }
    }
}

#[cfg(all(test, rs2p_loom))]
mod models {
    use std::sync::Arc;

    use super::*;

    /// As many take as are put in, one after the other or together: all of them get something.
    fn takers(count: usize, is_rung_once: bool) {
        crate::sync::model(move || {
            let shared = Arc::new((Bell::default(), AtomicUsize::new(0)));
            let take = || {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || {
                    let (bell, put) = &*shared;
                    let one = |n: usize| n.checked_sub(1);
                    let look = || put.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one).ok();
                    assert!(bell.wait(None, look).is_some());
                })
            };
            let threads: Vec<_> = (0..count).map(|_| take()).collect();
            let (bell, put) = &*shared;
            if is_rung_once {
                put.fetch_add(count, Ordering::Relaxed);
                bell.ring(count == 1);
            } else {
                for _ in 0..count {
                    put.fetch_add(1, Ordering::Relaxed);
                    bell.ring(true);
                }
            }
            threads.into_iter().for_each(|thread| thread.join().expect("it has found something"));
        });
    }

    #[test]
    fn no_order_of_steps_lets_a_thread_sleep_on() {
        takers(1, true);
    }

    #[test]
    fn two_that_are_woken_together_both_find_what_was_put_in() {
        takers(2, true);
    }

    #[test]
    fn two_that_are_woken_one_by_one_both_find_what_was_put_in() {
        takers(2, false);
    }
}

#[cfg(all(test, not(rs2p_loom)))]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    use super::*;

    fn soon() -> Option<Instant> {
        Instant::now().checked_add(Duration::from_secs(60))
    }

    #[test]
    fn no_thread_sleeps_on_after_what_it_waits_for_was_put_in_and_rung_for() {
        let (bell, put, taken) = (Bell::default(), AtomicU64::new(0), AtomicU64::new(0));
        let take =
            || put.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).ok();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while taken.load(Ordering::SeqCst) < 3000 {
                        let found = bell.wait(soon(), || {
                            let is_over = taken.load(Ordering::SeqCst) >= 3000;
                            take().map(|_| true).or(is_over.then_some(false))
                        });
                        assert!(found.is_some(), "slept until the deadline");
                        if found == Some(true) && taken.fetch_add(1, Ordering::SeqCst) + 1 == 3000 {
                            bell.ring(false);
                        }
                    }
                });
            }
            for turn in 0..1000 {
                put.fetch_add(1 + 2 * (turn % 2) + (turn + 1) % 2, Ordering::SeqCst);
                bell.ring(false);
                put.fetch_add(u64::from(turn % 2 == 0), Ordering::SeqCst);
                bell.ring(true);
            }
        });
        assert_eq!(taken.into_inner(), 3000);
    }

    #[test]
    fn a_wait_ends_at_its_deadline() {
        let bell = Bell::default();
        let at = Instant::now().checked_add(Duration::from_millis(5));
        assert_eq!(bell.wait(at, || None::<()>), None);
        assert!(at <= Some(Instant::now()));
    }
}
