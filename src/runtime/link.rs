//! A link as other threads see it: put something in, wake it, give it orders.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use mio::{Poll, Token, Waker};
use parking_lot::Mutex;

use super::counters::Counters;
use super::outbox::Outbox;
use super::writer::{Flushed, Writer};
use crate::config::Config;
use crate::events::Cause;
use crate::link::flow::{Credit, Hold};
use crate::node::{LinkId, Terms};

/// The poll's token for the waker; the stream's is [`STREAM`].
pub(super) const WAKE: Token = Token(0);
pub(super) const STREAM: Token = Token(1);

/// What the node wants of a link's thread.
#[derive(Debug)]
pub(crate) enum Order {
    /// End at once: what can be written without waiting is.
    Close(Cause),
    /// End by draining: finish what was begun, stop writing, deliver what arrives to its end.
    Retire,
    /// End when all is written, or at this time.
    Linger { until: Duration },
    /// The peer could not read the last message.
    Resend,
}

/// What waiting for a queue led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    Written,
    /// The link ends, or gave way: what was queued may be on another link.
    Ended,
    TimedOut,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub id: LinkId,
    pub outbox: Outbox,
    /// `None` until the stream is up. Never held while waiting.
    pub writer: Mutex<Option<Writer>>,
    pub terms: Mutex<Option<Terms>>,
    intake: Mutex<Intake>,
    orders: Mutex<Vec<Order>>,
    is_established: AtomicBool,
    is_woken: AtomicBool,
    waker: Waker,
}

/// What the link read and the daemon has not dealt with, or deliberately keeps back.
#[derive(Debug)]
struct Intake {
    credit: Credit,
    holds: Vec<Hold<Weak<Link>>>,
}

impl Link {
    pub fn new(id: LinkId, poll: &Poll, config: &Config) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Link {
            id,
            outbox: Outbox::new(config),
            writer: Mutex::new(None),
            terms: Mutex::new(None),
            intake: Mutex::new(Intake { credit: Credit::new(config), holds: Vec::new() }),
            orders: Mutex::new(Vec::new()),
            is_established: AtomicBool::new(false),
            is_woken: AtomicBool::new(false),
            waker: Waker::new(poll.registry(), WAKE)?,
        }))
    }

    /// Has the link's thread look at its outbox and its orders.
    pub fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            // A waker fails only if the poll is gone, and then so is the thread.
            let _ = self.waker.wake();
        }
    }

    /// The thread is looking: later wakes count again.
    pub(super) fn woken(&self) {
        self.is_woken.store(false, Ordering::Release);
    }

    /// Writes what waits, here and now, if nobody else is writing; otherwise the link's thread
    /// does. Saves a switch of threads; never waits.
    pub fn write_now(&self, counters: &Counters) {
        let Some(mut writer) = self.writer.try_lock() else { return self.wake() };
        let is_plain = self.send_method().is_none();
        let flushed = match writer.as_mut() {
            Some(writer) if is_plain => writer.flush(&self.outbox, None, counters),
            _ => return self.wake(),
        };
        // Whatever is left, or wrong, is the thread's business.
        if !matches!(flushed, Ok(Flushed::Empty)) {
            self.wake();
        }
    }

    /// Waits until all that is queued now was handed to the system, or the link ends.
    pub fn flush(&self, deadline: Instant) -> Flush {
        let mut mark = self.outbox.mark();
        let is_taken = self.outbox.watch(deadline, || self.outbox.has_passed(&mut mark));
        // Encryption has a buffer of its own, below the queue.
        let written = || self.writer.lock().as_ref().map(Writer::written);
        let goal = self.writer.lock().as_ref().map(|writer| writer.written() + writer.rest());
        let is_sent = is_taken
            && self
                .outbox
                .watch(deadline, || written().is_none_or(|written| Some(written) >= goal));
        match (is_sent, self.outbox.is_sealed()) {
            (false, _) => Flush::TimedOut,
            (true, true) => Flush::Ended,
            (true, false) => Flush::Written,
        }
    }

    pub fn send_method(&self) -> Option<crate::wire::Method> {
        self.terms.lock().as_ref().and_then(|terms| terms.send)
    }

    pub fn order(&self, order: Order) {
        self.orders.lock().push(order);
        self.wake();
    }

    pub(super) fn take_orders(&self) -> Vec<Order> {
        std::mem::take(&mut *self.orders.lock())
    }

    pub(super) fn has_orders(&self) -> bool {
        !self.orders.lock().is_empty()
    }

    /// From now on its messages are handed to the daemon.
    pub fn establish(&self, terms: Terms) {
        *self.terms.lock() = Some(terms);
        self.is_established.store(true, Ordering::Release);
    }

    pub fn is_established(&self) -> bool {
        self.is_established.load(Ordering::Acquire)
    }

    pub(super) fn credit(&self) -> usize {
        self.intake.lock().credit.left()
    }

    pub(super) fn may_read(&self) -> bool {
        self.credit() > 0
    }

    pub(super) fn take_credit(&self, bytes: usize) {
        self.intake.lock().credit.take(bytes);
    }

    /// The daemon has dealt with this much: read on.
    pub fn give_back(&self, bytes: usize) {
        let mut intake = self.intake.lock();
        let could_read = intake.credit.may_read();
        intake.credit.give_back(bytes);
        if !could_read && intake.credit.may_read() {
            drop(intake);
            self.wake();
        }
    }

    /// Keeps this much credit back, because what it was for went into queues above their bounds.
    pub fn hold(
        self: &Arc<Self>,
        config: &Config,
        now: Duration,
        bytes: usize,
        targets: &[Arc<Link>],
    ) {
        let mut hold = Hold::new(bytes);
        for target in targets {
            if let Some(wait) = target.outbox.press(self, config, now, bytes) {
                hold.add(wait, Arc::downgrade(target));
            }
        }
        self.intake.lock().holds.push(hold);
        self.wake();
    }

    /// Gives back what need not be held any longer; when to look again.
    pub(super) fn release_holds(&self, now: Duration) -> Option<Duration> {
        let mut intake = self.intake.lock();
        let Intake { credit, holds } = &mut *intake;
        holds.retain_mut(|hold| {
            let keep = hold.goes_on(now, |target| target.upgrade()?.outbox.pressed());
            if !keep {
                credit.give_back(hold.bytes);
            }
            keep
        });
        holds.iter().filter_map(Hold::until).min()
    }
}
