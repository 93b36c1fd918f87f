//! Tickets for reading, and the capped record of what was refused.

use crate::domain::{Digest, FaultCode, MessageId, ParticipantId, Timestamp};

use super::{Store, StoreError};

/// A ticket to keep: only the hash of its token is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    /// SHA-256 of the token.
    pub token_hash: Digest,
    /// Whose.
    pub participant: ParticipantId,
    /// The HTTP method it is good for.
    pub method: String,
    /// The path or id it is good for.
    pub resource: String,
    /// Until when (exclusive; machine time).
    pub expires: Timestamp,
}

/// A valid ticket.
pub type TicketRow = NewTicket;

/// A refused message: no body, ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefusal {
    /// Machine time.
    pub at: Timestamp,
    /// The channel's peer: an address or a queue.
    pub peer: String,
    /// Why.
    pub code: FaultCode,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The sender, if its signature was verified.
    pub sender: Option<ParticipantId>,
    /// The message id, if the signature was verified.
    pub message_id: Option<MessageId>,
    /// The signed fault that was answered, if the signature was verified.
    pub answer: Option<Vec<u8>>,
}

/// A kept refusal.
pub type RefusalRow = NewRefusal;

impl Store {
    /// Keeps a ticket.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn insert_ticket(&self, ticket: NewTicket) -> Result<(), StoreError> {
        todo!("{ticket:?}")
    }

    /// The ticket with this token hash that is valid at `now`.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn ticket(&self, token_hash: Digest, now: Timestamp) -> Result<Option<TicketRow>, StoreError> {
        todo!("{token_hash} {now}")
    }

    /// Keeps a refusal; beyond [`super::StoreOptions::refusals_max`] the oldest go (within some hundreds).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn insert_refusal(&self, refusal: NewRefusal) -> Result<(), StoreError> {
        todo!("{refusal:?}")
    }

    /// The kept refusals, newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_refusals(&self, limit: u32) -> Result<Vec<RefusalRow>, StoreError> {
        todo!("{limit}")
    }

    /// Drops tickets that ended before `now`, refusals older than `refusals_before`, and mailbox pulls older than `pulls_before`.
    /// Returns how many rows went.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn purge(&self, now: Timestamp, refusals_before: Timestamp, pulls_before: Timestamp) -> Result<u64, StoreError> {
        todo!("{now} {refusals_before} {pulls_before}")
    }
}
