//! What a node made of a copy of a user's message: took it, had it, or turned it down, and why.

use std::time::Duration;

use super::ledger::Tag;
use super::schedule::ProcessId;
use super::world::World;
use crate::config::Config;
use crate::stats::{Refusal, Stats};

/// Seconds by which dates are rounded, or moved so that equal messages differ.
const ROUNDING: Duration = Duration::from_secs(2);

impl World {
    /// Notes what became of a copy that a node has dealt with; `before` are its counters from
    /// before that.
    pub(super) fn account(
        &mut self,
        pid: ProcessId,
        from: ProcessId,
        tag: Tag,
        is_delivered: bool,
        before: &Stats,
    ) {
        let Some(number) = tag else { return };
        let now = self.ground.schedule.now();
        if is_delivered {
            self.ground.ledger.delivered(number, pid, from, now);
            if self.ground.ledger.sendings[number].is_broadcast {
                self.owe(number, pid);
            }
        } else if !self.ground.ledger.sendings[number].accepted.contains_key(&pid) {
            let refusal = refused_since(before, &self.processes[pid].node.stats());
            self.refused(pid, from, number, refusal);
        }
    }

    /// A node turned down what it never had. That is for a good reason, or a promise is broken.
    fn refused(
        &mut self,
        pid: ProcessId,
        from: ProcessId,
        number: usize,
        refusal: Option<Refusal>,
    ) {
        if refusal.is_some_and(|refusal| self.is_justified(pid, number, refusal)) {
            self.ground.ledger.sendings[number].refused.push((from, pid));
            return;
        }
        let why = refusal.map_or("taken for a duplicate", Refusal::as_str);
        let what = format!("message {number} was turned down by process {pid}: {why}");
        self.ground.ledger.breaks("no message is turned down without a good reason", what);
    }

    fn is_justified(&self, pid: ProcessId, number: usize, refusal: Refusal) -> bool {
        let sending = &self.ground.ledger.sendings[number];
        let skew = |pid: ProcessId| self.machines[self.processes[pid].machine].skew;
        match refusal {
            Refusal::Late => true,
            // More seconds than usual fit into the memory of a node, unless that is small.
            Refusal::Evicted => self.config.seen_ids < Config::default().seen_ids,
            Refusal::TooOld => {
                let age = self.now().saturating_sub(sending.at).as_millis() as i64;
                let age = age + skew(pid) - skew(sending.origin);
                age + ROUNDING.as_millis() as i64 >= self.config.max_age.as_millis() as i64
            }
            _ => false,
        }
    }

    /// A copy was dropped as a duplicate before the node saw it.
    pub(super) fn account_duplicate(&mut self, pid: ProcessId, from: ProcessId, tag: Tag) {
        let Some(number) = tag else { return };
        if !self.ground.ledger.sendings[number].accepted.contains_key(&pid) {
            self.refused(pid, from, number, None);
        }
    }

    /// Everybody linked to whoever has a message has to get it.
    pub(super) fn owe(&mut self, number: usize, pid: ProcessId) {
        if !self.keeps_accounts {
            return;
        }
        let rows = self.processes[pid].node.peers().filter_map(|(_, link, _)| self.peer(pid, link));
        let owed: Vec<_> = rows.map(|to| (pid, to)).collect();
        self.ground.ledger.sendings[number].owed.extend(owed);
    }
}

/// For which reason a frame was turned down between these.
fn refused_since(before: &Stats, after: &Stats) -> Option<Refusal> {
    Refusal::ALL
        .into_iter()
        .find(|&refusal| after.refused_for(refusal) > before.refused_for(refusal))
}
