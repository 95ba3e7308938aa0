//! Replies to somebody who is not a peer: ask for a route, dial it, send, or give up.

use std::collections::BTreeMap;

use super::event::{Action, LinkId, Parcel, Target, TicketId};
use super::peer::Purpose;
use super::timers::Timer;
use super::{Node, Now};
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::options::Flag;
use crate::packet::Packet;
use crate::wire::{Frame, HostPort, PeerEntry, peers};

/// Replies that may wait at once.
pub(crate) const MAX_WAITING: usize = 1024;
/// Addresses that one reply is tried at: anybody can answer, as often as it likes.
const MAX_ROUTES: usize = 3;
/// Longer ids of requests are not repeated in an answer, which would be larger than the request.
/// Those of rs2p and py2p have about 66 bytes.
const MAX_REQUEST_ID: usize = 256;

/// The replies that wait for a route.
#[derive(Debug, Default)]
pub(crate) struct Requests(BTreeMap<TicketId, Waiting>);

#[derive(Debug)]
struct Waiting {
    request_id: Packet,
    to: NodeId,
    frame: Frame,
    is_dialling: bool,
    tried: Vec<HostPort>,
}

impl Waiting {
    fn may_try(&self, me: &HostPort, addr: &HostPort) -> bool {
        let is_new = addr != me && !self.tried.contains(addr);
        is_new && !self.is_dialling && self.tried.len() < MAX_ROUTES
    }
}

impl Requests {
    /// The dial that a response asked for came to nothing: another response may do better.
    pub fn route_failed(&mut self, ticket: TicketId) {
        if let Some(waiting) = self.0.get_mut(&ticket) {
            waiting.is_dialling = false;
        }
    }

    pub fn is_full(&self) -> bool {
        self.0.len() >= MAX_WAITING
    }
}

impl Node {
    /// Keeps a frame and asks the mesh where its receiver is.
    pub(super) fn request_route(&mut self, now: Now, to: NodeId, frame: Frame) -> TicketId {
        let ticket = TicketId(self.numbers.next());
        let request_id = Packet::from(NodeId::from_digest(&self.rng.bytes()).as_bytes());
        let payload = peers::route_request_payload(&request_id, &to);
        self.requests.0.insert(
            ticket,
            Waiting { request_id, to, frame, is_dialling: false, tried: Vec::new() },
        );
        self.timers.set(now.mono + self.config.request_timeout, Timer::Request(ticket));
        let links: Vec<LinkId> = self.table.iter().map(|(_, link)| link).collect();
        for link in links {
            self.say(now, link, Flag::Broadcast, payload.clone());
        }
        ticket
    }

    /// Somebody asks where a node is; if it is a peer of ours we know.
    pub(super) fn answer_request(&mut self, now: Now, link: LinkId, request: &Packet, id: &NodeId) {
        if !self.config.answer_requests || request.len() > MAX_REQUEST_ID {
            return;
        }
        let row = self.table.get(id).and_then(|row| self.peers.get(&row));
        let Some(addr) = row.and_then(|peer| peer.contact()) else { return };
        let entry = PeerEntry { addr: Some(addr.clone()), id: *id };
        let payload = peers::route_response_payload(request, &entry);
        self.say(now, link, Flag::Broadcast, payload);
    }

    /// Somebody knows where a node is. True if it was we who asked.
    pub(super) fn routed(&mut self, now: Now, request: &Packet, entry: Option<&PeerEntry>) -> bool {
        let mut waiting = self.requests.0.iter_mut();
        let Some((&ticket, waiting)) = waiting.find(|(_, w)| w.request_id == *request) else {
            return false;
        };
        let addr =
            entry.filter(|entry| entry.id == waiting.to).and_then(|entry| entry.addr.clone());
        if let Some(addr) = addr.filter(|addr| waiting.may_try(&self.me.addr, addr)) {
            waiting.is_dialling = true;
            waiting.tried.push(addr.clone());
            self.dial_route(now, ticket, addr);
        }
        true
    }

    fn dial_route(&mut self, now: Now, ticket: TicketId, addr: HostPort) {
        if self.has_room().is_ok() {
            let target = Target::Told(addr.clone(), self.widest_scope());
            self.dial(now, target, addr, Purpose::Reply(ticket));
        } else {
            self.requests.route_failed(ticket);
        }
    }

    /// Sends all replies that waited for this peer, which is linked now.
    pub(super) fn deliver_replies(&mut self, _now: Now, id: NodeId) {
        let Some(link) = self.table.get(&id) else { return };
        let ready = self.requests.0.iter().filter(|(_, waiting)| waiting.to == id);
        let ready: Vec<TicketId> = ready.map(|(&ticket, _)| ticket).collect();
        for ticket in ready {
            if let Some(waiting) = self.requests.0.remove(&ticket) {
                let parcel = Parcel::Own(waiting.frame);
                self.stats.own_frames += 1;
                self.actions.push_back(Action::Send { link, parcel });
                self.settle(ticket, waiting.to, true);
            }
        }
    }

    pub(super) fn request_overdue(&mut self, ticket: TicketId) {
        if let Some(waiting) = self.requests.0.remove(&ticket) {
            self.settle(ticket, waiting.to, false);
        }
    }

    pub(super) fn give_up_requests(&mut self) {
        for (ticket, waiting) in std::mem::take(&mut self.requests.0) {
            self.settle(ticket, waiting.to, false);
        }
    }

    fn settle(&mut self, ticket: TicketId, to: NodeId, sent: bool) {
        let event = if sent { MeshEvent::ReplySent { to } } else { MeshEvent::ReplyFailed { to } };
        self.actions.push_back(Action::Settled { ticket, sent });
        self.actions.push_back(Action::Report(event));
    }
}
