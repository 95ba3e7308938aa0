//! What the daemon does with a batch that a link has read: decide and relay, deliver, return the
//! credit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::actions::{Mailboxes, Outcome};
use super::flow::{Hold, Load};
use super::mailbox::{Mailbox, Order};
use super::reading::Batch;
use crate::node::event::{Item, Neighbour};
use crate::wire::Envelope;

/// A message with the peer that it came from.
pub(crate) type Arrival = (Box<Envelope>, Arc<Neighbour>);

/// Who has the node decide on a batch.
pub(crate) trait Decide: Mailboxes {
    fn now(&self) -> Duration;

    /// Has the node decide on all of these; relays are in their queues when it returns.
    fn decide(&mut self, link: &Self::Link, items: Vec<(Self::Tag, Item)>) -> Outcome<Self::Link>;
}

/// The surroundings of the daemon.
pub(crate) trait BatchHost: Decide {
    /// Delivers a message, or gives it back if that has to wait.
    fn deliver(&mut self, delivery: Arrival) -> Result<Delivered, Arrival>;
}

/// How a message was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    AtOnce,
    /// A program took its time: the peer is to know how far we are.
    Slowly,
}

/// A batch that is decided, and being delivered.
#[derive(Debug)]
pub(crate) struct BatchWork<L> {
    source: L,
    load: Load,
    /// A message had to wait.
    is_slow: bool,
    throttling: Vec<L>,
    deliver: VecDeque<Arrival>,
}

impl<L: Clone + PartialEq> BatchWork<L> {
    pub fn begin<D: Decide<Link = L>>(daemon: &mut D, source: L, batch: Batch<D::Tag>) -> Self {
        let outcome = daemon.decide(&source, batch.items);
        let (deliver, throttling) = (outcome.deliver.into(), outcome.throttling);
        BatchWork { source, load: batch.load, is_slow: false, throttling, deliver }
    }

    /// Delivers, then returns the credit; false if a message has to wait: then this is to be called
    /// again.
    pub fn complete<D: BatchHost<Link = L>>(&mut self, daemon: &mut D) -> bool {
        while let Some(next) = self.deliver.pop_front() {
            match daemon.deliver(next) {
                Ok(delivered) => self.is_slow |= delivered == Delivered::Slowly,
                Err(back) => {
                    self.deliver.push_front(back);
                    self.is_slow = true;
                    return false;
                }
            }
            if self.is_slow && self.throttling.is_empty() {
                let part = self.load.take_part(self.deliver.len().saturating_add(1));
                let now = daemon.now();
                let tell = |mailbox: &mut Mailbox<_, _>| {
                    mailbox.give_back(part) || mailbox.tells_pace(now)
                };
                if daemon.mailbox(&self.source, tell) == Some(true) {
                    daemon.wake(&self.source);
                }
            }
        }
        self.return_credit(daemon);
        true
    }

    /// Lets the link read on, unless it filled other links' queues above their bounds. Returns how many
    /// bytes the credit was for.
    pub fn return_credit<D: Decide<Link = L>>(&mut self, daemon: &mut D) -> usize {
        let load = std::mem::take(&mut self.load);
        let hold = self.hold(daemon, load);
        if hold.is_empty() {
            give_back(daemon, &self.source, load);
        } else {
            daemon.mailbox(&self.source, |mailbox| mailbox.order(Order::Hold(hold)));
            daemon.wake(&self.source);
        }
        self.throttling.clear();
        load.bytes
    }

    fn hold<D: Decide<Link = L>>(&self, daemon: &mut D, load: Load) -> Hold<D::LinkRef> {
        let (mut hold, bytes) = (Hold::new(load), load.bytes);
        let now = daemon.now();
        for target in &self.throttling {
            let source = D::refer(&self.source);
            let wait =
                daemon.mailbox(target, |mailbox| mailbox.outgoing.throttle(source, now, bytes));
            if let Some(wait) = wait.flatten() {
                hold.add(wait, D::refer(target));
            }
        }
        hold
    }

    /// Messages that are still to be delivered.
    #[cfg(feature = "sim")]
    pub fn waiting(&self) -> usize {
        self.deliver.len()
    }
}

fn give_back<D: Decide>(daemon: &mut D, source: &D::Link, load: Load) {
    if daemon.mailbox(source, |mailbox| mailbox.give_back(load)) == Some(true) {
        daemon.wake(source);
    }
}
