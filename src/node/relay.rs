//! Delivers a broadcast once, and relays it to all peers except the one that it came from.

use super::event::{Action, LinkId, Parcel};
use super::seen::Remembered;
use super::{Identity, Node, Now};
use crate::cause::Cause;
use crate::config::Config;
use crate::id::NodeId;
use crate::options::Kind;
use crate::stats::Refusal;
use crate::tally::Tally;
use crate::wire::{Body, Envelope, Header, Malformed, Named};

impl Node {
    pub(super) fn received(&mut self, now: Now, link: LinkId, envelope: Box<Envelope>) {
        self.stats.received.tally(1);
        let Some(peer) = self.links.get_mut(link) else {
            return self.stats.refuse(Refusal::Late);
        };
        peer.last_heard = now.mono;
        peer.has_spoken = true;
        peer.received.note(envelope.frame_len());
        let id = peer.id();
        match id {
            None => self.received_before_handshake(now, link, &envelope),
            Some(_) if self.is_unheard(link, &envelope) => self.stats.refuse(Refusal::SecondLink),
            Some(from) if envelope.main.is_relayed() => {
                self.broadcast_received(now, link, from, envelope)
            }
            Some(from) => self.whisper_received(now, link, from, envelope),
        }
    }

    /// Returns whether this broadcast was received before, and counts it if so. Called before an
    /// arriving message is hashed, so a duplicate costs little.
    pub fn is_duplicate(
        &mut self,
        now: Now,
        link: LinkId,
        Named { id, time }: Named,
        len: usize,
    ) -> bool {
        let is_duplicate = self.seen.contains(&id, time);
        if is_duplicate {
            self.stats.received.tally(1);
            self.note_duplicate(now, link, &id, len);
            self.links.update(link, |peer| {
                peer.last_heard = now.mono;
                peer.received.note_duplicate(len);
            });
        }
        is_duplicate
    }

    /// Returns whether a message need not be hashed: see [`Node::is_duplicate`].
    pub fn is_known(&mut self, now: Now, link: LinkId, head: &Result<Header, Malformed>) -> bool {
        let Ok(head) = head else { return false };
        let name = Named { id: *head.id(), time: head.time() };
        head.main().is_relayed() && self.is_duplicate(now, link, name, head.pinned())
    }

    /// Handles a broadcast.
    fn broadcast_received(
        &mut self,
        now: Now,
        link: LinkId,
        from: NodeId,
        envelope: Box<Envelope>,
    ) {
        let is_evicted = self.seen.is_evicted(envelope.time);
        let check = || check(&self.me, &self.config, is_evicted, now, &envelope);
        let source = self.links.source(link, &envelope.sender, now.mono);
        match self.seen.remember(now, source, &envelope.id, envelope.time, check) {
            Ok(Remembered::New) => self.schedule_sweep(now),
            Ok(Remembered::NoPlace) => {
                return self.refused(now, link, &envelope, Refusal::Evicted);
            }
            Ok(Remembered::Known) => {
                return self.note_duplicate(now, link, &envelope.id, envelope.frame_len());
            }
            Err(reason) => return self.refused(now, link, &envelope, reason),
        }
        self.accepted(now, link, &envelope);
        self.note_arrival(now, from, &envelope.id, envelope.frame_len());
        self.relay(now, link, &envelope);
        match &envelope.body {
            Body::Request { request_id, wanted } => {
                self.stats.control.tally(1);
                self.answer_request(now, link, request_id, wanted);
            }
            Body::Response { request_id, entry } => {
                let is_ours = self.routed(now, request_id, entry.as_ref());
                self.count_protocol(is_ours);
            }
            Body::Members(word) => {
                let is_ours = self.members_announced(now, envelope.sender, word);
                self.count_protocol(is_ours);
            }
            _ => {
                self.routes.learn(now.mono, &envelope.id, envelope.sender, (link, from));
                self.note_way_back(now, link);
                self.deliver(link, from, envelope);
            }
        }
    }

    fn relay(&mut self, now: Now, from: LinkId, envelope: &Envelope) {
        let (neighbour, sender) = (self.links.peer_of(from), envelope.sender);
        let is_receiver =
            |id: &NodeId, link| link != from && Some(*id) != neighbour && *id != sender;
        let name = Named { id: envelope.id, time: envelope.time };
        let form = |frame| Parcel::Relay(frame, from);
        let frames = self.spread(now, name, form, || envelope.relay(), is_receiver);
        self.stats.relay_frames.tally(frames);
    }

    /// Counts a message of the protocol that was relayed.
    fn count_protocol(&mut self, is_ours: bool) {
        let crate::stats::Stats { control, relayed_only, .. } = &mut self.stats;
        (if is_ours { control } else { relayed_only }).tally(1);
    }

    /// Handles a whisper, which is not relayed.
    fn whisper_received(&mut self, now: Now, link: LinkId, from: NodeId, envelope: Box<Envelope>) {
        if let Body::RoutedReply(reply) = &envelope.body {
            let reply = reply.clone();
            return self.reply_came(now, link, from, envelope, &reply);
        }
        if envelope.sender != from {
            return self.fault(now, link, Refusal::ForeignWhisper);
        }
        if self.is_too_often(now, link, &envelope.body) {
            return self.fault(now, link, Refusal::TooOften);
        }
        match &envelope.body {
            Body::User | Body::RoutedReply(_) => return self.deliver(link, from, envelope),
            Body::Direct(_) => return self.direct_came(link, from, envelope),
            Body::Handshake(_) => return self.stats.refuse(Refusal::Invalid),
            Body::Invalid(why) => {
                self.stats.refuse(Refusal::Invalid);
                return self.close_link(now, link, Cause::Malformed(why));
            }
            Body::Hello(hello) => {
                self.clock_difference_received(now, link, from, hello);
                self.hello_again(now, link, from, hello);
            }
            Body::Receipt(receipt) => self.receipt_came(now, from, *receipt),
            Body::Exchange(word) => self.told_exchange(now, link, from, word),
            Body::Lazy(word) => self.told_lazy(now, link, from, word),
            Body::Members(word) => self.members_told(now, link, word),
            Body::Pacing(word) => self.told_pace(link, from, *word),
            Body::Peers(entries) => self.told_peers(now, link, entries),
            Body::RequestPeers => self.asked_for_peers(now, link),
            Body::Request { request_id, wanted } => {
                self.answer_request(now, link, request_id, wanted);
            }
            Body::Response { request_id, entry } => {
                self.routed(now, request_id, entry.as_ref());
            }
            Body::Compression(methods) => self.renegotiate(now, link, from, methods),
            Body::Resend => self.actions.push_back(Action::Resend { link }),
        }
        self.stats.control.tally(1);
    }

    pub(super) fn deliver(&mut self, link: LinkId, from: NodeId, envelope: Box<Envelope>) {
        self.stats.delivered.tally(1);
        if let Some(peer) = self.links.get_mut(link) {
            let from = peer.shared_neighbour(from);
            self.actions.push_back(Action::Deliver { envelope, from });
        }
    }

    /// Sends a frame of this node on every link of the routing table. Returns their number.
    pub(super) fn send_to_all(&mut self, frame: &crate::wire::Frame) -> usize {
        for (_, link) in self.table.iter() {
            self.actions.push_back(Action::Send { link, parcel: Parcel::Own(frame.clone()) });
        }
        self.stats.own_frames.tally(self.table.len() as u64);
        self.table.len()
    }
}

/// Checks whether a broadcast may be relayed. Refuses what would make a py2p neighbour close its
/// link to us, and kinds that make sense between two neighbours only.
fn check(
    me: &Identity,
    config: &Config,
    is_evicted: bool,
    now: Now,
    envelope: &Envelope,
) -> Result<(), Refusal> {
    if envelope.sender == me.id {
        return Err(Refusal::Echo);
    }
    check_date(config, is_evicted, now, envelope.time)?;
    if is_between_neighbours(envelope) {
        Err(Refusal::NotForAll)
    } else if matches!(envelope.body, Body::Invalid(_)) {
        Err(Refusal::Invalid)
    } else {
        Ok(())
    }
}

/// Checks the date of a broadcast. `is_evicted` says whether ids of that second were evicted.
pub(super) fn check_date(
    config: &Config,
    is_evicted: bool,
    now: Now,
    time: u64,
) -> Result<(), Refusal> {
    let second = now.second();
    if time.saturating_add(config.max_age.as_secs()) <= second {
        Err(Refusal::TooOld)
    } else if time > second.saturating_add(config.max_ahead.as_secs()) {
        Err(Refusal::TooFarAhead)
    } else if is_evicted {
        Err(Refusal::Evicted)
    } else {
        Ok(())
    }
}

/// Returns whether a message makes sense between two neighbours only. Relayed, it would change the
/// id of links of py2p nodes, or end them.
fn is_between_neighbours(envelope: &Envelope) -> bool {
    if let Body::Members(word) = &envelope.body {
        return !word.is_for_all();
    }
    const PRIVATE: [Kind; 4] = [Kind::COMPRESSION, Kind::HANDSHAKE, Kind::PEERS, Kind::RESEND];
    let is_private = envelope
        .packets
        .first()
        .is_some_and(|kind| PRIVATE.iter().any(|private| private.as_bytes() == kind.as_bytes()));
    is_private
        || matches!(
            envelope.body,
            Body::Hello(_)
                | Body::RoutedReply(_)
                | Body::Direct(_)
                | Body::Receipt(_)
                | Body::Pacing(_)
                | Body::Lazy(_)
                | Body::Exchange(_)
                | Body::RequestPeers
        )
}
