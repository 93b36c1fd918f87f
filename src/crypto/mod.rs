//! Keys, certificates, digests and signatures, all by OpenSSL.
//!
//! The list of algorithms is closed ([`SignatureAlgorithm`], [`DigestAlgorithm`]); GOST will be more rows of the same tables.
//! XML is not known here but for the [`crate::xml::Sink`] that hashes; what a signature covers is [`crate::envelope`]'s matter. Randomness is
//! drawn only in [`generate`].

mod algorithm;
mod certificate;
pub mod generate;
mod hash;
mod request;
mod signer;

pub use algorithm::{DigestAlgorithm, KeyKind, SignatureAlgorithm};
pub use certificate::Certificate;
pub use hash::{Hasher, Sha256, hmac_sha256, is_same, sha256};
pub use request::{Subject, certificate_request};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn now() -> Timestamp {
        Timestamp::parse("2026-05-06T05:00:00Z").unwrap()
    }

    #[test]
    fn every_kind_signs_with_every_algorithm_of_its_own_and_no_other() {
        for kind in KeyKind::ALL {
            let made = generate::key_and_certificate(*kind, "a", 365, now()).unwrap();
            for algorithm in SignatureAlgorithm::all() {
                let signer =
                    FileSigner::from_pem(&made.key_pem, &made.certificate_pem).unwrap().with_algorithm(algorithm);
                assert_eq!(signer.is_ok(), algorithm.fits(*kind), "{kind:?} {algorithm:?}");
                let Ok(signer) = signer else { continue };
                let value = signer.sign(b"data").unwrap();
                let certificate = signer.certificate();
                assert_eq!(certificate.verify(algorithm, b"data", &value), Ok(true));
                assert_eq!(certificate.verify(algorithm, b"date", &value), Ok(false));
                assert_eq!(certificate.verify(algorithm, b"data", &value[1..]), Ok(false));
                assert_eq!(certificate.verify(algorithm, b"data", &[]), Ok(false));
                for other in SignatureAlgorithm::all().filter(|a| *a != algorithm) {
                    assert_eq!(certificate.verify(other, b"data", &value), Ok(false), "{algorithm:?} as {other:?}");
                }
            }
        }
    }

    #[test]
    fn the_tables_name_each_algorithm_once() {
        for algorithm in SignatureAlgorithm::all() {
            assert_eq!(SignatureAlgorithm::parse(algorithm.uri()), Some(algorithm));
        }
        for kind in KeyKind::ALL {
            assert_eq!(KeyKind::parse(kind.as_str()), Some(*kind));
            assert!(SignatureAlgorithm::default_for(*kind).fits(*kind));
        }
        for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
            assert_eq!(DigestAlgorithm::parse(digest.uri()), Some(digest));
        }
        assert_eq!(DigestAlgorithm::parse(""), None);
    }

    #[test]
    fn a_certificate_tells_who_and_when() {
        let made = generate::key_and_certificate(KeyKind::P256, "шлюз", 365, now()).unwrap();
        let certificate = Certificate::from_pem(&made.certificate_pem).unwrap();
        assert_eq!(certificate.subject(), "CN=шлюз");
        assert_eq!(certificate.not_before(), now().plus_seconds(-3600));
        assert_eq!(certificate.not_after(), now().plus_seconds(365 * 86_400));
        assert_eq!(certificate.thumbprint(), sha256(certificate.der()));
        assert_eq!(Certificate::from_der(certificate.der()).as_ref(), Ok(&certificate));
        assert_eq!(certificate.to_pem().unwrap(), made.certificate_pem);
        assert_eq!(certificate.key_kind(), Ok(KeyKind::P256));
    }

    #[test]
    fn what_is_no_key_or_certificate_is_told() {
        let made = generate::key_and_certificate(KeyKind::P256, "a", 1, now()).unwrap();
        let other = generate::key_and_certificate(KeyKind::P256, "a", 1, now()).unwrap();
        let twice = [made.certificate_pem.clone(), made.certificate_pem.clone()].concat();
        let der = Certificate::from_pem(&made.certificate_pem).unwrap().der().to_vec();
        assert!(matches!(Certificate::from_pem(b"text"), Err(CryptoError::Certificate(_))));
        assert!(matches!(Certificate::from_pem(&twice), Err(CryptoError::Certificate(_))));
        assert!(matches!(Certificate::from_der(&[&der[..], &[0]].concat()), Err(CryptoError::Certificate(_))));
        assert!(matches!(FileSigner::from_pem(b"text", &made.certificate_pem), Err(CryptoError::Key(_))));
        assert!(matches!(FileSigner::from_pem(&other.key_pem, &made.certificate_pem), Err(CryptoError::KeyMismatch)));
        for name in [String::new(), "a".repeat(65)] {
            assert!(generate::key_and_certificate(KeyKind::P256, &name, 1, now()).is_err());
        }
    }

    /// An encrypted key must be an error, never a question on the terminal.
    #[test]
    fn an_encrypted_key_is_refused_without_asking() {
        let made = generate::key_and_certificate(KeyKind::P256, "a", 1, now()).unwrap();
        let key = openssl::pkey::PKey::private_key_from_pem(&made.key_pem).unwrap();
        let locked = key.private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"secret").unwrap();
        assert!(matches!(FileSigner::from_pem(&locked, &made.certificate_pem), Err(CryptoError::Key(_))));
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (a, b) = (generate::token().unwrap(), generate::token().unwrap());
        assert_eq!(a.len(), 43);
        assert_ne!(a, b);
    }
}
