//! A report on a world, in numbers.

use std::time::Duration;

use super::ledger::{CopyLoss, Sending};
use super::world::World;
use crate::stats::Stats;

/// What happened in a [`World`], in numbers.
///
/// ```
/// # use rs2p::sim::World;
/// # use std::time::Duration;
/// # let mut world = World::new(42).nodes(5);
/// # world.run_for(Duration::from_secs(10));
/// world.send(0, "hello")?;
/// world.run_for(Duration::from_secs(5));
/// let report = world.report();
/// assert_eq!((report.broadcasts, report.deliveries), (1, 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The seed that decided it.
    pub seed: u64,
    /// Machines, up or down.
    pub nodes: usize,
    /// Virtual time that passed.
    pub lasted: Duration,
    /// Peers in a routing table, on average.
    pub degree: f64,
    /// Broadcasts sent.
    pub broadcasts: u64,
    /// Times that a node got a broadcast of another one.
    pub deliveries: u64,
    /// The part of the nodes, up from the sending to the end, that got a broadcast.
    pub coverage: f64,
    /// Broadcasts that got to all of these.
    pub complete: u64,
    /// Links that a broadcast took to a node, on average.
    pub hops: f64,
    /// Links that a broadcast took to a node, at most.
    pub most_hops: u32,
    /// Copies of broadcasts that arrived, per delivery.
    pub redundancy: f64,
    /// How long complete broadcasts took to get to all nodes, at most, for half of them.
    pub full_coverage_p50: Duration,
    /// How long complete broadcasts took to get to all nodes, at most, for 99 of 100.
    pub full_coverage_p99: Duration,
    /// Bytes written by a machine, on average, whichever processes ran on it.
    pub bytes_per_node: f64,
    /// Ids that nodes announced, one for each peer.
    pub announced: u64,
    /// Messages that nodes asked for.
    pub asked: u64,
    /// Links that nodes made eager.
    pub grafted: u64,
    /// Links that nodes made lazy.
    pub pruned: u64,
    /// Peers that are sent large messages at once, on average.
    pub eager_peers: f64,
    /// Copies that were put on links and lost, with why.
    pub losses: Vec<(String, u64)>,
    /// Messages that a node turned down when they arrived, with why.
    pub refusals: Vec<(String, u64)>,
    /// Messages that waited too long for room, or for a way to their receiver.
    pub given_up: u64,
    /// Messages that a full queue dropped.
    pub dropped: u64,
    /// Times that a peer got linked.
    pub joined: u64,
    /// Times that a peer was lost, with why.
    pub left: Vec<(String, u64)>,
    /// Times that a node had to wait because its application's queue was full.
    pub full_queues: u64,
    /// Events that the simulator dealt with.
    pub events: u64,
    /// Real time that the simulator took.
    pub took: Duration,
}

impl World {
    /// Returns what happened so far, in numbers.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// println!("{}", world.report());
    /// ```
    #[must_use]
    pub fn report(&self) -> Report {
        let ledger = &self.shared.ledger;
        let broadcasts: Vec<&Sending> =
            ledger.sendings.iter().skip(self.counted_from.sendings).collect();
        let broadcasts: Vec<&Sending> =
            broadcasts.into_iter().filter(|sending| sending.is_broadcast()).collect();
        let arrivals = |sending: &Sending| sending.accepted.len() as u64 - 1;
        let deliveries: u64 = broadcasts.iter().map(|sending| arrivals(sending)).sum();
        let copies: u64 = broadcasts.iter().map(|sending| sending.copies).sum();
        let hops = broadcasts.iter().flat_map(|sending| sending.accepted.values());
        let hops: Vec<u32> = hops.map(|arrival| arrival.hops).collect();
        let covers: Vec<Cover> = broadcasts.iter().map(|sending| self.cover(sending)).collect();
        let mut full: Vec<Duration> = covers.iter().filter_map(|cover| cover.full_after).collect();
        full.sort_unstable();
        let (got, of) = covers.iter().fold((0, 0), |sum, at| (sum.0 + at.got, sum.1 + at.of));
        let up: Vec<usize> = (0..self.len()).filter(|&node| self.is_up(node)).collect();
        let rows: usize = up.iter().map(|&node| self.peers(node).len()).sum();
        let written = self.bytes_written() - self.counted_from.bytes;
        let stats = |of: fn(&Stats) -> u64| -> u64 {
            self.processes.iter().map(|process| of(&process.node.stats())).sum()
        };
        Report {
            seed: self.seed,
            nodes: self.len(),
            lasted: self.now(),
            degree: ratio(rows as u64, up.len() as u64),
            broadcasts: broadcasts.len() as u64,
            deliveries,
            coverage: ratio(got, of),
            complete: full.len() as u64,
            hops: ratio(hops.iter().map(|&hops| u64::from(hops)).sum(), deliveries),
            most_hops: hops.into_iter().max().unwrap_or(0),
            redundancy: ratio(copies, deliveries),
            full_coverage_p50: percentile(&full, 50),
            full_coverage_p99: percentile(&full, 99),
            bytes_per_node: ratio(written, self.len() as u64),
            announced: stats(|stats| stats.announced),
            asked: stats(|stats| stats.asked),
            grafted: stats(|stats| stats.grafted),
            pruned: stats(|stats| stats.pruned),
            eager_peers: ratio(stats(|stats| stats.eager_peers), self.len() as u64),
            losses: self.losses(),
            refusals: ledger
                .refusals
                .iter()
                .map(|(why, count)| (why.to_string(), *count))
                .collect(),
            given_up: ledger.given_up,
            dropped: self.processes.iter().map(|process| process.application.dropped).sum(),
            joined: self.joined,
            left: self.left.clone().into_iter().collect(),
            full_queues: self.processes.iter().map(|process| process.application.waits).sum(),
            events: self.shared.schedule.passed(),
            took: self.took,
        }
    }

    /// Leaves the broadcasts and the bytes so far out of the reports to come.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.count_from_now();
    /// assert_eq!(world.report().bytes_per_node, 0.0);
    /// ```
    pub fn count_from_now(&mut self) {
        let (sendings, bytes) = (self.shared.ledger.sendings.len(), self.bytes_written());
        self.counted_from = CountedFrom { sendings, bytes };
    }

    fn bytes_written(&self) -> u64 {
        self.processes.iter().map(|process| process.bytes_out).sum()
    }

    /// Broadcasts that have not got to every node that has been up since they were sent.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// assert_eq!(World::new(42).nodes(5).incomplete(), 0);
    /// ```
    #[must_use]
    pub fn incomplete(&self) -> usize {
        let sendings = self.shared.ledger.sendings.iter().filter(|sending| sending.is_broadcast());
        sendings.filter(|sending| self.cover(sending).full_after.is_none()).count()
    }

    fn cover(&self, sending: &Sending) -> Cover {
        let mut cover = Cover { got: 0, of: 0, full_after: None };
        let mut last = sending.at;
        for pid in self.machines.iter().filter_map(|machine| machine.process) {
            if pid == sending.origin || self.processes[pid].born > sending.at {
                continue;
            }
            cover.of += 1;
            if let Some(arrival) = sending.accepted.get(&pid) {
                cover.got += 1;
                last = last.max(arrival.at);
            }
        }
        cover.full_after = (cover.got == cover.of).then(|| last - sending.at);
        cover
    }

    fn losses(&self) -> Vec<(String, u64)> {
        let lost = &self.shared.ledger.copies.lost;
        let losses = CopyLoss::ALL.iter().map(|why| (why.to_string(), lost[*why as usize]));
        losses.filter(|(_, count)| *count > 0).collect()
    }
}

/// What the reports leave out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CountedFrom {
    sendings: usize,
    bytes: u64,
}

/// Whom a broadcast got to, of all whom it could have got to.
struct Cover {
    got: u64,
    of: u64,
    full_after: Option<Duration>,
}

fn ratio(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_values() {
        let values: Vec<Duration> = (1..=100).map(Duration::from_secs).collect();
        assert_eq!(percentile(&values, 50), Duration::from_secs(50));
        assert_eq!(percentile(&values, 99), Duration::from_secs(99));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
