//! Gives a link's machine its node, daemon and clock: the core, behind its locks.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::TrySendError;
use parking_lot::Mutex;

use super::core::Core;
use super::inbox::Inbound;
use super::link::{Link, LinkRef, Mailbox};
use super::stream::Stream;
use crate::config::Config;
use crate::link::host::Host;
use crate::link::outgoing::Freed;
use crate::link::reading::{Batch, Head};
use crate::link::writing::Writing;
use crate::node::event::Item;
use crate::node::{Event, LinkId};
use crate::trouble::Loss;

pub(super) struct LinkHost<'a> {
    pub core: &'a Arc<Core>,
    pub link: &'a Arc<Link>,
}

impl Host<LinkRef, ()> for LinkHost<'_> {
    type Stream<'a> = Stream;
    type Mailbox<'a> = &'a Mutex<Mailbox>;

    fn link(&self) -> LinkId {
        self.link.id
    }

    fn config(&self) -> &Config {
        &self.core.config
    }

    fn now(&self) -> Duration {
        self.core.clock.mono()
    }

    fn mailbox<R>(&mut self, ask: impl FnOnce(&mut Mailbox) -> R) -> R {
        self.link.mailbox(ask)
    }

    fn port<R>(
        &mut self,
        ask: impl FnOnce(&mut Stream, &mut Writing<()>, &Mutex<Mailbox>) -> R,
    ) -> Option<R> {
        self.link.with_port(ask)
    }

    fn close_port(&mut self) {
        self.link.close_port();
    }

    fn moved_above_bound(&self, link: &LinkRef) -> Option<u64> {
        link.upgrade()?.mailbox(|mailbox| mailbox.outgoing.moved_above_bound())
    }

    fn wake_freed(&mut self, freed: Freed<LinkRef>) {
        self.link.wake_freed(freed);
    }

    fn hold(&mut self, partial: usize) -> bool {
        self.core.hold(self.link, partial)
    }

    fn unpack<R>(&mut self, most: usize, unpack: impl FnOnce() -> R) -> Option<R> {
        self.core.unpack(self.link, most, unpack)
    }

    fn count_read(&mut self, bytes: usize) {
        self.core.counters.read(bytes as u64);
    }

    fn count_written(&mut self, bytes: u64) {
        self.core.counters.wrote(bytes);
    }

    fn count_unsent(&mut self, frames: impl Iterator<Item = ()>) {
        self.core.counters.left_unsent(frames.count());
    }

    fn note_loss(&mut self) {
        self.core.losing(Loss::Unsent);
    }

    fn next_tag(&mut self) {}

    fn room(&self, frame: u64) -> u64 {
        self.core.outlet.room(frame)
    }

    fn tell(&mut self, event: Event) {
        self.core.tell(event);
    }

    fn tell_item(&mut self, (): (), item: Item) {
        if let Ok(envelope) = &item {
            self.core.trace.control(self.link.id, envelope);
        }
        self.core.tell(Event::read(self.link.id, item));
    }

    fn drop_duplicates(&mut self, heads: &mut Vec<Head<()>>) {
        let count = heads.len();
        self.core.drop_duplicates(self.link.id, heads);
        self.core.trace.duplicates(self.link.id, count - heads.len());
    }

    fn offer(&mut self, batch: Batch<()>) -> Result<(), Batch<()>> {
        let offered = self.core.inbox.offer(Inbound::Batch(Arc::clone(self.link), batch));
        self.core.relay_on();
        match offered {
            Err(TrySendError::Full(Inbound::Batch(_, batch))) => {
                self.core.note_held();
                Err(batch)
            }
            // If the daemon is gone, the socket is closing.
            _ => Ok(()),
        }
    }

    fn offer_end(&mut self) -> bool {
        match self.core.inbox.offer(Inbound::Finished(self.link.id)) {
            Err(TrySendError::Full(_)) => {
                self.core.note_held();
                false
            }
            // If the daemon is gone, nobody counts any more.
            _ => true,
        }
    }
}
