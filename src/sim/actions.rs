//! Carrying out what a node wants, as `runtime/aftermath.rs` does.

use super::ledger::{Audience, Loss, Tag};
use super::link::{Link, Order};
use super::process::Inbound;
use super::schedule::{Happening, ProcessId};
use super::world::World;
use crate::events::{Cause, MeshEvent};
use crate::link::outgoing::Put;
use crate::node::event::Neighbour;
use crate::node::{Action, Event, LinkId, Node, Now, Parcel};
use crate::runtime::aftermath::is_for_any_link;
use crate::wire::Envelope;

/// Where everything is logged that nodes ask for, at level `trace`.
const LOG: &str = "rs2p::sim";

/// What is left to the daemon.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub deliver: Vec<(Box<Envelope>, Neighbour)>,
    /// Links that relays pushed above their bound.
    pub pressed: Vec<LinkId>,
}

impl World {
    /// Asks a node something and carries out what it wants. `tag` is the user's message that this
    /// is about.
    pub(super) fn act<R>(
        &mut self,
        pid: ProcessId,
        tag: Tag,
        ask: impl FnOnce(&mut Node, Now) -> R,
    ) -> (R, Outcome) {
        let now = self.clock(pid);
        let answer = ask(&mut self.processes[pid].node, now);
        let mut outcome = Outcome::default();
        while let Some(action) = self.processes[pid].node.poll_action() {
            self.carry_out(pid, tag, action, &mut outcome);
        }
        self.processes[pid].mark_node();
        self.set_alarm(pid);
        (answer, outcome)
    }

    /// Tells a node what happened, outside of its daemon.
    pub(super) fn tell(&mut self, pid: ProcessId, event: Event) {
        let ((), outcome) = self.act(pid, None, |node, now| node.handle(now, event));
        if !outcome.deliver.is_empty() {
            let what = format!("process {pid} delivered from a link's thread");
            self.ground.ledger.breaks("the daemon alone delivers", what);
        }
    }

    fn carry_out(&mut self, pid: ProcessId, tag: Tag, action: Action, outcome: &mut Outcome) {
        let node = self.processes[pid].machine;
        log::trace!(target: LOG, "{:?} node {node} (process {pid}): {action:?}", self.now());
        match action {
            Action::Dial { link, target, .. } => self.dial(pid, link, target),
            Action::Send { link, parcel } => {
                let tag = self.carries(pid, link, tag, &parcel);
                self.ground.ledger.put(tag);
                self.processes[pid].put += 1;
                self.put(pid, link, parcel, tag, outcome);
            }
            Action::Establish { link, terms } | Action::Renegotiate { link, terms } => {
                self.with_link(pid, link, |link| link.terms = Some(terms));
            }
            Action::Resend { link } => self.order(pid, link, Order::Resend),
            Action::Close { link, cause } => {
                self.refuse_more(pid, link);
                self.order(pid, link, Order::Close(cause));
            }
            Action::Retire { link, heir } => self.retire(pid, link, heir, outcome),
            Action::Deliver { envelope, from } => outcome.deliver.push((envelope, from)),
            Action::Report(event) => self.note(&event),
            Action::Connected { connect, outcome } => self.connected(pid, connect, outcome.is_ok()),
            Action::Settled { ticket, sent } => self.routed(pid, ticket, sent),
        }
    }

    /// Which message of a user a parcel carries: what the protocol says on that occasion is none,
    /// and what had waited for a way is not the one that the occasion is about.
    fn carries(&mut self, pid: ProcessId, link: LinkId, tag: Tag, parcel: &Parcel) -> Tag {
        let tag = match parcel {
            Parcel::Control(_) => None,
            Parcel::Relay(_) => tag,
            Parcel::Own(frame) => tag.or_else(|| self.found_its_way(pid, frame)),
        };
        let number = tag?;
        if let Audience::One(_) = self.ground.ledger.sendings[number].audience
            && let Some(to) = self.peer(pid, link)
        {
            self.ground.ledger.owe(number, [(pid, to)]);
        }
        tag
    }

    fn note(&mut self, event: &MeshEvent) {
        match event {
            MeshEvent::Joined { .. } => self.joined += 1,
            MeshEvent::Left { cause, .. } => {
                *self.left.entry(cause.to_string()).or_default() += 1;
            }
            _ => {}
        }
    }

    pub(super) fn with_link(&mut self, pid: ProcessId, id: LinkId, act: impl FnOnce(&mut Link)) {
        if let Some(link) = self.processes[pid].links.get_mut(&id) {
            act(link);
        }
    }

    fn order(&mut self, pid: ProcessId, link: LinkId, order: Order) {
        self.with_link(pid, link, |link| link.orders.push(order));
        self.wake(pid, link);
    }

    pub(super) fn put(
        &mut self,
        pid: ProcessId,
        id: LinkId,
        parcel: Parcel,
        tag: Tag,
        outcome: &mut Outcome,
    ) {
        let process = &mut self.processes[pid];
        let Some(link) = process.links.get_mut(&id) else {
            return self.lose(pid, None, tag, Loss::NoLink);
        };
        let is_relay = matches!(parcel, Parcel::Relay(_));
        let put = link.outbox.put(parcel, tag);
        process.marks.outbound.note(link.outbox.queued());
        match put {
            Put::Sealed => return self.lose(pid, Some(id), tag, Loss::NoLink),
            Put::Fine => {}
            Put::Pressed if is_relay => outcome.pressed.push(id),
            Put::Pressed => {}
            Put::Overflow => {
                // What is queued is counted as unsent when the link's thread ends.
                self.refuse_more(pid, id);
                self.order(pid, id, Order::Close(Cause::Overflow));
                let now = self.clock(pid);
                let lost = Event::Lost { link: id, cause: Cause::Overflow };
                self.processes[pid].node.handle(now, lost);
            }
        }
        self.wake(pid, id);
    }

    fn retire(&mut self, pid: ProcessId, id: LinkId, heir: LinkId, outcome: &mut Outcome) {
        for (parcel, tag) in self.seal(pid, id) {
            if is_for_any_link(&parcel) {
                self.put(pid, heir, parcel, tag, outcome);
            } else {
                self.lose(pid, Some(id), tag, Loss::Unsent);
            }
        }
        self.order(pid, id, Order::Retire);
    }

    /// A frame never left this process. `link` is where it was to go.
    pub(super) fn lose(&mut self, pid: ProcessId, link: Option<LinkId>, tag: Tag, why: Loss) {
        let to = link.and_then(|link| self.peer(pid, link)).unwrap_or(pid);
        self.ground.ledger.lost(tag, pid, to, why);
        self.processes[pid].unsent += 1;
    }

    /// Who is at the other end of a link, as the network knows.
    pub(super) fn peer(&self, pid: ProcessId, link: LinkId) -> Option<ProcessId> {
        self.processes[pid].links.get(&link)?.peer
    }

    /// Has a link's thread look at its outbox and its orders.
    pub(super) fn wake(&mut self, pid: ProcessId, id: LinkId) {
        let Some(link) = self.processes[pid].links.get_mut(&id) else { return };
        if !std::mem::replace(&mut link.is_woken, true) {
            let pause = self.lag();
            self.ground.schedule.after(pause, Happening::Turn { process: pid, link: id });
        }
    }

    /// Plans the daemon's next look at its channel.
    pub(super) fn plan_digest(&mut self, pid: ProcessId) {
        if !std::mem::replace(&mut self.processes[pid].daemon.is_planned, true) {
            let pause = self.lag();
            self.ground.schedule.after(pause, Happening::Digest { process: pid });
        }
    }

    pub(super) fn hand_in(&mut self, pid: ProcessId, inbound: Inbound) {
        let process = &mut self.processes[pid];
        process.daemon.inbox.push_back(inbound);
        process.marks.channel.note(process.daemon.inbox.len());
        self.plan_digest(pid);
    }

    fn set_alarm(&mut self, pid: ProcessId) {
        let process = &mut self.processes[pid];
        let Some(deadline) = process.node.next_deadline() else { return };
        if process.alarm.is_none_or(|alarm| deadline < alarm) {
            process.alarm = Some(deadline);
            let at = process.born + deadline;
            self.ground.schedule.at(at, Happening::Tick { process: pid });
        }
    }

    pub(super) fn tick(&mut self, pid: ProcessId) {
        let now = self.clock(pid);
        if self.processes[pid].alarm.is_some_and(|alarm| alarm <= now.mono) {
            self.processes[pid].alarm = None;
            self.tell(pid, Event::Tick);
        }
    }
}
