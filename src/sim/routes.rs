//! Messages to one node, which need not be a peer: the mesh is asked for the way.

use std::time::Duration;

use super::ledger::Audience;
use super::schedule::ProcessId;
use super::world::World;
use crate::id::{MessageId, NodeId};
use crate::node::{Dispatch, TicketId};
use crate::wire::routed::Address;
use crate::wire::{Draft, Frame, Letter};

/// The promise that a node keeps what it was given for another one.
const NOT_FORGOTTEN: &str = "what is for one node is sent, or given up and counted";
/// The promise that a ticket tells the truth.
const TAKEN: &str = "what is said to be sent to one node was taken by it";

/// What a program wants to send: to one node, or to all.
#[derive(Debug)]
pub(super) struct Wish {
    pub draft: Draft,
    pub to: Option<NodeId>,
    /// The message of that node which it answers.
    pub about: Option<MessageId>,
    pub since: Duration,
}

/// A message that waits for a way.
#[derive(Debug)]
pub(super) struct Routing {
    ticket: TicketId,
    number: usize,
    letter: Letter,
    to: NodeId,
}

impl Routing {
    fn is(&self, frame: &Frame) -> bool {
        let routed = self.letter.routed.iter().map(|(frame, _)| frame);
        routed.chain([&self.letter.plain]).any(|own| own.bytes(None) == frame.bytes(None))
    }
}

impl World {
    /// Sends to one node. Returns false if too many messages wait for a way.
    pub(super) fn route(
        &mut self,
        pid: ProcessId,
        draft: &Draft,
        to: NodeId,
        about: Option<MessageId>,
    ) -> bool {
        let is_answer = about.is_some();
        let way = self.processes[pid].node.way_to(&to, about);
        let number = self.shared.ledger.sendings.len() as u64;
        let address = Address { to, about: way.about, is_answer, number };
        let (id, max_frame) = (&self.processes[pid].id, self.config.max_frame);
        let direct = || Letter::direct(draft, id, &address, max_frame);
        let letter = (is_answer && way.is_told).then(direct).flatten();
        let letter = letter.unwrap_or_else(|| Letter::new(draft, id, &address, max_frame));
        let now = self.shared.schedule.now();
        let number = self.shared.ledger.sent(pid, now, draft.time, Audience::One(to));
        let sent = letter.clone();
        let routed = self.act_writing(pid, number, |node, now| node.send_to(now, to, sent));
        match routed {
            Dispatch::Sent if self.shared.ledger.sendings[number].put == 0 => {
                let what = format!("process {pid} never put message {number} on a link");
                self.shared.ledger.breaks(NOT_FORGOTTEN, what);
            }
            Dispatch::Sent => {}
            Dispatch::Pending(ticket) => {
                self.shared.ledger.routing += 1;
                let routing = &mut self.processes[pid].routing;
                routing.push(Routing { ticket, number, letter, to });
            }
            // It was never sent.
            Dispatch::TooMany => drop(self.shared.ledger.sendings.pop()),
        }
        routed != Dispatch::TooMany
    }

    /// Returns which message that waited for a way this frame is, now that it is put on a link.
    pub(super) fn found_its_way(&mut self, pid: ProcessId, frame: &Frame) -> Option<usize> {
        let mut routing = self.processes[pid].routing.iter();
        routing.find(|routing| routing.is(frame)).map(|routing| routing.number)
    }

    /// Ends the wait of a message, whatever became of it.
    pub(super) fn routed(&mut self, pid: ProcessId, ticket: TicketId, sent: bool) {
        let routing = &mut self.processes[pid].routing;
        let Some(at) = routing.iter().position(|routing| routing.ticket == ticket) else { return };
        let Routing { number, to, .. } = routing.swap_remove(at);
        self.shared.ledger.routing -= 1;
        self.shared.ledger.given_up += u64::from(!sent);
        let accepted = &self.shared.ledger.sendings[number].accepted;
        if sent && !accepted.keys().any(|&pid| self.processes[pid].id == to) {
            let what = format!("message {number} of process {pid}: said to be sent, not taken");
            self.shared.ledger.breaks(TAKEN, what);
        }
    }
}
