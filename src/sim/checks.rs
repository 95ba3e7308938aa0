//! The promises, each a function whose name is the sentence.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::ledger::Sending;
use super::schedule::ProcessId;
use super::tcp::{Conn, End, EndState};
use super::world::World;
use crate::runtime::reading::TURN;
use crate::runtime::start::BATCHES_PER_LINK;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The promise.
    pub promise: &'static str,
    /// What happened instead.
    pub what: String,
    /// The seed of the world in which it happened.
    pub seed: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}\n  {}\n  in the world of seed {}", self.promise, self.what, self.seed)
    }
}

impl std::error::Error for Violation {}

type Kept = Result<(), String>;
type Promise = (&'static str, fn(&World) -> Kept);

/// Two nodes that have two links have chosen one, and drained the other one, after this time.
const SETTLES: Duration = Duration::from_secs(6);

/// Kept at any time, whatever goes wrong.
const ALWAYS: [Promise; 4] = [
    ("at most once to the application", World::at_most_once_to_the_application),
    (
        "at least once to every node that stays connected to the origin",
        World::at_least_once_to_every_node_that_stays_connected_to_the_origin,
    ),
    ("sent = delivered + counted losses", World::what_was_sent_was_delivered_or_is_counted),
    ("bounds hold", World::bounds_hold),
];

/// Kept once nothing has gone wrong for a while.
const CALM: [Promise; 3] = [
    ("exactly one usable link joins a pair", World::exactly_one_usable_link_joins_a_pair),
    (
        "connected again in bounded time once the network allows it",
        World::connected_again_once_the_network_allows_it,
    ),
    ("every program is linked to whom it connects to", World::every_program_has_its_links),
];

impl World {
    /// Whether every promise is kept that can be asked for at any time: at most once to the
    /// application; at least once to every node that stays connected to the origin; sent =
    /// delivered + counted losses; bounds hold.
    ///
    /// # Errors
    ///
    /// The first one that is not.
    pub fn check(&self) -> Result<(), Violation> {
        if let Some((promise, what)) = &self.ground.ledger.broken {
            return Err(self.violation(promise, what.clone()));
        }
        self.check_all(&ALWAYS)
    }

    /// Whether, on top of [`World::check`], all is as it should be when nothing has gone wrong for
    /// a while: exactly one usable link joins a pair, all nodes are connected, every program is
    /// linked to whom it connects to.
    ///
    /// # Errors
    ///
    /// The first promise that is not kept.
    pub fn check_calm(&self) -> Result<(), Violation> {
        self.check()?;
        self.check_all(&CALM)
    }

    /// Whether a promise was broken while time passed. Then time stands still: see
    /// [`World::check`].
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.ground.ledger.broken.is_some()
    }

    /// Whether [`World::check_calm`] would find nothing but what [`World::check`] finds.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.check_all(&CALM).is_ok()
    }

    fn check_all(&self, promises: &[Promise]) -> Result<(), Violation> {
        promises.iter().try_for_each(|(promise, keeps)| {
            keeps(self).map_err(|what| self.violation(promise, what))
        })
    }

    /// Whether nothing was lost at all, as it must be where nothing goes wrong.
    ///
    /// # Errors
    ///
    /// If something was.
    pub fn check_lossless(&self) -> Result<(), Violation> {
        let lost = self.ground.ledger.copies.lost();
        let what = match (lost, self.ground.ledger.given_up) {
            (0, 0) => return Ok(()),
            (lost, given_up) => format!("{lost} copies lost, {given_up} messages never sent"),
        };
        Err(self.violation("a healthy mesh loses nothing", what))
    }

    fn violation(&self, promise: &'static str, what: String) -> Violation {
        Violation { promise, what, seed: self.seed }
    }

    /// The ledger noted a second delivery when it happened; here: nobody got its own message, and
    /// the nodes' counters agree.
    fn at_most_once_to_the_application(&self) -> Kept {
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

    /// Who had a message owed it to everybody it was linked to. Each of those got it, or turned it
    /// down and counted that, or the copy for it is among the counted losses. So it reached all
    /// who stayed connected to its origin, over however many hops.
    fn at_least_once_to_every_node_that_stays_connected_to_the_origin(&self) -> Kept {
        if self.ground.ledger.copies.in_flight() > 0 {
            return Ok(());
        }
        for (number, sending) in self.ground.ledger.sendings.iter().enumerate() {
            for &(from, to) in &sending.owed {
                let has_it = sending.accepted.contains_key(&to) || sending.refused.contains(&to);
                if !has_it && !sending.lost.contains(&(from, to)) {
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
    fn what_was_sent_was_delivered_or_is_counted(&self) -> Kept {
        let frames = &self.ground.ledger.frames;
        let on_the_way = self.frames_on_the_way();
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

    fn bounds_hold(&self) -> Kept {
        let config = &self.config;
        for (pid, process) in self.processes.iter().enumerate().filter(|(_, at)| at.is_alive) {
            for link in process.links.values() {
                // One frame may pass each bound, or it could never be sent or read.
                let limit = config.outbound_limit() + config.max_frame;
                within("the outbound queue", pid, link.peak, limit)?;
                let credit = config.link_credit + TURN + config.max_frame;
                within("the undigested input", pid, link.undigested, credit)?;
            }
            // The last batch of a link that ends does not ask for room.
            let channel = config.max_links * (BATCHES_PER_LINK + 2);
            within("the daemon's channel", pid, process.daemon.inbox.len(), channel)?;
            // Links that are ending are no longer the node's.
            within("the table", pid, process.node.peers().count(), config.max_links)?;
            within("the user's queue", pid, process.application.peak, config.queue_len.max(1))?;
            let seen = process.node.stats().seen_ids as usize;
            within("the seen cache", pid, seen, config.seen_ids)?;
        }
        Ok(())
    }

    /// Links that are being made, or that give way to another one, have some seconds for it.
    fn exactly_one_usable_link_joins_a_pair(&self) -> Kept {
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
                if conn.is_some_and(|conn| conn.since + SETTLES < self.now())
                    && !conn.is_some_and(|conn| self.is_settled(conn))
                {
                    return Err(format!("process {pid} has a row for {id}, which is not there"));
                }
            }
        }
        Ok(())
    }

    /// Whether both processes hold it, and have had the time to agree on it.
    fn is_settled(&self, conn: &Conn) -> bool {
        let is_open = |end: &End| end.state == EndState::Open;
        conn.ends.iter().all(is_open) && conn.since + SETTLES < self.now()
    }

    fn connected_again_once_the_network_allows_it(&self) -> Kept {
        match self.components() {
            0 | 1 => Ok(()),
            parts => Err(format!("the mesh is in {parts} parts at {:?}", self.now())),
        }
    }

    fn every_program_has_its_links(&self) -> Kept {
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

fn within(what: &str, pid: ProcessId, is: usize, bound: usize) -> Kept {
    if is <= bound { Ok(()) } else { Err(format!("{what} of process {pid}: {is} of {bound}")) }
}
