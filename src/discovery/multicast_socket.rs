//! The multicast sockets: one for each family.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::interfaces::Interface;

/// Administratively scoped: routers do not pass it on.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 82, 50);
/// Transient, on one link only.
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0x7273, 0x3270);
const PORT: u16 = 24_582;

/// Sends and receives the datagrams of one family.
pub(super) struct MulticastSocket {
    socket: UdpSocket,
    /// Sends from the address that the node is bound to, if that is one: others dial where a beacon comes from.
    sender: Option<UdpSocket>,
    joined: BTreeSet<Interface>,
}

impl MulticastSocket {
    pub fn v4(registry: &Registry, token: Token) -> io::Result<Self> {
        let socket = open(Domain::IPV4)?;
        socket.set_multicast_loop_v4(true)?;
        socket.set_multicast_ttl_v4(1)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        MulticastSocket::register(socket, None, registry, token)
    }

    pub fn v6(bound: Ipv6Addr, registry: &Registry, token: Token) -> io::Result<Self> {
        let socket = open_v6((Ipv6Addr::UNSPECIFIED, PORT).into())?;
        let is_one = !bound.is_unspecified() && !is_link_local(&bound);
        let sender = is_one.then(|| open_v6((bound, 0).into())).transpose()?;
        MulticastSocket::register(
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
        Ok(MulticastSocket { socket, sender, joined: BTreeSet::new() })
    }

    /// Forgets the interfaces that are gone: one that comes back has to be joined again.
    pub fn retain(&mut self, interfaces: &BTreeSet<Interface>) {
        self.joined.retain(|interface| interfaces.contains(interface));
    }

    /// Sends this on each of these interfaces, and listens there from now on. Leaves out those that are not of
    /// this family, have no multicast, or have just gone.
    pub fn send(&mut self, interfaces: &BTreeSet<Interface>, bytes: &[u8]) {
        for interface in interfaces {
            let _ = self.send_on(*interface, bytes);
        }
    }

    fn send_on(&mut self, interface: Interface, bytes: &[u8]) -> io::Result<()> {
        if self.is_v4() != matches!(interface, Interface::V4(..)) {
            return Ok(());
        }
        self.join(interface)?;
        let sender = self.sender.as_ref().unwrap_or(&self.socket);
        let group: IpAddr = match interface {
            Interface::V4(address, _) => {
                SockRef::from(sender).set_multicast_if_v4(&address)?;
                GROUP.into()
            }
            Interface::V6(index) => {
                SockRef::from(sender).set_multicast_if_v6(index)?;
                GROUP_V6.into()
            }
        };
        sender.send_to(bytes, SocketAddr::new(group, PORT)).map(|_| ())
    }

    fn join(&mut self, interface: Interface) -> io::Result<()> {
        if self.joined.contains(&interface) {
            return Ok(());
        }
        let joined = match interface {
            Interface::V4(address, _) => self.socket.join_multicast_v4(&GROUP, &address),
            Interface::V6(index) => self.socket.join_multicast_v6(&GROUP_V6, index),
        };
        match joined {
            // It went down and came back: the system has kept the membership.
            Err(error) if error.kind() != ErrorKind::AddrInUse => Err(error),
            _ => {
                self.joined.insert(interface);
                Ok(())
            }
        }
    }

    fn is_v4(&self) -> bool {
        self.socket.local_addr().is_ok_and(|addr| addr.is_ipv4())
    }

    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
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
