//! The closed list of algorithms. Each list is one table; a further algorithm is one more row and an arm in
//! `Certificate::verify` and in its signer.

use openssl::hash::MessageDigest;

/// Digests of references and signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

const DIGESTS: &[(DigestAlgorithm, &str)] = &[
    (DigestAlgorithm::Sha256, "http://www.w3.org/2001/04/xmlenc#sha256"),
    (DigestAlgorithm::Sha384, "http://www.w3.org/2001/04/xmldsig-more#sha384"),
    (DigestAlgorithm::Sha512, "http://www.w3.org/2001/04/xmlenc#sha512"),
];

impl DigestAlgorithm {
    /// The XMLDSig URI.
    pub fn uri(self) -> &'static str {
        DIGESTS.iter().find(|(a, _)| *a == self).map_or("", |(_, uri)| uri)
    }

    /// The algorithm with this URI, if it is on the list.
    pub fn parse(uri: &str) -> Option<Self> {
        DIGESTS.iter().find(|(_, u)| *u == uri).map(|(a, _)| *a)
    }

    pub(super) fn message_digest(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// The kinds of keys that may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, 2048 bits and more.
    Rsa,
    /// ECDSA on P-256 (`prime256v1`).
    P256,
    /// ECDSA on P-384 (`secp384r1`).
    P384,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Rsa, Self::P256, Self::P384, Self::Ed25519];

    /// The word of the command line: `rsa`, `p256`, `p384`, `ed25519`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Ed25519 => "ed25519",
        }
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// For ECDSA the length in bytes of each of r and s.
    pub(super) fn component_bytes(self) -> Option<i32> {
        match self {
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            Self::Rsa | Self::Ed25519 => None,
        }
    }
}

/// Signature methods, each with its XMLDSig URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaSha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaSha512,
    /// ECDSA with SHA-256; the value is r||s.
    EcdsaSha256,
    /// ECDSA with SHA-384; the value is r||s.
    EcdsaSha384,
    /// ECDSA with SHA-512; the value is r||s.
    EcdsaSha512,
    /// Ed25519 (RFC 9231).
    Ed25519,
}

/// One row: the algorithm, its URI, the keys that make it and the digest inside.
type Row = (SignatureAlgorithm, &'static str, &'static [KeyKind], Option<DigestAlgorithm>);

const RSA: &[KeyKind] = &[KeyKind::Rsa];
const ECDSA: &[KeyKind] = &[KeyKind::P256, KeyKind::P384];

const SIGNATURES: &[Row] = &[
    (
        SignatureAlgorithm::RsaSha256,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        RSA,
        Some(DigestAlgorithm::Sha256),
    ),
    (
        SignatureAlgorithm::RsaSha384,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        RSA,
        Some(DigestAlgorithm::Sha384),
    ),
    (
        SignatureAlgorithm::RsaSha512,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        RSA,
        Some(DigestAlgorithm::Sha512),
    ),
    (
        SignatureAlgorithm::EcdsaSha256,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        ECDSA,
        Some(DigestAlgorithm::Sha256),
    ),
    (
        SignatureAlgorithm::EcdsaSha384,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        ECDSA,
        Some(DigestAlgorithm::Sha384),
    ),
    (
        SignatureAlgorithm::EcdsaSha512,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        ECDSA,
        Some(DigestAlgorithm::Sha512),
    ),
    (SignatureAlgorithm::Ed25519, "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519", &[KeyKind::Ed25519], None),
];

impl SignatureAlgorithm {
    /// Every algorithm of the list.
    pub fn all() -> impl Iterator<Item = Self> {
        SIGNATURES.iter().map(|row| row.0)
    }

    fn row(self) -> Option<&'static Row> {
        SIGNATURES.iter().find(|row| row.0 == self)
    }

    /// The XMLDSig URI.
    pub fn uri(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// The algorithm with this URI, if it is on the list.
    pub fn parse(uri: &str) -> Option<Self> {
        SIGNATURES.iter().find(|row| row.1 == uri).map(|row| row.0)
    }

    /// What a key of this kind signs with unless told otherwise.
    pub fn default_for(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Rsa => Self::RsaSha256,
            KeyKind::P256 => Self::EcdsaSha256,
            KeyKind::P384 => Self::EcdsaSha384,
            KeyKind::Ed25519 => Self::Ed25519,
        }
    }

    /// Whether a key of this kind can make it.
    pub fn fits(self, kind: KeyKind) -> bool {
        self.row().is_some_and(|row| row.2.contains(&kind))
    }

    /// The digest inside; Ed25519 has its own.
    pub(super) fn digest(self) -> Option<DigestAlgorithm> {
        self.row().and_then(|row| row.3)
    }
}
