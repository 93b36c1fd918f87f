//! Typed bodies of the technical messages. Their schemas are in `schemas/technical/<name>/1/`.

use crate::domain::{DeliveryId, DeliveryState, Digest, Fault, FaultCode, MessageId, ParticipantId, Technical, Timestamp};
use crate::xml::{Node, WriteError};

/// A body that the gateway reads and writes itself.
pub trait TechnicalBody: Sized {
    /// Which technical message it is the body of.
    const KIND: Technical;

    /// The body as one XML element.
    ///
    /// # Errors
    /// When a text holds a character that XML cannot carry.
    fn to_xml(&self) -> Result<Vec<u8>, WriteError>;

    /// Reads the body's element.
    ///
    /// # Errors
    /// [`FaultCode::SchemaInvalid`] with the line and element.
    fn from_node(node: Node<'_>) -> Result<Self, Fault>;
}

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
    /// The report of one of our faults; `told` says whether its detail goes with it. Characters that XML cannot carry are replaced and the detail is cut to 2000
    /// characters.
    pub fn of(fault: &Fault, message_id: Option<MessageId>, digest: Option<RefusedDigest>, told: bool) -> Self {
        let _ = (fault, message_id, digest, told);
        todo!()
    }

    /// The code of our table, if it is one.
    pub fn known(&self) -> Option<FaultCode> {
        FaultCode::parse(&self.code)
    }
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
    /// The state of a delivery that a notice tells of; `None` for those it does not.
    pub fn of(state: DeliveryState) -> Option<Self> {
        let _ = state;
        todo!()
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

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The state of a message that the asker sent.
    Message(MessageId),
    /// An attachment.
    Attachment(Digest),
}

/// What a ticket allows to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketMethod {
    /// HTTP GET.
    Get,
    /// HTTP PUT.
    Put,
}

/// Asks for a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketRequest {
    /// To do what.
    pub method: TicketMethod,
    /// With what.
    pub resource: Resource,
}

/// The gateway's ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Goes into `Authorization: Bearer`.
    pub token: String,
    /// After this instant it opens nothing.
    pub expires_at: Timestamp,
}

/// Asks for what waits in the mailbox. The pull's id is the envelope's MessageId.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxPull {
    /// How many messages at most, 1 to 100.
    pub messages_max: u32,
}

/// One message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// The delivery, to be named in the ack.
    pub delivery_id: DeliveryId,
    /// The signed envelope, exact bytes.
    pub envelope: Vec<u8>,
}

/// The answer to a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxBatch {
    /// Until when nobody else gets these messages.
    pub lease_until: Timestamp,
    /// The messages; none when the mailbox is empty.
    pub items: Vec<BatchItem>,
}

/// One answer of an ack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckItem {
    /// The delivery of the batch.
    pub delivery_id: DeliveryId,
    /// The participant's signed envelope with a receipt or a fault, exact bytes.
    pub answer: Vec<u8>,
}

/// Answers for what was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxAck {
    /// The answers, at least one.
    pub items: Vec<AckItem>,
}

macro_rules! unbuilt {
    ($($t:ident)*) => {$(
        impl TechnicalBody for $t {
            const KIND: Technical = Technical::Receipt;
            fn to_xml(&self) -> Result<Vec<u8>, WriteError> { todo!() }
            fn from_node(node: Node<'_>) -> Result<Self, Fault> { let _ = node; todo!() }
        }
    )*};
}
unbuilt!(Receipt FaultReport Notice TicketRequest Ticket MailboxPull MailboxBatch MailboxAck);
