//! Messages that were announced and have not come: whom to ask for each, and when.
//!
//! A peer is asked for few messages at one time, so that their bodies cannot fill its queue. A question that
//! finds no free place is *parked* at that peer until another one is answered, or given up. A peer that has
//! no room for a body does not answer, and is asked again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smallvec::SmallVec;

use super::super::keyed_hash::Fingerprint;
use super::absent::{Absent, Announcer, Waits};
use super::bodies::KEEP;
use super::{BranchId, Lag};
use crate::tally::Tally;
use crate::wire::Named;

/// Most messages that are waited for. What is announced beyond is asked for at once.
pub(crate) const MAX_MISSING: usize = 65_536;
/// Most questions to one peer that are not answered.
pub(crate) const MAX_OPEN: usize = 8;
/// Most announcers of a message among which those that left are not looked for.
const MANY_ANNOUNCERS: usize = 8;
/// How often the pause before the next question is doubled at most.
const MOST_DOUBLED: u32 = 3;

/// The questions to one peer.
#[derive(Debug, Default)]
struct Questions {
    open: usize,
    /// In the order of their announcements.
    parked: BTreeSet<(Duration, Fingerprint)>,
}

#[derive(Debug, Default)]
pub(crate) struct Missing {
    of: BTreeMap<Fingerprint, Absent>,
    due: BTreeSet<(Duration, Fingerprint)>,
    to: BTreeMap<BranchId, Questions>,
    /// From an announcement to the message that comes by itself.
    lag: Lag,
    /// From a question to its answer.
    round_trip: Lag,
}

impl Missing {
    /// Notes an announcement. `wait` says whether the message may come by itself. Returns false if there
    /// is no room.
    pub fn announced(
        &mut self,
        now: Duration,
        print: Fingerprint,
        name: Named,
        by: BranchId,
        wait: bool,
        is_linked: impl Fn(BranchId) -> bool,
    ) -> bool {
        let announcer = Announcer { number: by, asked: 0 };
        if let Some(absent) = self.of.get_mut(&print) {
            if absent.announcers.len() >= MANY_ANNOUNCERS {
                absent.announcers.retain(|other| is_linked(other.number));
            }
            if absent.announcers.iter().all(|other| other.number != by) {
                absent.announcers.push(announcer);
                let is_idle = absent.waits == Waits::Nobody;
                is_idle.then(|| self.wait(now, print, Waits::Hoping(now)));
            }
            return true;
        }
        if self.of.len() >= MAX_MISSING {
            return false;
        }
        let mut announcers = SmallVec::new();
        announcers.push(announcer);
        let waits = Waits::Nobody;
        self.of.insert(print, Absent { name, since: now, announcers, asked_at: now, waits });
        let pause = if wait { self.lag.wait() } else { Duration::ZERO };
        self.wait(now, print, Waits::Hoping(now.saturating_add(pause)));
        true
    }

    /// Has a message wait for something else. A question that ends makes a place for a parked one.
    fn wait(&mut self, now: Duration, print: Fingerprint, waits: Waits) {
        let Some(absent) = self.of.get_mut(&print) else { return };
        let (before, since) = (std::mem::replace(&mut absent.waits, waits), absent.since);
        self.due.extend(waits.due().map(|due| (due, print)));
        match waits {
            Waits::Asked(_, by) => self.to.entry(by).or_default().open.tally(1),
            Waits::Parked(by) => {
                self.to.entry(by).or_default().parked.insert((since, print));
            }
            Waits::Hoping(_) | Waits::Nobody => {}
        }
        self.waited(now, print, since, before, waits.due());
    }

    /// Forgets what a message waited for.
    fn waited(
        &mut self,
        now: Duration,
        print: Fingerprint,
        since: Duration,
        before: Waits,
        after: Option<Duration>,
    ) {
        if let Some(due) = before.due().filter(|due| Some(*due) != after) {
            self.due.remove(&(due, print));
        }
        match before {
            Waits::Asked(_, by) => self.end_question(now, by),
            Waits::Parked(by) => {
                if let Some(questions) = self.to.get_mut(&by) {
                    questions.parked.remove(&(since, print));
                }
            }
            Waits::Hoping(_) | Waits::Nobody => {}
        }
    }

    fn end_question(&mut self, now: Duration, by: BranchId) {
        let Some(questions) = self.to.get_mut(&by) else { return };
        questions.open = questions.open.saturating_sub(1);
        if let Some(&(_, next)) = questions.parked.first() {
            self.wait(now, next, Waits::Hoping(now));
        } else if questions.open == 0 {
            self.to.remove(&by);
        }
    }

    /// Gives a free place of a peer to a message that waits for one. The message that was about to take it
    /// may have come another way.
    fn fill_place(&mut self, now: Duration, by: BranchId) {
        let Some(questions) = self.to.get(&by) else { return };
        if questions.open < MAX_OPEN
            && let Some(&(_, next)) = questions.parked.first()
        {
            self.wait(now, next, Waits::Hoping(now));
        }
    }

    /// Returns when somebody is to be asked.
    pub fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Returns whom to ask now for which messages.
    pub fn ask(
        &mut self,
        now: Duration,
        is_linked: impl Fn(BranchId) -> bool,
    ) -> Vec<(BranchId, Named)> {
        let mut asked = Vec::new();
        while let Some(&(due, print)) = self.due.first()
            && due <= now
        {
            let waits = self.next_question(now, print, &is_linked);
            if let (Waits::Asked(_, by), Some(absent)) = (waits, self.of.get(&print)) {
                asked.push((by, absent.name));
            }
            self.wait(now, print, waits);
        }
        asked
    }

    /// Returns what a message waits for next: an answer of the announcer that was asked least often
    /// among those with a free place, or a place.
    fn next_question(
        &mut self,
        now: Duration,
        print: Fingerprint,
        is_linked: impl Fn(BranchId) -> bool,
    ) -> Waits {
        let Some(absent) = self.of.get_mut(&print) else { return Waits::Nobody };
        let to = &self.to;
        let is_full =
            |by: BranchId| to.get(&by).is_some_and(|questions| questions.open >= MAX_OPEN);
        let linked = absent.announcers.iter_mut().filter(|one| is_linked(one.number));
        let Some(best) = linked.min_by_key(|one| (is_full(one.number), one.asked)) else {
            return Waits::Nobody;
        };
        if is_full(best.number) {
            return Waits::Parked(best.number);
        }
        let pause = self.round_trip.wait() * (1 << best.asked.min(MOST_DOUBLED));
        best.asked.tally(1);
        absent.asked_at = now;
        Waits::Asked(now.saturating_add(pause), best.number)
    }

    /// Asks at once for everything that nobody is asked for, now that a peer has left.
    pub fn hurry(&mut self, now: Duration) {
        let hopes = |(print, absent): (&Fingerprint, &Absent)| {
            matches!(absent.waits, Waits::Hoping(_)).then_some(*print)
        };
        let hoping: Vec<Fingerprint> = self.of.iter().filter_map(hopes).collect();
        hoping.into_iter().for_each(|print| self.wait(now, print, Waits::Hoping(now)));
    }

    /// Ends the questions to a peer that has left: others are asked.
    pub fn left(&mut self, now: Duration, number: BranchId) {
        if self.to.remove(&number).is_none() {
            return;
        }
        let concerns = |absent: &Absent| match absent.waits {
            Waits::Asked(_, by) | Waits::Parked(by) => by == number,
            Waits::Hoping(_) | Waits::Nobody => false,
        };
        let of = self.of.iter().filter(|(_, absent)| concerns(absent));
        let prints: Vec<Fingerprint> = of.map(|(print, _)| *print).collect();
        prints.into_iter().for_each(|print| self.wait(now, print, Waits::Hoping(now)));
    }

    /// Returns whether this peer was asked for the message.
    pub fn is_asked(&self, print: Fingerprint, peer: BranchId) -> bool {
        let is_asked = |one: &Announcer| one.number == peer && one.asked > 0;
        self.of.get(&print).is_some_and(|absent| absent.announcers.iter().any(is_asked))
    }

    /// Notes that a message came, and how long that took. Returns who has announced it.
    pub fn found(
        &mut self,
        now: Duration,
        print: Fingerprint,
        from: Option<BranchId>,
    ) -> Vec<BranchId> {
        let is_answer = from.is_some_and(|from| self.is_asked(print, from));
        let Some(absent) = self.of.remove(&print) else { return Vec::new() };
        self.waited(now, print, absent.since, absent.waits, None);
        if is_answer {
            self.round_trip.note(now.saturating_sub(absent.asked_at));
        } else {
            self.lag.note(now.saturating_sub(absent.since));
        }
        let announcers: Vec<BranchId> = absent.announcers.iter().map(|one| one.number).collect();
        if matches!(absent.waits, Waits::Hoping(_)) {
            announcers.iter().for_each(|by| self.fill_place(now, *by));
        }
        announcers
    }

    /// Forgets messages that no node would send or accept any more.
    pub fn expire(&mut self, now: Duration) {
        let old = |(print, absent): (&Fingerprint, &Absent)| {
            (absent.since.saturating_add(KEEP) <= now).then_some(*print)
        };
        let old: Vec<Fingerprint> = self.of.iter().filter_map(old).collect();
        for print in old {
            self.wait(now, print, Waits::Nobody);
            let absent = self.of.remove(&print);
            let announcers = absent.into_iter().flat_map(|absent| absent.announcers);
            announcers.for_each(|one| self.fill_place(now, one.number));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Returns how many announcers of a message are noted.
    #[cfg(test)]
    pub fn noted(&self, print: Fingerprint) -> usize {
        self.of.get(&print).map_or(0, |absent| absent.announcers.len())
    }

    /// Returns whether somebody is asked for this message, or will be.
    #[cfg(feature = "sim")]
    pub fn may_ask_for(&self, print: Fingerprint) -> bool {
        self.of.get(&print).is_some_and(|absent| absent.waits != Waits::Nobody)
    }
}
