//! What receiving does, from the queue of the socket or of a subscription.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::delivery::queue::{Outlet, Waited};
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::message::Message;
use crate::runtime::core::Core;

/// A queue, and the socket that fills it.
pub(crate) struct Intake<'a> {
    pub core: &'a Core,
    pub outlet: &'a Outlet<Message>,
}

impl Intake<'_> {
    pub fn recv(self) -> Result<Message, RecvError> {
        if !self.is_home() {
            return Err(RecvError::Forked);
        }
        if self.core.threads.is_mine() {
            return Err(RecvError::WouldDeadlock);
        }
        if let Some(message) = self.outlet.try_take() {
            self.outlet.ask();
            return Ok(message);
        }
        match self.outlet.wait(None) {
            Waited::Message(message) => Ok(message),
            Waited::Closed | Waited::TimedOut => Err(RecvError::Closed),
        }
    }

    pub fn try_recv(self) -> Result<Message, TryRecvError> {
        if !self.is_home() {
            return Err(TryRecvError::Forked);
        }
        self.outlet.ask();
        let is_closed = self.outlet.is_closed();
        match self.outlet.try_take() {
            Some(message) => Ok(message),
            None if is_closed => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    pub fn recv_timeout(self, timeout: Duration) -> Result<Message, RecvTimeoutError> {
        if !self.is_home() {
            return Err(RecvTimeoutError::Forked);
        }
        if self.core.threads.is_mine() {
            return Err(RecvTimeoutError::WouldDeadlock);
        }
        if let Some(message) = self.outlet.try_take() {
            self.outlet.ask();
            return Ok(message);
        }
        // A timeout that the clock cannot express is no timeout.
        match self.outlet.wait(Instant::now().checked_add(timeout)) {
            Waited::Message(message) => Ok(message),
            Waited::TimedOut => Err(RecvTimeoutError::Timeout),
            Waited::Closed => Err(RecvTimeoutError::Closed),
        }
    }

    pub fn recv_many(self, count: usize) -> Result<Vec<Message>, RecvError> {
        if !self.is_home() {
            return Err(RecvError::Forked);
        }
        self.outlet.ask();
        let is_closed = self.outlet.is_closed();
        let messages: Vec<Message> =
            std::iter::from_fn(|| self.outlet.try_take()).take(count).collect();
        if messages.is_empty() && is_closed && count > 0 {
            return Err(RecvError::Closed);
        }
        Ok(messages)
    }

    pub fn receiver(self) -> Receiver<Message> {
        self.outlet.ask();
        self.outlet.receiver.clone()
    }

    /// Whether this is the process that bound the socket; asks for it now and then only.
    fn is_home(&self) -> bool {
        self.core.phase.is_home_at(self.core.clock.mono())
    }
}
