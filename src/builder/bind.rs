//! From settings to a socket that runs; the settings that need a feature.

use std::fmt::Debug;
use std::io;
use std::net::ToSocketAddrs;
use std::sync::Arc;

use super::Builder;
use crate::error::{Error, Result};
use crate::mesh_socket::MeshSocket;
use crate::mesh_socket::delivering::Delivery;
use crate::outward::normalised;
use crate::peer_addr::PeerAddr;
use crate::presence::{MAX_TEXT, Presence};
use crate::protocol::Encryption;
use crate::runtime::sink::Program;
use crate::runtime::start::{Plan, start};
use crate::runtime::tls::TlsKit;
use crate::secret::{Key, MIN_SECRET};
#[cfg(feature = "native-tls")]
use crate::tls::Tls;

impl Builder {
    /// Binds and starts the socket. Looking up a host name may block. With [`Encryption::Ssl`] the
    /// first `bind` of a process makes its certificate, in a tenth of a second to a second.
    ///
    /// Port 0 binds any free port and announces the real one. `0.0.0.0` and `[::]` announce this
    /// machine's address in its network.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().max_links(64).bind("127.0.0.1:0")?;
    /// assert_ne!(sock.local_addr().port(), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] if the address is taken or not ours, [`Error::Resolve`] or
    /// [`Error::NoAddress`] if it cannot be found, [`Error::OutAddr`] if nobody could dial what
    /// `out_addr` says, [`Error::InvalidAddress`] if a seed is no address,
    /// [`Error::TlsNotCompiled`] if encryption is asked for that this build lacks, [`Error::TlsSettings`] if a trusted root is no certificate,
    /// [`Error::NameTooLong`] for a name or a role of over 64 bytes,
    /// [`Error::SecretWithoutTls`] and [`Error::SecretTooShort`] for a secret that protects nothing.
    pub fn bind(self, addr: impl ToSocketAddrs + Debug) -> Result<MeshSocket> {
        if let Some(len) = self.config.presence.as_ref().and_then(Presence::excess) {
            return Err(Error::NameTooLong { len, max: MAX_TEXT });
        }
        let key = self.key()?;
        let tls = self.tls_kit()?;
        let addrs = addr.to_socket_addrs().map_err(|source| not_resolved(&addr, &source))?;
        let plan = Plan {
            protocol: self.protocol,
            tls,
            key,
            out_addr: self.out_addr.map(normalised).transpose()?,
            seeds: self.seeds.into_iter().map(PeerAddr::hosts).collect::<Result<_>>()?,
            debug_level: self.debug_level,
            config: self.config,
        };
        let (sink, delivery) = Delivery::new(&plan.config);
        let outlet = Arc::clone(&delivery) as Arc<dyn Program>;
        let core = start(plan, &addrs.collect::<Vec<_>>(), Box::new(sink), outlet)?;
        #[cfg(feature = "discovery")]
        if let Some(discovery) = self.discovery {
            match discovery.start(&core) {
                Ok(wake) => delivery.when_closed(wake),
                Err(error) => {
                    core.close_in_background();
                    return Err(Error::Io(error));
                }
            }
        }
        Ok(MeshSocket::new(core, delivery))
    }

    /// Sets the own certificate, and which certificates are accepted. Matters only with
    /// [`Encryption::Ssl`](crate::Encryption::Ssl). Default: the certificate of this process, and
    /// every certificate is accepted.
    ///
    /// ```
    /// use rs2p::tls::{Tls, TlsIdentity};
    /// use rs2p::{Encryption, MeshSocket, Protocol};
    ///
    /// let identity = TlsIdentity::generate()?; // or `from_pem`, to keep it
    /// let sock = MeshSocket::builder()
    ///     .protocol(Protocol::new("mesh", Encryption::Ssl))
    ///     .tls(Tls::new().identity(identity))
    ///     .bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[cfg(feature = "native-tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Has the socket find nodes of its mesh in the local network, and be found; see
    /// [`discovery`](crate::discovery).
    ///
    /// ```no_run
    /// use rs2p::discovery::Discovery;
    ///
    /// let sock = rs2p::MeshSocket::builder().discover(Discovery::new()).bind("0.0.0.0:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[cfg(feature = "discovery")]
    pub fn discover(mut self, discovery: crate::discovery::Discovery) -> Self {
        self.discovery = Some(discovery);
        self
    }

    fn key(&self) -> Result<Option<Key>> {
        let Some(secret) = self.protocol.secret() else { return Ok(None) };
        if self.protocol.encryption() == Encryption::Plaintext {
            return Err(Error::SecretWithoutTls);
        }
        if secret.len() < MIN_SECRET {
            return Err(Error::SecretTooShort { len: secret.len(), min: MIN_SECRET });
        }
        secret.key().map(Some)
    }

    #[cfg(feature = "native-tls")]
    fn tls_kit(&self) -> Result<Option<TlsKit>> {
        match self.protocol.encryption() {
            Encryption::Plaintext => Ok(None),
            Encryption::Ssl => TlsKit::new(&self.tls, &self.config).map(Some),
        }
    }

    #[cfg(not(feature = "native-tls"))]
    fn tls_kit(&self) -> Result<Option<TlsKit>> {
        match self.protocol.encryption() {
            Encryption::Plaintext => Ok(None),
            Encryption::Ssl => Err(Error::TlsNotCompiled),
        }
    }
}

/// Adds the address to the system's words, which do not say which one they are about.
fn not_resolved(addr: &impl Debug, source: &io::Error) -> Error {
    let words = match source.kind() {
        io::ErrorKind::InvalidInput => "an address is `host:port`, such as `0.0.0.0:4444`",
        _ => "is the name right?",
    };
    let source = io::Error::new(source.kind(), format!("{addr:?}: {source}; {words}"));
    Error::Resolve { source }
}
