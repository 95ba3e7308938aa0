//! Which mesh: the subnet and the encryption that all its nodes share.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::wire::base58;

/// The version of the wire protocol that rs2p speaks.
pub(crate) const VERSION: &str = "0.4";

/// How the links of a mesh are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encryption {
    /// Not at all.
    #[default]
    Plaintext,
    /// TLS with a self-signed certificate: against eavesdroppers. Needs the feature `native-tls`.
    Ssl,
}

impl Encryption {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Encryption::Plaintext => "Plaintext",
            Encryption::Ssl => "SSL",
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which mesh a socket belongs to. Only sockets with equal protocols connect.
///
/// ```
/// use rs2p::{Encryption, Protocol};
///
/// let protocol = Protocol::default();
/// assert_eq!(protocol, Protocol::new("mesh", Encryption::Plaintext));
/// assert_eq!(protocol.id(), "FGeuEWvuSU2gnxrtiCBG5jQvJNBvGRoE6XEqmqRNgqnc");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Protocol {
    subnet: String,
    encryption: Encryption,
    id: String,
}

impl Protocol {
    /// The mesh of this name, with this encryption.
    #[must_use]
    pub fn new(subnet: impl Into<String>, encryption: Encryption) -> Self {
        let subnet = subnet.into();
        let digest = Sha256::new()
            .chain_update(&subnet)
            .chain_update(encryption.as_str())
            .chain_update(VERSION)
            .finalize();
        Protocol { subnet, encryption, id: base58::encode(&digest) }
    }

    /// The name of the mesh. It keeps meshes apart; it is not a secret.
    #[must_use]
    pub fn subnet(&self) -> &str {
        &self.subnet
    }

    /// How its links are encrypted.
    #[must_use]
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// What nodes compare when they meet: a digest of name, encryption and protocol version.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Default for Protocol {
    fn default() -> Self {
        Protocol::new("mesh", Encryption::Plaintext)
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protocol({:?}, {})", self.subnet, self.encryption)
    }
}
