//! A certificate and its key.

use std::fmt;

use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, IsCa, KeyPair, PKCS_RSA_SHA256, PublicKeyData};
use zeroize::Zeroizing;

use super::Fingerprint;
use crate::error::{Error, Result};
use crate::pem;

/// A certificate and its private key.
///
/// Where none is set, the process has one: RSA-2048, self-signed, made when the first socket with
/// TLS is bound (it takes that `bind` a tenth of a second to a second), kept in memory only. To be
/// pinned, a certificate must outlive the process: keep its two PEM texts, the key readable for
/// nobody else.
///
/// ```no_run
/// use rs2p::tls::{Tls, TlsIdentity};
/// use std::fs::read_to_string;
///
/// let identity = TlsIdentity::from_pem(read_to_string("cert.pem")?, read_to_string("key.pem")?)?;
/// println!("others can pin {}", identity.fingerprint());
/// let tls = Tls::new().identity(identity);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TlsIdentity {
    pub(crate) native: native_tls::Identity,
    cert_pem: String,
    key_pem: Zeroizing<String>,
    fingerprint: Fingerprint,
}

/// The one that all sockets of this process share, unless they have their own.
static OF_PROCESS: Mutex<Option<TlsIdentity>> = Mutex::new(None);

impl TlsIdentity {
    /// Returns a new self-signed certificate: RSA-2048, as all platforms take it. Takes a tenth of
    /// a second to a second.
    ///
    /// ```
    /// use rs2p::tls::TlsIdentity;
    ///
    /// println!("{}", TlsIdentity::generate()?.cert_pem());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
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
    /// ```
    /// use rs2p::tls::TlsIdentity;
    ///
    /// let identity = TlsIdentity::generate()?;
    /// let again = TlsIdentity::from_pem(identity.cert_pem(), identity.key_pem())?;
    /// assert_eq!(again.fingerprint(), identity.fingerprint());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TlsSettings`] if one of them cannot be read or the key is another certificate's;
    /// it names what the text has instead, and how to convert it.
    pub fn from_pem(cert_pem: impl Into<String>, key_pem: impl Into<String>) -> Result<Self> {
        let (cert_pem, key_pem) = (cert_pem.into(), Zeroizing::new(key_pem.into()));
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
    ///
    /// ```
    /// use rs2p::tls::TlsIdentity;
    ///
    /// assert!(TlsIdentity::generate()?.cert_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// Returns the private key, which must stay secret.
    ///
    /// ```
    /// use rs2p::tls::TlsIdentity;
    ///
    /// assert!(TlsIdentity::generate()?.key_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Returns the fingerprint by which other nodes pin this certificate.
    ///
    /// ```
    /// use rs2p::tls::TlsIdentity;
    ///
    /// println!("others can pin {}", TlsIdentity::generate()?.fingerprint());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
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
