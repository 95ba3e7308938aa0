//! Wakes threads that wait for messages: once for all messages that were put in together.

use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::thread;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Rounds of looking before a thread sleeps, as many as crossbeam's channels make. In the first ones it
/// spins, twice as long each time; in the others it lets another thread run.
const SPINS: u32 = 7;
const YIELDS: u32 = 4;

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
        for round in 0..SPINS + YIELDS {
            if let Some(found) = look() {
                return Some(found);
            }
            match round {
                ..SPINS => (0..1 << round).for_each(|_| std::hint::spin_loop()),
                _ => thread::yield_now(),
            }
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
