//! The answers to a message: receipt, fault, notice.

use crate::domain::{DeliveryState, Digest, Fault, FaultCode, MessageId, ParticipantId, Technical, Timestamp};
use crate::xml::{Fields, Writer, instant};

use super::{A_CODE, A_DIGEST, A_UUID, AN_ID, AN_INSTANT, TechnicalBody, code, digest, message_id, participant};

/// The longest sentence of a fault, in characters.
const TEXT_CHARS_MAX: usize = 500;

/// The longest detail of a fault, in characters.
const DETAIL_CHARS_MAX: usize = 2000;

/// Accepted: the signed answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The accepted message.
    pub message_id: MessageId,
    /// Its sender (an id is unique only with its sender).
    pub sender: ParticipantId,
    /// Its content digest.
    pub digest: Digest,
    /// When it was recorded. Travels to the millisecond.
    pub accepted_at: Timestamp,
    /// The configuration revision under which it was judged, from 1.
    pub revision: Option<u64>,
}

impl TechnicalBody for Receipt {
    const KIND: Technical = Technical::Receipt;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("messageId", &self.message_id.to_string());
        w.leaf("sender", self.sender.as_str());
        w.leaf("digest", &self.digest.to_base64());
        w.leaf("acceptedAt", &self.accepted_at.to_string());
        w.optional("revision", self.revision.map(|n| n.to_string()).as_deref());
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let revision = |t: &str| t.parse().ok().filter(|n: &u64| *n > 0 && t.bytes().all(|b| b.is_ascii_digit()));
        Ok(Self {
            message_id: f.parsed("messageId", A_UUID, message_id)?,
            sender: f.parsed("sender", AN_ID, participant)?,
            digest: f.parsed("digest", A_DIGEST, digest)?,
            accepted_at: f.parsed("acceptedAt", AN_INSTANT, instant)?,
            revision: f.optional_parsed("revision", "a whole number from 1 is needed", revision)?,
        })
    }
}

/// Which digest a fault names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedDigest {
    /// The content digest: the signature was verified before the refusal.
    Content(Digest),
    /// SHA-256 of the bytes as received.
    Bytes(Digest),
}

/// Refused: the signed answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultReport {
    /// The refused message, if its id could be read.
    pub message_id: Option<MessageId>,
    /// The code; a partner's fault may carry one that is not in our table.
    pub code: String,
    /// The bland sentence.
    pub text: String,
    /// Where and what exactly; only after a verified signature.
    pub detail: Option<String>,
    /// What was refused.
    pub digest: Option<RefusedDigest>,
}

impl FaultReport {
    /// The report of one of our faults; `told` says whether its detail goes with it. Characters that XML cannot carry are replaced
    /// and the detail is cut to 2000 characters.
    pub fn of(fault: &Fault, message_id: Option<MessageId>, digest: Option<RefusedDigest>, told: bool) -> Self {
        let carried = |c: char| if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') { '\u{FFFD}' } else { c };
        let detail = fault.detail.chars().map(carried).take(DETAIL_CHARS_MAX).collect();
        Self {
            message_id,
            code: fault.code.code().to_owned(),
            text: fault.code.bland().to_owned(),
            detail: told.then_some(detail),
            digest,
        }
    }

    /// The code of our table, if it is one.
    pub fn known(&self) -> Option<FaultCode> {
        FaultCode::parse(&self.code)
    }
}

impl TechnicalBody for FaultReport {
    const KIND: Technical = Technical::Fault;

    fn write_fields(&self, w: &mut Writer) {
        w.optional("messageId", self.message_id.map(|id| id.to_string()).as_deref());
        w.leaf("code", &self.code);
        w.leaf("text", &self.text);
        w.optional("detail", self.detail.as_deref());
        match self.digest {
            Some(RefusedDigest::Content(digest)) => w.leaf("contentDigest", &digest.to_base64()),
            Some(RefusedDigest::Bytes(digest)) => w.leaf("bytesDigest", &digest.to_base64()),
            None => {}
        }
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let report = Self {
            message_id: f.optional_parsed("messageId", A_UUID, message_id)?,
            code: f.parsed("code", A_CODE, code)?,
            text: f.parsed("text", "at most 500 characters are taken", |t| at_most(t, TEXT_CHARS_MAX))?,
            detail: f
                .optional_parsed("detail", "at most 2000 characters are taken", |t| at_most(t, DETAIL_CHARS_MAX))?,
            digest: f.optional_parsed("contentDigest", A_DIGEST, digest)?.map(RefusedDigest::Content),
        };
        if report.digest.is_some() {
            return Ok(report);
        }
        let bytes = f.optional_parsed("bytesDigest", A_DIGEST, digest)?;
        Ok(Self { digest: bytes.map(RefusedDigest::Bytes), ..report })
    }
}

fn at_most(text: &str, chars_max: usize) -> Option<String> {
    (text.chars().count() <= chars_max).then(|| text.to_owned())
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeState {
    /// The recipient's receipt was verified.
    Delivered,
    /// The recipient answered with a signed fault.
    Refused,
    /// Stopped until a person acts.
    Parked,
    /// `Expires` passed.
    Expired,
}

impl NoticeState {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Delivered, Self::Refused, Self::Parked, Self::Expired];

    /// The state of a delivery that a notice tells of; `None` for those it does not.
    pub fn of(state: DeliveryState) -> Option<Self> {
        match state {
            DeliveryState::Delivered => Some(Self::Delivered),
            DeliveryState::Refused => Some(Self::Refused),
            // Version 1 of the notice has no word of its own for what was stopped or discarded; the reason says which it is.
            DeliveryState::Parked | DeliveryState::Stopped | DeliveryState::Discarded => Some(Self::Parked),
            DeliveryState::Expired => Some(Self::Expired),
            DeliveryState::Queued | DeliveryState::Leased | DeliveryState::Sent => None,
        }
    }

    /// The word that travels, the same as the delivery's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => DeliveryState::Delivered.as_str(),
            Self::Refused => DeliveryState::Refused.as_str(),
            Self::Parked => DeliveryState::Parked.as_str(),
            Self::Expired => DeliveryState::Expired.as_str(),
        }
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word)
    }
}

/// Tells a sender what became of its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The sender's message.
    pub message_id: MessageId,
    /// Whom it was for.
    pub recipient: ParticipantId,
    /// What became of it.
    pub state: NoticeState,
    /// The code of the park reason or of the recipient's fault.
    pub reason: Option<String>,
    /// When. Travels to the millisecond.
    pub at: Timestamp,
}

impl TechnicalBody for Notice {
    const KIND: Technical = Technical::Notice;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("messageId", &self.message_id.to_string());
        w.leaf("recipient", self.recipient.as_str());
        w.leaf("state", self.state.as_str());
        w.optional("reason", self.reason.as_deref());
        w.leaf("at", &self.at.to_string());
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self {
            message_id: f.parsed("messageId", A_UUID, message_id)?,
            recipient: f.parsed("recipient", AN_ID, participant)?,
            state: f.parsed("state", "delivered, refused, parked or expired is needed", NoticeState::parse)?,
            reason: f.optional_parsed("reason", A_CODE, code)?,
            at: f.parsed("at", AN_INSTANT, instant)?,
        })
    }
}
