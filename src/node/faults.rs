//! What no honest peer sends, or not as often: counted, and in the end the end of the link.

use super::event::{Action, LinkId};
use super::{Node, Now};
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::stats::Refusal;
use crate::tally::Tally;
use crate::wire::{Body, Pacing};

/// The user is told of a peer that has made so many faults. An honest py2p passes on some faults of others.
const TOLD_FROM: u64 = 32;

impl Node {
    /// Handles a frame. If it is refused, counts that for the peer that sent it as well.
    pub(super) fn count(&mut self, now: Now, link: LinkId, handle: impl FnOnce(&mut Self)) {
        self.stats.latest = None;
        handle(self);
        let Some(reason) = self.stats.latest.take() else { return };
        let Some(peer) = self.links.get_mut(link) else { return };
        peer.received.refuse(reason);
        if reason.is_fault() {
            self.note_fault(now, link, reason);
        }
    }

    /// Tells the user of a peer of which many messages are faults.
    fn note_fault(&mut self, now: Now, link: LinkId, reason: Refusal) {
        let Some(peer) = self.links.get_mut(link) else { return };
        peer.untold_faults.tally(1);
        let Some(id) = peer.id() else { return };
        if peer.untold_faults >= TOLD_FROM && peer.allowances.fault_reports.take(now.mono) {
            let (remote, refused) = (peer.remote(), std::mem::take(&mut peer.untold_faults));
            let event = MeshEvent::Refused { id, remote, reason, refused };
            self.actions.push_back(Action::Report(event));
        }
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
            Body::Hello(_) | Body::Compression(_) | Body::Resend => true,
            Body::Pacing(word) => !matches!(word, Pacing::HowFar | Pacing::Taken { .. }),
            _ => false,
        };
        let peer = self.links.get_mut(link).filter(|_| changes_link);
        peer.is_some_and(|peer| !peer.allowances.notices.take(now.mono))
    }
}
