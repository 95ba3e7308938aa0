//! Which mesh a node belongs to, where its nodes are, and what it logs.

use super::Builder;
use crate::peer_addr::PeerAddr;
use crate::presence::Presence;
use crate::protocol::Protocol;
use crate::wire::HostPort;

impl Builder {
    /// Sets the mesh to belong to. Default: `mesh`, plaintext.
    ///
    /// ```
    /// use rs2p::{Encryption, MeshSocket, Protocol};
    ///
    /// let protocol = Protocol::new("my mesh", Encryption::Plaintext);
    /// let sock = MeshSocket::builder().protocol(protocol).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the address that other nodes are told to dial, if it is not the bound one: behind a
    /// port forward, for instance. It overrules the addresses of links and interfaces. Port 0
    /// stands for the bound port. Checked in [`bind`](Builder::bind).
    ///
    /// ```
    /// // Port 4444 of the router leads to this node.
    /// let sock = rs2p::MeshSocket::builder().out_addr("203.0.113.5", 4444).bind("127.0.0.1:0")?;
    /// assert_eq!(sock.out_addr(), "203.0.113.5:4444");
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn out_addr(mut self, host: impl Into<String>, port: u16) -> Self {
        self.out_addr = Some(HostPort { host: host.into(), port });
        self
    }

    /// Adds a node to link to, at the start and whenever that link is lost. It need not run yet: it
    /// is dialled until it answers, with pauses of up to 3 s, and its name is looked up at each
    /// dial. [`MeshEvent::SeedReached`](crate::MeshEvent::SeedReached) says that it has answered.
    ///
    /// All nodes of a mesh may have the same seeds: a seed does not dial itself.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// let hub = MeshSocket::bind("127.0.0.1:0")?;
    /// let sock = MeshSocket::builder().seed(hub.local_addr()).bind("127.0.0.1:0")?;
    /// sock.wait_for_peers(1, Duration::from_secs(10))?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn seed(mut self, addr: impl Into<PeerAddr>) -> Self {
        self.seeds.push(addr.into());
        self
    }

    /// Adds several nodes, each of which is dialled. For one node with several addresses, see
    /// [`PeerAddr`].
    ///
    /// ```no_run
    /// let seeds = ["one.example.org:4444", "two.example.org:4444"];
    /// let sock = rs2p::MeshSocket::builder().seeds(seeds).bind("0.0.0.0:4444")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn seeds<A: Into<PeerAddr>>(mut self, addrs: impl IntoIterator<Item = A>) -> Self {
        self.seeds.extend(addrs.into_iter().map(Into::into));
        self
    }

    /// Tells the mesh that this node is there, and lists the other nodes that do; see
    /// [`presence`](crate::presence). Off by default: then the node only passes on what others tell.
    ///
    /// ```
    /// use rs2p::MeshSocket;
    /// use rs2p::presence::Presence;
    ///
    /// let presence = Presence::new().name("press 4").role("printer");
    /// let sock = MeshSocket::builder().presence(presence).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn presence(mut self, presence: Presence) -> Self {
        self.config.presence = Some(presence);
        self
    }

    /// Limits what this socket logs, from 0 to 5; see the [table of levels](crate#logging). By
    /// default only the logger limits it.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().debug_level(1).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn debug_level(mut self, level: u8) -> Self {
        self.debug_level = Some(level);
        self
    }
}
