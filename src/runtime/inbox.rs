//! The daemon's channel, and the bell that wakes the daemon.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::link::Link;
use crate::bell::Bell;
use crate::link::reading::Batch;
use crate::node::LinkId;

/// What the links put into the daemon's channel.
#[derive(Debug)]
pub(crate) enum Inbound {
    Batch(Arc<Link>, Batch<()>),
    /// The last message of a lost link was handed in before this.
    Finished(LinkId),
    /// Everything before this is to be dealt with; then the daemon's work is over.
    Stop,
}

/// The end of the links and of those who close the socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    sender: Sender<Inbound>,
    bell: Bell,
}

impl Inbox {
    pub fn new(capacity: usize) -> (Self, Receiver<Inbound>) {
        let (sender, receiver) = bounded(capacity);
        (Inbox { sender, bell: Bell::default() }, receiver)
    }

    /// Hands something to the daemon, or gives it back if there is no room.
    pub fn offer(&self, inbound: Inbound) -> Result<(), TrySendError<Inbound>> {
        let offered = self.sender.try_send(inbound);
        self.bell.ring(true);
        offered
    }

    /// Has the daemon stop; false if there was no room in time.
    pub fn stop(&self, by: Instant) -> bool {
        let is_sent = self.sender.send_deadline(Inbound::Stop, by).is_ok();
        self.bell.ring(true);
        is_sent
    }

    /// Wakes the daemon: something waits for it.
    pub fn ring(&self) {
        self.bell.ring(true);
    }

    pub fn is_empty(&self) -> bool {
        self.sender.is_empty()
    }

    /// Waits, in the daemon's thread, until `look` finds something; `None` at the deadline.
    pub fn wait<R>(&self, deadline: Option<Instant>, look: impl FnMut() -> Option<R>) -> Option<R> {
        self.bell.wait(deadline, look)
    }
}
