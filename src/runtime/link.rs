//! A link as other threads see it: put something in, wake it, give it orders.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use mio::{Poll, Token, Waker};
use parking_lot::Mutex;

use super::outbox::Outbox;
use super::writer::{Flushed, Writer};
use crate::config::Config;
use crate::events::Cause;
use crate::node::flow::Credit;
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
    holds: Vec<Hold>,
}

/// Credit that is kept back because a relay pushed another link's queue above its bound.
#[derive(Debug)]
struct Hold {
    bytes: usize,
    until: Duration,
    target: Weak<Link>,
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
    pub fn write_now(&self) {
        let Some(mut writer) = self.writer.try_lock() else { return self.wake() };
        let is_plain = self.send_method().is_none();
        let flushed = match writer.as_mut() {
            Some(writer) if is_plain => writer.flush(&self.outbox, None),
            _ => return self.wake(),
        };
        // Whatever is left, or wrong, is the thread's business.
        if !matches!(flushed, Ok(Flushed::Empty)) {
            self.wake();
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

    pub(super) fn may_read(&self) -> bool {
        self.intake.lock().credit.may_read()
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

    /// Keeps this much credit back until the target's queue is below its bound, or until then.
    pub fn hold(self: &Arc<Self>, bytes: usize, until: Duration, target: &Arc<Link>) {
        if !target.outbox.press(self) {
            return self.give_back(bytes);
        }
        let hold = Hold { bytes, until, target: Arc::downgrade(target) };
        self.intake.lock().holds.push(hold);
        self.wake();
    }

    /// Gives back what need not be held any longer; when to look again.
    pub(super) fn release_holds(&self, now: Duration) -> Option<Duration> {
        let mut intake = self.intake.lock();
        let Intake { credit, holds } = &mut *intake;
        holds.retain(|hold| {
            let is_pressed = hold.target.upgrade().is_some_and(|link| link.outbox.is_pressed());
            let keep = now < hold.until && is_pressed;
            if !keep {
                credit.give_back(hold.bytes);
            }
            keep
        });
        holds.iter().map(|hold| hold.until).min()
    }
}
