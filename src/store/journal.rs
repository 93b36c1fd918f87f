//! The journal: append-only, numbered and hash-chained by one sealer.

use crate::domain::{DeliveryId, Digest, ObligationId, ParticipantId, RecordId, Timestamp};

use super::{Store, StoreError};

/// Something that happened. Ids and codes only, never a value from a body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JournalEntry {
    /// Machine time; `None`: that of the call.
    pub at: Option<Timestamp>,
    /// What, as a stable word such as `message-accepted`.
    pub kind: String,
    /// Who acted: a participant's id, a node, an operator.
    pub actor: String,
    /// The message.
    pub record_id: Option<RecordId>,
    /// The delivery.
    pub delivery_id: Option<DeliveryId>,
    /// The obligation.
    pub obligation_id: Option<ObligationId>,
    /// The participant it is about.
    pub participant: Option<ParticipantId>,
    /// More, as JSON; `Null` for nothing.
    pub detail: serde_json::Value,
}

/// A stored entry.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its id, ordered by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// The entry's content as it was appended.
    pub entry: JournalEntry,
    /// Its number in the chain and its hash, once sealed.
    pub sealed: Option<(i64, Digest)>,
}

/// What one round of the sealer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// So many rows were sealed; the last number in the chain. Fewer than the limit: none is left.
    Rows {
        /// How many.
        count: u32,
        /// The chain's last number.
        head: i64,
    },
    /// Another node is the sealer now.
    NotOurs,
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many rows were checked.
    pub rows: u64,
    /// The hash of the last one.
    pub head: Option<Digest>,
    /// Rows not yet sealed.
    pub unsealed: u64,
    /// The first break, if any.
    pub problem: Option<JournalProblem>,
}

/// Where the chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JournalProblem {
    /// A number is missing.
    #[error("journal row {0} is missing")]
    Missing(i64),
    /// A row does not follow from the one before.
    #[error("journal row {0} does not follow from the row before it")]
    Chain(i64),
    /// A row's content was changed.
    #[error("journal row {0} was changed after it was sealed")]
    Changed(i64),
}

impl Store {
    /// Appends entries that belong to no other write. `now` is machine time.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn append_journal(&self, entries: Vec<JournalEntry>, now: Timestamp) -> Result<(), StoreError> {
        todo!("{entries:?} {now}")
    }

    /// Numbers and chains up to `limit` unsealed rows, if this node holds or can take the sealer's lease.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn seal(&self, node: &str, now: Timestamp, lease_ms: u32, limit: u32) -> Result<Sealed, StoreError> {
        todo!("{node} {now} {lease_ms} {limit}")
    }

    /// Checks the chain from a number on (1: from the beginning) to its head, reading in pages.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn verify_journal(&self, from: i64) -> Result<Verified, StoreError> {
        todo!("{from}")
    }

    /// Entries in order of their ids, after `after` (the last id of the page before).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_journal(&self, after: Option<&str>, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        todo!("{after:?} {limit}")
    }
}
