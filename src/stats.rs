//! All counters, and every loss by its reason.

use std::fmt;

mod metrics;
mod of_peer;
mod reasons;

pub use metrics::Metric;
pub use of_peer::PeerStats;
pub(crate) use of_peer::Received;
pub use reasons::{Refusal, ReplyLoss};

/// What this node has done so far. A snapshot, see `MeshSocket::stats`.
///
/// The counters add up: `received = delivered + relayed_only + control + duplicates + refused`,
/// `delivered = answers + late_answers + handled + subscribed + ignored + queued`, and `queued = taken + dropped + waiting`. While a node
/// is busy, some messages are delivered and not yet handled, ignored or queued.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
/// # bob.connect(alice.local_addr())?;
/// bob.send("hello")?;
/// alice.recv()?;
/// let stats = alice.stats();
/// assert_eq!((stats.taken, stats.dropped, stats.refused()), (1, 0, 0));
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames that arrived.
    pub received: u64,
    /// Of these, messages handed to the handlers and the queue.
    pub delivered: u64,
    /// Of these, messages of the protocol that were only passed on.
    pub relayed_only: u64,
    /// Of these, messages of the protocol for this node.
    pub control: u64,
    /// Of these, duplicates.
    pub duplicates: u64,
    pub(crate) refusals: [u64; Refusal::ALL.len()],
    /// The reason of the latest one, until it is counted for its peer.
    pub(crate) latest: Option<Refusal>,
    /// Answers that a question of this program waited for.
    pub answers: u64,
    /// Answers that the program did not take: its question was over, or they were too many for it.
    pub late_answers: u64,
    /// Messages that a handler kept for itself.
    pub handled: u64,
    /// Messages of a kind of the program's own that only subscriptions got.
    pub subscribed: u64,
    /// Messages of a kind of the program's own that no handler kept and no subscription wanted.
    pub ignored: u64,
    /// Messages put into the queue for `recv`.
    pub queued: u64,
    /// Of these, received by the program.
    pub taken: u64,
    /// Of these, dropped because the program did not receive them.
    pub dropped: u64,
    /// Of these, still waiting.
    pub waiting: u64,
    /// Messages sent by this program.
    pub sent: u64,
    /// Of these, messages to one node that had a ticket and were taken by it.
    pub replies_taken: u64,
    pub(crate) reply_losses: [u64; ReplyLoss::ALL.len()],
    /// Frames put on links: messages of this program, one per peer.
    pub own_frames: u64,
    /// Frames put on links: messages of others.
    pub relay_frames: u64,
    /// Frames put on links: messages of the protocol.
    pub control_frames: u64,
    /// Messages announced to a peer instead of sent, once per peer.
    pub announced: u64,
    /// Messages that peers announced, and that this node asked for because they did not come.
    pub asked: u64,
    /// Times that this node asked for a message on a lazy link, which made the link eager.
    pub grafted: u64,
    /// Times that this node made an eager link lazy, because a message came twice.
    pub pruned: u64,
    /// Links that were exchanged for a link to another node, by this node or by the peer.
    pub exchanged: u64,
    /// Frames that were put on a link and not written, because the link ended.
    pub unsent_frames: u64,
    /// Frames that were put on a link and did not go out, because its peer was left behind.
    pub missed_frames: u64,
    /// Requests for the address of a node that were not answered, because the peer asked too often or did
    /// not take the answers.
    pub unanswered: u64,
    /// Messages that peers say this node missed, because it was left behind.
    pub missed: u64,
    /// Bytes read from links.
    pub bytes_in: u64,
    /// Bytes written to links.
    pub bytes_out: u64,
    /// Times that a peer joined.
    pub joined: u64,
    /// Times a peer was lost.
    pub left: u64,
    /// Connections that were refused, or ended before their handshake.
    pub turned_away: u64,
    /// Of these, connections that ended before they sent anything: health checks, for instance.
    pub silent: u64,
    /// Times that the system had no descriptors, no memory or no threads left for a connection.
    pub exhausted: u64,
    /// Dials in the background that failed.
    pub failed_dials: u64,
    /// Times that a handler panicked.
    pub panics: u64,
    /// Events that the program did not read in time.
    pub lost_events: u64,
    /// Bytes that large messages take now that arrive, or are kept for peers.
    pub memory_used: u64,
    /// The most that they may take: [`Builder::memory`](crate::Builder::memory).
    pub memory_limit: u64,
    /// Message ids remembered now.
    pub seen_ids: u64,
    /// Peers linked now.
    pub peers: u64,
    /// Of these, peers that are sent large messages at once, instead of their ids.
    pub eager_peers: u64,
}

impl Stats {
    /// Returns how many frames were refused for this reason.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::report::Refusal;
    ///
    /// assert_eq!(sock.stats().refused_for(Refusal::TooOld), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn refused_for(&self, reason: Refusal) -> u64 {
        self.refusals[reason as usize]
    }

    /// Returns how many frames were refused for any reason.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.stats().refused(), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refusals.iter().sum()
    }

    /// Returns how many messages to one node were given up for this reason.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::report::ReplyLoss;
    ///
    /// assert_eq!(sock.stats().replies_lost_for(ReplyLoss::NotTaken), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn replies_lost_for(&self, reason: ReplyLoss) -> u64 {
        self.reply_losses[reason as usize]
    }

    /// Returns how many messages to one node were given up for any reason.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.stats().replies_lost(), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn replies_lost(&self) -> u64 {
        self.reply_losses.iter().sum()
    }

    /// Returns how often a message arrived, on average: 1 is the optimum. 0 before the first.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// println!("each message came {:.1} times", sock.stats().redundancy());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn redundancy(&self) -> f64 {
        let new = self.delivered + self.relayed_only;
        if new == 0 { 0.0 } else { (new + self.duplicates) as f64 / new as f64 }
    }

    pub(crate) fn lose_reply(&mut self, reason: ReplyLoss) {
        self.reply_losses[reason as usize] += 1;
    }

    pub(crate) fn refuse(&mut self, reason: Refusal) {
        self.refusals[reason as usize] += 1;
        self.latest = Some(reason);
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "frames in   {:>10} = {} delivered + {} passed on + {} control + {} duplicates + {} refused",
            self.received,
            self.delivered,
            self.relayed_only,
            self.control,
            self.duplicates,
            self.refused()
        )?;
        for &reason in Refusal::ALL {
            if self.refused_for(reason) > 0 {
                writeln!(f, "  refused   {:>10} {reason}", self.refused_for(reason))?;
            }
        }
        writeln!(
            f,
            "delivered   {:>10} = {} answers + {} late answers + {} handled + {} subscribed + {} ignored + {} queued",
            self.delivered,
            self.answers,
            self.late_answers,
            self.handled,
            self.subscribed,
            self.ignored,
            self.queued
        )?;
        writeln!(
            f,
            "queued      {:>10} = {} taken + {} dropped + {} waiting",
            self.queued, self.taken, self.dropped, self.waiting
        )?;
        writeln!(
            f,
            "frames out  {:>10} = {} own + {} relayed + {} control ({} messages sent, {} frames unsent, {} missed by slow peers)",
            self.own_frames + self.relay_frames + self.control_frames,
            self.own_frames,
            self.relay_frames,
            self.control_frames,
            self.sent,
            self.unsent_frames,
            self.missed_frames
        )?;
        if self.announced + self.asked + self.pruned > 0 {
            writeln!(
                f,
                "lazy push   {:>10} announced, {} asked for, {} links grafted, {} pruned, {} of {} eager, {:.2} copies of each message",
                self.announced,
                self.asked,
                self.grafted,
                self.pruned,
                self.eager_peers,
                self.peers,
                self.redundancy()
            )?;
        }
        if self.replies_taken + self.replies_lost() > 0 {
            let (taken, lost) = (self.replies_taken, self.replies_lost());
            writeln!(f, "replies     {taken:>10} taken, {lost} given up")?;
        }
        for &reason in ReplyLoss::ALL {
            if self.replies_lost_for(reason) > 0 {
                writeln!(f, "  given up  {:>10} {reason}", self.replies_lost_for(reason))?;
            }
        }
        if self.unanswered > 0 {
            writeln!(f, "unanswered  {:>10} requests of peers that ask too much", self.unanswered)?;
        }
        if self.missed > 0 {
            writeln!(
                f,
                "missed      {:>10} as peers say that did not wait for this node",
                self.missed
            )?;
        }
        write!(
            f,
            "peers       {:>10}   ({} joined, {} left, {} turned away, of them {} silent, {} dials failed)",
            self.peers, self.joined, self.left, self.turned_away, self.silent, self.failed_dials
        )
    }
}
