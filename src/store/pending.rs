//! Obligations that wait for their message to be handed over.

use std::collections::HashMap;

use sqlx::any::AnyRow;

use crate::domain::{ObligationId, RecordId};

use super::sql::{Columns as _, Select, text};
use super::{Store, StoreError};

/// One that waits for its message to be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingObligation {
    /// Its id.
    pub id: ObligationId,
    /// What the caller kept with it.
    pub plan: String,
}

impl Store {
    /// The pending obligations that this message opened: what to start when it is handed over.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn pending_obligations(&self, record_id: RecordId) -> Result<Vec<PendingObligation>, StoreError> {
        let mut of = self.pending_of(&[record_id.to_string()]).await?;
        Ok(of.remove(&record_id).unwrap_or_default())
    }

    /// The same of many messages.
    pub(super) async fn pending_of(
        &self,
        records: &[String],
    ) -> Result<HashMap<RecordId, Vec<PendingObligation>>, StoreError> {
        let mut of: HashMap<RecordId, Vec<PendingObligation>> = HashMap::new();
        if records.is_empty() {
            return Ok(of);
        }
        let found =
            Select::new("SELECT record_id, id, plan FROM obligations WHERE state = 'pending' AND record_id IN (")
                .list(records.iter().map(text).collect())
                .push(") ORDER BY id", vec![])
                .fetch(self.readers())
                .await?;
        for row in &found {
            of.entry(row.parsed("record_id", |t| RecordId::parse(t).ok())?).or_default().push(pending(row)?);
        }
        Ok(of)
    }
}

fn pending(row: &AnyRow) -> Result<PendingObligation, StoreError> {
    let id = row.parsed("id", |t| ObligationId::parse(t).ok())?;
    Ok(PendingObligation { id, plan: row.text("plan")? })
}
