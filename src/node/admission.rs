//! Which incoming links are accepted, and which give way.

use std::net::SocketAddr;
use std::time::Duration;

use super::event::LinkId;
use super::peer::{Direction, Peer};
use super::{Node, Now};
use crate::cause::Cause;

/// A link whose handshake made no progress for this long gives way to a newer one, if too many
/// links wait for theirs.
const SILENCE: Duration = Duration::from_millis(500);

impl Node {
    /// Accepts an incoming link and returns its number. Whether a link is free is checked after its
    /// hello or handshake, see [`Node::close_surplus`].
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

    /// Returns whether an incoming link would be accepted now.
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

    /// Returns whether the other links leave one free. Incoming links that did not get our
    /// handshake do not count; lost links whose last messages are still to be handled do, because
    /// they hold memory.
    fn has_place_beside(&self, link: Option<LinkId>) -> bool {
        let takes =
            |peer: &Peer| peer.is_outgoing() || !peer.is_handshaking() || peer.is_answered();
        let others = self.links.iter().filter(|(id, peer)| Some(*id) != link && takes(peer));
        others.count() < self.config.max_links
    }

    /// Returns whether no link is free for this incoming one, which did not get our handshake yet.
    pub(super) fn is_surplus(&self, link: LinkId) -> bool {
        let is_incoming = self.links.is(link, |peer| !peer.is_outgoing());
        is_incoming && !self.has_place_beside(Some(link))
    }

    /// Closes a link to a py2p node for which no link is free. Sends our handshake first: a py2p
    /// node that dials because of a peers list has us in its table already, and if it got no
    /// handshake, it would keep the dead link there and poll it at full processor load.
    pub(super) fn close_surplus(&mut self, now: Now, link: LinkId) {
        self.answer(now, link);
        self.close_link(now, link, Cause::TooManyLinks);
    }

    /// Notes the remote address of an incoming link.
    pub fn came_from(&mut self, link: LinkId, addr: SocketAddr) {
        self.links.update(link, |peer| peer.from = Some(addr));
    }

    /// Counts an incoming link that did not become a peer.
    pub fn turned_away(&mut self, cause: &Cause) {
        self.stats.turned_away += 1;
        self.stats.silent += u64::from(matches!(cause, Cause::Silent));
    }
}
