//! Which mesh a node belongs to, where its nodes are, and what it logs.

use super::Builder;
use crate::peer_addr::PeerAddr;
use crate::protocol::Protocol;
use crate::wire::HostPort;

impl Builder {
    /// Sets the mesh to belong to. Default: `mesh`, plaintext.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the address that other nodes are told to dial, if it is not the bound one: behind a
    /// port forward, for instance. It overrules the addresses of links and interfaces. Port 0
    /// stands for the bound port. Checked in [`bind`](Builder::bind).
    pub fn out_addr(mut self, host: impl Into<String>, port: u16) -> Self {
        self.out_addr = Some(HostPort { host: host.into(), port });
        self
    }

    /// Adds a node to link to, at the start and whenever that link is lost. It need not run yet: it
    /// is dialled until it answers, with pauses of up to 3 s, and its name is looked up at each
    /// dial. [`MeshEvent::SeedReached`](crate::MeshEvent::SeedReached) says that it has answered.
    ///
    /// All nodes of a mesh may have the same seeds: a seed does not dial itself.
    pub fn seed(mut self, addr: impl Into<PeerAddr>) -> Self {
        self.seeds.push(addr.into());
        self
    }

    /// Adds several nodes, each of which is dialled. For one node with several addresses, see
    /// [`PeerAddr`].
    pub fn seeds<A: Into<PeerAddr>>(mut self, addrs: impl IntoIterator<Item = A>) -> Self {
        self.seeds.extend(addrs.into_iter().map(Into::into));
        self
    }

    /// Limits what this socket logs, from 0 to 5; see the [table of levels](crate#logging). By
    /// default only the logger limits it.
    pub fn debug_level(mut self, level: u8) -> Self {
        self.debug_level = Some(level);
        self
    }
}
