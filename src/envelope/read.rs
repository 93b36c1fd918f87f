//! Structure: which parts an envelope has. Nothing read here is trusted yet.

use crate::domain::{Fault, Header, ParticipantId};
use crate::xml::{Document, Node};

/// What the envelope carries.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// One element of a message schema or of a partner's own XML form.
    Xml(Node<'a>),
    /// Bytes of a partner's form that is not XML.
    Payload {
        /// The media type, such as `application/json`.
        media_type: String,
        /// The bytes, decoded.
        bytes: Vec<u8>,
    },
}

/// An envelope of the right form whose signature was not checked. Its words are the claims of whoever sent it.
#[derive(Debug)]
pub struct Unverified<'a> {
    pub(super) root: Node<'a>,
    pub(super) header: Header,
    pub(super) body: Body<'a>,
}

impl<'a> Unverified<'a> {
    /// Who claims to have signed it. With `Via` the gateway named there signs, see [`Unverified::claimed_signer`].
    pub fn claimed_sender(&self) -> &ParticipantId {
        &self.header.sender
    }

    /// Whose certificates the signature is to be checked against: the gateway of `Via` where there is one, else the sender.
    pub fn claimed_signer(&self) -> &ParticipantId {
        self.header.via.as_ref().map_or(&self.header.sender, |via| &via.gateway)
    }

    /// The header as claimed: for finding the keys, for bland answers and for people's eyes, never for decisions.
    pub fn claimed_header(&self) -> &Header {
        &self.header
    }

    /// The body as claimed, for people's eyes.
    pub fn claimed_body(&self) -> &Body<'a> {
        let _ = self.root;
        &self.body
    }
}

/// Reads the envelope's structure and header. The signature must stand where it belongs, but is not checked.
///
/// # Errors
/// [`crate::domain::FaultCode::NotEnvelope`], `HeaderInvalid`, `SignatureMissing`, `SignatureMany`.
pub fn read<'a>(document: &'a Document<'a>) -> Result<Unverified<'a>, Fault> {
    let _ = document;
    todo!()
}
