//! Cases: what deadlines need to know of a family's accompaniment.

use crate::domain::{CaseId, Oktmo, Timestamp};

use super::{Store, StoreError};

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// Its id.
    pub id: CaseId,
    /// The regulation it runs under.
    pub regulation: String,
    /// Its territory.
    pub territory: Oktmo,
    /// `individual` or `group`.
    pub kind: String,
    /// When it was opened (business time).
    pub opened_at: Timestamp,
    /// Rises with every change; 1 at first.
    pub version: i64,
}

/// What a message does to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseChange {
    /// Opens it (its `version` is stored as 1).
    Open(CaseRow),
    /// Changes it, if its stored version is still `row.version`; the stored one becomes one more.
    Update(CaseRow),
}

impl Store {
    /// The case with this id.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn case(&self, id: CaseId) -> Result<Option<CaseRow>, StoreError> {
        todo!("{id}")
    }
}
