//! What each peer has sent so far.

use super::MeshSocket;
use crate::stats::PeerStats;

impl MeshSocket {
    /// Returns what each direct peer has sent on its link, and what of it was refused, by id.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// for peer in sock.peer_stats() {
    ///     println!("{} at {}: {} frames, {} refused", peer.id, peer.remote, peer.received, peer.refused());
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn peer_stats(&self) -> Vec<PeerStats> {
        self.look(|state| {
            let peers = state.node.peers();
            peers.map(|(id, _, peer)| PeerStats::new(id, peer.remote(), peer.received)).collect()
        })
    }
}
