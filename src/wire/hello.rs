//! What rs2p nodes tell each other beyond 0.4.
//!
//! A hello is a whisper whose kind is [`KIND`]. py2p ignores unknown kinds, so a hello can be sent
//! to any node before the handshake. Packets after the list belong to a word in it, or to later
//! versions.

use std::net::SocketAddr;

use super::json;
use super::proof::Proof;
use crate::host_port::HostPort;
use crate::packet::Packet;

/// The sub-flag of a hello.
pub(crate) const KIND: &[u8] = crate::options::GREETING;

/// Prefix of a capability that gives a second address: `at 192.0.2.1:4444`.
const AT: &str = "at ";
/// Capability: agrees on which of two links stays, see `node/double_links.rs`.
pub(crate) const LINKS: &str = "links";
/// Capability: relays replies back along the path of a message, sends receipts for them, and says and
/// reads which message an answer answers.
pub(crate) const REPLIES: &str = "replies";
/// Capability: says how fast it takes what it is sent.
pub(crate) const PACE: &str = "pace";

/// Capability: passes samples of the mesh on, and parts in peace, see `node/exchange.rs`.
pub(crate) const EXCHANGE: &str = "exchange";
/// Said by who dials: this link may be refused or given up.
pub(crate) const EXTRA: &str = "extra";

/// Capability: has a list of the members of the mesh, and tells it.
pub(crate) const MEMBERS: &str = "members";

/// Prefix of a capability: announces frames of this many bytes or more where that is enough, and
/// sends them on demand.
const LAZY: &str = "lazy=";

/// Most capabilities that are kept of one hello, and the most bytes of one.
const MAX_CAPABILITIES: usize = 32;
const MAX_CAPABILITY: usize = 64;

/// What an rs2p node says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    pub capabilities: Vec<String>,
    /// A step of the proof that both ends know the secret of their mesh.
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

    /// Returns the second address, if it is an IP address and a port.
    pub fn at(&self) -> Option<HostPort> {
        let addr = self.capabilities.iter().find_map(|known| known.strip_prefix(AT))?;
        let addr: SocketAddr = addr.parse().ok()?;
        (addr.port() != 0).then(|| HostPort::from(addr))
    }

    /// Adds that frames of at least this many bytes may be announced.
    pub fn and_lazy(mut self, least: Option<usize>) -> Self {
        self.capabilities.extend(least.map(|least| format!("{LAZY}{least}")));
        self
    }

    /// Adds a capability that only some nodes have.
    pub fn and_if(mut self, has: bool, capability: &str) -> Self {
        self.capabilities.extend(has.then(|| capability.to_owned()));
        self
    }

    /// Returns from how many bytes on frames may be announced; `None` if they have to be sent.
    pub fn lazy(&self) -> Option<usize> {
        self.capabilities.iter().find_map(|known| known.strip_prefix(LAZY)?.parse().ok())
    }

    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }

    /// Reads the packets of a hello. Capabilities over a limit are left out: this version knows
    /// none of them.
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
