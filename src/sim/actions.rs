//! A process's node with its links: what it wants is carried out by `crate::link::actions`, and
//! every frame is noted in the ledger.

use std::io;
use std::net::SocketAddr;

use super::debts::Debt;
use super::ledger::{Audience, CopyLoss, Tag};
use super::process::Inbound;
use super::schedule::{Happening, ProcessId};
use super::world::World;
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::link::actions::{Mailboxes, NodeHost, Outcome, carry_out};
use crate::link::mailbox::Mailbox;
use crate::link::outgoing::Freed;
use crate::link::release::release;
use crate::node::{Action, ConnectId, Event, Failure, LinkId, Node, Now, Parcel, Target, TicketId};

/// Where everything is logged that nodes ask for, at level `trace`.
const LOG: &str = "rs2p::sim";

/// A process while its node is asked something. `tag` is the user's message that this is about.
pub(super) struct Acting<'a> {
    pub world: &'a mut World,
    pub pid: ProcessId,
    pub tag: Tag,
}

impl Mailboxes for Acting<'_> {
    type Tag = Tag;
    type LinkRef = LinkId;
    type Link = LinkId;

    fn refer(link: &LinkId) -> LinkId {
        *link
    }

    fn mailbox<R>(
        &mut self,
        link: &LinkId,
        ask: impl FnOnce(&mut Mailbox<LinkId, Tag>) -> R,
    ) -> Option<R> {
        let process = &mut self.world.processes[self.pid];
        let link = process.links.get_mut(link)?;
        let answer = ask(&mut link.mailbox);
        process.marks.outbound.note(link.mailbox.outgoing.queued());
        Some(answer)
    }

    fn wake(&mut self, link: &LinkId) {
        self.world.wake(self.pid, *link);
    }
}

impl NodeHost for Acting<'_> {
    fn node(&mut self) -> &mut Node {
        &mut self.world.processes[self.pid].node
    }

    fn find(&self, link: LinkId) -> Option<LinkId> {
        self.world.processes[self.pid].links.contains_key(&link).then_some(link)
    }

    fn dial(&mut self, link: LinkId, target: Target, _: Vec<SocketAddr>) -> io::Result<()> {
        self.world.dial(self.pid, link, target);
        Ok(())
    }

    fn tag(&mut self, link: LinkId, parcel: &Parcel) -> Tag {
        let tag = self.world.carries(self.pid, link, self.tag, parcel);
        self.world.shared.ledger.put(tag);
        self.world.processes[self.pid].put += 1;
        tag
    }

    fn count_missed(&mut self, link: LinkId, tag: Tag) {
        self.world.with_link(self.pid, link, |link| link.has_missed = true);
        self.world.lose(self.pid, link, tag, CopyLoss::LeftBehind);
    }

    fn count_unanswered(&mut self, link: LinkId, tag: Tag) {
        self.world.lose(self.pid, link, tag, CopyLoss::Unsent);
    }

    fn count_unsent(&mut self, link: LinkId, tag: Tag, is_late: bool) {
        self.world.lose(
            self.pid,
            link,
            tag,
            if is_late { CopyLoss::NoLink } else { CopyLoss::Unsent },
        );
    }

    fn wake_freed(&mut self, _: &LinkId, freed: Freed<LinkId>) {
        self.world.wake_freed(self.pid, freed);
    }

    fn note(&mut self, action: &Action) {
        let (node, now) = (self.world.processes[self.pid].machine, self.world.now());
        log::trace!(target: LOG, "{now:?} node {node} (process {}): {action:?}", self.pid);
    }

    fn report(&mut self, event: MeshEvent) {
        match event {
            MeshEvent::Joined { .. } => self.world.joined += 1,
            MeshEvent::Left { cause, .. } => {
                *self.world.left.entry(cause.to_string()).or_default() += 1;
            }
            _ => {}
        }
    }

    fn connected(&mut self, connect: ConnectId, outcome: Result<NodeId, Failure>) {
        self.world.connected(self.pid, connect, outcome.is_ok());
    }

    fn settled(&mut self, ticket: TicketId, sent: bool) {
        self.world.routed(self.pid, ticket, sent);
    }
}

impl World {
    /// Asks a node something and carries out what it wants. What is new on links is left to the
    /// caller: to be written, or their threads woken.
    pub(super) fn ask<R>(
        &mut self,
        pid: ProcessId,
        tag: Tag,
        ask: impl FnOnce(&mut Node, Now) -> R,
    ) -> (R, Outcome<LinkId>) {
        let now = self.clock(pid);
        let answer = ask(&mut self.processes[pid].node, now);
        self.falsify(pid);
        self.withhold(pid);
        let mut outcome = Outcome::default();
        carry_out(&mut Acting { world: self, pid, tag }, now, &mut outcome);
        release(self.processes[pid].node.actions_mut());
        self.tell_lies(pid, &mut outcome);
        self.processes[pid].mark_node();
        self.set_alarm(pid);
        (answer, outcome)
    }

    /// Asks a node something on a thread that delivers nothing.
    pub(super) fn act<R>(&mut self, pid: ProcessId, ask: impl FnOnce(&mut Node, Now) -> R) -> R {
        let (answer, outcome) = self.ask(pid, None, ask);
        outcome.write.into_iter().for_each(|link| self.wake(pid, link));
        if !outcome.deliver.is_empty() {
            let what = format!("process {pid} delivered from a link's thread");
            self.shared.ledger.breaks("the daemon alone delivers", what);
        }
        answer
    }

    /// Has a node send a message of its user, whose thread writes where it can.
    pub(super) fn act_writing<R>(
        &mut self,
        pid: ProcessId,
        number: usize,
        ask: impl FnOnce(&mut Node, Now) -> R,
    ) -> R {
        let (answer, outcome) = self.ask(pid, Some(number), ask);
        outcome.write.into_iter().for_each(|link| self.write_now(pid, link));
        answer
    }

    /// Tells a node what happened, outside of its daemon.
    pub(super) fn tell(&mut self, pid: ProcessId, event: Event) {
        self.act(pid, |node, now| node.handle(now, event));
    }

    /// Which message of a user a parcel carries: what the protocol says on that occasion is none,
    /// and what had waited for a way is not the one that the occasion is about.
    fn carries(&mut self, pid: ProcessId, link: LinkId, tag: Tag, parcel: &Parcel) -> Tag {
        let tag = match parcel {
            Parcel::Control(_) | Parcel::Answer(_) | Parcel::Announce(_) => None,
            Parcel::Relay(frame, _) => tag.or_else(|| self.shared.ledger.number_of(frame)),
            Parcel::Own(frame) => tag
                .or_else(|| self.found_its_way(pid, frame))
                .or_else(|| self.shared.ledger.number_of(frame)),
        };
        let number = tag?;
        if let Audience::One(_) = self.shared.ledger.sendings[number].audience
            && let Some(to) = self.peer(pid, link)
        {
            self.shared.ledger.owe(number, [Debt { from: pid, to, link }]);
        }
        tag
    }

    /// A frame never left this process; `link` is where it was to go.
    pub(super) fn lose(&mut self, pid: ProcessId, link: LinkId, tag: Tag, why: CopyLoss) {
        let to = self.peer(pid, link).unwrap_or(pid);
        self.shared.ledger.lost(tag, pid, to, why);
        self.processes[pid].unsent += 1;
    }

    /// Wakes links and programs that waited for a queue.
    pub(super) fn wake_freed(&mut self, pid: ProcessId, freed: Freed<LinkId>) {
        freed.throttled.into_iter().for_each(|link| self.wake(pid, link));
        if freed.has_drained && !self.processes[pid].line.is_empty() {
            let pause = self.lag();
            self.shared.schedule.after(pause, Happening::Send { process: pid });
        }
    }

    /// Plans the daemon's next look at its channel.
    pub(super) fn plan_digest(&mut self, pid: ProcessId) {
        if !std::mem::replace(&mut self.processes[pid].daemon.is_planned, true) {
            let pause = self.lag();
            self.shared.schedule.after(pause, Happening::WorkOnBatch { process: pid });
        }
    }

    pub(super) fn hand_in(&mut self, pid: ProcessId, inbound: Inbound) {
        let process = &mut self.processes[pid];
        process.daemon.inbox.add(inbound.link(), inbound);
        process.marks.channel.note(process.daemon.inbox.len());
        self.plan_digest(pid);
    }

    fn set_alarm(&mut self, pid: ProcessId) {
        let process = &mut self.processes[pid];
        let Some(deadline) = process.node.next_deadline() else { return };
        if process.alarm.is_none_or(|alarm| deadline < alarm) {
            process.alarm = Some(deadline);
            let at = process.born + deadline;
            self.shared.schedule.at(at, Happening::Tick { process: pid });
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
