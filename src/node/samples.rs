//! Samples of the mesh: addresses of a node's peers that take a random walk, so that nodes far away hear of
//! them.

use super::event::LinkId;
use super::peer::Peer;
use super::{Node, Now};
use crate::id::NodeId;
use crate::options::Flag;
use crate::wire::{Exchange, PeerEntry};

/// Hops of a sample. Every node on the way hears of the addresses.
const HOPS: u64 = 20;
/// Addresses in a sample.
const TOLD: usize = 4;

impl Node {
    /// Sends addresses of some peers on their way.
    pub(super) fn send_sample(&mut self, now: Now) {
        let Some((_, link)) = self.some_exchanger(None) else { return };
        let entries = self.peer_entries(link, TOLD);
        if !entries.is_empty() {
            let word = Exchange::Sample { hops: HOPS, entries };
            self.say(now, link, Flag::Whisper, word.payload());
        }
    }

    /// Returns a random peer that knows exchanges, other than this one.
    fn some_exchanger(&mut self, but: Option<NodeId>) -> Option<(NodeId, LinkId)> {
        let knows = |(id, _, peer): &(NodeId, LinkId, &Peer)| peer.exchanges && Some(*id) != but;
        let peers: Vec<_> = self.peers().filter(knows).map(|(id, link, _)| (id, link)).collect();
        let any = self.rng.below(peers.len() as u64) as usize;
        peers.get(any).copied()
    }

    pub(super) fn sample_came(
        &mut self,
        now: Now,
        link: LinkId,
        from: NodeId,
        hops: u64,
        entries: &[PeerEntry],
    ) {
        let Some(peer) = self.links.get_mut(link).filter(|peer| peer.exchanges) else { return };
        if !peer.allowances.samples.take(now.mono) {
            return;
        }
        // An address that makes no sense from here is not passed on to a node where it would.
        let scope = self.scope_of(link);
        let is_sensible =
            |entry: &&PeerEntry| entry.addr.as_ref().is_some_and(|at| self.is_sensible(scope, at));
        let entries: Vec<PeerEntry> =
            entries.iter().take(TOLD).filter(is_sensible).cloned().collect();
        self.hear_of(now, link, &entries);
        let hops = hops.min(HOPS).saturating_sub(1);
        if hops > 0 {
            self.pass_sample_on(now, from, hops, entries);
        }
    }

    fn pass_sample_on(&mut self, now: Now, from: NodeId, hops: u64, mut entries: Vec<PeerEntry>) {
        let Some((to, link)) = self.some_exchanger(Some(from)) else { return };
        let scope = self.scope_of(link);
        entries.retain(|entry| {
            entry.id != to && entry.addr.as_ref().is_some_and(|at| scope.may_tell(at))
        });
        if !entries.is_empty() {
            self.say(now, link, Flag::Whisper, Exchange::Sample { hops, entries }.payload());
        }
    }
}
