//! The multicast sockets: one for each family.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::spots::Spot;

/// Administratively scoped: routers do not pass it on.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 82, 50);
/// Transient, on one link only.
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0x7273, 0x3270);
const PORT: u16 = 24_582;

/// Sends and hears the datagrams of one family.
pub(super) struct Caster {
    socket: UdpSocket,
    /// Sends from the address that the node is bound to, if that is one: others dial where a beacon comes from.
    sender: Option<UdpSocket>,
    joined: BTreeSet<Spot>,
}

impl Caster {
    pub fn v4(registry: &Registry, token: Token) -> io::Result<Self> {
        let socket = open(Domain::IPV4)?;
        socket.set_multicast_loop_v4(true)?;
        socket.set_multicast_ttl_v4(1)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        Caster::register(socket, None, registry, token)
    }

    pub fn v6(bound: Ipv6Addr, registry: &Registry, token: Token) -> io::Result<Self> {
        let socket = open_v6((Ipv6Addr::UNSPECIFIED, PORT).into())?;
        let is_one = !bound.is_unspecified() && !is_link_local(&bound);
        let sender = is_one.then(|| open_v6((bound, 0).into())).transpose()?;
        Caster::register(
            socket,
            sender.map(|sender| UdpSocket::from_std(sender.into())),
            registry,
            token,
        )
    }

    fn register(
        socket: Socket,
        sender: Option<UdpSocket>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut socket = UdpSocket::from_std(socket.into());
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Caster { socket, sender, joined: BTreeSet::new() })
    }

    /// Sends this on each of these interfaces, and hears there from now on. Those that are not of this
    /// family are left out, and so is one without multicast, or one that has just gone.
    pub fn cast(&mut self, spots: &BTreeSet<Spot>, bytes: &[u8]) {
        self.joined.retain(|spot| spots.contains(spot));
        for spot in spots {
            let _ = self.cast_on(*spot, bytes);
        }
    }

    fn cast_on(&mut self, spot: Spot, bytes: &[u8]) -> io::Result<()> {
        if self.is_v4() != matches!(spot, Spot::V4(_)) {
            return Ok(());
        }
        if !self.joined.contains(&spot) {
            let joined = match spot {
                Spot::V4(address) => self.socket.join_multicast_v4(&GROUP, &address),
                Spot::V6(index) => self.socket.join_multicast_v6(&GROUP_V6, index),
            };
            match joined {
                // It went and came back.
                Err(error) if error.kind() != ErrorKind::AddrInUse => return Err(error),
                _ => self.joined.insert(spot),
            };
        }
        let sender = self.sender.as_ref().unwrap_or(&self.socket);
        let group: IpAddr = match spot {
            Spot::V4(address) => {
                SockRef::from(sender).set_multicast_if_v4(&address)?;
                GROUP.into()
            }
            Spot::V6(index) => {
                SockRef::from(sender).set_multicast_if_v6(index)?;
                GROUP_V6.into()
            }
        };
        sender.send_to(bytes, SocketAddr::new(group, PORT)).map(|_| ())
    }

    fn is_v4(&self) -> bool {
        self.socket.local_addr().is_ok_and(|addr| addr.is_ipv4())
    }

    pub fn hear(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buffer)
    }
}

fn open(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    // Several nodes on one host hear the same port.
    socket.set_reuse_address(true)?;
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn open_v6(addr: SocketAddr) -> io::Result<Socket> {
    let socket = open(Domain::IPV6)?;
    socket.set_only_v6(true)?;
    socket.set_multicast_loop_v6(true)?;
    socket.set_multicast_hops_v6(1)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

fn is_link_local(ip: &Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}
