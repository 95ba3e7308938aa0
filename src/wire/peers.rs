//! Addresses of nodes: peers lists, and the requests and responses that find one node.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::json::{self, Loose};
use crate::host_port::HostPort;
use crate::id::NodeId;
use crate::options::Kind;
use crate::packet::Packet;

/// Most entries that are kept of a peers list. A list is only a hint: more are not worth their
/// memory.
pub(crate) const MAX_ENTRIES: usize = 64;

/// Most bytes of a host. A DNS name has at most 253 characters.
const MAX_HOST: usize = 255;

/// The text that a request for a peers list has in place of an id.
pub(crate) const ALL: &[u8] = b"*";

impl HostPort {
    /// Reads `["HOST", PORT]`. Returns `None` if it cannot be dialled.
    pub(super) fn from_loose(value: Loose) -> Option<Self> {
        let Loose::Pair(pair) = value else { return None };
        let (Loose::Text(host), Loose::Number(port)) = *pair else { return None };
        let port = u16::try_from(port).ok().filter(|&port| port != 0)?;
        let is_host = host.len() <= MAX_HOST && !host.contains(char::is_control);
        is_host.then_some(HostPort { host, port })
    }
}

impl Serialize for HostPort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.host, self.port).serialize(serializer)
    }
}

/// A node and its address. py2p lists nodes without an address: those that it dialled and that have
/// not sent their handshake yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeerEntry {
    pub addr: Option<HostPort>,
    pub id: NodeId,
}

impl PeerEntry {
    fn from_pair((addr, id): (Loose, Loose)) -> Option<Self> {
        let Loose::Text(id) = id else { return None };
        let id = NodeId::from_wire(id.as_bytes())?;
        match addr {
            Loose::Nothing => Some(PeerEntry { addr: None, id }),
            addr => Some(PeerEntry { addr: Some(HostPort::from_loose(addr)?), id }),
        }
    }
}

impl Serialize for PeerEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.addr, self.id.as_str()).serialize(serializer)
    }
}

/// Reads a peers list.
pub(super) fn read_list(text: &[u8]) -> Option<Vec<PeerEntry>> {
    json::read(text).map(|Entries(entries)| entries)
}

/// Reads the entry of a response. The inner `None` is an entry without content.
pub(super) fn read_entry(text: &[u8]) -> Option<Option<PeerEntry>> {
    match json::read(text)? {
        Loose::Nothing => Some(None),
        Loose::Pair(pair) => PeerEntry::from_pair(*pair).map(Some),
        _ => None,
    }
}

/// Returns the payload of a peers list.
pub(crate) fn payload(entries: &[PeerEntry]) -> Vec<Packet> {
    vec![Kind::PEERS.as_bytes().into(), json::to_packet(&entries)]
}

/// Returns the payload of a request for a peers list.
pub(crate) fn request_payload() -> Vec<Packet> {
    vec![Kind::REQUEST.as_bytes().into(), ALL.into()]
}

/// Returns the payload of a request for the address of a node.
pub(crate) fn route_request_payload(request_id: &Packet, wanted: &NodeId) -> Vec<Packet> {
    vec![Kind::REQUEST.as_bytes().into(), request_id.clone(), wanted.as_bytes().into()]
}

/// Returns the payload of the response to such a request.
pub(crate) fn route_response_payload(request_id: &Packet, entry: &PeerEntry) -> Vec<Packet> {
    vec![Kind::RESPONSE.as_bytes().into(), request_id.clone(), json::to_packet(entry)]
}

/// A list whose entries are pairs. As in py2p, an entry that is not a pair makes the whole list
/// invalid. A pair without a valid address and id is skipped.
struct Entries(Vec<PeerEntry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of pairs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            let Loose::Pair(pair) = entry else { return Err(de::Error::custom("not a pair")) };
            if entries.len() < MAX_ENTRIES {
                entries.extend(PeerEntry::from_pair(*pair));
            }
        }
        Ok(Entries(entries))
    }

    // Python iterates over an empty object as over an empty list.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        match map.next_entry::<de::IgnoredAny, de::IgnoredAny>()? {
            None => Ok(Entries(Vec::new())),
            Some(_) => Err(de::Error::custom("not a list")),
        }
    }
}
