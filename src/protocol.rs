//! The mesh of a socket: the subnet, the encryption and the secret that all its nodes share.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::secret::Secret;
use crate::wire::base58;

/// The version of the wire protocol that rs2p speaks.
pub(crate) const VERSION: &str = "0.4";

/// How the links of a mesh are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encryption {
    /// No encryption.
    #[default]
    Plaintext,
    /// TLS. By itself it stops eavesdroppers, but not a man in the middle;
    /// [`Protocol::with_secret`] and pinned certificates stop both. Needs the feature `native-tls`.
    Ssl,
}

impl Encryption {
    /// Returns the name on the wire.
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

/// The mesh that a socket belongs to. Only sockets with equal protocols connect.
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
    secret: Option<Secret>,
}

impl Protocol {
    /// Returns the protocol of the mesh with this name and encryption.
    #[must_use]
    pub fn new(subnet: impl Into<String>, encryption: Encryption) -> Self {
        let subnet = subnet.into();
        let id = digest(&subnet, encryption.as_str());
        Protocol { subnet, encryption, id, secret: None }
    }

    /// Makes the mesh private to the nodes that know this secret. Every link begins with both ends
    /// proving to each other that they know it, the dialler first. Nothing else is taken from a
    /// peer before that. So no node without the secret joins or sits in the middle of a link,
    /// although certificates are self-signed.
    ///
    /// It needs [`Encryption::Ssl`]; otherwise `bind` fails. The id differs from that without a
    /// secret, and is the same for all secrets. py2p has no secrets, and is refused like a node of
    /// another mesh.
    ///
    /// An attacker that gets a node to dial it can test guesses against the proof, so the secret
    /// must not be guessable. It is stretched (Argon2id, 19 MiB), which costs `bind` tens of
    /// milliseconds, and an attacker as much for each guess. Use 128 random bits or more, such as
    /// `openssl rand -base64 24` prints. `bind` refuses less than 12 bytes.
    ///
    /// ```
    /// use rs2p::{Encryption, Protocol};
    ///
    /// let open = Protocol::new("mesh", Encryption::Ssl);
    /// let private = open.clone().with_secret("bqDyw5TqAAtqwS7XVSLJAHQjgG5yJZ3k");
    /// assert_ne!(private.id(), open.id());
    /// assert_eq!(format!("{private:?}"), r#"Protocol("mesh", SSL, secret)"#);
    /// ```
    #[must_use]
    pub fn with_secret(self, secret: impl AsRef<[u8]>) -> Self {
        let id = digest(&self.subnet, &format!("{}+secret", self.encryption));
        let secret = Some(Secret::new(secret.as_ref(), &id));
        Protocol { id, secret, ..self }
    }

    /// Returns the name of the mesh. It keeps meshes apart; it is not a secret.
    #[must_use]
    pub fn subnet(&self) -> &str {
        &self.subnet
    }

    /// Returns how its links are encrypted.
    #[must_use]
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Returns what nodes compare when they meet: a digest of name, encryption and protocol
    /// version, and of whether there is a secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }
}

fn digest(subnet: &str, encryption: &str) -> String {
    let digest = Sha256::new()
        .chain_update(subnet)
        .chain_update(encryption)
        .chain_update(VERSION)
        .finalize();
    base58::encode(&digest)
}

impl Default for Protocol {
    fn default() -> Self {
        Protocol::new("mesh", Encryption::Plaintext)
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.secret.is_some() { ", secret" } else { "" };
        write!(f, "Protocol({:?}, {}{secret})", self.subnet, self.encryption)
    }
}
