//! The handshake: who I am, which mesh, where I can be reached, how I can be talked to.

use super::json;
use super::method::Method;
use super::peers::HostPort;
use crate::id::NodeId;
use crate::options::Kind;
use crate::packet::Packet;

/// Real protocol ids have at most 44 characters; of longer text this much is kept to be shown.
const MAX_PROTOCOL: usize = 64;

/// What both ends of a link say first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub id: NodeId,
    /// The id of the protocol, see [`crate::Protocol::id`]. Not necessarily a possible one.
    pub protocol: String,
    /// Where the node can be dialled; py2p may say `null`, or something that is no address.
    pub addr: Option<HostPort>,
    /// How its frames may be compressed, in its order, as far as we know the methods.
    pub methods: Vec<Method>,
}

impl Handshake {
    /// Reads the packets of a handshake. More of them than five are left for later versions.
    pub(super) fn read(packets: &[Packet]) -> Result<Self, &'static str> {
        let [_, id, protocol, addr, methods, ..] = packets else {
            return Err("handshake of too few packets");
        };
        let protocol = &protocol[..protocol.len().min(MAX_PROTOCOL)];
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
