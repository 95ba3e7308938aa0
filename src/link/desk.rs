//! What others leave for a link: frames to write, credit, orders, settings.

use std::sync::Arc;
use std::time::Duration;

use super::burst::Burst;
use super::flow::{Credit, Hold};
use super::outgoing::Outgoing;
use crate::cause::Cause;
use crate::config::Config;
use crate::node::LinkSettings;
use crate::node::Parcel;
use crate::wire::Method;

/// What the node or the daemon wants of a link. `L` refers to another link.
#[derive(Debug)]
pub(crate) enum Order<L> {
    /// End at once: what can be written without waiting is.
    Close(Cause),
    /// End by draining: finish what was begun, stop writing, deliver what arrives to its end.
    Retire,
    /// End when all is written, or at this time.
    Linger { until: Duration },
    /// The peer could not read the last message.
    Resend,
    /// Keep this credit back until the queues that it was relayed into have drained.
    Hold(Hold<L>),
}

/// The half of a link that other threads touch. In the runtime it is behind one lock, which is
/// never held while waiting, nor together with the lock of another desk.
#[derive(Debug)]
pub(crate) struct Desk<L, T> {
    pub outgoing: Outgoing<L, T>,
    pub burst: Burst,
    credit: Credit,
    orders: Vec<Order<L>>,
    /// `None` before the handshake is done.
    settings: Option<Arc<LinkSettings>>,
}

/// What a link's thread finds on its desk.
#[derive(Debug)]
pub(crate) struct News<L> {
    pub orders: Vec<Order<L>>,
    pub settings: Option<Arc<LinkSettings>>,
}

impl<L: PartialEq, T> Desk<L, T> {
    pub fn new(config: &Config) -> Self {
        Desk {
            outgoing: Outgoing::new(config),
            burst: Burst::default(),
            credit: Credit::new(config),
            orders: Vec::new(),
            settings: None,
        }
    }

    /// Leaves an order. The link's thread is to be woken.
    pub fn order(&mut self, order: Order<L>) {
        self.orders.push(order);
    }

    pub fn has_orders(&self) -> bool {
        !self.orders.is_empty()
    }

    pub fn take_news(&mut self) -> News<L> {
        News { orders: std::mem::take(&mut self.orders), settings: self.settings.clone() }
    }

    /// Whether a link that is not up yet has to end, and why.
    pub fn ended_early(&self) -> Option<Cause> {
        self.orders.first().map(|order| match order {
            Order::Close(cause) => cause.clone(),
            _ => Cause::Closed,
        })
    }

    /// From now on the link's messages are handed to the daemon.
    pub fn set(&mut self, settings: LinkSettings) {
        self.settings = Some(Arc::new(settings));
    }

    pub fn settings(&self) -> Option<&Arc<LinkSettings>> {
        self.settings.as_ref()
    }

    /// The next parcels to write, up to about this many bytes, and how they are compressed.
    pub fn take(&mut self, most: usize, parcels: &mut Vec<(Parcel, T)>) -> Option<Method> {
        self.outgoing.take(most, |parcel, tag| parcels.push((parcel, tag)));
        self.send_method()
    }

    pub fn send_method(&self) -> Option<Method> {
        self.settings.as_ref().and_then(|settings| settings.send)
    }

    /// Whether the thread that has just queued a message is to write it, rather than the link's.
    pub fn writes_now(&self) -> bool {
        self.burst.writes_now(self.outgoing.queued())
    }

    pub fn may_read(&self) -> bool {
        self.credit.may_read()
    }

    pub fn take_credit(&mut self, bytes: usize) {
        self.credit.take(bytes);
    }

    /// Returns credit: the daemon has dealt with this many bytes. Whether the link's thread is to
    /// be woken: it waits for nothing here unless its credit was spent.
    #[must_use = "the link's thread may wait for this"]
    pub fn give_back(&mut self, bytes: usize) -> bool {
        let could_read = self.credit.may_read();
        self.credit.give_back(bytes);
        !could_read && self.credit.may_read()
    }

    #[cfg(any(test, feature = "sim"))]
    pub fn undigested(&self) -> usize {
        self.credit.undigested()
    }
}

/// How a desk is reached: through its lock in the runtime, directly in the simulator.
pub(crate) trait DeskAccess<L, T> {
    fn with<R>(&mut self, ask: impl FnOnce(&mut Desk<L, T>) -> R) -> R;
}

impl<L, T> DeskAccess<L, T> for &mut Desk<L, T> {
    fn with<R>(&mut self, ask: impl FnOnce(&mut Desk<L, T>) -> R) -> R {
        ask(self)
    }
}
