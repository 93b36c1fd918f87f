//! Requests for certificates (PKCS#10), for an authority that certifies a key.

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::extension::KeyUsage;
use openssl::x509::{X509NameBuilder, X509Req};

use super::certificate::kind_of;
use super::{CryptoError, KeyKind};

/// The most parts of a subject.
const PARTS_MAX: usize = 20;

/// The names of a subject that are known, with the longest value (RFC 5280).
const NAMES: [(&str, Nid, usize); 10] = [
    ("CN", Nid::COMMONNAME, 64),
    ("O", Nid::ORGANIZATIONNAME, 64),
    ("OU", Nid::ORGANIZATIONALUNITNAME, 64),
    ("C", Nid::COUNTRYNAME, 2),
    ("ST", Nid::STATEORPROVINCENAME, 128),
    ("L", Nid::LOCALITYNAME, 128),
    ("STREET", Nid::STREETADDRESS, 128),
    ("SERIALNUMBER", Nid::SERIALNUMBER, 64),
    ("title", Nid::TITLE, 64),
    ("emailAddress", Nid::PKCS9_EMAILADDRESS, 128),
];

/// Who a certificate is for: `CN=…, O=…, C=RU`. A comma inside of a value is written `\,`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(Vec<(Nid, String)>);

impl Subject {
    /// Parses the text.
    ///
    /// # Errors
    /// What is wrong with it and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for part in split(text) {
            let (name, value) = part.split_once('=').map(|(n, v)| (n.trim(), v.trim())).unwrap_or((part.trim(), ""));
            let known = NAMES.iter().find(|known| known.0.eq_ignore_ascii_case(name));
            let Some((_, nid, chars_max)) = known else {
                let allowed = NAMES.map(|known| known.0).join(", ");
                return Err(format!(
                    "`{name}`: допускается / allowed: {allowed}; пример / example: CN=gateway, O=Депсоцразвития, C=RU"
                ));
            };
            let fits = (1..=*chars_max).contains(&value.chars().count()) && !value.contains(char::is_control);
            let fits = fits
                && (*nid != Nid::COUNTRYNAME || (value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase())));
            if !fits {
                return Err(format!(
                    "{name}: от 1 до {chars_max} знаков, C — двумя заглавными буквами / 1 to {chars_max} characters, C in two capitals"
                ));
            }
            parts.push((*nid, value.to_owned()));
        }
        if !parts.iter().any(|(nid, _)| *nid == Nid::COMMONNAME) || parts.len() > PARTS_MAX {
            return Err("нужен CN / a CN is needed: CN=gateway, O=Депсоцразвития, C=RU".to_owned());
        }
        Ok(Self(parts))
    }
}

/// Parts at commas that no backslash stands before.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let Some(last) = parts.last_mut() else { break };
        match c {
            '\\' => last.extend(chars.next()),
            ',' => parts.push(String::new()),
            other => last.push(other),
        }
    }
    parts
}

/// The request, PEM, for a private key (PEM, not encrypted). The key signs it and is not in it.
///
/// # Errors
/// When the key cannot be read, its kind is not on the closed list, or the library fails.
pub fn certificate_request(key_pem: &[u8], subject: &Subject) -> Result<Vec<u8>, CryptoError> {
    let key = PKey::private_key_from_pem_callback(key_pem, |_| Ok(0))
        .map_err(|_| CryptoError::Key("an unencrypted private key in PEM is expected".to_owned()))?;
    let digest = match kind_of(&key)? {
        KeyKind::Rsa | KeyKind::P256 => MessageDigest::sha256(),
        KeyKind::P384 => MessageDigest::sha384(),
        KeyKind::Ed25519 => MessageDigest::null(),
    };
    let mut name = X509NameBuilder::new()?;
    for (nid, value) in &subject.0 {
        name.append_entry_by_nid(*nid, value)?;
    }
    let mut builder = X509Req::builder()?;
    builder.set_version(0)?;
    builder.set_subject_name(name.build().as_ref())?;
    builder.set_pubkey(&key)?;
    let mut extensions = Stack::new()?;
    extensions.push(KeyUsage::new().critical().digital_signature().non_repudiation().build()?)?;
    builder.add_extensions(&extensions)?;
    builder.sign(&key, digest)?;
    Ok(builder.build().to_pem()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::generate;

    #[test]
    fn every_kind_of_key_asks_in_its_own_name() {
        let subject = Subject::parse("CN=gateway, O=Депсоцразвития\\, Югра, C=RU").unwrap();
        for kind in KeyKind::ALL {
            let key = generate::key(*kind).unwrap();
            let request = X509Req::from_pem(&certificate_request(&key, &subject).unwrap()).unwrap();
            assert!(request.verify(&request.public_key().unwrap()).unwrap(), "{kind:?}");
            let entry = request.subject_name().entries_by_nid(Nid::ORGANIZATIONNAME).next().unwrap();
            assert_eq!(entry.data().to_string().unwrap(), "Депсоцразвития, Югра");
        }
    }

    #[test]
    fn a_subject_that_is_none_is_told() {
        for text in ["", "O=x", "CN=", "CN=a, X=b", "CN=a, C=rus", &format!("CN={}", "x".repeat(65))] {
            assert!(Subject::parse(text).is_err(), "{text}");
        }
    }
}
