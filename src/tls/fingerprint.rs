//! Fingerprints of certificates.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

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
///
/// ```
/// use rs2p::tls::Fingerprint;
///
/// if let Err(error) = "not hex".parse::<Fingerprint>() {
///     println!("{error}");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidFingerprint;

impl Fingerprint {
    /// Returns the fingerprint of a certificate in DER.
    ///
    /// ```
    /// use rs2p::tls::Fingerprint;
    ///
    /// let fingerprint = Fingerprint::of(b"a certificate in DER");
    /// assert_eq!(fingerprint.to_string().len(), 64);
    /// ```
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Fingerprint(Sha256::digest(der).into())
    }

    /// Returns the digest itself.
    ///
    /// ```
    /// use rs2p::tls::Fingerprint;
    ///
    /// assert_eq!(Fingerprint::from([7; 32]).as_bytes(), &[7; 32]);
    /// ```
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
