//! Connecting to peers, waiting for them, letting go of them.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::MeshSocket;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::events::Cause;
use crate::id::NodeId;
use crate::node::Connecting;

impl MeshSocket {
    /// Links to the node at this address and returns when the handshake is done.
    ///
    /// Blocks until then, at most for the handshake time-out (5 s); looking up a host name may take
    /// longer. If there is a link to that node already, that is returned. The address is
    /// remembered: if the link is lost it is dialled again until
    /// [`disconnect`](MeshSocket::disconnect) or [`close`](MeshSocket::close). Other peers of that
    /// node are found in the background.
    ///
    /// May be called inside a handler.
    ///
    /// ```
    /// # use rs2p::{Error, MeshSocket};
    /// # fn main() -> rs2p::Result<()> {
    /// let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// let connection = bob.connect(alice.local_addr())?;
    /// assert_eq!(connection.id(), alice.id());
    ///
    /// assert!(matches!(bob.connect(bob.local_addr()), Err(Error::OwnAddress { .. })));
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`]: nobody listens there.
    /// - [`Error::ConnectTimedOut`]: no answer, or no handshake, in time.
    /// - [`Error::WrongSubnet`]: the node belongs to another mesh.
    /// - [`Error::OwnAddress`]: the address is this socket's own.
    /// - [`Error::NotPy2p`]: what answers is no py2p or rs2p node.
    /// - [`Error::WrongEncryption`]: one end speaks TLS, and the other does not.
    /// - [`Error::Tls`]: TLS failed. [`Error::Untrusted`], [`Error::WrongFingerprint`]: the
    ///   certificate there is not covered by the roots, or not pinned.
    /// - [`Error::WrongSecret`]: the two ends do not share the secret of the mesh.
    /// - [`Error::Resolve`], [`Error::NoAddress`]: the name has no address.
    /// - [`Error::TooManyLinks`], [`Error::Closed`], and [`Error::Connect`] for all else.
    pub fn connect(&self, addr: impl ToSocketAddrs) -> Result<Connection> {
        self.check_open()?;
        let addrs = addr.to_socket_addrs().map_err(|source| Error::Resolve { source })?;
        let addrs: Vec<SocketAddr> = addrs.collect();
        let first = *addrs.first().ok_or(Error::NoAddress)?;
        let id = self
            .connect_any(addrs)
            .map_err(|cause| Error::from_connect(first, self.protocol().id(), cause))?;
        // Between the handshake and now the link may have been lost again.
        self.peer(&id).ok_or(Error::Connect { addr: first, cause: Cause::PeerClosed })
    }

    fn connect_any(&self, addrs: Vec<SocketAddr>) -> Result<NodeId, Cause> {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let connecting = self.core().act(|state, now| {
            let connecting = state.node.connect(now, addrs)?;
            if let Connecting::Dialling(connect) = connecting {
                state.connects.insert(connect, sender);
            }
            Ok::<_, Cause>(connecting)
        })?;
        match connecting {
            Connecting::Linked(id) => Ok(id),
            // The node answers when its handshake deadline has passed, if not before; twice as
            // long is only reached on a machine that is busy beyond measure.
            Connecting::Dialling(_) => receiver
                .recv_timeout(self.core().config.handshake_timeout * 2)
                .unwrap_or(Err(Cause::TimedOut)),
        }
    }

    /// Waits until there are at least `count` direct peers; how many there are then.
    ///
    /// Blocks no longer than `timeout`.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// bob.connect(alice.local_addr())?;
    /// alice.wait_for_peers(1, Duration::from_secs(5))?;
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if there are fewer when the time is up, [`Error::Closed`] if the socket
    /// is closed, [`Error::WouldDeadlock`] inside a handler.
    pub fn wait_for_peers(&self, count: usize, timeout: Duration) -> Result<usize> {
        let core = self.core();
        let peers = || core.look(|state| state.node.peers().count());
        self.check_open()?;
        if peers() >= count {
            return Ok(peers());
        }
        if core.threads.is_mine() {
            return Err(Error::WouldDeadlock);
        }
        let deadline = Instant::now().checked_add(timeout).unwrap_or_else(far_future);
        let enough = core.wait_for_peers(deadline, |state| {
            state.node.peers().count() >= count || !core.phase.is_open()
        });
        self.check_open()?;
        if enough { Ok(peers()) } else { Err(Error::TimedOut) }
    }

    /// Ends the link to a peer, forgets its address, and does not take it back until
    /// [`connect`](MeshSocket::connect) is called for it again. Does not wait: what is queued for
    /// the peer is lost and counted.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPeer`] if it is neither a direct peer nor one that was lost.
    pub fn disconnect(&self, id: &NodeId) -> Result<()> {
        let was_peer = self.core().act(|state, now| state.node.disconnect(now, id));
        if was_peer { Ok(()) } else { Err(Error::UnknownPeer { id: *id }) }
    }

    /// Asks all peers whom they know; the answers are dialled in the background as far as
    /// `max_outgoing` allows. Does not wait. Rarely needed: it happens by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the socket is closed.
    pub fn request_peers(&self) -> Result<()> {
        self.check_open()?;
        self.core().act(|state, now| state.node.request_peers(now));
        Ok(())
    }
}

/// A deadline for time-outs that the clock cannot express: a year.
pub(super) fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(365 * 24 * 3600)
}
