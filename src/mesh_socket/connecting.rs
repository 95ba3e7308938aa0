//! Connecting to peers, waiting for them, disconnecting them.

use std::time::{Duration, Instant};

use super::MeshSocket;
use crate::cause::Cause;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::node::{Connecting, Failure};
use crate::peer_addr::PeerAddr;
use crate::wire::HostPort;

/// Between two dials of `connect_within`.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Links to other nodes.
impl MeshSocket {
    /// Links to the node at this address. Returns once both ends have the link, or an error says
    /// why not.
    ///
    /// Takes text as `"host:port"`, pairs, socket addresses, and lists of them: see [`PeerAddr`].
    /// Of several addresses, and of the addresses of a name, the next one is tried when the last
    /// has failed, or after 250 ms in parallel. An address that answers but is not a node gives way
    /// to the next.
    ///
    /// Blocks until the handshake is done, at most for the handshake timeout (5 s), name look-up
    /// included. If there is a link to that node already, that is returned. The address is
    /// remembered as it was written: if the link is lost it is dialled again, and names are looked
    /// up anew, until [`disconnect`](MeshSocket::disconnect) or [`close`](MeshSocket::close). Other
    /// peers of that node are found in the background.
    ///
    /// May be called inside a handler.
    ///
    /// ```
    /// # use rs2p::{Cause, Error, MeshSocket};
    /// # fn main() -> rs2p::Result<()> {
    /// let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// let connection = bob.connect(alice.local_addr())?;
    /// assert_eq!(connection.id(), alice.id());
    ///
    /// let error = bob.connect(bob.local_addr()).expect_err("its own address");
    /// assert!(matches!(error, Error::Connect { cause: Cause::OwnAddress, .. }));
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::Connect`], with the [`Cause`]: no node answers there, it belongs to another mesh,
    ///   the socket has reached its limit of links, and so on.
    /// - [`Error::NoneAnswers`]: several addresses were tried, each with its own cause.
    /// - [`Error::InvalidAddress`]: the text is not an address. [`Error::NoAddress`]: the name has
    ///   none.
    /// - [`Error::Closed`]: the socket is closed.
    pub fn connect(&self, addr: impl Into<PeerAddr>) -> Result<Connection> {
        self.check_open()?;
        let hosts = addr.into().hosts()?;
        // The node answers when its handshake deadline has passed, if not before; twice as long is
        // only reached on a machine that is busy beyond measure.
        self.connect_once(hosts, self.core().config.handshake_timeout * 2)
    }

    /// Links to the node at this address, which need not run yet: dials again, and looks names up
    /// again, until it answers or `timeout` is over.
    ///
    /// Blocks until then. Returns at once if waiting cannot help: another mesh, another encryption
    /// or secret, or a server that is not a node. Afterwards the same holds as for
    /// [`connect`](MeshSocket::connect). To go on in the background, see
    /// [`Builder::seed`](crate::Builder::seed).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let hub = alice.local_addr();
    /// bob.connect_within(hub, Duration::from_secs(60))?;
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`connect`](MeshSocket::connect): that of the last dial when the time is over.
    pub fn connect_within(
        &self,
        addr: impl Into<PeerAddr>,
        timeout: Duration,
    ) -> Result<Connection> {
        self.check_open()?;
        let hosts = addr.into().hosts()?;
        let core = self.core();
        let deadline = Instant::now().checked_add(timeout).unwrap_or_else(far_future);
        let mut pause = FIRST_PAUSE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let patience = left.min(core.config.handshake_timeout * 2);
            let error = match self.connect_once(hosts.clone(), patience) {
                Err(error) if error.may_pass() => error,
                outcome => return outcome,
            };
            core.wait_for_peers(deadline.min(Instant::now() + pause), |_| !core.phase.is_open());
            self.check_open()?;
            if Instant::now() >= deadline {
                return Err(error);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn connect_once(&self, hosts: Vec<HostPort>, patience: Duration) -> Result<Connection> {
        let first = hosts.first().cloned();
        let addrs: PeerAddr = hosts.iter().cloned().collect();
        let connected = self.connect_any(hosts, patience);
        let id = connected.map_err(|failure| Error::from_failure(addrs.clone(), failure))?;
        // Between the handshake and now the link may have been lost again.
        let lost = || Failure {
            cause: Cause::PeerClosed,
            attempts: first.map(|addr| (addr, Cause::PeerClosed)).into_iter().collect(),
        };
        self.peer(&id).ok_or_else(|| Error::from_failure(addrs, lost()))
    }

    fn connect_any(&self, hosts: Vec<HostPort>, patience: Duration) -> Result<NodeId, Failure> {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let connecting: Connecting = self.core().act(|state, now| {
            let connecting = state.node.connect(now, hosts)?;
            if let Connecting::Dialling(connect) = connecting {
                state.connects.insert(connect, sender);
            }
            Ok::<_, Cause>(connecting)
        })?;
        match connecting {
            Connecting::Linked(id) => Ok(id),
            Connecting::Dialling(_) => {
                receiver.recv_timeout(patience).unwrap_or(Err(Cause::TimedOut.into()))
            }
        }
    }

    /// Waits until there are at least `count` direct peers. Returns their number.
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

    /// Ends the link to a peer, forgets its address, and does not link to it again until
    /// [`connect`](MeshSocket::connect) is called for it again. Does not block: what is queued for
    /// the peer is lost and counted.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// bob.disconnect(&alice.id())?;
    /// assert!(bob.peer(&alice.id()).is_none());
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPeer`] if it is neither a direct peer nor one that was lost.
    pub fn disconnect(&self, id: &NodeId) -> Result<()> {
        self.check_home()?;
        let was_peer = self.core().act(|state, now| state.node.disconnect(now, id));
        if was_peer { Ok(()) } else { Err(Error::UnknownPeer { id: Box::new(*id) }) }
    }

    /// Asks all peers for their peers, which are dialled in the background as far as `max_outgoing`
    /// allows. Does not block. Rarely needed, because it also happens automatically.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// bob.request_peers()?;
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
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

/// Returns a deadline for timeouts that the clock cannot express: a year.
pub(super) fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(365 * 24 * 3600)
}
