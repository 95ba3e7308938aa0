//! The promises about what became of every message, checked against the ledger and against the
//! nodes' own counters.

use super::process::Process;
use super::world::World;
use crate::stats::{Refusal, Stats};

/// Why a node may turn down what another one sent: it was late, it came back, or nobody knew its way.
const GOOD_REASONS: [Refusal; 7] = [
    Refusal::Echo,
    Refusal::TooOld,
    Refusal::TooFarAhead,
    Refusal::Evicted,
    Refusal::Late,
    Refusal::SecondLink,
    Refusal::NoRoute,
];

impl World {
    /// Checks that the ledger has seen everything that a node has delivered. The ledger itself
    /// notes a message that is delivered twice, or to its sender.
    pub(super) fn at_most_once_to_the_application(&self) -> Result<(), String> {
        for (pid, process) in self.processes.iter().enumerate() {
            let (counted, known) = (process.node.counters().delivered, process.delivered);
            if counted != known {
                return Err(format!("process {pid} delivered {counted}, the ledger has {known}"));
            }
        }
        Ok(())
    }

    /// Checks every message of which no copy is on its way. A node that has a message owes it to
    /// each linked peer. Each owed copy must have arrived, been counted as lost, or been refused
    /// for a good reason. So the message reached all nodes that stayed connected to its origin,
    /// over any number of hops.
    pub(super) fn at_least_once_to_every_node_that_stays_connected_to_the_origin(
        &self,
    ) -> Result<(), String> {
        let ledger = &self.shared.ledger;
        for (number, sending) in ledger.sendings.iter().enumerate() {
            if !sending.owed.is_empty()
                && !sending.is_travelling()
                && let Some(what) = self.broken_debt(number)
            {
                return Err(what);
            }
        }
        Ok(())
    }

    /// Checks that every frame that a node put on a link arrived, was counted as lost, or is on its
    /// way, and that every node's own counters say the same.
    pub(super) fn what_was_sent_was_delivered_or_is_counted(&self) -> Result<(), String> {
        let (frames, copies) = (&self.shared.ledger.frames, &self.shared.ledger.copies);
        let on_the_way = self.frames_on_the_way();
        if frames.in_flight() != Some(on_the_way) || copies.in_flight().is_none() {
            return Err(format!("{on_the_way} frames on their way; {frames:?}; {copies:?}"));
        }
        let mut received = 0;
        for (pid, process) in self.processes.iter().enumerate() {
            let stats = process.stats();
            received += stats.received;
            if let Some(law) = broken_law(process, &stats) {
                return Err(format!("{law} of process {pid} do not add up:\n{stats}"));
            }
        }
        if received != frames.arrived {
            return Err(format!("{} frames arrived, the nodes counted {received}", frames.arrived));
        }
        Ok(())
    }

    /// Checks that no node refused a frame as unsound: nodes made all of them. Whether a frame was
    /// late, or came back, is checked when it is refused.
    pub(super) fn nobody_turns_down_what_is_sound(&self) -> Result<(), String> {
        for (pid, process) in self.processes.iter().enumerate() {
            let stats = process.node.counters();
            let is_bad = |why: &Refusal| !GOOD_REASONS.contains(why) && stats.refused_for(*why) > 0;
            if let Some(why) = Refusal::ALL.iter().copied().find(is_bad) {
                return Err(format!("process {pid} turned down a frame: {why}"));
            }
        }
        Ok(())
    }

    /// Counts the frames where they are: in outboxes, half written, in pipes, in channels.
    fn frames_on_the_way(&self) -> u64 {
        let pipes = self.sockets.conns().flat_map(|(_, conn)| &conn.pipes);
        let mut frames: usize = pipes.map(|pipe| pipe.tags.len()).sum();
        for process in &self.processes {
            let links = process.links.values();
            frames +=
                links.map(|link| link.mailbox.outgoing.len() + link.writing.len()).sum::<usize>();
            frames += process.undecided().count();
        }
        frames as u64
    }

    /// Returns what was lost in any way, in words; `None` if nothing was.
    pub(super) fn losses_in_words(&self) -> Option<String> {
        let ledger = &self.shared.ledger;
        let stats: Vec<Stats> = self.processes.iter().map(Process::stats).collect();
        let count = |of: &dyn Fn(&Stats) -> u64| -> u64 { stats.iter().map(of).sum() };
        let losses = [
            (ledger.copies.lost(), "copies lost"),
            (ledger.given_up, "messages never sent"),
            (count(&|stats| stats.dropped), "dropped by full queues"),
        ];
        let losses = losses.into_iter().map(|(count, what)| (count, what.to_owned()));
        let refused = Refusal::ALL.iter().map(|&why| {
            (count(&|stats| stats.refused_for(why)), format!("frames turned down: {why}"))
        });
        let losses = losses.chain(refused).filter(|(count, _)| *count > 0);
        let words: Vec<String> = losses.map(|(count, what)| format!("{count} {what}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// Returns which of the sums that `Stats` documents is wrong, if one is.
fn broken_law(process: &Process, stats: &Stats) -> Option<&'static str> {
    let fates = stats.delivered + stats.relayed_only + stats.control + stats.duplicates;
    let handed_on = stats.handled + stats.ignored + stats.queued + process.in_hand() as u64;
    let put = stats.own_frames + stats.relay_frames + stats.control_frames;
    let laws = [
        ("the frames received", stats.received == fates + stats.refused()),
        ("the messages delivered", stats.delivered == handed_on),
        ("the messages queued", stats.queued == stats.taken + stats.dropped + stats.waiting),
        ("the frames put on links", put == process.put),
    ];
    laws.into_iter().find(|(_, holds)| !holds).map(|(law, _)| law)
}
