//! The daemon thread: takes decoded messages, has the node decide, relays, hands them to the sink,
//! and returns the links' credit. What it does with a batch is in `link::batch`.

use std::mem::take;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::core::Core;
use super::inbox::Inbound;
use super::link::{Link, LinkRef, Mailbox};
use super::sink::Sink;
use crate::link::actions::{Mailboxes, Outcome};
use crate::link::batch::{Arrival, BatchHost, BatchWork, Delivered};
use crate::node::Event;
use crate::node::event::Item;

pub(crate) struct Daemon {
    core: Arc<Core>,
    inbox: Receiver<Inbound>,
    sink: Box<dyn Sink>,
}

impl Daemon {
    pub fn new(core: Arc<Core>, inbox: Receiver<Inbound>, sink: Box<dyn Sink>) -> Self {
        Daemon { core, inbox, sink }
    }

    pub fn run(mut self) {
        while let Some(inbound) = self.next() {
            self.core.wake_held();
            match inbound {
                Inbound::Batch(link, batch) => {
                    // The sink waits in place: nothing is given back.
                    BatchWork::begin(&mut self, link, batch).complete(&mut self);
                    self.sink.delivered();
                    self.tick_if_due();
                }
                Inbound::Finished(link) => self.core.tell(Event::Finished { link }),
                Inbound::Stop => break,
            }
        }
        self.sink.tick(&self.core);
    }

    /// Waits for work; meanwhile lets the sink report, when it is time to.
    fn next(&mut self) -> Option<Inbound> {
        let look = || self.inbox.try_recv().ok();
        if let Some(due) = self.sink.deadline() {
            let inbound = self.core.inbox.wait(Some(due), look);
            if inbound.is_some() {
                return inbound;
            }
            self.sink.tick(&self.core);
        }
        self.core.inbox.wait(None, look)
    }

    fn tick_if_due(&mut self) {
        if self.sink.deadline().is_some_and(|due| due <= Instant::now()) {
            self.sink.tick(&self.core);
        }
    }
}

impl Mailboxes for Daemon {
    type Tag = ();
    type LinkRef = LinkRef;
    type Link = Arc<Link>;

    fn refer(link: &Arc<Link>) -> LinkRef {
        LinkRef::to(link)
    }

    fn mailbox<R>(&mut self, link: &Arc<Link>, ask: impl FnOnce(&mut Mailbox) -> R) -> Option<R> {
        Some(link.mailbox(ask))
    }

    fn wake(&mut self, link: &Arc<Link>) {
        link.wake();
    }
}

impl BatchHost for Daemon {
    fn now(&self) -> Duration {
        self.core.clock.mono()
    }

    /// Takes the node's lock once for all of them.
    fn decide(&mut self, link: &Arc<Link>, items: Vec<((), Item)>) -> Outcome<Arc<Link>> {
        touch_all(&items);
        let ((), mut after) = self.core.step(|state, now| {
            for ((), item) in items {
                state.node.handle(now, Event::read(link.id, item));
            }
        });
        let outcome = &mut after.outcome;
        let (deliver, throttling) = (take(&mut outcome.deliver), take(&mut outcome.throttling));
        after.run(&self.core);
        Outcome { deliver, throttling, ..Outcome::default() }
    }

    fn deliver(&mut self, (envelope, from): Arrival) -> Result<Delivered, Arrival> {
        Ok(self.sink.deliver(&self.core, envelope, &from))
    }
}

/// Brings messages, which another thread read, to this one's core: all at once, rather than one after
/// the other while the node's lock is held.
fn touch_all(items: &[((), Item)]) {
    let touched = items.iter().flat_map(|((), item)| item).map(|envelope| envelope.touch());
    std::hint::black_box(touched.fold(0, usize::wrapping_add));
}
