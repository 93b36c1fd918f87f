//! Cases: what deadlines need to know of a family's accompaniment.

use crate::domain::{CaseId, Oktmo, Timestamp};

use super::sql::{Columns, Select, Vals, text};
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
        let found = Select::new("SELECT id, regulation, territory, kind, opened_at, version FROM cases")
            .and("id = ?", vec![text(id)])
            .fetch(self.readers())
            .await?;
        found
            .first()
            .map(|row| {
                Ok(CaseRow {
                    id: row.parsed("id", |t| CaseId::parse(t).ok())?,
                    regulation: row.text("regulation")?,
                    territory: row.parsed("territory", |t| Oktmo::parse(t).ok())?,
                    kind: row.text("kind")?,
                    opened_at: row.at("opened_at")?,
                    version: row.int("version")?,
                })
            })
            .transpose()
    }
}

/// Both statements take these values; opening begins with version 1 whatever the row says.
pub(super) fn values(row: &CaseRow) -> Vals<'_> {
    vec![
        text(row.id),
        text(&row.regulation),
        text(&row.territory),
        text(&row.kind),
        row.opened_at.into(),
        row.version.into(),
    ]
}

pub(super) const INSERT: &str = "INSERT INTO cases (id, regulation, territory, kind, opened_at, version) \
    VALUES ($1, $2, $3, $4, $5, $6 * 0 + 1) ON CONFLICT DO NOTHING RETURNING id";

pub(super) const UPDATE: &str = "UPDATE cases SET regulation = $2, territory = $3, kind = $4, opened_at = $5, version = $6 + 1 \
    WHERE id = $1 AND version = $6 RETURNING id";
