//! Sends a message on: to some peers at once, to the others its name. And the three words about that: have,
//! want and prune. What a node remembers for it is in `tree/`.

use std::collections::BTreeMap;

use super::event::{Action, LinkId, Parcel};
use super::peer::Peer;
use super::relay::check_date;
use super::timers::Timer;
use super::tree::{COLLECT, MOST_NAMES};
use super::{Node, Now};
use crate::id::{MessageId, NodeId};
use crate::options::Flag;
use crate::tally::Tally;
use crate::wire::{Draft, Frame, Lazy, Named};

impl Node {
    /// Returns from how many bytes on frames may be announced to a peer; `None` if it knows no
    /// announcements, or this node does not use them. Both ends of a link come to the same number.
    pub(super) fn lazy_from(&self, link: LinkId) -> Option<usize> {
        let theirs = self.links.get(link).and_then(|peer: &Peer| peer.lazy_from)?;
        self.config.lazy_from.map(|ours| ours.max(theirs))
    }

    /// Returns whether a frame of this length may be announced on a link.
    fn is_large(&self, link: LinkId, len: usize) -> bool {
        self.lazy_from(link).is_some_and(|least| len >= least)
    }

    /// Returns whether a frame of this length may be announced at all.
    fn is_for_tree(&self, len: usize) -> bool {
        self.config.lazy_from.is_some_and(|least| len >= least)
    }

    /// Sends a message to some peers, or announces it where that is enough. Returns the number of frames
    /// that were sent.
    pub(super) fn spread(
        &mut self,
        now: Now,
        name: Named,
        form: impl Fn(Frame) -> Parcel,
        frame: impl Fn() -> Frame,
        is_receiver: impl Fn(&NodeId, LinkId) -> bool,
    ) -> u64 {
        let receivers = self.table.iter().filter(|(id, link)| is_receiver(id, *link));
        let receivers: smallvec::SmallVec<[(NodeId, LinkId); 8]> =
            receivers.map(|(id, link)| (*id, link)).collect();
        if receivers.is_empty() {
            return 0;
        }
        let (frame, mut sent) = (frame(), 0);
        for (to, link) in receivers {
            if self.is_large(link, frame.len()) {
                if self.tree.has(&to, &name.id) {
                    continue;
                }
                if self.tree.announces(now.mono, &to, name) {
                    let print = self.tree.fingerprint(&name.id);
                    self.tree.bodies.keep(print, form(frame.clone()));
                    self.stats.announced.tally(1);
                    self.announce_soon(now, &to, link);
                    continue;
                }
            }
            self.actions.push_back(Action::Send { link, parcel: form(frame.clone()) });
            sent.tally(1);
        }
        sent
    }

    /// Notes a message of this node. If no peer would be sent it at once, all are: it would get nowhere
    /// before it is asked for.
    pub(super) fn note_own(&mut self, now: Now, id: &MessageId, len: usize) {
        if !self.is_for_tree(len) {
            return;
        }
        if !self.has_eager_link() {
            let peers: Vec<NodeId> = self.table.iter().map(|(id, _)| *id).collect();
            for peer in peers {
                self.tree.branches.entry(peer).0.set_lazy(now.mono, false);
            }
        }
        self.tree.published(now.mono, id, len);
        self.schedule_sweep(now);
    }

    /// Returns how many peers are sent large messages at once.
    pub(super) fn eager_peers(&self) -> u64 {
        self.table.iter().filter(|(id, _)| !self.tree.branches.is_lazy(id)).count() as u64
    }

    fn has_eager_link(&self) -> bool {
        self.table.iter().any(|(id, _)| !self.tree.branches.is_lazy(id))
    }

    /// Notes the first copy of a message.
    pub(super) fn note_arrival(&mut self, now: Now, from: NodeId, id: &MessageId, len: usize) {
        if self.is_for_tree(len) {
            match self.table.get(&from) {
                Some(_) => self.tree.arrived(now.mono, &from, id, len),
                None => self.tree.arrived_late(now.mono, id, len),
            }
            // An answer makes a place for the next question.
            self.ask_in_time();
        }
    }

    /// Notes a further copy of a message, and prunes the link if it is one too many.
    pub(super) fn note_duplicate(&mut self, now: Now, link: LinkId, id: &MessageId, len: usize) {
        self.stats.duplicates.tally(1);
        let Some(from) = self.links.peer_of(link).filter(|_| self.is_large(link, len)) else {
            return;
        };
        if self.table.get(&from) == Some(link) && self.tree.duplicate(now.mono, &from, id) {
            self.stats.pruned.tally(1);
            self.say(now, link, Flag::Whisper, Lazy::Prune.payload());
        }
    }

    /// Returns whether this node will still ask somebody for a message.
    #[cfg(feature = "sim")]
    pub fn may_ask_for(&self, id: &MessageId) -> bool {
        self.tree.missing.may_ask_for(self.tree.fingerprint(id))
    }

    /// Returns whether a peer that asks for a message would be given it, as soon as there is room.
    #[cfg(feature = "sim")]
    pub fn may_give(&self, id: &MessageId, peer: &NodeId) -> bool {
        let print = self.tree.fingerprint(id);
        let branch = self.tree.branches.get(peer);
        branch.is_some_and(|branch| self.tree.bodies.may_give(print, branch.number))
    }

    /// Returns whether announcements to a peer wait to be sent.
    #[cfg(feature = "sim")]
    pub fn has_names_for(&self, peer: &NodeId) -> bool {
        self.tree.branches.get(peer).is_some_and(|branch| branch.waiting().is_some())
    }

    /// Handles a word about lazy push.
    pub(super) fn told_lazy(&mut self, now: Now, link: LinkId, from: NodeId, word: &Lazy) {
        // A link that is parted from is not spoken to.
        if self.lazy_from(link).is_none() || self.table.get(&from).is_none() {
            return;
        }
        match word {
            Lazy::Have(names) => self.told_names(now, link, from, names),
            Lazy::Want(names) => self.asked_for_bodies(now, link, from, names),
            Lazy::Prune => {
                self.tree.branches.entry(from).0.set_lazy(now.mono, true);
            }
        }
    }

    fn told_names(&mut self, now: Now, link: LinkId, from: NodeId, names: &[Named]) {
        // Without an eager link nothing comes by itself.
        let wait = self.has_eager_link();
        let mut wanted = Vec::new();
        for name in names {
            if self.seen.contains(&name.id, name.time) {
                self.tree.is_known_to(&from, &name.id);
            } else if self.may_accept(now, name.time)
                && !self.tree.announced(now.mono, &from, *name, wait)
            {
                wanted.push(*name);
            }
        }
        if !wanted.is_empty() {
            self.want(now, link, from, wanted);
        }
        self.schedule_sweep(now);
        self.ask_in_time();
    }

    /// Returns whether a broadcast of this date would be accepted.
    fn may_accept(&self, now: Now, time: u64) -> bool {
        check_date(&self.config, self.seen.is_evicted(time), now, time).is_ok()
    }

    /// Asks a peer for messages. It sends later ones at once.
    fn want(&mut self, now: Now, link: LinkId, peer: NodeId, names: Vec<Named>) {
        let (branch, _) = self.tree.branches.entry(peer);
        self.stats.grafted.tally(u64::from(branch.is_lazy));
        branch.set_lazy(now.mono, false);
        self.stats.asked.tally(names.len() as u64);
        self.say(now, link, Flag::Whisper, Lazy::Want(names).payload());
    }

    fn asked_for_bodies(&mut self, now: Now, link: LinkId, from: NodeId, names: &[Named]) {
        self.tree.branches.entry(from).0.set_lazy(now.mono, false);
        for name in names {
            if let Some(parcel) = self.tree.give(&from, &name.id) {
                self.actions.push_back(Action::Answer { link, id: name.id, parcel });
            }
        }
    }

    /// Notes whether a message that a peer asked for had room in the queue of its link. If not, the peer may
    /// ask again.
    pub fn answered(&mut self, link: LinkId, id: &MessageId, parcel: &Parcel, had_room: bool) {
        match (parcel, self.links.peer_of(link)) {
            (Parcel::Own(_), _) if had_room => self.stats.own_frames.tally(1),
            _ if had_room => self.stats.relay_frames.tally(1),
            (_, Some(peer)) => self.tree.was_not_given(&peer, id),
            _ => {}
        }
    }

    /// Asks for announced messages that did not come.
    pub(super) fn ask_for_missing(&mut self, now: Now) {
        self.tree.asks_at = None;
        let mut by_peer = BTreeMap::<_, Vec<Named>>::new();
        for (peer, name) in self.tree.ask(now.mono) {
            by_peer.entry(peer).or_default().push(name);
        }
        for (peer, names) in by_peer {
            if let Some(link) = self.table.get(&peer) {
                self.want(now, link, peer, names);
            }
        }
        self.ask_in_time();
    }

    /// Sets the timer for the next message that is missing.
    pub(super) fn ask_in_time(&mut self) {
        let Some(due) = self.tree.missing.next_due() else { return };
        if self.tree.asks_at.is_none_or(|at| due < at) {
            self.tree.asks_at = Some(due);
            self.timers.set(due, Timer::Ask);
        }
    }

    /// Sends the announcements to a peer soon, or now if there are many.
    fn announce_soon(&mut self, now: Now, peer: &NodeId, link: LinkId) {
        let waiting = self.tree.branches.get(peer).and_then(|branch| branch.waiting());
        if waiting.is_some_and(|(count, _)| count >= MOST_NAMES) {
            return self.announce(now, peer, link);
        }
        if self.tree.announces_at.is_none() {
            let at = now.mono.saturating_add(COLLECT);
            self.tree.announces_at = Some(at);
            self.timers.set(at, Timer::Announce);
        }
    }

    /// Sends the announcements that have waited long enough.
    pub(super) fn announce_all(&mut self, now: Now) {
        self.tree.announces_at = None;
        let waiting = self.tree.branches.iter();
        let due: Vec<NodeId> =
            waiting.filter(|(_, branch)| branch.waiting().is_some()).map(|(id, _)| *id).collect();
        for peer in due {
            if let Some(link) = self.table.get(&peer) {
                self.announce(now, &peer, link);
            }
        }
    }

    fn announce(&mut self, now: Now, peer: &NodeId, link: LinkId) {
        let names = self.tree.take_names(peer);
        if names.is_empty() {
            return;
        }
        self.stats.control_frames.tally(1);
        let packets = Lazy::Have(names).payload();
        let draft = Draft { main: Flag::Whisper, packets, time: now.second() };
        self.actions.push_back(Action::Send { link, parcel: Parcel::Announce(draft) });
    }
}
