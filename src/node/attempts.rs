//! The addresses of one dial: which are still to be tried, and why the others failed.

use std::net::SocketAddr;
use std::time::Duration;

use super::event::{Action, LinkId, Target};
use super::peer::{Direction, Peer};
use super::timers::Timer;
use super::waiting::Waiter;
use super::{Node, Now};
use crate::cause::Cause;
use crate::error::Failure;
use crate::wire::HostPort;

/// How a link was dialled, and how often. Empty for an incoming link.
#[derive(Debug, Default)]
pub(crate) struct Dial {
    /// Where we dialled: the key in the address book. A link that takes over from another one
    /// inherits it.
    pub addr: Option<HostPort>,
    /// All addresses.
    pub target: Option<Target>,
    /// What happened at each of them so far.
    pub attempts: Attempts,
    /// When the next address is tried, if no handshake has come by then.
    pub next_address_at: Option<Duration>,
    /// Whether this is the second dial for the same waiters.
    pub is_second_try: bool,
    /// Whether the node there has no free link, and said who else there is.
    pub is_turned_away: bool,
    /// How often the same target was dialled before, see `retries.rs`.
    pub retries: u32,
    /// How the previous dial ended. Reported if this one does not connect at all.
    pub earlier: Option<Failure>,
}

/// The addresses of one dial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    waiting: Vec<HostPort>,
    failed: Vec<(HostPort, Cause)>,
}

impl Attempts {
    pub fn new(target: &Target) -> Self {
        Attempts { waiting: target.hosts().to_vec(), failed: Vec::new() }
    }

    /// Returns the attempts of the next dial to the same target, without the addresses that failed.
    fn again(self, target: &Target) -> Self {
        let mut again = Attempts { failed: self.failed, ..Attempts::new(target) };
        again.waiting.retain(|addr| again.failed.iter().all(|(failed, _)| failed != addr));
        again
    }

    /// Replaces a name by its addresses.
    pub fn found(&mut self, name: &HostPort, addrs: Vec<HostPort>) {
        self.waiting.retain(|waiting| waiting != name);
        for addr in addrs {
            if !self.waiting.contains(&addr)
                && self.failed.iter().all(|(failed, _)| *failed != addr)
            {
                self.waiting.push(addr);
            }
        }
    }

    /// Notes that this address failed.
    pub fn failed(&mut self, addr: HostPort, cause: Cause) {
        self.waiting.retain(|waiting| *waiting != addr);
        self.failed.push((addr, cause));
    }

    /// Returns how many addresses are left, this one not counted.
    fn left_besides(&self, addr: &HostPort) -> usize {
        self.waiting.iter().filter(|waiting| *waiting != addr).count()
    }

    /// Ends the dial: all addresses that are left failed for this cause.
    fn end(mut self, cause: &Cause) -> Failure {
        let waiting = std::mem::take(&mut self.waiting);
        self.failed.extend(waiting.into_iter().map(|addr| (addr, cause.clone())));
        Failure { cause: cause.clone(), attempts: self.failed }
    }

    fn skip(&self) -> Vec<SocketAddr> {
        self.failed.iter().filter_map(|(addr, _)| addr.to_socket_addr()).collect()
    }
}

impl Peer {
    /// Returns the address that was reached, once the connection is up.
    fn reached(&self) -> Option<HostPort> {
        self.way.as_ref().map(|way| HostPort::from(way.remote))
    }

    /// Notes that the address that was reached failed.
    pub(super) fn give_up_reached(&mut self, cause: &Cause) {
        if let Some(addr) = self.reached() {
            self.dial.attempts.failed(addr, cause.clone());
        }
    }

    /// Returns what the waiters of this link are told.
    pub(super) fn failure(&self, cause: &Cause) -> Failure {
        match &self.dial.earlier {
            Some(earlier) if self.way.is_none() => earlier.clone(),
            _ => self.dial.attempts.clone().end(cause),
        }
    }
}

impl Node {
    pub(super) fn resolved(&mut self, link: LinkId, name: &HostPort, addrs: Vec<HostPort>) {
        self.links.update(link, |peer| peer.dial.attempts.found(name, addrs));
    }

    pub(super) fn unreached(&mut self, link: LinkId, addr: HostPort, cause: Cause) {
        self.links.update(link, |peer| peer.dial.attempts.failed(addr, cause));
    }

    /// Limits the time for an address that was reached: the other addresses of the dial get equal
    /// shares of the time that is left, in case it sends no handshake.
    pub(super) fn share_time(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get_mut(link) else { return };
        let Some(reached) = peer.reached().filter(|_| peer.is_outgoing()) else { return };
        let left = peer.dial.attempts.left_besides(&reached);
        if left > 0 {
            let end = peer.opened.saturating_add(self.config.handshake_timeout);
            let shares = u32::try_from(left.saturating_add(1)).unwrap_or(u32::MAX);
            let until = now.mono.saturating_add(end.saturating_sub(now.mono) / shares);
            peer.dial.next_address_at = Some(until);
            self.timers.set(until, Timer::Handshake(link));
        }
    }

    /// Dials the remaining addresses of a link that was lost before its handshake. Returns false if
    /// there is none, or no time is left.
    pub(super) fn dial_rest(&mut self, now: Now, peer: &mut Peer, cause: &Cause) -> bool {
        let ends = matches!(cause, Cause::Closed | Cause::Disconnected | Cause::Duplicate);
        let deadline = peer.opened.saturating_add(self.config.handshake_timeout);
        let Some(target) = peer.dial.target.clone().filter(|_| !ends && !self.is_closed) else {
            return false;
        };
        let Some(reached) = peer.reached().filter(|_| now.mono < deadline) else { return false };
        if peer.dial.attempts.left_besides(&reached) == 0 {
            return false;
        }
        peer.give_up_reached(cause);
        self.dial_once_more(now, peer, target, deadline);
        true
    }

    fn dial_once_more(&mut self, now: Now, old: &mut Peer, target: Target, deadline: Duration) {
        let mut peer = Peer::new(Direction::Outgoing, old.opened);
        peer.waiters = std::mem::take(&mut old.waiters);
        peer.dial.addr = old.dial.addr.clone();
        peer.dial.target = Some(target.clone());
        peer.dial.is_second_try = old.dial.is_second_try;
        (peer.dial.retries, peer.dial.earlier) = (old.dial.retries, old.dial.earlier.take());
        peer.dial.attempts = std::mem::take(&mut old.dial.attempts).again(&target);
        let (skip, dialled) = (peer.dial.attempts.skip(), peer.dial.addr.clone());
        let is_of_mesh = peer.waiters.contains(&Waiter::Mesh);
        let link = self.new_link(now, peer);
        self.timers.set(deadline, Timer::Handshake(link));
        if let Some(addr) = dialled.filter(|_| is_of_mesh) {
            self.book.dialling(&addr, link);
        }
        self.actions.push_back(Action::Dial { link, target, skip });
    }
}
