//! Memory for large frames: asked for before it is used, and given back.

use super::host::Host;
use super::machine::Machine;
use super::memory::{ASK_AGAIN, COUNTED};
use crate::wire::{Buffer, Malformed, unpack};

/// Bodies up to this length are unpacked without asking.
const AT_ONCE: usize = COUNTED;

impl<L: PartialEq, T: Copy + Default> Machine<L, T> {
    /// Asks for the memory of an unfinished frame, of this many bytes; false if it cannot be had now. Small
    /// frames are not counted.
    pub(super) fn hold(&mut self, host: &mut impl Host<L, T>, bytes: usize) -> bool {
        let bytes = if bytes > COUNTED { bytes } else { 0 };
        if bytes == self.reading.held_bytes && !self.reading.has_unpacked {
            return true;
        }
        let is_held = host.hold(bytes);
        if is_held {
            (self.reading.held_bytes, self.reading.has_unpacked) = (bytes, false);
        } else {
            self.reading.starved = Some(host.now().saturating_add(ASK_AGAIN));
        }
        is_held
    }

    /// Unpacks a frame that may be compressed. Returns `None` if that has to wait: the frame is kept, and known to
    /// be large when its turn comes again.
    pub(super) fn unpacked(
        &mut self,
        host: &mut impl Host<L, T>,
        frame: Buffer,
        is_large: bool,
    ) -> Option<Result<Buffer, Malformed>> {
        let methods =
            self.settings.as_ref().map(|settings| &settings.receive[..]).unwrap_or_default();
        let max = host.config().max_frame;
        if !is_large {
            match unpack(&frame, methods, max.min(AT_ONCE)) {
                Ok(plain) => return Some(Ok(plain.unwrap_or(frame))),
                Err(_) if max <= AT_ONCE => return Some(Err(Malformed::TooBig)),
                Err(_) => {}
            }
        }
        let Some(plain) = host.unpack(max, || unpack(&frame, methods, max)) else {
            self.reading.packed = Some(frame);
            self.reading.is_backlogged = true;
            self.reading.starved = Some(host.now().saturating_add(ASK_AGAIN));
            return None;
        };
        self.reading.has_unpacked = true;
        Some(plain.map(|plain| plain.unwrap_or(frame)).map_err(|_| Malformed::TooBig))
    }

    /// Gives the memory of everything back that will not be handed on.
    pub(super) fn forget_input(&mut self, host: &mut impl Host<L, T>) {
        self.reading.reader.forget();
        self.reading.packed = None;
        self.hold(host, 0);
    }
}
