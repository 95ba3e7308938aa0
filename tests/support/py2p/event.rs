//! What the driver of a peer says, line by line, in types. See `peer.py`.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    Ready(Ready),
    Fatal(Fatal),
    Result(Value),
    Message(PeerMessage),
    Peers(Links),
    Exit,
}

/// The node is there.
#[derive(Debug, Deserialize)]
pub struct Ready {
    pub id: String,
    pub protocol_id: String,
    /// The Python that runs it.
    pub python: String,
}

/// There is no node, or none any more.
#[derive(Debug, Deserialize)]
pub struct Fatal {
    pub text: String,
    #[serde(default)]
    pub port_taken: bool,
}

/// A message that py2p handed to its user.
#[derive(Clone, Debug, Deserialize)]
pub struct PeerMessage {
    /// What the driver calls it, for `reply`.
    pub n: usize,
    /// The main flag as it arrived: a relayed broadcast is a waterfall.
    #[serde(deserialize_with = "hex_packet")]
    pub flag: Vec<u8>,
    /// As py2p shows them: the first is the sub-flag.
    #[serde(deserialize_with = "hex_packets")]
    pub packets: Vec<Vec<u8>>,
    pub sender: String,
    pub id: String,
    pub time: u64,
}

impl PeerMessage {
    pub fn kind(&self) -> &[u8] {
        &self.packets[0]
    }

    pub fn payload(&self) -> &[Vec<u8>] {
        &self.packets[1..]
    }
}

/// The links of a node at one moment.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Links {
    /// Those whose handshake is done.
    pub peers: Vec<Link>,
    /// How many are not there yet.
    pub awaiting: usize,
}

impl Links {
    /// The ids at the other ends, sorted, each once.
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.peers.iter().map(|link| link.id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    pub fn link(&self, id: &str) -> Option<&Link> {
        self.peers.iter().find(|link| link.id == id)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    pub id: String,
    /// Whether the py2p node dialled.
    pub outgoing: bool,
    /// What the other end announced: `[host, port]`, but py2p takes any JSON.
    pub addr: Value,
}

pub fn to_hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pair = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn hex_packet<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    from_hex(&text).ok_or_else(|| D::Error::custom("not hex"))
}

fn hex_packets<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<u8>>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let packets: Option<_> = texts.iter().map(|text| from_hex(text)).collect();
    packets.ok_or_else(|| D::Error::custom("not hex"))
}
