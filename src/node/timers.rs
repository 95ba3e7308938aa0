//! Deadlines as data: what is due when.

use std::collections::BTreeSet;
use std::time::Duration;

use super::event::{LinkId, TicketId};

/// What can be due. A timer whose reason is gone is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The time for the handshake of a link is up, or the share of one of its addresses.
    Handshake(LinkId),
    /// A peer that has sent no peers list is taken to have acknowledged our handshake.
    Acknowledge(LinkId),
    /// Our handshake was held back from a py2p node for as long as it may be.
    Answer(LinkId),
    /// The first of two links to an rs2p node was probed long enough ago.
    Choice(LinkId),
    /// The time of a reply to one node is up.
    Request(TicketId),
    /// The receipt of a reply was awaited long enough: another path is tried.
    Seek(TicketId),
    /// A dial that the other side ended is repeated.
    Retry(u64),
    /// An address may be dialled again.
    Redial,
    /// Peers are asked for more peers.
    AskPeers,
    /// Announcements were collected for long enough.
    Announce,
    /// An announced message did not come.
    Ask,
    /// Something about the members of the mesh is due, see `presence.rs`.
    Members,
    /// Old message ids are removed.
    Sweep,
}

#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Duration, Timer)>);

impl Timers {
    pub fn set(&mut self, at: Duration, timer: Timer) {
        self.0.insert((at, timer));
    }

    /// Takes the next timer that is due.
    pub fn take_due(&mut self, now: Duration) -> Option<Timer> {
        let &(at, timer) = self.0.first()?;
        if at > now {
            return None;
        }
        self.0.pop_first();
        Some(timer)
    }

    pub fn next(&self) -> Option<Duration> {
        self.0.first().map(|&(at, _)| at)
    }
}
