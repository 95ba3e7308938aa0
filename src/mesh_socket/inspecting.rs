//! Looking at the socket: peers, events, status, counters. All are snapshots.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::MeshSocket;
use crate::connection::Connection;
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::stats::Stats;

/// The direct peers, by id.
pub type RoutingTable = BTreeMap<NodeId, Connection>;

impl MeshSocket {
    /// The direct peers, as of now.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// for (id, connection) in sock.routing_table() {
    ///     println!("{id} at {}", connection.addr());
    /// }
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn routing_table(&self) -> RoutingTable {
        let connect = |peer| Connection::new(peer, Arc::downgrade(&self.handle));
        self.core().look(|state| {
            state.node.peers().map(|(id, _, peer)| (id, connect(peer.neighbour(id)))).collect()
        })
    }

    /// One direct peer, or `None`.
    #[must_use]
    pub fn peer(&self, id: &NodeId) -> Option<Connection> {
        let found = self.core().look(|state| {
            let mut peers = state.node.peers();
            peers.find(|(peer, _, _)| peer == id).map(|(id, _, peer)| peer.neighbour(id))
        });
        found.map(|peer| Connection::new(peer, Arc::downgrade(&self.handle)))
    }

    /// Bytes that are queued for one peer.
    pub(crate) fn queued_for(&self, id: &NodeId) -> usize {
        self.core().look(|state| {
            let link = state.node.link_of(id).and_then(|link| state.links.get(&link));
            link.map_or(0, |link| link.desk(|desk| desk.outgoing.queued()))
        })
    }

    /// Peers that this node dialled.
    #[must_use]
    pub fn outgoing(&self) -> Vec<NodeId> {
        self.peers_where(true)
    }

    /// Peers that dialled this node.
    #[must_use]
    pub fn incoming(&self) -> Vec<NodeId> {
        self.peers_where(false)
    }

    /// How many links have not shaken hands yet.
    #[must_use]
    pub fn awaiting_ids(&self) -> usize {
        self.core().look(|state| state.node.awaiting())
    }

    /// How many links there are, those included that have not shaken hands yet or are giving way to
    /// another link to the same peer. For a while that is more than there are peers.
    #[must_use]
    pub fn links(&self) -> usize {
        self.core().look(|state| state.node.links())
    }

    fn peers_where(&self, outgoing: bool) -> Vec<NodeId> {
        self.core().look(|state| {
            let peers = state.node.peers().filter(|(_, _, peer)| peer.is_outgoing() == outgoing);
            peers.map(|(id, _, _)| id).collect()
        })
    }

    /// What happens in the mesh, from the start: peers that join and leave, and why.
    ///
    /// A crossbeam channel of 4,096 events; if nobody reads them the oldest go, counted in
    /// [`Stats::lost_events`]. All receivers share the events: each is handed out once.
    ///
    /// ```
    /// # use rs2p::{MeshEvent, MeshSocket};
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// let events = alice.events();
    /// bob.connect(alice.local_addr())?;
    /// let event = events.recv_timeout(Duration::from_secs(5))?;
    /// assert!(matches!(event, MeshEvent::Joined { id, .. } if id == bob.id()));
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn events(&self) -> Receiver<MeshEvent> {
        self.core().journal.events()
    }

    /// What went wrong so far, the latest 256 entries; it prints as `Nominal` if nothing did.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// assert!(sock.status().is_nominal());
    /// assert_eq!(sock.status().to_string(), "Nominal");
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        Status { troubles: self.core().journal.troubles() }
    }

    /// Every counter, and every loss by its reason.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// println!("{}", sock.stats());
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.core().stats()
    }
}

/// What went wrong so far; see [`MeshSocket::status`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    troubles: Vec<String>,
}

impl Status {
    /// Whether nothing went wrong.
    #[must_use]
    pub fn is_nominal(&self) -> bool {
        self.troubles.is_empty()
    }

    /// What went wrong, the oldest first.
    #[must_use]
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nominal() {
            return f.write_str("Nominal");
        }
        f.write_str(&self.troubles.join("\n"))
    }
}
