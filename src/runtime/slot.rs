//! Where the outcome of a message to one node is put, and waited for.

use parking_lot::{Condvar, Mutex};

/// The outcome: `None` while it is open, then whether the message was sent.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub state: Mutex<Option<bool>>,
    pub settled: Condvar,
}

impl Slot {
    pub fn settle(&self, sent: bool) {
        *self.state.lock() = Some(sent);
        self.settled.notify_all();
    }
}
