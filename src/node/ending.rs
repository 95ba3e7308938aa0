//! How a link ends, and what follows for its peer and for those who wait for it.

use std::io::ErrorKind;

use super::event::{Action, LinkId};
use super::peer::{Direction, Peer};
use super::stage::{Ready, Spare, Stage};
use super::timers::Timer;
use super::waiting::Waiter;
use super::{Node, Now};
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::protocol::Encryption;
use crate::stats::Refusal;
use crate::tally::Tally;
use crate::trouble::Trouble;

/// Most disconnected peers that are remembered; the oldest one is forgotten.
const MAX_SHUNNED: usize = 256;

impl Node {
    pub(super) fn new_link(&mut self, now: Now, peer: Peer) -> LinkId {
        let link = self.ids.link();
        self.links.insert(link, peer);
        self.timers
            .set(now.mono.saturating_add(self.config.handshake_timeout), Timer::Handshake(link));
        link
    }

    /// Refuses this peer until the user connects to it again.
    pub(super) fn shun(&mut self, id: NodeId) {
        if self.shunned.len() >= MAX_SHUNNED {
            self.shunned.pop_front();
        }
        self.shunned.push_back(id);
    }

    /// Closes a link at once, and handles its loss.
    pub(super) fn close_link(&mut self, now: Now, link: LinkId, cause: Cause) {
        self.actions.push_back(Action::Close { link, cause: cause.clone() });
        self.lost(now, link, cause);
    }

    /// Handles that the peer has stopped writing. With a spare, this is the peer's choice of the
    /// link that stays; otherwise the link ends.
    pub(super) fn hung_up(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.links.get_mut(link) else { return };
        if let Stage::Draining(_) = peer.stage {
            // It ends when what is queued is written.
            return;
        }
        if let Stage::Ready(Ready { id, .. }) = peer.stage
            && let Some(heir) = self.links.spare_of(&id)
        {
            return self.hand_over(now, id, link, heir);
        }
        self.close_link(now, link, Cause::PeerClosed);
    }

    pub(super) fn lost(&mut self, now: Now, link: LinkId, cause: Cause) {
        let Some(peer) = self.links.get_mut(link) else { return };
        if let Cause::TooLarge { .. } = cause {
            self.stats.received.tally(1);
            self.stats.refuse(Refusal::TooLarge);
        }
        match peer.stage {
            Stage::Opening { .. } | Stage::Greeting(_) => {
                let cause = Self::as_not_py2p(cause);
                if let Some(peer) = self.links.remove(link) {
                    self.ended_before_handshake(now, peer, cause);
                }
            }
            Stage::Ready(Ready { id, .. }) => match self.links.spare_of(&id) {
                Some(heir) => {
                    self.hand_over(now, id, link, heir);
                    self.links.set_stage(link, Stage::Gone(id));
                }
                None => {
                    self.links.set_stage(link, Stage::Gone(id));
                    self.left(now, id, link, cause);
                }
            },
            Stage::Spare(Spare { id, .. }) => {
                peer.stage = Stage::Gone(id);
                self.renew_settings(link, id);
                self.spare_lost(now, link, id, cause);
            }
            Stage::Draining(id) => peer.stage = Stage::Gone(id),
            Stage::Gone(_) => {}
        }
        self.check_clocks();
    }

    /// Returns the cause for a peer whose first frame exceeds the limit: it is not a node. If the
    /// four bytes of the length begin a TLS record, the peer uses TLS.
    fn as_not_py2p(cause: Cause) -> Cause {
        let Cause::TooLarge { len, .. } = cause else { return cause };
        match (len >> 24, len >> 16 & 0xff) {
            (0x14..=0x17, 0x03) => Cause::WrongEncryption { theirs: Encryption::Ssl },
            _ => Cause::NotPy2p,
        }
    }

    /// Forgets a lost link, whose last message was handled.
    pub(super) fn finished(&mut self, link: LinkId) {
        self.links.remove(link);
    }

    pub(super) fn left(&mut self, now: Now, id: NodeId, link: LinkId, cause: Cause) {
        self.table.remove(&id, link);
        self.stats.left.tally(1);
        self.remember_lost(now, link, &cause);
        self.fail_waiters_or_redial(now, link, &cause);
        self.passages_lost(now, id);
        self.tree.left(now.mono, &id);
        if !matches!(cause, Cause::Exchanged) {
            self.doubt_lost(now, id);
        }
        self.ask_in_time();
        let remote = self.remote(link);
        self.actions.push_back(Action::Report(MeshEvent::Left { id, remote, cause }));
        if self.table.is_empty() && !self.is_closed {
            self.is_alone = true;
            self.actions.push_back(Action::Report(MeshEvent::Alone));
        }
        self.check_alone();
    }

    /// Reports when the node has no peer though the user asked for one, and when that is over.
    pub(super) fn check_alone(&mut self) {
        let is_alone = self.table.is_empty() && !self.is_closed && self.book.has_wanted();
        if std::mem::replace(&mut self.misses_peers, is_alone) == is_alone {
            return;
        }
        let event = match is_alone {
            true => MeshEvent::TroubleBegan(Trouble::Alone),
            false => MeshEvent::TroubleEnded(Trouble::Alone),
        };
        self.actions.push_back(Action::Report(event));
    }

    /// Handles the end of a link before its handshake: dials again where that is useful, and tells
    /// its waiters otherwise.
    pub(super) fn ended_before_handshake(&mut self, now: Now, mut peer: Peer, cause: Cause) {
        if peer.direction == Direction::Incoming {
            let cause = peer.as_stranger(cause);
            self.turned_away(&cause);
            let addr = peer.from.map(|from| from.to_string()).unwrap_or_default();
            self.actions.push_back(Action::Report(MeshEvent::TurnedAway {
                addr,
                cause,
                others: 0,
            }));
            return;
        }
        if self.dial_rest(now, &mut peer, &cause) {
            return;
        }
        peer.give_up_reached(&cause);
        let failure = peer.failure(&cause);
        let again = peer.take_retried(&cause);
        for waiter in peer.waiters.clone() {
            self.fail_waiter(waiter, &failure);
        }
        self.retry_later(now, &peer, again, failure);
        if peer.waiters.contains(&Waiter::Mesh) {
            self.dial_failed(&peer, &cause);
        }
        self.book_failure(now, &peer, &cause);
        self.check_alone();
    }

    fn dial_failed(&mut self, peer: &Peer, cause: &Cause) {
        self.stats.failed_dials.tally(1);
        if let Some(addr) = &peer.dial.addr {
            let (addr, cause) = (addr.to_string(), cause.clone());
            self.actions.push_back(Action::Report(MeshEvent::DialFailed { addr, cause }));
        }
    }
}

impl Peer {
    /// Returns the cause for an incoming link that never became a peer: a peer that sent nothing is
    /// `Silent`.
    fn as_stranger(&self, cause: Cause) -> Cause {
        let tells_nothing = match &cause {
            Cause::PeerClosed | Cause::TimedOut | Cause::Evicted => true,
            Cause::Io(error) => error.kind() == ErrorKind::ConnectionReset,
            _ => false,
        };
        if tells_nothing && !self.has_spoken { Cause::Silent } else { cause }
    }
}
