//! Who has to get a message: every node that is linked to one that has it. When the last copy has come to
//! rest, each of them has it, or it is known why not. A large message may also be announced: then it is
//! looked again until the announcement has had its effect.

use std::time::Duration;

use super::ledger::AT_LEAST_ONCE;
use super::network::Sockets;
use super::process::Process;
use super::schedule::{Happening, ProcessId};
use super::tcp::{Conn, Socket};
use super::world::World;
use crate::node::LinkId;

/// How often the debts of an announced message are looked at.
const AUDIT_EVERY: Duration = Duration::from_millis(250);

/// One node had a message while it was linked to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Debt {
    pub from: ProcessId,
    pub to: ProcessId,
    /// The link, as `from` numbers it.
    pub link: LinkId,
}

/// What becomes of an unpaid debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The link ended, the message became too old, or the giver withholds it: as if a copy had been lost.
    Lapsed,
    /// The receiver may still hear of it, ask for it, or get it.
    Pending,
    Broken,
}

impl World {
    /// Looks whether those messages that have just come to rest got to everybody who was to have
    /// them. So a promise is found broken when it is, and paid debts need no room.
    pub(super) fn close_accounts(&mut self) {
        for number in self.shared.ledger.take_touched() {
            if !self.shared.ledger.sendings[number].is_travelling() {
                self.close_account(number);
            }
        }
    }

    fn close_account(&mut self, number: usize) {
        let sending = &self.shared.ledger.sendings[number];
        let unpaid: Vec<Debt> = sending.unpaid().collect();
        let verdicts: Vec<Verdict> = unpaid.iter().map(|debt| self.judge(number, debt)).collect();
        let mut open = Vec::new();
        for (debt, verdict) in unpaid.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Lapsed => {}
                Verdict::Pending => open.push(debt),
                Verdict::Broken => {
                    let what = self.shared.ledger.debt_in_words(number, &debt);
                    self.shared.ledger.breaks(AT_LEAST_ONCE, what);
                }
            }
        }
        let is_open = !open.is_empty();
        self.shared.ledger.sendings[number].owed = open;
        self.shared.ledger.sendings[number].envelope = None;
        if !is_open {
            self.shared.ledger.open.remove(&number);
        } else if self.shared.ledger.open.insert(number) {
            self.shared.schedule.after(AUDIT_EVERY, Happening::Audit { number });
        }
    }

    /// Looks at an announced message again.
    pub(super) fn audit(&mut self, number: usize) {
        if !self.shared.ledger.open.remove(&number) {
            return;
        }
        if self.shared.ledger.sendings[number].is_travelling() {
            self.shared.ledger.open.insert(number);
            self.shared.schedule.after(AUDIT_EVERY, Happening::Audit { number });
        } else {
            self.close_account(number);
        }
    }

    /// Returns a debt that can no longer be paid, in words.
    pub(super) fn broken_debt(&self, number: usize) -> Option<String> {
        let sending = &self.shared.ledger.sendings[number];
        let is_broken = |debt: &Debt| self.judge(number, debt) == Verdict::Broken;
        let debt = sending.unpaid().find(is_broken)?;
        Some(self.shared.ledger.debt_in_words(number, &debt))
    }

    fn judge(&self, number: usize, debt: &Debt) -> Verdict {
        let sending = &self.shared.ledger.sendings[number];
        let Debt { from, to, link } = *debt;
        let (giver, taker) = (&self.processes[from], &self.processes[to]);
        if self.machines[giver.machine].withholds && sending.origin != from {
            return Verdict::Lapsed;
        }
        if !sending.is_large {
            return Verdict::Broken;
        }
        let is_whole = |socket: &Socket| self.sockets.conn(*socket).is_some_and(Conn::is_whole);
        let socket = giver.links.get(&link).and_then(|link| link.socket).filter(is_whole);
        let (Some(socket), true, true) = (socket, giver.is_alive, taker.is_alive) else {
            return Verdict::Lapsed;
        };
        if giver.links.get(&link).is_some_and(|link| link.has_missed)
            || self.is_out_of_date(to, sending.date)
        {
            return Verdict::Lapsed;
        }
        let may_ask = sending
            .id
            .is_some_and(|id| taker.node.may_ask_for(&id) && giver.node.may_give(&id, &taker.id));
        let may_tell = giver.node.has_names_for(&taker.id);
        let is_stopped = self.is_stopped(giver.machine) || self.is_stopped(taker.machine);
        let is_busy = is_busy(giver) || is_busy(taker) || has_traffic(&self.sockets, socket);
        // What was on its way on a link that gave way to another one may be lost with it.
        let is_row = giver.node.link_of(&taker.id) == Some(link);
        match may_ask || may_tell || is_stopped || is_busy {
            true => Verdict::Pending,
            false if is_row => Verdict::Broken,
            false => Verdict::Lapsed,
        }
    }

    fn is_out_of_date(&self, pid: ProcessId, date: u64) -> bool {
        let (second, config) = (self.clock(pid).second(), &self.config);
        let is_evicted = self.processes[pid].marks.seen.most() >= config.seen_ids;
        let is_old = date + config.max_age.as_secs() <= second;
        is_evicted || is_old || date > second + config.max_ahead.as_secs()
    }
}

fn is_busy(process: &Process) -> bool {
    let waits = |link: &super::link::Link| {
        link.mailbox.outgoing.len() + link.writing.len() > 0 || link.held().is_some()
    };
    !process.daemon.inbox.is_empty()
        || process.daemon.in_hand.is_some()
        || process.links.values().any(|link| waits(link))
}

fn has_traffic(sockets: &Sockets, socket: Socket) -> bool {
    let pipes = sockets.conn(socket).map(|conn| &conn.pipes);
    pipes.is_some_and(|pipes| pipes.iter().any(|pipe| !pipe.tags.is_empty() || pipe.unread > 0))
}
