//! What is computed from a report, and the report in words.

use std::fmt;

use super::report::Report;

impl Report {
    /// Times that a peer was lost.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// assert_eq!(World::new(42).nodes(5).report().lost_links(), 0);
    /// ```
    #[must_use]
    pub fn lost_links(&self) -> u64 {
        self.left.iter().map(|(_, count)| count).sum()
    }

    /// Events per second of real time.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// println!("{:.0}", World::new(42).nodes(5).report().events_per_second());
    /// ```
    #[must_use]
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Virtual seconds per second of real time.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// println!("{:.1}", World::new(42).nodes(5).report().speed());
    /// ```
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.lasted.as_secs_f64() / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { seed, nodes, lasted, degree, .. } = self;
        writeln!(
            f,
            "world       seed {seed}, {nodes} nodes, {degree:.1} peers each, {lasted:.1?}"
        )?;
        let Report { broadcasts, deliveries, complete, .. } = self;
        let percent = self.coverage * 100.0;
        writeln!(f, "broadcasts  {broadcasts}, {deliveries} deliveries")?;
        writeln!(f, "coverage    {percent:.2} %, {complete} broadcasts got to all")?;
        let (p50, p99) = (self.full_coverage_p50, self.full_coverage_p99);
        writeln!(f, "to all in   p50 {p50:.1?}, p99 {p99:.1?}")?;
        writeln!(f, "hops        {:.2} on average, {} at most", self.hops, self.most_hops)?;
        writeln!(f, "redundancy  {:.2} copies per delivery", self.redundancy)?;
        writeln!(f, "bytes       {:.0} written per node", self.bytes_per_node)?;
        if self.announced > 0 {
            let Report { announced, asked, grafted, pruned, eager_peers, .. } = self;
            writeln!(
                f,
                "lazy push   {announced} announced, {asked} asked for, {grafted} links grafted, \
                 {pruned} pruned, {eager_peers:.2} eager peers each"
            )?;
        }
        writeln!(f, "links       {} joined, {} left", self.joined, self.lost_links())?;
        for (why, count) in &self.left {
            writeln!(f, "left        {count} times: {why}")?;
        }
        for (why, count) in &self.losses {
            writeln!(f, "lost        {count} copies {why}")?;
        }
        for (why, count) in &self.refusals {
            writeln!(f, "refused     {count} copies: {why}")?;
        }
        if self.given_up + self.dropped > 0 {
            let (given_up, dropped) = (self.given_up, self.dropped);
            writeln!(f, "messages    {given_up} given up, {dropped} dropped by full queues")?;
        }
        let (events, rate, speed) = (self.events, self.events_per_second(), self.speed());
        write!(
            f,
            "simulator   {events} events in {:.2?}: {rate:.0} per second, {speed:.2} virtual \
             seconds per second",
            self.took
        )
    }
}
