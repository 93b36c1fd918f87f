//! The signature policy.

use crate::crypto::Certificate;
use crate::domain::{Digest, Fault, Header, Timestamp};

use super::{Body, Unverified};

/// Proof that a value came through [`verify`]; there is no other way to make one.
#[derive(Debug)]
pub struct Verified<T>(T);

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Verified<T> {
    /// Gives up the proof and keeps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// What was signed. Reached only through [`Verified`].
#[derive(Debug)]
pub struct Envelope<'a> {
    header: Header,
    body: Body<'a>,
    content_digest: Digest,
    signed_by: Digest,
}

impl<'a> Envelope<'a> {
    /// The signed header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The signed body; its nodes are those of the document that was verified.
    pub fn body(&self) -> &Body<'a> {
        &self.body
    }

    /// SHA-256 over the canonical form of the envelope without its signature, computed here: the message's identity. A copy signed anew has the same.
    pub fn content_digest(&self) -> Digest {
        self.content_digest
    }

    /// SHA-256 of the certificate that verified it.
    pub fn signed_by(&self) -> Digest {
        self.signed_by
    }
}

/// Checks the signature against the certificates registered for the signer, at `now`.
///
/// # Errors
/// [`crate::domain::FaultCode::SignaturePolicy`], `AlgorithmForbidden`, `CertificateUnknown`, `CertificateExpired`, `SignatureInvalid`, `DigestMismatch`; and
/// `AttachmentInvalid` when an inline attachment is not as its own list says.
pub fn verify<'a>(
    unverified: Unverified<'a>,
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<Verified<Envelope<'a>>, Fault> {
    let _ = (unverified, certificates, now);
    todo!()
}
