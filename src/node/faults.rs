//! What no honest peer sends, or not as often: counted, and in the end the end of the link.

use super::event::LinkId;
use super::{Node, Now};
use crate::cause::Cause;
use crate::stats::Refusal;
use crate::wire::{Body, Pacing};

impl Node {
    /// Handles a frame. If it is refused, counts that for the peer that sent it as well.
    pub(super) fn count(&mut self, link: LinkId, handle: impl FnOnce(&mut Self)) {
        self.stats.latest = None;
        handle(self);
        let Some(reason) = self.stats.latest.take() else { return };
        self.links.update(link, |peer| peer.received.refuse(reason));
    }

    /// Counts a message that an honest peer does not send. Closes the link of a peer that goes on.
    pub(super) fn fault(&mut self, now: Now, link: LinkId, reason: Refusal) {
        self.stats.refuse(reason);
        if self.links.get_mut(link).is_some_and(|peer| !peer.allowances.faults.take(now.mono)) {
            self.close_link(now, link, Cause::Malformed(reason.as_str()));
        }
    }

    /// Returns whether a peer has sent too many messages of the kinds that change a link.
    pub(super) fn is_too_often(&mut self, now: Now, link: LinkId, body: &Body) -> bool {
        let changes_link = match body {
            Body::Hello(_) | Body::Compression(_) => true,
            Body::Pacing(word) => !matches!(word, Pacing::HowFar | Pacing::Taken { .. }),
            _ => false,
        };
        let peer = self.links.get_mut(link).filter(|_| changes_link);
        peer.is_some_and(|peer| !peer.allowances.notices.take(now.mono))
    }
}
