//! A signed envelope that was read and verified, kept without its document.

use mezhved::crypto::Certificate;
use mezhved::domain::{Digest, Fault, Header};
use mezhved::envelope::technical::TechnicalBody;
use mezhved::envelope::{self, Body, BodyDraft};
use mezhved::xml::{self, Limits};

use super::agency::now;

/// What a verified envelope says.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) header: Header,
    pub(crate) digest: Digest,
    pub(crate) body: BodyDraft,
}

impl Opened {
    /// Reads an envelope and verifies it by one certificate, now.
    pub(crate) fn read(bytes: &[u8], certificate: &Certificate) -> Result<Self, Fault> {
        let document = xml::read(bytes, &limits())?;
        let verified = envelope::verify(envelope::read(&document)?, std::slice::from_ref(certificate), now())?;
        let body = match verified.body() {
            Body::Xml(node) => BodyDraft::Xml(xml::canonical_bytes(*node, None)),
            Body::Payload { media_type, bytes } => {
                BodyDraft::Payload { media_type: media_type.clone(), bytes: bytes.clone() }
            }
        };
        Ok(Self { header: verified.header().clone(), digest: verified.content_digest(), body })
    }

    /// The type's name.
    pub(crate) fn kind(&self) -> &str {
        &self.header.message_type.name
    }

    /// The body as text: XML in its canonical form, or the payload.
    pub(crate) fn text(&self) -> String {
        match &self.body {
            BodyDraft::Xml(bytes) | BodyDraft::Payload { bytes, .. } => String::from_utf8(bytes.clone()).unwrap(),
        }
    }

    /// The body as a technical message.
    pub(crate) fn technical<B: TechnicalBody>(&self) -> B {
        let text = self.text();
        let document = xml::read(text.as_bytes(), &limits()).unwrap();
        B::from_node(document.root()).unwrap_or_else(|fault| panic!("{fault}: {text}"))
    }
}

fn limits() -> Limits {
    Limits { bytes_max: 64 * 1024 * 1024, ..Limits::default() }
}
