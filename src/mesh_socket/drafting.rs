//! What may be sent, and with which second it may be dated.

use crate::error::{Error, Result};
use crate::options::{Flag, SendOptions};
use crate::packet::{Packet, Packets};
use crate::wire::{Draft, MAX_PAYLOAD};

/// Equal messages are dated apart: up to this many seconds ahead, which all nodes accept, ...
const AHEAD: u64 = 55;
/// ... then up to this many back, while no node takes them for too old.
const BACK: u64 = 30;

/// A message that may be sent: neither the protocol's own nor too large.
pub(crate) fn draft<M>(
    options: &SendOptions,
    packets: impl Packets<M>,
    time: u64,
    max: usize,
) -> Result<Draft> {
    if options.kind.is_reserved() {
        return Err(Error::ReservedKind { kind: options.kind.clone() });
    }
    if options.flag == Flag::Renegotiate {
        return Err(Error::ReservedFlag);
    }
    // Nearly always a kind and one packet.
    let mut all = Vec::with_capacity(2);
    all.push(Packet(options.kind.0.clone()));
    all.extend(packets.into_packets());
    if all.len() > MAX_PAYLOAD {
        return Err(Error::TooManyPackets { count: all.len(), max: MAX_PAYLOAD });
    }
    let draft = Draft { main: options.flag, packets: all, time };
    let len = draft.encoded_len();
    if len > max { Err(Error::TooLarge { len, max }) } else { Ok(draft) }
}

/// The seconds that a message may be dated with, the best first.
pub(crate) fn seconds_near(now: u64) -> impl Iterator<Item = u64> {
    (now..=now + AHEAD).chain((now.saturating_sub(BACK)..now).rev())
}
