//! The promises, each a function whose name is the sentence.

use std::collections::BTreeSet;
use std::time::Duration;

use super::ledger::Sending;
use super::process::Peak;
use super::schedule::ProcessId;
use super::tcp::{Conn, End, EndState};
use super::world::World;
use crate::runtime::reading::TURN;
use crate::runtime::start::BATCHES_PER_LINK;

/// What is wrong, if something is.
pub(super) type Kept = Result<(), String>;

/// Two nodes that have two links have chosen one, and drained the other one, after this time.
const SETTLES: Duration = Duration::from_secs(6);

impl World {
    /// The ledger notes a second delivery when it happens. Here: the nodes' own counters have no
    /// fewer deliveries than it.
    pub(super) fn at_most_once_to_the_application(&self) -> Kept {
        for (pid, process) in self.processes.iter().enumerate() {
            let took =
                |sending: &&Sending| sending.origin != pid && sending.accepted.contains_key(&pid);
            let known = self.ground.ledger.sendings.iter().filter(took).count() as u64;
            // What was sent to one node is not in the ledger.
            let delivered = process.node.stats().delivered;
            if delivered < known {
                return Err(format!("process {pid} delivered {delivered}, the ledger has {known}"));
            }
        }
        Ok(())
    }

    /// Who had a message owed it to everybody it was linked to. Once no copy of it travels any more,
    /// each of those has it, or turned this copy down for a good reason and counted that, or the
    /// copy is among the counted losses. So it reached all who stayed connected to its origin, over
    /// however many hops.
    pub(super) fn at_least_once_to_every_node_that_stays_connected_to_the_origin(&self) -> Kept {
        let sendings = self.ground.ledger.sendings.iter().enumerate();
        for (number, sending) in sendings.filter(|(_, sending)| sending.travelling == 0) {
            for &(from, to) in &sending.owed {
                if !sending.is_settled_between(from, to) {
                    return Err(format!(
                        "process {from} was linked to process {to} and had message {number} of \
                         process {}, sent at {:?}; {to} never got it, and nothing was lost",
                        sending.origin, sending.at
                    ));
                }
            }
        }
        Ok(())
    }

    /// Every frame that a node put on a link arrived, was lost and counted, or is on its way; and
    /// every node's own counters add up.
    pub(super) fn what_was_sent_was_delivered_or_is_counted(&self) -> Kept {
        let frames = &self.ground.ledger.frames;
        let on_the_way = self.frames_on_the_way();
        let told = self.processes.iter().map(|process| process.node.stats());
        let told = told.map(|stats| stats.own_frames + stats.relay_frames + stats.control_frames);
        let (told, extra) = (told.sum::<u64>(), self.ground.ledger.extra);
        if told + extra != frames.put {
            let put = frames.put;
            return Err(format!("{put} frames put on links, {extra} by links, {told} by nodes"));
        }
        if frames.put != frames.arrived + frames.lost() + on_the_way {
            return Err(format!(
                "{} frames put on links, {} arrived, {} lost, {on_the_way} on their way",
                frames.put,
                frames.arrived,
                frames.lost()
            ));
        }
        let mut received = 0;
        for (pid, process) in self.processes.iter().enumerate() {
            let stats = process.stats();
            received += stats.received;
            let fates = stats.delivered + stats.relayed_only + stats.control + stats.duplicates;
            if stats.received != fates + stats.refused() {
                return Err(format!("the counters of process {pid} do not add up:\n{stats}"));
            }
            let ends = stats.handled + stats.ignored + stats.queued + process.in_hand();
            if process.is_alive && stats.delivered != ends {
                return Err(format!("the messages of process {pid} do not add up:\n{stats}"));
            }
            if process.is_alive && stats.queued != stats.taken + stats.dropped + stats.waiting {
                return Err(format!("the queue of process {pid} does not add up:\n{stats}"));
            }
        }
        if received != frames.arrived {
            return Err(format!("{} frames arrived, the nodes counted {received}", frames.arrived));
        }
        Ok(())
    }

    /// Counts the frames where they are: in outboxes, half written, in pipes, in channels.
    fn frames_on_the_way(&self) -> u64 {
        let pipes = self.wires.conns().flat_map(|(_, conn)| &conn.pipes);
        let mut frames: usize = pipes.map(|pipe| pipe.tags.len()).sum();
        for process in &self.processes {
            let links = process.links.values();
            frames += links.map(|link| link.outbox.len() + link.batch.len()).sum::<usize>();
            frames += process.undecided().count();
        }
        frames as u64
    }

    pub(super) fn bounds_hold(&self) -> Kept {
        let config = &self.config;
        for (pid, process) in self.processes.iter().enumerate() {
            let (peaks, application) = (&process.peaks, &process.application);
            // One frame may pass each bound, or it could never be sent or read.
            let outbound = config.outbound_limit() + config.max_frame;
            within("the outbound queue", pid, &peaks.outbound, outbound)?;
            let credit = config.link_credit + TURN + config.max_frame;
            within("the undigested input", pid, &peaks.undigested, credit)?;
            // The last batch of a link that ends does not ask for room.
            let inbox = config.max_links * (BATCHES_PER_LINK + 2);
            within("the daemon's channel", pid, &peaks.inbox, inbox)?;
            within("the table", pid, &peaks.table, config.max_links)?;
            within("strangers", pid, &peaks.strangers, config.max_handshaking)?;
            within("the user's queue", pid, &application.peak, config.queue_len.max(1))?;
            let bytes = config.queue_bytes.max(config.max_frame);
            within("the bytes in the user's queue", pid, &application.peak_bytes, bytes)?;
            let mut seen = Peak::default();
            seen.note(process.node.stats().seen_ids as usize);
            within("the seen cache", pid, &seen, config.seen_ids)?;
        }
        Ok(())
    }

    /// Links that are being made, or that give way to another one, have some seconds for it.
    pub(super) fn exactly_one_usable_link_joins_a_pair(&self) -> Kept {
        let mut pairs = BTreeSet::new();
        for (socket, conn) in self.wires.conns().filter(|(_, conn)| self.is_settled(conn)) {
            let [a, b] = [conn.ends[0].process, conn.ends[1].process];
            for (from, to, socket) in [(a, b, socket), (b, a, socket.other())] {
                if self.row(from, to) != Some(socket) {
                    return Err(format!(
                        "processes {from} and {to} have a link that is no row of {from}'s"
                    ));
                }
            }
            if !pairs.insert((a.min(b), a.max(b))) {
                return Err(format!("processes {a} and {b} are linked twice"));
            }
        }
        for (pid, process) in self.processes.iter().enumerate().filter(|(_, at)| at.is_alive) {
            for (id, link, _) in process.node.peers() {
                let socket = process.links.get(&link).and_then(|link| link.socket);
                let conn = socket.and_then(|socket| self.wires.conn(socket));
                let is_there =
                    |conn: &Conn| conn.since + SETTLES >= self.now() || self.is_settled(conn);
                if !conn.is_some_and(is_there) {
                    return Err(format!("process {pid} has a row for {id}, which is not there"));
                }
            }
        }
        Ok(())
    }

    /// Whether both processes hold it, and have had the time to agree on it. One that has died
    /// without a word is none, until both have noticed.
    fn is_settled(&self, conn: &Conn) -> bool {
        let is_open = |end: &End| end.state == EndState::Open;
        !conn.is_cut && conn.ends.iter().all(is_open) && conn.since + SETTLES < self.now()
    }

    pub(super) fn connected_again_once_the_network_allows_it(&self) -> Kept {
        match self.components() {
            0 | 1 => Ok(()),
            parts => Err(format!("the mesh is in {parts} parts at {:?}", self.now())),
        }
    }

    pub(super) fn every_program_has_its_links(&self) -> Kept {
        for (node, machine) in self.machines.iter().enumerate() {
            let Some(pid) = machine.process else { continue };
            for &target in &machine.targets {
                let peer = self.machines[target].process;
                if peer.is_some_and(|peer| !self.are_linked(pid, peer)) {
                    return Err(format!("node {node} was told to connect to {target} and is not"));
                }
            }
        }
        Ok(())
    }
}

fn within(what: &str, pid: ProcessId, peak: &Peak, bound: usize) -> Kept {
    match peak.most() {
        most if most <= bound => Ok(()),
        most => Err(format!("{what} of process {pid}: {most} of {bound}")),
    }
}
