//! Settings of TLS: the own certificate, and which certificates are accepted.
//!
//! No type of the TLS library is public here, so that it can be replaced.

use std::str::FromStr;
use std::{fmt, io};

use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, IsCa, KeyPair, PKCS_RSA_SHA256, PublicKeyData};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::pem;

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
    pub fn new() -> Self {
        Tls::default()
    }

    /// Sets the certificate and key to show, instead of those of the process.
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
    pub fn trust_roots(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.push(pem.as_ref().to_vec());
        self
    }

    /// Links only to nodes with this certificate, or another pinned one, expired or not. With roots
    /// both must hold.
    pub fn pin(mut self, fingerprint: Fingerprint) -> Self {
        self.pins.push(fingerprint);
        self
    }
}

/// A certificate and its private key.
///
/// Where none is set, the process has one: RSA-2048, self-signed, made when the first socket with
/// TLS is bound (it takes that `bind` a tenth of a second to a second), kept in memory only. To be
/// pinned, a certificate must outlive the process: keep its two PEM texts, the key readable for
/// nobody else.
#[derive(Clone)]
pub struct TlsIdentity {
    pub(crate) native: native_tls::Identity,
    cert_pem: String,
    key_pem: String,
    fingerprint: Fingerprint,
}

/// The one that all sockets of this process share, unless they have their own.
static OF_PROCESS: Mutex<Option<TlsIdentity>> = Mutex::new(None);

impl TlsIdentity {
    /// Returns a new self-signed certificate: RSA-2048, as all platforms take it. Takes a tenth of
    /// a second to a second.
    ///
    /// # Errors
    ///
    /// [`Error::TlsSettings`] if the TLS library cannot.
    pub fn generate() -> Result<Self> {
        let failed = |error| Error::settings("a certificate of our own", error);
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "rs2p");
        params.is_ca = IsCa::ExplicitNoCa;
        let certificate = params.self_signed(&key).map_err(failed)?;
        TlsIdentity::from_pem(certificate.pem(), key.serialize_pem())
    }

    /// Takes a certificate, with those that lead to its root behind it, and its private key in
    /// PKCS#8 (`BEGIN PRIVATE KEY`). Other blocks and text around them are skipped, so one file may
    /// have both. RSA keys work on all platforms; others not on Windows and macOS.
    ///
    /// # Errors
    ///
    /// [`Error::TlsSettings`] if one of them cannot be read or the key is another certificate's;
    /// it names what the text has instead, and how to convert it.
    pub fn from_pem(cert_pem: impl Into<String>, key_pem: impl Into<String>) -> Result<Self> {
        let (cert_pem, key_pem) = (cert_pem.into(), key_pem.into());
        let key = pem::private_key(&key_pem).map_err(|error| Error::settings("the key", error))?;
        let chain = pem::certificates(&cert_pem)
            .map_err(|error| Error::settings("the certificate", error))?;
        let native = native_tls::Identity::from_pkcs8(chain.as_bytes(), key.as_bytes())
            .map_err(|error| Error::settings("the certificate with its PKCS#8 key", error))?;
        let der = native_tls::Certificate::from_pem(chain.as_bytes())
            .and_then(|certificate| certificate.to_der())
            .map_err(|error| Error::settings("the certificate", error))?;
        if is_other_key(&key, &der) {
            return Err(Error::settings("the key", "it is not the one of the certificate"));
        }
        let fingerprint = Fingerprint::of(&der);
        Ok(TlsIdentity { native, cert_pem, key_pem, fingerprint })
    }

    pub(crate) fn of_process() -> Result<Self> {
        let mut of_process = OF_PROCESS.lock();
        if let Some(identity) = &*of_process {
            return Ok(identity.clone());
        }
        Ok(of_process.insert(TlsIdentity::generate()?).clone())
    }

    /// Returns the certificate, which is public.
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// Returns the private key, which must stay secret.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Returns the fingerprint by which other nodes pin this certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// Checks that a key belongs to a certificate, which contains its public key. OpenSSL takes any key
/// with any certificate, and fails at each handshake. A key that cannot be read here may be right.
fn is_other_key(key_pem: &str, der: &[u8]) -> bool {
    let Ok(key) = KeyPair::from_pem(key_pem) else { return false };
    let public = key.subject_public_key_info();
    !der.windows(public.len()).any(|window| window == public)
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsIdentity({})", self.fingerprint)
    }
}

/// The SHA-256 digest of a certificate in DER.
///
/// As text it is hex; colons between the bytes are read too, as in the output of
/// `openssl x509 -noout -fingerprint -sha256 -in cert.pem`.
///
/// ```
/// use rs2p::tls::Fingerprint;
///
/// let text = "ab".repeat(32);
/// let fingerprint: Fingerprint = text.parse()?;
/// assert_eq!(fingerprint.to_string(), text);
/// assert_eq!(["AB"; 32].join(":").parse(), Ok(fingerprint));
/// assert!("ab".parse::<Fingerprint>().is_err());
/// # Ok::<(), rs2p::tls::InvalidFingerprint>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// The text is not a fingerprint, which is 64 hex digits, with or without colons between the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidFingerprint;

impl Fingerprint {
    /// Returns the fingerprint of a certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Fingerprint(Sha256::digest(der).into())
    }

    /// Returns the digest itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(digest: [u8; 32]) -> Self {
        Fingerprint(digest)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits = text.split(':').flat_map(str::chars).map(|digit| digit.to_digit(16));
        let digits: Vec<u32> = digits.collect::<Option<_>>().ok_or(InvalidFingerprint)?;
        let (bytes, []) = digits.as_chunks::<2>() else { return Err(InvalidFingerprint) };
        let bytes: Vec<u8> = bytes.iter().map(|[high, low]| (high << 4 | low) as u8).collect();
        bytes.try_into().map(Fingerprint).map_err(|_| InvalidFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl fmt::Display for InvalidFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a fingerprint: 64 hex digits, with or without colons between the bytes")
    }
}

impl std::error::Error for InvalidFingerprint {}

impl Error {
    pub(crate) fn settings(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Error::TlsSettings { what, source: io::Error::other(source) }
    }
}
