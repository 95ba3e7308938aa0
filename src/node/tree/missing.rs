//! Messages that were announced and have not come: whom to ask for each, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smallvec::SmallVec;

use super::bodies::KEEP;
use super::{BranchId, Fingerprint, Lag};
use crate::wire::Named;

/// Most messages that are waited for. What is announced beyond is asked for at once.
pub(crate) const MAX_MISSING: usize = 16_384;
/// Most messages that are asked for at one time.
const MOST_ASKED: usize = 256;

#[derive(Debug)]
struct Absent {
    name: Named,
    since: Duration,
    /// Who has it, the first to announce it first; and how many of them were asked.
    announcers: SmallVec<[BranchId; 4]>,
    tried: usize,
    asked_at: Duration,
    /// When the next one is asked; `None` if all were.
    due: Option<Duration>,
}

#[derive(Debug, Default)]
pub(crate) struct Missing {
    of: BTreeMap<Fingerprint, Absent>,
    due: BTreeSet<(Duration, Fingerprint)>,
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
    ) -> bool {
        if let Some(absent) = self.of.get_mut(&print) {
            if !absent.announcers.contains(&by) {
                absent.announcers.push(by);
                // All others were asked.
                let due = absent.asked_at + self.round_trip.wait();
                absent.due.is_none().then(|| self.set_due(print, Some(due.max(now))));
            }
            return true;
        }
        if self.of.len() >= MAX_MISSING {
            return false;
        }
        let announcers = SmallVec::from_slice(&[by]);
        let absent = Absent { name, since: now, announcers, tried: 0, asked_at: now, due: None };
        self.of.insert(print, absent);
        let pause = if wait { self.lag.wait() } else { Duration::ZERO };
        self.set_due(print, Some(now + pause));
        true
    }

    fn set_due(&mut self, print: Fingerprint, due: Option<Duration>) {
        let Some(absent) = self.of.get_mut(&print) else { return };
        if let Some(before) = std::mem::replace(&mut absent.due, due) {
            self.due.remove(&(before, print));
        }
        self.due.extend(due.map(|due| (due, print)));
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
        while asked.len() < MOST_ASKED
            && let Some(&(due, print)) = self.due.first()
            && due <= now
        {
            self.set_due(print, None);
            let Some(absent) = self.of.get_mut(&print) else { continue };
            let rest = absent.announcers.iter().enumerate().skip(absent.tried);
            let Some((at, &announcer)) = rest.into_iter().find(|(_, by)| is_linked(**by)) else {
                absent.tried = absent.announcers.len();
                continue;
            };
            (absent.tried, absent.asked_at) = (at + 1, now);
            asked.push((announcer, absent.name));
            if absent.tried < absent.announcers.len() {
                let due = now + self.round_trip.wait();
                self.set_due(print, Some(due));
            }
        }
        asked
    }

    /// Asks at once for everything that somebody is still to be asked for.
    pub fn hurry(&mut self, now: Duration) {
        let later: Vec<Fingerprint> = self.due.iter().map(|(_, print)| *print).collect();
        later.into_iter().for_each(|print| self.set_due(print, Some(now)));
    }

    /// Returns whether this peer was asked for the message.
    pub fn is_asked(&self, print: Fingerprint, peer: BranchId) -> bool {
        let asked = |absent: &Absent| absent.announcers[..absent.tried].contains(&peer);
        self.of.get(&print).is_some_and(asked)
    }

    /// Notes that a message came, and how long that took. Returns who has announced it.
    pub fn found(&mut self, now: Duration, print: Fingerprint, from: BranchId) -> Vec<BranchId> {
        let is_answer = self.is_asked(print, from);
        self.set_due(print, None);
        let Some(absent) = self.of.remove(&print) else { return Vec::new() };
        if is_answer {
            self.round_trip.note(now.saturating_sub(absent.asked_at));
        } else {
            self.lag.note(now.saturating_sub(absent.since));
        }
        absent.announcers.into_vec()
    }

    /// Forgets messages that no node would send or accept any more.
    pub fn expire(&mut self, now: Duration) {
        let due = &mut self.due;
        self.of.retain(|print, absent| {
            let keep = absent.since + KEEP > now;
            if let Some(at) = absent.due.filter(|_| !keep) {
                due.remove(&(at, *print));
            }
            keep
        });
    }

    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Returns whether somebody will still be asked for this message.
    #[cfg(feature = "sim")]
    pub fn may_ask_for(&self, print: Fingerprint) -> bool {
        self.of.get(&print).is_some_and(|absent| absent.due.is_some())
    }
}
