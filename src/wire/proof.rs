//! How two nodes of a private mesh show each other that they know its secret: packets behind the
//! list of a hello. Who knows nothing of secrets sees a hello and nothing else.

use super::hello::KIND;
use super::json;
use crate::packet::Packet;
use crate::secret::{Nonce, PROOF_LEN};

/// What the list of the hello says is behind it.
const CHALLENGE: &str = "challenge";
const PROOF: &str = "proof";
const REFUSED: &str = "refused";

/// Longer than any protocol id.
const MAX_PROTOCOL: usize = 64;

/// One step of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Both at once: prove it, over this nonce; and that is my mesh.
    Challenge { nonce: Nonce, protocol: String },
    /// The dialler, then the acceptor: here you are.
    Given([u8; PROOF_LEN]),
    /// You do not know it.
    Refused,
}

impl Proof {
    /// Reads the packets of a hello that has this list.
    pub(super) fn read(list: &[String], packets: &[Packet]) -> Option<Self> {
        let [word] = list else { return None };
        match (word.as_str(), packets) {
            (CHALLENGE, [_, _, nonce, protocol, ..]) if protocol.len() <= MAX_PROTOCOL => {
                let nonce = nonce.as_bytes().try_into().ok()?;
                let protocol = std::str::from_utf8(protocol).ok()?.to_owned();
                Some(Proof::Challenge { nonce, protocol })
            }
            (PROOF, [_, _, proof, ..]) => proof.as_bytes().try_into().ok().map(Proof::Given),
            (REFUSED, _) => Some(Proof::Refused),
            _ => None,
        }
    }

    pub fn payload(&self) -> Vec<Packet> {
        let (word, packets): (_, &[&[u8]]) = match self {
            Proof::Challenge { nonce, protocol } => (CHALLENGE, &[nonce, protocol.as_bytes()]),
            Proof::Given(proof) => (PROOF, &[proof]),
            Proof::Refused => (REFUSED, &[]),
        };
        let head = [KIND.into(), json::to_packet(&[word])];
        head.into_iter().chain(packets.iter().map(|&packet| packet.into())).collect()
    }
}
