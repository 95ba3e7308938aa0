//! A function of the program that is called when there is something to receive.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

#[derive(Default)]
pub(super) struct Callback {
    /// Most programs have none, and every batch asks.
    is_set: AtomicBool,
    call: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
}

impl Callback {
    pub fn set(&self, call: impl Fn() + Send + Sync + 'static) {
        let before = self.call.lock().replace(Arc::new(call));
        self.is_set.store(true, Ordering::SeqCst);
        // Outside the lock: what it captured may do anything when it is dropped.
        drop(before);
    }

    pub fn call(&self) {
        if !self.is_set.load(Ordering::SeqCst) {
            return;
        }
        let call = self.call.lock().clone();
        let outcome = call.map(|call| catch_unwind(AssertUnwindSafe(|| call())));
        if let Some(Err(_)) = outcome {
            log::error!(target: "rs2p::handlers", "the function given to notify_with panicked");
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}
