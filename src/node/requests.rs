//! Messages to one node that is not a peer. They are sent back along the path of an earlier message
//! of that node, or over a new link to it, and sent again until they are taken or their time is up.
//! How a node is found is in `find_node.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::{Action, Parcel, TicketId};
use super::timers::Timer;
use super::{Node, Now};
use crate::events::MeshEvent;
use crate::id::{MessageId, NodeId};
use crate::packet::Packet;
use crate::stats::ReplyLoss;
use crate::tally::Tally;
use crate::wire::{HostPort, Letter, Receipt};

/// Most messages that wait at a time ...
pub(crate) const MAX_WAITING: usize = 1024;
/// ... and most bytes that they occupy; a single one may be larger.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
/// How long the receipt of a routed message is awaited before it is sent by another path; at most a
/// quarter of the request timeout.
const ROUTE_PATIENCE: Duration = Duration::from_millis(2500);
/// How long after the first attempt a message may be sent again: later, its receiver may have
/// forgotten that it took it.
const SAY_AGAIN: Duration = Duration::from_secs(45);

/// The messages that wait to be taken.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    pub(super) waiting: BTreeMap<TicketId, Waiting>,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub request_id: Packet,
    pub to: NodeId,
    pub letter: Letter,
    /// The peer whose receipt is awaited.
    pub via: Option<NodeId>,
    /// Peers that it was sent to without a receipt. A late receipt counts; the message is not sent
    /// there again.
    pub silent: Vec<NodeId>,
    pub first_sent: Option<Duration>,
    /// When it is sent by another path.
    pub seek_at: Duration,
    pub is_dialling: bool,
    pub addrs: Vec<HostPort>,
    /// Number of dials, which determines the next address.
    pub dials: usize,
    /// How often the mesh was asked.
    pub asked: u32,
    pub why: ReplyLoss,
}

impl Waiting {
    fn is(&self, id: &MessageId) -> bool {
        self.letter.routed.as_ref().is_some_and(|(_, own)| own == id)
    }
}

impl Requests {
    /// Notes that the dial for a message failed. It is tried again, see [`Node::seek`].
    pub fn route_failed(&mut self, ticket: TicketId) {
        if let Some(waiting) = self.waiting.get_mut(&ticket) {
            waiting.is_dialling = false;
        }
    }

    /// Returns whether there is no room for another message of `len` bytes.
    pub fn is_full(&self, len: usize) -> bool {
        let bytes = self.bytes.saturating_add(len);
        self.waiting.len() >= MAX_WAITING || (bytes > MAX_WAITING_BYTES && self.bytes > 0)
    }

    fn insert(&mut self, ticket: TicketId, waiting: Waiting) {
        self.bytes.tally(waiting.letter.len());
        self.waiting.insert(ticket, waiting);
    }

    fn remove(&mut self, ticket: TicketId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&ticket)?;
        self.bytes = self.bytes.saturating_sub(waiting.letter.len());
        Some(waiting)
    }

    fn tickets(&self, is_meant: impl Fn(&Waiting) -> bool) -> Vec<TicketId> {
        let meant = self.waiting.iter().filter(|(_, waiting)| is_meant(waiting));
        meant.map(|(&ticket, _)| ticket).collect()
    }
}

impl Node {
    /// Keeps a message until its receiver has taken it.
    pub(super) fn request_route(&mut self, now: Now, to: NodeId, letter: Letter) -> TicketId {
        let ticket = TicketId(self.ids.next());
        let request_id = Packet::from(NodeId::from_digest(&self.rng.bytes()).as_bytes());
        let waiting = Waiting {
            request_id,
            to,
            letter,
            via: None,
            silent: Vec::new(),
            first_sent: None,
            seek_at: now.mono,
            is_dialling: false,
            addrs: Vec::new(),
            dials: 0,
            asked: 0,
            why: ReplyLoss::NoRoute,
        };
        self.requests.insert(ticket, waiting);
        self.timers
            .set(now.mono.saturating_add(self.config.request_timeout), Timer::Request(ticket));
        self.seek(now, ticket);
        ticket
    }

    /// Looks for another path, unless the message was sent since the timer was set.
    pub(super) fn seek_due(&mut self, now: Now, ticket: TicketId) {
        if self.requests.waiting.get(&ticket).is_some_and(|waiting| now.mono >= waiting.seek_at) {
            self.seek(now, ticket);
        }
    }

    pub(super) fn seek_after(&mut self, now: Now, ticket: TicketId, pause: Duration) {
        if let Some(waiting) = self.requests.waiting.get_mut(&ticket) {
            waiting.seek_at = now.mono.saturating_add(pause);
            self.timers.set(waiting.seek_at, Timer::Seek(ticket));
        }
    }

    /// Sends a message to the next hop, if there is one that did not fail before. Otherwise asks
    /// the mesh for its receiver, and dials the addresses that were told so far.
    fn seek(&mut self, now: Now, ticket: TicketId) {
        let Some(waiting) = self.requests.waiting.get_mut(&ticket) else { return };
        waiting.silent.extend(waiting.via.take());
        if !self.send_by_next_hop(now, ticket) {
            self.ask_for_way(now, ticket);
        }
    }

    fn send_by_next_hop(&mut self, now: Now, ticket: TicketId) -> bool {
        let Some(waiting) = self.requests.waiting.get(&ticket) else { return false };
        let Some((frame, _)) = waiting.letter.routed.clone() else { return false };
        let is_late =
            waiting.first_sent.is_some_and(|first| now.mono > first.saturating_add(SAY_AGAIN));
        let hop = self.next_hop(&waiting.to, waiting.letter.about.as_ref(), None);
        let hop = hop.filter(|(peer, _)| !is_late && !waiting.silent.contains(peer));
        let Some((peer, link)) = hop else { return false };
        if let Some(waiting) = self.requests.waiting.get_mut(&ticket) {
            waiting.silent.extend(waiting.via.replace(peer));
            waiting.first_sent.get_or_insert(now.mono);
            waiting.why = ReplyLoss::NotTaken;
        }
        self.note_way_back(now, link);
        self.stats.own_frames.tally(1);
        self.actions.push_back(Action::Send { link, parcel: Parcel::Own(frame) });
        let patience = ROUTE_PATIENCE.min(self.config.request_timeout / 4);
        self.seek_after(now, ticket, patience);
        true
    }

    /// Sends all messages that waited for this peer, which is linked now. A peer that sends no
    /// receipts gets them once it has acknowledged our handshake: then the link stays, which is all
    /// that can be known.
    pub(super) fn deliver_replies(&mut self, now: Now, id: NodeId) {
        let Some(link) = self.table.get(&id) else { return };
        let Some(peer) = self.links.get(link) else { return };
        let (confirms, is_acknowledged) = (peer.passes_replies, peer.is_acknowledged());
        for ticket in self.requests.tickets(|waiting| waiting.to == id && waiting.via != Some(id)) {
            if confirms && self.send_by_next_hop(now, ticket) {
                continue;
            }
            let may_be_plain = |waiting: &Waiting| {
                is_acknowledged && (!confirms || waiting.letter.routed.is_none())
            };
            if self.requests.waiting.get(&ticket).is_some_and(may_be_plain)
                && let Some(waiting) = self.requests.remove(ticket)
            {
                let parcel = Parcel::Own(waiting.letter.plain);
                self.stats.own_frames.tally(1);
                self.actions.push_back(Action::Send { link, parcel });
                self.settle(ticket, waiting.to, Ok(()));
            }
        }
    }

    /// Handles a receipt for a message of this node.
    pub(super) fn own_receipt_came(&mut self, now: Now, peer: NodeId, receipt: Receipt) {
        match receipt {
            Receipt::Taken(id) => {
                let sent_there = |waiting: &Waiting| {
                    waiting.is(&id) && (waiting.via == Some(peer) || waiting.silent.contains(&peer))
                };
                for ticket in self.requests.tickets(sent_there) {
                    if let Some(waiting) = self.requests.remove(ticket) {
                        self.settle(ticket, waiting.to, Ok(()));
                    }
                }
            }
            Receipt::Lost(id) => {
                self.way_lost(now, |waiting| waiting.is(&id) && waiting.via == Some(peer));
            }
        }
    }

    /// Looks for other paths for the messages that were sent to a lost peer.
    pub(super) fn hop_lost(&mut self, now: Now, peer: NodeId) {
        self.way_lost(now, |waiting| waiting.via == Some(peer));
    }

    /// Asks the mesh at once. The path that failed is tried again later.
    fn way_lost(&mut self, now: Now, is_meant: impl Fn(&Waiting) -> bool) {
        for ticket in self.requests.tickets(is_meant) {
            if let Some(waiting) = self.requests.waiting.get_mut(&ticket) {
                waiting.via = None;
                waiting.why = ReplyLoss::NoRoute;
            }
            self.ask_for_way(now, ticket);
        }
    }

    pub(super) fn request_overdue(&mut self, ticket: TicketId) {
        if let Some(waiting) = self.requests.remove(ticket) {
            self.settle(ticket, waiting.to, Err(waiting.why));
        }
    }

    pub(super) fn give_up_requests(&mut self) {
        self.requests.bytes = 0;
        for (ticket, waiting) in std::mem::take(&mut self.requests.waiting) {
            self.settle(ticket, waiting.to, Err(ReplyLoss::Closed));
        }
    }

    fn settle(&mut self, ticket: TicketId, to: NodeId, outcome: Result<(), ReplyLoss>) {
        let event = match outcome {
            Ok(()) => {
                self.stats.replies_taken.tally(1);
                MeshEvent::ReplySent { to }
            }
            Err(why) => {
                self.stats.lose_reply(why);
                MeshEvent::ReplyFailed { to, why }
            }
        };
        self.actions.push_back(Action::Settled { ticket, sent: outcome.is_ok() });
        self.actions.push_back(Action::Report(event));
    }
}
