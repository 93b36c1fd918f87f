//! Digests.

use openssl::sha;

use crate::domain::Digest;
use crate::xml::Sink;

use super::{CryptoError, DigestAlgorithm};

/// SHA-256 of bytes at hand.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::from_bytes(sha::sha256(bytes))
}

/// Compares two digests in a time that does not tell where they differ.
pub fn is_same(a: &Digest, b: &Digest) -> bool {
    openssl::memcmp::eq(a.bytes(), b.bytes())
}

/// HMAC-SHA256 of bytes under a shared key: 32 bytes.
///
/// # Errors
/// When OpenSSL refuses.
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = openssl::pkey::PKey::hmac(key)?;
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key)?;
    Ok(signer.sign_oneshot_to_vec(bytes)?)
}

/// Hashes bytes as they come.
pub struct Hasher(State);

enum State {
    Sha256(Box<sha::Sha256>),
    Sha384(Box<sha::Sha384>),
    Sha512(Box<sha::Sha512>),
}

impl Hasher {
    /// Begins.
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(Box::new(sha::Sha256::new())),
            DigestAlgorithm::Sha384 => State::Sha384(Box::new(sha::Sha384::new())),
            DigestAlgorithm::Sha512 => State::Sha512(Box::new(sha::Sha512::new())),
        })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(h) => h.update(bytes),
            State::Sha384(h) => h.update(bytes),
            State::Sha512(h) => h.update(bytes),
        }
    }

    /// The digest: 32, 48 or 64 bytes.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Sha256(h) => h.finish().to_vec(),
            State::Sha384(h) => h.finish().to_vec(),
            State::Sha512(h) => h.finish().to_vec(),
        }
    }
}

impl Sink for Hasher {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

/// SHA-256 of bytes as they come, with the typed result.
pub struct Sha256(sha::Sha256);

impl Sha256 {
    /// Begins.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(sha::Sha256::new())
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest.
    pub fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finish())
    }
}

impl Sink for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}
