//! Composing and signing.

use crate::crypto::{CryptoError, Signer};
use crate::domain::{Fault, Header};
use crate::xml::WriteError;

/// The body of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyDraft {
    /// One element of a namespace other than the envelope's, as UTF-8 XML. A declaration before it is dropped.
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

/// Writes the envelope without a signature. This is what the gateway keeps to sign anew when its certificate has ended.
///
/// # Errors
/// When a value cannot be written or the body is not one element.
pub fn compose(draft: &Draft) -> Result<Vec<u8>, SignError> {
    let _ = draft;
    todo!()
}

/// Writes and signs.
///
/// # Errors
/// As [`compose`], and when the signer fails.
pub fn sign(draft: &Draft, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
    sign_composed(&compose(draft)?, signer)
}

/// Signs what [`compose`] wrote. The content digest does not depend on the signer.
///
/// # Errors
/// When the bytes are not an unsigned envelope, or the signer fails.
pub fn sign_composed(unsigned: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
    let _ = (unsigned, signer);
    todo!()
}
