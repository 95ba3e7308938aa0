//! What comes over a second link to a peer before it is decided which link speaks for it.

use super::Node;
use super::event::{Action, LinkId};
use crate::id::NodeId;
use crate::wire::{Body, Envelope};

impl Node {
    /// Has a link hand in the messages that it kept back.
    pub(super) fn renew_settings(&mut self, link: LinkId, id: NodeId) {
        if let Some(peer) = self.links.get(link) {
            let settings = peer.settings(id, self.config.compress);
            self.actions.push_back(Action::Renegotiate { link, settings });
        }
    }

    /// Returns whether a message is not to be heard: it came over a second link, which may be that of
    /// somebody else, and concerns more than that link.
    pub(super) fn is_unheard(&self, link: LinkId, envelope: &Envelope) -> bool {
        let concerns_link = !envelope.main.is_relayed()
            && matches!(
                envelope.body,
                Body::Hello(_)
                    | Body::Handshake(_)
                    | Body::Peers(_)
                    | Body::RequestPeers
                    | Body::Pacing(_)
                    | Body::Exchange(_)
                    | Body::Compression(_)
                    | Body::Resend
                    | Body::Invalid(_)
            );
        !concerns_link && self.links.is(link, |peer| !peer.is_heard)
    }
}
