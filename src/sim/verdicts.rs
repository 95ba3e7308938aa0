//! What a node did with a copy of a user's message: took it, had it already, or refused it, and
//! why.

use super::checks::SOUND;
use super::debts::Debt;
use super::ledger::{Audience, Tag};
use super::schedule::ProcessId;
use super::world::World;
use crate::node::LinkId;
use crate::stats::{Refusal, Stats};

impl World {
    /// Returns why a node has turned down what it was just handed, if it has.
    pub(super) fn turned_down(&self, pid: ProcessId, before: &Stats) -> Option<Refusal> {
        let after = self.processes[pid].node.counters();
        let mut reasons = Refusal::ALL.iter().copied();
        reasons.find(|why| after.refused_for(*why) > before.refused_for(*why))
    }

    /// Notes what the node did with a user's message: took it, had it already, or refused it.
    pub(super) fn account(
        &mut self,
        pid: ProcessId,
        (from, link): (ProcessId, LinkId),
        tag: Tag,
        why: Option<Refusal>,
        is_delivered: bool,
    ) {
        let Some(number) = tag else { return };
        let now = self.shared.schedule.now();
        if is_delivered {
            self.processes[pid].delivered += 1;
            self.shared.ledger.delivered(number, pid, from, now);
            self.is_meant_for(pid, number);
            if self.shared.ledger.sendings[number].is_broadcast() {
                self.owe(number, pid);
            }
        } else if let Some(why) = why {
            if self.may_turn_down(pid, link, number, why) {
                self.shared.ledger.refused(number, from, pid, why);
            } else {
                let what = format!("process {pid} turned down message {number} of {from}'s: {why}");
                self.shared.ledger.breaks(SOUND, what);
            }
        } else if self.is_on_its_way(pid, number) {
            // Passed on; to the ledger it counts as one who had it.
            self.shared.ledger.passed_on(number, pid, from, now);
        } else if !self.shared.ledger.sendings[number].accepted.contains_key(&pid) {
            let what = format!("process {pid} took message {number} for a duplicate");
            self.shared.ledger.breaks(SOUND, what);
        }
    }

    /// Returns whether a message to one node is in another one, which can only pass it on.
    fn is_on_its_way(&self, pid: ProcessId, number: usize) -> bool {
        let audience = self.shared.ledger.sendings[number].audience;
        matches!(audience, Audience::One(id) if id != self.processes[pid].id)
    }

    fn is_meant_for(&mut self, pid: ProcessId, number: usize) {
        let audience = self.shared.ledger.sendings[number].audience;
        if matches!(audience, Audience::One(id) if id != self.processes[pid].id) {
            let what = format!("process {pid} was given message {number}, which is for another");
            self.shared.ledger.breaks("what is for one node gets to nobody else", what);
        }
    }

    /// Returns whether a node may turn down a user's message for this reason, as the world knows
    /// its clock, its past and its links.
    fn may_turn_down(&self, pid: ProcessId, link: LinkId, number: usize, why: Refusal) -> bool {
        let (process, config) = (&self.processes[pid], &self.config);
        let sending = &self.shared.ledger.sendings[number];
        let (date, second) = (sending.date, self.clock(pid).second());
        match why {
            Refusal::Echo => sending.origin == pid,
            Refusal::TooOld => date + config.max_age.as_secs() <= second,
            Refusal::TooFarAhead => date > second + config.max_ahead.as_secs(),
            Refusal::NoRoute => self.is_on_its_way(pid, number),
            Refusal::Evicted => process.marks.seen.most() >= config.seen_ids,
            // It has ended, or its thread has been told to end it.
            Refusal::Late | Refusal::SecondLink => process
                .links
                .get(&link)
                .is_none_or(|link| link.mailbox.outgoing.is_sealed() || link.mailbox.has_orders()),
            _ => false,
        }
    }

    /// Notes that every process that is linked to one that has a message must get it.
    pub(super) fn owe(&mut self, number: usize, pid: ProcessId) {
        let rows = self.rows(pid);
        self.shared.ledger.owe(number, rows);
    }

    /// Returns a process with each one that it is linked to, if accounts are kept.
    pub(super) fn rows(&self, pid: ProcessId) -> Vec<Debt> {
        if !self.keeps_accounts {
            return Vec::new();
        }
        let rows = self.processes[pid].node.peers().map(|(_, link, _)| link);
        rows.filter_map(|link| Some(Debt { from: pid, to: self.peer(pid, link)?, link })).collect()
    }
}
