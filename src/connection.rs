//! A peer, as handlers and the routing table give it.

use std::fmt;
use std::sync::Weak;
use std::time::Duration;

use crate::error::{Error, Result, SendError};
use crate::id::NodeId;
use crate::mesh_socket::{Handle, MeshSocket};
use crate::node::event::Neighbour;
use crate::options::SendOptions;
use crate::packets::Packets;

/// A link to a peer: what a handler gets beside the message, and what the routing table holds.
///
/// It stands for the peer, not for one link: if another link to the peer takes its place, that is
/// used.
///
/// ```
/// # use rs2p::MeshSocket;
/// # fn main() -> rs2p::Result<()> {
/// let alice = MeshSocket::bind(("127.0.0.1", 0))?;
/// let bob = MeshSocket::bind(("127.0.0.1", 0))?;
/// let connection = bob.connect(alice.local_addr())?;
/// assert_eq!(connection.id(), alice.id());
/// assert!(connection.is_outgoing());
/// connection.send("for you alone")?;
/// # alice.close()?;
/// # bob.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Connection {
    peer: Neighbour,
    server: Weak<Handle>,
}

impl Connection {
    pub(crate) fn new(peer: Neighbour, server: Weak<Handle>) -> Self {
        Connection { peer, server }
    }

    /// Returns the id of the peer at the other end.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// let peer = bob.connect(alice.local_addr())?;
    /// assert_eq!(peer.id(), alice.id());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.peer.id
    }

    /// Returns the address that the peer announced, as `host:port`; the address that was dialled,
    /// if it announced none; an empty text if neither is known.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// let peer = bob.connect(alice.local_addr())?;
    /// assert_eq!(peer.addr(), alice.out_addr());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn addr(&self) -> String {
        self.peer.addr.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Returns whether this node dialled.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// let peer = bob.connect(alice.local_addr())?;
    /// assert!(peer.is_outgoing());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn is_outgoing(&self) -> bool {
        self.peer.is_outgoing
    }

    /// Sends packets to this peer alone. Blocks while the outbound queue of the peer is over its
    /// limit; inside a handler it fails instead.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// let peer = bob.connect(alice.local_addr())?;
    /// peer.send("for you alone")?;
    /// assert_eq!(alice.recv()?.payload(), ["for you alone"]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPeer`] if it is no longer linked, and those of [`MeshSocket::send`].
    pub fn send(&self, packets: impl Packets) -> Result<()> {
        self.send_with(SendOptions::whisper(), packets)
    }

    /// Sends packets to this peer alone, with a flag and a kind. With the flag of a broadcast the
    /// peer relays them.
    ///
    /// ```
    /// # use rs2p::{MeshSocket, SendOptions};
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// let prices = alice.subscribe("prices")?;
    /// for peer in bob.routing_table().values() {
    ///     peer.send_with(SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// }
    /// assert_eq!(prices.recv()?[1], b"tea");
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPeer`] if it is no longer linked, and those of [`MeshSocket::send_with`].
    pub fn send_with(&self, options: SendOptions, packets: impl Packets) -> Result<()> {
        self.server().ok_or(Error::Closed)?.send_to_peer(&self.id(), options, packets)
    }

    /// Sends packets to this peer alone, if the queue to it has room. Never blocks.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// let peer = bob.connect(alice.local_addr())?;
    /// if let Err(unsent) = peer.try_send("tick") {
    ///     println!("{unsent}");
    ///     bob.send(unsent.into_packets())?; // waits for room, and goes to everybody
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`] with the packets: [`Error::Full`] if the queue is full, or one of the errors of
    /// [`send`](Connection::send).
    pub fn try_send(&self, packets: impl Packets) -> Result<(), SendError> {
        self.send_or_return(SendOptions::whisper().timeout(Duration::ZERO), packets)
    }

    /// Sends packets to this peer alone, with a flag, a kind and a timeout, and gives the packets
    /// back if they were not sent.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// use rs2p::SendOptions;
    /// use std::time::Duration;
    ///
    /// let peer = bob.connect(alice.local_addr())?;
    /// let options = SendOptions::new().kind("prices").timeout(Duration::from_millis(50));
    /// peer.send_or_return(options, ("tea", "3.50"))?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`] with the packets and one of the errors of [`send_with`](Connection::send_with).
    pub fn send_or_return(
        &self,
        options: SendOptions,
        packets: impl Packets,
    ) -> Result<(), SendError> {
        match self.server() {
            Some(server) => server.send_or_return_to(&self.id(), options, packets),
            None => Err(SendError::new(Error::Closed, packets.into_packets())),
        }
    }

    /// Returns how many bytes are queued for this peer, as of now; 0 if it is no longer linked.
    /// `send` blocks when it is half of [`Builder::outbound`](crate::Builder::outbound).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// let peer = bob.connect(alice.local_addr())?;
    /// if peer.queued() > 1 << 20 {
    ///     println!("{} is slow", peer.id());
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn queued(&self) -> usize {
        self.server().map_or(0, |server| server.queued_for(&self.id()))
    }

    /// Returns the socket that this link belongs to, or `None` if that is gone.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// let peer = bob.connect(alice.local_addr())?;
    /// assert_eq!(peer.server().map(|sock| sock.id()), Some(bob.id()));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn server(&self) -> Option<MeshSocket> {
        MeshSocket::upgrade(&self.server)
    }

    /// Ends the link and forgets the peer's address; see [`MeshSocket::disconnect`].
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// for peer in bob.routing_table().values() {
    ///     peer.disconnect()?;
    /// }
    /// assert!(bob.routing_table().is_empty());
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPeer`] if it is no longer linked, [`Error::Closed`] if the socket is gone.
    pub fn disconnect(&self) -> Result<()> {
        self.server().ok_or(Error::Closed)?.disconnect(&self.id())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.is_outgoing() { "outgoing" } else { "incoming" };
        write!(f, "Connection({}, {}, {direction})", self.id(), self.addr())
    }
}
