//! What the system says about this host's addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses of this host, at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interfaces {
    pub list: Vec<Interface>,
    /// The addresses that the system would use towards the outside.
    pub routed: Vec<IpAddr>,
}

/// An address of an interface that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub name: String,
    pub ip: IpAddr,
}

impl Interfaces {
    /// Asks the system. What it does not tell is left out.
    pub fn read() -> Self {
        let list = if_addrs::get_if_addrs().unwrap_or_default();
        let list = list
            .into_iter()
            .filter(if_addrs::Interface::is_oper_up)
            .map(|interface| Interface { ip: interface.ip(), name: interface.name })
            .collect();
        let v4 = (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(8, 8, 8, 8).into());
        let v6 = Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888);
        let v6 = (Ipv6Addr::UNSPECIFIED.into(), v6.into());
        Interfaces { list, routed: [v4, v6].into_iter().filter_map(route).collect() }
    }
}

/// Returns the address that the system would use towards `outside`. No packet is sent.
fn route((any, outside): (IpAddr, IpAddr)) -> Option<IpAddr> {
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(SocketAddr::new(outside, 53)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
