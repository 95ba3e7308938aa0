//! Inspecting the socket: peers, events, status, counters. All are snapshots.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::MeshSocket;
use crate::connection::Connection;
use crate::error::Error;
use crate::events::MeshEvent;
use crate::id::NodeId;
use crate::presence::Member;
use crate::runtime::core::State;
use crate::stats::Stats;
use crate::trouble::Trouble;

/// What the node knows and counts.
impl MeshSocket {
    /// Returns the direct peers, by id, as of now.
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
    pub fn routing_table(&self) -> BTreeMap<NodeId, Connection> {
        let connect = |peer| Connection::new(peer, Arc::downgrade(&self.handle));
        self.look(|state| {
            state.node.peers().map(|(id, _, peer)| (id, connect(peer.neighbour(id)))).collect()
        })
    }

    /// Returns one direct peer, or `None`.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// bob.connect(alice.local_addr())?;
    /// if let Some(peer) = bob.peer(&alice.id()) {
    ///     peer.send("for you alone")?;
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn peer(&self, id: &NodeId) -> Option<Connection> {
        let found = self.look(|state| {
            let mut peers = state.node.peers();
            peers.find(|(peer, _, _)| peer == id).map(|(id, _, peer)| peer.neighbour(id))
        });
        found.map(|peer| Connection::new(peer, Arc::downgrade(&self.handle)))
    }

    /// Reads from the node; in a forked process there is nothing to read.
    pub(super) fn look<R: Default>(&self, look: impl FnOnce(&State) -> R) -> R {
        if self.core().phase.is_home() { self.core().look(look) } else { R::default() }
    }

    /// Returns how many bytes are queued for one peer.
    pub(crate) fn queued_for(&self, id: &NodeId) -> usize {
        self.look(|state| {
            let link = state.node.link_of(id).and_then(|link| state.links.get(&link));
            link.map_or(0, |link| link.mailbox(|mailbox| mailbox.outgoing.queued()))
        })
    }

    /// Returns the peers that this node dialled.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// bob.connect(alice.local_addr())?;
    /// assert_eq!(bob.outgoing(), [alice.id()]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn outgoing(&self) -> Vec<NodeId> {
        self.peers_where(true)
    }

    /// Returns the peers that dialled this node.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// bob.connect(alice.local_addr())?;
    /// assert_eq!(alice.incoming(), [bob.id()]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn incoming(&self) -> Vec<NodeId> {
        self.peers_where(false)
    }

    /// Returns how many links are still in their handshake.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.awaiting_ids(), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn awaiting_ids(&self) -> usize {
        self.look(|state| state.node.awaiting())
    }

    /// Returns how many links there are. Links in their handshake count, and so do links that give
    /// way to another link to the same peer, so there may be more links than peers.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// bob.connect(alice.local_addr())?;
    /// assert_eq!(bob.links(), 1);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn links(&self) -> usize {
        self.look(|state| state.node.links())
    }

    /// Returns the other nodes of the mesh, as far as this node knows them: with
    /// [`presence`](crate::presence) all that have announced themselves. Peers, and nodes of which peers have
    /// told, are listed in any case.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// for member in sock.members() {
    ///     println!("{} {}", member.id, member.name);
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.look(|state| state.node.members())
    }

    fn peers_where(&self, outgoing: bool) -> Vec<NodeId> {
        self.look(|state| {
            let peers = state.node.peers().filter(|(_, _, peer)| peer.is_outgoing() == outgoing);
            peers.map(|(id, _, _)| id).collect()
        })
    }

    /// Returns the channel of events: peers that join and leave, and why, from the start.
    ///
    /// It is a crossbeam channel of 4,096 events. If no program reads them the oldest are dropped,
    /// counted in [`Stats::lost_events`]. All receivers share the events: each is handed out once.
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

    /// Returns what is wrong now and what went wrong before, the latest 256 entries: one when a
    /// [`Trouble`] begins, with what to do, and one when it ends. It prints as `Nominal` if nothing
    /// is or was wrong.
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
        if !self.core().phase.is_home() {
            let troubles = vec![Error::Forked.to_string()];
            return Status { troubles, current: vec![Trouble::Forked] };
        }
        self.core().end_old_troubles();
        let (troubles, current) = self.core().journal.status();
        Status { troubles, current }
    }

    /// Returns all counters, with every loss by its reason.
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
        if self.core().phase.is_home() { self.core().stats() } else { Stats::default() }
    }
}

/// What went wrong so far; see [`MeshSocket::status`].
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// let status = sock.status();
/// for trouble in status.current() {
///     println!("{trouble}: {}", trouble.remedy());
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    troubles: Vec<String>,
    current: Vec<Trouble>,
}

impl Status {
    /// Returns whether nothing is wrong, and nothing went wrong before.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert!(sock.status().is_nominal());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn is_nominal(&self) -> bool {
        self.troubles.is_empty() && self.current.is_empty()
    }

    /// Returns what is wrong now.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert!(sock.status().current().is_empty());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn current(&self) -> &[Trouble] {
        &self.current
    }

    /// Returns what went wrong, and what was over again, the oldest first.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// for line in sock.status().troubles() {
    ///     println!("{line}");
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
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
        let now = self.current.iter().map(|trouble| format!("now: {trouble}"));
        let lines: Vec<String> = self.troubles.iter().cloned().chain(now).collect();
        f.write_str(&lines.join("\n"))
    }
}
