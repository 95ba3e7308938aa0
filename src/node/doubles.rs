//! Two links between the same two nodes, when both dialled at once: which one stays.
//!
//! rs2p nodes agree on it. py2p decides by itself, and badly: a second link whose handshake it does
//! not like costs it both. So it is answered on one link only, and on that one which it cannot
//! take for a second.

use std::time::Duration;

use super::event::{Action, LinkId, Target};
use super::peer::{Peer, Purpose, Stage};
use super::timers::Timer;
use super::{Node, Now};
use crate::events::Cause;
use crate::id::NodeId;
use crate::options::Flag;
use crate::wire::{Hello, peers};

/// Said on a second link by the node that does not decide: now you may choose.
const SPARE: &str = "spare";

/// An established link that has been silent for this long loses against a new one, because it may
/// be dead without our knowing. One that was heard since stays, because the new one may lie.
const FRESH: Duration = Duration::from_secs(5);

/// How long the dial of a py2p node with a higher id is waited for.
const THEIR_DIAL: Duration = Duration::from_millis(100);

impl Node {
    /// A second link to an rs2p node. The numerically higher of the two chooses which one stays,
    /// once the other has said that it has both: then nothing in flight can be lost.
    pub(super) fn keep_spare(&mut self, now: Now, link: LinkId, id: NodeId) {
        self.answer(now, link);
        self.set_stage(link, Stage::Spare(id));
        self.establish(link, id);
        self.acknowledged(link);
        self.tell_peers(now, link);
        if self.me.id < id {
            self.say(now, link, Flag::Whisper, Hello::new([SPARE]).payload());
        } else {
            self.choose(now, id);
        }
    }

    /// A hello on an established link.
    pub(super) fn hello_again(&mut self, now: Now, link: LinkId, id: NodeId, hello: &Hello) {
        if !hello.has(SPARE) || self.me.id < id {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.offers_choice = true;
        }
        self.choose(now, id);
    }

    /// Chooses between two links to a peer, if both ends have both of them.
    fn choose(&mut self, now: Now, id: NodeId) {
        let offers = |peer: &Peer| peer.id() == Some(id) && peer.offers_choice;
        let (Some(row), Some(spare)) = (self.table.get(&id), self.spare_of(&id)) else { return };
        if !self.peers.values().any(offers) {
            return;
        }
        for link in [row, spare] {
            if let Some(peer) = self.peers.get_mut(&link) {
                peer.offers_choice = false;
            }
        }
        let is_fresh = self
            .peers
            .get(&row)
            .is_some_and(|peer| now.mono < peer.last_heard.max(peer.opened) + FRESH);
        if is_fresh {
            self.set_stage(spare, Stage::Draining(id));
            self.actions.push_back(Action::Retire { link: spare, heir: row });
        } else {
            self.hand_over(now, id, row, spare);
        }
    }

    /// Whether a py2p node that we dialled may be dialling us, in a way that an answer would cost
    /// both links. One that was told of us takes its own dial for our link from the first moment,
    /// and if its id is above ours, turns down any other.
    pub(super) fn is_dangerous(&self, link: LinkId, id: NodeId) -> bool {
        id > self.me.id && self.peers.get(&link).is_some_and(Peer::is_outgoing)
    }

    /// Gives that dial time to arrive. It was made before the node took ours, if it was made.
    pub(super) fn expect_dial(&mut self, now: Now, link: LinkId, id: NodeId) {
        self.hold_answer(now, link, id, THEIR_DIAL);
    }

    /// A second link to a py2p node. If the first one lives, as the answer to a question shows, it
    /// stays; a node that has lost it, without our knowing yet, gets this one.
    pub(super) fn doubt(&mut self, now: Now, row: LinkId, link: LinkId, id: NodeId) {
        self.hold_answer(now, link, id, self.config.handshake_timeout);
        self.say(now, row, Flag::Whisper, peers::request_payload());
    }

    fn hold_answer(&mut self, now: Now, link: LinkId, id: NodeId, most: Duration) {
        let until = now.mono + most;
        self.set_stage(link, Stage::Spare(id));
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.answer_by = Some(until);
        }
        self.timers.set(until, Timer::Handshake(link));
        self.establish(link, id);
    }

    /// A py2p node told us on this link whom it knows: it has no use for others.
    pub(super) fn lives(&mut self, now: Now, link: LinkId) {
        let Some(id) = self.peers.get(&link).and_then(Peer::id) else { return };
        if self.table.get(&id) != Some(link) {
            return;
        }
        let doubted: Vec<LinkId> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.stage == Stage::Spare(id) && peer.answer_by.is_some())
            .map(|(&spare, _)| spare)
            .collect();
        for spare in doubted {
            self.turn_down(now, spare, id);
        }
    }

    /// A second link to a py2p node goes, never answered, so that the node sees no conflict.
    fn turn_down(&mut self, now: Now, link: LinkId, id: NodeId) {
        if let Some(peer) = self.peers.get_mut(&link) {
            let is_wanted = peer.is_wanted();
            let purposes = std::mem::take(&mut peer.purposes);
            self.book_success(link, id, is_wanted);
            self.serve(purposes, id);
        }
        self.close_link(now, link, Cause::Duplicate);
    }

    /// A second link is still one: the answer was held back for as long as it may be, or the other
    /// rs2p node has not chosen, and we have not heard of it on the first link either. Then it has
    /// lost the first one.
    pub(super) fn choice_overdue(&mut self, now: Now, link: LinkId, id: NodeId) {
        let Some(peer) = self.peers.get(&link) else { return };
        let row = self.table.get(&id).and_then(|row| self.peers.get(&row));
        let is_over = match peer.answer_by {
            Some(by) => now.mono >= by,
            None => {
                let is_silent = row.is_none_or(|row| row.last_heard < peer.opened);
                is_silent && now.mono >= peer.opened + self.config.handshake_timeout
            }
        };
        if !is_over {
            return;
        }
        match self.table.get(&id) {
            // It did not dial.
            None => self.join(now, link, id),
            // The first link is silent: this one takes its place.
            Some(row) => self.close_link(now, row, Cause::TimedOut),
        }
    }

    /// From now on `heir` is the link to this peer; the old one is heard to its end.
    pub(super) fn hand_over(&mut self, now: Now, id: NodeId, old: LinkId, heir: LinkId) {
        self.set_stage(old, Stage::Draining(id));
        self.set_stage(heir, Stage::Ready(id));
        self.table.insert(id, heir);
        if self.peers.get(&heir).is_some_and(|peer| peer.answer_by.is_some()) {
            // The answer goes ahead of what the old link leaves to it.
            self.welcome(now, heir);
            self.inherit(old, heir);
        } else {
            self.acknowledged(old);
        }
        self.actions.push_back(Action::Retire { link: old, heir });
    }

    /// Whoever waits for a link to a py2p node waits on, until the node has taken up our answer.
    fn inherit(&mut self, old: LinkId, heir: LinkId) {
        let Some(old) = self.peers.get_mut(&old) else { return };
        let purposes = std::mem::take(&mut old.purposes);
        let (dialled, target) = (old.dialled.clone(), old.target.clone());
        let is_second_try = old.is_second_try;
        if let Some(heir) = self.peers.get_mut(&heir) {
            heir.purposes.extend(purposes);
            heir.is_second_try |= is_second_try;
            heir.dialled = heir.dialled.take().or(dialled);
            heir.target = heir.target.take().or(target);
        }
    }

    /// A py2p node ended a link before it took up our answer. That is what it does to both of two
    /// links, so it is dialled again for those who wait, once.
    pub(super) fn dial_again(&mut self, now: Now, link: LinkId, purposes: Vec<Purpose>) {
        let Some(addr) = self.peers.get(&link).and_then(|peer| peer.dialled.clone()) else {
            return;
        };
        let target = self.peers.get(&link).and_then(|peer| peer.target.clone());
        let target = target.unwrap_or_else(|| Target::Told(addr.clone()));
        for purpose in purposes {
            let link = self.dial(now, target.clone(), addr.clone(), purpose);
            if let Some(peer) = self.peers.get_mut(&link) {
                peer.is_second_try = true;
            }
        }
    }

    /// A second link is gone. Whoever waited for it may have the first.
    pub(super) fn spare_lost(&mut self, now: Now, link: LinkId, id: NodeId, cause: Cause) {
        if self.table.get(&id).is_some() {
            self.acknowledged(link);
        } else if let Some(peer) = self.peers.remove(&link) {
            self.never_ready(now, peer, cause);
        }
    }
}

#[cfg(test)]
mod tests;
