//! What waits for a link, and what it is told when the link is ready or has failed.

use super::event::{Action, ConnectId, LinkId, Target, TicketId};
use super::peer::Peer;
use super::{Node, Now};
use crate::cause::Cause;
use crate::error::Failure;
use crate::id::NodeId;

/// What waits for an outgoing link. Several can wait for one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A user waits in `connect`.
    Connect(ConnectId),
    /// A reply waits for this route.
    Reply(TicketId),
    /// The node itself wants the link: its address was exchanged, remembered or retried.
    Mesh,
}

impl Node {
    /// Tells the waiters of a link that its peer is `id`.
    pub(super) fn notify_waiters(&mut self, waiters: Vec<Waiter>, id: NodeId) {
        for waiter in waiters {
            match waiter {
                Waiter::Connect(connect) => {
                    self.actions.push_back(Action::Connected { connect, outcome: Ok(id) });
                }
                // If the reply still waits, another node answered at the address dialled for it.
                Waiter::Reply(ticket) => self.requests.route_failed(ticket),
                Waiter::Mesh => {}
            }
        }
    }

    /// Tells a waiter that its link failed.
    pub(super) fn fail_waiter(&mut self, waiter: Waiter, failure: &Failure) {
        match waiter {
            Waiter::Connect(connect) => {
                let outcome = Err(failure.clone());
                self.actions.push_back(Action::Connected { connect, outcome });
            }
            Waiter::Reply(ticket) => self.requests.route_failed(ticket),
            Waiter::Mesh => {}
        }
    }

    /// Handles a ready link that ended before its peer had acknowledged it: dials once more for the
    /// waiters where the end may be due to crossed dials, and fails them otherwise.
    pub(super) fn fail_waiters_or_redial(&mut self, now: Now, link: LinkId, cause: &Cause) {
        let Some(peer) = self.links.get_mut(link) else { return };
        let waiters = std::mem::take(&mut peer.waiters);
        if peer.may_try_again(cause) {
            self.dial_again(now, link, waiters);
        } else {
            peer.give_up_reached(cause);
            let failure = peer.failure(cause);
            waiters.into_iter().for_each(|waiter| self.fail_waiter(waiter, &failure));
        }
    }

    /// Moves the waiters of one link to a py2p node to another one, until the node acknowledges
    /// that.
    pub(super) fn move_waiters(&mut self, old: LinkId, heir: LinkId) {
        let Some(old) = self.links.get_mut(old) else { return };
        let waiters = std::mem::take(&mut old.waiters);
        let (dialled, target) = (old.dial.addr.clone(), old.dial.target.clone());
        let is_second_try = old.dial.is_second_try;
        if let Some(heir) = self.links.get_mut(heir) {
            heir.waiters.extend(waiters);
            heir.dial.is_second_try |= is_second_try;
            heir.dial.addr = heir.dial.addr.take().or(dialled);
            heir.dial.target = heir.dial.target.take().or(target);
        }
    }

    /// Dials a py2p node again for the waiters of a link that it ended before it acknowledged our
    /// handshake. py2p ends both of two links in that way. Dials again once only.
    pub(super) fn dial_again(&mut self, now: Now, link: LinkId, waiters: Vec<Waiter>) {
        let Some(addr) = self.links.get(link).and_then(|peer| peer.dial.addr.clone()) else {
            return;
        };
        let target = self.links.get(link).and_then(|peer| peer.dial.target.clone());
        let target = target.unwrap_or_else(|| Target::Told(addr.clone(), self.scope_of(link)));
        for waiter in waiters {
            let link = self.dial(now, target.clone(), addr.clone(), waiter);
            self.links.update(link, |peer| peer.dial.is_second_try = true);
        }
    }
}

impl Peer {
    /// Returns whether this link, which the peer has not acknowledged, may have ended because of
    /// another link to the peer.
    fn may_try_again(&self, cause: &Cause) -> bool {
        let by_peer = matches!(cause, Cause::PeerClosed | Cause::Io(_));
        by_peer && !self.is_rs2p && !self.dial.is_second_try && self.dial.addr.is_some()
    }
}
