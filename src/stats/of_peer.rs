//! The counters of one peer.

use super::Refusal;
use crate::id::NodeId;

/// What a peer has sent on its link so far: see [`MeshSocket::peer_stats`](crate::MeshSocket::peer_stats).
///
/// ```
/// # use rs2p::{MeshSocket, report::Refusal};
/// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
/// # bob.connect(alice.local_addr())?;
/// bob.send("hello")?;
/// alice.recv()?;
/// let stats = alice.peer_stats();
/// assert_eq!(stats[0].id, bob.id());
/// assert!(stats[0].received > 0 && stats[0].refused_for(Refusal::TooOld) == 0);
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerStats {
    /// The peer.
    pub id: NodeId,
    /// The address at the other end of the connection, as `host:port`.
    pub remote: String,
    /// Frames that arrived, duplicates included.
    pub received: u64,
    /// Their bytes, unpacked.
    pub bytes: u64,
    /// Of these frames, duplicates that were noticed before they were read.
    pub duplicates: u64,
    pub(crate) refusals: Refusals,
}

/// How many frames were refused, by the reason.
pub(crate) type Refusals = [u64; Refusal::ALL.len()];

/// The counters of a link.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Received {
    pub frames: u64,
    pub bytes: u64,
    pub duplicates: u64,
    pub refusals: Refusals,
}

impl Received {
    pub fn note(&mut self, len: usize) {
        self.frames = self.frames.saturating_add(1);
        self.bytes = self.bytes.saturating_add(len as u64);
    }

    pub fn note_duplicate(&mut self, len: usize) {
        self.note(len);
        self.duplicates = self.duplicates.saturating_add(1);
    }

    pub fn refuse(&mut self, reason: Refusal) {
        if let Some(count) = self.refusals.get_mut(reason as usize) {
            *count = count.saturating_add(1);
        }
    }
}

impl PeerStats {
    pub(crate) fn new(id: NodeId, remote: String, received: Received) -> Self {
        let Received { frames, bytes, duplicates, refusals } = received;
        PeerStats { id, remote, received: frames, bytes, duplicates, refusals }
    }

    /// Returns how many frames of the peer were refused for this reason.
    ///
    /// ```
    /// # use rs2p::{MeshSocket, report::Refusal};
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// for peer in sock.peer_stats() {
    ///     println!("{}: {} wrong ids", peer.remote, peer.refused_for(Refusal::WrongId));
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn refused_for(&self, reason: Refusal) -> u64 {
        self.refusals.get(reason as usize).copied().unwrap_or(0)
    }

    /// Returns how many frames of the peer were refused for any reason.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// println!("{} refused", sock.peer_stats().iter().map(|peer| peer.refused()).sum::<u64>());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refusals.iter().sum()
    }
}
