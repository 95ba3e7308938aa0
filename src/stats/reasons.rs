//! Why messages are lost.

use std::fmt;

/// Why a frame that arrived was neither delivered nor relayed.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::report::Refusal;
///
/// let stats = sock.stats();
/// for &reason in Refusal::ALL.iter().filter(|&&reason| stats.refused_for(reason) > 0) {
///     println!("{}: {reason}", stats.refused_for(reason));
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
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
    /// It is a message of the protocol with invalid contents.
    Invalid,
    /// It is a message between neighbours that was sent as a broadcast.
    NotForAll,
    /// It came before a handshake.
    Stranger,
    /// It is a whisper whose sender is not the peer that it came from.
    ForeignWhisper,
    /// It is a broadcast, or a message to one node, with this node's own id as its sender.
    Echo,
    /// It is a broadcast dated 60 s ago or earlier.
    TooOld,
    /// It is a broadcast dated over 300 s ahead.
    TooFarAhead,
    /// The seen cache is full: the ids of its second were dropped, or its link has used up its share.
    Evicted,
    /// It is a message of the protocol that the peer sends too often.
    TooOften,
    /// It came over a second link to a peer, and the first one spoke for it.
    SecondLink,
    /// Its link had ended already.
    Late,
    /// It is a message to one node that could not be passed on: no way to that node is known.
    NoRoute,
    /// It is a message to one node, and too many of them were on their way.
    TooManyReplies,
}

impl Refusal {
    /// All reasons.
    pub const ALL: &[Refusal] = &[
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
        Refusal::TooOften,
        Refusal::SecondLink,
        Refusal::Late,
        Refusal::NoRoute,
        Refusal::TooManyReplies,
    ];

    /// Returns whether no honest rs2p sends such a frame, whatever the clocks, the load and the ways of a mesh are.
    pub(crate) fn is_fault(self) -> bool {
        !matches!(
            self,
            Refusal::Echo
                | Refusal::TooOld
                | Refusal::TooFarAhead
                | Refusal::Evicted
                | Refusal::SecondLink
                | Refusal::Late
                | Refusal::NoRoute
                | Refusal::TooManyReplies
        )
    }

    /// Returns the reason in words.
    ///
    /// ```
    /// println!("{}", rs2p::report::Refusal::TooOld.as_str());
    /// ```
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
            Refusal::Evicted => "no room for its id",
            Refusal::TooOften => "protocol message sent too often",
            Refusal::SecondLink => "came over a second link to its peer",
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
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::report::ReplyLoss;
///
/// let stats = sock.stats();
/// for &reason in ReplyLoss::ALL.iter().filter(|&&reason| stats.replies_lost_for(reason) > 0) {
///     println!("{}: {reason}", stats.replies_lost_for(reason));
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
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
    pub const ALL: &[ReplyLoss] = &[
        ReplyLoss::NoRoute,
        ReplyLoss::Unreachable,
        ReplyLoss::TooManyLinks,
        ReplyLoss::NotTaken,
        ReplyLoss::Closed,
    ];

    /// Returns the reason in words.
    ///
    /// ```
    /// println!("{}", rs2p::report::ReplyLoss::NotTaken.as_str());
    /// ```
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
