//! Digests.

use crate::domain::Digest;
use crate::xml::Sink;

use super::DigestAlgorithm;

/// SHA-256 of bytes at hand.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::from_bytes(openssl::sha::sha256(bytes))
}

/// Hashes bytes as they come.
pub struct Hasher(());

impl Hasher {
    /// Begins.
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        let _ = algorithm;
        todo!()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let _ = (bytes, &self.0);
        todo!()
    }

    /// The digest: 32, 48 or 64 bytes.
    pub fn finish(self) -> Vec<u8> {
        todo!()
    }
}

impl Sink for Hasher {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}
