//! What the daemon does with a batch that a link has read: decide and relay, deliver, return the
//! credit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::actions::{Desks, Outcome};
use super::desk::Order;
use super::flow::Hold;
use super::reading::Batch;
use crate::node::event::{Item, Neighbour};
use crate::wire::Envelope;

/// A message with the peer that it came from.
pub(crate) type Delivery = (Box<Envelope>, Arc<Neighbour>);

/// The surroundings of the daemon.
pub(crate) trait Daemon: Desks {
    fn now(&self) -> Duration;

    /// Has the node decide on all of these; relays are in their queues when it returns.
    fn decide(&mut self, link: &Self::Link, items: Vec<(Self::Tag, Item)>) -> Outcome<Self::Link>;

    /// Delivers a message, or gives it back if that has to wait.
    fn deliver(&mut self, delivery: Delivery) -> Result<(), Delivery>;
}

/// A batch that is decided, and being delivered.
#[derive(Debug)]
pub(crate) struct Digest<L> {
    source: L,
    bytes: usize,
    throttling: Vec<L>,
    deliver: VecDeque<Delivery>,
}

impl<L: Clone + PartialEq> Digest<L> {
    pub fn begin<D: Daemon<Link = L>>(daemon: &mut D, source: L, batch: Batch<D::Tag>) -> Self {
        let outcome = daemon.decide(&source, batch.items);
        let (deliver, throttling) = (outcome.deliver.into(), outcome.throttling);
        Digest { source, bytes: batch.bytes, throttling, deliver }
    }

    /// Delivers, then returns the credit; false if a message has to wait: then this is to be called
    /// again.
    pub fn complete<D: Daemon<Link = L>>(&mut self, daemon: &mut D) -> bool {
        while let Some(next) = self.deliver.pop_front() {
            if let Err(back) = daemon.deliver(next) {
                self.deliver.push_front(back);
                return false;
            }
        }
        self.return_credit(daemon);
        true
    }

    /// Lets the link read on, unless it filled other links' queues above their bounds.
    fn return_credit<D: Daemon<Link = L>>(&mut self, daemon: &mut D) {
        let bytes = std::mem::take(&mut self.bytes);
        let hold = self.hold(daemon, bytes);
        let is_awaited = daemon.desk(&self.source, |desk| {
            if hold.is_empty() {
                return desk.give_back(bytes);
            }
            desk.order(Order::Hold(hold));
            true
        });
        if is_awaited == Some(true) {
            daemon.wake(&self.source);
        }
    }

    fn hold<D: Daemon<Link = L>>(&self, daemon: &mut D, bytes: usize) -> Hold<D::LinkRef> {
        let mut hold = Hold::new(bytes);
        let now = daemon.now();
        for target in &self.throttling {
            let source = D::refer(&self.source);
            let wait = daemon.desk(target, |desk| desk.outgoing.throttle(source, now, bytes));
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
