//! The daemon thread: takes batches that the links have read, which relays them, hands the messages to the
//! sink, and returns the links' credit. What it does with a batch is in `link::batch`; who relays while the
//! sink keeps it is in `relaying.rs`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::link::{Link, LinkRef, Mailbox};
use super::relaying::{Decider, Work};
use super::sink::Sink;
use crate::link::actions::{Mailboxes, Outcome};
use crate::link::batch::{Arrival, BatchHost, Decide, Delivered};
use crate::node::Event;
use crate::node::event::Item;

pub(crate) struct Daemon {
    core: Arc<Core>,
    sink: Box<dyn Sink>,
}

impl Daemon {
    pub fn new(core: Arc<Core>, sink: Box<dyn Sink>) -> Self {
        Daemon { core, sink }
    }

    pub fn run(mut self) {
        loop {
            let Some(work) = self.core.next_work() else {
                self.wait();
                continue;
            };
            self.core.wake_held();
            match work {
                Work::Batch(mut batch, _) => {
                    // The sink waits in place: nothing is given back.
                    batch.complete(&mut self);
                    self.sink.delivered();
                    self.tick_if_due();
                }
                Work::Finished(link) => self.core.tell(Event::Finished { link }),
                Work::Stop => break,
            }
        }
        self.sink.tick(&self.core);
    }

    /// Waits for work; meanwhile lets the sink report, when it is time to.
    fn wait(&mut self) {
        let core = &self.core;
        let look = || core.relaying.has_work().then_some(());
        if let Some(due) = self.sink.deadline() {
            if core.inbox.wait(Some(due), look).is_some() {
                return;
            }
            self.sink.tick(core);
        }
        let _ = core.inbox.wait(None, look);
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

impl Decide for Daemon {
    fn now(&self) -> Duration {
        self.core.clock.mono()
    }

    fn decide(&mut self, link: &Arc<Link>, items: Vec<((), Item)>) -> Outcome<Arc<Link>> {
        Decider { core: &self.core }.decide(link, items)
    }
}

impl BatchHost for Daemon {
    fn deliver(&mut self, (envelope, from): Arrival) -> Result<Delivered, Arrival> {
        Ok(self.sink.deliver(&self.core, envelope, &from))
    }
}
