//! Certificates.

use std::fmt;
use std::sync::Arc;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Public};
use openssl::sign::Verifier;
use openssl::x509::{X509, X509NameRef};

use crate::domain::{Digest, Timestamp};

use super::{CryptoError, KeyKind, SignatureAlgorithm, sha256};

/// RSA keys shorter than this may not sign.
pub(super) const RSA_BITS_MIN: u32 = 2048;

/// An X.509 certificate, parsed once; cloning is cheap. Equal when the bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    thumbprint: Digest,
    subject: String,
    issuer: String,
    not_before: Timestamp,
    not_after: Timestamp,
    key: Result<(KeyKind, PKey<Public>), CryptoError>,
}

impl Certificate {
    /// Reads one certificate in DER.
    ///
    /// # Errors
    /// When the bytes are not exactly one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CryptoError> {
        let x509 = X509::from_der(der).map_err(|e| CryptoError::Certificate(e.to_string()))?;
        if x509.to_der()? != der {
            return Err(CryptoError::Certificate("there is something after it, or it is not in DER".to_owned()));
        }
        Self::from_x509(&x509)
    }

    /// Reads one certificate in PEM.
    ///
    /// # Errors
    /// When the text does not hold exactly one certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CryptoError> {
        let found = X509::stack_from_pem(pem).map_err(|e| CryptoError::Certificate(e.to_string()))?;
        match found.as_slice() {
            [one] => Self::from_x509(one),
            [] => Err(CryptoError::Certificate("no `-----BEGIN CERTIFICATE-----` is in the text".to_owned())),
            many => Err(CryptoError::Certificate(format!("one is expected, {} are in the text", many.len()))),
        }
    }

    fn from_x509(x509: &X509) -> Result<Self, CryptoError> {
        let der = x509.to_der()?;
        let key = x509.public_key().map_err(|e| CryptoError::KeyKind(e.to_string()));
        let key = key.and_then(|key| kind_of(&key).map(|kind| (kind, key)));
        Ok(Self(Arc::new(Parts {
            thumbprint: sha256(&der),
            subject: subject(x509.subject_name()),
            issuer: subject(x509.issuer_name()),
            not_before: instant(x509.not_before())?,
            not_after: instant(x509.not_after())?,
            key,
            der,
        })))
    }

    /// The exact bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// PEM.
    ///
    /// # Errors
    /// When the library fails.
    pub fn to_pem(&self) -> Result<Vec<u8>, CryptoError> {
        Ok(X509::from_der(&self.0.der)?.to_pem()?)
    }

    /// SHA-256 of the bytes: names the key in receipts and in the journal.
    pub fn thumbprint(&self) -> Digest {
        self.0.thumbprint
    }

    /// The subject for people, such as `CN=health, O=...`.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Who issued it, for people; its own subject when it is self-signed.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Whether both certify the same key.
    pub fn has_key_of(&self, other: &Self) -> bool {
        match (&self.0.key, &other.0.key) {
            (Ok((_, own)), Ok((_, others))) => own.public_eq(others),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => self == other,
        }
    }

    /// The first instant at which it is valid.
    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    /// The last second at which it is valid.
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// Whether it is valid at `now`, the last second included to its end.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.0.not_before <= now && now < self.0.not_after.plus_seconds(1)
    }

    /// The kind of its key.
    ///
    /// # Errors
    /// When the key is not on the closed list (also RSA shorter than 2048 bits).
    pub fn key_kind(&self) -> Result<KeyKind, CryptoError> {
        self.key().map(|(kind, _)| *kind)
    }

    fn key(&self) -> Result<&(KeyKind, PKey<Public>), CryptoError> {
        self.0.key.as_ref().map_err(Clone::clone)
    }

    pub(super) fn public_key(&self) -> Result<&PKeyRef<Public>, CryptoError> {
        self.key().map(|(_, key)| key.as_ref())
    }

    /// Whether `signature` (in the form that XMLDSig carries) was made over `data` by this certificate's key. A key of another kind than
    /// the algorithm's never verifies.
    ///
    /// # Errors
    /// When the key is not on the closed list.
    pub fn verify(&self, algorithm: SignatureAlgorithm, data: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
        let (kind, key) = self.key()?;
        if !algorithm.fits(*kind) {
            return Ok(false);
        }
        let der;
        let signature = match kind.component_bytes() {
            None => signature,
            Some(_) => match raw_to_der(*kind, signature) {
                Some(bytes) => {
                    der = bytes;
                    &der
                }
                None => return Ok(false),
            },
        };
        let mut verifier = match algorithm.digest() {
            Some(digest) => Verifier::new(digest.message_digest(), key)?,
            None => Verifier::new_without_digest(key)?,
        };
        // The library reports a malformed signature as an error; for the caller it is one that does not verify.
        Ok(verifier.verify_oneshot(signature, data).unwrap_or(false))
    }
}

/// XMLDSig carries ECDSA as r||s of fixed length; OpenSSL wants DER.
fn raw_to_der(kind: KeyKind, raw: &[u8]) -> Option<Vec<u8>> {
    let half = usize::try_from(kind.component_bytes()?).ok()?;
    if raw.len() != 2 * half {
        return None;
    }
    let (r, s) = raw.split_at_checked(half)?;
    let pair = EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?);
    pair.and_then(|pair| pair.to_der()).ok()
}

/// The kind of a key, if it is on the closed list.
pub(super) fn kind_of<T: openssl::pkey::HasPublic>(key: &PKeyRef<T>) -> Result<KeyKind, CryptoError> {
    match key.id() {
        Id::RSA if key.bits() >= RSA_BITS_MIN => Ok(KeyKind::Rsa),
        Id::RSA => Err(CryptoError::KeyKind(format!("RSA of {} bits", key.bits()))),
        Id::ED25519 => Ok(KeyKind::Ed25519),
        Id::EC => match key.ec_key()?.group().curve_name() {
            Some(Nid::X9_62_PRIME256V1) => Ok(KeyKind::P256),
            Some(Nid::SECP384R1) => Ok(KeyKind::P384),
            other => Err(CryptoError::KeyKind(format!("the curve {}", other.map_or("without a name", short_name)))),
        },
        other => Err(CryptoError::KeyKind(short_name(Nid::from_raw(other.as_raw())).to_owned())),
    }
}

fn short_name(nid: Nid) -> &'static str {
    nid.short_name().unwrap_or("unknown")
}

fn subject(name: &X509NameRef) -> String {
    let parts: Vec<String> = name
        .entries()
        .map(|entry| {
            let value = entry.data().to_string().unwrap_or_else(|_| "?".to_owned());
            format!("{}={value}", short_name(entry.object().nid()))
        })
        .collect();
    parts.join(", ")
}

fn instant(time: &Asn1TimeRef) -> Result<Timestamp, CryptoError> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(Timestamp::from_micros(0).plus_seconds(i64::from(since.days) * 86_400 + i64::from(since.secs)))
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.0.subject, self.0.thumbprint)
    }
}
