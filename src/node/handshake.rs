//! The handshake: who is at the other end, whether it is of the same mesh, and whether there is
//! another link to it.
//!
//! Both ends of a new link send a hello at once. py2p ignores it; an rs2p node that receives one
//! sends its handshake at once. A py2p node sends its handshake first, unasked, and when it refuses
//! a second link it loses both: so it gets our handshake only on the link that stays, see
//! `double_links.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::clocks::CLOCK;
use super::dialable::Way;
use super::event::{Action, LinkId};
use super::stage::Stage;
use super::timers::Timer;
use super::{Node, Now};
use crate::cause::{Cause, OtherMesh};
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::options::Flag;
use crate::stats::Refusal;
use crate::tally::Tally;
use crate::wire::{Body, Envelope, Handshake, Hello, Method, hello};

/// A peer that sends no peers list is taken to have acknowledged our handshake after this time.
const ACKNOWLEDGE: Duration = Duration::from_secs(1);

/// Most characters of the protocol id of another mesh that are shown. Real ones have at most 44.
const MAX_SHOWN: usize = 64;

/// Most links that a peer may have besides the first one, draining ones included.
const MAX_SPARES: usize = 3;

impl Node {
    /// Notes the addresses of the two ends of a link.
    pub(super) fn placed(&mut self, now: Now, link: LinkId, way: Way) {
        self.links.update(link, |peer| peer.way = Some(way));
        self.share_time(now, link);
    }

    pub(super) fn opened(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get_mut(link) else { return };
        let Stage::Opening { channel } = &mut peer.stage else { return };
        peer.stage = Stage::greeting(channel.take(), now.mono);
        if self.key.is_some() {
            return self.challenge(now, link);
        }
        self.say_hello(now, link);
    }

    pub(super) fn say_hello(&mut self, now: Now, link: LinkId) {
        let peer = self.links.get(link);
        let way = peer.and_then(|peer| peer.way.as_ref());
        let is_extra = peer.is_some_and(|peer| self.is_extra_dial(peer));
        let words = [hello::LINKS, hello::REPLIES, hello::PACE, CLOCK];
        let hello = Hello::new(words)
            .and_at(way.and_then(|way| way.also.as_ref()))
            .and_lazy(self.config.lazy_from)
            .and_if(self.config.max_outgoing > 0, hello::EXCHANGE)
            .and_if(is_extra, hello::EXTRA)
            .and_if(self.config.presence.is_some(), hello::MEMBERS);
        self.say(now, link, Flag::Whisper, hello.payload());
    }

    pub(super) fn handshake_overdue(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get(link) else { return };
        let is_due = now.mono >= peer.opened.saturating_add(self.config.handshake_timeout)
            || peer.dial.next_address_at.is_some_and(|at| now.mono >= at);
        if is_due && peer.is_handshaking() {
            self.close_link(now, link, Cause::TimedOut);
        }
    }

    /// Handles the peer's acknowledgement of our handshake, which is its first peers list: from now
    /// on it relays to us. `connect` returns only now, so that its caller need not sleep.
    pub(super) fn acknowledged(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get_mut(link) else { return };
        let Some(id) = peer.id() else { return };
        let is_news = peer.stage.acknowledge();
        let waiters = std::mem::take(&mut peer.waiters);
        self.notify_waiters(waiters, id);
        if is_news {
            self.deliver_replies(now, id);
            self.trim_links(now);
        }
    }

    /// Handles a message that comes before the peer's handshake.
    pub(super) fn received_before_handshake(
        &mut self,
        now: Now,
        link: LinkId,
        envelope: &Envelope,
    ) {
        if self.is_unproven(link) {
            return self.prove(now, link, envelope);
        }
        match &envelope.body {
            Body::Hello(hello) => {
                self.stats.control.tally(1);
                let is_extra = hello.has(hello::EXTRA);
                let is_surplus = self.is_surplus(link);
                if is_surplus && !is_extra {
                    self.make_room(now);
                }
                if is_surplus || is_extra && self.is_incoming(link) && self.has_enough_links() {
                    // This node may be the only one that the peer knows.
                    self.tell_whom_else(now, link);
                    return self.close_link(now, link, Cause::TooManyLinks);
                }
                if let Some(peer) = self.links.get_mut(link) {
                    let is_first = !peer.is_rs2p;
                    if let Some(greeting) = peer.greeting_mut().filter(|_| is_first) {
                        greeting.progressed = now.mono;
                    }
                    peer.is_rs2p = true;
                    peer.also = hello.at();
                    peer.passes_replies = hello.has(hello::REPLIES);
                    peer.clocks.wants_to_know = hello.has(CLOCK);
                    peer.tells_pace = hello.has(hello::PACE);
                    peer.lazy_from = hello.lazy();
                    peer.exchanges = hello.has(hello::EXCHANGE);
                    peer.can_do_without = is_extra;
                    peer.tells_members = hello.has(hello::MEMBERS);
                }
                self.answer(now, link);
            }
            Body::Handshake(handshake) if envelope.main == Flag::Whisper => {
                self.stats.control.tally(1);
                self.shake_hands(now, link, handshake, envelope);
            }
            Body::Invalid(_) | Body::Handshake(_) => {
                self.stats.refuse(Refusal::Invalid);
                self.close_link(now, link, Cause::NotPy2p);
            }
            Body::Peers(entries) if self.may_turn_us_away(link) => {
                self.stats.control.tally(1);
                self.links.update(link, |peer| peer.dial.is_turned_away = true);
                self.hear_of(now, link, entries);
            }
            _ => self.stats.refuse(Refusal::Stranger),
        }
    }

    /// Returns whether this is an rs2p node that we dialled: one that has no free link sends a
    /// peers list before it closes.
    fn may_turn_us_away(&self, link: LinkId) -> bool {
        self.links.is(link, |peer| peer.is_outgoing() && peer.is_rs2p)
    }

    fn is_incoming(&self, link: LinkId) -> bool {
        self.links.is(link, |peer| !peer.is_outgoing())
    }

    fn shake_hands(&mut self, now: Now, link: LinkId, theirs: &Handshake, envelope: &Envelope) {
        if theirs.protocol != self.me.protocol.id() {
            return self.not_our_mesh(now, link, &theirs.protocol);
        }
        if theirs.id == self.me.id {
            return self.close_link(now, link, Cause::OwnAddress);
        }
        if envelope.sender != theirs.id {
            return self.close_link(now, link, Cause::Malformed("handshake of somebody else"));
        }
        let Some(peer) = self.links.get_mut(link) else { return };
        if peer.is_wanted() {
            self.shunned.retain(|shunned| *shunned != theirs.id);
        } else if self.shunned.contains(&theirs.id) {
            return self.close_link(now, link, Cause::Disconnected);
        }
        peer.announces_addr(theirs.addr.as_ref());
        peer.announces(&theirs.methods);
        match (self.table.get(&theirs.id), peer.is_rs2p) {
            // A peer needs no more links, and each takes memory.
            (Some(_), _) if self.links.extra_links_of(&theirs.id) >= MAX_SPARES => {
                self.close_duplicate(now, link, theirs.id);
            }
            // An rs2p node sends a hello on each link: this is another node that uses its id.
            (Some(row), false) if self.links.is(row, |row| row.is_rs2p) => {
                self.close_link(now, link, Cause::Duplicate);
            }
            (Some(_), false) if self.is_surplus(link) => {
                self.close_link(now, link, Cause::TooManyLinks);
            }
            (Some(_), true) => self.keep_spare(now, link, theirs.id),
            (Some(row), false) => self.hold_and_probe(now, row, link, theirs.id),
            (None, false) if self.may_cross_dials(link, theirs.id) => {
                self.await_their_dial(now, link, theirs.id);
            }
            (None, false) if self.is_surplus(link) => return self.close_surplus(now, link),
            (None, _) => self.join(now, link, theirs.id),
        }
        self.compare_clocks(now, link, theirs.id, envelope.time);
    }

    /// Closes a link to a node of another mesh. Sends our handshake first, so that the peer learns
    /// the reason too.
    pub(super) fn not_our_mesh(&mut self, now: Now, link: LinkId, theirs: &str) {
        self.answer(now, link);
        let protocol = &self.me.protocol;
        let mesh = OtherMesh {
            ours: protocol.id().to_owned(),
            theirs: theirs.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect(),
            difference: protocol.difference(theirs),
        };
        self.close_link(now, link, Cause::WrongSubnet(Arc::new(mesh)));
    }

    /// Sends our handshake, once. Called before the link leaves its stage, which knows whether it
    /// was sent.
    pub(super) fn answer(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get_mut(link) else { return };
        if !peer.stage.take_answer() {
            return;
        }
        let me = || Some(self.me.addr.clone());
        let addr = peer.way.as_ref().map_or_else(me, |way| way.announce.clone());
        let handshake = Handshake {
            id: self.me.id,
            protocol: self.me.protocol.id().to_owned(),
            addr,
            methods: Method::SUPPORTED.to_vec(),
        };
        self.say(now, link, Flag::Whisper, handshake.payload());
    }

    /// Makes a link the first one to its peer.
    pub(super) fn join(&mut self, now: Now, link: LinkId, id: NodeId) {
        self.answer(now, link);
        self.links.set_stage(link, Stage::ready(id));
        self.links.update(link, |peer| peer.is_heard = true);
        self.table.insert(id, link);
        self.stats.joined.tally(1);
        self.introduce(now, link);
        self.establish(link, id);
        if self.waits.is_spent(now.mono) {
            self.stop_waiting(link);
        }
        if now.mono < self.no_slack {
            self.actions.push_back(Action::DenySlack { link, until: self.no_slack });
        }
        self.report_joined(link, id);
        self.present_to(now, link);
        self.deliver_replies(now, id);
        self.dial_hints(now);
        self.schedule_asking(now);
    }

    /// Sends our peers list, which acknowledges the peer's handshake, and awaits the peer's own.
    pub(super) fn introduce(&mut self, now: Now, link: LinkId) {
        self.tell_peers(now, link);
        self.timers.set(now.mono.saturating_add(ACKNOWLEDGE), Timer::Acknowledge(link));
    }

    pub(super) fn establish(&mut self, link: LinkId, id: NodeId) {
        let Some(peer) = self.links.get_mut(link) else { return };
        let settings = peer.settings(id, self.config.compress);
        let is_wanted = peer.is_wanted();
        self.actions.push_back(Action::Establish { link, settings });
        self.book_success(link, id, is_wanted);
    }

    fn report_joined(&mut self, link: LinkId, id: NodeId) {
        let Some(peer) = self.links.get(link) else { return };
        let addr = peer.contact().map(ToString::to_string).unwrap_or_default();
        let outgoing = peer.is_outgoing();
        let remote = peer.remote();
        self.actions.push_back(Action::Report(MeshEvent::Joined { id, addr, remote, outgoing }));
        if std::mem::take(&mut self.is_alone) {
            self.actions.push_back(Action::Report(MeshEvent::Healed));
        }
        self.check_alone();
    }

    fn compare_clocks(&mut self, now: Now, link: LinkId, id: NodeId, theirs: u64) {
        let by = Duration::from_secs(theirs.abs_diff(now.second()));
        if by > self.config.clock_warning {
            let remote = self.remote(link);
            self.actions.push_back(Action::Report(MeshEvent::ClockSkew { id, remote, by }));
        }
    }
}
