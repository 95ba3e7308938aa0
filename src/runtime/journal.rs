//! What happened, for whoever asks: events and status, both bounded, the oldest out first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::Mutex;

use crate::config::Config;
use crate::events::MeshEvent;

#[derive(Debug)]
pub(crate) struct Journal {
    /// `None` once the socket is closed: whoever reads events comes to their end.
    sender: Mutex<Option<Sender<MeshEvent>>>,
    receiver: Receiver<MeshEvent>,
    lost: AtomicU64,
    troubles: Mutex<VecDeque<String>>,
    max_troubles: usize,
}

impl Journal {
    pub fn new(config: &Config) -> Self {
        let (sender, receiver) = crossbeam_channel::bounded(config.events.max(1));
        Journal {
            sender: Mutex::new(Some(sender)),
            receiver,
            lost: AtomicU64::new(0),
            troubles: Mutex::new(VecDeque::new()),
            max_troubles: config.status,
        }
    }

    /// Appends an event; the oldest goes if nobody reads them.
    pub fn report(&self, event: MeshEvent) {
        if let Some(trouble) = trouble(&event) {
            self.trouble(trouble);
        }
        let sender = self.sender.lock();
        let Some(sender) = sender.as_ref() else { return };
        let mut event = event;
        while let Err(TrySendError::Full(back)) = sender.try_send(event) {
            if self.receiver.try_recv().is_ok() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            event = back;
        }
    }

    /// No more events: those that are there can still be read.
    pub fn close(&self) {
        self.sender.lock().take();
    }

    /// Appends to what `status` shows.
    pub fn trouble(&self, trouble: String) {
        let mut troubles = self.troubles.lock();
        if troubles.len() >= self.max_troubles {
            troubles.pop_front();
        }
        troubles.push_back(trouble);
    }

    pub fn events(&self) -> Receiver<MeshEvent> {
        self.receiver.clone()
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().iter().cloned().collect()
    }
}

/// What of an event a user should find in `status`: what went wrong, not that peers come and go.
fn trouble(event: &MeshEvent) -> Option<String> {
    use crate::events::Cause;
    match event {
        MeshEvent::Left {
            cause: Cause::PeerClosed | Cause::Disconnected | Cause::Closed, ..
        } => None,
        MeshEvent::Left { id, cause } => Some(format!("lost peer {id}: {cause}")),
        MeshEvent::ReplyFailed { to, why } => Some(format!("no reply to {to}: {why}")),
        MeshEvent::Lagged { dropped } => {
            Some(format!("{dropped} messages dropped because nobody received them"))
        }
        MeshEvent::ClockSkew { id, by } => {
            Some(format!("the clocks of peer {id} and this node differ by {} s", by.as_secs()))
        }
        MeshEvent::NoOutAddr => Some(
            "no address of this host can be dialled by others; bring an interface up, or set \
             `out_addr` in the builder"
                .to_string(),
        ),
        MeshEvent::HandlerPanicked { message } => Some(format!("a handler panicked: {message}")),
        _ => None,
    }
}
