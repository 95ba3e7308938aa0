//! The threads of one socket: started under a name, joined in the end.

use std::cell::Cell;
use std::io;
use std::thread::{Builder, JoinHandle, ThreadId};

use parking_lot::Mutex;

#[derive(Debug, Default)]
pub(crate) struct Threads {
    running: Mutex<Vec<JoinHandle<()>>>,
}

thread_local! {
    /// Which socket this thread works for; 0 for a user's thread.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}

impl Threads {
    /// Starts a thread of this socket.
    pub fn add(&self, builder: Builder, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let me = self.key();
        let handle = builder.spawn(move || {
            WORKS_FOR.set(me);
            work();
        })?;
        let mut running = self.running.lock();
        // Links come and go: without this the list would grow with every one of them.
        running.retain(|thread| !thread.is_finished());
        running.push(handle);
        Ok(())
    }

    /// Whether the calling thread is one of this socket's own, a handler's for instance.
    pub fn is_mine(&self) -> bool {
        WORKS_FOR.get() == self.key()
    }

    /// Takes the handles of all threads but the given one.
    pub fn take_others(&self, not: Option<ThreadId>) -> Vec<JoinHandle<()>> {
        let mut running = self.running.lock();
        let (others, kept) = std::mem::take(&mut *running)
            .into_iter()
            .partition(|thread| Some(thread.thread().id()) != not);
        *running = kept;
        others
    }

    /// The address of a socket's threads is its own as long as they run.
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}
