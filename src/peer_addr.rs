//! Addresses to connect to: names and numbers, kept as they were written.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::error::{Error, Result};
use crate::host_port::HostPort;

/// The address of a node: a name or a number, and a port; or several of them, of which the first
/// one that answers is taken.
///
/// Everything that [`ToSocketAddrs`](std::net::ToSocketAddrs) takes can be made into one, and lists
/// of that. Unlike there, a name is kept as a name. It is looked up at each dial, so a node that
/// moves to another address is found again.
///
/// ```
/// use std::net::SocketAddr;
/// use rs2p::PeerAddr;
///
/// let by_name = PeerAddr::from("hub.example.org:4444");
/// assert_eq!(by_name, PeerAddr::from(("hub.example.org", 4444)));
/// let number: SocketAddr = "[::1]:4444".parse()?;
/// assert_eq!(PeerAddr::from(number).to_string(), "[::1]:4444");
/// let several = PeerAddr::from(["hub1.example.org:4444", "hub2.example.org:4444"]);
/// assert_eq!(several.to_string(), "hub1.example.org:4444, hub2.example.org:4444");
/// # Ok::<_, std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PeerAddr {
    hosts: Vec<HostPort>,
    /// Text that is not an address.
    wrong: Option<String>,
}

impl PeerAddr {
    fn read(text: &str) -> Self {
        match parse(text) {
            Some(host) => host.into(),
            None => PeerAddr { hosts: Vec::new(), wrong: Some(text.to_string()) },
        }
    }

    /// Returns each address once.
    pub(crate) fn hosts(self) -> Result<Vec<HostPort>> {
        if let Some(text) = self.wrong {
            return Err(Error::InvalidAddress { text });
        }
        let mut hosts: Vec<HostPort> = Vec::new();
        for host in self.hosts {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        if hosts.is_empty() { Err(Error::NoAddress) } else { Ok(hosts) }
    }
}

/// Formats an address as `host:port`, with an IPv6 address in brackets.
fn parse(text: &str) -> Option<HostPort> {
    if let Ok(addr) = text.parse::<SocketAddr>() {
        return Some(HostPort::from(addr));
    }
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = bare.is_some() || !host.contains(':');
    let host = bare.unwrap_or(host);
    let is_host = is_host && !host.is_empty() && !host.contains(char::is_whitespace);
    is_host.then_some(HostPort { host: host.to_string(), port: port.parse().ok()? })
}

/// Shows the addresses, with commas between them.
impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.hosts.iter().map(ToString::to_string);
        let all: Vec<String> = hosts.chain(self.wrong.clone()).collect();
        f.write_str(&all.join(", "))
    }
}

impl From<HostPort> for PeerAddr {
    fn from(host: HostPort) -> Self {
        PeerAddr { hosts: vec![host], wrong: None }
    }
}

impl From<&str> for PeerAddr {
    fn from(text: &str) -> Self {
        PeerAddr::read(text)
    }
}

impl From<String> for PeerAddr {
    fn from(text: String) -> Self {
        PeerAddr::read(&text)
    }
}

impl From<&String> for PeerAddr {
    fn from(text: &String) -> Self {
        PeerAddr::read(text)
    }
}

impl From<(&str, u16)> for PeerAddr {
    fn from((host, port): (&str, u16)) -> Self {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        match host.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, port).into(),
            Err(_) if host.trim().is_empty() => PeerAddr::read(&format!("{host}:{port}")),
            Err(_) => HostPort { host: host.to_string(), port }.into(),
        }
    }
}

impl From<(String, u16)> for PeerAddr {
    fn from((host, port): (String, u16)) -> Self {
        (host.as_str(), port).into()
    }
}

macro_rules! from_numbers {
    ($($type:ty, $addr:ident => $make:expr;)*) => {
        $(impl From<$type> for PeerAddr {
            fn from($addr: $type) -> Self {
                HostPort::from($make).into()
            }
        })*
    };
}

from_numbers! {
    SocketAddr, addr => addr;
    &SocketAddr, addr => *addr;
    SocketAddrV4, addr => SocketAddr::V4(addr);
    SocketAddrV6, addr => SocketAddr::V6(addr);
    (IpAddr, u16), addr => SocketAddr::from(addr);
    (Ipv4Addr, u16), addr => SocketAddr::from(addr);
    (Ipv6Addr, u16), addr => SocketAddr::from(addr);
}

impl<A: Into<PeerAddr>> FromIterator<A> for PeerAddr {
    fn from_iter<I: IntoIterator<Item = A>>(addrs: I) -> Self {
        let mut all = PeerAddr::default();
        for addr in addrs {
            let PeerAddr { hosts, wrong } = addr.into();
            all.hosts.extend(hosts);
            all.wrong = all.wrong.or(wrong);
        }
        all
    }
}

impl<A: Into<PeerAddr>> From<Vec<A>> for PeerAddr {
    fn from(addrs: Vec<A>) -> Self {
        addrs.into_iter().collect()
    }
}

impl<A: Clone + Into<PeerAddr>> From<&[A]> for PeerAddr {
    fn from(addrs: &[A]) -> Self {
        addrs.iter().cloned().collect()
    }
}

impl<A: Clone + Into<PeerAddr>> From<&Vec<A>> for PeerAddr {
    fn from(addrs: &Vec<A>) -> Self {
        addrs[..].into()
    }
}

impl<A: Into<PeerAddr>, const N: usize> From<[A; N]> for PeerAddr {
    fn from(addrs: [A; N]) -> Self {
        addrs.into_iter().collect()
    }
}

impl<A: Clone + Into<PeerAddr>, const N: usize> From<&[A; N]> for PeerAddr {
    fn from(addrs: &[A; N]) -> Self {
        addrs[..].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_written_is_lost() {
        for (written, kept) in [
            ("hub.test:4450", ("hub.test", 4450)),
            ("127.0.0.1:1", ("127.0.0.1", 1)),
            ("[::1]:2", ("::1", 2)),
            ("[fe80::1%2]:3", ("fe80::1%2", 3)),
            ("[fe80::1%eth0]:3", ("fe80::1%eth0", 3)),
        ] {
            let hosts = PeerAddr::from(written).hosts().expect(written);
            let (host, port) = kept;
            assert_eq!(hosts, [HostPort { host: host.into(), port }]);
        }
        let zoned = SocketAddrV6::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), 3, 0, 2);
        let host = HostPort { host: "fe80::1%2".into(), port: 3 };
        assert_eq!(PeerAddr::from(zoned), host.clone().into());
        assert_eq!(host.to_socket_addr(), Some(SocketAddr::V6(zoned)));
    }

    #[test]
    fn what_is_no_address_is_named() {
        for written in ["nonsense", "", ":1", "host:", "host:99999", "::1:4444:x", "a b:1"] {
            match PeerAddr::from(["127.0.0.1:1", written]).hosts() {
                Err(Error::InvalidAddress { text }) => assert_eq!(text, written),
                other => panic!("{written}: {other:?}"),
            }
        }
        assert!(matches!(PeerAddr::from(Vec::<&str>::new()).hosts(), Err(Error::NoAddress)));
    }

    #[test]
    fn equal_addresses_are_dialled_once() {
        let twice: SocketAddr = ([127, 0, 0, 1], 5).into();
        assert_eq!(PeerAddr::from(&[twice, twice]).hosts().expect("addresses").len(), 1);
    }
}
