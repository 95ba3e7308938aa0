//! Proving that both ends know the secret of a private mesh, before anything else is said.
//!
//! Both ends send a challenge at once: a nonce, and which mesh they mean. Then the dialler proves,
//! over both nonces and the acceptor's certificate, and only if that holds the acceptor does: so
//! nobody gets a proof out of a node by dialling it. Whoever has proved and seen the proof says
//! hello and goes on as in any other mesh.

use super::event::{Channel, LinkId};
use super::{Node, Now};
use crate::events::Cause;
use crate::options::Flag;
use crate::secret::{Key, Nonce, PROOF_LEN, Role, Transcript};
use crate::wire::{Body, Envelope, Proof};

/// How far the two ends of a link are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proving {
    /// Our nonce is on its way, theirs is awaited.
    Challenged(Channel),
    /// Their proof is awaited.
    Awaiting(Transcript),
    /// The peer knows the secret, or there is none to know.
    Done,
}

impl Node {
    /// Makes the mesh private: from now on every peer has to prove that it knows the secret.
    pub fn require_proof(&mut self, key: Key) {
        self.key = Some(key);
    }

    pub(super) fn secured(&mut self, link: LinkId, channel: Channel) {
        let Some(peer) = self.peers.get_mut(&link).filter(|_| self.key.is_some()) else { return };
        peer.proving = Proving::Challenged(channel);
    }

    /// The first words on a link of a private mesh.
    pub(super) fn challenge(&mut self, now: Now, link: LinkId) {
        let Some(peer) = self.peers.get(&link) else { return };
        // Without encryption there is nothing that a proof could be bound to.
        let Proving::Challenged(channel) = &peer.proving else {
            return self.close_link(now, link, Cause::WrongSecret);
        };
        let (nonce, protocol) = (channel.nonce, self.me.protocol.clone());
        self.say_proof(now, link, &Proof::Challenge { nonce, protocol });
    }

    /// Whether the peer still has to prove that it knows the secret.
    pub(super) fn is_unproven(&self, link: LinkId) -> bool {
        self.peers.get(&link).is_some_and(|peer| peer.proving != Proving::Done)
    }

    /// A message of a peer that has not proved yet: a step of the exchange, or the end.
    pub(super) fn prove(&mut self, now: Now, link: LinkId, envelope: &Envelope) {
        match &envelope.body {
            Body::Hello(hello) => {
                self.stats.control += 1;
                if let Some(peer) = self.peers.get_mut(&link) {
                    peer.is_rs2p = true;
                }
                match &hello.proof {
                    Some(Proof::Challenge { nonce, protocol }) => {
                        self.challenged(now, link, nonce, protocol);
                    }
                    Some(Proof::Given(proof)) => self.proof_given(now, link, proof),
                    Some(Proof::Refused) => self.close_link(now, link, Cause::WrongSecret),
                    // A node of a mesh without a secret: its handshake will say which.
                    None => {}
                }
            }
            Body::Handshake(handshake) if handshake.protocol != self.me.protocol => {
                self.stats.control += 1;
                self.not_our_mesh(now, link, &handshake.protocol);
            }
            Body::Invalid(_) => self.close_link(now, link, Cause::NotPy2p),
            _ => self.refuse_proof(now, link),
        }
    }

    fn challenged(&mut self, now: Now, link: LinkId, theirs: &Nonce, protocol: &str) {
        if protocol != self.me.protocol {
            return self.not_our_mesh(now, link, protocol);
        }
        let (Some(key), Some(peer)) = (&self.key, self.peers.get_mut(&link)) else { return };
        let Proving::Challenged(Channel { end_point, nonce: ours }) = &peer.proving else {
            return self.refuse_proof(now, link);
        };
        let is_dialler = peer.is_outgoing();
        let (dialler, acceptor) = if is_dialler { (*ours, *theirs) } else { (*theirs, *ours) };
        let transcript = Transcript { end_point: end_point.clone(), dialler, acceptor };
        let proof = is_dialler.then(|| key.prove(Role::Dialler, &transcript));
        peer.proving = Proving::Awaiting(transcript);
        if let Some(proof) = proof {
            self.say_proof(now, link, &Proof::Given(proof));
        }
    }

    fn proof_given(&mut self, now: Now, link: LinkId, proof: &[u8; PROOF_LEN]) {
        let (Some(key), Some(peer)) = (&self.key, self.peers.get_mut(&link)) else { return };
        let Proving::Awaiting(transcript) = &peer.proving else {
            return self.refuse_proof(now, link);
        };
        let is_dialler = peer.is_outgoing();
        let theirs = if is_dialler { Role::Acceptor } else { Role::Dialler };
        if !key.verify(theirs, transcript, proof) {
            return self.refuse_proof(now, link);
        }
        let answer = (!is_dialler).then(|| key.prove(Role::Acceptor, transcript));
        peer.proving = Proving::Done;
        if let Some(proof) = answer {
            self.say_proof(now, link, &Proof::Given(proof));
        }
        self.say_hello(now, link);
        self.answer(now, link);
    }

    /// Says so before the link is closed, for an honest peer that has another secret.
    fn refuse_proof(&mut self, now: Now, link: LinkId) {
        self.say_proof(now, link, &Proof::Refused);
        self.close_link(now, link, Cause::WrongSecret);
    }

    fn say_proof(&mut self, now: Now, link: LinkId, proof: &Proof) {
        self.say(now, link, Flag::Whisper, proof.payload());
    }
}
