//! Counts for the monitoring. Each statement goes by an index that holds what is not done, so that what is stored beside it costs nothing.

use crate::domain::{DeliveryState, ObligationState, ParticipantId, RecordId, Timestamp};

use super::sql::{Columns as _, Select, Val};
use super::{Store, StoreError};

/// Deliveries of one participant in one state that are not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFigure {
    /// Whose.
    pub recipient: ParticipantId,
    /// `queued`, `leased`, `parked` or `sent` (lies in the mailbox).
    pub state: DeliveryState,
    /// How many.
    pub count: u64,
    /// The message that was accepted first.
    pub oldest: RecordId,
}

/// Obligations that are not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObligationFigure {
    /// The regulation.
    pub regulation: String,
    /// The state.
    pub state: ObligationState,
    /// How many.
    pub count: u64,
}

/// A job that one node at a time does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseFigure {
    /// The job, such as `watcher`.
    pub name: String,
    /// The node that does it, or did last.
    pub owner: String,
    /// Until when it may.
    pub until: Timestamp,
}

const NOT_HANDED: &str = "SELECT recipient, state, COUNT(*) AS n, MIN(record_id) AS oldest FROM deliveries \
    WHERE state IN ('queued', 'leased', 'parked', 'expired') AND state <> 'expired' GROUP BY recipient, state";
const IN_MAILBOX: &str = "SELECT recipient, state, COUNT(*) AS n, MIN(record_id) AS oldest FROM deliveries \
    WHERE mailbox = 1 AND state = 'sent' GROUP BY recipient, state";

impl Store {
    /// What lies in the queues and mailboxes, by participant and state. Participants without anything are not listed.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn queue_figures(&self) -> Result<Vec<QueueFigure>, StoreError> {
        let mut figures = Vec::new();
        for statement in [NOT_HANDED, IN_MAILBOX] {
            for row in &Select::new(statement).fetch(self.readers()).await? {
                figures.push(QueueFigure {
                    recipient: row.parsed("recipient", |t| ParticipantId::parse(t).ok())?,
                    state: row.parsed("state", DeliveryState::parse)?,
                    count: row.int("n")?.unsigned_abs(),
                    oldest: row.parsed("oldest", |t| RecordId::parse(t).ok())?,
                });
            }
        }
        Ok(figures)
    }

    /// Obligations that are not done, by regulation and state.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn obligation_figures(&self) -> Result<Vec<ObligationFigure>, StoreError> {
        let done = super::obligations::phase(ObligationState::Met);
        let select = Select::new("SELECT regulation, state, COUNT(*) AS n FROM obligations")
            .and("phase < ?", vec![Val::from(done)])
            .push(" GROUP BY regulation, state", vec![]);
        let rows = select.fetch(self.readers()).await?;
        let figure = |row: &sqlx::any::AnyRow| {
            Ok(ObligationFigure {
                regulation: row.text("regulation")?,
                state: row.parsed("state", ObligationState::parse)?,
                count: row.int("n")?.unsigned_abs(),
            })
        };
        rows.iter().map(figure).collect()
    }

    /// Who does the jobs that one node at a time does.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn lease_figures(&self) -> Result<Vec<LeaseFigure>, StoreError> {
        let rows = Select::new("SELECT name, owner, lease_until FROM leases").fetch(self.readers()).await?;
        let figure = |row: &sqlx::any::AnyRow| {
            Ok(LeaseFigure { name: row.text("name")?, owner: row.text("owner")?, until: row.at("lease_until")? })
        };
        rows.iter().map(figure).collect()
    }
}
