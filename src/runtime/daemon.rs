//! The daemon thread: takes decoded messages, has the node decide, relays, runs the handlers,
//! fills the queue, and gives the links their credit back.

use std::sync::Arc;
use std::sync::Weak;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::aftermath::Aftermath;
use super::core::Core;
use super::link::Link;
use super::queue::Inlet;
use super::reading::event;
use crate::connection::Connection;
use crate::events::MeshEvent;
use crate::message::Message;
use crate::node::event::Neighbour;
use crate::node::{Event, LinkId};
use crate::wire::{Envelope, Malformed};

/// A handler that takes longer is warned about.
const SLOW_HANDLER: Duration = Duration::from_millis(100);
/// While messages are being dropped, an event says so this often at most.
const LAG_EVERY: Duration = Duration::from_secs(1);

/// One frame that a link has read.
pub(crate) type Item = Result<Box<Envelope>, Malformed>;

/// What the links put into the daemon's channel.
#[derive(Debug)]
pub(crate) enum Inbound {
    Batch(Batch),
    /// The last message of a lost link was handed in before this.
    Finished(LinkId),
    /// Everything before this is to be dealt with; then the daemon's work is over.
    Stop,
}

/// Messages of one link, in their order.
#[derive(Debug)]
pub(crate) struct Batch {
    pub link: Arc<Link>,
    pub items: Vec<Item>,
    /// The credit that they took.
    pub bytes: usize,
}

impl Batch {
    pub fn append(&mut self, later: Batch) {
        self.items.extend(later.items);
        self.bytes += later.bytes;
    }
}

pub(crate) struct Daemon {
    core: Arc<Core>,
    inbox: Receiver<Inbound>,
    inlet: Inlet,
    last_lag: Option<Instant>,
}

impl Daemon {
    pub fn new(core: Arc<Core>, inbox: Receiver<Inbound>, inlet: Inlet) -> Self {
        Daemon { core, inbox, inlet, last_lag: None }
    }

    pub fn run(mut self) {
        while let Some(inbound) = self.next() {
            self.core.wake_held();
            match inbound {
                Inbound::Batch(batch) => self.digest(batch),
                Inbound::Finished(link) => self.core.tell(Event::Finished { link }),
                Inbound::Stop => break,
            }
        }
        self.report_lag(true);
    }

    /// Waits for work; meanwhile reports what was dropped, when it is time to.
    fn next(&mut self) -> Option<Inbound> {
        if self.inlet.has_dropped() {
            let due = self.last_lag.map_or_else(Instant::now, |last| last + LAG_EVERY);
            if let Ok(inbound) = self.inbox.recv_deadline(due) {
                return Some(inbound);
            }
            self.report_lag(true);
        }
        self.inbox.recv().ok()
    }

    /// Decide, relay, deliver, give the credit back.
    fn digest(&mut self, batch: Batch) {
        let Batch { link, items, bytes } = batch;
        let mut aftermath = self.decide(link.id, items);
        let deliver = std::mem::take(&mut aftermath.deliver);
        let pressed = std::mem::take(&mut aftermath.pressed);
        aftermath.run(&self.core);
        for (envelope, from) in deliver {
            self.deliver(envelope, from);
        }
        self.report_lag(false);
        if pressed.is_empty() {
            link.give_back(bytes);
        } else {
            link.hold(&self.core.config, self.core.clock.mono(), bytes, &pressed);
        }
    }

    /// The node decides on all of them under one lock; relays are in their queues afterwards.
    fn decide(&self, link: LinkId, items: Vec<Item>) -> Aftermath {
        let ((), aftermath) = self.core.step(|state, now| {
            items.into_iter().for_each(|item| state.node.handle(now, event(link, item)));
        });
        aftermath
    }

    fn deliver(&mut self, envelope: Box<Envelope>, from: Neighbour) {
        let handle = self.core.handle.get().cloned().unwrap_or_else(Weak::new);
        let message = Message::new(envelope, handle.clone());
        self.core.trace.arrived(&message);
        if !self.core.handlers.is_empty() && self.run_handlers(&message, &from, handle) {
            self.core.counters.handled();
        } else if message.kind().is_ordinary() {
            let core = &self.core;
            self.inlet.push(&core.outlet, message, || !core.phase.is_open());
        } else {
            self.core.counters.ignored();
            self.core.trace.ignored(&message);
        }
    }

    fn run_handlers(
        &self,
        message: &Message,
        from: &Neighbour,
        handle: Weak<crate::mesh_socket::Handle>,
    ) -> bool {
        let connection = Connection::new(from.clone(), handle);
        let begun = Instant::now();
        let core = &self.core;
        let is_kept = core.handlers.run(
            message,
            &connection,
            |number| core.trace.entering(number, message),
            |number, panic| {
                core.counters.panicked();
                let message = format!("handler {number}: {panic}");
                let event = MeshEvent::HandlerPanicked { message };
                core.trace.event(&event);
                core.journal.report(event);
            },
        );
        let took = begun.elapsed();
        if took > SLOW_HANDLER {
            core.trace.slow_handler(took);
        }
        is_kept
    }

    fn report_lag(&mut self, now: bool) {
        let is_due = now || self.last_lag.is_none_or(|last| last.elapsed() >= LAG_EVERY);
        if !is_due {
            return;
        }
        let dropped = self.inlet.take_dropped();
        if dropped > 0 {
            self.last_lag = Some(Instant::now());
            let event = MeshEvent::Lagged { dropped };
            self.core.trace.event(&event);
            self.core.journal.report(event);
        }
    }
}
