//! Certificates.

use std::sync::Arc;

use crate::domain::{Digest, Timestamp};

use super::{CryptoError, KeyKind, SignatureAlgorithm};

/// An X.509 certificate, parsed once; cloning is cheap. Equal when the bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<()>);

impl Certificate {
    /// Reads one certificate in DER.
    ///
    /// # Errors
    /// When the bytes are not exactly one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CryptoError> {
        let _ = der;
        todo!()
    }

    /// Reads one certificate in PEM.
    ///
    /// # Errors
    /// When the text does not hold exactly one certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CryptoError> {
        let _ = pem;
        todo!()
    }

    /// The exact bytes.
    pub fn der(&self) -> &[u8] {
        let _ = &self.0;
        todo!()
    }

    /// PEM.
    pub fn to_pem(&self) -> String {
        todo!()
    }

    /// SHA-256 of the bytes: names the key in receipts and in the journal.
    pub fn thumbprint(&self) -> Digest {
        todo!()
    }

    /// The subject for people, such as `CN=health, O=...`.
    pub fn subject(&self) -> &str {
        todo!()
    }

    /// The first instant at which it is valid.
    pub fn not_before(&self) -> Timestamp {
        todo!()
    }

    /// The last instant at which it is valid.
    pub fn not_after(&self) -> Timestamp {
        todo!()
    }

    /// Whether it is valid at `now`, both ends included.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        let _ = now;
        todo!()
    }

    /// The kind of its key.
    ///
    /// # Errors
    /// When the key is not on the closed list (also RSA shorter than 2048 bits).
    pub fn key_kind(&self) -> Result<KeyKind, CryptoError> {
        todo!()
    }

    /// Whether `signature` (in the form that XMLDSig carries) was made over `data` by this certificate's key. A key of another kind than the
    /// algorithm's never verifies.
    ///
    /// # Errors
    /// When the key is not on the closed list.
    pub fn verify(&self, algorithm: SignatureAlgorithm, data: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
        let _ = (algorithm, data, signature);
        todo!()
    }
}
