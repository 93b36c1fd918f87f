//! Composing and signing.

use crate::crypto::{CryptoError, DigestAlgorithm, Sha256, Signer, sha256};
use crate::domain::{Digest, Fault, Header};
use crate::xml::{self, Limits, WriteError, Writer, canonical};

use super::read::read_unsigned;
use super::verify::{ENVELOPED, EXCLUSIVE_C14N};
use super::{NAMESPACE, SIGNATURE_NAMESPACE, header};

/// The largest envelope that is signed here, in bytes. What a peer takes is the peer's limit.
const OWN_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The body of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyDraft {
    /// One element of a namespace other than the envelope's, as UTF-8 XML. A byte order mark and a declaration before it are dropped.
    Xml(Vec<u8>),
    /// Bytes of a form that is not XML.
    Payload {
        /// The media type, such as `application/json`.
        media_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// An envelope to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The header.
    pub header: Header,
    /// The body.
    pub body: BodyDraft,
}

/// Why an envelope could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A value cannot be written.
    #[error("the envelope cannot be written")]
    Write(#[from] WriteError),
    /// What was composed is not an envelope that a reader accepts: the body's fault, as a rule.
    #[error("the envelope would be refused by its reader")]
    Refused(#[from] Fault),
    /// The signer failed.
    #[error("the envelope cannot be signed")]
    Signer(#[from] CryptoError),
}

/// Writes the envelope without a signature. This is what the gateway keeps to sign anew when its certificate has ended. The body is
/// taken as it is; [`sign_composed`] reads the whole and refuses what is not an envelope.
///
/// # Errors
/// When a value cannot be written.
pub fn compose(draft: &Draft) -> Result<Vec<u8>, WriteError> {
    let id = envelope_id(&draft.header);
    let mut w = Writer::new();
    // With a prefix: a default namespace would reach into bodies that have elements without one.
    w.start("e:Envelope", &[("xmlns:e", NAMESPACE), ("Id", &id)]);
    header::write(&mut w, &draft.header);
    w.start("e:Body", &[]);
    match &draft.body {
        BodyDraft::Xml(element) => w.raw(without_prolog(element)),
        BodyDraft::Payload { media_type, bytes } => w.base64("e:Payload", &[("MediaType", media_type)], bytes),
    }
    w.end();
    w.end();
    w.finish()
}

fn without_prolog(xml: &[u8]) -> &[u8] {
    let xml = xml.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(xml);
    let declared = xml.starts_with(b"<?xml") && xml.get(5).is_some_and(u8::is_ascii_whitespace);
    let end = xml.windows(2).position(|pair| pair == b"?>").filter(|_| declared);
    end.and_then(|end| xml.get(end + 2..)).unwrap_or(xml).trim_ascii()
}

/// Writes and signs.
///
/// # Errors
/// As [`sign_composed`].
pub fn sign(draft: &Draft, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
    Ok(sign_composed(&compose(draft)?, signer)?.bytes)
}

/// A signed envelope and what was signed.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The whole envelope, UTF-8.
    pub bytes: Vec<u8>,
    /// The SHA-256 of the canonical form without the signature: what receipts name.
    pub digest: Digest,
}

/// Signs what [`compose`] wrote: its content digest does not depend on the signer. The signature is put before the envelope's end tag and
/// carries the signer's certificate; nothing else is changed.
///
/// # Errors
/// When the bytes are not an unsigned envelope, or the signer fails.
pub fn sign_composed(unsigned: &[u8], signer: &dyn Signer) -> Result<Sealed, SignError> {
    let document = xml::read(unsigned, &Limits { bytes_max: OWN_BYTES_MAX, ..Limits::default() })?;
    let parts = read_unsigned(&document)?;
    let mut digest = Sha256::new();
    canonical(parts.root, None, &mut digest);
    let digest = digest.finish();
    let signature = signature(parts.id, digest.bytes(), signer)?;

    Ok(Sealed { bytes: joined(unsigned, parts.root.range().end, &signature), digest })
}

/// Writes and signs a draft whose body is in canonical form already, as [`xml::canonical_bytes`] or [`Writer`] makes it: what is composed is then
/// its own canonical form and need not be read again. The exception is a body that declares the prefix of the envelope for itself.
///
/// # Errors
/// When a value cannot be written, or the signer fails.
pub fn sign_canonical(draft: &Draft, signer: &dyn Signer) -> Result<Sealed, SignError> {
    let unsigned = compose(draft)?;
    let may_share = match &draft.body {
        BodyDraft::Xml(body) => body.windows(PREFIX.len()).any(|part| part == PREFIX),
        BodyDraft::Payload { .. } => false,
    };
    if may_share {
        return sign_composed(&unsigned, signer);
    }
    let digest = sha256(&unsigned);
    debug_assert_eq!(sign_composed(&unsigned, signer).map(|sealed| sealed.digest), Ok(digest));
    let signature = signature(&envelope_id(&draft.header), digest.bytes(), signer)?;
    Ok(Sealed { bytes: joined(&unsigned, unsigned.len(), &signature), digest })
}

/// What declares the envelope's own prefix.
const PREFIX: &[u8] = b"xmlns:e=";

fn envelope_id(header: &Header) -> String {
    format!("_{}", header.message_id)
}

/// The envelope with its signature before the end tag of the root, which ends at `root_end`.
fn joined(unsigned: &[u8], root_end: usize, signature: &[u8]) -> Vec<u8> {
    let (head, tail) = split_before_end_tag(unsigned, root_end);
    let mut out = Vec::with_capacity(unsigned.len() + signature.len());
    out.extend_from_slice(head);
    out.extend_from_slice(signature);
    out.extend_from_slice(tail);
    out
}

/// The root has children, so its end tag begins at the last `</` before its end.
fn split_before_end_tag(bytes: &[u8], root_end: usize) -> (&[u8], &[u8]) {
    let upto = bytes.get(..root_end).unwrap_or(bytes);
    let at = upto.windows(2).rposition(|pair| pair == b"</").unwrap_or(upto.len());
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

/// The `ds:Signature` element over a reference with this SHA-256.
fn signature(id: &str, digest: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
    // The writer's output is in canonical form, so what is signed differs from what stands in the envelope only in where `xmlns:ds` is declared.
    let signed_info = |attributes: &[(&str, &str)]| {
        let mut w = Writer::new();
        w.start("ds:SignedInfo", attributes);
        method(&mut w, "ds:CanonicalizationMethod", EXCLUSIVE_C14N);
        method(&mut w, "ds:SignatureMethod", signer.algorithm().uri());
        w.start("ds:Reference", &[("URI", &format!("#{id}"))]);
        w.start("ds:Transforms", &[]);
        method(&mut w, "ds:Transform", ENVELOPED);
        method(&mut w, "ds:Transform", EXCLUSIVE_C14N);
        w.end();
        method(&mut w, "ds:DigestMethod", DigestAlgorithm::Sha256.uri());
        w.base64("ds:DigestValue", &[], digest);
        w.end();
        w.end();
        w.finish()
    };
    let declared = ("xmlns:ds", SIGNATURE_NAMESPACE);
    let value = signer.sign(&signed_info(&[declared])?)?;
    let mut w = Writer::new();
    w.start("ds:Signature", &[declared]);
    w.raw(&signed_info(&[])?);
    w.base64("ds:SignatureValue", &[], &value);
    w.start("ds:KeyInfo", &[]);
    w.start("ds:X509Data", &[]);
    w.base64("ds:X509Certificate", &[], signer.certificate().der());
    w.end();
    w.end();
    w.end();
    Ok(w.finish()?)
}

fn method(w: &mut Writer, name: &str, uri: &str) {
    w.start(name, &[("Algorithm", uri)]);
    w.end();
}
