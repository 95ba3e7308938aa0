//! Where the outcome of a message to one node is put, and waited for.

use std::sync::OnceLock;

use parking_lot::{Condvar, Mutex};

/// The outcome: `None` while it is open, then whether the message was sent.
#[derive(Default)]
pub(crate) struct Slot {
    pub state: Mutex<Option<bool>>,
    pub settled: Condvar,
    /// Called with the outcome.
    pub then: OnceLock<Box<dyn Fn(bool) + Send + Sync>>,
}

impl Slot {
    pub fn settle(&self, sent: bool) {
        *self.state.lock() = Some(sent);
        self.settled.notify_all();
        self.then.get().into_iter().for_each(|then| then(sent));
    }
}
