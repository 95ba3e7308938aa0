//! The error of a send that gives the packets back.

use std::{error, fmt};

use super::Error;
use crate::packet::Packet;

/// A message that was not sent: why, and its packets.
///
/// Converts into [`Error`], so `?` works where the packets are not needed.
///
/// ```
/// # use rs2p::MeshSocket;
/// # fn main() -> rs2p::Result<()> {
/// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
/// if let Err(unsent) = sock.try_send("tick") {
///     if !unsent.is_full() {
///         return Err(unsent.into());
///     }
///     let packets = unsent.into_packets(); // to be sent later
/// #   let _ = packets;
/// }
/// # sock.close()?;
/// # Ok(())
/// # }
/// ```
pub struct SendError {
    error: Error,
    packets: Vec<Packet>,
}

impl SendError {
    pub(crate) fn new(error: Error, packets: Vec<Packet>) -> Self {
        SendError { error, packets }
    }

    /// Returns why it was not sent.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// if let Err(unsent) = sock.try_send("tick") {
    ///     eprintln!("not sent: {}", unsent.error());
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns whether the queue to a peer was full, or too much was sent lately: the same call may succeed later.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// while let Err(unsent) = sock.try_send("tick") {
    ///     if !unsent.is_full() {
    ///         return Err(unsent.into());
    ///     }
    ///     println!("a peer is slow; doing something else first");
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.error, Error::Full { .. } | Error::TooFast)
    }

    /// Returns the packets, to be sent again.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// if let Err(unsent) = sock.try_send(("job", "7")) {
    ///     sock.send(unsent.into_packets())?; // this one waits for room
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn into_packets(self) -> Vec<Packet> {
        self.packets
    }
}

impl From<SendError> for Error {
    fn from(unsent: SendError) -> Self {
        unsent.error
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The packets may be large.
        write!(f, "SendError({:?}, {} packets)", self.error, self.packets.len())
    }
}

impl error::Error for SendError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}
