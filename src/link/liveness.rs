//! How a link keeps the pace of its peer, and notices one that has vanished.
//!
//! A slow peer must not be taken for one that has vanished. A peer that reports does so every half a second
//! while its program takes nothing. Of any other peer only this is known: whether its system takes bytes.

use std::time::Duration;

use super::flow::StallWatch;
use super::host::Host;
use super::machine::Machine;
use super::transport::Transport;
use crate::cause::Cause;
use crate::config::Config;
use crate::node::Event;
use crate::tally::Tally;
use crate::wire::Pacing;

/// A peer that has reported within this time has not vanished.
const FRESH: Duration = Duration::from_secs(2);

/// What shows that a peer is alive.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    /// Expires when nothing is heard of the peer.
    life: StallWatch,
    /// Expires when the peer takes nothing.
    appetite: StallWatch,
    reports: u64,
    reported_at: Option<Duration>,
    /// Senders wait for the peer.
    is_full: bool,
    /// The timeout that the system was given: without an acknowledgement in this time, it ends the
    /// connection.
    patience: Option<Option<Duration>>,
}

impl<L: PartialEq, T: Copy + Default> Machine<L, T> {
    /// Notes what the peer has taken, tells it what this node has taken, and decides whether the peer is
    /// waited for.
    pub(super) fn keep_pace(&mut self, host: &mut impl Host<L, T>) {
        if self.settings.is_none() || self.closing.is_some() {
            return;
        }
        let (link, now) = (host.link(), host.now());
        let Some(news) = host.mailbox(|mailbox| mailbox.keep_pace(now)) else {
            self.liveness.is_full = false;
            return;
        };
        host.wake_freed(news.freed);
        self.liveness.is_full = news.is_full;
        if news.has_reported {
            self.liveness.reports.tally(1);
            self.liveness.reported_at = Some(now);
        }
        if let Some(change) = news.change {
            host.tell(Event::PaceChanged { link, change });
        }
        if news.asks {
            host.tell(Event::Pace { link, word: Pacing::HowFar });
        }
        if let Some(total) = news.report {
            let room = host.room(news.frame);
            host.tell(Event::Pace { link, word: Pacing::Taken { total, room } });
        }
    }

    /// Closes the link of a peer of which nothing is heard while something waits for it, or that takes
    /// nothing at all. `sent` is the number of bytes that the system has taken since the link began.
    pub(super) fn watch_peer(&mut self, host: &mut impl Host<L, T>, is_waiting: bool, sent: u64) {
        let now = host.now();
        self.tell_system(host, now);
        let is_waiting = is_waiting || self.liveness.is_full;
        let taken = host.mailbox(|mailbox| mailbox.outgoing.pace().taken()).unwrap_or(0);
        let (patience, most) = (self.patience(host.config()), host.config().stall_py2p);
        let Liveness { life, appetite, reports, .. } = &mut self.liveness;
        let is_gone = life.is_stalled(now, is_waiting, sent.saturating_add(*reports), patience);
        let takes_nothing =
            appetite.is_stalled(now, is_waiting, sent.saturating_add(taken), most.max(patience));
        if (is_gone || takes_nothing) && self.closing.is_none() {
            self.leave_now(Cause::Stalled, now);
        }
    }

    /// Sets how long the system waits for an acknowledgement of the peer. By default it repeats bytes for a
    /// quarter of an hour, and after a partition it may stay silent for as long again as that lasted. But
    /// with a timeout it ends the connection of a slow peer as well. So it has none while the peer reports.
    fn tell_system(&mut self, host: &mut impl Host<L, T>, now: Duration) {
        let is_there = self.liveness.reported_at.is_some_and(|at| now < at.saturating_add(FRESH));
        let patience = (!is_there).then(|| self.patience(host.config()));
        if self.liveness.patience.replace(patience) != Some(patience) {
            host.port(|stream, _, _| stream.give_up_after(patience));
        }
    }

    fn patience(&self, config: &Config) -> Duration {
        let is_rs2p = self.settings.as_ref().is_some_and(|settings| settings.is_rs2p);
        if is_rs2p { config.stall } else { config.stall_py2p }
    }

    /// Returns when to check the peer again.
    pub(super) fn watch_again(
        &mut self,
        host: &mut impl Host<L, T>,
        now: Duration,
    ) -> Option<Duration> {
        let Liveness { life, appetite, reported_at, .. } = &self.liveness;
        let fresh = reported_at.map(|at| at.saturating_add(FRESH)).filter(|until| *until > now);
        let pace = match self.settings {
            Some(_) => host.mailbox(|mailbox| mailbox.pace_deadline()),
            None => None,
        };
        [life.deadline(), appetite.deadline(), fresh, pace].into_iter().flatten().min()
    }
}
