//! The signature policy: one form of signature is accepted and every other is refused by name.
//!
//! Nothing is dereferenced and nothing is looked up by Id: the one reference must name the root, and the root is what is hashed.

use crate::crypto::{Certificate, DigestAlgorithm, Hasher, Sha256, SignatureAlgorithm, sha256};
use crate::domain::{Digest, Fault, FaultCode, Header, Timestamp};
use crate::xml::{Fields, Node, Sink, at, attribute, base64_bytes, canonical, canonical_bytes, only_attributes, text};

use super::read::Parts;
use super::{Body, Unverified};

pub(super) const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

const POLICY: FaultCode = FaultCode::SignaturePolicy;

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

    /// SHA-256 over the canonical form of the envelope without its signature, computed here: the message's identity. A copy
    /// signed anew has the same, whatever digest its signature uses.
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
/// [`FaultCode::SignaturePolicy`], [`FaultCode::AlgorithmForbidden`], [`FaultCode::CertificateUnknown`],
/// [`FaultCode::CertificateExpired`], [`FaultCode::SignatureInvalid`], [`FaultCode::DigestMismatch`]; and
/// [`FaultCode::AttachmentInvalid`] when an inline attachment is not as its own entry says.
pub fn verify<'a>(
    unverified: Unverified<'a>,
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<Verified<Envelope<'a>>, Fault> {
    let Unverified { parts, signature } = unverified;
    let claim = Claim::read(signature, parts.id)?;
    // The signature first: who has no key of the signer costs us no hashing of a large document.
    let signed_by = claim.signer(certificates, now)?.thumbprint();
    let content_digest = claim.digest(&parts, signature)?;
    check_inline_attachments(&parts.header)?;
    let Parts { header, body, .. } = parts;
    Ok(Verified(Envelope { header, body, content_digest, signed_by }))
}

/// What the signature element says, after its form was found to be the allowed one.
struct Claim<'a> {
    signed_info: Node<'a>,
    algorithm: SignatureAlgorithm,
    digest_algorithm: DigestAlgorithm,
    digest: Vec<u8>,
    value: Vec<u8>,
    /// The certificate of KeyInfo, an unsigned hint.
    hint: Option<Vec<u8>>,
}

impl<'a> Claim<'a> {
    fn read(signature: Node<'a>, root_id: &str) -> Result<Self, Fault> {
        only_attributes(signature, &["Id"], POLICY)?;
        let mut fields = Fields::of(signature, POLICY)?;
        let signed_info = fields.required("SignedInfo")?;
        let value = bytes(fields.required("SignatureValue")?)?;
        let hint = fields.optional("KeyInfo").map(read_key_info).transpose()?;
        fields.end()?;

        only_attributes(signed_info, &["Id"], POLICY)?;
        let mut fields = Fields::of(signed_info, POLICY)?;
        expect_method(fields.required("CanonicalizationMethod")?, EXCLUSIVE_C14N)?;
        let algorithm = listed(fields.required("SignatureMethod")?, SignatureAlgorithm::parse)?;
        let reference = fields.required("Reference")?;
        fields.end()?;

        only_attributes(reference, &["URI"], POLICY)?;
        let uri = attribute(reference, "URI").and_then(|uri| uri.strip_prefix('#'));
        if uri != Some(root_id) {
            return Err(at(reference, POLICY, "the reference must be `#` and the envelope's Id"));
        }
        let mut fields = Fields::of(reference, POLICY)?;
        let transforms = fields.required("Transforms")?;
        let digest_algorithm = listed(fields.required("DigestMethod")?, DigestAlgorithm::parse)?;
        let digest = bytes(fields.required("DigestValue")?)?;
        fields.end()?;

        only_attributes(transforms, &[], POLICY)?;
        let mut fields = Fields::of(transforms, POLICY)?;
        expect_method(fields.required("Transform")?, ENVELOPED)?;
        expect_method(fields.required("Transform")?, EXCLUSIVE_C14N)?;
        fields.end()?;
        Ok(Self { signed_info, algorithm, digest_algorithm, digest, value, hint })
    }

    /// The registered certificate that verifies the signature and is valid now.
    fn signer<'c>(&self, certificates: &'c [Certificate], now: Timestamp) -> Result<&'c Certificate, Fault> {
        let candidates: Vec<&Certificate> = match &self.hint {
            Some(der) => certificates.iter().filter(|c| c.der() == der).collect(),
            None => certificates.iter().collect(),
        };
        if candidates.is_empty() {
            let what = if self.hint.is_some() { "the certificate of KeyInfo is" } else { "there is no certificate" };
            return Err(Fault::new(FaultCode::CertificateUnknown, format!("{what} not registered for the signer")));
        }
        let signed_info = canonical_bytes(self.signed_info, None);
        let mut refusal = None;
        for certificate in candidates {
            match self.check(certificate, &signed_info, now) {
                Ok(()) => return Ok(certificate),
                Err(fault) => {
                    // Of several certificates the one that came nearest tells why.
                    let nearer = |old: &Fault| old.code == FaultCode::SignatureInvalid;
                    if refusal.as_ref().is_none_or(nearer) {
                        refusal = Some(fault);
                    }
                }
            }
        }
        Err(refusal.unwrap_or_else(|| Fault::new(FaultCode::SignatureInvalid, "no certificate verifies the signature")))
    }

    fn check(&self, certificate: &Certificate, signed_info: &[u8], now: Timestamp) -> Result<(), Fault> {
        let thumbprint = certificate.thumbprint();
        let expired = || {
            let (from, to) = (certificate.not_before(), certificate.not_after());
            let detail = format!("certificate {thumbprint} is valid from {from} to {to}");
            Fault::new(FaultCode::CertificateExpired, detail)
        };
        let valid = certificate.is_valid_at(now);
        // With a hint the certificate is known to be the meant one; without it, only if it verifies.
        if self.hint.is_some() && !valid {
            return Err(expired());
        }
        match certificate.verify(self.algorithm, signed_info, &self.value) {
            Ok(true) if valid => Ok(()),
            Ok(true) => Err(expired()),
            Ok(false) => {
                let detail =
                    format!("line {}: not made by the key of certificate {thumbprint}", line(self.signed_info));
                Err(Fault::new(FaultCode::SignatureInvalid, detail))
            }
            Err(e) => Err(Fault::new(FaultCode::AlgorithmForbidden, format!("certificate {thumbprint}: {e}"))),
        }
    }

    /// Hashes the envelope without its signature; compares with the reference and returns the message's own digest.
    fn digest(&self, parts: &Parts<'_>, signature: Node<'_>) -> Result<Digest, Fault> {
        let mut content = Sha256::new();
        let (content_digest, same) = if self.digest_algorithm == DigestAlgorithm::Sha256 {
            canonical(parts.root, Some(signature), &mut content);
            let digest = content.finish();
            (digest, digest.bytes().as_slice() == self.digest)
        } else {
            let mut both = Both { content, reference: Hasher::new(self.digest_algorithm) };
            canonical(parts.root, Some(signature), &mut both);
            (both.content.finish(), both.reference.finish() == self.digest)
        };
        if same {
            Ok(content_digest)
        } else {
            Err(Fault::new(
                FaultCode::DigestMismatch,
                "the envelope's content has another digest than its signature says",
            ))
        }
    }
}

/// One pass for two digests.
struct Both {
    content: Sha256,
    reference: Hasher,
}

impl Sink for Both {
    fn put(&mut self, bytes: &[u8]) {
        self.content.update(bytes);
        self.reference.update(bytes);
    }
}

/// `KeyInfo` with exactly one `X509Data` with exactly one `X509Certificate`; every other form is refused.
fn read_key_info(key_info: Node<'_>) -> Result<Vec<u8>, Fault> {
    only_attributes(key_info, &["Id"], POLICY)?;
    let mut fields = Fields::of(key_info, POLICY)?;
    let data = fields.required("X509Data")?;
    fields.end()?;
    only_attributes(data, &[], POLICY)?;
    let mut fields = Fields::of(data, POLICY)?;
    let der = bytes(fields.required("X509Certificate")?)?;
    fields.end()?;
    Ok(der)
}

fn bytes(node: Node<'_>) -> Result<Vec<u8>, Fault> {
    only_attributes(node, &["Id"], POLICY)?;
    base64_bytes(text(node, POLICY)?)
        .ok_or_else(|| at(node, POLICY, format_args!("element {} must hold base64", node.tag_name().name())))
}

/// An element that is nothing but an algorithm's name, and this one.
fn expect_method(node: Node<'_>, uri: &str) -> Result<(), Fault> {
    if attribute(node, "Algorithm") == Some(uri) {
        plain_method(node)
    } else {
        Err(at(node, POLICY, format_args!("element {}: here the algorithm must be {uri}", node.tag_name().name())))
    }
}

/// An element that is nothing but an algorithm's name, and one of the closed list.
fn listed<T>(node: Node<'_>, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
    let found = attribute(node, "Algorithm").and_then(parse);
    let name = node.tag_name().name();
    let found = found.ok_or_else(|| at(node, FaultCode::AlgorithmForbidden, format_args!("element {name}")))?;
    plain_method(node)?;
    Ok(found)
}

fn plain_method(node: Node<'_>) -> Result<(), Fault> {
    only_attributes(node, &["Algorithm"], POLICY)?;
    Fields::of(node, POLICY)?.end()
}

fn line(node: Node<'_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

fn check_inline_attachments(header: &Header) -> Result<(), Fault> {
    for (i, attachment) in header.attachments.iter().enumerate() {
        let Some(bytes) = &attachment.inline else { continue };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size != attachment.size_bytes || sha256(bytes) != attachment.digest {
            let detail = format!("inline attachment {} has another size or digest than its entry says", i + 1);
            return Err(Fault::new(FaultCode::AttachmentInvalid, detail));
        }
    }
    Ok(())
}
