//! The keyed hash of keys that are personal.

use crate::core::model::key::Key;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// Hashes keys that are personal (a login, an e-mail address) so that logs can be searched and a purged person
/// recognised, and nobody can be looked up without the store. HMAC-SHA256 under a random key that each store has.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyHasher([u8; 32]);

impl KeyHasher {
    /// From the store's own random bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// A fresh random one.
    pub fn random() -> Self {
        // Two version-4 UUIDs from the operating system's generator: 244 random bits, without another dependency.
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        secret[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        Self(secret)
    }

    /// The random bytes, for the store to keep.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of a key in hexadecimal, always the same within one store.
    pub fn hash(&self, key: &Key) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        mac.update(key.as_str().as_bytes());
        mac.finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_stable_within_a_store_and_tells_nothing_without_it() {
        let hasher = KeyHasher::new([7; 32]);
        let key = Key::stored("j.jansen");
        assert_eq!(hasher.hash(&key), hasher.hash(&key));
        assert_eq!(hasher.hash(&key).len(), 64);
        assert_ne!(hasher.hash(&key), KeyHasher::random().hash(&key));
        assert_eq!(format!("{hasher:?}"), "KeyHasher(***)");
    }
}
