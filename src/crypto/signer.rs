//! Who makes signatures.

use std::fmt;

use openssl::ecdsa::EcdsaSig;
use openssl::pkey::{PKey, Private};
use openssl::sign;

use super::certificate::kind_of;
use super::{Certificate, CryptoError, KeyKind, SignatureAlgorithm};

/// Makes signatures with one key. It may block (a token, a remote service), so it is called outside of transactions, and outside of async
/// threads unless it [is quick](Signer::is_quick).
pub trait Signer: Send + Sync {
    /// The certificate of the key.
    fn certificate(&self) -> &Certificate;

    /// The signature method that [`Signer::sign`] makes.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs; the value is in the form that XMLDSig carries (ECDSA: r||s).
    ///
    /// # Errors
    /// When the key's holder refuses or fails.
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Whether it only computes, and never waits for anything.
    fn is_quick(&self) -> bool {
        false
    }
}

/// A key that was read from a file. Debug shows only its certificate.
pub struct FileSigner {
    key: PKey<Private>,
    kind: KeyKind,
    algorithm: SignatureAlgorithm,
    certificate: Certificate,
}

impl FileSigner {
    /// Prepares a key (PEM, PKCS#8 or the kind's own form, not encrypted) and its certificate (PEM). It signs with
    /// [`SignatureAlgorithm::default_for`] its kind.
    ///
    /// # Errors
    /// When one of them cannot be read, the key's kind is not allowed, or they do not belong together.
    pub fn from_pem(key_pem: &[u8], certificate_pem: &[u8]) -> Result<Self, CryptoError> {
        // Without a callback the library would ask for a passphrase on the terminal.
        let key = PKey::private_key_from_pem_callback(key_pem, |_| Ok(0))
            .map_err(|_| CryptoError::Key("an unencrypted private key in PEM is expected".to_owned()))?;
        let certificate = Certificate::from_pem(certificate_pem)?;
        let kind = kind_of(&key)?;
        if !certificate.public_key()?.public_eq(&key) {
            return Err(CryptoError::KeyMismatch);
        }
        Ok(Self { key, kind, algorithm: SignatureAlgorithm::default_for(kind), certificate })
    }

    /// The same key with another of its algorithms.
    ///
    /// # Errors
    /// When a key of this kind cannot make it.
    pub fn with_algorithm(self, algorithm: SignatureAlgorithm) -> Result<Self, CryptoError> {
        if algorithm.fits(self.kind) {
            Ok(Self { algorithm, ..self })
        } else {
            Err(CryptoError::KeyKind(format!("a key {} cannot make {}", self.kind.as_str(), algorithm.uri())))
        }
    }
}

impl Signer for FileSigner {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn is_quick(&self) -> bool {
        true
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut signer = match self.algorithm.digest() {
            Some(digest) => sign::Signer::new(digest.message_digest(), &self.key)?,
            None => sign::Signer::new_without_digest(&self.key)?,
        };
        let value = signer.sign_oneshot_to_vec(data)?;
        let Some(bytes) = self.kind.component_bytes() else { return Ok(value) };
        let pair = EcdsaSig::from_der(&value)?;
        let mut raw = pair.r().to_vec_padded(bytes)?;
        raw.extend(pair.s().to_vec_padded(bytes)?);
        Ok(raw)
    }
}

impl fmt::Debug for FileSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSigner").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
