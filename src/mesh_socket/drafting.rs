//! Checks what a user may send.

use crate::error::{Error, Result};
use crate::options::{Flag, SendOptions};
use crate::packet::Packet;
use crate::packets::{Packets, Seal};
use crate::wire::{Draft, MAX_PAYLOAD, Parts};

/// Returns a message that may be sent: not of a reserved kind, and not too large.
pub(crate) fn draft(
    options: &SendOptions,
    packets: impl Packets,
    time: u64,
    max: usize,
) -> Result<Draft> {
    // Nearly always a kind and one packet.
    let mut all = Vec::with_capacity(2);
    all.push(Packet(options.kind.0.clone()));
    packets.add_to(&mut all, Seal);
    let draft = Draft { main: options.flag, packets: all, time };
    draft.with_parts(|parts| check(options, &parts, max))?;
    Ok(draft)
}

/// Checks whether a message may be sent.
pub(crate) fn check(options: &SendOptions, parts: &Parts<'_>, max: usize) -> Result<()> {
    let (count, len) = (parts.packets.len(), parts.encoded_len());
    if options.kind.is_reserved() {
        return Err(Error::ReservedKind { kind: Box::new(options.kind.clone()) });
    }
    if options.flag == Flag::Renegotiate {
        return Err(Error::ReservedFlag);
    }
    if count > MAX_PAYLOAD {
        return Err(Error::TooManyPackets { count, max: MAX_PAYLOAD });
    }
    if len > max { Err(Error::TooLarge { len, max }) } else { Ok(()) }
}
