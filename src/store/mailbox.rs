//! The mailbox: what lies there is a delivery in state `sent`; a pull puts it under a lease, an acknowledgement
//! ([`Store::answer`]) settles it.

use crate::domain::{DeliveryId, ParticipantId, Timestamp};

use super::{Store, StoreError};

/// A wish to pull.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// Whose mailbox.
    pub participant: ParticipantId,
    /// The puller's id of this pull (the message id of its envelope): a repeat gets the same batch.
    pub pull_id: String,
    /// At most so many items.
    pub items_max: u32,
    /// At most so many bytes of items (the first is given even if it is larger).
    pub bytes_max: u64,
    /// Machine time.
    pub now: Timestamp,
    /// How long the items are held for this pull, in milliseconds.
    pub lease_ms: u32,
}

/// A stored envelope in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxItem {
    /// Its delivery.
    pub delivery_id: DeliveryId,
    /// The signed bytes, always the same.
    pub bytes: Vec<u8>,
}

/// What a pull gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pull {
    /// These items, held until the lease ends. Sign the answer and keep it by [`Store::store_pull_answer`].
    Items {
        /// In order of priority, then age; may be empty.
        items: Vec<MailboxItem>,
        /// Until when they are held.
        lease_until: Timestamp,
    },
    /// The pull id was used and its lease lives: the stored answer, byte for byte.
    Repeated {
        /// The signed answer.
        answer: Vec<u8>,
    },
    /// The pull id was used and its lease has ended: the fault `pull-reused`.
    Reused,
}

impl Store {
    /// Pulls. Items under another living lease are not given. A repeat whose answer was never stored gets the same items again.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn pull(&self, request: PullRequest) -> Result<Pull, StoreError> {
        todo!("{request:?}")
    }

    /// Keeps the signed answer of a pull. Returns the bytes to send: those of the first call for this pull.
    ///
    /// # Errors
    /// When the database is away; [`StoreError::Refused`] when there is no such pull.
    pub async fn store_pull_answer(
        &self,
        participant: &ParticipantId,
        pull_id: &str,
        answer: Vec<u8>,
    ) -> Result<Vec<u8>, StoreError> {
        todo!("{participant} {pull_id} {}", answer.len())
    }
}
