//! New keys, certificates and tokens. The only place below the store that draws randomness.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509NameBuilder};

use crate::domain::Timestamp;

use super::{CryptoError, KeyKind};

/// The length of new RSA keys.
const RSA_BITS: u32 = 3072;

/// How long before `now` a new certificate begins, so that a partner whose clock is slow takes it at once.
const NOT_BEFORE_MARGIN_SECONDS: i64 = 3600;

/// A new key with its certificate.
#[derive(Clone)]
pub struct Generated {
    /// The private key, PKCS#8 PEM, not encrypted.
    pub key_pem: Vec<u8>,
    /// The self-signed certificate, PEM.
    pub certificate_pem: Vec<u8>,
}

/// Makes a key and a self-signed certificate with the subject `CN=<name>`, valid from an hour before `now` for `valid_days`
/// days. RSA keys have 3072 bits.
///
/// # Errors
/// When the name does not fit into a common name (1 to 64 characters) or the library fails.
pub fn key_and_certificate(
    kind: KeyKind,
    name: &str,
    valid_days: u32,
    now: Timestamp,
) -> Result<Generated, CryptoError> {
    let key = new_key(kind)?;
    let digest = match kind {
        KeyKind::Rsa | KeyKind::P256 => MessageDigest::sha256(),
        KeyKind::P384 => MessageDigest::sha384(),
        KeyKind::Ed25519 => MessageDigest::null(),
    };
    let certificate = self_signed(&key, digest, name, valid_days, now)?;
    Ok(Generated { key_pem: key.private_key_to_pem_pkcs8()?, certificate_pem: certificate.to_pem()? })
}

/// Makes a private key alone, PKCS#8 PEM, not encrypted. RSA keys have 3072 bits.
///
/// # Errors
/// When the library fails.
pub fn key(kind: KeyKind) -> Result<Vec<u8>, CryptoError> {
    Ok(new_key(kind)?.private_key_to_pem_pkcs8()?)
}

fn new_key(kind: KeyKind) -> Result<PKey<Private>, CryptoError> {
    Ok(match kind {
        KeyKind::Rsa => PKey::from_rsa(Rsa::generate(RSA_BITS)?)?,
        KeyKind::P256 => on_curve(Nid::X9_62_PRIME256V1)?,
        KeyKind::P384 => on_curve(Nid::SECP384R1)?,
        KeyKind::Ed25519 => PKey::generate_ed25519()?,
    })
}

fn on_curve(curve: Nid) -> Result<PKey<Private>, CryptoError> {
    let group = EcGroup::from_curve_name(curve)?;
    Ok(PKey::from_ec_key(EcKey::generate(&group)?)?)
}

fn self_signed(
    key: &PKeyRef<Private>,
    digest: MessageDigest,
    name: &str,
    valid_days: u32,
    now: Timestamp,
) -> Result<X509, CryptoError> {
    if name.is_empty() || name.chars().count() > 64 {
        return Err(CryptoError::Certificate("the name must have 1 to 64 characters".to_owned()));
    }
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_nid(Nid::COMMONNAME, name)?;
    let subject = subject.build();

    let seconds = now.micros().div_euclid(1_000_000);
    let mut serial = BigNum::new()?;
    serial.rand(159, MsbOption::MAYBE_ZERO, false)?;

    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_not_before(Asn1Time::from_unix(seconds - NOT_BEFORE_MARGIN_SECONDS)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(seconds + i64::from(valid_days) * 86_400)?.as_ref())?;
    builder.set_pubkey(key)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().non_repudiation().build()?)?;
    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(identifier)?;
    builder.sign(key, digest)?;
    Ok(builder.build())
}

/// A random token of 256 bits, 43 characters of URL-safe base64.
///
/// # Errors
/// When the library has no randomness.
pub fn token() -> Result<String, CryptoError> {
    let mut bytes = [0; 32];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
