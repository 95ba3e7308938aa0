//! Sending without blocking or with a timeout, and waiting until all is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connecting::far_future;
use super::{MeshSocket, Sent};
use crate::error::{Error, Result, SendError};
use crate::options::SendOptions;
use crate::packets::Packets;
use crate::runtime::link::{Flush, Link};

/// Sending without blocking, or for a limited time.
impl MeshSocket {
    /// Sends packets to every node of the mesh, if the queue to every direct peer has room. Never
    /// blocks: for `select!` loops and for handlers.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// match sock.try_send("tick") {
    ///     Ok(sent) => println!("on its way to {} peers", sent.peers()),
    ///     Err(unsent) if unsent.is_full() => println!("later"),
    ///     Err(unsent) => return Err(unsent.into()),
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`] with the packets, if they were sent to no peer. Its
    /// [`error`](SendError::error) is one of those of [`send`](MeshSocket::send); [`Error::Full`]
    /// and [`Error::TooFast`] at once.
    pub fn try_send(&self, packets: impl Packets) -> Result<Sent, SendError> {
        self.send_or_return(SendOptions::new().timeout(Duration::ZERO), packets)
    }

    /// Sends packets to every node of the mesh. Blocks at most for `timeout`, while there is no
    /// room in the queues to the direct peers; with zero it is [`try_send`](MeshSocket::try_send).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// sock.send_timeout("tick", Duration::from_millis(100))?;
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`try_send`](MeshSocket::try_send); [`Error::Full`] and [`Error::TooFast`] when the time is up.
    pub fn send_timeout(
        &self,
        packets: impl Packets,
        timeout: Duration,
    ) -> Result<Sent, SendError> {
        self.send_or_return(SendOptions::new().timeout(timeout), packets)
    }

    /// Sends packets with a flag, a kind and a timeout, see [`SendOptions`], and gives the packets
    /// back if they were not sent.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::SendOptions;
    /// use std::time::Duration;
    ///
    /// let options = SendOptions::new().kind("prices").timeout(Duration::from_millis(50));
    /// if let Err(unsent) = sock.send_or_return(options, ("tea", "3.50")) {
    ///     println!("{unsent}");
    ///     let packets = unsent.into_packets(); // to be sent later
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`] with the packets and one of the errors of
    /// [`send_with`](MeshSocket::send_with).
    pub fn send_or_return(
        &self,
        options: SendOptions,
        packets: impl Packets,
    ) -> Result<Sent, SendError> {
        let packets = packets.into_packets();
        self.send_with(options, packets.clone()).map_err(|error| SendError::new(error, packets))
    }

    /// Does the same to one direct peer.
    pub(crate) fn send_or_return_to(
        &self,
        id: &crate::NodeId,
        options: SendOptions,
        packets: impl Packets,
    ) -> Result<(), SendError> {
        let packets = packets.into_packets();
        let sent = self.send_to_peer(id, options, packets.clone());
        sent.map_err(|error| SendError::new(error, packets))
    }

    /// Waits until everything that is queued for the direct peers now has been handed to the
    /// operating system. Blocks at most for `timeout`.
    ///
    /// It does not wait for what is queued later, nor for replies that have no route yet; their
    /// tickets tell the outcome. The queue of a link that ends meanwhile counts as done: what it
    /// did not write is counted in [`Stats::unsent_frames`](crate::Stats::unsent_frames).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// sock.send("the last words for now")?;
    /// sock.flush(Duration::from_secs(1))?;
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if something is still queued when the time is up, [`Error::Closed`] if
    /// the socket is closed, [`Error::WouldDeadlock`] inside a handler.
    pub fn flush(&self, timeout: Duration) -> Result<()> {
        self.check_open()?;
        if self.core().threads.is_mine() {
            return Err(Error::WouldDeadlock);
        }
        let deadline = Instant::now().checked_add(timeout).unwrap_or_else(far_future);
        let mut ended: Vec<Arc<Link>> = Vec::new();
        loop {
            let mut links: Vec<Arc<Link>> =
                self.core().look(|state| state.links.values().cloned().collect());
            links.retain(|link| !ended.iter().any(|other| Arc::ptr_eq(other, link)));
            let before = ended.len();
            for link in links {
                match link.flush(deadline) {
                    Flush::TimedOut => return Err(Error::TimedOut),
                    Flush::Ended => ended.push(link),
                    Flush::Written => {}
                }
            }
            // A link that ended may have left its queue to another link to the same peer.
            if ended.len() == before {
                return self.check_open();
            }
        }
    }
}
