//! Carrying out what the node wants: what must keep its order at once, under the lock; what
//! takes longer, such as wakes, threads and logging, after it.

use std::io;
use std::sync::Arc;

use crossbeam_channel::Sender;
use mio::Poll;

use super::core::{Core, State};
use super::link::{Link, Order};
use super::link_thread::{self, Start};
use crate::events::{Cause, MeshEvent};
use crate::id::NodeId;
use crate::link::outgoing::Put;
use crate::node::event::Neighbour;
use crate::node::{Action, Event, Failure, LinkId, Now, Parcel};
use crate::reply::Slot;
use crate::wire::Envelope;

/// The outcome of a `connect`.
type Connected = Result<NodeId, Failure>;

/// What is left to do once the node's lock is free.
#[derive(Default)]
pub(crate) struct Aftermath {
    /// Links with something new to write.
    pub write: Vec<Arc<Link>>,
    /// Links whose threads are to be started.
    pub start: Vec<(Arc<Link>, Poll, Start)>,
    /// Messages for the handlers and the queue, for the daemon only.
    pub deliver: Vec<(Box<Envelope>, Neighbour)>,
    /// Links that relays pushed above their bound.
    pub pressed: Vec<Arc<Link>>,
    /// Whether the accept thread must look at its alarm.
    pub ring: bool,
    reports: Vec<MeshEvent>,
    /// Outcomes are told after the events: who waited for one finds its events and its status.
    connected: Vec<(Sender<Connected>, Connected)>,
    settled: Vec<(Arc<Slot>, bool)>,
    /// What went out, if that is to be logged.
    traced: Vec<(LinkId, Parcel)>,
}

impl State {
    /// Carries out all actions as far as it can be done without waiting.
    pub(super) fn carry_out(&mut self, core: &Core, now: Now, aftermath: &mut Aftermath) {
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Dial { link, target, skip } => {
                    let start = Start::Dial(target, skip);
                    if let Err(error) = core.make_link(self, link, start) {
                        self.lost(now, link, error);
                    }
                }
                Action::Send { link, parcel } => {
                    if core.trace.shows_frames() {
                        aftermath.traced.push((link, parcel.clone()));
                    }
                    self.put(core, now, link, parcel, aftermath);
                }
                Action::Establish { link, terms } => {
                    self.with_link(link, |link| link.establish(terms));
                }
                Action::Renegotiate { link, terms } => {
                    self.with_link(link, |link| *link.terms.lock() = Some(terms));
                }
                Action::Resend { link } => self.with_link(link, |link| link.order(Order::Resend)),
                Action::Close { link, cause } => {
                    self.with_link(link, |link| {
                        link.outbox.refuse_more();
                        link.order(Order::Close(cause));
                    });
                }
                Action::Retire { link, heir } => self.retire(core, now, link, heir, aftermath),
                Action::Deliver { envelope, from } => aftermath.deliver.push((envelope, from)),
                Action::Report(event) => aftermath.reports.push(event),
                Action::Connected { connect, outcome } => {
                    if let Some(waiter) = self.connects.remove(&connect) {
                        aftermath.connected.push((waiter, outcome));
                    }
                }
                Action::Settled { ticket, sent } => {
                    if let Some(slot) = self.tickets.remove(&ticket) {
                        aftermath.settled.push((slot, sent));
                    }
                }
            }
        }
    }

    fn with_link(&self, link: LinkId, act: impl FnOnce(&Arc<Link>)) {
        if let Some(link) = self.links.get(&link) {
            act(link);
        }
    }

    fn put(
        &mut self,
        core: &Core,
        now: Now,
        id: LinkId,
        parcel: Parcel,
        aftermath: &mut Aftermath,
    ) {
        let Some(link) = self.links.get(&id).map(Arc::clone) else {
            return core.counters.left_unsent(1);
        };
        let is_relay = matches!(parcel, Parcel::Relay(_));
        match link.outbox.put(parcel) {
            Put::Sealed => return core.counters.left_unsent(1),
            Put::Fine => {}
            Put::Pressed if is_relay => aftermath.press(&link),
            Put::Pressed => {}
            Put::Overflow => {
                // What is queued is counted as unsent when the link's thread ends.
                link.outbox.refuse_more();
                link.order(Order::Close(Cause::Overflow));
                self.node.handle(now, Event::Lost { link: id, cause: Cause::Overflow });
            }
        }
        if aftermath.write.last().is_none_or(|last| last.id != id) {
            aftermath.write.push(link);
        }
    }

    fn retire(
        &mut self,
        core: &Core,
        now: Now,
        id: LinkId,
        heir: LinkId,
        aftermath: &mut Aftermath,
    ) {
        let Some(link) = self.links.get(&id).map(Arc::clone) else { return };
        for parcel in link.outbox.seal() {
            if is_for_any_link(&parcel) {
                self.put(core, now, heir, parcel, aftermath);
            } else {
                core.counters.left_unsent(1);
            }
        }
        link.order(Order::Retire);
    }

    fn lost(&mut self, now: Now, link: LinkId, error: io::Error) {
        self.node.handle(now, Event::Lost { link, cause: error.into() });
    }
}

impl Aftermath {
    fn press(&mut self, link: &Arc<Link>) {
        if self.pressed.iter().all(|pressed| pressed.id != link.id) {
            self.pressed.push(Arc::clone(link));
        }
    }

    /// Does what is left.
    pub fn run(mut self, core: &Arc<Core>) {
        for (link, poll, start) in std::mem::take(&mut self.start) {
            let id = link.id;
            if let Err(error) = link_thread::spawn(core, link, poll, start) {
                core.forget_link(id);
                core.tell(Event::Lost { link: id, cause: error.into() });
            }
        }
        self.write.drain(..).for_each(|link| link.wake());
        self.finish(core);
    }

    /// Like [`Aftermath::run`] for a user's own message: written here and now where that does
    /// not wait.
    pub fn run_writing(mut self, core: &Arc<Core>) {
        for link in std::mem::take(&mut self.write) {
            link.write_now(&core.counters);
        }
        self.run(core);
    }

    fn finish(self, core: &Arc<Core>) {
        if self.ring {
            // Fails only if the accept thread is gone, and with it the need.
            let _ = core.alarm.wake();
        }
        for (link, parcel) in &self.traced {
            core.trace.outgoing(*link, parcel);
        }
        let changes_peers =
            |event: &MeshEvent| matches!(event, MeshEvent::Joined { .. } | MeshEvent::Left { .. });
        if self.reports.iter().any(changes_peers) {
            core.peers_changed.notify_all();
        }
        for event in self.reports {
            core.trace.event(&event);
            core.journal.report(event);
        }
        for (waiter, outcome) in self.connected {
            // Whoever waited may have given up.
            let _ = waiter.try_send(outcome);
        }
        self.settled.into_iter().for_each(|(slot, sent)| slot.settle(sent));
    }
}

/// Whether it means the same on another link to the same peer. What neighbours say to each other,
/// handshakes for one, belongs to its link.
pub(crate) fn is_for_any_link(parcel: &Parcel) -> bool {
    match parcel {
        Parcel::Own(_) | Parcel::Relay(_) => true,
        Parcel::Control(draft) => draft.main.is_relayed(),
    }
}
