//! Keyed hashes of ids: short, and with a secret key, so that nobody can aim two ids at one hash.
//!
//! With 2.6 million hashes of 64 bits a new id has one of them by chance once in 7·10¹² messages.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip::SipHasher13;

use super::rng::Rng;
use crate::id::{MessageId, NodeId};

/// A keyed hash of a message id, computed once for each message. Maps use it as its own hash.
pub(super) type Fingerprint = u64;

/// A map by fingerprint.
pub(super) type FingerprintMap<V> = HashMap<Fingerprint, V, BuildHasherDefault<IdentityHasher>>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyedHash(SipHasher13);

impl KeyedHash {
    pub fn new(rng: &mut Rng) -> Self {
        KeyedHash(SipHasher13::new_with_keys(rng.next_u64(), rng.next_u64()))
    }

    pub fn of_message(self, id: &MessageId) -> Fingerprint {
        self.0.hash(id.as_digest())
    }

    pub fn of_node(self, id: &NodeId) -> u64 {
        self.0.hash(id.as_bytes())
    }
}

/// Takes a number that is distributed evenly as its own hash.
#[derive(Default)]
pub(super) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
