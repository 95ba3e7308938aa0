//! The socket: bind, connect, send, receive, close.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use crate::close_report::CloseReport;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::protocol::Protocol;
use crate::runtime::core::Core;

mod binding;

mod connecting;
pub(crate) mod delivering;
pub(crate) mod drafting;
mod handlers;
mod inspecting;
pub(crate) mod intake;
mod peer_stats;
pub(crate) mod posting;
mod receiving;
mod registering;
mod requesting;
mod room;
mod sending;
mod sent;
mod subscribing;
mod try_send;

use delivering::Delivery;
pub use inspecting::Status;
pub use registering::Registration;
pub use sent::Sent;

/// A node of the mesh.
///
/// It is a handle: clones are the same node, each thread can have one, and every method takes
/// `&self`. Binding starts two threads, and each link has one more.
///
/// ```
/// use std::time::Duration;
/// use rs2p::MeshSocket;
///
/// # fn main() -> rs2p::Result<()> {
/// let alice = MeshSocket::bind(("127.0.0.1", 0))?;
/// let bob = MeshSocket::bind(("127.0.0.1", 0))?;
/// bob.connect(alice.local_addr())?;
///
/// bob.send(["this is", "a test"])?;
/// let msg = alice.recv_timeout(Duration::from_secs(5))?;
/// assert_eq!(msg.payload(), ["this is", "a test"]);
/// # alice.close()?;
/// # bob.close()?;
/// # Ok(())
/// # }
/// ```
///
/// # Closing
///
/// [`close`](MeshSocket::close) writes what is queued, joins the threads and drops the handlers.
/// Dropping the last handle does the same without waiting, so a program that ends right after
/// a `send` should call `close`. A handler that captured a `MeshSocket` keeps it alive: use
/// [`Message::server`](crate::Message::server) instead, or call `close`.
///
/// # Forking
///
/// A socket belongs to the process that bound it, because a fork does not copy its threads. In a
/// forked process every call that could send, receive or wait fails with [`Error::Forked`], and
/// [`status`](MeshSocket::status) says so. So a program that becomes a daemon binds after it has.
#[derive(Clone)]
pub struct MeshSocket {
    handle: Arc<Handle>,
}

/// The state that all clones share. Threads hold only the core, so that dropping the last clone can
/// be noticed.
pub(crate) struct Handle {
    pub(crate) core: Arc<Core>,
    pub(crate) delivery: Arc<Delivery>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.core.phase.is_home() {
            self.core.close_in_background();
        }
    }
}

/// Closing, and who this node is.
impl MeshSocket {
    pub(crate) fn new(core: Arc<Core>, delivery: Arc<Delivery>) -> Self {
        let handle = Arc::new(Handle { core, delivery });
        // Set once, here: all of it is new.
        let _ = handle.delivery.handle.set(Arc::downgrade(&handle));
        MeshSocket { handle }
    }

    /// Returns the socket that this points to, or `None` if its last handle is gone.
    pub(crate) fn upgrade(handle: &Weak<Handle>) -> Option<Self> {
        handle.upgrade().map(|handle| MeshSocket { handle })
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.handle.core
    }

    fn delivery(&self) -> &Delivery {
        &self.handle.delivery
    }

    /// Closes the socket: accepts no new work, lets the handlers finish what has arrived, writes
    /// what is queued for at most the linger time (500 ms), closes all links, joins all threads and
    /// drops the handlers.
    ///
    /// Blocks until that is done, about two seconds at most. Calls that are blocked on this socket
    /// return [`Error::Closed`]. Messages in the queue can still be received. Closing again changes
    /// nothing and returns the same report. Inside a handler, `close` only begins to close.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// sock.send("bye")?;
    /// let report = sock.close()?;
    /// assert_eq!(report.unsent_frames, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::WouldDeadlock`] inside a handler: closing has begun, and goes on.
    /// [`Error::Forked`] in another process: the socket of the process that bound it stays.
    pub fn close(&self) -> Result<CloseReport> {
        self.check_home()?;
        self.core().close().ok_or(Error::WouldDeadlock)
    }

    /// Returns the id of this node.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// assert_eq!(alice.recv()?.sender(), bob.id());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.core().id
    }

    /// Returns the mesh that it belongs to.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.protocol().subnet(), "mesh");
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn protocol(&self) -> &Protocol {
        &self.core().protocol
    }

    /// Returns the address that it is bound to, with the real port. After binding a wildcard
    /// address, others connect to [`out_addr`](MeshSocket::out_addr).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// println!("listening on port {}", sock.local_addr().port());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.core().local_addr
    }

    /// Returns the address that others are told to dial, as `host:port`: the best one as of now.
    /// For a wildcard address the interfaces are read; a peer is told the address of the interface
    /// of its link. Returns a loopback address if no other node can dial this one.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// println!("others can dial {}", sock.out_addr());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn out_addr(&self) -> String {
        self.core().out_addr().to_string()
    }

    /// Returns the SHA-256 fingerprint of the certificate that this socket shows; `None` in
    /// plaintext. Other nodes can [pin](crate::tls::Tls::pin) it.
    ///
    /// ```
    /// use rs2p::{Encryption, MeshSocket, Protocol};
    ///
    /// let protocol = Protocol::new("mesh", Encryption::Ssl);
    /// let sock = MeshSocket::builder().protocol(protocol).bind("127.0.0.1:0")?;
    /// if let Some(fingerprint) = sock.fingerprint() {
    ///     println!("pin {fingerprint}");
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[cfg(feature = "native-tls")]
    #[must_use]
    pub fn fingerprint(&self) -> Option<crate::tls::Fingerprint> {
        self.core().tls.as_ref().map(|kit| kit.fingerprint())
    }

    fn check_open(&self) -> Result<()> {
        self.core().phase.check()
    }

    fn check_home(&self) -> Result<()> {
        if self.core().phase.is_home() { Ok(()) } else { Err(Error::Forked) }
    }
}

impl std::fmt::Debug for MeshSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MeshSocket({}, {})", self.id(), self.local_addr())
    }
}
