//! Who connects is let in, waits, or is turned away.

use std::net::SocketAddr;
use std::time::Duration;

use super::event::LinkId;
use super::peer::{Direction, Peer};
use super::{Node, Now};
use crate::cause::Cause;

/// Who has got no further with its handshake for this long gives way where many wait.
const SILENCE: Duration = Duration::from_millis(500);

impl Node {
    /// Somebody connected: the number of the new link. Whether there is room for it is seen when it
    /// has said who it is, because of [`Node::close_surplus`].
    pub fn admit(&mut self, now: Now) -> Result<LinkId, Cause> {
        if self.is_closed {
            self.stats.turned_away += 1;
            return Err(Cause::Closed);
        }
        if self.is_crowded() {
            let Some(silent) = self.most_silent(now) else {
                self.stats.turned_away += 1;
                return Err(Cause::Crowded);
            };
            self.close_link(now, silent, Cause::Evicted);
        }
        Ok(self.new_link(now, Peer::new(Direction::Incoming, now.mono)))
    }

    /// Whether somebody who connected would be admitted now.
    pub fn may_admit(&self, now: Now) -> bool {
        !self.is_closed && (!self.is_crowded() || self.most_silent(now).is_some())
    }

    fn is_crowded(&self) -> bool {
        self.strangers() >= self.config.max_handshaking.max(1)
    }

    /// Returns the stranger whose handshake has made no progress for the longest time, if that was long
    /// enough: a link that makes progress does not give way to a newer one.
    fn most_silent(&self, now: Now) -> Option<LinkId> {
        let (link, peer) = self.links.strangers().min_by_key(|(_, peer)| peer.progressed())?;
        (peer.progressed() + SILENCE <= now.mono).then_some(link)
    }

    /// Returns the number of incoming links whose handshake has not come yet.
    pub fn strangers(&self) -> usize {
        self.links.strangers().count()
    }

    pub(super) fn has_room(&self) -> Result<(), Cause> {
        if self.is_closed {
            return Err(Cause::Closed);
        }
        if self.has_place_beside(None) { Ok(()) } else { Err(Cause::TooManyLinks) }
    }

    /// Whether all links but this one leave a place. Strangers who have not been greeted take none;
    /// links whose last messages are still on their way to us do, because they hold memory.
    fn has_place_beside(&self, link: Option<LinkId>) -> bool {
        let takes =
            |peer: &Peer| peer.is_outgoing() || !peer.is_handshaking() || peer.is_answered();
        let others = self.links.iter().filter(|(id, peer)| Some(*id) != link && takes(peer));
        others.count() < self.config.max_links
    }

    /// Whether there is no place for this link, which has not been greeted yet.
    pub(super) fn is_surplus(&self, link: LinkId) -> bool {
        let is_incoming = self.links.is(link, |peer| !peer.is_outgoing());
        is_incoming && !self.has_place_beside(Some(link))
    }

    /// There is no room for a py2p node. It is told who we are all the same: one that dials because
    /// of a peers list has us in its table already, and if the link ended before it got a
    /// handshake, it would never get us out again and burn its processor on the dead link.
    pub(super) fn close_surplus(&mut self, now: Now, link: LinkId) {
        self.answer(now, link);
        self.close_link(now, link, Cause::TooManyLinks);
    }

    /// Notes where an incoming link came from.
    pub fn came_from(&mut self, link: LinkId, addr: SocketAddr) {
        self.links.update(link, |peer| peer.from = Some(addr));
    }

    /// Counts somebody who connected and did not become a peer.
    pub fn turned_away(&mut self, cause: &Cause) {
        self.stats.turned_away += 1;
        self.stats.silent += u64::from(matches!(cause, Cause::Silent));
    }
}
