//! Carrying out what the node wants: what must keep its order at once, under the lock; what takes
//! longer, such as wakes, threads and logging, after it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crossbeam_channel::Sender;
use mio::Poll;

use super::core::{Core, State};
use super::link::{Link, LinkRef, Mailbox};
use super::link_thread::{self, Start};
use super::slot::Slot;
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::link::actions::{self, Mailboxes, NodeHost, Outcome};
use crate::link::outgoing::Freed;
use crate::node::{ConnectId, Event, Failure, LinkId, Node, Now, Parcel, Target, TicketId};
use crate::trouble::Loss;

/// The outcome of a `connect`.
type Connected = Result<NodeId, Failure>;

/// What is left to do once the node's lock is free.
#[derive(Default)]
pub(crate) struct AfterLock {
    pub outcome: Outcome<Arc<Link>>,
    /// Links whose threads are to be started.
    pub start: Vec<(Arc<Link>, Poll, Start)>,
    /// Whether the accept thread must look at its alarm.
    pub ring: bool,
    /// Whether a message had no room on the link of a peer that is left behind.
    has_missed: bool,
    /// Links with an order, or with room in their queues.
    wake: Vec<Arc<Link>>,
    freed: Vec<(Arc<Link>, Freed<LinkRef>)>,
    reports: Vec<MeshEvent>,
    /// Outcomes are told after the events: who waited for one finds its events and its status.
    connected: Vec<(Sender<Connected>, Connected)>,
    settled: Vec<(Arc<Slot>, bool)>,
    /// What went out, if that is to be logged.
    traced: Vec<(LinkId, Parcel)>,
}

impl State {
    /// Carries out all actions as far as it can be done without waiting.
    pub(super) fn carry_out(&mut self, core: &Core, now: Now, after: &mut AfterLock) {
        let mut outcome = std::mem::take(&mut after.outcome);
        let mut locked = Locked { state: self, core, after };
        actions::carry_out(&mut locked, now, &mut outcome);
        after.outcome = outcome;
    }
}

/// The node's links while its lock is held.
struct Locked<'a> {
    state: &'a mut State,
    core: &'a Core,
    after: &'a mut AfterLock,
}

impl Mailboxes for Locked<'_> {
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
        self.after.wake.push(Arc::clone(link));
    }
}

impl NodeHost for Locked<'_> {
    fn node(&mut self) -> &mut Node {
        &mut self.state.node
    }

    fn find(&self, link: LinkId) -> Option<Arc<Link>> {
        self.state.links.get(&link).cloned()
    }

    fn dial(&mut self, link: LinkId, target: Target, skip: Vec<SocketAddr>) -> io::Result<()> {
        self.core.make_link(self.state, link, Start::Dial(target, skip))
    }

    fn tag(&mut self, link: LinkId, parcel: &Parcel) {
        if self.core.trace.shows_frames() {
            self.after.traced.push((link, parcel.clone()));
        }
    }

    fn count_missed(&mut self, _: LinkId, (): ()) {
        self.core.counters.missed();
        self.after.has_missed = true;
    }

    fn count_unanswered(&mut self, _: LinkId, (): ()) {
        self.core.counters.left_unanswered();
    }

    fn count_unsent(&mut self, _: LinkId, (): (), _: bool) {
        self.core.counters.left_unsent(1);
    }

    fn wake_freed(&mut self, link: &Arc<Link>, freed: Freed<LinkRef>) {
        self.after.freed.push((Arc::clone(link), freed));
    }

    fn report(&mut self, event: MeshEvent) {
        self.after.reports.push(event);
    }

    fn connected(&mut self, connect: ConnectId, outcome: Connected) {
        if let Some(waiter) = self.state.connects.remove(&connect) {
            self.after.connected.push((waiter, outcome));
        }
    }

    fn settled(&mut self, ticket: TicketId, sent: bool) {
        if let Some(slot) = self.state.tickets.remove(&ticket) {
            self.after.settled.push((slot, sent));
        }
    }
}

impl AfterLock {
    /// Does what is left.
    pub fn run(mut self, core: &Arc<Core>) {
        for (link, poll, start) in std::mem::take(&mut self.start) {
            let id = link.id;
            if let Err(error) = link_thread::spawn(core, link, poll, start) {
                core.forget_link(id);
                core.tell(Event::Lost { link: id, cause: error.into() });
            }
        }
        self.freed.drain(..).for_each(|(link, freed)| link.wake_freed(freed));
        self.wake.iter().chain(&self.outcome.write).for_each(|link| link.wake());
        if self.has_missed {
            core.losing(Loss::LeftBehind);
        }
        self.tell_others(core);
    }

    /// Like [`AfterLock::run`] for a user's own message: written here and now where that does not
    /// wait.
    pub fn run_writing(mut self, core: &Arc<Core>) {
        let links = std::mem::take(&mut self.outcome.write);
        let wrote = links.iter().fold(false, |wrote, link| link.write_now(&core.counters) | wrote);
        if wrote {
            let now = core.clock.mono();
            links.iter().for_each(|link| link.mailbox(|mailbox| mailbox.burst.wrote(now)));
        }
        self.run(core);
    }

    fn tell_others(self, core: &Arc<Core>) {
        if self.ring {
            // Fails only if the accept thread is gone, and with it the need.
            let _ = core.alarm.wake();
        }
        for (link, parcel) in &self.traced {
            core.trace.outgoing(*link, parcel);
        }
        let changes_peers = |event: &MeshEvent| {
            matches!(
                event,
                MeshEvent::Joined { .. }
                    | MeshEvent::Left { .. }
                    | MeshEvent::ReplySent { .. }
                    | MeshEvent::ReplyFailed { .. }
            )
        };
        if self.reports.iter().any(changes_peers) {
            core.peers_changed.notify_all();
        }
        self.reports.into_iter().for_each(|event| core.report(event));
        for (waiter, outcome) in self.connected {
            if let Err(failure) = &outcome {
                failure.causes().any(|cause| core.note_exhausted(cause));
            }
            // Whoever waited may have given up.
            let _ = waiter.try_send(outcome);
        }
        self.settled.into_iter().for_each(|(slot, sent)| slot.settle(sent));
    }
}
