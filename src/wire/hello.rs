//! What rs2p nodes tell each other beyond 0.4.
//!
//! A whisper whose kind is [`KIND`]: py2p ignores kinds that it does not know, so it can be said
//! before the handshake, to anybody. Packets after the list belong to a word in it, or to later
//! versions.

use std::net::SocketAddr;

use super::json;
use super::peers::HostPort;
use super::proof::Proof;
use crate::packet::Packet;

/// The sub-flag of a hello.
pub(crate) const KIND: &[u8] = b"rs2p";

/// How a capability begins that gives a second address: `at 192.0.2.1:4444`.
const AT: &str = "at ";
/// Capability: speaks the rules of two links between rs2p nodes.
pub(crate) const LINKS: &str = "links";
/// Capability: passes replies on along the way that a message came, and says what became of them.
pub(crate) const REPLIES: &str = "replies";
/// Capability: says how fast it takes what it is sent.
pub(crate) const PACE: &str = "pace";

/// Capabilities that are kept of one hello, and the longest one.
const MAX_CAPABILITIES: usize = 32;
const MAX_CAPABILITY: usize = 64;

/// I am rs2p, and this is what I can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    pub capabilities: Vec<String>,
    /// A step in proving that both ends know the secret of their mesh.
    pub proof: Option<Proof>,
}

impl Hello {
    pub fn new<'a>(capabilities: impl IntoIterator<Item = &'a str>) -> Self {
        let capabilities = capabilities.into_iter().map(str::to_owned).collect();
        Hello { capabilities, proof: None }
    }

    /// Adds a second address at which we can be dialled.
    pub fn and_at(mut self, addr: Option<&HostPort>) -> Self {
        self.capabilities.extend(addr.map(|addr| format!("{AT}{addr}")));
        self
    }

    /// The second address that was given, if it is a number.
    pub fn at(&self) -> Option<HostPort> {
        let addr = self.capabilities.iter().find_map(|known| known.strip_prefix(AT))?;
        let addr: SocketAddr = addr.parse().ok()?;
        (addr.port() != 0).then(|| HostPort::from(addr))
    }

    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }

    /// Reads the packets of a hello. Whatever is over a bound is left out: it can only be
    /// something that this version does not know.
    pub(super) fn read(packets: &[Packet]) -> Option<Self> {
        let [_, list, ..] = packets else { return None };
        let mut capabilities: Vec<String> = json::read(list)?;
        capabilities.retain(|text| text.len() <= MAX_CAPABILITY);
        capabilities.truncate(MAX_CAPABILITIES);
        capabilities.shrink_to_fit();
        let proof = Proof::read(&capabilities, packets);
        Some(Hello { capabilities, proof })
    }

    pub fn payload(&self) -> Vec<Packet> {
        vec![KIND.into(), json::to_packet(&self.capabilities)]
    }
}
