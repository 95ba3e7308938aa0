//! What others leave for a link: frames to write, credit, orders, settings.

use std::sync::Arc;
use std::time::Duration;

use super::direct_write::DirectWrite;
use super::flow::{Credit, Hold, Load};
use super::outgoing::{Freed, Outgoing};
use super::pace::Taken;
use super::progress_report::ProgressReport;
use crate::cause::Cause;
use crate::config::Config;
use crate::node::LinkSettings;
use crate::node::Parcel;
use crate::node::event::PaceChange;
use crate::wire::{Method, Pacing, Total};

/// With this much to write, the system call is a small part of the work.
const ENOUGH: usize = 16 * 1024;

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
/// never held while waiting, nor together with the lock of another mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox<L, T> {
    pub outgoing: Outgoing<L, T>,
    pub burst: DirectWrite,
    credit: Credit,
    progress: ProgressReport,
    /// What the peer has reported since the link's thread looked.
    report: Option<Taken>,
    orders: Vec<Order<L>>,
    /// `None` before the handshake is done.
    settings: Option<Arc<LinkSettings>>,
}

/// What a link's thread finds on its mailbox.
#[derive(Debug)]
pub(crate) struct News<L> {
    pub orders: Vec<Order<L>>,
    pub settings: Option<Arc<LinkSettings>>,
}

/// What [`Mailbox::keep_pace`] found.
#[derive(Debug)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct PaceNews<L> {
    pub change: Option<PaceChange>,
    pub freed: Freed<L>,
    pub has_reported: bool,
    pub is_full: bool,
    /// Whether the peer is to be asked how far it is.
    pub asks: bool,
    /// What the peer is to be told.
    pub report: Option<Total>,
    /// Bytes of a frame that arrives, on average.
    pub frame: u64,
}

impl<L: PartialEq, T> Mailbox<L, T> {
    pub fn new(config: &Config) -> Self {
        Mailbox {
            outgoing: Outgoing::new(config),
            burst: DirectWrite::default(),
            credit: Credit::new(config),
            progress: ProgressReport::default(),
            report: None,
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
        if settings.tells_pace {
            self.outgoing.expect_reports();
        }
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

    /// What the link's thread would write, in bytes, if more of the program's messages may be about to
    /// follow; `None` otherwise, and when there is enough of it.
    pub fn gathered(&self) -> Option<usize> {
        let queued = self.outgoing.queued();
        (self.burst.goes_on() && queued < ENOUGH).then_some(queued)
    }

    pub fn may_read(&self) -> bool {
        self.credit.may_read()
    }

    /// This was read, and is taken: it is not for the daemon.
    pub fn read(&mut self, wire: Total) {
        self.progress.read(wire);
    }

    /// This was read, and goes to the daemon.
    pub fn take_credit(&mut self, now: Duration, load: Load) {
        self.credit.take(load.bytes);
        self.progress.read(load.wire);
        self.progress.hand_on(now, load.wire);
    }

    /// Returns credit: the daemon has dealt with this. Whether the link's thread is to be woken: it
    /// waits for nothing here unless its credit was spent, or the peer is to be told.
    #[must_use = "the link's thread may wait for this"]
    pub fn give_back(&mut self, load: Load) -> bool {
        let (could_read, had_news) = (self.credit.may_read(), self.progress.has_news());
        self.credit.give_back(load.bytes);
        self.progress.take_back(load.wire);
        !could_read && self.credit.may_read() || !had_news && self.progress.has_news()
    }

    /// Whether the peer is to be told that the daemon goes on slowly.
    pub fn tells_pace(&self, now: Duration) -> bool {
        self.progress.due().is_some_and(|due| due <= now)
    }

    /// The peer has a word about the pace. The link's thread is to be woken.
    pub fn hear(&mut self, word: Pacing) {
        match word {
            Pacing::HowFar => self.progress.ask(),
            Pacing::Taken { total, room } => self.report = Some(Taken { total, room }),
            Pacing::LeftBehind { .. } | Pacing::CaughtUp { .. } => {}
        }
    }

    /// Looks how fast the peer is, and whether it is to be told how fast we are; `None` if there is
    /// nothing to look at.
    pub fn keep_pace(&mut self, now: Duration) -> Option<PaceNews<L>> {
        let tells = self.settings.as_ref().is_some_and(|settings| settings.tells_pace);
        let is_due = tells && self.tells_pace(now);
        if self.report.is_none() && !is_due && self.outgoing.pace().is_quiet() {
            return None;
        }
        let report = self.report.take();
        let mut freed = Freed::default();
        if let Some(report) = report {
            freed.add(self.outgoing.reported(now, report));
        }
        let (change, more) = self.outgoing.judge(now);
        freed.add(more);
        Some(PaceNews {
            change,
            freed,
            has_reported: report.is_some(),
            is_full: self.outgoing.pace().is_full(),
            asks: self.outgoing.pace().asks(now),
            report: if is_due { self.progress.report(now) } else { None },
            frame: self.progress.frame(),
        })
    }

    /// When to look again, if nothing happens before.
    pub fn pace_deadline(&mut self) -> Option<Duration> {
        let tells = self.settings.as_ref().is_some_and(|settings| settings.tells_pace);
        let tell = if tells { self.progress.due() } else { None };
        [tell, self.outgoing.pace().deadline()].into_iter().flatten().min()
    }

    pub fn undigested(&self) -> usize {
        self.credit.undigested()
    }
}

/// How a mailbox is reached: through its lock in the runtime, directly in the simulator.
pub(crate) trait MailboxAccess<L, T> {
    fn with<R>(&mut self, ask: impl FnOnce(&mut Mailbox<L, T>) -> R) -> R;
}

impl<L, T> MailboxAccess<L, T> for &mut Mailbox<L, T> {
    fn with<R>(&mut self, ask: impl FnOnce(&mut Mailbox<L, T>) -> R) -> R {
        ask(self)
    }
}
