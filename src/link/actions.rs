//! Carrying out what a node wants of its links: at once, in its order. What takes longer, such as
//! writing and starting threads, is left to whoever asked.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use super::mailbox::{Mailbox, Order};
use super::outgoing::{Freed, Put};
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::id::{MessageId, NodeId};
use crate::node::event::{LinkSettings, Neighbour};
use crate::node::{Action, ConnectId, Event, Failure, LinkId, Node, Now, Parcel, Target, TicketId};
use crate::wire::Envelope;

/// The mailboxes of a node's links.
pub(crate) trait Mailboxes {
    /// What the simulator keeps with each frame; nothing in the runtime.
    type Tag: Copy;
    /// How one link refers to another.
    type LinkRef: PartialEq;
    type Link: Clone + PartialEq;

    fn refer(link: &Self::Link) -> Self::LinkRef;

    /// `None` if the link is gone.
    fn mailbox<R>(
        &mut self,
        link: &Self::Link,
        ask: impl FnOnce(&mut Mailbox<Self::LinkRef, Self::Tag>) -> R,
    ) -> Option<R>;

    /// Wakes the thread of a link.
    fn wake(&mut self, link: &Self::Link);
}

/// A node with its links, and those who wait for either.
pub(crate) trait NodeHost: Mailboxes {
    fn node(&mut self) -> &mut Node;
    fn find(&self, link: LinkId) -> Option<Self::Link>;
    /// Makes a link to one of the addresses of a target, without those to skip.
    fn dial(&mut self, link: LinkId, target: Target, skip: Vec<SocketAddr>) -> io::Result<()>;

    /// Logs what the node wants.
    fn note(&mut self, _action: &Action) {}
    /// Notes that a parcel is put on a link, and gives it its tag.
    fn tag(&mut self, link: LinkId, parcel: &Parcel) -> Self::Tag;
    /// Counts a frame that has no room on the link of a peer that is left behind.
    fn count_missed(&mut self, link: LinkId, tag: Self::Tag);
    /// Counts an answer that is not sent: the peer does not take what it was sent before.
    fn count_unanswered(&mut self, link: LinkId, tag: Self::Tag);
    /// Counts a frame that will never be written; `is_late` if its link is ending or gone.
    fn count_unsent(&mut self, link: LinkId, tag: Self::Tag, is_late: bool);

    /// Wakes those who waited for this link's queue.
    fn wake_freed(&mut self, link: &Self::Link, freed: Freed<Self::LinkRef>);
    fn report(&mut self, event: MeshEvent);
    fn connected(&mut self, connect: ConnectId, outcome: Result<NodeId, Failure>);
    fn settled(&mut self, ticket: TicketId, sent: bool);
}

/// What is left to do for whoever asked the node.
#[derive(Debug)]
pub(crate) struct Outcome<L> {
    /// Messages for the handlers and the queue, for the daemon only.
    pub deliver: Vec<(Box<Envelope>, Arc<Neighbour>)>,
    /// Links with relays above their bound, which throttle the source.
    pub throttling: Vec<L>,
    /// Links with something new to write: their threads are to be woken, or it is written here.
    pub write: SmallVec<[L; 4]>,
}

impl<L> Default for Outcome<L> {
    fn default() -> Self {
        Outcome { deliver: Vec::new(), throttling: Vec::new(), write: SmallVec::new() }
    }
}

/// Carries out all actions of the node.
pub(crate) fn carry_out<A: NodeHost>(links: &mut A, now: Now, outcome: &mut Outcome<A::Link>) {
    while let Some(action) = links.node().poll_action() {
        links.note(&action);
        match action {
            Action::Dial { link, target, skip } => {
                if let Err(error) = links.dial(link, target, skip) {
                    links.node().handle(now, Event::Lost { link, cause: error.into() });
                }
            }
            Action::Send { link, parcel } => {
                let tag = links.tag(link, &parcel);
                put(links, now, link, parcel, tag, outcome);
            }
            Action::Answer { link, id, parcel } => answer(links, now, link, (id, parcel), outcome),
            Action::Establish { link, settings } | Action::Renegotiate { link, settings } => {
                set(links, link, settings);
            }
            Action::Pace { link, word } => {
                if let Some(link) = links.find(link) {
                    links.mailbox(&link, |mailbox| mailbox.hear(word));
                    links.wake(&link);
                }
            }
            Action::Resend { link } => order(links, link, Order::Resend),
            Action::StopWaiting { link, room } => stop_waiting(links, link, room),
            Action::DenySlack { link, until } => {
                if let Some(link) = links.find(link) {
                    links.mailbox(&link, |mailbox| {
                        mailbox.outgoing.pace().floor_mut().deny_slack(until);
                    });
                }
            }
            Action::Close { link, cause } => close(links, link, cause),
            Action::Retire { link, heir } => retire(links, now, link, heir, outcome),
            Action::Part { link } => end(links, link, Order::Retire),
            Action::Deliver { envelope, from } => outcome.deliver.push((envelope, from)),
            Action::Report(event) => links.report(event),
            Action::Connected { connect, outcome } => links.connected(connect, outcome),
            Action::Settled { ticket, sent } => links.settled(ticket, sent),
        }
    }
}

/// Puts a message that a peer asked for into the queue of its link. It asks on its own behalf, so nobody is
/// throttled for it: the message waits in memory until there is room, and the peer asks again.
fn answer<A: NodeHost>(
    links: &mut A,
    now: Now,
    id: LinkId,
    (message, parcel): (MessageId, Parcel),
    outcome: &mut Outcome<A::Link>,
) {
    let link = links.find(id);
    let takes = link
        .and_then(|link| links.mailbox(&link, |mailbox| mailbox.outgoing.takes_answer(&parcel)));
    let had_room = takes == Some(true);
    links.node().answered(id, &message, &parcel, had_room);
    if had_room {
        let tag = links.tag(id, &parcel);
        put(links, now, id, parcel, tag, outcome);
    }
}

/// Puts a parcel into a link's queue.
pub(crate) fn put<A: NodeHost>(
    links: &mut A,
    now: Now,
    id: LinkId,
    parcel: Parcel,
    tag: A::Tag,
    outcome: &mut Outcome<A::Link>,
) {
    let (is_relay, is_own) =
        (matches!(parcel, Parcel::Relay(..)), matches!(parcel, Parcel::Own(_)));
    let Some(link) = links.find(id) else { return links.count_unsent(id, tag, true) };
    let put = links.mailbox(&link, |mailbox| {
        if is_own {
            mailbox.burst.note(now.mono);
        }
        mailbox.outgoing.put(parcel, tag)
    });
    match put.unwrap_or(Put::Sealed) {
        Put::Sealed => return links.count_unsent(id, tag, true),
        Put::Missed => return links.count_missed(id, tag),
        Put::Declined => return links.count_unanswered(id, tag),
        Put::Fine => {}
        Put::Throttle if is_relay => push_once(&mut outcome.throttling, &link),
        Put::Throttle => {}
        Put::Overflow => {
            // What is queued is counted as unsent when the link ends.
            close(links, id, Cause::Overflow);
            links.node().handle(now, Event::Lost { link: id, cause: Cause::Overflow });
        }
    }
    if outcome.write.last() != Some(&link) {
        outcome.write.push(link);
    }
}

fn push_once<L: Clone + PartialEq>(links: &mut Vec<L>, link: &L) {
    if !links.contains(link) {
        links.push(link.clone());
    }
}

fn set<A: NodeHost>(links: &mut A, link: LinkId, settings: LinkSettings) {
    if let Some(link) = links.find(link) {
        let frees = links.mailbox(&link, |mailbox| {
            let was_held = mailbox.settings().is_some_and(|before| before.is_held);
            let frees = was_held && !settings.is_held;
            mailbox.set(settings);
            frees
        });
        if frees == Some(true) {
            links.wake(&link);
        }
    }
}

fn order<A: NodeHost>(links: &mut A, link: LinkId, order: Order<A::LinkRef>) {
    if let Some(link) = links.find(link) {
        links.mailbox(&link, |mailbox| mailbox.order(order));
        links.wake(&link);
    }
}

fn stop_waiting<A: NodeHost>(links: &mut A, link: LinkId, room: usize) {
    let Some(link) = links.find(link) else { return };
    let freed = links.mailbox(&link, |mailbox| mailbox.outgoing.stop_waiting(room));
    links.wake_freed(&link, freed.unwrap_or_default());
}

fn close<A: NodeHost>(links: &mut A, link: LinkId, cause: Cause) {
    end(links, link, Order::Close(cause));
}

/// Has a link take nothing more, and end.
pub(crate) fn end<A: NodeHost>(links: &mut A, id: LinkId, order: Order<A::LinkRef>) {
    let Some(link) = links.find(id) else { return };
    let freed = links.mailbox(&link, |mailbox| {
        mailbox.order(order);
        mailbox.outgoing.refuse_more()
    });
    links.wake_freed(&link, freed.unwrap_or_default());
    links.wake(&link);
}

/// Moves what is queued on a link to its heir, and lets it drain.
fn retire<A: NodeHost>(
    links: &mut A,
    now: Now,
    id: LinkId,
    heir: LinkId,
    outcome: &mut Outcome<A::Link>,
) {
    let Some(link) = links.find(id) else { return };
    let sealed = links.mailbox(&link, |mailbox| {
        mailbox.order(Order::Retire);
        mailbox.outgoing.seal()
    });
    let (parcels, freed) = sealed.unwrap_or_default();
    links.wake_freed(&link, freed);
    links.wake(&link);
    for (parcel, tag) in parcels {
        if parcel.is_for_any_link() {
            put(links, now, heir, parcel, tag, outcome);
        } else {
            links.count_unsent(id, tag, false);
        }
    }
}
