//! Structure: which parts an envelope has. Nothing read here is trusted yet.

use crate::domain::{Fault, FaultCode, Header, ParticipantId};
use crate::xml::{Document, Fields, Node, at, attribute, base64_bytes, is_ncname, only_attributes, text};

use super::{NAMESPACE, SIGNATURE_NAMESPACE, header};

/// What the envelope carries.
#[derive(Debug, Clone, PartialEq)]
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
    pub(super) parts: Parts<'a>,
    pub(super) signature: Node<'a>,
}

/// The parts that are there with and without a signature.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) root: Node<'a>,
    /// The root's Id, an NCName.
    pub(super) id: &'a str,
    pub(super) header: Header,
    pub(super) body: Body<'a>,
}

impl<'a> Unverified<'a> {
    /// Who claims to have made it. With `Via` it is the gateway named there that signs, see [`Unverified::claimed_signer`].
    pub fn claimed_sender(&self) -> &ParticipantId {
        &self.parts.header.sender
    }

    /// Whose certificates the signature is to be checked against: the gateway of `Via` where there is one, else the sender.
    pub fn claimed_signer(&self) -> &ParticipantId {
        let header = &self.parts.header;
        header.via.as_ref().map_or(&header.sender, |via| &via.gateway)
    }

    /// The header as claimed: for finding the keys, for bland answers and for people's eyes, never for decisions.
    pub fn claimed_header(&self) -> &Header {
        &self.parts.header
    }

    /// The body as claimed, for people's eyes.
    pub fn claimed_body(&self) -> &Body<'a> {
        &self.parts.body
    }
}

/// Reads the envelope's structure and header. The signature must stand where it belongs, but is not checked.
///
/// # Errors
/// [`FaultCode::NotEnvelope`], [`FaultCode::HeaderInvalid`], [`FaultCode::SignatureMissing`], [`FaultCode::SignatureMany`].
pub fn read<'a>(document: &'a Document<'_>) -> Result<Unverified<'a>, Fault> {
    let root = envelope_root(document)?;
    let mut signatures = root.descendants().filter(|n| is_signature(*n));
    let signature =
        signatures.next().ok_or_else(|| Fault::new(FaultCode::SignatureMissing, "there is no ds:Signature"))?;
    if let Some(second) = signatures.next() {
        return Err(at(second, FaultCode::SignatureMany, "a second ds:Signature"));
    }
    if root.last_element_child() != Some(signature) {
        return Err(at(signature, FaultCode::SignatureMissing, "the ds:Signature is not the envelope's last child"));
    }
    let parts = read_parts(root, Some(signature))?;
    Ok(Unverified { parts, signature })
}

/// Reads what is to be signed: the same structure without a signature.
pub(super) fn read_unsigned<'a>(document: &'a Document<'_>) -> Result<Parts<'a>, Fault> {
    let root = envelope_root(document)?;
    if let Some(signature) = root.descendants().find(|n| is_signature(*n)) {
        return Err(at(signature, FaultCode::SignatureMany, "it already has a ds:Signature"));
    }
    read_parts(root, None)
}

fn is_signature(node: Node<'_>) -> bool {
    let tag = node.tag_name();
    tag.name() == "Signature" && tag.namespace() == Some(SIGNATURE_NAMESPACE)
}

fn envelope_root<'a>(document: &'a Document<'_>) -> Result<Node<'a>, Fault> {
    let root: Node<'a> = document.root();
    let tag = root.tag_name();
    if tag.name() != "Envelope" || tag.namespace() != Some(NAMESPACE) {
        return Err(at(root, FaultCode::NotEnvelope, format_args!("the root is not Envelope of {NAMESPACE}")));
    }
    Ok(root)
}

fn read_parts<'a>(root: Node<'a>, signature: Option<Node<'a>>) -> Result<Parts<'a>, Fault> {
    let code = FaultCode::NotEnvelope;
    only_attributes(root, &["Id"], code)?;
    let id = attribute(root, "Id").filter(|id| is_ncname(id));
    let id = id.ok_or_else(|| at(root, code, "the attribute Id must be a name without a colon"))?;
    let mut fields = Fields::of(root, code)?;
    let header_node = fields.required("Header")?;
    let body = fields.required("Body")?;
    if body.next_sibling_element() != signature {
        return Err(at(body, code, "Body is followed by something else than the signature"));
    }
    Ok(Parts { root, id, header: header::read(header_node)?, body: read_body(body)? })
}

fn read_body<'a>(body: Node<'a>) -> Result<Body<'a>, Fault> {
    let code = FaultCode::NotEnvelope;
    only_attributes(body, &[], code)?;
    // Only checks that nothing but white space stands beside the one element.
    let _: Fields<'_> = Fields::of(body, code)?;
    let one = body.first_element_child().filter(|n| n.next_sibling_element().is_none());
    let one = one.ok_or_else(|| at(body, code, "Body must hold exactly one element"))?;
    match one.tag_name().namespace() {
        Some(NAMESPACE) if one.tag_name().name() == "Payload" => read_payload(one),
        Some(NAMESPACE | SIGNATURE_NAMESPACE | "") | None => {
            Err(at(one, code, "Body must hold a Payload or an element of a message's own namespace"))
        }
        Some(_) => Ok(Body::Xml(one)),
    }
}

fn read_payload<'a>(node: Node<'a>) -> Result<Body<'a>, Fault> {
    let code = FaultCode::NotEnvelope;
    only_attributes(node, &["MediaType"], code)?;
    let media_type = attribute(node, "MediaType").and_then(header::media_type);
    let media_type = media_type.ok_or_else(|| at(node, code, "Payload needs a MediaType such as application/json"))?;
    let bytes = base64_bytes(text(node, code)?).ok_or_else(|| at(node, code, "Payload must hold base64"))?;
    Ok(Body::Payload { media_type, bytes })
}
