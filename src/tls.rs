//! Settings of TLS: the own certificate, and which certificates are accepted.
//!
//! No type of the TLS library is public here, so that it can be replaced.

use std::io;

use crate::error::Error;

mod fingerprint;
mod identity;

pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use identity::TlsIdentity;

/// How a socket uses TLS: its own certificate, and which certificates it takes from nodes that it
/// dials. Given to [`Builder::tls`](crate::Builder::tls).
///
/// The default is that of py2p: a certificate of this process, and every certificate is accepted.
/// That stops eavesdroppers, but not a man in the middle. Pins, roots and
/// [secrets](crate::Protocol::with_secret) stop both. Only the dialling end verifies certificates.
/// The accepting end learns only from a secret that the other end is a member.
///
/// ```
/// use rs2p::tls::{Tls, TlsIdentity};
/// use rs2p::{Cause, Encryption, Error, MeshSocket, Protocol};
///
/// # fn main() -> rs2p::Result<()> {
/// let ssl = || MeshSocket::builder().protocol(Protocol::new("mesh", Encryption::Ssl));
///
/// let identity = TlsIdentity::generate()?;
/// let fingerprint = identity.fingerprint();
/// let alice = ssl().tls(Tls::new().identity(identity)).bind("127.0.0.1:0")?;
///
/// let bob = ssl().tls(Tls::new().pin(fingerprint)).bind("127.0.0.1:0")?;
/// bob.connect(alice.local_addr())?;
///
/// let eve = ssl().bind("127.0.0.1:0")?;
/// let error = bob.connect(eve.local_addr()).expect_err("not the pinned certificate");
/// assert!(matches!(error, Error::Connect { cause: Cause::WrongFingerprint { .. }, .. }));
/// # alice.close()?;
/// # bob.close()?;
/// # eve.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Tls {
    pub(crate) identity: Option<TlsIdentity>,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) pins: Vec<Fingerprint>,
}

impl Tls {
    /// Returns the default: the certificate of this process, and every certificate is accepted.
    ///
    /// ```
    /// use rs2p::tls::Tls;
    /// use rs2p::{Encryption, MeshSocket, Protocol};
    ///
    /// let ssl = MeshSocket::builder().protocol(Protocol::new("mesh", Encryption::Ssl));
    /// let sock = ssl.tls(Tls::new()).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn new() -> Self {
        Tls::default()
    }

    /// Sets the certificate and key to show, instead of those of the process.
    ///
    /// ```
    /// use rs2p::tls::{Tls, TlsIdentity};
    ///
    /// let tls = Tls::new().identity(TlsIdentity::generate()?);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn identity(mut self, identity: TlsIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Links only to nodes whose certificate is one of these or is signed by one of them, and has
    /// not expired. Takes PEM with one certificate or several; more calls add to them. The system's
    /// own roots are not used.
    ///
    /// Names are not compared: nodes are dialled at addresses that other nodes tell. So give the
    /// authority of the mesh, not one that signs for everyone. `bind` fails if this is not a
    /// certificate.
    ///
    /// ```no_run
    /// use rs2p::tls::Tls;
    ///
    /// let tls = Tls::new().trust_roots(std::fs::read("authority.pem")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trust_roots(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.push(pem.as_ref().to_vec());
        self
    }

    /// Links only to nodes with this certificate, or another pinned one, expired or not. With roots
    /// both must hold.
    ///
    /// ```
    /// use rs2p::tls::{Fingerprint, Tls};
    ///
    /// let fingerprint: Fingerprint = "ab".repeat(32).parse()?;
    /// let tls = Tls::new().pin(fingerprint);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pin(mut self, fingerprint: Fingerprint) -> Self {
        self.pins.push(fingerprint);
        self
    }
}

impl Error {
    pub(crate) fn settings(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Error::TlsSettings { what, source: io::Error::other(source) }
    }
}
