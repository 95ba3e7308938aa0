//! Ends links in peace: both ends write what is queued, and read to the end. Which links, and why: see
//! `exchange.rs`.

use std::time::Duration;

use super::event::{Action, LinkId};
use super::peer::Peer;
use super::stage::Stage;
use super::{Node, Now};
use crate::cause::Cause;
use crate::id::NodeId;
use crate::options::Flag;
use crate::tally::Tally;
use crate::wire::Exchange;

/// The shortest time between two peers that are asked to part to make room.
const ROOM_EVERY: Duration = Duration::from_secs(2);
/// Who was parted from is not dialled for this time.
const PARTED_FOR: Duration = Duration::from_secs(60);
/// A link is kept for this time after a message came over it that may be answered over it, or a reply went over it,
/// whose receipt comes back.
const LEADS_BACK: Duration = Duration::from_secs(30);
/// A peer that has not agreed to part after this time keeps the link.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

impl Node {
    /// Notes that answers or receipts may come back over a link.
    pub(super) fn note_way_back(&mut self, now: Now, link: LinkId) {
        self.links.update(link, |peer| peer.led_back_at = Some(now.mono));
    }

    /// Returns the peer of the highest rank, of those like that which can be parted from.
    pub(super) fn worst_extra(
        &self,
        now: Now,
        like: impl Fn(&Peer) -> bool,
    ) -> Option<(u64, LinkId)> {
        let is_extra = |id: &NodeId, peer: &Peer| {
            // While there are two links, the ends are about to choose one.
            peer.exchanges
                && (peer.is_outgoing() || peer.can_do_without)
                && peer.is_acknowledged()
                && !peer.is_asked_to_part(now.mono)
                && !peer.may_lead_back(now.mono)
                && self.links.spare_of(id).is_none()
                && !self.book.wants(id)
        };
        let extra = self.peers().filter(|(id, _, peer)| like(peer) && is_extra(id, peer));
        extra.map(|(id, link, _)| (self.exchanges.rank(&id), link)).max()
    }

    /// Asks a peer to part if more were dialled than wanted.
    pub(super) fn trim_links(&mut self, now: Now) {
        let staying = self.dialled(|peer| !peer.is_asked_to_part(now.mono));
        if staying > self.config.max_outgoing
            && !self.is_small_mesh(now)
            && let Some((_, link)) = self.worst_extra(now, Peer::is_outgoing)
        {
            self.ask_to_part(now, link);
        }
    }

    /// Asks a peer to part that can do without this node, because somebody came who may have no other one.
    pub(super) fn make_room(&mut self, now: Now) {
        if now.mono < self.exchanges.next_room {
            return;
        }
        // Own dials are kept: who comes may be anybody.
        if let Some((_, link)) = self.worst_extra(now, |peer| !peer.is_outgoing()) {
            self.exchanges.next_room = now.mono.saturating_add(ROOM_EVERY);
            self.ask_to_part(now, link);
        }
    }

    fn ask_to_part(&mut self, now: Now, link: LinkId) {
        self.links.update(link, |peer| peer.asked_to_part = Some(now.mono));
        self.say(now, link, Flag::Whisper, Exchange::Part.payload());
    }

    /// Handles that a peer wants to part, or agrees to it. This node does not if the peer is its last one, if its
    /// user asked for it, or if answers may go back over the link.
    pub(super) fn told_to_part(&mut self, now: Now, link: LinkId, from: NodeId) {
        let is_first = self.table.get(&from) == Some(link);
        if !is_first || self.links.spare_of(&from).is_some() {
            return;
        }
        let is_answer = self.links.is(link, |peer| peer.is_asked_to_part(now.mono));
        if is_answer || self.may_part_from(now, link, &from) {
            // If both ends have asked, each waits for an answer.
            self.say(now, link, Flag::Whisper, Exchange::Part.payload());
            self.drain(now, link);
        }
    }

    fn may_part_from(&self, now: Now, link: LinkId, peer: &NodeId) -> bool {
        let may_lead_back = self.links.is(link, |peer| peer.may_lead_back(now.mono));
        let has_others = self.peers().any(|(_, other, peer)| {
            other != link && peer.is_acknowledged() && !peer.is_asked_to_part(now.mono)
        });
        has_others && !may_lead_back && !self.book.wants(peer)
    }

    /// Puts nothing more on a link, and reads it to its end.
    fn drain(&mut self, now: Now, link: LinkId) {
        let Some(id) = self.links.peer_of(link) else { return };
        self.stats.exchanged.tally(1);
        self.links.set_stage(link, Stage::Draining(id));
        self.left(now, id, link, Cause::Exchanged);
        self.book.parted(&id, now.mono.saturating_add(PARTED_FOR));
        self.actions.push_back(Action::Part { link });
        if self.table.len() < self.config.max_outgoing {
            self.ask_soon(now);
        }
        self.dial_hints(now);
    }
}

impl Peer {
    /// Returns whether answers or receipts for a recent message go back over this link.
    fn may_lead_back(&self, now: Duration) -> bool {
        self.led_back_at.is_some_and(|at| now < at.saturating_add(LEADS_BACK))
    }

    /// Returns whether this peer was asked to part, and may still agree.
    fn is_asked_to_part(&self, now: Duration) -> bool {
        self.asked_to_part.is_some_and(|asked| now < asked.saturating_add(ANSWERS_WITHIN))
    }
}
