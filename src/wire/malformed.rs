//! The reasons for which a frame is refused.

use std::fmt;

/// Why a frame is not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It cannot be cut into packets. py2p asks for the message again, uncompressed.
    Unparsable(&'static str),
    /// The id does not match the payload and the time.
    WrongId,
    /// The time is not a number.
    BadTime,
    /// The sender is not a node id.
    BadSender,
    /// The main flag is not one byte.
    BadFlag,
    /// The message has no kind.
    NoPayload,
    /// The decompressed frame exceeds the limit.
    TooBig,
    /// It has more than [`super::envelope::MAX_PACKETS`] packets.
    TooManyPackets,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Unparsable(why) => return write!(f, "unparsable frame: {why}"),
            Malformed::WrongId => "the message id is wrong",
            Malformed::BadTime => "the time is not a number",
            Malformed::BadSender => "the sender is not a node id",
            Malformed::BadFlag => "the main flag is not one byte",
            Malformed::NoPayload => "the message has no payload",
            Malformed::TooBig => "the decompressed frame is too big",
            Malformed::TooManyPackets => "the message has too many packets",
        })
    }
}
