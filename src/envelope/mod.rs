//! The envelope: reading, verifying, writing, signing, and the technical bodies.
//!
//! What comes in goes [`read`] → [`verify`] → [`Verified`]; what goes out is a [`Draft`] that is composed and signed. Age rules (Created, Expires),
//! who may send what to whom, and schemas are not here.

mod header;
mod read;
pub mod technical;
mod unsigned;
mod verify;
mod write;

pub use header::ATTACHMENTS_MAX;
pub use read::{Body, Unverified, read};
pub use unsigned::without_signature;
pub use verify::{Envelope, Verified, verify};
pub use write::{BodyDraft, Draft, Sealed, SignError, compose, sign, sign_canonical, sign_composed};

/// The envelope's namespace.
pub const NAMESPACE: &str = "urn:mezhved:envelope:1";

/// The namespace of XML signatures.
pub const SIGNATURE_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";
