//! How two nodes of a private mesh prove to each other that they know its secret: packets after the
//! list of a hello. A node that does not know this extension reads an ordinary hello.

use super::hello::KIND;
use super::json;
use crate::packet::Packet;
use crate::secret::{Nonce, PROOF_LEN};

/// The word in the list of the hello that says what follows the list.
const CHALLENGE: &str = "challenge";
const PROOF: &str = "proof";
const REFUSED: &str = "refused";

/// Most bytes of a protocol id; real ones are shorter.
const MAX_PROTOCOL: usize = 64;

/// One step of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Both ends send it at once: the nonce that the proof must cover, and the mesh of the sender.
    Challenge { nonce: Nonce, protocol: String },
    /// The proof; the dialler sends it first, then the acceptor.
    Given([u8; PROOF_LEN]),
    /// The proof was wrong.
    Refused,
}

impl Proof {
    /// Reads the packets of a hello with this list.
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
