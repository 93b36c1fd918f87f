//! The closed list of algorithms.

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

impl DigestAlgorithm {
    /// The XMLDSig URI.
    pub fn uri(self) -> &'static str {
        todo!()
    }

    /// The algorithm with this URI, if it is on the list.
    pub fn parse(uri: &str) -> Option<Self> {
        let _ = uri;
        todo!()
    }
}

impl SignatureAlgorithm {
    /// The XMLDSig URI.
    pub fn uri(self) -> &'static str {
        todo!()
    }

    /// The algorithm with this URI, if it is on the list.
    pub fn parse(uri: &str) -> Option<Self> {
        let _ = uri;
        todo!()
    }

    /// What a key of this kind signs with by default.
    pub fn default_for(kind: KeyKind) -> Self {
        let _ = kind;
        todo!()
    }

    /// Whether a key of this kind can make it.
    pub fn fits(self, kind: KeyKind) -> bool {
        let _ = kind;
        todo!()
    }
}

impl KeyKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Rsa, Self::P256, Self::P384, Self::Ed25519];

    /// The word of the command line: `rsa`, `p256`, `p384`, `ed25519`.
    pub fn as_str(self) -> &'static str {
        todo!()
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        let _ = word;
        todo!()
    }
}
