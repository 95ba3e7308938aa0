//! The members of the mesh, as one node knows them: what it heard, when, and whom it has doubts about.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use crate::id::NodeId;
use crate::presence::Absence;
use crate::wire::members::Row;

/// Most members that are listed, and most that are remembered as gone.
pub(super) const MAX_MEMBERS: usize = 8192;
/// A member that is said to be lost has this long to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// A member of which nothing is heard for so many of its periods is gone.
const SILENT_PERIODS: u32 = 3;
const SHORTEST_PERIOD: Duration = Duration::from_secs(60);
const LONGEST_PERIOD: Duration = Duration::from_secs(15 * 60);
/// Times are counted from a day before the node began: what a peer has heard may be older than the node.
const BEFORE: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Default)]
pub(super) struct Roster {
    rows: BTreeMap<NodeId, Known>,
    /// Members that left, with their last version and when.
    gone: BTreeMap<NodeId, (u64, Duration)>,
    /// The same in the order in which they left.
    departures: BTreeSet<(Duration, NodeId)>,
}

#[derive(Debug)]
struct Known {
    version: u64,
    heard: Duration,
    /// When it is taken to be lost.
    lost_at: Option<Duration>,
    name: String,
    role: String,
}

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The member was not known.
    New,
    /// It was.
    Again,
    /// Nothing new.
    Old,
    /// The member has left, as far as this node knows.
    Gone,
}

/// How often a member announces itself, in a mesh of this many.
pub(super) fn period(members: usize) -> Duration {
    Duration::from_secs(members as u64).clamp(SHORTEST_PERIOD, LONGEST_PERIOD)
}

impl Roster {
    /// Takes down what a member says about itself, or a peer about a member.
    pub fn hear(&mut self, now: Duration, row: Row) -> Heard {
        let Row { id, version, age, name, role } = row;
        if self.gone.get(&id).is_some_and(|&(last, _)| last >= version) {
            return Heard::Gone;
        }
        let heard = (now.saturating_add(BEFORE)).saturating_sub(age);
        if let Some(known) = self.rows.get_mut(&id) {
            if known.version >= version {
                return Heard::Old;
            }
            *known = Known { version, heard, lost_at: None, name, role };
            return Heard::Again;
        }
        if self.rows.len() >= MAX_MEMBERS || age >= self.silence() {
            return Heard::Old;
        }
        self.forget(&id);
        self.rows.insert(id, Known { version, heard, lost_at: None, name, role });
        Heard::New
    }

    /// Notes that a node has lost a member. Returns when the member is taken to be gone, if that is new.
    pub fn doubt(&mut self, now: Duration, id: &NodeId, version: u64) -> Option<Duration> {
        let known = self.rows.get_mut(id).filter(|known| known.version <= version)?;
        if known.lost_at.is_some() {
            return None;
        }
        known.lost_at = Some(now.saturating_add(ANSWER));
        known.lost_at
    }

    /// Returns the version of a member that nobody doubts yet.
    pub fn undoubted(&self, id: &NodeId) -> Option<u64> {
        let known = self.rows.get(id).filter(|known| known.lost_at.is_none());
        known.map(|known| known.version)
    }

    /// Removes a member, until it announces itself with a higher version. Returns whether there was one.
    pub fn leave(&mut self, now: Duration, id: &NodeId, version: u64) -> bool {
        match self.rows.get(id) {
            Some(known) if known.version > version => return false,
            Some(_) => {}
            None if self.gone.contains_key(id) => return false,
            None => {}
        }
        self.forget(id);
        if self.gone.len() >= MAX_MEMBERS
            && let Some(&(_, oldest)) = self.departures.first()
        {
            self.forget(&oldest);
        }
        self.gone.insert(*id, (version, now));
        self.departures.insert((now, *id));
        self.rows.remove(id).is_some()
    }

    /// Forgets that a member left.
    fn forget(&mut self, id: &NodeId) {
        if let Some((_, at)) = self.gone.remove(id) {
            self.departures.remove(&(at, *id));
        }
    }

    /// Returns the last version of a member that left.
    pub fn last_version(&self, id: &NodeId) -> Option<u64> {
        self.gone.get(id).map(|&(version, _)| version)
    }

    /// Removes the members that are lost or silent, and forgets those that left long ago.
    pub fn expire(&mut self, now: Duration) -> Vec<(NodeId, Absence)> {
        let silence = self.silence();
        while let Some(&(at, id)) = self.departures.first()
            && at.saturating_add(silence) <= now
        {
            self.forget(&id);
        }
        let why = |known: &Known| match known.lost_at {
            Some(at) if at <= now => Some(Absence::Lost),
            _ => (now.saturating_add(BEFORE) >= known.heard.saturating_add(silence))
                .then_some(Absence::Silent),
        };
        let gone =
            self.rows.iter().filter_map(|(id, known)| Some((*id, known.version, why(known)?)));
        let gone: Vec<(NodeId, u64, Absence)> = gone.collect();
        for (id, version, _) in &gone {
            self.leave(now, id, *version);
        }
        gone.into_iter().map(|(id, _, why)| (id, why)).collect()
    }

    fn silence(&self) -> Duration {
        self.period() * SILENT_PERIODS
    }

    /// Returns how often the members of this mesh announce themselves.
    pub fn period(&self) -> Duration {
        period(self.rows.len().saturating_add(1))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &str, &str)> {
        self.rows.iter().map(|(id, known)| (id, &*known.name, &*known.role))
    }

    pub fn contains(&self, id: &NodeId) -> bool {
        self.rows.contains_key(id)
    }

    /// Returns the members after this id that nobody doubts, as a peer is told about them.
    pub fn rows(&self, now: Duration, after: Option<NodeId>) -> impl Iterator<Item = Row> {
        let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.rows.range((begin, Bound::Unbounded));
        let sure = later.filter(|(_, known)| known.lost_at.is_none());
        sure.map(move |(id, known)| Row {
            id: *id,
            version: known.version,
            age: (now.saturating_add(BEFORE)).saturating_sub(known.heard),
            name: known.name.clone(),
            role: known.role.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn id(n: u16) -> NodeId {
        let mut digest = [0; 48];
        digest[..2].copy_from_slice(&n.to_be_bytes());
        NodeId::from_digest(&digest)
    }

    fn row(n: u16, version: u64, age: Duration) -> Row {
        Row { id: id(n), version, age, name: "a name".into(), role: String::new() }
    }

    #[test]
    fn a_member_that_answers_stays_and_one_that_does_not_is_lost_in_time() {
        let mut roster = Roster::default();
        for n in [1, 2] {
            assert_eq!(roster.hear(at(0), row(n, 1, at(0))), Heard::New);
            assert_eq!(roster.doubt(at(1), &id(n), 1), Some(at(11)));
            assert_eq!(roster.doubt(at(2), &id(n), 1), None, "told once");
        }
        assert_eq!(roster.hear(at(3), row(1, 2, at(0))), Heard::Again);
        assert_eq!(roster.doubt(at(3), &id(1), 1), None, "an old doubt");
        assert_eq!(roster.expire(at(10)), []);
        assert_eq!(roster.expire(at(11)), [(id(2), Absence::Lost)]);
        assert_eq!(roster.hear(at(12), row(2, 1, at(0))), Heard::Gone, "an old row");
        assert_eq!(roster.hear(at(12), row(2, 2, at(0))), Heard::New, "it was slow");
    }

    #[test]
    fn a_silent_member_is_gone_after_three_periods_whoever_told_about_it() {
        let mut roster = Roster::default();
        roster.hear(at(0), row(1, 1, at(0)));
        roster.hear(at(0), row(2, 1, MINUTE));
        assert_eq!(roster.expire(2 * MINUTE), [(id(2), Absence::Silent)]);
        assert_eq!(
            roster.hear(2 * MINUTE, row(3, 1, 3 * MINUTE)),
            Heard::Old,
            "too old to be listed"
        );
        assert_eq!(roster.expire(3 * MINUTE), [(id(1), Absence::Silent)]);
    }

    #[test]
    fn neither_members_nor_those_that_left_grow_without_bound() {
        let mut roster = Roster::default();
        for n in 0..=u16::MAX {
            roster.hear(at(0), row(n, 1, at(0)));
        }
        assert_eq!(roster.rows.len(), MAX_MEMBERS);
        for n in 0..MAX_MEMBERS as u16 + 9 {
            roster.leave(at(u64::from(n)), &id(n), 1);
        }
        assert_eq!((roster.rows.len(), roster.gone.len()), (0, MAX_MEMBERS));
        assert!(roster.last_version(&id(0)).is_none(), "the oldest was forgotten");
        assert_eq!(roster.departures.len(), MAX_MEMBERS);
        roster.expire(2 * 24 * 60 * MINUTE);
        assert_eq!((roster.gone.len(), roster.departures.len()), (0, 0));
    }

    #[test]
    fn a_list_goes_on_after_the_last_member_that_was_told() {
        let mut roster = Roster::default();
        for n in 0..5 {
            roster.hear(at(0), row(n, 1, at(0)));
        }
        roster.doubt(at(0), &id(3), 1);
        let told = |after| roster.rows(at(0), after).map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(told(None), [0, 1, 2, 4].map(id));
        assert_eq!(told(Some(id(1))), [2, 4].map(id));
        assert_eq!(told(Some(id(4))), []);
    }
}
