//! Finds the address of a node: asks the mesh, answers requests of others, and dials the addresses
//! that are told.

use std::time::Duration;

use super::event::{LinkId, Parcel, Target, TicketId};
use super::waiting::Waiter;
use super::{Node, Now};
use crate::id::NodeId;
use crate::options::Flag;
use crate::packet::Packet;
use crate::stats::ReplyLoss;
use crate::tally::Tally;
use crate::wire::{Draft, HostPort, PeerEntry, peers};

/// Most addresses that are dialled for one message: any node can answer, any number of times.
const MAX_ADDRESSES: usize = 3;
/// Requests with a longer id are not answered: the answer would be larger than the request. The ids
/// of rs2p and py2p have about 66 bytes.
const MAX_REQUEST_ID: usize = 256;
/// The pause before the mesh is asked again; it doubles.
const ASK_AGAIN: Duration = Duration::from_millis(800);

impl Node {
    /// Asks the mesh where a node is, and dials the addresses that were told before.
    pub(super) fn ask_for_way(&mut self, now: Now, ticket: TicketId) {
        let Some(waiting) = self.requests.waiting.get_mut(&ticket) else { return };
        let pause = ASK_AGAIN * 2_u32.saturating_pow(waiting.asked.min(8));
        waiting.asked.tally(1);
        let payload = peers::route_request_payload(&waiting.request_id, &waiting.to);
        let links: Vec<LinkId> = self.table.iter().map(|(_, link)| link).collect();
        for link in links {
            self.say(now, link, Flag::Broadcast, payload.clone());
        }
        let pause = self.rng.jitter(pause);
        self.seek_after(now, ticket, pause);
        self.dial_for(now, ticket);
    }

    /// Answers a request for the address of a node, if that is one of our peers.
    pub(super) fn answer_request(&mut self, now: Now, link: LinkId, request: &Packet, id: &NodeId) {
        if !self.config.answer_requests || request.len() > MAX_REQUEST_ID {
            return;
        }
        let row = self.table.get(id).and_then(|row| self.links.get(row));
        let Some(addr) = row.and_then(|peer| peer.contact()) else { return };
        let entry = PeerEntry { addr: Some(addr.clone()), id: *id };
        let packets = peers::route_response_payload(request, &entry);
        if !self.links.get_mut(link).is_some_and(|peer| peer.allowances.answers.take(now.mono)) {
            self.stats.unanswered.tally(1);
            return;
        }
        let draft = Draft { main: Flag::Broadcast, packets, time: now.second() };
        self.put_control(link, Parcel::Answer(draft));
    }

    /// Handles the answer to a request. Returns whether this node had asked.
    pub(super) fn routed(&mut self, now: Now, request: &Packet, entry: Option<&PeerEntry>) -> bool {
        let mut waiting = self.requests.waiting.iter_mut();
        let Some((&ticket, waiting)) = waiting.find(|(_, w)| w.request_id == *request) else {
            return false;
        };
        let addr =
            entry.filter(|entry| entry.id == waiting.to).and_then(|entry| entry.addr.clone());
        let is_new = |addr: &HostPort| *addr != self.me.addr && !waiting.addrs.contains(addr);
        if let Some(addr) = addr.filter(is_new)
            && waiting.addrs.len() < MAX_ADDRESSES
        {
            // The new one first.
            waiting.dials = waiting.addrs.len();
            waiting.addrs.push(addr);
            if waiting.via.is_none() {
                self.dial_for(now, ticket);
            }
        }
        true
    }

    /// Dials the next address that the mesh told for a node.
    fn dial_for(&mut self, now: Now, ticket: TicketId) {
        let has_room = self.has_room().is_ok();
        let Some(waiting) = self.requests.waiting.get_mut(&ticket) else { return };
        let is_peer = self.table.get(&waiting.to).is_some();
        if waiting.is_dialling || is_peer || waiting.addrs.is_empty() {
            return;
        }
        if !has_room {
            waiting.why = ReplyLoss::TooManyLinks;
            return;
        }
        let Some(addr) = waiting.addrs.iter().cycle().nth(waiting.dials).cloned() else { return };
        waiting.dials.tally(1);
        waiting.is_dialling = true;
        waiting.why = ReplyLoss::Unreachable;
        let target = Target::Told(addr.clone(), self.widest_scope());
        self.dial(now, target, addr, Waiter::Reply(ticket));
    }
}
