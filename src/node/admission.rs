//! Which incoming links are accepted, and which give way.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::event::LinkId;
use super::peer::{Direction, Peer};
use super::{Node, Now};
use crate::cause::Cause;
use crate::tally::Tally;

/// A link whose handshake made no progress for this long gives way to a newer one, if too many
/// links wait for theirs.
const SILENCE: Duration = Duration::from_millis(500);
/// One link in so many is kept for the node's own dials.
const RESERVED_PART: usize = 8;
/// With fewer links than this, networks are not told apart.
const FEW: usize = 16;

impl Node {
    /// Accepts an incoming link and returns its number. Whether a link is free is checked after its
    /// hello or handshake, see [`Node::close_surplus`].
    pub fn admit(&mut self, now: Now) -> Result<LinkId, Cause> {
        if self.is_closed {
            self.stats.turned_away.tally(1);
            return Err(Cause::Closed);
        }
        if self.is_crowded() {
            let Some(silent) = self.most_silent(now) else {
                self.stats.turned_away.tally(1);
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
        (peer.progressed().saturating_add(SILENCE) <= now.mono).then_some(link)
    }

    /// Returns the number of incoming links whose handshake has not come yet.
    pub fn strangers(&self) -> usize {
        self.links.strangers().count()
    }

    pub(super) fn has_room(&self) -> Result<(), Cause> {
        if self.is_closed {
            return Err(Cause::Closed);
        }
        let taken = self.places_beside(None).count();
        if taken < self.config.max_links { Ok(()) } else { Err(Cause::TooManyLinks) }
    }

    /// Returns the other links that take a place. Incoming links that did not get our handshake take none;
    /// lost links whose last messages are still to be handled do, because they hold memory.
    fn places_beside(&self, link: Option<LinkId>) -> impl Iterator<Item = &Peer> {
        let takes =
            |peer: &Peer| peer.is_outgoing() || !peer.is_handshaking() || peer.is_answered();
        self.links
            .iter()
            .filter(move |(id, peer)| Some(*id) != link && takes(peer))
            .map(|(_, peer)| peer)
    }

    /// Returns whether no link is free for this incoming one, which did not get our handshake yet. Some
    /// links are kept for the node's own dials. While few are left, one network does not get a larger part.
    pub(super) fn is_surplus(&self, link: LinkId) -> bool {
        let Some(peer) = self.links.get(link).filter(|peer| !peer.is_outgoing()) else {
            return false;
        };
        let others = || self.places_beside(Some(link));
        let outgoing = others().filter(|other| other.is_outgoing()).count();
        let most = self.config.max_links;
        let incoming = most.saturating_sub((most / RESERVED_PART).saturating_sub(outgoing));
        let taken = others().count();
        let network = peer.from.and_then(|addr| network_of(addr.ip()));
        let is_its = |other: &Peer| {
            network.is_some() && other.from.and_then(|addr| network_of(addr.ip())) == network
        };
        let is_scarce = most >= FEW && taken >= most.saturating_sub(most / 4);
        taken >= incoming || is_scarce && others().filter(|other| is_its(other)).count() >= most / 4
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
        self.stats.turned_away.tally(1);
        self.stats.silent.tally(u64::from(matches!(cause, Cause::Silent)));
    }
}

/// Returns the network that an address belongs to: whoever has one address of it may have all of them. None
/// for this host itself.
fn network_of(ip: IpAddr) -> Option<u128> {
    match ip.to_canonical() {
        ip if ip.is_loopback() => None,
        IpAddr::V4(ip) => Some(u128::from(u32::from(ip) >> 8)),
        IpAddr::V6(ip) => Some(u128::from(ip) >> 80 | 1 << 100),
    }
}
