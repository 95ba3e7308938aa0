//! Statements about the pace of a link: passed between a link and its peer, and reported to the
//! user when a node is left behind.

use std::time::Duration;

use super::event::{Action, LinkId, PaceChange};
use super::peer::Peer;
use super::{Node, Now};
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::options::Flag;
use crate::tally::Tally;
use crate::trouble::{Loss, Trouble};
use crate::wire::{Pacing, Total};

/// A stranger that has kept senders waiting for so long at once had a large frame, ...
const LONG: Duration = Duration::from_millis(500);
/// ... and for this long no other one is given time for one.
const NO_SLACK: Duration = Duration::from_secs(60);

/// Part of the memory that is for peers that nobody waits for, ...
const UNWAITED_PART: usize = 4;
/// ... and part of what is left of it that one of them gets; at least this.
const PEER_PART: usize = 4;
const LEAST_ROOM: usize = 256 * 1024;

impl Node {
    /// Sends a statement about the pace to the peer of a link.
    pub(super) fn tell_pace(&mut self, now: Now, link: LinkId, word: Pacing) {
        if self.links.is(link, |peer| peer.tells_pace) {
            self.say(now, link, Flag::Whisper, self.shared(word).payload());
        }
    }

    /// Divides the room that all peers together may use among them.
    fn shared(&self, word: Pacing) -> Pacing {
        match word {
            Pacing::Taken { total, room } if room < u64::MAX => {
                let peers = self.table.len().max(1) as u64;
                Pacing::Taken { total, room: room.checked_div(peers).unwrap_or(room) }
            }
            word => word,
        }
    }

    /// Reports that a link no longer waits for its peer, or waits again.
    pub(super) fn pace_changed(&mut self, now: Now, link: LinkId, change: PaceChange) {
        let Some(peer) = self.links.get(link) else { return };
        let Some(id) = peer.id() else { return };
        let remote = peer.remote();
        let (event, word) = match change {
            PaceChange::KeptWaiting { by, is_trusted } => {
                return self.kept_waiting(now, link, by, is_trusted);
            }
            PaceChange::Resumed { paid } => return self.resumed(link, paid),
            PaceChange::Proven => {
                return self.links.update(link, |peer| peer.unwaited_room = 0);
            }
            PaceChange::LeftBehind => {
                // What it was charged stays spent: it has not taken it.
                self.links.update(link, |peer| peer.charged = Duration::ZERO);
                if self.links.is(link, |peer| peer.unwaited_room == 0) {
                    self.stop_waiting(link);
                }
                let missed = Total::default();
                (Some(MeshEvent::LeftBehind { id, remote }), Pacing::LeftBehind { missed })
            }
            PaceChange::Misses { missed } => (None, Pacing::LeftBehind { missed }),
            PaceChange::CaughtUp { missed } => {
                let event = MeshEvent::CaughtUp { id, remote, missed: missed.frames };
                (Some(event), Pacing::CaughtUp { missed })
            }
        };
        self.actions.extend(event.map(Action::Report));
        self.tell_pace(now, link, word);
    }

    /// Charges the time for which senders waited for a peer. Has them wait no longer if all of it is spent.
    fn kept_waiting(&mut self, now: Now, link: LinkId, by: Duration, is_trusted: bool) {
        if !is_trusted && by >= LONG {
            self.deny_slack(now);
        }
        match self.waits.charge(now.mono, by, is_trusted) {
            Some(charged) => self.links.update(link, |peer| peer.charged.tally(charged)),
            None => self.stop_waiting(link),
        }
    }

    /// Has nobody wait for a peer, and gives it room for what it has not taken: a part of what other such peers
    /// have left.
    pub(super) fn stop_waiting(&mut self, link: LinkId) {
        let others = self.links.iter().filter(|(other, _)| *other != link);
        let given = others.fold(0_usize, |sum, (_, peer)| sum.saturating_add(peer.unwaited_room));
        let left = (self.config.memory / UNWAITED_PART).saturating_sub(given);
        let room = (left / PEER_PART).max(LEAST_ROOM).min(self.config.outbound / 2);
        self.links.update(link, |peer| peer.unwaited_room = room);
        self.actions.push_back(Action::StopWaiting { link, room });
    }

    /// Gives large frames of all links no time of their own for a while: one stranger has used it up, and
    /// another one would use as much.
    fn deny_slack(&mut self, now: Now) {
        self.no_slack = now.mono.saturating_add(NO_SLACK);
        for (link, _) in self.links.iter().filter(|(_, peer)| !peer.is_handshaking()) {
            self.actions.push_back(Action::DenySlack { link, until: self.no_slack });
        }
    }

    /// Notes that a peer has taken what it kept senders waiting for.
    fn resumed(&mut self, link: LinkId, paid: Duration) {
        let Some(peer) = self.links.get_mut(link) else { return };
        self.waits.refund(std::mem::take(&mut peer.charged).min(paid));
    }

    /// Handles a peer's statement about the pace.
    pub(super) fn told_pace(&mut self, link: LinkId, id: NodeId, word: Pacing) {
        match word {
            Pacing::HowFar | Pacing::Taken { .. } => {
                self.actions.push_back(Action::Pace { link, word });
            }
            Pacing::LeftBehind { missed } => {
                if self.note_missed(link, Some(missed.frames)) {
                    let remote = self.remote(link);
                    self.actions.push_back(Action::Report(MeshEvent::FellBehind { id, remote }));
                }
            }
            Pacing::CaughtUp { missed } => {
                self.note_missed(link, Some(missed.frames));
                self.note_missed(link, None);
                let remote = self.remote(link);
                let event = MeshEvent::KeepsUp { id, remote, missed: missed.frames };
                self.actions.push_back(Action::Report(event));
            }
        }
    }

    /// Returns the address at the other end of a link.
    pub(super) fn remote(&self, link: LinkId) -> String {
        self.links.get(link).map(Peer::remote).unwrap_or_default()
    }

    /// Counts the messages that we missed on a link so far, as its peer says; with `None` it waits
    /// for us again. Returns whether that begins now. The number is not trusted: it adds to a
    /// counter, and cannot overflow it.
    fn note_missed(&mut self, link: LinkId, missed: Option<u64>) -> bool {
        let Some(peer) = self.links.get_mut(link) else { return false };
        let before = std::mem::replace(&mut peer.missed, missed);
        let more = missed.unwrap_or(0).saturating_sub(before.unwrap_or(0));
        self.stats.missed = self.stats.missed.saturating_add(more);
        if more > 0 {
            let trouble = Trouble::LosingMessages { how: Loss::FellBehind };
            self.actions.push_back(Action::Report(MeshEvent::TroubleBegan(trouble)));
        }
        before.is_none()
    }
}
