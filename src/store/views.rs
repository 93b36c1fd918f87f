//! What pages and listings read.

use std::collections::BTreeMap;

use crate::domain::{
    CaseId, ConversationId, DeliveryId, DeliveryState, ObligationId, ObligationState, ParticipantId, RecordId, RuleId,
    Timestamp,
};

use super::sql::{Columns, Select, Val, text};
use super::{
    DeliveryRow, MessageRow, ObligationRow, Store, StoreError, delivery_rows as deliveries, messages, obligations,
};

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

impl ObligationGroup {
    fn phase(self) -> i64 {
        obligations::phase(match self {
            Self::Overdue => ObligationState::Overdue,
            Self::Running => ObligationState::Open,
            Self::Pending => ObligationState::Pending,
            Self::Done => ObligationState::Met,
        })
    }
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

/// What was handed over once and waits to be sent again is the recipient's to receipt, not ours to hand over.
const NOT_HANDED_OVER: &str =
    "d.state IN ('queued', 'leased', 'parked', 'expired') AND (d.sent_at IS NULL OR d.state = 'parked')";

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
        let found = listing(filter, after, limit).fetch(self.readers()).await?;
        found.iter().map(obligations::row).collect()
    }

    /// Deliveries that are queued, leased, parked or expired, oldest message first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn not_handed_over(
        &self,
        after: Option<HandoverCursor>,
        limit: u32,
    ) -> Result<Vec<NotHandedOver>, StoreError> {
        let mut select = Select::new(&deliveries::select_both()).and(NOT_HANDED_OVER, vec![]);
        if let Some(after) = after {
            select = select.and("(d.record_id, d.id) > (?, ?)", vec![text(after.record_id), text(after.id)]);
        }
        let found = select
            .push(" ORDER BY d.record_id, d.id LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(|r| Ok(NotHandedOver { delivery: deliveries::row(r)?, message: messages::row(r)? })).collect()
    }

    /// The counters. Reads all rows' states: for the demo and tests, not for a page that is shown every second.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let readers = self.readers();
        let mut counts = Counts::default();
        let accepted =
            Select::new("SELECT COUNT(*) AS n FROM messages WHERE channel <> 'internal'").fetch(readers).await?;
        counts.accepted = accepted.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs();
        let refusals = Select::new("SELECT COUNT(*) AS n FROM refusals").fetch(readers).await?;
        counts.refusals = refusals.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs();
        counts.deliveries = DeliveryState::ALL.iter().map(|s| (*s, 0)).collect();
        for row in &Select::new("SELECT state, COUNT(*) AS n FROM deliveries GROUP BY state").fetch(readers).await? {
            counts.deliveries.insert(row.parsed("state", DeliveryState::parse)?, row.int("n")?.unsigned_abs());
        }
        counts.obligations = ObligationState::ALL.iter().map(|s| (*s, 0)).collect();
        for row in &Select::new("SELECT state, COUNT(*) AS n FROM obligations GROUP BY state").fetch(readers).await? {
            counts.obligations.insert(row.parsed("state", ObligationState::parse)?, row.int("n")?.unsigned_abs());
        }
        Ok(counts)
    }
}

/// One page of a listing. A state lies in one group, which leads into the index by which pages are read.
pub(super) fn listing<'a>(filter: &ObligationFilter, after: Option<DueCursor>, limit: u32) -> Select<'a> {
    let group = filter.group.map(ObligationGroup::phase);
    let phase = group.or_else(|| filter.state.map(obligations::phase));
    let mut select = Select::new(obligations::SELECT)
        .and_some("phase = ?", phase.map(Val::from))
        .and_some("state = ?", filter.state.map(|s| Val::Word(s.as_str())))
        .and_some("debtor = ?", filter.debtor.as_ref().map(text))
        .and_some("creditor = ?", filter.creditor.as_ref().map(text))
        .and_some("rule = ?", filter.rule.as_ref().map(text))
        .and_some("case_id = ?", filter.case_id.map(text))
        .and_some("conversation_id = ?", filter.conversation_id.map(text))
        .and_some("sort_due < ?", filter.due_before.map(Val::from));
    if let Some(after) = after {
        let due = after.due_at.map_or(i64::MAX, Timestamp::micros);
        select = select.and("(sort_due, id) > (?, ?)", vec![due.into(), text(after.id)]);
    }
    select.push(" ORDER BY sort_due, id LIMIT ?", vec![i64::from(limit).into()])
}
