//! New keys, certificates and tokens. The only place below the store that draws randomness.

use crate::domain::Timestamp;

use super::{CryptoError, KeyKind};

/// A new key with its certificate.
#[derive(Clone)]
pub struct Generated {
    /// The private key, PKCS#8 PEM, not encrypted.
    pub key_pem: Vec<u8>,
    /// The self-signed certificate, PEM.
    pub certificate_pem: Vec<u8>,
}

/// Makes a key and a self-signed certificate with the subject `CN=<name>`, valid from an hour before `now` for `valid_days` days. RSA keys
/// have 3072 bits.
///
/// # Errors
/// When the name does not fit into a common name (1 to 64 characters) or the library fails.
pub fn key_and_certificate(kind: KeyKind, name: &str, valid_days: u32, now: Timestamp) -> Result<Generated, CryptoError> {
    let _ = (kind, name, valid_days, now);
    todo!()
}

/// A random token of 256 bits, 43 characters of URL-safe base64.
///
/// # Errors
/// When the library has no randomness.
pub fn token() -> Result<String, CryptoError> {
    todo!()
}
