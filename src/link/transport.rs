//! A connection, as far as a link needs one.

use std::io::{self, IoSlice, Read};
use std::time::Duration;

/// A connection of which no call waits. `T` is what the simulator keeps with each frame.
pub(crate) trait Transport<T>: Read {
    /// Writes frames from the front, as many as there is room for; returns how many bytes of them
    /// went out of sight, if not yet out of the process. After `WouldBlock` the next call must begin
    /// with the same bytes.
    fn write_frames(&mut self, frames: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Tells the peer that nothing more will be written.
    fn finish_writing(&mut self);

    /// Sends what [`Transport::write_frames`] took and did not send; whether that was all.
    fn send_rest(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    /// Returns how many bytes [`Transport::send_rest`] has to send.
    fn unsent(&self) -> usize {
        0
    }

    /// Drops those bytes: nothing can be written any more.
    fn forget_unsent(&mut self) {}

    /// Ends the connection when the peer acknowledges nothing, or has no room, for this long. With
    /// `None` the system goes on for as long as the peer answers its probes.
    fn give_up_after(&mut self, _patience: Option<Duration>) {}

    /// Notes that the last byte of a frame was written.
    fn wrote_frame(&mut self, _tag: T) {}
}
