//! A host and its port, as nodes announce and dial them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// An address as nodes exchange it: a host name or IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HostPort {
    pub host: String,
    pub port: u16,
}

impl HostPort {
    /// Returns the address, if the host is an IP address.
    pub fn to_socket_addr(&self) -> Option<SocketAddr> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Some(SocketAddr::new(ip, self.port));
        }
        // A link-local address names its interface: `fe80::1%2`.
        self.host.contains('%').then(|| format!("[{}]:{}", self.host, self.port).parse().ok())?
    }

    /// Returns whether the host is a name, which has to be looked up.
    pub fn is_name(&self) -> bool {
        self.to_socket_addr().is_none()
    }

    /// Replaces port 0 by `bound`.
    pub fn with_port(self, bound: u16) -> Self {
        HostPort { port: if self.port == 0 { bound } else { self.port }, ..self }
    }
}

impl From<SocketAddr> for HostPort {
    fn from(addr: SocketAddr) -> Self {
        let host = match addr {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
            _ => addr.ip().to_canonical().to_string(),
        };
        HostPort { host, port: addr.port() }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
