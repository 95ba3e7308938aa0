//! Settings before binding.

use std::time::Duration;

use crate::config::Config;
use crate::peer_addr::PeerAddr;
use crate::protocol::Protocol;
#[cfg(feature = "native-tls")]
use crate::tls::Tls;
use crate::wire::HostPort;

// `bind` first, then what most programs set: the documentation has the order of these modules.
mod bind;
mod mesh;

mod links;
mod queues;
mod timing;

mod lazy;

/// Limits a timeout to a year, so that no sum of times overflows.
fn sane(time: Duration) -> Duration {
    time.min(Duration::from_secs(365 * 24 * 3600))
}

/// Settings of a [`MeshSocket`](crate::MeshSocket), before it is bound. The defaults are right for most programs.
///
/// ```
/// use rs2p::{Encryption, MeshSocket, Protocol};
///
/// # fn main() -> rs2p::Result<()> {
/// let sock = MeshSocket::builder()
///     .protocol(Protocol::new("my mesh", Encryption::Plaintext))
///     .out_addr("35.24.77.21", 44565)
///     .debug_level(1)
///     .bind(("127.0.0.1", 0))?;
/// # sock.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    protocol: Protocol,
    #[cfg(feature = "native-tls")]
    tls: Tls,
    out_addr: Option<HostPort>,
    seeds: Vec<PeerAddr>,
    #[cfg(feature = "discovery")]
    discovery: Option<crate::discovery::Discovery>,
    debug_level: Option<u8>,
    config: Config,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder {
            protocol: Protocol::default(),
            #[cfg(feature = "native-tls")]
            tls: Tls::new(),
            out_addr: None,
            seeds: Vec::new(),
            #[cfg(feature = "discovery")]
            discovery: None,
            debug_level: None,
            config: Config::default(),
        }
    }

    /// Returns the settings of a simulated node.
    #[cfg(feature = "sim")]
    pub(crate) fn parts(&self) -> (&Protocol, &Config) {
        (&self.protocol, &self.config)
    }
}
