//! The threads of one socket: started under a name, joined in the end.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder, JoinHandle};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Shared with the threads, so that the last of them can still say that it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Threads(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    running: Mutex<Vec<Running>>,
    ended: Condvar,
}

#[derive(Debug)]
struct Running {
    handle: JoinHandle<()>,
    has_ended: Arc<AtomicBool>,
}

/// Says that a thread ends, also if it panics.
struct EndOfThread {
    shared: Arc<Shared>,
    has_ended: Arc<AtomicBool>,
}

thread_local! {
    /// Which socket this thread works for; 0 for a user's thread.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}

impl Threads {
    /// Starts a thread of this socket.
    pub fn add(&self, builder: Builder, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let me = self.key();
        let has_ended = Arc::new(AtomicBool::new(false));
        let (shared, ends) = (Arc::clone(&self.0), Arc::clone(&has_ended));
        // Locked until the thread is in the list: it may end before `spawn` returns.
        let mut running = self.0.running.lock();
        let handle = builder.spawn(move || {
            // Made here: if no thread can be had, nothing is dropped while the list is locked.
            let _end = EndOfThread { shared, has_ended: ends };
            WORKS_FOR.set(me);
            work();
        })?;
        // Links come and go: without this the list would grow with every one of them.
        running.retain(|thread| !thread.has_ended());
        running.push(Running { handle, has_ended });
        Ok(())
    }

    /// Returns whether the calling thread is one of this socket's own, a handler's for instance.
    pub fn is_mine(&self) -> bool {
        WORKS_FOR.get() == self.key()
    }

    /// Joins all threads but the calling one, until the time is up; the names of those that still
    /// run then, and are left behind.
    pub fn join_others(&self, by: Instant) -> Vec<String> {
        let me = thread::current().id();
        let mut running = self.0.running.lock();
        let is_other = |thread: &Running| thread.handle.thread().id() != me;
        while running.iter().any(|thread| is_other(thread) && !thread.has_ended()) {
            if self.0.ended.wait_until(&mut running, by).timed_out() {
                break;
            }
        }
        let all = std::mem::take(&mut *running);
        let (others, mine): (Vec<Running>, Vec<Running>) = all.into_iter().partition(is_other);
        *running = mine;
        drop(running);
        others.into_iter().filter_map(Running::join).collect()
    }

    /// Returns a number that is the socket's own as long as its threads run: an address.
    fn key(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl Running {
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Joins a thread that has ended; the name of one that has not.
    fn join(self) -> Option<String> {
        if !self.has_ended() {
            return Some(self.handle.thread().name().unwrap_or_default().to_string());
        }
        // A thread of ours that panicked has nothing to add: the panic was printed.
        let _ = self.handle.join();
        None
    }
}

impl Drop for EndOfThread {
    fn drop(&mut self) {
        let _running = self.shared.running.lock();
        self.has_ended.store(true, Ordering::Release);
        self.shared.ended.notify_all();
    }
}
