//! Who makes signatures.

use super::{Certificate, CryptoError, SignatureAlgorithm};

/// Makes signatures with one key. It may block (a token, a remote service), so it is called outside of async threads and of transactions.
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
}

/// A key that was read from a file.
pub struct FileSigner {
    certificate: Certificate,
}

impl FileSigner {
    /// Prepares a key (PEM, PKCS#8 or the kind's own form, not encrypted) and its certificate (PEM).
    ///
    /// # Errors
    /// When one of them cannot be read, the key's kind is not allowed, or they do not belong together.
    pub fn from_pem(key_pem: &[u8], certificate_pem: &[u8]) -> Result<Self, CryptoError> {
        let _ = (key_pem, certificate_pem);
        todo!()
    }
}

impl Signer for FileSigner {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        todo!()
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let _ = data;
        todo!()
    }
}
