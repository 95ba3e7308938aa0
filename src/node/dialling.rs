//! Dials nodes, and dials lost ones again.

use std::time::Duration;

use super::address_book::Trust;
use super::attempts::Attempts;
use super::event::{Action, LinkId, Target};
use super::peer::{Direction, Peer};
use super::reconnect;
use super::timers::Timer;
use super::waiting::Waiter;
use super::{Node, Now};
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::wire::HostPort;

/// Most dials at a time that no user asked for: addresses that never answer must not take all
/// links.
const MAX_DIALS: usize = 8;
/// The pause before a name that led to this node itself is looked up again.
const OWN_NAME_AGAIN: Duration = Duration::from_secs(30);
/// A node that has no free link is left alone for this time.
const FULL_FOR: Duration = Duration::from_secs(60);
/// The pause before the next dial is tried if too many are under way.
const DIAL_AGAIN: Duration = Duration::from_millis(250);

impl Node {
    /// Dials lost peers and wanted addresses whose pause is over.
    pub(super) fn redial(&mut self, now: Now) {
        for addr in self.book.due(now.mono) {
            if self.is_linked_contact(&addr) {
                self.book.rest(&addr);
            } else if self.may_redial(now, &addr) {
                self.dial_contact(now, &addr);
            } else {
                self.book.postpone(&addr, now.mono.saturating_add(self.rng.jitter(DIAL_AGAIN * 2)));
            }
        }
        self.schedule_redial();
    }

    /// Returns whether an address may be dialled now. One that was announced but never reached is
    /// dialled as rarely as a hint.
    fn may_redial(&mut self, now: Now, addr: &HostPort) -> bool {
        let trust = self.book.trust(addr);
        self.may_dial_more() && (trust > Some(Trust::Announced) || self.may_dial_unproven(now))
    }

    pub(super) fn may_dial_more(&self) -> bool {
        let is_dial = |peer: &Peer| {
            peer.is_outgoing() && peer.is_handshaking() && peer.waiters.contains(&Waiter::Mesh)
        };
        self.links.count(|peer| is_dial(peer)) < MAX_DIALS
    }

    pub(super) fn is_linked_contact(&self, addr: &HostPort) -> bool {
        let id = self.book.id_at(addr);
        id.is_some_and(|id| self.table.get(&id).is_some())
    }

    /// Returns whether the node at this address is being dialled, here or at another address.
    pub(super) fn is_dialling_contact(&self, addr: &HostPort) -> bool {
        let Some(id) = self.book.id_at(addr) else { return false };
        self.links.any(|peer| {
            let dialled = || peer.dial.addr.as_ref().and_then(|addr| self.book.id_at(addr));
            peer.is_handshaking() && dialled() == Some(id)
        })
    }

    pub(super) fn dial_contact(&mut self, now: Now, addr: &HostPort) {
        let Some(target) = self.book.target(addr) else {
            return;
        };
        if self.has_room().is_ok() {
            let link = self.dial(now, target, addr.clone(), Waiter::Mesh);
            self.book.dialling(addr, link);
        } else {
            self.book.failed(addr, now.mono, &mut self.rng);
        }
    }

    /// Starts a dial, or joins one to the same target that is under way.
    pub(super) fn dial(&mut self, now: Now, target: Target, addr: HostPort, why: Waiter) -> LinkId {
        let is_same = |peer: &Peer| {
            let hosts = peer.dial.target.as_ref().map(Target::hosts);
            peer.dial.addr.as_ref() == Some(&addr) && hosts == Some(target.hosts())
        };
        let under_way =
            self.links.iter_mut().find(|(_, peer)| peer.is_handshaking() && is_same(peer));
        if let Some((link, peer)) = under_way {
            peer.waiters.push(why);
            return link;
        }
        let mut peer = Peer::new(Direction::Outgoing, now.mono);
        peer.dial.attempts = Attempts::new(&target);
        peer.dial.addr = Some(addr);
        peer.dial.target = Some(target.clone());
        peer.waiters.push(why);
        let link = self.new_link(now, peer);
        self.actions.push_back(Action::Dial { link, target, skip: Vec::new() });
        link
    }

    /// Notes where a linked peer can be dialled. An address that was dialled is proven; one that
    /// was only announced is not.
    pub(super) fn book_success(&mut self, link: LinkId, id: NodeId, wanted: bool) {
        let Some(peer) = self.links.get(link) else { return };
        let (addr, target, trust) = match (&peer.dial.addr, &peer.dial.target, &peer.addr) {
            (Some(addr), Some(target), _) if wanted => (addr, target.clone(), Trust::Wanted),
            (Some(addr), Some(target), _) => (addr, target.clone(), Trust::Known),
            (_, _, Some(addr)) if self.is_sensible(self.scope_of(link), addr) => {
                (addr, Target::Told(addr.clone(), self.scope_of(link)), Trust::Announced)
            }
            _ => return,
        };
        let addr = addr.clone();
        self.book.reached(&addr, id, trust, target);
        if self.book.has_arrived(&addr) {
            let event = MeshEvent::SeedReached { addr: addr.to_string(), id };
            self.actions.push_back(Action::Report(event));
        }
    }

    pub(super) fn book_failure(&mut self, now: Now, peer: &Peer, cause: &Cause) {
        let Some(addr) = &peer.dial.addr else { return };
        match cause {
            // The name may lead to another node later.
            Cause::OwnAddress if peer.dial.target.as_ref().is_some_and(Target::is_movable) => {
                self.book.failed(addr, now.mono, &mut self.rng);
                self.book.postpone(addr, now.mono.saturating_add(OWN_NAME_AGAIN));
            }
            Cause::OwnAddress => self.book.forget(addr),
            // The node is linked, by another link.
            _ if self.is_linked_contact(addr) => self.book.rest(addr),
            _ if peer.dial.is_turned_away => {
                self.book.turned_away(
                    addr,
                    now.mono.saturating_add(FULL_FOR),
                    now.mono,
                    &mut self.rng,
                );
            }
            _ => self.book.failed(addr, now.mono, &mut self.rng),
        }
        self.schedule_redial();
        // Another hint may succeed.
        self.dial_hints(now);
    }

    /// Schedules redials of a lost peer, and asks for others meanwhile.
    pub(super) fn remember_lost(&mut self, now: Now, link: LinkId, cause: &Cause) {
        let Some(peer) = self.links.get(link) else { return };
        if self.is_closed || matches!(cause, Cause::Disconnected | Cause::Closed) {
            return;
        }
        let is_wanted = |id: NodeId| self.book.wants(&id);
        if matches!(cause, Cause::Exchanged) && !self.links.peer_of(link).is_some_and(is_wanted) {
            return;
        }
        let (id, was_outgoing) = (peer.id(), peer.is_outgoing());
        let lasted = now.mono.saturating_sub(peer.opened);
        let own = peer.dial.addr.as_ref().or(peer.addr.as_ref()).cloned();
        let mut addrs = id.map(|id| self.book.addresses_of(&id)).unwrap_or_default();
        // The address that it announced may belong to another node that is linked: then it is not
        // dialled.
        addrs.extend(own.filter(|own| !addrs.contains(own) && !self.is_linked_contact(own)));
        for addr in addrs {
            let pause = reconnect::first_pause(&mut self.rng, was_outgoing);
            self.book.lost(&addr, now.mono, lasted, pause, &mut self.rng);
        }
        self.schedule_redial();
        self.ask_soon(now);
    }

    fn schedule_redial(&mut self) {
        if let Some(next) = self.book.next_due() {
            self.timers.set(next, Timer::Redial);
        }
    }
}
