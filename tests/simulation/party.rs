//! An agency's system: what it signs, what it reads, and what it remembers of what came.

use std::collections::BTreeMap;

use mezhved::crypto::{Certificate, FileSigner, Signer as _, sha256};
use mezhved::domain::{ConversationId, Digest, Header, MessageId, MessageType, ParticipantId, Priority, Timestamp};
use mezhved::envelope::technical::{Receipt, TechnicalBody};
use mezhved::envelope::{self, Body, BodyDraft, Draft, Sealed};
use mezhved::xml::{self, Limits};

use crate::draw::Draw;
use crate::ground::{GATEWAY, ground, participant};

/// A message id as a system makes them.
pub(crate) fn new_id(draw: &mut Draw, now: Timestamp) -> uuid::Uuid {
    let millis = u64::try_from(now.micros() / 1_000).unwrap();
    let (a, b) = (draw.next().to_le_bytes(), draw.next().to_le_bytes());
    let random: Vec<u8> = a.into_iter().chain(b).take(10).collect();
    uuid::Builder::from_unix_timestamp_millis(millis, &random.try_into().unwrap()).into_uuid()
}

pub(crate) fn header(from: &str, to: &str, kind: &str, draw: &mut Draw, now: Timestamp) -> Header {
    Header {
        message_id: MessageId::from_uuid(new_id(draw, now)),
        conversation_id: ConversationId::from_uuid(new_id(draw, now)),
        in_reply_to: None,
        case_id: None,
        message_type: MessageType::new(kind, 1).unwrap(),
        sender: participant(from),
        recipient: participant(to),
        created: now,
        expires: None,
        priority: Priority::Normal,
        test: false,
        via: None,
        derived_from: None,
        attachments: Vec::new(),
    }
}

pub(crate) fn sign(header: Header, body: Vec<u8>, signer: &FileSigner) -> Sealed {
    let unsigned = envelope::compose(&Draft { header, body: BodyDraft::Xml(body) }).unwrap();
    envelope::sign_composed(&unsigned, signer).unwrap()
}

/// What a verified envelope of the gateway says.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) header: Header,
    pub(crate) digest: Digest,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn open(bytes: &[u8], now: Timestamp) -> Result<Opened, String> {
    let certificate: &Certificate = ground().gateway.certificate();
    let document = xml::read(bytes, &limits()).map_err(|fault| fault.to_string())?;
    let unverified = envelope::read(&document).map_err(|fault| fault.to_string())?;
    let verified = envelope::verify(unverified, std::slice::from_ref(certificate), now).map_err(|f| f.to_string())?;
    let body = match verified.body() {
        Body::Xml(node) => xml::canonical_bytes(*node, None),
        Body::Payload { bytes, .. } => bytes.clone(),
    };
    Ok(Opened { header: verified.header().clone(), digest: verified.content_digest(), body })
}

impl Opened {
    pub(crate) fn kind(&self) -> &str {
        &self.header.message_type.name
    }

    pub(crate) fn technical<B: TechnicalBody>(&self) -> Result<B, String> {
        let document = xml::read(&self.body, &limits()).map_err(|fault| fault.to_string())?;
        B::from_node(document.root()).map_err(|fault| fault.to_string())
    }

    /// Nobody answers notices and answers.
    pub(crate) fn wants_receipt(&self) -> bool {
        self.header.message_type.technical().is_none_or(|technical| technical.wants_receipt())
    }
}

fn limits() -> Limits {
    Limits { bytes_max: 64 * 1024 * 1024, ..Limits::default() }
}

/// A message that came, by its sender and id.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) opened: Opened,
    /// SHA-256 of the bytes.
    pub(crate) bytes: Digest,
    pub(crate) copies: usize,
    /// The signed receipt, the same for every copy.
    pub(crate) receipt: Sealed,
    /// The header's id of the receipt.
    pub(crate) receipt_id: MessageId,
}

/// An agency's system.
#[derive(Debug, Default)]
pub(crate) struct Party {
    pub(crate) got: BTreeMap<(ParticipantId, MessageId), Got>,
    /// The first copies in the order in which they came.
    pub(crate) order: Vec<(ParticipantId, MessageId)>,
}

impl Party {
    /// Takes a copy. Returns its key and whether it is new.
    pub(crate) fn take(
        &mut self,
        own: &str,
        bytes: &[u8],
        draw: &mut Draw,
        now: Timestamp,
    ) -> Result<((ParticipantId, MessageId), bool), String> {
        let hash = sha256(bytes);
        // A copy of what was verified before need not be verified again.
        if let Some((key, got)) = self.got.iter_mut().find(|(_, got)| got.bytes == hash) {
            got.copies += 1;
            return Ok((key.clone(), false));
        }
        let opened = open(bytes, now).map_err(|why| format!("{own} got what it cannot read: {why}"))?;
        if opened.header.recipient.as_str() != own {
            return Err(format!("{own} got what is for {}", opened.header.recipient));
        }
        let key = (opened.header.sender.clone(), opened.header.message_id);
        if self.got.contains_key(&key) {
            return Err(format!("{own} got {} of {} again with other bytes", key.1, key.0));
        }
        let body = Receipt {
            message_id: opened.header.message_id,
            sender: opened.header.sender.clone(),
            digest: opened.digest,
            accepted_at: now,
            revision: None,
        };
        let mut answer = header(own, GATEWAY, "receipt", draw, now);
        answer.conversation_id = opened.header.conversation_id;
        answer.in_reply_to = Some(opened.header.message_id);
        let receipt_id = answer.message_id;
        let receipt = sign(answer, body.to_xml().unwrap(), &ground().signers[own]);
        self.got.insert(key.clone(), Got { opened, bytes: hash, copies: 1, receipt, receipt_id });
        self.order.push(key.clone());
        Ok((key, true))
    }
}
