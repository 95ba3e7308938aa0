//! Finding nodes in the local network: with the feature `discovery`.
//!
//! A node that was bound with [`Builder::discover`](crate::Builder::discover) says by UDP multicast where
//! it is, and hears the others of its mesh. So the first peer needs no address. Nodes that it hears are dialled
//! as those that peers tell about: while it has opened fewer links than
//! [`max_outgoing`](crate::Builder::max_outgoing).
//!
//! ```no_run
//! use rs2p::MeshSocket;
//! use rs2p::discovery::Discovery;
//! use std::time::Duration;
//!
//! # fn main() -> rs2p::Result<()> {
//! let sock = MeshSocket::builder().discover(Discovery::new()).bind("0.0.0.0:0")?;
//! sock.wait_for_peers(1, Duration::from_secs(10))?;
//! # sock.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What others see
//!
//! A beacon has 70 to 100 bytes: the id and the port of the node, a random number, and a digest of these with the
//! [id of the mesh](crate::Protocol::id). Whoever knows the name of a mesh can recognise its beacons; the name
//! cannot be read from them, and the secret is no part of them. Beacons are not authenticated: a forged one
//! makes a node dial an address in the network, at most one per second on average, and no more. A link
//! begins with the handshake, and the proof of the secret, as any other.
//!
//! # Limits
//!
//! The groups are 239.255.82.50 and ff12::7273:3270, the port is 24582, and the datagrams stay in the local network. A
//! node that is bound to an address of IPv4 uses IPv4, one that is bound to `[::]` uses both. Many clouds
//! and some wireless networks do not pass multicast on: have a [seed](crate::Builder::seed) as well. Two parts of a mesh
//! whose nodes all have enough links do not find each other.

use std::sync::Arc;
use std::thread::Builder;

use crate::runtime::core::Core;

mod announcer;
mod beacon;
mod interfaces;
mod multicast_socket;

use announcer::Announcer;

/// How to discover nodes; see the [module](self).
///
/// ```no_run
/// use rs2p::discovery::Discovery;
///
/// let discovery = Discovery::new().interface("eth0");
/// let sock = rs2p::MeshSocket::builder().discover(discovery).bind("0.0.0.0:0")?;
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Discovery {
    interfaces: Vec<String>,
}

impl Discovery {
    /// Returns the default: the interface that the socket is bound to, or all of them, those that come up
    /// later too.
    ///
    /// ```no_run
    /// use rs2p::discovery::Discovery;
    ///
    /// let sock = rs2p::MeshSocket::builder().discover(Discovery::new()).bind("0.0.0.0:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses only the interface with this name or this address, which may come up later. Can be called for
    /// several.
    ///
    /// ```no_run
    /// use rs2p::discovery::Discovery;
    ///
    /// let discovery = Discovery::new().interface("eth0").interface("192.168.1.5");
    /// let sock = rs2p::MeshSocket::builder().discover(discovery).bind("0.0.0.0:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn interface(mut self, interface: impl ToString) -> Self {
        self.interfaces.push(interface.to_string());
        self
    }

    /// Starts the thread. Returns what wakes it when the socket closes.
    pub(crate) fn start(
        self,
        core: &Arc<Core>,
    ) -> std::io::Result<impl Fn() + Send + Sync + use<>> {
        let announcer = Announcer::new(Arc::clone(core), self.interfaces)?;
        let waker = announcer.waker()?;
        core.threads.add(Builder::new().name("rs2p-discovery".into()), move || announcer.run())?;
        // Fails only if the thread has ended.
        Ok(move || _ = waker.wake())
    }
}
