//! Clocks that differ. A node notices it when it refuses a peer's own broadcast for its date: one
//! of the two clocks is wrong. An rs2p peer is told, because it cannot notice the refusal itself.

use std::time::Duration;

use super::event::{Action, LinkId};
use super::stage::Stage;
use super::{Node, Now};
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::options::Flag;
use crate::stats::Refusal;
use crate::trouble::{Loss, Trouble};
use crate::wire::{Envelope, Hello};

/// Capability: the node wants to be told when its broadcasts are refused for their dates.
pub(super) const CLOCK: &str = "clock";
/// Prefix of a word in a hello; the difference in seconds follows, or 0 once broadcasts are
/// accepted again.
const DIFFERENCE: &str = "clock=";

/// The shortest time between two notices to one peer, and between two reports about one peer.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// The shortest time between two reports of a loss that goes on.
const SECOND: Duration = Duration::from_secs(1);

/// What is known about the clocks at the two ends of a link.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    /// Whether the peer wants to be told.
    pub wants_to_know: bool,
    /// Whether this node refuses the peer's broadcasts, or the peer ours.
    refuses: bool,
    is_refused: bool,
    told_peer: Option<Duration>,
    told_user: Option<Duration>,
}

impl Node {
    /// Counts a refused broadcast. If the peer sent it itself and its date is too old or too far
    /// ahead, one of the two clocks is wrong.
    pub(super) fn refused(&mut self, now: Now, link: LinkId, envelope: &Envelope, why: Refusal) {
        self.stats.refuse(why);
        if why == Refusal::Evicted
            && self.told_of_ids.is_none_or(|at| now.mono >= at.saturating_add(SECOND))
        {
            self.told_of_ids = Some(now.mono);
            let trouble = Trouble::LosingMessages { how: Loss::TooManyIds };
            self.actions.push_back(Action::Report(MeshEvent::TroubleBegan(trouble)));
        }
        let is_dated_badly = matches!(why, Refusal::TooOld | Refusal::TooFarAhead);
        let Some(peer) = self.links.get_mut(link) else { return };
        let Some(id) = peer.id().filter(|id| is_dated_badly && *id == envelope.sender) else {
            return;
        };
        if !is_due(&mut peer.clocks.told_peer, now) {
            return;
        }
        peer.clocks.refuses = true;
        let by = i128::from(envelope.time).saturating_sub(i128::from(now.second()));
        self.tell_difference(now, link, by);
        self.clocks_differ(now, link, id, by.unsigned_abs());
    }

    /// Notes an accepted broadcast. If the peer's own ones were refused before, that is over.
    pub(super) fn accepted(&mut self, now: Now, link: LinkId, envelope: &Envelope) {
        let Some(peer) = self.links.get_mut(link).filter(|peer| peer.clocks.refuses) else {
            return;
        };
        if peer.id() == Some(envelope.sender) {
            peer.clocks.refuses = false;
            self.tell_difference(now, link, 0);
            self.check_clocks();
        }
    }

    /// Handles a hello on an established link that may state how far our clock differs.
    pub(super) fn clock_difference_received(
        &mut self,
        now: Now,
        link: LinkId,
        id: NodeId,
        hello: &Hello,
    ) {
        let said = hello.capabilities.iter().find_map(|word| word.strip_prefix(DIFFERENCE));
        let Some(by) = said.and_then(|text| text.parse::<i64>().ok()) else { return };
        let Some(peer) = self.links.get_mut(link) else { return };
        peer.clocks.is_refused = by != 0;
        match by {
            0 => self.check_clocks(),
            by => self.clocks_differ(now, link, id, by.unsigned_abs().into()),
        }
    }

    fn tell_difference(&mut self, now: Now, link: LinkId, by: i128) {
        let wants_to_know = |peer: &super::peer::Peer| peer.clocks.wants_to_know;
        if self.links.is(link, wants_to_know) {
            let word = format!("{DIFFERENCE}{by}");
            self.say(now, link, Flag::Whisper, Hello::new([word.as_str()]).payload());
        }
    }

    fn clocks_differ(&mut self, now: Now, link: LinkId, id: NodeId, secs: u128) {
        let by = Duration::from_secs(u64::try_from(secs).unwrap_or(u64::MAX));
        let trouble = Trouble::ClockSkew { id, by };
        if self.clock_trouble.is_none() {
            self.clock_trouble = Some(trouble.clone());
            self.actions.push_back(Action::Report(MeshEvent::TroubleBegan(trouble)));
        }
        let Some(peer) = self.links.get_mut(link) else { return };
        if is_due(&mut peer.clocks.told_user, now) {
            let remote = peer.remote();
            self.actions.push_back(Action::Report(MeshEvent::ClockSkew { id, remote, by }));
        }
    }

    /// Reports that the clocks no longer differ, if no peer is left with which they do.
    pub(super) fn check_clocks(&mut self) {
        if self.clock_trouble.is_none() {
            return;
        }
        let differs = self.links.any(|peer| {
            let is_linked = matches!(peer.stage, Stage::Ready(_) | Stage::Spare(_));
            is_linked && (peer.clocks.refuses || peer.clocks.is_refused)
        });
        if let Some(trouble) = self.clock_trouble.take_if(|_| !differs) {
            self.actions.push_back(Action::Report(MeshEvent::TroubleEnded(trouble)));
        }
    }
}

/// Returns whether enough time has passed since the last time, and notes this time if so.
fn is_due(last: &mut Option<Duration>, now: Now) -> bool {
    let is_due = last.is_none_or(|last| now.mono >= last.saturating_add(TELL_EVERY));
    if is_due {
        *last = Some(now.mono);
    }
    is_due
}
