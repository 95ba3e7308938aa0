//! Messages to one node, which need not be a peer: the mesh is asked for the way.

use std::time::Duration;

use super::ledger::Audience;
use super::schedule::ProcessId;
use super::world::World;
use crate::id::NodeId;
use crate::node::{Routed, TicketId};
use crate::wire::{Draft, Frame};

/// The promise that a node keeps what it was given for another one.
const NOT_FORGOTTEN: &str = "what is for one node is sent, or given up and counted";

/// What a program wants to send: to one node, or to all.
#[derive(Debug)]
pub(super) struct Wish {
    pub draft: Draft,
    pub to: Option<NodeId>,
    pub since: Duration,
}

/// A message that waits for a way.
#[derive(Debug)]
pub(super) struct Routing {
    ticket: TicketId,
    number: usize,
    frame: Frame,
    is_sent: bool,
}

impl World {
    /// Sends to one node; false if too many messages wait for a way.
    pub(super) fn route(&mut self, pid: ProcessId, draft: &Draft, to: NodeId) -> bool {
        let frame = draft.encode(&self.processes[pid].id, &draft.id());
        let now = self.ground.schedule.now();
        let number = self.ground.ledger.sent(pid, now, draft.time, Audience::One(to));
        let parcel = frame.clone();
        let (routed, _) = self.act(pid, Some(number), |node, now| node.send_to(now, to, parcel));
        match routed {
            Routed::Sent if self.ground.ledger.sendings[number].put == 0 => {
                let what = format!("process {pid} never put message {number} on a link");
                self.ground.ledger.breaks(NOT_FORGOTTEN, what);
            }
            Routed::Sent => {}
            Routed::Routing(ticket) => {
                self.ground.ledger.routing += 1;
                let routing = &mut self.processes[pid].routing;
                routing.push(Routing { ticket, number, frame, is_sent: false });
            }
            // It was never sent.
            Routed::TooMany => drop(self.ground.ledger.sendings.pop()),
        }
        routed != Routed::TooMany
    }

    /// Which message that waited for a way this frame is, now that it is put on a link.
    pub(super) fn found_its_way(&mut self, pid: ProcessId, frame: &Frame) -> Option<usize> {
        let mut routing = self.processes[pid].routing.iter_mut();
        let is_it = |at: &&mut Routing| !at.is_sent && at.frame.bytes(None) == frame.bytes(None);
        let found = routing.find(is_it)?;
        found.is_sent = true;
        Some(found.number)
    }

    /// The wait is over, one way or the other.
    pub(super) fn routed(&mut self, pid: ProcessId, ticket: TicketId, sent: bool) {
        let routing = &mut self.processes[pid].routing;
        let Some(at) = routing.iter().position(|routing| routing.ticket == ticket) else { return };
        let Routing { number, is_sent, .. } = routing.swap_remove(at);
        self.ground.ledger.routing -= 1;
        self.ground.ledger.given_up += u64::from(!sent);
        if is_sent != sent {
            let what = format!("message {number} of process {pid}: sent {is_sent}, said {sent}");
            self.ground.ledger.breaks(NOT_FORGOTTEN, what);
        }
    }
}
