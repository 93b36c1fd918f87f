//! Messages: accepting them, and finding them again.

use crate::domain::{
    CaseId, ConversationId, DeliveryId, Digest, Header, MessageId, MessageType, ParticipantId, Priority, RecordId, Timestamp,
};

use super::{CaseChange, JournalEntry, NewObligation, NewSettlement, Revisions, Store, StoreError};

/// How a message came to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// `POST /v1/messages`.
    Http,
    /// A queue of the broker.
    Amqp,
    /// Made by the gateway itself (a notice, a split).
    Internal,
}

/// A message to record.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its id in the store; also the order of messages (make it a UUID of version 7 from the machine's `now`).
    pub record_id: RecordId,
    /// The verified header. `attachments` and `via` are not stored apart from the bytes.
    pub header: Header,
    /// The machine's instant of acceptance.
    pub accepted_at: Timestamp,
    /// The same instant on the deadlines' clock.
    pub business_at: Timestamp,
    /// The content digest that identifies the message together with its key (the Reference's digest, recomputed by us).
    pub digest: Digest,
    /// The exact bytes of the envelope as they came.
    pub bytes: Vec<u8>,
    /// The canonical body, when the sender's own form was translated.
    pub canonical: Option<Vec<u8>>,
    /// The signed receipt; `None` for messages made by the gateway.
    pub receipt: Option<Vec<u8>>,
    /// SHA-256 of the certificate that verified the signature.
    pub certificate: Option<Digest>,
    /// The configuration under which it was judged.
    pub revisions: Revisions,
    /// How it came.
    pub channel: Channel,
    /// To whom it goes; empty for a message to oneself.
    pub deliveries: Vec<NewDelivery>,
}

/// A delivery to begin, in state `queued`.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub recipient: ParticipantId,
    /// Whether it waits for earlier deliveries of the same conversation to the same recipient.
    pub ordered: bool,
    /// The first attempt's instant (machine time).
    pub next_attempt_at: Timestamp,
    /// After this instant it is not tried any more (machine time).
    pub expires: Option<Timestamp>,
}

/// Everything that one accepted message writes: all of it or nothing.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The message.
    pub message: NewMessage,
    /// Messages that the gateway makes because of it (parts of a split, notices).
    pub made: Vec<NewMessage>,
    /// Obligations that it opens.
    pub obligations: Vec<NewObligation>,
    /// What it settles.
    pub settlements: Vec<NewSettlement>,
    /// The case that it opens or changes.
    pub case: Option<CaseChange>,
    /// Further journal entries (the store itself writes `message-accepted` and one for each obligation that it touches).
    pub journal: Vec<JournalEntry>,
}

/// What became of an [`Accept`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Recorded and durable.
    Recorded,
    /// The same sender and message id were recorded before: answer with the stored receipt when the digest is equal, with
    /// `id-reused` when it is not.
    Duplicate {
        /// The record of the first copy.
        record_id: RecordId,
        /// The content digest of the first copy.
        digest: Digest,
        /// The receipt that the first copy got.
        receipt: Option<Vec<u8>>,
    },
    /// The case was changed by another message meanwhile; nothing was written. Judge again with the new case.
    CaseChanged,
}

/// A recorded message without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id in the store.
    pub record_id: RecordId,
    /// The sender's id of it.
    pub message_id: MessageId,
    /// Who sent it.
    pub sender: ParticipantId,
    /// For whom it is.
    pub recipient: ParticipantId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its case.
    pub case_id: Option<CaseId>,
    /// What it answers.
    pub in_reply_to: Option<MessageId>,
    /// What it was split from.
    pub derived_from: Option<MessageId>,
    /// Type and version.
    pub message_type: MessageType,
    /// The sender's `Created`.
    pub created: Timestamp,
    /// The sender's `Expires`.
    pub expires: Option<Timestamp>,
    /// Urgency.
    pub priority: Priority,
    /// Rehearsal.
    pub test: bool,
    /// The machine's instant of acceptance.
    pub accepted_at: Timestamp,
    /// The deadlines' instant of acceptance.
    pub business_at: Timestamp,
    /// The content digest.
    pub digest: Digest,
    /// SHA-256 of the verifying certificate.
    pub certificate: Option<Digest>,
    /// The configuration under which it was judged.
    pub revisions: Revisions,
    /// How it came.
    pub channel: Channel,
}

/// The bytes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The exact bytes as they came.
    pub bytes: Vec<u8>,
    /// The canonical body, when the sender's form was translated.
    pub canonical: Option<Vec<u8>>,
    /// The receipt that the sender got.
    pub receipt: Option<Vec<u8>>,
}

/// Which messages to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// Sent by.
    pub sender: Option<ParticipantId>,
    /// Sent to.
    pub recipient: Option<ParticipantId>,
    /// Sent by or to.
    pub party: Option<ParticipantId>,
    /// In this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// With this message id (of any sender).
    pub message_id: Option<MessageId>,
    /// Of this type's name, any version.
    pub type_name: Option<String>,
    /// Accepted at or after.
    pub accepted_from: Option<Timestamp>,
    /// Accepted before.
    pub accepted_before: Option<Timestamp>,
}

impl Store {
    /// Records a message with all that belongs to it, durably. The first of equal (sender, message id) wins, also within one
    /// batch and between nodes.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`], [`StoreError::NoSpace`] and [`StoreError::Unknown`] mean 503 for the peer;
    /// [`StoreError::Refused`] is a defect of these rows.
    pub async fn accept(&self, accept: Accept) -> Result<Accepted, StoreError> {
        todo!("{accept:?}")
    }

    /// The message with this key.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn message_by_key(&self, sender: &ParticipantId, message_id: MessageId) -> Result<Option<MessageRow>, StoreError> {
        todo!("{sender} {message_id}")
    }

    /// The message with this record id.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn message(&self, record_id: RecordId) -> Result<Option<MessageRow>, StoreError> {
        todo!("{record_id}")
    }

    /// The messages with this id whose sender or recipient is the party (for `InReplyTo`, and for the state that a party may
    /// ask for). More than one only if two senders used one id.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn messages_of_party(&self, message_id: MessageId, party: &ParticipantId) -> Result<Vec<MessageRow>, StoreError> {
        todo!("{message_id} {party}")
    }

    /// The bytes of a message.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn content(&self, record_id: RecordId) -> Result<Option<Content>, StoreError> {
        todo!("{record_id}")
    }

    /// Messages, newest first, beginning below `before` (the last record id of the page before).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_messages(
        &self,
        filter: &MessageFilter,
        before: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        todo!("{filter:?} {before:?} {limit}")
    }
}
