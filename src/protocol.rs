//! The mesh of a socket: the subnet, the encryption and the secret that all its nodes share.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::base58;
use crate::secret::Secret;

/// The version of the wire protocol that rs2p speaks.
pub(crate) const VERSION: &str = "0.4";

/// The subnets of programs that name none: those of py2p's `mesh`, `sync` and `chord`.
const DEFAULT_SUBNETS: [&str; 3] = ["mesh", "sync", "chord"];

/// How the links of a mesh are encrypted.
///
/// ```
/// use rs2p::Encryption;
///
/// assert_eq!(Encryption::default(), Encryption::Plaintext);
/// assert_eq!(Encryption::Ssl.to_string(), "SSL");
/// ```
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
    ///
    /// ```
    /// assert_eq!(rs2p::Encryption::Ssl.as_str(), "SSL");
    /// ```
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
    ///
    /// ```
    /// use rs2p::{Encryption, MeshSocket, Protocol};
    ///
    /// let protocol = Protocol::new("my mesh", Encryption::Plaintext);
    /// let sock = MeshSocket::builder().protocol(protocol).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn new(subnet: impl Into<String>, encryption: Encryption) -> Self {
        let subnet = subnet.into();
        let id = Protection { encryption, secret: false }.id(&subnet);
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
        let id = Protection { encryption: self.encryption, secret: true }.id(&self.subnet);
        let secret = Some(Secret::new(secret.as_ref(), &id));
        Protocol { id, secret, ..self }
    }

    /// Returns the name of the mesh. It keeps meshes apart; it is not a secret.
    ///
    /// ```
    /// assert_eq!(rs2p::Protocol::default().subnet(), "mesh");
    /// ```
    #[must_use]
    pub fn subnet(&self) -> &str {
        &self.subnet
    }

    /// Returns how its links are encrypted.
    ///
    /// ```
    /// use rs2p::{Encryption, Protocol};
    ///
    /// assert_eq!(Protocol::new("mesh", Encryption::Ssl).encryption(), Encryption::Ssl);
    /// ```
    #[must_use]
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Returns what nodes compare when they meet: a digest of name, encryption and protocol
    /// version, and of whether there is a secret.
    ///
    /// ```
    /// use rs2p::{Encryption, Protocol};
    ///
    /// let (chat, jobs) = ("chat", "jobs");
    /// let id = |subnet| Protocol::new(subnet, Encryption::Plaintext).id().to_owned();
    /// assert_ne!(id(chat), id(jobs));
    /// ```
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Returns in words how the mesh with this id differs from ours.
    ///
    /// An id is a digest, so only likely meshes are recognised: those with our subnet or a default
    /// one, and any encryption.
    pub(crate) fn difference(&self, theirs: &str) -> String {
        let ours = Protection { encryption: self.encryption, secret: self.secret.is_some() };
        let subnets = [self.subnet.as_str()].into_iter().chain(DEFAULT_SUBNETS);
        let mut meshes = subnets.flat_map(|subnet| Protection::ALL.map(|how| (subnet, how)));
        let subnet = &self.subnet;
        match meshes.find(|(subnet, how)| how.id(subnet) == theirs) {
            Some((name, how)) if name == subnet => {
                format!("its encryption is {how}, ours is {ours}")
            }
            Some((name, how)) if how == ours => {
                format!("its subnet is {name:?}, ours is {subnet:?}")
            }
            Some((name, how)) => {
                format!("its subnet is {name:?} with {how}, ours is {subnet:?} with {ours}")
            }
            None => format!(
                "its subnet, encryption or protocol version differs; ours are {subnet:?}, {ours} \
                 and {VERSION}"
            ),
        }
    }
}

/// The part of a protocol id that says how links are protected.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Protection {
    encryption: Encryption,
    secret: bool,
}

impl Protection {
    const ALL: [Protection; 3] = [
        Protection { encryption: Encryption::Plaintext, secret: false },
        Protection { encryption: Encryption::Ssl, secret: false },
        Protection { encryption: Encryption::Ssl, secret: true },
    ];

    /// Returns the id of the mesh with this subnet.
    fn id(self, subnet: &str) -> String {
        let digest = Sha256::new()
            .chain_update(subnet)
            .chain_update(self.encryption.as_str())
            .chain_update(if self.secret { "+secret" } else { "" })
            .chain_update(VERSION)
            .finalize();
        base58::encode(&digest)
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.encryption, self.secret) {
            (Encryption::Plaintext, _) => "Plaintext",
            (Encryption::Ssl, false) => "SSL without a secret",
            (Encryption::Ssl, true) => "SSL with a secret",
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(ours: &Protocol, theirs: &Protocol) -> String {
        ours.difference(theirs.id())
    }

    #[test]
    fn likely_other_meshes_are_described_in_words() {
        use Encryption::{Plaintext, Ssl};
        let (plain, ssl) = (Protocol::new("lab", Plaintext), Protocol::new("lab", Ssl));
        let private = ssl.clone().with_secret("bqDyw5TqAAtqwS7XVSLJAHQjgG5yJZ3k");
        for (ours, theirs, words) in [
            (&plain, &ssl, "its encryption is SSL without a secret, ours is Plaintext"),
            (&ssl, &plain, "its encryption is Plaintext, ours is SSL without a secret"),
            (&ssl, &private, "its encryption is SSL with a secret, ours is SSL without a secret"),
            (&private, &ssl, "its encryption is SSL without a secret, ours is SSL with a secret"),
            (&plain, &Protocol::default(), r#"its subnet is "mesh", ours is "lab""#),
            (
                &private,
                &Protocol::default(),
                r#"its subnet is "mesh" with Plaintext, ours is "lab" with SSL with a secret"#,
            ),
            (
                &Protocol::default(),
                &plain,
                "its subnet, encryption or protocol version differs; ours are \"mesh\", Plaintext \
                 and 0.4",
            ),
        ] {
            assert_eq!(difference(ours, theirs), words);
        }
    }

    #[test]
    fn what_is_no_id_at_all_is_described_too() {
        assert!(Protocol::default().difference("").starts_with("its subnet, encryption or"));
    }
}
