//! What a beacon says, as bytes.

use sha2::{Digest, Sha384};

use crate::id::NodeId;

/// Magic, and version.
const HEAD: [u8; 5] = *b"rs2p\x01";
const NONCE: usize = 8;
const TAG: usize = 16;

/// A node that says where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beacon {
    pub id: NodeId,
    pub port: u16,
}

impl Beacon {
    /// Encodes it for the nodes of this mesh.
    pub fn encode(&self, mesh: &str, nonce: [u8; NONCE]) -> Vec<u8> {
        let mut bytes = HEAD.to_vec();
        bytes.extend(nonce);
        bytes.extend(self.port.to_be_bytes());
        bytes.extend(self.id.as_bytes());
        let tag = tag(mesh, &bytes);
        bytes.extend(tag);
        bytes
    }

    /// Reads one. `None` if it belongs to another mesh, or is none.
    pub fn read(bytes: &[u8], mesh: &str) -> Option<Self> {
        let (said, theirs) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let rest = said.strip_prefix(&HEAD)?.get(NONCE..)?;
        let (port, id) = rest.split_first_chunk::<2>()?;
        if tag(mesh, said) != *theirs {
            return None;
        }
        let port = u16::from_be_bytes(*port);
        let id = NodeId::from_wire(id)?;
        (port != 0).then_some(Beacon { id, port })
    }
}

/// Says to which mesh a beacon belongs, to those who know that mesh only.
fn tag(mesh: &str, said: &[u8]) -> [u8; TAG] {
    let digest = Sha384::new()
        .chain_update(b"rs2p beacon")
        .chain_update((mesh.len() as u64).to_be_bytes())
        .chain_update(mesh)
        .chain_update(said)
        .finalize();
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Encryption, Protocol};

    fn beacon() -> Beacon {
        Beacon { id: NodeId::from_digest(&[0xff; 48]), port: 4444 }
    }

    #[test]
    fn a_beacon_is_read_by_its_own_mesh_only() {
        let bytes = beacon().encode("a mesh", [7; NONCE]);
        assert!(bytes.len() <= 100, "{} bytes", bytes.len());
        assert_eq!(Beacon::read(&bytes, "a mesh"), Some(beacon()));
        assert_eq!(Beacon::read(&bytes, "another mesh"), None);
    }

    #[test]
    fn a_beacon_that_was_changed_is_none_and_no_bytes_make_it_panic() {
        let bytes = beacon().encode("a mesh", [7; NONCE]);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Beacon::read(&changed, "a mesh"), None, "byte {at}");
            assert_eq!(Beacon::read(&bytes[..at], "a mesh"), None, "{at} bytes");
        }
    }

    #[test]
    fn neither_the_name_nor_the_secret_nor_the_id_of_a_mesh_is_in_a_beacon() {
        let secret = "a secret of sixteen bytes and more";
        let private = Protocol::new("the name", Encryption::Ssl).with_secret(secret);
        let bytes = beacon().encode(private.id(), [7; NONCE]);
        let has = |text: &str| {
            bytes.windows(text.len().min(8)).any(|part| text.as_bytes().starts_with(part))
        };
        assert!(!has("the name") && !has(secret) && !has(private.id()));
        // And the secret changes nothing: it cannot be guessed from a beacon.
        let other = Protocol::new("the name", Encryption::Ssl).with_secret("some other secret");
        assert_eq!(bytes, beacon().encode(other.id(), [7; NONCE]));
    }
}
