//! What the user asks of a node.

use super::event::{Action, ConnectId, LinkId, Parcel, Target, TicketId};
use super::peer::Peer;
use super::stage::Stage;
use super::waiting::Waiter;
use super::{Node, Now};
use crate::cause::Cause;
use crate::id::{MessageId, NodeId};
use crate::wire::{Frame, HostPort, Letter};

/// What became of a `connect`.
#[derive(Debug)]
pub(crate) enum Connecting {
    /// There is a link to that address already.
    Linked(NodeId),
    /// [`Action::Connected`] will tell.
    Dialling(ConnectId),
}

/// What became of a message to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dispatch {
    /// It is a peer: sent.
    Sent,
    /// It is on its way, or a way is being looked for; [`Action::Settled`] will tell.
    Pending(TicketId),
    /// Too many messages wait for a route.
    TooMany,
}

/// See [`Node::way_to`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub about: Option<MessageId>,
    pub link: Option<(NodeId, LinkId)>,
}

impl Node {
    /// Links to whoever answers at one of these addresses.
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

    /// Dials nodes until they answer, and whenever they are lost.
    pub fn seed(&mut self, now: Now, seeds: Vec<Vec<HostPort>>) {
        for hosts in seeds {
            let Some(first) = hosts.first().cloned() else { continue };
            self.book.want(first, Target::Asked(hosts), now.mono);
        }
        self.redial(now);
    }

    /// There is a link already. If its peer has not taken up our handshake yet, that is waited for.
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

    /// Ends the links with a peer, forgets its addresses, and does not take it back until it is
    /// connected to again. False if there was nothing to end or forget.
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

    /// Sends to all peers what they do not pass on.
    pub fn whisper(&mut self, frame: &Frame) -> usize {
        self.stats.sent += 1;
        self.send_to_all(frame)
    }

    /// Sends to one peer; false if it is none.
    pub fn whisper_to(&mut self, to: &NodeId, frame: &Frame) -> bool {
        let Some(link) = self.table.get(to) else { return false };
        self.stats.sent += 1;
        self.stats.own_frames += 1;
        self.actions.push_back(Action::Send { link, parcel: Parcel::Own(frame.clone()) });
        true
    }

    /// Sends to one node, peer or not.
    pub fn send_to(&mut self, now: Now, to: NodeId, letter: Letter) -> Dispatch {
        if self.whisper_to(&to, &letter.plain) {
            Dispatch::Sent
        } else if self.requests.is_full(letter.len()) {
            Dispatch::TooMany
        } else {
            self.stats.sent += 1;
            Dispatch::Pending(self.request_route(now, to, letter))
        }
    }

    /// How a message to this node would begin its way: the message of that node which it answers,
    /// if one is known, and the link by which it leaves, if it need not wait for one.
    pub fn way_to(&self, to: &NodeId, about: Option<MessageId>) -> Way {
        let about = about.or_else(|| self.routes.latest_of(to));
        let direct = self.table.get(to).map(|link| (*to, link));
        Way { about, link: direct.or_else(|| self.next_hop(to, about.as_ref(), None)) }
    }

    /// No new links, no redials; whoever waits is told. The runtime closes the links.
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

    /// The peers in the table, in the order of their ids.
    pub fn peers(&self) -> impl Iterator<Item = (NodeId, LinkId, &Peer)> {
        self.table.iter().filter_map(|(id, link)| Some((*id, link, self.links.get(link)?)))
    }

    /// The link that speaks for this peer.
    pub fn link_of(&self, id: &NodeId) -> Option<LinkId> {
        self.table.get(id)
    }

    /// Links that have not shaken hands yet.
    pub fn awaiting(&self) -> usize {
        self.links.count(|peer| peer.is_handshaking())
    }

    /// All links that are up or on their way, spares included.
    pub fn links(&self) -> usize {
        self.links.count(|peer| !matches!(peer.stage, Stage::Gone(_)))
    }

    /// A peer that we dialled at one of these addresses. What somebody who dialled us says about
    /// its own address is no proof, and its certificate was never looked at.
    fn linked_at(&self, hosts: &[HostPort]) -> Option<(NodeId, LinkId)> {
        let is_there = |peer: &Peer| {
            let reached = peer.way.as_ref().map(|way| HostPort::from(way.remote));
            let at = peer.dialled.iter().chain(&reached).any(|addr| hosts.contains(addr));
            peer.is_outgoing() && at
        };
        self.peers().find(|(_, _, peer)| is_there(peer)).map(|(id, link, _)| (id, link))
    }
}
