//! Delivers a message to the program: the handlers first, then the queue of `recv`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use super::Handle;
use super::handlers::Handlers;
use crate::config::Config;
use crate::connection::Connection;
use crate::delivery::questions::Questions;
use crate::delivery::queue::{self, Inlet, queue};
use crate::delivery::topics::Topics;
use crate::events::MeshEvent;
use crate::link::batch::Delivered;
use crate::message::Message;
use crate::node::event::Neighbour;
use crate::runtime::core::Core;
use crate::runtime::relaying::Keeper;
use crate::runtime::sink::{Program, Sink};
use crate::stats::Stats;
use crate::trouble::Loss;
use crate::wire::Envelope;

/// A handler that takes longer is warned about.
const SLOW_HANDLER: Duration = Duration::from_millis(100);
/// While messages are being dropped, an event says so this often at most.
const LAG_EVERY: Duration = Duration::from_secs(1);

/// What the program and the daemon share: handlers and the queue.
pub(crate) struct Delivery {
    pub handlers: Handlers,
    pub outlet: queue::Outlet<Message>,
    pub questions: Arc<Questions>,
    pub topics: Topics,
    /// The user's handle, for messages that want to give it out.
    pub handle: OnceLock<Weak<Handle>>,
    /// Wakes a thread that has to notice that the socket closes.
    #[cfg(feature = "discovery")]
    wake_closed: OnceLock<Box<dyn Fn() + Send + Sync>>,
    handled: AtomicU64,
    ignored: AtomicU64,
    panics: AtomicU64,
}

/// The daemon's end of it.
pub(crate) struct Delivering {
    shared: Arc<Delivery>,
    inlet: Inlet<Message>,
    last_lag: Option<Instant>,
}

impl Delivery {
    pub fn new(config: &Config) -> (Delivering, Arc<Self>) {
        let (inlet, outlet) = queue(config);
        let shared = Arc::new(Delivery {
            handlers: Handlers::default(),
            outlet,
            questions: Arc::new(Questions::new(config)),
            topics: Topics::new(config),
            handle: OnceLock::new(),
            #[cfg(feature = "discovery")]
            wake_closed: OnceLock::new(),
            handled: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            panics: AtomicU64::new(0),
        });
        (Delivering { shared: Arc::clone(&shared), inlet, last_lag: None }, shared)
    }
}

#[cfg(feature = "discovery")]
impl Delivery {
    /// Has this called when the socket closes.
    pub fn when_closed(&self, wake: impl Fn() + Send + Sync + 'static) {
        // Set once, while binding.
        let _ = self.wake_closed.set(Box::new(wake));
    }
}

impl Drop for Delivering {
    fn drop(&mut self) {
        self.shared.topics.end();
    }
}

impl Program for Delivery {
    fn hurry(&self) {
        self.outlet.nudge();
        self.topics.hurry();
    }

    fn wait_for_end(&self, by: Instant) {
        self.outlet.wait_for_end(by);
    }

    fn close(&self) {
        self.outlet.close();
        self.questions.close();
        self.topics.close();
        #[cfg(feature = "discovery")]
        self.wake_closed.get().into_iter().for_each(|wake| wake());
    }

    fn drop_handlers(&self) {
        self.handlers.clear();
    }

    fn room(&self, message: u64) -> u64 {
        self.outlet.room_for(message).min(self.topics.room_for(message))
    }

    fn count(&self, stats: &mut Stats) {
        let waiting = self.outlet.receiver.len() as u64;
        stats.queued = self.outlet.queued.load(Relaxed);
        stats.dropped = self.outlet.dropped.load(Relaxed);
        stats.taken = stats.queued.saturating_sub(stats.dropped + waiting);
        stats.waiting = waiting;
        stats.handled = self.handled.load(Relaxed);
        stats.subscribed = self.topics.subscribed();
        stats.ignored = self.ignored.load(Relaxed);
        (stats.answers, stats.late_answers) = self.questions.counts();
        stats.panics = self.panics.load(Relaxed);
    }
}

impl Sink for Delivering {
    fn deliver(
        &mut self,
        core: &Arc<Core>,
        envelope: Box<Envelope>,
        from: &Neighbour,
    ) -> Delivered {
        let handle = self.shared.handle.get().cloned().unwrap_or_default();
        let message = Message::new(envelope, handle);
        core.trace.arrived(&message);
        let shared = &self.shared;
        let Some(message) = shared.questions.take(message, from) else {
            return Delivered::AtOnce;
        };
        let mut is_slow = !shared.handlers.is_empty();
        if is_slow {
            // Whoever waits for earlier messages does not wait for a handler.
            self.inlet.ring();
            shared.topics.ring();
            core.hold_up(Keeper::Handler);
        }
        let is_kept = is_slow && shared.run_handlers(core, &message, from);
        if is_slow {
            core.go_on();
        }
        if is_kept {
            shared.handled.fetch_add(1, Relaxed);
            return Delivered::Slowly;
        }
        let has_waited = Cell::new(false);
        let stop = || {
            has_waited.set(true);
            core.hold_up(Keeper::Queue);
            !core.phase.is_open()
        };
        let spread = shared.topics.put(&message, stop);
        is_slow |= spread.is_slow;
        if message.kind().is_ordinary() {
            let size = message.pinned();
            is_slow |= self.inlet.push(&shared.outlet, message, size, stop);
        } else if spread.is_wanted {
            shared.topics.count_subscribed();
        } else {
            shared.ignored.fetch_add(1, Relaxed);
            core.trace.ignored(&message);
        }
        if has_waited.get() {
            core.go_on();
        }
        if is_slow { Delivered::Slowly } else { Delivered::AtOnce }
    }

    fn delivered(&mut self) {
        self.inlet.ring();
        self.shared.topics.ring();
    }

    fn deadline(&self) -> Option<Instant> {
        let due = || self.last_lag.map_or_else(Instant::now, |last| last + LAG_EVERY);
        (self.inlet.has_dropped() || self.shared.topics.has_dropped()).then(due)
    }

    /// Says how many messages were dropped.
    fn tick(&mut self, core: &Core) {
        let dropped = self.inlet.take_dropped() + self.shared.topics.take_dropped();
        if dropped > 0 {
            self.last_lag = Some(Instant::now());
            core.report(MeshEvent::Lagged { dropped });
            core.losing(Loss::NotReceived);
        }
    }
}

impl Delivery {
    fn run_handlers(&self, core: &Core, message: &Message, from: &Neighbour) -> bool {
        let handle = self.handle.get().cloned().unwrap_or_default();
        let connection = Connection::new(from.clone(), handle);
        let begun = Instant::now();
        let is_kept = self.handlers.run(
            message,
            &connection,
            |number| core.trace.entering(number, &message.kind()),
            |number, panic| {
                self.panics.fetch_add(1, Relaxed);
                let message = format!("handler {number}: {panic}");
                core.report(MeshEvent::HandlerPanicked { message });
            },
        );
        let took = begun.elapsed();
        if took > SLOW_HANDLER {
            core.trace.slow_handler(took);
        }
        is_kept
    }
}
