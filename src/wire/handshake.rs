//! The handshake: the sender's id, mesh, address and compression methods.

use super::json;
use super::method::Method;
use crate::host_port::HostPort;
use crate::id::NodeId;
use crate::options::Kind;
use crate::packet::Packet;

/// Most bytes of a protocol id that are kept, to be shown. Real ones have at most 44 characters.
const MAX_PROTOCOL: usize = 64;

/// The handshake that both ends of a link send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub id: NodeId,
    /// The id of the protocol, see [`crate::Protocol::id`]. It need not be a valid one.
    pub protocol: String,
    /// Where the node can be dialled. py2p may send `null`, or text that is not an address.
    pub addr: Option<HostPort>,
    /// The compression methods that the node accepts, in its order of preference; unknown ones are
    /// left out.
    pub methods: Vec<Method>,
}

impl Handshake {
    /// Reads the packets of a handshake. Packets after the fifth belong to later versions.
    pub(super) fn read(packets: &[Packet]) -> Result<Self, &'static str> {
        let [_, id, protocol, addr, methods, ..] = packets else {
            return Err("handshake of too few packets");
        };
        let protocol = protocol.get(..MAX_PROTOCOL).unwrap_or(protocol);
        Ok(Handshake {
            id: NodeId::from_wire(id).ok_or("handshake without an id")?,
            protocol: String::from_utf8_lossy(protocol).into_owned(),
            addr: HostPort::from_loose(json::read(addr).ok_or("address is not JSON")?),
            methods: Method::read_list(methods).ok_or("methods are not a list of text")?,
        })
    }

    pub fn payload(&self) -> Vec<Packet> {
        vec![
            Kind::HANDSHAKE.as_bytes().into(),
            self.id.as_bytes().into(),
            self.protocol.as_str().into(),
            json::to_packet(&self.addr),
            json::to_packet(&self.methods),
        ]
    }
}
