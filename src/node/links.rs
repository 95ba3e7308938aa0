//! The links of a node: every connection that is up, on its way up or on its way down, in the order
//! of their numbers, which is the order in which they began.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::LinkId;
use super::peer::Peer;
use super::seen::Source;
use super::stage::Stage;
use crate::id::NodeId;

/// A link is new for this long: it has less room for message ids.
const NEW: Duration = Duration::from_secs(60);

/// Boxed, because a `BTreeMap` allocates room for eleven entries at once.
#[derive(Debug, Default)]
pub(crate) struct Links(BTreeMap<LinkId, Box<Peer>>);

impl Links {
    pub fn get(&self, link: LinkId) -> Option<&Peer> {
        self.0.get(&link).map(|peer| &**peer)
    }

    pub fn get_mut(&mut self, link: LinkId) -> Option<&mut Peer> {
        self.0.get_mut(&link).map(|peer| &mut **peer)
    }

    pub fn insert(&mut self, link: LinkId, peer: Peer) {
        self.0.insert(link, Box::new(peer));
    }

    pub fn remove(&mut self, link: LinkId) -> Option<Peer> {
        self.0.remove(&link).map(|peer| *peer)
    }

    pub fn iter(&self) -> impl Iterator<Item = (LinkId, &Peer)> {
        self.0.iter().map(|(&link, peer)| (link, &**peer))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (LinkId, &mut Peer)> {
        self.0.iter_mut().map(|(&link, peer)| (link, &mut **peer))
    }

    #[cfg(feature = "sim")]
    pub fn youngest(&self) -> Option<LinkId> {
        self.0.last_key_value().map(|(&link, _)| link)
    }

    /// Returns whether this link is known and like that.
    pub fn is(&self, link: LinkId, like: impl FnOnce(&Peer) -> bool) -> bool {
        self.get(link).is_some_and(like)
    }

    /// Returns how many links are like that.
    pub fn count(&self, like: impl Fn(&Peer) -> bool) -> usize {
        self.0.values().filter(|peer| like(peer)).count()
    }

    /// Returns whether any link is like that.
    pub fn any(&self, like: impl Fn(&Peer) -> bool) -> bool {
        self.0.values().any(|peer| like(peer))
    }

    /// Returns who is at the other end of a link, once its handshake has come.
    pub fn peer_of(&self, link: LinkId) -> Option<NodeId> {
        self.get(link).and_then(Peer::id)
    }

    /// Returns a link as where message ids come from.
    pub fn source(&self, link: LinkId, sender: &NodeId, now: Duration) -> Source {
        let is_new = self.is(link, |peer| now < peer.opened.saturating_add(NEW));
        Source::link(link, self.peer_of(link).as_ref() == Some(sender), is_new)
    }

    /// Changes a link, if it is known.
    pub fn update(&mut self, link: LinkId, change: impl FnOnce(&mut Peer)) {
        if let Some(peer) = self.get_mut(link) {
            change(peer);
        }
    }

    pub fn set_stage(&mut self, link: LinkId, stage: Stage) {
        self.update(link, |peer| peer.stage = stage);
    }

    /// Returns the oldest spare of this peer.
    pub fn spare_of(&self, id: &NodeId) -> Option<LinkId> {
        let is_spare = |peer: &Peer| peer.stage.spare_of(id).is_some();
        self.iter().find(|(_, peer)| is_spare(peer)).map(|(link, _)| link)
    }

    /// Returns the spares of this peer on which our handshake is held back.
    pub fn held_spares_of(&self, id: &NodeId) -> Vec<LinkId> {
        let is_held =
            |peer: &Peer| peer.id().as_ref() == Some(id) && peer.stage.held_until().is_some();
        self.iter().filter(|(_, peer)| is_held(peer)).map(|(link, _)| link).collect()
    }

    /// Returns how many links besides the first one this peer has.
    pub fn extra_links_of(&self, id: &NodeId) -> usize {
        self.count(|peer| peer.stage.spare_of(id).is_some() || peer.stage == Stage::Draining(*id))
    }

    /// Returns whether this peer has said that this node may choose between two links.
    pub fn offers_choice(&self, id: &NodeId) -> bool {
        self.any(|peer| peer.stage.offers_choice() && peer.id().as_ref() == Some(id))
    }

    /// Returns the incoming links whose handshake has not come yet, the oldest first.
    pub fn strangers(&self) -> impl Iterator<Item = (LinkId, &Peer)> {
        self.iter().filter(|(_, peer)| !peer.is_outgoing() && peer.is_handshaking())
    }
}
