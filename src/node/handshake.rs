//! Who is at the other end? Same network, same id twice, and who keeps the link.
//!
//! Both ends of a new link say hello at once. py2p ignores it; who sees one talks to rs2p and
//! sends its handshake straight away. py2p always sends its handshake unasked, and whenever it
//! turns a second link down it loses both: so it is answered only on the link that stays.

use std::time::Duration;

use super::event::{Action, LinkId};
use super::peer::{Peer, Purpose, Stage};
use super::timers::Timer;
use super::{Node, Now};
use crate::events::{Cause, MeshEvent};
use crate::id::NodeId;
use crate::options::Flag;
use crate::stats::Refusal;
use crate::wire::{Body, Envelope, Handshake, Hello, Method};

/// Capability: speaks the rules of two links between rs2p nodes.
const LINKS: &str = "links";
/// Said on a second link by the node that does not decide: now you may choose.
const SPARE: &str = "spare";

/// An established link that has been silent for this long loses against a new one, because it may
/// be dead without our knowing. One that was heard since stays, because the new one may lie.
const FRESH: Duration = Duration::from_secs(5);

/// A peer that sends no peers list is taken to know us after this time.
const ACKNOWLEDGE: Duration = Duration::from_secs(1);

impl Node {
    pub(super) fn opened(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        peer.stage = Stage::Greeting;
        self.say(now, link, Flag::Whisper, Hello::new([LINKS]).payload());
    }

    pub(super) fn handshake_overdue(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.peers.get(&link) else { return };
        if !peer.is_handshaking() {
            self.acknowledged(link);
        } else if now.mono >= peer.opened + self.config.handshake_timeout {
            self.close_link(now, link, Cause::TimedOut);
        }
    }

    /// The peer has taken up our handshake, as its first peers list shows: what it sends reaches
    /// us from now on. Whoever waits in `connect` is told only now, and so needs no sleep.
    pub(super) fn acknowledged(&mut self, link: LinkId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let Some(id) = peer.id() else { return };
        let purposes = std::mem::take(&mut peer.purposes);
        self.serve(purposes, id);
    }

    /// A message before the handshake is done.
    pub(super) fn greeted(&mut self, now: Now, link: LinkId, envelope: &Envelope) {
        match &envelope.body {
            Body::Hello(_) => {
                self.stats.control += 1;
                if let Some(peer) = self.peers.get_mut(&link) {
                    peer.is_rs2p = true;
                }
                self.answer(now, link);
            }
            Body::Handshake(handshake) if envelope.main == Flag::Whisper => {
                self.stats.control += 1;
                self.shake_hands(now, link, handshake, envelope);
            }
            Body::Invalid(_) | Body::Handshake(_) => {
                self.stats.refuse(Refusal::Invalid);
                self.close_link(now, link, Cause::NotPy2p);
            }
            _ => self.stats.refuse(Refusal::Stranger),
        }
    }

    fn shake_hands(&mut self, now: Now, link: LinkId, theirs: &Handshake, envelope: &Envelope) {
        if theirs.protocol != self.me.protocol {
            // Said before the link is closed, so that the other side learns why as well. A py2p
            // that we dialled is not told: it never asked.
            self.answer(now, link);
            let theirs = theirs.protocol.clone();
            return self.close_link(now, link, Cause::WrongSubnet { theirs });
        }
        if theirs.id == self.me.id {
            return self.close_link(now, link, Cause::OwnAddress);
        }
        if envelope.sender != theirs.id {
            return self.close_link(now, link, Cause::Malformed("handshake of somebody else"));
        }
        let Some(peer) = self.peers.get_mut(&link) else { return };
        peer.addr = theirs.addr.clone();
        peer.methods = theirs.methods.clone();
        let is_rs2p = peer.is_rs2p;
        match self.table.get(&theirs.id) {
            None => self.join(now, link, theirs.id),
            Some(_) if is_rs2p => self.keep_spare(now, link, theirs.id),
            Some(_) => self.turn_down(now, link, theirs.id),
        }
        self.compare_clocks(now, theirs.id, envelope.time);
    }

    /// Sends our handshake, once.
    fn answer(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if std::mem::replace(&mut peer.answered, true) {
            return;
        }
        let handshake = Handshake {
            id: self.me.id,
            protocol: self.me.protocol.clone(),
            addr: Some(self.me.addr.clone()),
            methods: Method::SUPPORTED.to_vec(),
        };
        self.say(now, link, Flag::Whisper, handshake.payload());
    }

    /// The first link to this peer.
    fn join(&mut self, now: Now, link: LinkId, id: NodeId) {
        self.answer(now, link);
        self.set_stage(link, Stage::Ready(id));
        self.table.insert(id, link);
        self.stats.joined += 1;
        self.establish(now, link, id);
        self.timers.set(now.mono + ACKNOWLEDGE, Timer::Handshake(link));
        self.tell_peers(now, link);
        self.report_joined(link, id);
        self.deliver_replies(now, id);
        self.dial_hints(now);
    }

    fn establish(&mut self, now: Now, link: LinkId, id: NodeId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let terms = peer.terms(id, self.config.compress);
        let is_wanted = peer.is_wanted();
        self.actions.push_back(Action::Establish { link, terms });
        self.book_success(now, link, id, is_wanted);
    }

    /// Tells whoever waited for a link to this peer that there is one.
    fn serve(&mut self, purposes: Vec<Purpose>, id: NodeId) {
        for purpose in purposes {
            if let Purpose::Connect(connect) = purpose {
                self.actions.push_back(Action::Connected { connect, outcome: Ok(id) });
            }
        }
    }

    fn report_joined(&mut self, link: LinkId, id: NodeId) {
        let Some(peer) = self.peers.get(&link) else { return };
        let addr = peer.contact().map(ToString::to_string).unwrap_or_default();
        let outgoing = peer.is_outgoing();
        self.actions.push_back(Action::Report(MeshEvent::Joined { id, addr, outgoing }));
        if std::mem::take(&mut self.is_alone) {
            self.actions.push_back(Action::Report(MeshEvent::Healed));
        }
    }

    /// A second link to an rs2p node. The numerically higher of the two chooses which one stays,
    /// once the other has said that it has both: then nothing in flight can be lost.
    fn keep_spare(&mut self, now: Now, link: LinkId, id: NodeId) {
        self.answer(now, link);
        self.set_stage(link, Stage::Spare(id));
        self.establish(now, link, id);
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
            self.actions.push_back(Action::Retire { link: spare, heir: Some(row) });
        } else {
            self.hand_over(id, row, spare);
        }
    }

    /// A second link to a py2p node: never answered, so that it never sees a conflict.
    fn turn_down(&mut self, now: Now, link: LinkId, id: NodeId) {
        if let Some(peer) = self.peers.get_mut(&link) {
            let is_wanted = peer.is_wanted();
            let purposes = std::mem::take(&mut peer.purposes);
            self.book_success(now, link, id, is_wanted);
            self.serve(purposes, id);
        }
        self.close_link(now, link, Cause::Duplicate);
    }

    fn compare_clocks(&mut self, now: Now, id: NodeId, theirs: u64) {
        let by = Duration::from_secs(theirs.abs_diff(now.second()));
        if by > self.config.clock_warning {
            self.actions.push_back(Action::Report(MeshEvent::ClockSkew { id, by }));
        }
    }
}
