//! Frames that are not messages: counted, asked for again, or the end of their link.

use std::time::Duration;

use super::event::LinkId;
use super::peer::Peer;
use super::{Node, Now};
use crate::cause::Cause;
use crate::options::Flag;
use crate::stats::Refusal;
use crate::tally::Tally;
use crate::wire::{Malformed, Method};

/// The shortest time between two requests to resend a frame on one link. A link whose peer sends a
/// second unreadable frame sooner is closed.
const RESEND_EVERY: Duration = Duration::from_secs(20);

impl Node {
    /// Counts a frame that is not a message. Closes the link where the peer must have made the
    /// fault itself. An honest py2p relays some faults of others: those are only counted.
    pub(super) fn malformed(&mut self, now: Now, link: LinkId, why: &Malformed) {
        self.stats.received.tally(1);
        let (reason, ends) = match why {
            Malformed::Unparsable(_) => (Refusal::Unparsable, false),
            Malformed::WrongId => (Refusal::WrongId, true),
            Malformed::BadTime => (Refusal::BadTime, true),
            Malformed::BadSender => (Refusal::BadSender, false),
            Malformed::BadFlag => (Refusal::BadFlag, false),
            Malformed::NoPayload => (Refusal::NoPayload, false),
            Malformed::TooManyPackets => (Refusal::TooLarge, false),
            Malformed::TooBig => (Refusal::TooLarge, true),
        };
        self.stats.refuse(reason);
        let Some(peer) = self.links.get_mut(link) else { return };
        peer.last_heard = now.mono;
        peer.has_spoken = true;
        peer.received.note(0);
        let goes_on = !peer.allowances.faults.take(now.mono);
        if peer.is_handshaking() {
            self.close_link(now, link, Cause::NotPy2p);
        } else if goes_on
            || ends
            || (reason == Refusal::Unparsable && !peer.may_ask_to_resend(now.mono))
        {
            self.close_link(now, link, Cause::Malformed(reason.as_str()));
        } else if reason == Refusal::Unparsable {
            self.ask_to_resend(now, link);
        }
    }

    /// Asks the peer to send its last frame again, uncompressed.
    fn ask_to_resend(&mut self, now: Now, link: LinkId) {
        self.say(now, link, Flag::Renegotiate, Method::list_payload(&[]));
        self.say(now, link, Flag::Renegotiate, Method::resend_payload());
    }
}

impl Peer {
    /// Returns whether the peer may be asked now to resend a frame, and notes the time if so.
    fn may_ask_to_resend(&mut self, now: Duration) -> bool {
        let may =
            self.last_resend_request.is_none_or(|last| now >= last.saturating_add(RESEND_EVERY));
        if may {
            self.last_resend_request = Some(now);
        }
        may
    }
}
