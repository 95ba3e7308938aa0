//! Replies that travel from peer to peer: those for this node are taken, others are relayed, and
//! receipts are returned.

use super::event::{Action, LinkId, Parcel};
use super::reply_paths::Novelty;
use super::{Node, Now};
use crate::id::{MessageId, NodeId};
use crate::options::Flag;
use crate::stats::Refusal;
use crate::tally::Tally;
use crate::wire::routed::{DIRECT_HEAD, HEAD};
use crate::wire::{Body, Envelope, Receipt, RoutedReply};

impl Node {
    /// Returns the peer to which a message for one node is sent next: the node itself, or the peer
    /// that the node's message came from. It must relay replies, and must not be `not`, from which
    /// the message came.
    pub(super) fn next_hop(
        &self,
        to: &NodeId,
        about: Option<&MessageId>,
        not: Option<NodeId>,
    ) -> Option<(NodeId, LinkId)> {
        let back = about.and_then(|about| self.routes.way_back(about));
        [Some(*to), back].into_iter().flatten().filter(|peer| Some(*peer) != not).find_map(|peer| {
            let link = self.table.get(&peer)?;
            self.links.get(link)?.passes_replies.then_some((peer, link))
        })
    }

    /// Handles a message that travels to one node over several links.
    pub(super) fn reply_came(
        &mut self,
        now: Now,
        link: LinkId,
        peer: NodeId,
        envelope: Box<Envelope>,
        reply: &RoutedReply,
    ) {
        if !self.links.is(link, |peer| peer.passes_replies) {
            return self.stats.refuse(Refusal::ForeignWhisper);
        }
        if reply.from == self.me.id {
            // Who passed it on may not have known better.
            return self.stats.refuse(Refusal::Echo);
        }
        if reply.from != envelope.sender {
            return self.stats.refuse(Refusal::Invalid);
        }
        self.routes.learn(now.mono, &envelope.id, envelope.sender, (link, peer));
        if reply.to == self.me.id {
            self.take_reply(now, link, peer, envelope, reply.answered());
        } else {
            self.pass_reply_on(now, (link, peer), &envelope, reply);
        }
    }

    /// Takes a reply for this node. A peer that sends it again did not get our receipt.
    fn take_reply(
        &mut self,
        now: Now,
        link: LinkId,
        peer: NodeId,
        mut envelope: Box<Envelope>,
        answered: Option<MessageId>,
    ) {
        let id = envelope.id;
        match self.passages.take(now.mono, &id) {
            Novelty::Full => {
                self.stats.refuse(Refusal::TooManyReplies);
                return self.say_receipt(now, peer, Receipt::Lost(id));
            }
            Novelty::Again => self.stats.duplicates.tally(1),
            Novelty::New => {
                envelope.packets.drain(..HEAD.min(envelope.packets.len()));
                envelope.body = Body::Direct(answered);
                self.deliver(link, peer, envelope);
            }
        }
        self.schedule_sweep(now);
        self.say_receipt(now, peer, Receipt::Taken(id));
    }

    /// Delivers a message of a peer for this node, without what says which message it answers.
    pub(super) fn direct_came(&mut self, link: LinkId, peer: NodeId, mut envelope: Box<Envelope>) {
        envelope.packets.drain(..DIRECT_HEAD.min(envelope.packets.len()));
        self.deliver(link, peer, envelope);
    }

    fn pass_reply_on(
        &mut self,
        now: Now,
        (from, peer): (LinkId, NodeId),
        envelope: &Envelope,
        reply: &RoutedReply,
    ) {
        let id = envelope.id;
        if self.passages.contains(&id) {
            self.stats.duplicates.tally(1);
            return;
        }
        let hop = self.next_hop(&reply.to, reply.about.as_ref(), Some(peer));
        let refusal = match hop {
            None => Refusal::NoRoute,
            Some((next, link)) if self.passages.add(now.mono, id, peer, next) => {
                self.stats.relayed_only.tally(1);
                self.stats.relay_frames.tally(1);
                self.note_way_back(now, from);
                self.note_way_back(now, link);
                let parcel = Parcel::Relay(envelope.relay(), from);
                self.actions.push_back(Action::Send { link, parcel });
                return self.schedule_sweep(now);
            }
            Some(_) => Refusal::TooManyReplies,
        };
        self.stats.refuse(refusal);
        self.say_receipt(now, peer, Receipt::Lost(id));
    }

    /// Handles a receipt from a peer, for a message of this node or for one that it relayed.
    pub(super) fn receipt_came(&mut self, now: Now, peer: NodeId, receipt: Receipt) {
        let (Receipt::Taken(id) | Receipt::Lost(id)) = receipt;
        if let Some(from) = self.passages.end(&id, peer) {
            self.say_receipt(now, from, receipt);
        } else {
            self.own_receipt_came(now, peer, receipt);
        }
    }

    /// Sends receipts of loss for the replies that were relayed to a lost peer and not confirmed.
    pub(super) fn passages_lost(&mut self, now: Now, peer: NodeId) {
        for (id, from) in self.passages.lost(peer) {
            self.say_receipt(now, from, Receipt::Lost(id));
        }
        self.hop_lost(now, peer);
    }

    fn say_receipt(&mut self, now: Now, peer: NodeId, receipt: Receipt) {
        if let Some(link) = self.table.get(&peer) {
            self.say(now, link, Flag::Whisper, receipt.payload());
        }
    }
}
