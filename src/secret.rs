//! The shared secret of a private mesh, and the proofs that a node knows it.
//!
//! No I/O and no random numbers: a proof is made of a [`Transcript`] that comes in.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// Bytes of the shortest secret that is accepted. Stretching makes guessing expensive, not
/// impossible.
pub(crate) const MIN_SECRET: usize = 12;
/// Bytes of a nonce and of a proof.
pub(crate) const PROOF_LEN: usize = 32;

pub(crate) type Nonce = [u8; PROOF_LEN];

/// What is overwritten with zeros when it is dropped. Without TLS no secret is used: `bind` refuses it.
#[cfg(feature = "native-tls")]
type Passphrase = zeroize::Zeroizing<Box<[u8]>>;
#[cfg(not(feature = "native-tls"))]
type Passphrase = Box<[u8]>;

/// The secret that all nodes of a private mesh know. Clones share it and the key that is made of
/// it.
#[derive(Clone)]
pub(crate) struct Secret(Arc<Inner>);

struct Inner {
    passphrase: Passphrase,
    /// Keeps equal passphrases of different meshes apart.
    salt: String,
    key: OnceLock<Key>,
}

impl Secret {
    pub fn new(passphrase: &[u8], salt: &str) -> Self {
        let passphrase: Box<[u8]> = passphrase.into();
        #[cfg(feature = "native-tls")]
        let passphrase = Passphrase::new(passphrase);
        let salt = salt.to_owned();
        Secret(Arc::new(Inner { passphrase, salt, key: OnceLock::new() }))
    }

    /// Returns how many bytes the passphrase has.
    pub fn len(&self) -> usize {
        self.0.passphrase.len()
    }
}

impl PartialEq for Secret {
    /// Compares two values that this program was given: no stranger measures how long it takes.
    fn eq(&self, other: &Self) -> bool {
        (&self.0.passphrase, &self.0.salt) == (&other.0.passphrase, &other.0.salt)
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.passphrase.hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Which end of a link makes a proof. A proof of one end is not valid for the other end, so that
/// none can be reflected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Dialler,
    Acceptor,
}

/// What the two ends of a link have to agree on, besides the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transcript {
    /// `tls_server_end_point` (RFC 5929): a digest of the acceptor's certificate. A man in the
    /// middle has another certificate. It is the same for all links to that node: hence the nonces.
    pub end_point: Vec<u8>,
    pub dialler: Nonce,
    pub acceptor: Nonce,
}

#[cfg(feature = "native-tls")]
mod key {
    use argon2::{Algorithm, Argon2, Params, Version};
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;
    use zeroize::{Zeroize, Zeroizing};

    use super::{PROOF_LEN, Role, Secret, Transcript};
    use crate::error::{Error, Result};

    /// Argon2id as OWASP advises: 19 MiB, two passes. A socket pays the cost once, an attacker once
    /// per guess.
    const MEMORY_KIB: u32 = 19 * 1024;
    const PASSES: u32 = 2;

    /// Sets these HMACs apart from any other use of the key.
    const CONTEXT: &[u8] = b"rs2p proof of the secret, 1";

    /// A stretched secret.
    #[derive(Clone, PartialEq, Eq)]
    pub(crate) struct Key([u8; PROOF_LEN]);

    impl Drop for Key {
        fn drop(&mut self) {
            self.0.zeroize();
        }
    }

    impl Secret {
        /// Returns the key. Makes it when it is first asked for, which takes tens of milliseconds.
        pub fn key(&self) -> Result<Key> {
            if let Some(key) = self.0.key.get() {
                return Ok(key.clone());
            }
            let key = stretch(&self.0.passphrase, &self.0.salt)
                .map_err(|error| Error::settings("the secret", error))?;
            Ok(self.0.key.get_or_init(|| key).clone())
        }
    }

    impl Key {
        /// Returns the proof, which only a node that knows the secret can make for this link.
        pub fn prove(&self, role: Role, transcript: &Transcript) -> [u8; PROOF_LEN] {
            self.hmac(role, transcript).finalize().into_bytes().into()
        }

        /// Returns whether this is the proof, in a time that does not tell how much of it is right.
        pub fn verify(&self, role: Role, transcript: &Transcript, proof: &[u8; PROOF_LEN]) -> bool {
            self.hmac(role, transcript).verify_slice(proof).is_ok()
        }

        fn hmac(&self, role: Role, transcript: &Transcript) -> Hmac<Sha256> {
            let role = match role {
                Role::Dialler => b"dialler ",
                Role::Acceptor => b"acceptor",
            };
            // All but the end point have a fixed length: no two transcripts look the same.
            // HMAC pads short keys with zeros.
            let mut block = Zeroizing::new([0; 64]);
            block[..PROOF_LEN].copy_from_slice(&self.0);
            let mut hmac = Hmac::new((&*block).into());
            for part in [CONTEXT, role, &transcript.dialler, &transcript.acceptor] {
                hmac.update(part);
            }
            hmac.update(&transcript.end_point);
            hmac
        }
    }

    impl std::fmt::Debug for Key {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Key(..)")
        }
    }

    fn stretch(passphrase: &[u8], salt: &str) -> Result<Key, argon2::Error> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(PROOF_LEN))?;
        let mut key = Key([0; PROOF_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
            passphrase,
            salt.as_bytes(),
            &mut key.0,
        )?;
        Ok(key)
    }
}

#[cfg(not(feature = "native-tls"))]
mod key {
    use super::{PROOF_LEN, Role, Secret, Transcript};
    use crate::error::{Error, Result};

    /// A secret is nothing without TLS: in this build there is no key, and the compiler knows.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) enum Key {}

    impl Secret {
        pub fn key(&self) -> Result<Key> {
            self.0.key.get().cloned().ok_or(Error::TlsNotCompiled)
        }
    }

    impl Key {
        pub fn prove(&self, _: Role, _: &Transcript) -> [u8; PROOF_LEN] {
            match *self {}
        }

        pub fn verify(&self, _: Role, _: &Transcript, _: &[u8; PROOF_LEN]) -> bool {
            match *self {}
        }
    }
}

pub(crate) use key::Key;

#[cfg(feature = "native-tls")]
#[cfg(test)]
mod tests {
    use super::*;

    fn transcript() -> Transcript {
        Transcript { end_point: vec![7; 32], dialler: [1; PROOF_LEN], acceptor: [2; PROOF_LEN] }
    }

    #[test]
    fn a_proof_holds_for_its_secret_role_and_transcript_only() {
        let key = Secret::new(b"correct horse battery", "mesh of mine").key().unwrap();
        let proof = key.prove(Role::Dialler, &transcript());
        assert!(key.verify(Role::Dialler, &transcript(), &proof));
        assert!(!key.verify(Role::Acceptor, &transcript(), &proof), "reflected");
        let elsewhere = Transcript { end_point: vec![8; 32], ..transcript() };
        assert!(!key.verify(Role::Dialler, &elsewhere, &proof), "another certificate");
        let later = Transcript { acceptor: [3; PROOF_LEN], ..transcript() };
        assert!(!key.verify(Role::Dialler, &later, &proof), "replayed to an acceptor");
        let later = Transcript { dialler: [3; PROOF_LEN], ..transcript() };
        assert!(!key.verify(Role::Dialler, &later, &proof), "replayed to a dialler");
        for (passphrase, salt) in
            [("correct horse batterz", "mesh of mine"), ("correct horse battery", "mesh of hers")]
        {
            let other = Secret::new(passphrase.as_bytes(), salt).key().unwrap();
            assert!(!other.verify(Role::Dialler, &transcript(), &proof), "{passphrase} {salt}");
        }
        for bit in 0..PROOF_LEN * 8 {
            let mut wrong = proof;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(Role::Dialler, &transcript(), &wrong), "bit {bit}");
        }
    }

    #[test]
    fn neither_secret_nor_key_is_ever_shown() {
        let secret = Secret::new(b"correct horse battery", "mesh salt");
        let shown = format!(
            "{secret:?} {secret:#?} {:?} {:#?}",
            secret.key().unwrap(),
            secret.key().unwrap()
        );
        assert_eq!(shown, "Secret(..) Secret(..) Key(..) Key(..)");
    }
}
