//! A peer, as handlers and the routing table show it.

use std::fmt;
use std::sync::Weak;

use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::mesh_socket::{Handle, MeshSocket};
use crate::node::event::Neighbour;
use crate::options::SendOptions;
use crate::packet::Packets;

/// A link to a peer: what a handler gets beside the message, and what the routing table holds.
///
/// It names the peer, not the wire: if the link is replaced by another one, it speaks over that.
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

    /// Who is at the other end.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.peer.id
    }

    /// The address that the peer announced, as `host:port`; where it was dialled, if it announced
    /// none; empty if neither is known.
    #[must_use]
    pub fn addr(&self) -> String {
        self.peer.addr.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether this node dialled.
    #[must_use]
    pub fn is_outgoing(&self) -> bool {
        self.peer.is_outgoing
    }

    /// Sends packets to this peer alone. Waits while too much waits to be written to it; inside
    /// a handler it fails instead.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPeer`] if it is no longer linked, and those of [`MeshSocket::send`].
    pub fn send<M>(&self, packets: impl Packets<M>) -> Result<()> {
        self.send_with(SendOptions::whisper(), packets)
    }

    /// Sends packets to this peer alone, with a flag and a kind. With a broadcast's flag the peer
    /// relays them.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPeer`] if it is no longer linked, and those of [`MeshSocket::send_with`].
    pub fn send_with<M>(&self, options: SendOptions, packets: impl Packets<M>) -> Result<()> {
        self.server().ok_or(Error::Closed)?.send_to_peer(&self.id(), options, packets)
    }

    /// The socket that this is a link of, unless that is gone.
    #[must_use]
    pub fn server(&self) -> Option<MeshSocket> {
        self.server.upgrade().map(MeshSocket::from)
    }

    /// Ends the link and forgets the peer's address; see [`MeshSocket::disconnect`].
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
