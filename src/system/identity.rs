//! Who a system is: its key, and the one key that it trusts, the gateway's.

use crate::crypto::{Certificate, FileSigner, sha256};
use crate::domain::{
    ConversationId, Digest, Fault, FaultCode, Header, MessageId, MessageType, ParticipantId, Priority, Timestamp,
};
use crate::envelope::technical::{FaultReport, Receipt, RefusedDigest, TechnicalBody};
use crate::envelope::{self, Body, BodyDraft, Draft, SignError, compose, sign_composed};
use crate::gateway::Clock;
use crate::xml::{self, Limits};

use super::Behaviour;

/// The largest envelope that a system reads: a mailbox batch is the largest that the gateway makes.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How messages reach a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// The gateway posts to it.
    Http,
    /// It asks the gateway for them.
    Mailbox,
    /// Over RabbitMQ.
    Amqp {
        /// The broker's address.
        broker: String,
    },
}

/// What a system knows besides its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Its participant id.
    pub(crate) id: ParticipantId,
    /// The gateway's participant id.
    pub(crate) gateway: ParticipantId,
    /// The organisation's name (an invented one).
    pub(crate) name: String,
    /// The adapter folder of its own form; `None`: the canonical one.
    pub(crate) adapter: Option<String>,
    /// How messages reach it.
    pub(crate) way: Way,
    /// How it behaves.
    pub(crate) behaviour: Behaviour,
    /// How long it takes, or is there and away, where its behaviour has a pause; in seconds.
    pub(crate) pause_seconds: u64,
}

/// A system's keys and trust.
pub(crate) struct Identity {
    pub(crate) profile: Profile,
    /// Its own key, and the gateway's; `None`: it knows no envelopes.
    keys: Option<(FileSigner, Certificate)>,
    clock: Clock,
}

/// A body that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnBody {
    Xml(Vec<u8>),
    Payload { media_type: String, bytes: Vec<u8> },
}

/// An envelope whose signature, by the gateway, was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) header: Header,
    pub(crate) digest: Digest,
    pub(crate) body: OwnBody,
}

/// A signed envelope of the system.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) header: Header,
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
}

impl Identity {
    /// An identity from its parts.
    pub(crate) fn new(profile: Profile, signer: FileSigner, trusted: Certificate) -> Self {
        Self { profile, keys: Some((signer, trusted)), clock: Clock::default() }
    }

    /// The identity of a system without envelopes: it has no key, and its messages are their bodies.
    pub(crate) fn bare(profile: Profile) -> Self {
        Self { profile, keys: None, clock: Clock::default() }
    }

    /// The machine's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A header of a new message of this system.
    pub(crate) fn header(&self, kind: MessageType, to: &ParticipantId) -> Header {
        Header {
            message_id: MessageId::from_uuid(uuid::Uuid::now_v7()),
            conversation_id: ConversationId::from_uuid(uuid::Uuid::now_v7()),
            in_reply_to: None,
            case_id: None,
            message_type: kind,
            sender: self.profile.id.clone(),
            recipient: to.clone(),
            created: self.now(),
            expires: None,
            priority: Priority::Normal,
            test: false,
            via: None,
            derived_from: None,
            attachments: Vec::new(),
        }
    }

    /// Signs a message of this system; without keys the body is the message.
    pub(crate) fn sign(&self, header: Header, body: BodyDraft) -> Result<Signed, SignError> {
        let Some((signer, _)) = &self.keys else {
            let (BodyDraft::Xml(bytes) | BodyDraft::Payload { bytes, .. }) = body;
            return Ok(Signed { header, digest: sha256(&bytes), bytes });
        };
        let unsigned = compose(&Draft { header: header.clone(), body })?;
        let sealed = sign_composed(&unsigned, signer)?;
        Ok(Signed { header, digest: sealed.digest, bytes: sealed.bytes })
    }

    /// Signs a technical message to the gateway.
    pub(crate) fn seal<B: TechnicalBody>(&self, body: &B, about: Option<&Header>) -> Result<Signed, SignError> {
        let mut header = self.header(B::KIND.message_type(), &self.profile.gateway);
        if let Some(about) = about {
            header.conversation_id = about.conversation_id;
            header.in_reply_to = Some(about.message_id);
        }
        self.sign(header, BodyDraft::Xml(body.to_xml()?))
    }

    /// The signed receipt for what was delivered.
    pub(crate) fn receipt(&self, opened: &Opened) -> Result<Signed, SignError> {
        self.seal(&self.receipt_of(opened), Some(&opened.header))
    }

    pub(super) fn receipt_of(&self, opened: &Opened) -> Receipt {
        Receipt {
            message_id: opened.header.message_id,
            sender: opened.header.sender.clone(),
            digest: opened.digest,
            accepted_at: self.now(),
            revision: None,
        }
    }

    /// The signed refusal of bytes that are not what they must be.
    pub(super) fn refusal(&self, fault: &Fault, bytes: &[u8]) -> Result<Signed, SignError> {
        self.seal(&FaultReport::of(fault, None, Some(RefusedDigest::Bytes(sha256(bytes))), true), None)
    }

    /// Opens what the gateway sent: its signature, addressed to this system, passed on by the gateway or of its own.
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Opened, Fault> {
        let document = xml::read(bytes, &limits())?;
        let unverified = envelope::read(&document)?;
        if *unverified.claimed_signer() != self.profile.gateway {
            return Err(Fault::new(FaultCode::SenderUnknown, "only the gateway is trusted"));
        }
        let Some((_, trusted)) = &self.keys else {
            return Err(Fault::new(FaultCode::SenderUnknown, "this system knows no envelopes"));
        };
        let verified = envelope::verify(unverified, std::slice::from_ref(trusted), self.now())?;
        let header = verified.header().clone();
        if header.recipient != self.profile.id {
            return Err(Fault::new(FaultCode::RecipientUnknown, "Header/Recipient: this is another system"));
        }
        let body = match verified.body() {
            Body::Xml(node) => OwnBody::Xml(xml::canonical_bytes(*node, None)),
            Body::Payload { media_type, bytes } => {
                OwnBody::Payload { media_type: media_type.clone(), bytes: bytes.clone() }
            }
        };
        Ok(Opened { header, digest: verified.content_digest(), body })
    }

    /// Reads the gateway's word about a message: `Ok(None)` for its verified receipt, `Ok(Some(code))` for its fault.
    pub(crate) fn word_about(&self, sent: &Signed, opened: &Opened) -> Result<Option<String>, Fault> {
        let other = || Fault::new(FaultCode::ReferenceUnknown, "the answer is about another message");
        match opened.header.message_type.name.as_str() {
            "receipt" => {
                let receipt: Receipt = technical(&opened.body)?;
                let same = receipt.message_id == sent.header.message_id
                    && receipt.sender == self.profile.id
                    && receipt.digest == sent.digest;
                if same { Ok(None) } else { Err(other()) }
            }
            "fault" => {
                let report: FaultReport = technical(&opened.body)?;
                let about = report.message_id.or(opened.header.in_reply_to);
                if about.is_none_or(|id| id == sent.header.message_id) { Ok(Some(report.code)) } else { Err(other()) }
            }
            name => Err(Fault::new(FaultCode::TypeUnknown, format!("a receipt or a fault is needed, not `{name}`"))),
        }
    }
}

fn limits() -> Limits {
    Limits { bytes_max: BYTES_MAX, ..Limits::default() }
}

/// Reads a technical body.
pub(crate) fn technical<B: TechnicalBody>(body: &OwnBody) -> Result<B, Fault> {
    match body {
        OwnBody::Xml(bytes) => B::from_node(xml::read(bytes, &limits())?.root()),
        OwnBody::Payload { .. } => Err(Fault::new(FaultCode::SchemaInvalid, "an XML body is needed")),
    }
}
