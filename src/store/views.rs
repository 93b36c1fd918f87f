//! What pages and listings read.

use std::collections::BTreeMap;

use crate::domain::{
    CaseId, ConversationId, DeliveryId, DeliveryState, ObligationId, ObligationState, ParticipantId, RecordId, RuleId, Timestamp,
};

use super::{DeliveryRow, MessageRow, ObligationRow, Store, StoreError};

/// The groups of obligations that a person thinks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObligationGroup {
    /// Overdue.
    Overdue,
    /// Open or warned.
    Running,
    /// Not yet started.
    Pending,
    /// Met, met late, cancelled.
    Done,
}

/// Which obligations to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct ObligationFilter {
    /// In this group.
    pub group: Option<ObligationGroup>,
    /// In exactly this state.
    pub state: Option<ObligationState>,
    /// Owed by.
    pub debtor: Option<ParticipantId>,
    /// Owed to.
    pub creditor: Option<ParticipantId>,
    /// Of this rule.
    pub rule: Option<RuleId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// Of this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Due before (exclusive).
    pub due_before: Option<Timestamp>,
}

/// Where the last page of obligations ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueCursor {
    /// The last one's due instant; `None`: it had none.
    pub due_at: Option<Timestamp>,
    /// The last one's id.
    pub id: ObligationId,
}

impl DueCursor {
    /// The cursor after this row.
    pub fn after(row: &ObligationRow) -> Self {
        Self { due_at: row.due_at, id: row.id }
    }
}

/// Where the last page of what is not handed over ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandoverCursor {
    /// The last one's message.
    pub record_id: RecordId,
    /// The last one's delivery.
    pub id: DeliveryId,
}

/// Accepted, but not handed over: nobody's fault must not be the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHandedOver {
    /// The delivery with its state, reason and attempts.
    pub delivery: DeliveryRow,
    /// The message.
    pub message: MessageRow,
}

/// Counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages accepted over a channel (not those made by the gateway).
    pub accepted: u64,
    /// Deliveries by state; states without one are 0.
    pub deliveries: BTreeMap<DeliveryState, u64>,
    /// Obligations by state; states without one are 0.
    pub obligations: BTreeMap<ObligationState, u64>,
    /// Kept refusals.
    pub refusals: u64,
}

impl Store {
    /// Obligations by due instant, earliest first (those without one last).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_obligations(
        &self,
        filter: &ObligationFilter,
        after: Option<DueCursor>,
        limit: u32,
    ) -> Result<Vec<ObligationRow>, StoreError> {
        todo!("{filter:?} {after:?} {limit}")
    }

    /// Deliveries that are queued, leased, parked or expired, oldest message first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn not_handed_over(&self, after: Option<HandoverCursor>, limit: u32) -> Result<Vec<NotHandedOver>, StoreError> {
        todo!("{after:?} {limit}")
    }

    /// The counters. Reads all rows' states: for the demo and tests, not for a page that is shown every second.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        todo!()
    }
}
