//! The daemon of a process: decide, relay, deliver, give the credit back; `runtime/daemon.rs`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Weak;

use super::link::Batch;
use super::process::{InHand, Inbound};
use super::schedule::{Happening, ProcessId};
use super::world::{RelayRule, World};
use crate::link::flow::Hold;
use crate::message::Message;
use crate::node::{Event, LinkId, Parcel};
use crate::runtime::reading::event;
use crate::wire::Envelope;

impl World {
    pub(super) fn digest(&mut self, pid: ProcessId) {
        self.processes[pid].daemon.is_planned = false;
        if self.processes[pid].daemon.in_hand.is_none() {
            let Some(inbound) = self.processes[pid].daemon.inbox.pop_front() else { return };
            self.wake_held(pid);
            match inbound {
                Inbound::Batch(batch) => self.decide(pid, batch),
                Inbound::Finished(link) => self.tell(pid, Event::Finished { link }),
            }
        }
        if self.deliver(pid) {
            self.put_down(pid);
            if !self.processes[pid].daemon.inbox.is_empty() {
                self.plan_digest(pid);
            }
        }
    }

    /// There is room in the channel again.
    fn wake_held(&mut self, pid: ProcessId) {
        let process = &mut self.processes[pid];
        if std::mem::take(&mut process.daemon.has_held) {
            let held = process.links.iter().filter(|(_, link)| link.held.is_some());
            for link in held.map(|(&id, _)| id).collect::<Vec<LinkId>>() {
                self.wake(pid, link);
            }
        }
    }

    /// The node decides on a whole batch; relays are in their queues afterwards.
    fn decide(&mut self, pid: ProcessId, batch: Batch) {
        let Batch { link, from, items, bytes } = batch;
        let mut in_hand =
            InHand { link, bytes, pressed: BTreeSet::new(), deliver: VecDeque::new() };
        for (tag, item) in items {
            self.ground.ledger.arrived(tag);
            let back = item.as_ref().ok().and_then(|envelope| self.way_back(pid, link, envelope));
            let what = event(link, item);
            let before = tag.map(|_| self.processes[pid].node.stats());
            let ((), outcome) = self.act(pid, tag, |node, now| node.handle(now, what));
            let why = before.and_then(|before| self.turned_down(pid, &before));
            self.account(pid, (from, link), tag, why, !outcome.deliver.is_empty());
            in_hand.pressed.extend(outcome.pressed);
            let messages = outcome.deliver.into_iter();
            let messages = messages.map(|(envelope, _)| Message::new(envelope, Weak::new()));
            let count = in_hand.deliver.len();
            in_hand.deliver.extend(messages);
            if let Some(parcel) = back.filter(|_| in_hand.deliver.len() > count) {
                self.ground.ledger.put(tag);
                self.put(pid, link, parcel, tag, &mut super::actions::Outcome::default());
            }
        }
        self.processes[pid].daemon.in_hand = Some(in_hand);
    }

    /// What py2p's rule sends besides: the copy back to the neighbour that the message came from,
    /// if that is not who sent it first.
    fn way_back(&self, pid: ProcessId, link: LinkId, envelope: &Envelope) -> Option<Parcel> {
        let is_py2p = self.relay_rule == RelayRule::Py2p && envelope.main.is_relayed();
        let terms = self.processes[pid].links.get(&link)?.terms.as_ref()?;
        (is_py2p && terms.peer != envelope.sender).then(|| Parcel::Relay(envelope.relay()))
    }

    /// Fills the application's queue; false if that has to wait.
    fn deliver(&mut self, pid: ProcessId) -> bool {
        let now = self.ground.schedule.now();
        let process = &mut self.processes[pid];
        let Some(in_hand) = process.daemon.in_hand.as_mut() else { return true };
        while let Some(message) = in_hand.deliver.pop_front() {
            if !message.kind().is_ordinary() {
                process.application.ignored += 1;
                continue;
            }
            if let Err((message, until)) = process.application.offer(&self.config, now, message) {
                in_hand.deliver.push_front(message);
                if until < std::time::Duration::MAX {
                    self.ground.schedule.at(until, Happening::Digest { process: pid });
                }
                return false;
            }
        }
        self.plan_take(pid);
        true
    }

    /// The batch is dealt with: its link may read on, unless it pressed another one too hard.
    fn put_down(&mut self, pid: ProcessId) {
        let Some(in_hand) = self.processes[pid].daemon.in_hand.take() else { return };
        let InHand { link, bytes, pressed, .. } = in_hand;
        let now = self.ground.schedule.now();
        let links = &mut self.processes[pid].links;
        let mut hold = Hold::new(bytes);
        for id in pressed {
            let target = links.get_mut(&id);
            if let Some(wait) =
                target.and_then(|to| to.outbox.press(link, &self.config, now, bytes))
            {
                hold.add(wait, id);
            }
        }
        let Some(source) = links.get_mut(&link) else { return };
        source.holds.push(hold);
        self.wake(pid, link);
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
            self.ground.schedule.after(pace, Happening::Take { process: pid });
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
