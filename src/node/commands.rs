//! What the user asks a node to do.

use super::event::{Action, ConnectId, LinkId, Parcel, Target, TicketId};
use super::peer::Peer;
use super::stage::Stage;
use super::waiting::Waiter;
use super::{Node, Now};
use crate::cause::Cause;
use crate::id::{MessageId, NodeId};
use crate::tally::Tally;
use crate::wire::{Frame, HostPort, Letter};

/// The result of a `connect`.
#[derive(Debug)]
pub(crate) enum Connecting {
    /// There is a link to that address already.
    Linked(NodeId),
    /// [`Action::Connected`] will tell.
    Dialling(ConnectId),
}

/// The result of sending a message to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dispatch {
    /// The node is a peer, and the message was sent.
    Sent,
    /// The message is on its way, or a route is being searched; [`Action::Settled`] will tell.
    Pending(TicketId),
    /// Too many messages wait for a route.
    TooMany,
}

/// See [`Node::way_to`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendPath {
    pub about: Option<MessageId>,
    /// Whether the node is a peer that says and reads which message an answer answers.
    pub is_told: bool,
    pub link: Option<(NodeId, LinkId)>,
}

impl Node {
    /// Links to the node that answers at one of these addresses.
    pub fn connect(&mut self, now: Now, hosts: Vec<HostPort>) -> Result<Connecting, Cause> {
        if let Some((id, link)) = self.linked_at(&hosts) {
            return Ok(self.join_link(link, id));
        }
        self.has_room()?;
        let Some(first) = hosts.first().cloned() else { return Err(Cause::Refused) };
        let connect = ConnectId(self.ids.next());
        self.dial(now, Target::Asked(hosts), first, Waiter::Connect(connect));
        Ok(Connecting::Dialling(connect))
    }

    /// Dials nodes until they answer, and again whenever they are lost.
    pub fn seed(&mut self, now: Now, seeds: Vec<Vec<HostPort>>) {
        for hosts in seeds {
            let Some(first) = hosts.first().cloned() else { continue };
            self.book.want(first, Target::Asked(hosts), now.mono);
        }
        self.redial(now);
    }

    /// Returns the link that exists already. If its peer has not acknowledged our handshake yet,
    /// the caller waits for that.
    fn join_link(&mut self, link: LinkId, id: NodeId) -> Connecting {
        self.book_success(link, id, true);
        match self.links.get_mut(link) {
            Some(peer) if !peer.is_acknowledged() => {
                let connect = ConnectId(self.ids.next());
                peer.waiters.push(Waiter::Connect(connect));
                Connecting::Dialling(connect)
            }
            _ => Connecting::Linked(id),
        }
    }

    /// Ends the links to a peer, forgets its addresses, and refuses it until the user connects to
    /// it again. Returns false if there was nothing to end or forget.
    pub fn disconnect(&mut self, now: Now, id: &NodeId) -> bool {
        let was_known = self.book.forget_peer(id);
        // Spares first, so that none of them takes the place of the row that ends last.
        while let Some(link) = self.links.spare_of(id) {
            self.close_link(now, link, Cause::Disconnected);
        }
        let row = self.table.get(id);
        if let Some(link) = row {
            self.close_link(now, link, Cause::Disconnected);
        }
        if was_known || row.is_some() {
            self.shun(*id);
        }
        self.check_alone();
        was_known || row.is_some()
    }

    /// Sends a message to all peers, which do not relay it.
    pub fn whisper(&mut self, frame: &Frame) -> usize {
        self.stats.sent.tally(1);
        self.send_to_all(frame)
    }

    /// Sends a message to one peer. Returns false if the node is not a peer.
    pub fn whisper_to(&mut self, to: &NodeId, frame: &Frame) -> bool {
        let Some(link) = self.table.get(to) else { return false };
        self.stats.sent.tally(1);
        self.stats.own_frames.tally(1);
        self.actions.push_back(Action::Send { link, parcel: Parcel::Own(frame.clone()) });
        true
    }

    /// Sends a message to one node, which need not be a peer.
    pub fn send_to(&mut self, now: Now, to: NodeId, letter: Letter) -> Dispatch {
        if self.whisper_to(&to, &letter.plain) {
            Dispatch::Sent
        } else if self.requests.is_full(letter.len()) {
            Dispatch::TooMany
        } else {
            self.stats.sent.tally(1);
            Dispatch::Pending(self.request_route(now, to, letter))
        }
    }

    /// Returns how a message to this node would leave: the message of that node which it answers,
    /// if one is known, and the link that it takes, if it need not wait for one.
    pub fn way_to(&self, to: &NodeId, about: Option<MessageId>) -> SendPath {
        let about = about.or_else(|| self.routes.latest_of(to));
        let direct = self.table.get(to).map(|link| (*to, link));
        let is_told =
            direct.is_some_and(|(_, link)| self.links.is(link, |peer| peer.passes_replies));
        SendPath {
            about,
            is_told,
            link: direct.or_else(|| self.next_hop(to, about.as_ref(), None)),
        }
    }

    /// Accepts and dials no more links, and tells all waiters. The runtime closes the links.
    pub fn close(&mut self) {
        self.is_closed = true;
        self.give_up_requests();
        for retry in std::mem::take(&mut self.retries).into_values() {
            retry.waiters.into_iter().for_each(|it| self.fail_waiter(it, &Cause::Closed.into()));
        }
        for (_, peer) in self.links.iter_mut() {
            for waiter in std::mem::take(&mut peer.waiters) {
                if let Waiter::Connect(connect) = waiter {
                    let outcome = Err(Cause::Closed.into());
                    self.actions.push_back(Action::Connected { connect, outcome });
                }
            }
        }
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Returns the peers in the routing table, in the order of their ids.
    pub fn peers(&self) -> impl Iterator<Item = (NodeId, LinkId, &Peer)> {
        self.table.iter().filter_map(|(id, link)| Some((*id, link, self.links.get(link)?)))
    }

    /// Returns the link that speaks for this peer.
    pub fn link_of(&self, id: &NodeId) -> Option<LinkId> {
        self.table.get(id)
    }

    /// Returns the number of links whose handshake has not come yet.
    pub fn awaiting(&self) -> usize {
        self.links.count(|peer| peer.is_handshaking())
    }

    /// Returns the number of links that are up or on their way up, spares included.
    pub fn links(&self) -> usize {
        self.links.count(|peer| !matches!(peer.stage, Stage::Gone(_)))
    }

    /// Returns a peer that we dialled at one of these addresses. A peer that dialled us does not
    /// count: its announced address is not proven, and its certificate was not checked.
    fn linked_at(&self, hosts: &[HostPort]) -> Option<(NodeId, LinkId)> {
        let is_there = |peer: &Peer| {
            let reached = peer.way.as_ref().map(|way| HostPort::from(way.remote));
            let at = peer.dial.addr.iter().chain(&reached).any(|addr| hosts.contains(addr));
            peer.is_outgoing() && at
        };
        self.peers().find(|(_, _, peer)| is_there(peer)).map(|(id, link, _)| (id, link))
    }
}
