//! How a message to one node travels, and its ticket.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::runtime::core::Core;
use crate::runtime::slot::Slot;

/// How a message to one node travels: what [`MeshSocket::send_to`](crate::MeshSocket::send_to) and
/// [`Message::reply`](crate::Message::reply) return.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
/// # bob.connect(alice.local_addr())?;
/// use rs2p::Routed;
///
/// match bob.send_to(&alice.id(), "hello")? {
///     Routed::Sent => println!("in the queue to a direct peer"),
///     Routed::Pending(ticket) => println!("on its way; so far: {:?}", ticket.outcome()),
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Routed {
    /// The node is a direct peer: the message is in the queue of its link. If the link is lost before
    /// it is written, it counts in [`Stats::unsent_frames`](crate::Stats::unsent_frames).
    Sent,
    /// The node is not a direct peer. The ticket tells whether it has taken the message.
    Pending(Ticket),
}

impl Routed {
    /// Waits until the message was taken, see [`Ticket::wait`].
    ///
    /// Returns at once if the node is a direct peer. Waits no longer than `timeout`.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// let reply = alice.recv()?.reply("hello yourself")?;
    /// reply.wait(Duration::from_secs(5))?;
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Ticket::wait`].
    pub fn wait(&self, timeout: Duration) -> Result<()> {
        match self {
            Routed::Sent => Ok(()),
            Routed::Pending(ticket) => ticket.wait(timeout),
        }
    }
}

/// A message on its way to a node that is not a direct peer. Dropping the ticket changes nothing:
/// the message still goes out, and an event tells the outcome.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// # use std::time::Duration;
/// use rs2p::{NodeId, Routed};
///
/// let nobody = NodeId::from_digest(&[7; 48]);
/// if let Routed::Pending(ticket) = sock.send_to(&nobody, "are you there?")? {
///     assert!(ticket.wait(Duration::from_millis(10)).is_err());
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone)]
pub struct Ticket {
    pub(crate) slot: Arc<Slot>,
    pub(crate) core: Arc<Core>,
}

impl Ticket {
    /// Waits until the node has taken the message: it has confirmed that it handed it to its
    /// program. A py2p node confirms nothing; for it the message counts as taken when it was put on
    /// a link that the node has accepted.
    ///
    /// ```
    /// # use rs2p::{MeshSocket, Routed};
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let nobody = "6VnYj9LjoVLTvU3uPhy4nxm6yv2wEvhaRtGHeV9wwFngWGGqKAzuZ8jK6gFuvq737V".parse()?;
    /// if let Routed::Pending(ticket) = sock.send_to(&nobody, "are you there?")? {
    ///     assert!(ticket.wait(Duration::from_millis(10)).is_err());
    /// }
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NoRoute`] if no node knew the receiver, or it could not be reached, or did not
    /// confirm the message within the request timeout, in which case the message may have arrived;
    /// see [`ReplyLoss`](crate::report::ReplyLoss); [`Error::TimedOut`] if `timeout` ended first;
    /// [`Error::Closed`] if the socket was closed; [`Error::WouldDeadlock`] inside a handler.
    pub fn wait(&self, timeout: Duration) -> Result<()> {
        if !self.core.phase.is_home() {
            return Err(Error::Forked);
        }
        if self.core.threads.is_mine() && self.slot.state.lock().is_none() {
            return Err(Error::WouldDeadlock);
        }
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.slot.state.lock();
        loop {
            match *state {
                Some(true) => return Ok(()),
                Some(false) if !self.core.phase.is_open() => return Err(Error::Closed),
                Some(false) => return Err(Error::NoRoute),
                None => {}
            }
            match deadline {
                Some(at) if self.slot.settled.wait_until(&mut state, at).timed_out() => {
                    return Err(Error::TimedOut);
                }
                Some(_) => {}
                None => self.slot.settled.wait(&mut state),
            }
        }
    }

    /// Returns whether the message was taken; `None` while that is open.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::{NodeId, Routed};
    ///
    /// if let Routed::Pending(ticket) = sock.send_to(&NodeId::from_digest(&[7; 48]), "hello?")? {
    ///     println!("{:?}", ticket.outcome());
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn outcome(&self) -> Option<bool> {
        *self.slot.state.lock()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.outcome() {
            None => "Ticket(waiting for a route)",
            Some(true) => "Ticket(sent)",
            Some(false) => "Ticket(not sent)",
        })
    }
}
