//! Presence: announces this node to the mesh, lists the others, and finds out which of them are lost.
//! What is known about them is in `roster.rs`, how peers tell each other in `member_lists.rs`, the search for lost
//! ones in `doubts.rs`; `crate::presence` says what is promised.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use super::event::{Action, LinkId, Parcel};
use super::peer::Peer;
use super::roster::{Heard, Roster};
use super::seen::Source;
use super::timers::Timer;
use super::{Node, Now};
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::options::Flag;
use crate::presence::{Absence, Member};
use crate::tally::Tally;
use crate::wire::Draft;
use crate::wire::members::{Members, Row};

/// A new node announces itself again after these times: not all nodes may have been linked before.
const AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(15)];
/// The time between two looks at who is silent.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// The least time between two requests for the list of a peer, after the first two.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// The presence of this node.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    pub(super) roster: Roster,
    pub(super) version: u64,
    /// Announcements since the node was alone last.
    announcements: usize,
    pub(super) announced: Duration,
    /// When it announces itself next, unless the period becomes shorter.
    pub(super) announce_at: Option<Duration>,
    pub(super) linked_since: Duration,
    asked: Option<Duration>,
    looked: Option<Duration>,
    /// Peers that were lost, with their version, and when the mesh is asked for them.
    pub(super) doubts: Vec<(NodeId, u64)>,
    pub(super) doubt_at: Option<Duration>,
}

impl Node {
    /// Returns the other nodes of the mesh: those that have announced themselves, then those that are
    /// linked, or that peers tell about.
    pub fn members(&self) -> Vec<Member> {
        let roster = self.presence.as_ref().map(|presence| &presence.roster);
        let listed = roster.into_iter().flat_map(Roster::iter);
        let listed = listed.map(|(id, name, role)| member(*id, name, role, true));
        let told = self.table.iter().map(|(id, _)| *id).chain(self.book.ids());
        // The address book keeps those that have left, to dial them again.
        let is_listed = |id: &NodeId, roster: &Roster| {
            roster.contains(id) || roster.last_version(id).is_some() && self.table.get(id).is_none()
        };
        let is_other =
            |id: &NodeId| *id != self.me.id && !roster.is_some_and(|roster| is_listed(id, roster));
        let others: BTreeSet<NodeId> = told.filter(is_other).collect();
        listed.chain(others.into_iter().map(|id| member(id, "", "", false))).collect()
    }

    /// Handles that a peer is linked: announces this node if it is the first one, and asks for its list.
    pub(super) fn present_to(&mut self, now: Now, link: LinkId) {
        let peers = self.table.len();
        let Some(presence) = &mut self.presence else { return };
        if peers == 1 {
            (presence.announcements, presence.linked_since) = (0, now.mono);
            self.announce_self(now);
        }
        let Some(presence) = &mut self.presence else { return };
        let is_time = presence.asked.is_none_or(|at| now.mono >= at.saturating_add(ASK_EVERY));
        if (is_time || peers <= 2) && self.links.is(link, |peer: &Peer| peer.tells_members) {
            presence.asked = Some(now.mono);
            self.ask_members(now, link, None);
        }
    }

    pub(super) fn announce_self(&mut self, now: Now) {
        let (Some(presence), Some(me)) = (&mut self.presence, &self.config.presence) else {
            return;
        };
        let pause = AGAIN.get(presence.announcements).copied();
        let pause = pause.unwrap_or_else(|| presence.roster.period());
        presence.announcements.tally(1);
        if presence.version == 0 {
            // Equal messages of one second are one message, whoever sends them: no two nodes begin alike.
            presence.version = self.rng.below(1 << 48);
        }
        presence.version.tally(1);
        presence.announced = now.mono;
        // Less than the period, so that members are heard in time, and not all at once.
        presence.announce_at = Some(now.mono.saturating_add(self.rng.jitter(pause)));
        let version = presence.version;
        let next = presence.announce_at;
        self.timers.set(next.unwrap_or(now.mono), Timer::Members);
        let (name, role) = (me.name.clone(), me.role.clone());
        self.tell_mesh(now, &Members::Here { version, name, role });
        if self.presence.as_ref().is_some_and(|presence| presence.looked.is_none()) {
            self.look_for_silent(now);
        }
    }

    /// Tells the mesh that this node closes.
    pub fn say_goodbye(&mut self, now: Now) {
        if let Some(presence) = &mut self.presence
            && !self.is_closed
        {
            presence.announce_at = None;
            let version = presence.version;
            self.tell_mesh(now, &Members::Gone { version });
        }
    }

    pub(super) fn tell_mesh(&mut self, now: Now, word: &Members) {
        let draft = Draft { main: Flag::Broadcast, packets: word.payload(), time: now.second() };
        // So that an equal word of another node is passed on once. Full caches refuse no own message.
        let _ = self
            .seen
            .remember(now, Source::OWN, &draft.id(), draft.time, || Ok::<(), Infallible>(()));
        self.schedule_sweep(now);
        for (_, link) in self.table.iter() {
            self.stats.control_frames.tally(1);
            self.actions.push_back(Action::Send { link, parcel: Parcel::Control(draft.clone()) });
        }
    }

    /// Handles a word to all. Returns whether this node understands it.
    pub(super) fn members_announced(&mut self, now: Now, sender: NodeId, word: &Members) -> bool {
        if self.presence.is_none() {
            return false;
        }
        match word {
            Members::Here { version, name, role } => {
                let (name, role) = (name.clone(), role.clone());
                let row = Row { id: sender, version: *version, age: Duration::ZERO, name, role };
                self.hear_member(now, row);
            }
            Members::Gone { version } => self.member_left(now, sender, *version, Absence::Closed),
            Members::Lost(lost) => self.members_lost(now, lost),
            _ => return false,
        }
        true
    }

    pub(super) fn hear_member(&mut self, now: Now, row: Row) -> Heard {
        let Some(presence) = &mut self.presence else { return Heard::Old };
        let member = member(row.id, &row.name, &row.role, true);
        let heard = presence.roster.hear(now.mono, row);
        if heard == Heard::New {
            self.actions.push_back(Action::Report(MeshEvent::MemberJoined(member)));
        }
        heard
    }

    fn member_left(&mut self, now: Now, id: NodeId, version: u64, why: Absence) {
        let Some(presence) = &mut self.presence else { return };
        if presence.roster.leave(now.mono, &id, version) {
            self.actions.push_back(Action::Report(MeshEvent::MemberLeft { id, why }));
        }
    }

    /// Handles that time has passed.
    pub(super) fn members_due(&mut self, now: Now) {
        let Some(presence) = &mut self.presence else { return };
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now.mono);
        let (doubts, announces) = (is_due(presence.doubt_at), is_due(presence.announce_at));
        let looks = is_due(presence.looked.map(|at| at.saturating_add(LOOK_EVERY)));
        for (id, why) in presence.roster.expire(now.mono) {
            self.actions.push_back(Action::Report(MeshEvent::MemberLeft { id, why }));
        }
        if doubts {
            self.ask_for_lost(now);
        }
        if announces && !self.table.is_empty() {
            self.announce_self(now);
        }
        if looks {
            self.look_for_silent(now);
        }
    }

    /// Sets the next look at who is silent. The period may have become shorter than it was.
    fn look_for_silent(&mut self, now: Now) {
        let Some(presence) = &mut self.presence else { return };
        presence.looked = Some(now.mono);
        self.timers.set(now.mono.saturating_add(LOOK_EVERY), Timer::Members);
        let latest = presence.announced.saturating_add(presence.roster.period());
        if let Some(at) = &mut presence.announce_at
            && latest < *at
        {
            *at = latest;
            self.timers.set(latest, Timer::Members);
        }
    }
}

fn member(id: NodeId, name: &str, role: &str, has_presence: bool) -> Member {
    Member { id, name: name.to_owned(), role: role.to_owned(), has_presence }
}
