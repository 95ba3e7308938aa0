//! Every counter, and every loss by its reason.

use std::fmt;

/// Why a frame that arrived was neither delivered nor relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Its packet table does not add up, or it cannot be decompressed.
    Unparsable,
    /// Its id is not the digest of its contents.
    WrongId,
    /// Its time is not a number.
    BadTime,
    /// Its sender is not an id.
    BadSender,
    /// Its main flag is not one byte.
    BadFlag,
    /// It has no payload.
    NoPayload,
    /// It is larger than allowed, as announced or after decompression.
    TooLarge,
    /// It is a message of the protocol whose contents make no sense.
    Invalid,
    /// It is a message between neighbours that pretends to be for everyone.
    NotForAll,
    /// It came before a handshake.
    Stranger,
    /// It is a whisper of somebody other than the peer that it came from.
    ForeignWhisper,
    /// It is a broadcast of ours that came back, or pretends to be.
    Echo,
    /// It is a broadcast dated 60 s ago or earlier.
    TooOld,
    /// It is a broadcast dated over 300 s ahead.
    TooFarAhead,
    /// It is dated in a second whose ids had to be given up.
    Evicted,
    /// Its link was gone already.
    Late,
    /// It is a message to one node that could not be passed on: no way to that node is known.
    NoRoute,
    /// It is a message to one node, and too many of them were on their way.
    TooManyReplies,
}

impl Refusal {
    /// All reasons.
    pub const ALL: [Refusal; 18] = [
        Refusal::Unparsable,
        Refusal::WrongId,
        Refusal::BadTime,
        Refusal::BadSender,
        Refusal::BadFlag,
        Refusal::NoPayload,
        Refusal::TooLarge,
        Refusal::Invalid,
        Refusal::NotForAll,
        Refusal::Stranger,
        Refusal::ForeignWhisper,
        Refusal::Echo,
        Refusal::TooOld,
        Refusal::TooFarAhead,
        Refusal::Evicted,
        Refusal::Late,
        Refusal::NoRoute,
        Refusal::TooManyReplies,
    ];

    /// The reason in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Unparsable => "unparsable frame",
            Refusal::WrongId => "wrong message id",
            Refusal::BadTime => "time is not a number",
            Refusal::BadSender => "sender is not an id",
            Refusal::BadFlag => "main flag is not one byte",
            Refusal::NoPayload => "no payload",
            Refusal::TooLarge => "too large",
            Refusal::Invalid => "protocol message that makes no sense",
            Refusal::NotForAll => "neighbours' message sent to everyone",
            Refusal::Stranger => "message before the handshake",
            Refusal::ForeignWhisper => "whisper of somebody else",
            Refusal::Echo => "our own broadcast",
            Refusal::TooOld => "too old",
            Refusal::TooFarAhead => "dated too far ahead",
            Refusal::Evicted => "dated in a second that was given up",
            Refusal::Late => "its link was gone",
            Refusal::NoRoute => "no way to its receiver",
            Refusal::TooManyReplies => "too many messages to single nodes",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a message to one node was given up. See [`MeshEvent::ReplyFailed`](crate::MeshEvent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReplyLoss {
    /// No node said where the receiver is.
    NoRoute,
    /// No address of the receiver could be dialled.
    Unreachable,
    /// This node has as many links as it may have, so it could not dial the receiver.
    TooManyLinks,
    /// It was sent, and the receiver did not confirm it. It may have arrived.
    NotTaken,
    /// This socket was closed first.
    Closed,
}

impl ReplyLoss {
    /// All reasons.
    pub const ALL: [ReplyLoss; 5] = [
        ReplyLoss::NoRoute,
        ReplyLoss::Unreachable,
        ReplyLoss::TooManyLinks,
        ReplyLoss::NotTaken,
        ReplyLoss::Closed,
    ];

    /// The reason in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReplyLoss::NoRoute => "no way to the receiver",
            ReplyLoss::Unreachable => "the receiver cannot be dialled",
            ReplyLoss::TooManyLinks => "too many links to dial the receiver",
            ReplyLoss::NotTaken => "the receiver did not confirm it",
            ReplyLoss::Closed => "this socket was closed first",
        }
    }
}

impl fmt::Display for ReplyLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What this node has done so far. A snapshot, see `MeshSocket::stats`.
///
/// The counters add up: `received = delivered + relayed_only + control + duplicates + refused`,
/// `delivered = handled + ignored + queued`, and `queued = taken + dropped + waiting`. While a node
/// is busy, some messages are delivered and not yet handled, ignored or queued.
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
    /// Of these, messages that had been here before.
    pub duplicates: u64,
    pub(crate) refusals: [u64; Refusal::ALL.len()],
    /// Messages that a handler kept for itself.
    pub handled: u64,
    /// Messages of a kind that only handlers see, and none kept.
    pub ignored: u64,
    /// Messages put into the queue for `recv`.
    pub queued: u64,
    /// Of these, received by the program.
    pub taken: u64,
    /// Of these, dropped because nobody received them.
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
    /// Frames that were put on a link and not written, because the link ended.
    pub unsent_frames: u64,
    /// Bytes read from links.
    pub bytes_in: u64,
    /// Bytes written to links.
    pub bytes_out: u64,
    /// Times a peer got linked.
    pub joined: u64,
    /// Times a peer was lost.
    pub left: u64,
    /// Connections turned away, or gone before their handshake.
    pub turned_away: u64,
    /// Dials in the background that led nowhere.
    pub failed_dials: u64,
    /// Times that a handler panicked.
    pub panics: u64,
    /// Events that nobody read in time.
    pub lost_events: u64,
    /// Message ids remembered now.
    pub seen_ids: u64,
    /// Peers linked now.
    pub peers: u64,
}

impl Stats {
    /// Frames refused for this reason.
    #[must_use]
    pub fn refused_for(&self, reason: Refusal) -> u64 {
        self.refusals[reason as usize]
    }

    /// Frames refused for any reason.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refusals.iter().sum()
    }

    /// Messages to one node that were given up for this reason.
    #[must_use]
    pub fn replies_lost_for(&self, reason: ReplyLoss) -> u64 {
        self.reply_losses[reason as usize]
    }

    /// Messages to one node that were given up for any reason.
    #[must_use]
    pub fn replies_lost(&self) -> u64 {
        self.reply_losses.iter().sum()
    }

    pub(crate) fn lose_reply(&mut self, reason: ReplyLoss) {
        self.reply_losses[reason as usize] += 1;
    }

    pub(crate) fn refuse(&mut self, reason: Refusal) {
        self.refusals[reason as usize] += 1;
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
        for reason in Refusal::ALL {
            if self.refused_for(reason) > 0 {
                writeln!(f, "  refused   {:>10} {reason}", self.refused_for(reason))?;
            }
        }
        writeln!(
            f,
            "delivered   {:>10} = {} handled + {} ignored + {} queued",
            self.delivered, self.handled, self.ignored, self.queued
        )?;
        writeln!(
            f,
            "queued      {:>10} = {} taken + {} dropped + {} waiting",
            self.queued, self.taken, self.dropped, self.waiting
        )?;
        writeln!(
            f,
            "frames out  {:>10} = {} own + {} relayed + {} control ({} messages sent, {} frames unsent)",
            self.own_frames + self.relay_frames + self.control_frames,
            self.own_frames,
            self.relay_frames,
            self.control_frames,
            self.sent,
            self.unsent_frames
        )?;
        if self.replies_taken + self.replies_lost() > 0 {
            let (taken, lost) = (self.replies_taken, self.replies_lost());
            writeln!(f, "replies     {taken:>10} taken, {lost} given up")?;
        }
        for reason in ReplyLoss::ALL {
            if self.replies_lost_for(reason) > 0 {
                writeln!(f, "  given up  {:>10} {reason}", self.replies_lost_for(reason))?;
            }
        }
        write!(
            f,
            "peers       {:>10}   ({} joined, {} left, {} turned away, {} dials failed)",
            self.peers, self.joined, self.left, self.turned_away, self.failed_dials
        )
    }
}
