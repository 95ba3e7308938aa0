//! The user's handlers: registered in order, and run in that order, one message at a time, on the
//! daemon's thread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use crate::connection::Connection;
use crate::message::Message;

/// A handler. It returns true to keep the message.
pub(crate) type Handler = dyn Fn(&Message, &Connection) -> bool + Send + Sync;

#[derive(Clone)]
struct Entry {
    number: u64,
    handler: Arc<Handler>,
}

#[derive(Default)]
pub(crate) struct Handlers {
    entries: RwLock<Arc<Vec<Entry>>>,
    next: AtomicU64,
}

impl Handlers {
    pub fn register(&self, handler: Arc<Handler>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Arc::make_mut(&mut self.entries.write()).push(Entry { number, handler });
        number
    }

    /// Forgets a handler. Returns false if it was gone already.
    pub fn unregister(&self, number: u64) -> bool {
        let mut entries = self.entries.write();
        let kept: Vec<Entry> =
            entries.iter().filter(|entry| entry.number != number).cloned().collect();
        let was_there = kept.len() < entries.len();
        let before = std::mem::replace(&mut *entries, Arc::new(kept));
        // Outside the lock: what the handler captured may do anything when it is dropped.
        drop(entries);
        drop(before);
        was_there
    }

    /// Drops all handlers and what they captured.
    pub fn clear(&self) {
        let entries = std::mem::take(&mut *self.entries.write());
        // Outside the lock: what a handler captured may do anything when it is dropped.
        drop(entries);
    }

    pub fn is_empty(&self) -> bool {
        self.entries.read().is_empty()
    }

    /// Runs the chain until a handler keeps the message. The numbers of the handlers go through
    /// `entering` first; what a handler panics with goes to `panicked`, and the chain goes on.
    pub fn run(
        &self,
        message: &Message,
        connection: &Connection,
        mut entering: impl FnMut(u64),
        mut panicked: impl FnMut(u64, String),
    ) -> bool {
        let entries = Arc::clone(&self.entries.read());
        entries.iter().any(|entry| {
            entering(entry.number);
            let call = AssertUnwindSafe(|| (entry.handler)(message, connection));
            catch_unwind(call).unwrap_or_else(|panic| {
                panicked(entry.number, describe(&*panic));
                false
            })
        })
    }
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
