//! Checks what a user may send.

use crate::error::{Error, Result};
use crate::options::{Flag, SendOptions};
use crate::packet::Packet;
use crate::packets::{Packets, Seal};
use crate::wire::{Draft, MAX_PAYLOAD};

/// Returns a message that may be sent: not of a reserved kind, and not too large.
pub(crate) fn draft(
    options: &SendOptions,
    packets: impl Packets,
    time: u64,
    max: usize,
) -> Result<Draft> {
    if options.kind.is_reserved() {
        return Err(Error::ReservedKind { kind: Box::new(options.kind.clone()) });
    }
    if options.flag == Flag::Renegotiate {
        return Err(Error::ReservedFlag);
    }
    // Nearly always a kind and one packet.
    let mut all = Vec::with_capacity(2);
    all.push(Packet(options.kind.0.clone()));
    packets.add_to(&mut all, Seal);
    if all.len() > MAX_PAYLOAD {
        return Err(Error::TooManyPackets { count: all.len(), max: MAX_PAYLOAD });
    }
    let draft = Draft { main: options.flag, packets: all, time };
    let len = draft.encoded_len();
    if len > max { Err(Error::TooLarge { len, max }) } else { Ok(draft) }
}
