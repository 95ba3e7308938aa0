//! Peers lists: what is sent in one, and which of its nodes are dialled.

use std::time::Duration;

use super::address_book::{Place, Trust};
#[cfg(feature = "discovery")]
use super::dialable::is_link_local;
use super::dialable::{Scope, may_dial};
use super::event::LinkId;
use super::peer::Peer;
use super::stage::Stage;
use super::timers::Timer;
use super::{Node, Now};
#[cfg(feature = "discovery")]
use crate::id::NodeId;
use crate::options::Flag;
use crate::wire::{HostPort, PeerEntry, peers};

/// The shortest time between two peers lists that one peer is sent on request: py2p floods requests
/// when it is in trouble.
pub(super) const TELL_EVERY: Duration = Duration::from_millis(250);
/// Most entries of a peers list for a node whose handshake has not come.
const MAX_TOLD_STRANGER: usize = 32;
/// Hints that are dialled in a burst, and the time in which the allowance grows by one.
const HINT_BURST: u32 = 8;
const HINT_REFILL: Duration = Duration::from_secs(1);
/// The shortest and the longest time between two requests for more peers.
const ASK_FIRST: Duration = Duration::from_secs(1);
const ASK_CAP: Duration = Duration::from_secs(60);

/// When more peers are asked for, and how many hints may be dialled now.
#[derive(Debug)]
pub(crate) struct Asking {
    scheduled: bool,
    pause: Duration,
    allowance: u32,
    refilled: Duration,
}

impl Default for Asking {
    fn default() -> Self {
        Asking {
            scheduled: false,
            pause: ASK_FIRST,
            allowance: HINT_BURST,
            refilled: Duration::ZERO,
        }
    }
}

impl Asking {
    fn may_dial(&mut self, now: Duration) -> bool {
        let waited = now.saturating_sub(self.refilled).as_secs();
        let earned = waited.checked_div(HINT_REFILL.as_secs()).unwrap_or(0);
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            self.allowance = HINT_BURST.min(self.allowance.saturating_add(earned));
            self.refilled = now;
        }
        self.allowance > 0
    }

    fn take_dial(&mut self, now: Duration) -> bool {
        let may = self.may_dial(now);
        self.allowance = self.allowance.saturating_sub(u32::from(may));
        may
    }
}

impl Node {
    /// Sends a peer the list of our peers.
    pub(super) fn tell_peers(&mut self, now: Now, link: LinkId) {
        self.tell_some_peers(now, link, usize::MAX);
    }

    /// Sends a short peers list to a node for which no link is free, and which accepts small frames
    /// only.
    pub(super) fn tell_whom_else(&mut self, now: Now, link: LinkId) {
        self.tell_some_peers(now, link, MAX_TOLD_STRANGER);
    }

    fn tell_some_peers(&mut self, now: Now, link: LinkId, most: usize) {
        let entries = self.peer_entries(link, most);
        self.say(now, link, Flag::Whisper, peers::payload(&entries));
    }

    /// Returns so many random peers, as the peer of a link is told them.
    pub(super) fn peer_entries(&mut self, link: LinkId, most: usize) -> Vec<PeerEntry> {
        let scope = self.scope_of(link);
        // py2p takes several addresses of one node for several nodes.
        let each = if self.is_rs2p(link) { usize::MAX } else { 1 };
        let others = self.peers().filter(|&(_, row, _)| row != link);
        let mut entries: Vec<PeerEntry> = others
            .flat_map(|(id, _, peer)| {
                let ways = peer.ways(scope).into_iter().take(each);
                ways.map(move |addr| PeerEntry { addr: Some(addr), id })
            })
            .collect();
        self.rng.shuffle(&mut entries);
        entries.truncate(most);
        entries
    }

    pub(super) fn asked_for_peers(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get_mut(link) else { return };
        if peer.last_told.is_none_or(|last| now.mono >= last.saturating_add(TELL_EVERY)) {
            peer.last_told = Some(now.mono);
            self.tell_peers(now, link);
        }
    }

    /// Handles the peers list of a peer.
    pub(super) fn told_peers(&mut self, now: Now, link: LinkId, entries: &[PeerEntry]) {
        self.acknowledged(now, link);
        self.first_link_answered(now, link);
        self.hear_of(now, link, entries);
    }

    /// Remembers the addresses of a peers list as hints. They are dialled while this node has
    /// dialled few links.
    pub(super) fn hear_of(&mut self, now: Now, link: LinkId, entries: &[PeerEntry]) {
        let scope = self.scope_of(link);
        for entry in entries {
            let Some(addr) = &entry.addr else { continue };
            let is_known = entry.id == self.me.id || self.table.get(&entry.id).is_some();
            if !is_known && !self.is_own(link, addr) && self.is_sensible(scope, addr) {
                self.book.hint(addr, entry.id, scope, self.exchanges.rank(&entry.id));
            }
        }
        self.dial_hints(now);
    }

    /// Takes for a hint where a node says in the local network that it is. Returns whether it is not linked.
    #[cfg(feature = "discovery")]
    pub fn heard_beacon(&mut self, now: Now, id: NodeId, addr: &HostPort) -> bool {
        if id == self.me.id || self.table.get(&id).is_some() {
            return false;
        }
        let is_near = addr.to_socket_addr().is_some_and(|addr| is_link_local(addr.ip()));
        let scope = if is_near { Scope::Segment } else { self.widest_scope() };
        if self.is_sensible(scope, addr) {
            self.book.hint(addr, id, scope, self.exchanges.rank(&id));
            self.dial_hints(now);
        }
        true
    }

    /// Dials hints while this node has dialled few links.
    pub(super) fn dial_hints(&mut self, now: Now) {
        // Who has enough links dials fewer, but some: the others may all be those of one attacker.
        let wanted = match self.has_enough_links() {
            true => self.config.max_outgoing.div_ceil(2),
            false => self.config.max_outgoing,
        };
        let mut missing = wanted.saturating_sub(self.outgoing());
        if missing == 0 {
            return self.dial_better(now);
        }
        if !self.asking.may_dial(now.mono) {
            return;
        }
        let hints = self.book.hints(now.mono, |id| self.exchanges.rank(id));
        let mut hints: Vec<(Option<u64>, Place)> = hints.collect();
        hints.sort_unstable();
        for addr in hints.into_iter().map(|(_, place)| place.into_addr()) {
            if self.is_linked_contact(&addr) {
                self.book.forget(&addr);
            } else if self.is_dialling_contact(&addr) {
                // Another address of the same node.
            } else if missing == 0 || !self.may_dial_more() || !self.asking.take_dial(now.mono) {
                return;
            } else {
                self.dial_contact(now, &addr);
                missing = missing.saturating_sub(1);
            }
        }
    }

    pub(super) fn schedule_asking(&mut self, now: Now) {
        if !std::mem::replace(&mut self.asking.scheduled, true) {
            self.timers.set(now.mono.saturating_add(self.asking.pause), Timer::AskPeers);
        }
    }

    /// Asks for more peers soon, because one was lost.
    pub(super) fn ask_soon(&mut self, now: Now) {
        self.asking.pause = ASK_FIRST;
        self.schedule_asking(now);
    }

    /// Returns whether an address that was announced but never reached may be dialled now, and
    /// counts it if so.
    pub(super) fn may_dial_unproven(&mut self, now: Now) -> bool {
        self.asking.take_dial(now.mono)
    }

    /// Asks for peers, with growing pauses. Asks all peers while there are fewer than wanted: a
    /// node that joined through one which had no other peers would stay with that one for ever.
    /// Otherwise asks few, to know other nodes when the peers are lost.
    pub(super) fn ask_peers(&mut self, now: Now) {
        self.asking.scheduled = false;
        if self.is_closed || self.config.max_outgoing == 0 {
            return;
        }
        self.send_sample(now);
        self.trim_links(now);
        if self.table.len() < self.config.max_outgoing {
            self.request_peers(now);
            self.dial_hints(now);
        } else {
            self.ask_some_peers(now);
        }
        self.asking.pause = (self.asking.pause * 2).min(ASK_CAP);
        self.schedule_asking(now);
    }

    /// Asks a random peer, and one that the user asked for: all others may be those of one attacker, who tell
    /// of each other.
    fn ask_some_peers(&mut self, now: Now) {
        let any = self.rng.below(self.table.len() as u64) as usize;
        let any = self.table.iter().nth(any).map(|(_, link)| link);
        let wanted = self.table.iter().filter(|(id, _)| self.book.wants(id)).map(|(_, link)| link);
        let wanted: Vec<LinkId> = wanted.filter(|link| Some(*link) != any).collect();
        let at = self.rng.below(wanted.len() as u64) as usize;
        for link in any.into_iter().chain(wanted.get(at).copied()) {
            self.request_peers_of(now, link);
        }
    }

    /// Asks all peers for their peers lists.
    pub fn request_peers(&mut self, now: Now) {
        let links: Vec<LinkId> = self.table.iter().map(|(_, link)| link).collect();
        for link in links {
            self.request_peers_of(now, link);
        }
    }

    fn request_peers_of(&mut self, now: Now, link: LinkId) {
        self.say(now, link, Flag::Whisper, peers::request_payload());
    }

    /// Returns the number of links that this node dialled: ready ones, and hints on their way up.
    /// Redialled peers do not count: they may be gone for good, and hints replace them.
    fn outgoing(&self) -> usize {
        let is_hint = |peer: &Peer| {
            let trust = peer.dial.addr.as_ref().and_then(|addr| self.book.trust(addr));
            trust == Some(Trust::Hint)
        };
        let counts = |peer: &Peer| match &peer.stage {
            Stage::Ready(_) => true,
            Stage::Opening { .. } | Stage::Greeting(_) => is_hint(peer),
            Stage::Spare(_) | Stage::Draining(_) | Stage::Gone(_) => false,
        };
        self.links.count(|peer| peer.is_outgoing() && counts(peer))
    }

    /// Returns where the peer of a link is.
    pub(super) fn scope_of(&self, link: LinkId) -> Scope {
        self.links.get(link).and_then(Peer::scope).unwrap_or_else(|| self.widest_scope())
    }

    /// Returns the widest scope among the links: that of a statement whose sender is not known.
    pub(super) fn widest_scope(&self) -> Scope {
        let widest = self.links.iter().filter_map(|(_, peer)| peer.scope()).max();
        let at_home = || self.me.addr.to_socket_addr().is_some_and(|me| me.ip().is_loopback());
        widest.unwrap_or_else(|| if at_home() { Scope::Host } else { Scope::Network })
    }

    /// Returns whether we announced this address as ours on the link.
    fn is_own(&self, link: LinkId, addr: &HostPort) -> bool {
        match self.links.get(link).and_then(|peer| peer.way.as_ref()) {
            Some(way) => [&way.announce, &way.also].contains(&&Some(addr.clone())),
            None => self.me.addr == *addr,
        }
    }

    pub(super) fn is_sensible(&self, scope: Scope, addr: &HostPort) -> bool {
        match addr.to_socket_addr() {
            Some(socket) => may_dial(self.me.addr.port, scope, socket),
            None => addr.port >= 1024,
        }
    }
}
