//! Keys, certificates, digests and signatures, all by OpenSSL.
//!
//! The list of algorithms is closed ([`SignatureAlgorithm`], [`DigestAlgorithm`]); GOST will be more rows of the same tables.
//! XML is not known here but for the [`crate::xml::Sink`] that hashes; what a signature covers is [`crate::envelope`]'s matter. Randomness is
//! drawn only in [`generate`].

mod algorithm;
mod certificate;
pub mod generate;
mod hash;
mod signer;

pub use algorithm::{DigestAlgorithm, KeyKind, SignatureAlgorithm};
pub use certificate::Certificate;
pub use hash::{Hasher, Sha256, sha256};
pub use signer::{FileSigner, Signer};

/// What went wrong with a key, a certificate or a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A certificate could not be read.
    #[error("the certificate cannot be read: {0}")]
    Certificate(String),
    /// A private key could not be read.
    #[error("the private key cannot be read: {0}")]
    Key(String),
    /// The key's kind or length is not on the closed list.
    #[error(
        "a key of this kind is not allowed: {0}; allowed are RSA of 2048 bits and more, ECDSA P-256 and P-384, Ed25519"
    )]
    KeyKind(String),
    /// The private key is not the one of the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The library refused to do its work.
    #[error("OpenSSL: {0}")]
    Library(String),
}

impl From<openssl::error::ErrorStack> for CryptoError {
    fn from(e: openssl::error::ErrorStack) -> Self {
        Self::Library(e.to_string())
    }
}
