//! The counters as a list, and in the text format of Prometheus.

use std::fmt::Write;

use super::{Refusal, ReplyLoss, Stats};

/// One counter of [`Stats::iter`].
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// for metric in sock.stats().iter().filter(|metric| metric.is_gauge) {
///     println!("{} is {} now: {}", metric.name, metric.value, metric.help);
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, such as `received`: that of the field in [`Stats`].
    pub name: &'static str,
    /// What it counts, in one line of English.
    pub help: &'static str,
    /// Of several counters with one name: the reason that this one counts.
    pub reason: Option<&'static str>,
    /// Whether it can fall: it counts what there is now, and not what has happened so far.
    pub is_gauge: bool,
    /// The value.
    pub value: u64,
}

fn counter(name: &'static str, help: &'static str, &value: &u64) -> Metric {
    Metric { name, help, reason: None, is_gauge: false, value }
}

fn gauge(name: &'static str, help: &'static str, value: &u64) -> Metric {
    Metric { is_gauge: true, ..counter(name, help, value) }
}

impl Stats {
    /// Returns an iterator over all counters, for a metrics system of your own. Counters of one name
    /// follow each other.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// for metric in sock.stats().iter().filter(|metric| metric.value > 0) {
    ///     println!("{} {}: {}", metric.name, metric.reason.unwrap_or_default(), metric.value);
    /// }
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Metric> {
        let refused = Refusal::ALL.iter().map(|&reason| Metric {
            reason: Some(reason.as_str()),
            ..counter("refused", "Frames that were refused", &self.refused_for(reason))
        });
        let lost = ReplyLoss::ALL.iter().map(|&reason| Metric {
            reason: Some(reason.as_str()),
            ..counter(
                "replies_lost",
                "Messages to one distant node that were given up",
                &self.replies_lost_for(reason),
            )
        });
        plain(self).into_iter().chain(refused).chain(lost)
    }

    /// Returns all counters in the text format of Prometheus, version 0.0.4: what an HTTP server
    /// answers to `GET /metrics`. The names begin with `rs2p_`, and those of counters end with `_total`.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// let text = sock.stats().to_prometheus();
    /// assert!(text.contains("# TYPE rs2p_peers gauge\nrs2p_peers 0\n"));
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for metric in self.iter() {
            // Writing to a string does not fail.
            let _ = metric.write(&mut text, metric.name != last);
            last = metric.name;
        }
        text
    }
}

impl Metric {
    fn write(&self, text: &mut String, is_first: bool) -> std::fmt::Result {
        let (end, kind) = if self.is_gauge { ("", "gauge") } else { ("_total", "counter") };
        let name = format!("rs2p_{}{end}", self.name);
        if is_first {
            writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", self.help)?;
        }
        match self.reason {
            Some(reason) => writeln!(text, "{name}{{reason=\"{reason}\"}} {}", self.value),
            None => writeln!(text, "{name} {}", self.value),
        }
    }
}

/// All counters that are fields. One that is missing here does not compile.
fn plain(stats: &Stats) -> Vec<Metric> {
    let Stats {
        received,
        delivered,
        relayed_only,
        control,
        duplicates,
        answers,
        late_answers,
        handled,
        subscribed,
        ignored,
        queued,
        taken,
        dropped,
        waiting,
        sent,
        replies_taken,
        own_frames,
        relay_frames,
        control_frames,
        announced,
        asked,
        grafted,
        pruned,
        exchanged,
        unsent_frames,
        missed_frames,
        unanswered,
        missed,
        bytes_in,
        bytes_out,
        joined,
        left,
        turned_away,
        silent,
        exhausted,
        failed_dials,
        panics,
        lost_events,
        memory_used,
        memory_limit,
        seen_ids,
        peers,
        eager_peers,
        refusals: _,
        latest: _,
        reply_losses: _,
    } = stats;
    vec![
        counter("received", "Frames that arrived", received),
        counter(
            "delivered",
            "Messages handed to questions, handlers, subscriptions and the queue",
            delivered,
        ),
        counter("relayed_only", "Messages of the protocol that were only passed on", relayed_only),
        counter("control", "Messages of the protocol for this node", control),
        counter("duplicates", "Messages that had arrived before", duplicates),
        counter("answers", "Answers that a question of the program waited for", answers),
        counter(
            "late_answers",
            "Answers that the program did not take: the question was over, or they were too many for it",
            late_answers,
        ),
        counter("handled", "Messages that a handler kept", handled),
        counter("subscribed", "Messages that only subscriptions got", subscribed),
        counter("ignored", "Messages of a kind of the program that nothing wanted", ignored),
        counter("queued", "Messages put into the queue to recv", queued),
        counter("taken", "Messages of that queue that the program received", taken),
        counter(
            "dropped",
            "Messages of that queue that were dropped because the program did not receive them",
            dropped,
        ),
        gauge("waiting", "Messages that wait in that queue now", waiting),
        counter("sent", "Messages that the program sent", sent),
        counter("replies_taken", "Messages to one distant node that it has taken", replies_taken),
        counter(
            "own_frames",
            "Frames put on links: messages of this program, one per peer",
            own_frames,
        ),
        counter("relay_frames", "Frames put on links: messages of others", relay_frames),
        counter("control_frames", "Frames put on links: messages of the protocol", control_frames),
        counter("announced", "Messages announced to a peer instead of sent", announced),
        counter("asked", "Announced messages that this node asked for", asked),
        counter("grafted", "Lazy links that this node made eager to get a message", grafted),
        counter("pruned", "Eager links that this node made lazy", pruned),
        counter("exchanged", "Links exchanged for a link to another node", exchanged),
        counter(
            "unsent_frames",
            "Frames put on a link that ended before they were written",
            unsent_frames,
        ),
        counter(
            "missed_frames",
            "Frames that did not go out because their peer was left behind",
            missed_frames,
        ),
        counter(
            "unanswered",
            "Requests for addresses that were not answered because the peer asked too often",
            unanswered,
        ),
        counter(
            "missed",
            "Messages that peers say this node missed because it was left behind",
            missed,
        ),
        counter("bytes_in", "Bytes read from links", bytes_in),
        counter("bytes_out", "Bytes written to links", bytes_out),
        counter("joined", "Times that a peer joined", joined),
        counter("left", "Times that a peer was lost", left),
        counter(
            "turned_away",
            "Connections that were refused, or ended before their handshake",
            turned_away,
        ),
        counter("silent", "Connections that ended before they sent anything", silent),
        counter(
            "exhausted",
            "Times that the system had no descriptors, memory or threads left for a connection",
            exhausted,
        ),
        counter("failed_dials", "Dials in the background that failed", failed_dials),
        counter("panics", "Times that a handler panicked", panics),
        counter("lost_events", "Events that the program did not read in time", lost_events),
        gauge(
            "memory_used",
            "Bytes of large messages that arrive, or are kept for peers",
            memory_used,
        ),
        gauge("memory_limit", "The most bytes that they may take", memory_limit),
        gauge("seen_ids", "Message ids that are remembered now", seen_ids),
        gauge("peers", "Peers that are linked now", peers),
        gauge("eager_peers", "Peers that are sent large messages at once", eager_peers),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_counter_has_one_name_one_help_and_its_value() {
        let mut stats = Stats { received: 7, peers: 3, ..Stats::default() };
        stats.refuse(Refusal::TooOld);
        let metrics: Vec<Metric> = stats.iter().collect();
        let keys: BTreeSet<_> = metrics.iter().map(|it| (it.name, it.reason)).collect();
        assert_eq!(keys.len(), metrics.len(), "names are unique");
        let of = |name, reason| {
            metrics.iter().find(|it| (it.name, it.reason) == (name, reason)).map(|it| it.value)
        };
        assert_eq!(of("received", None), Some(7));
        assert_eq!(of("refused", Some("too old")), Some(1));
    }

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let text = Stats { received: 7, peers: 3, ..Stats::default() }.to_prometheus();
        assert!(text.starts_with("# HELP rs2p_received_total Frames that arrived\n# TYPE rs2p_received_total counter\nrs2p_received_total 7\n"));
        assert!(text.contains("# TYPE rs2p_peers gauge\nrs2p_peers 3\n"));
        assert_eq!(text.matches("# TYPE rs2p_refused_total counter").count(), 1);
        assert!(text.contains("rs2p_refused_total{reason=\"too old\"} 0\n"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            assert!(name.starts_with("rs2p_") && value.parse::<u64>().is_ok(), "{line}");
        }
    }
}
