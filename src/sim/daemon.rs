//! The daemon of a process: what it does with a batch is in `crate::link::batch`. And the
//! application that takes what it delivers.

use std::sync::Weak;
use std::time::Duration;

use super::actions::Acting;
use super::ledger::Tag;
use super::process::{Daemon, Inbound};
use super::schedule::{Happening, ProcessId};
use super::setup::RelayRule;
use super::world::World;
use crate::link::actions::{Outcome, put};
use crate::link::batch::{Arrival, BatchHost, BatchWork, Decide, Delivered};
use crate::message::Message;
use crate::node::event::Item;
use crate::node::{Event, LinkId, Parcel};

impl Decide for Acting<'_> {
    fn now(&self) -> Duration {
        self.world.shared.schedule.now()
    }

    fn decide(&mut self, link: &LinkId, items: Vec<(Tag, Item)>) -> Outcome<LinkId> {
        let mut all = Outcome::default();
        for (tag, item) in items {
            let outcome = self.world.decide(self.pid, *link, tag, item);
            all.deliver.extend(outcome.deliver);
            all.throttling.extend(outcome.throttling);
            outcome.write.into_iter().for_each(|link| self.world.wake(self.pid, link));
        }
        all.throttling.sort();
        all.throttling.dedup();
        all
    }
}

impl BatchHost for Acting<'_> {
    fn deliver(&mut self, (envelope, from): Arrival) -> Result<Delivered, Arrival> {
        let message = Message::new(envelope, Weak::new());
        match self.world.hand_over(self.pid, message) {
            Ok(()) => Ok(Delivered::AtOnce),
            Err(back) => Err((back.into_envelope(), from)),
        }
    }
}

impl Daemon {
    /// Takes what is next of the link whose turn it is. A turn costs its bytes; in a process it is the time.
    fn next(&mut self) -> Option<Inbound> {
        let link = self.inbox.choose()?;
        let inbound = self.inbox.take(link)?;
        let cost = match &inbound {
            Inbound::Batch { batch, .. } => batch.load.bytes,
            Inbound::Finished(_) => 0,
        };
        self.inbox.charge(link, cost as u64);
        Some(inbound)
    }
}

impl World {
    pub(super) fn work_on_batch(&mut self, pid: ProcessId) {
        self.processes[pid].daemon.is_planned = false;
        if self.processes[pid].daemon.in_hand.is_none() {
            let Some(inbound) = self.processes[pid].daemon.next() else { return };
            self.wake_held(pid);
            match inbound {
                Inbound::Batch { link, from, batch } => {
                    self.processes[pid].daemon.from = Some(from);
                    let mut daemon = Acting { world: self, pid, tag: None };
                    let work = BatchWork::begin(&mut daemon, link, batch);
                    self.processes[pid].daemon.in_hand = Some(work);
                }
                Inbound::Finished(link) => self.tell(pid, Event::Finished { link }),
            }
        }
        if let Some(mut work) = self.processes[pid].daemon.in_hand.take()
            && !work.complete(&mut Acting { world: self, pid, tag: None })
        {
            self.processes[pid].daemon.in_hand = Some(work);
        }
        self.plan_take(pid);
        let daemon = &self.processes[pid].daemon;
        if daemon.in_hand.is_none() && !daemon.inbox.is_empty() {
            self.plan_digest(pid);
        }
    }

    /// There is room in the channel again.
    fn wake_held(&mut self, pid: ProcessId) {
        if std::mem::take(&mut self.processes[pid].daemon.has_held) {
            let links: Vec<LinkId> = self.processes[pid].links.keys().copied().collect();
            links.into_iter().for_each(|link| self.wake(pid, link));
        }
    }

    /// The node decides on one message; relays are in their queues afterwards.
    fn decide(
        &mut self,
        pid: ProcessId,
        link: LinkId,
        tag: Tag,
        mut item: Item,
    ) -> Outcome<LinkId> {
        self.shared.ledger.arrived(tag);
        if let Ok(envelope) = &mut item {
            self.shared.ledger.share_memory(tag, envelope);
        }
        let from = self.processes[pid].daemon.from.unwrap_or(pid);
        let back = self.way_back(pid, link, &item);
        let again = self.said_again(pid, link, &item);
        let before = tag.map(|_| self.processes[pid].node.counters().clone());
        let event = Event::read(link, item);
        let ((), mut outcome) = self.ask(pid, tag, |node, now| node.handle(now, event));
        let why = before.and_then(|before| self.turned_down(pid, &before));
        let is_delivered = !outcome.deliver.is_empty();
        self.account(pid, (from, link), tag, why, is_delivered);
        if let Some(parcel) = back.filter(|_| is_delivered) {
            self.shared.ledger.put(tag);
            let now = self.clock(pid);
            put(&mut Acting { world: self, pid, tag }, now, link, parcel, tag, &mut outcome);
        }
        if let Some(parcel) = again.filter(|_| is_delivered) {
            self.misbehave(pid, tag, &parcel, &mut outcome);
        }
        outcome
    }

    /// What py2p's rule sends besides: the copy back to the neighbour that the message came from,
    /// if that is not who sent it first.
    fn way_back(&self, pid: ProcessId, link: LinkId, item: &Item) -> Option<Parcel> {
        let envelope = item.as_ref().ok()?;
        let is_py2p = self.relay_rule == RelayRule::Py2p && envelope.main.is_relayed();
        let settings = self.processes[pid].links.get(&link)?.mailbox.settings()?;
        (is_py2p && settings.peer != envelope.sender).then(|| Parcel::Relay(envelope.relay(), link))
    }

    /// Puts a message into the application's queue, or gives it back if that has to wait.
    fn hand_over(&mut self, pid: ProcessId, message: Message) -> Result<(), Message> {
        let now = self.shared.schedule.now();
        let process = &mut self.processes[pid];
        if !message.kind().is_ordinary() {
            process.application.ignored += 1;
            return Ok(());
        }
        process.application.offer(now, message).map_err(|(message, until)| {
            if until < Duration::MAX {
                self.shared.schedule.at(until, Happening::WorkOnBatch { process: pid });
            }
            message
        })
    }

    // The application.

    /// An application with a pace of its own takes the next message in its time.
    pub(super) fn plan_take(&mut self, pid: ProcessId) {
        let process = &mut self.processes[pid];
        let Some(pace) = self.machines[process.machine].pace else { return };
        let application = &mut process.application;
        application.is_asked = true;
        let naps = self.machines[process.machine].naps > 0;
        if !naps
            && application.waiting() > 0
            && !std::mem::replace(&mut application.is_taking, true)
        {
            self.shared.schedule.after(pace, Happening::Take { process: pid });
        }
    }

    pub(super) fn take(&mut self, pid: ProcessId) {
        let process = &mut self.processes[pid];
        process.application.is_taking = false;
        if self.machines[process.machine].naps == 0 {
            drop(process.application.take());
            self.took(pid);
            self.plan_take(pid);
        }
    }

    /// A message was taken: the daemon may have waited for that.
    pub(super) fn took(&mut self, pid: ProcessId) {
        if self.processes[pid].daemon.in_hand.is_some() {
            self.plan_digest(pid);
        }
    }
}
