//! Two links between the same two nodes, when both dialled at once: which one stays.
//!
//! The *first link* is the one in the routing table; the second one is its *spare*. How it is
//! decided depends on the peer, see [`Choice`].
//!
//! rs2p nodes agree. The node with the higher id chooses, once the other one has said that it has
//! both links: then nothing in flight is lost. Both nodes probe the first link when the spare
//! appears.
//!
//! Ids are not authenticated, so a spare may be the link of somebody else. Its messages are kept back until it
//! takes over, or until the peer says on the first link that it has two: then the spare is where it speaks.
//! Otherwise they are refused.
//!
//! ```text
//!               ┌─ the peer offers the choice, and the first link
//!               │  was heard within 5 s, or answers the probe ──────► the spare is retired
//!  spare ───────┤
//!  (Agreed)     ├─ the first link ends, or the probe is
//!               │  not answered in time ────────────────────────────► the spare takes over
//!               │
//!               └─ the spare ends ──────────────────────────────────► the first link stays
//! ```
//!
//! py2p does not agree: it ends both links when it gets a handshake on a second link that it does
//! not accept. So our handshake is held back until it is clear which link stays, and is sent on
//! that one only.
//!
//! ```text
//!               ┌─ the first link answers the probe ────────────────► the spare is closed
//!  spare ───────┤
//!  (Held)       ├─ the first link ends, or is silent until the
//!               │  deadline ────────────────────────────────────────► the spare takes over
//!               │
//!               └─ no first link until the deadline ────────────────► the spare joins
//! ```
//!
//! The last case is a link that we dialled to a py2p node that may be dialling us: its dial gets
//! 100 ms to arrive and to become the first link.

use std::time::Duration;

use super::discovery::TELL_EVERY;
use super::event::{Action, LinkId};
use super::peer::Peer;
use super::stage::{Choice, Ready, Spare, Stage};
use super::timers::Timer;
use super::{Node, Now};
use crate::cause::Cause;
use crate::id::NodeId;
use crate::options::Flag;
use crate::wire::{Hello, peers};

/// Capability in a hello on a second link, from the node with the lower id: the other node may
/// choose.
const SPARE: &str = "spare";

/// An established link that was silent for longer may be dead: it is probed before it wins against
/// a new one.
const FRESH: Duration = Duration::from_secs(5);

/// How long the dial of a py2p node with a higher id is awaited.
const CROSSED_DIAL: Duration = Duration::from_millis(100);

impl Node {
    /// Keeps a second link to an rs2p node as a spare, until the node with the higher id chooses.
    pub(super) fn keep_spare(&mut self, now: Now, link: LinkId, id: NodeId) {
        self.links.update(link, |peer| peer.is_heard = false);
        self.answer(now, link);
        let choice = Choice::Agreed { probed_at: now.mono, offers_choice: false };
        self.links.set_stage(link, Stage::Spare(Spare { id, choice }));
        self.establish(link, id);
        self.acknowledged(now, link);
        self.deliver_replies(now, id);
        self.tell_peers(now, link);
        if let Some(row) = self.table.get(&id) {
            self.probe_first_link(now, row, link, id);
        }
        if self.me.id < id {
            self.say(now, link, Flag::Whisper, Hello::new([SPARE]).payload());
        } else {
            self.choose(now, id);
        }
    }

    /// Handles a hello on an established link: the peer may have offered the choice.
    pub(super) fn hello_again(&mut self, now: Now, link: LinkId, id: NodeId, hello: &Hello) {
        if !hello.has(SPARE) || self.me.id < id {
            return;
        }
        self.links.update(link, |peer| peer.stage.set_offers_choice(true));
        self.choose(now, id);
    }

    /// Chooses between two links to a peer, if both ends have both of them.
    fn choose(&mut self, now: Now, id: NodeId) {
        let (Some(row), Some(spare)) = (self.table.get(&id), self.links.spare_of(&id)) else {
            return;
        };
        if !self.links.offers_choice(&id) {
            return;
        }
        let heard = self.links.get(row).map(|peer| peer.last_heard.max(peer.opened));
        if heard.is_some_and(|heard| now.mono < heard.saturating_add(FRESH)) {
            self.keep_first(id, row, spare);
        } else {
            // Either the first link is dead, or the second one belongs to somebody who uses the id
            // of another node. `settle_choice` decides by the answer to the probe.
            self.probe_unless_probed(now, row, spare, id);
        }
    }

    /// Probes the first link, unless the answer to a probe is awaited: the peer decides how often it
    /// offers the choice.
    fn probe_unless_probed(&mut self, now: Now, row: LinkId, spare: LinkId, id: NodeId) {
        let until = |spare: &Spare| match spare.choice {
            Choice::Agreed { probed_at, .. } => {
                Some(probed_at.saturating_add(self.choice_time(&id)))
            }
            Choice::Held { .. } => None,
        };
        let is_probed = self.links.is(spare, |peer| match &peer.stage {
            Stage::Spare(spare) => until(spare).is_some_and(|until| now.mono < until),
            _ => false,
        });
        if !is_probed {
            self.probe_first_link(now, row, spare, id);
        }
    }

    /// Keeps the first link and retires the spare. If the peer has offered the choice on the first link, the
    /// spare is its first one, and what it has said there is heard. Anybody can offer it on the spare.
    fn keep_first(&mut self, id: NodeId, row: LinkId, spare: LinkId) {
        if self.links.is(row, |peer| peer.stage.offers_choice()) {
            self.links.update(spare, |peer| peer.is_heard = true);
        }
        for link in [row, spare] {
            self.links.update(link, |peer| peer.stage.set_offers_choice(false));
        }
        self.links.set_stage(spare, Stage::Draining(id));
        self.renew_settings(spare, id);
        self.actions.push_back(Action::Retire { link: spare, heir: row });
    }

    /// Returns whether a py2p node that we dialled may be dialling us, so that our handshake could
    /// end both links. A py2p node that read our id in a peers list takes its own dial for the link
    /// to us from the start, and ends any other link if its id is higher than ours.
    pub(super) fn may_cross_dials(&self, link: LinkId, id: NodeId) -> bool {
        id > self.me.id && self.links.is(link, Peer::is_outgoing)
    }

    /// Gives that dial time to arrive. The node made it before it accepted ours, or not at all.
    pub(super) fn await_their_dial(&mut self, now: Now, link: LinkId, id: NodeId) {
        self.hold_answer(now, link, id, CROSSED_DIAL);
    }

    /// Holds back our handshake on a second link to a py2p node, and probes the first one. If the
    /// first one answers, it stays; otherwise the peer has lost it, and the second one takes over.
    pub(super) fn hold_and_probe(&mut self, now: Now, row: LinkId, link: LinkId, id: NodeId) {
        self.links.update(link, |peer| peer.is_heard = false);
        self.hold_answer(now, link, id, self.config.handshake_timeout);
        self.say(now, row, Flag::Whisper, peers::request_payload());
    }

    fn hold_answer(&mut self, now: Now, link: LinkId, id: NodeId, most: Duration) {
        let until = now.mono.saturating_add(most);
        self.links.set_stage(link, Stage::Spare(Spare { id, choice: Choice::Held { until } }));
        self.timers.set(until, Timer::Answer(link));
        self.establish(link, id);
    }

    /// Handles a sign of life on the first link: closes the spares to a py2p node, and chooses if
    /// the peer is an rs2p node that offers the choice.
    pub(super) fn first_link_answered(&mut self, now: Now, link: LinkId) {
        let Some(id) = self.links.peer_of(link) else { return };
        if self.table.get(&id) != Some(link) {
            return;
        }
        for spare in self.links.held_spares_of(&id) {
            self.close_duplicate(now, spare, id);
        }
        self.choose(now, id);
    }

    /// Closes a link that is one too many, and tells its waiters that the peer is linked. A py2p
    /// node never gets our handshake on it, so it notices no conflict.
    pub(super) fn close_duplicate(&mut self, now: Now, link: LinkId, id: NodeId) {
        if let Some(peer) = self.links.get_mut(link) {
            let is_wanted = peer.is_wanted();
            let waiters = std::mem::take(&mut peer.waiters);
            self.book_success(link, id, is_wanted);
            self.notify_waiters(waiters, id);
        }
        self.close_link(now, link, Cause::Duplicate);
    }

    /// Ends the wait of a link to a py2p node whose answer was held back for as long as it may be.
    pub(super) fn answer_due(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get(link) else { return };
        let (Some(id), Some(until)) = (peer.id(), peer.stage.held_until()) else { return };
        match self.table.get(&id) {
            _ if now.mono < until => {}
            // The py2p node did not dial.
            None => self.join(now, link, id),
            // The first link is silent: this one takes its place.
            Some(row) => self.close_link(now, row, Cause::TimedOut),
        }
    }

    /// Decides between two links to an rs2p node that have not been decided on in time.
    pub(super) fn choice_due(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get(link) else { return };
        if let Stage::Spare(Spare { id, choice: Choice::Agreed { probed_at, .. } }) = peer.stage
            && now.mono >= probed_at.saturating_add(self.choice_time(&id))
        {
            self.settle_choice(now, link, id, probed_at);
        }
    }

    /// Returns how long the answer to a probe is awaited. The node that chooses waits half as long
    /// as the other one, which acts only if nothing was chosen.
    fn choice_time(&self, id: &NodeId) -> Duration {
        self.config.handshake_timeout * if self.me.id < *id { 2 } else { 1 }
    }

    /// Decides by the answer to the probe of the first link: if there was none, the peer has lost
    /// it.
    fn settle_choice(&mut self, now: Now, link: LinkId, id: NodeId, asked: Duration) {
        let Some(row) = self.table.get(&id).filter(|_| !self.is_closed) else { return };
        // A request shortly before the probe may be the one that was answered: see `TELL_EVERY`.
        let is_alive = |row: &Peer| row.last_heard.saturating_add(TELL_EVERY) >= asked;
        if !self.links.is(row, is_alive) {
            self.hand_over(now, id, row, link);
        } else if self.links.offers_choice(&id) {
            self.keep_first(id, row, link);
        } else {
            // Its peer has not agreed to it: it need not be the one that it says.
            self.close_duplicate(now, link, id);
        }
    }

    /// Asks for a sign of life on the first of two links, and sets the deadline for it.
    fn probe_first_link(&mut self, now: Now, row: LinkId, spare: LinkId, id: NodeId) {
        self.say(now, row, Flag::Whisper, peers::request_payload());
        let Some(peer) = self.links.get_mut(spare) else { return };
        if let Stage::Spare(Spare { choice: Choice::Agreed { probed_at, .. }, .. }) =
            &mut peer.stage
        {
            *probed_at = now.mono;
            self.timers.set(now.mono.saturating_add(self.choice_time(&id)), Timer::Choice(spare));
        }
    }

    /// Makes `heir` the link that speaks for this peer; the old one is heard to its end.
    pub(super) fn hand_over(&mut self, now: Now, id: NodeId, old: LinkId, heir: LinkId) {
        let is_held = self.links.is(heir, |heir| heir.stage.held_until().is_some());
        // Our handshake goes ahead of what the old link leaves to its heir.
        self.answer(now, heir);
        let had_acknowledged = self.links.is(old, Peer::is_acknowledged);
        let offers = |link| self.links.is(link, |peer| peer.stage.offers_choice());
        let offers_choice = offers(old) || offers(heir);
        self.links.set_stage(old, Stage::Draining(id));
        let ready = Ready { id, is_acknowledged: !is_held, offers_choice };
        self.links.set_stage(heir, Stage::Ready(ready));
        self.links.update(heir, |heir| heir.is_heard = true);
        self.table.insert(id, heir);
        self.renew_settings(heir, id);
        if is_held {
            self.introduce(now, heir);
            self.move_waiters(old, heir);
        } else {
            self.acknowledged(now, old);
            if !had_acknowledged {
                self.deliver_replies(now, id);
            }
        }
        self.actions.push_back(Action::Retire { link: old, heir });
        if let Some(spare) = self.links.spare_of(&id).filter(|_| self.is_rs2p(heir)) {
            self.probe_first_link(now, heir, spare, id);
        }
    }

    pub(super) fn is_rs2p(&self, link: LinkId) -> bool {
        self.links.is(link, |peer| peer.is_rs2p)
    }

    /// Handles the loss of a spare: its waiters are told that the peer is linked, if it is.
    pub(super) fn spare_lost(&mut self, now: Now, link: LinkId, id: NodeId, cause: Cause) {
        if self.table.get(&id).is_some() {
            self.acknowledged(now, link);
        } else if let Some(peer) = self.links.remove(link) {
            self.ended_before_handshake(now, peer, cause);
        }
    }
}

#[cfg(test)]
mod tests;
