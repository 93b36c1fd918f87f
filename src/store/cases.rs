//! Cases: what deadlines need to know of a family's accompaniment.

use crate::access::Scope;
use crate::deadline::cases::CaseFacts;
use crate::domain::{CaseId, Oktmo, Timestamp};

use super::sql::{Columns, Engine, Select, Vals, opt_text, text};
use super::views::within;
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
    /// What the messages say of it.
    pub facts: CaseFacts,
}

/// What a message does to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseChange {
    /// Opens it (its `version` is stored as 1).
    Open(CaseRow),
    /// Changes it, if its stored version is still `row.version`; the stored one becomes one more.
    Update(CaseRow),
    /// Leaves it as it is, but only if its stored version is this one: what the message opens was judged by it.
    Holds(CaseId, i64),
}

impl Store {
    /// The case with this id.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn case(&self, id: CaseId) -> Result<Option<CaseRow>, StoreError> {
        let found = Select::new(SELECT).and("id = ?", vec![text(id)]).fetch(self.readers()).await?;
        found.first().map(row).transpose()
    }
}

/// Which cases to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Only this one.
    pub case_id: Option<CaseId>,
    /// In this territory or below it.
    pub territory: Option<Oktmo>,
    /// Of this curator.
    pub curator: Option<String>,
    /// Only open ones.
    pub open: bool,
    /// Only closed ones.
    pub closed: bool,
    /// Of this level.
    pub level: Option<String>,
    /// Within this part of the region: a participant's part are the cases in whose messages it is a party.
    pub within: Scope,
}

impl Store {
    /// Cases by id, newest first, those before `before`.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_cases(
        &self,
        filter: &CaseFilter,
        before: Option<CaseId>,
        limit: u32,
    ) -> Result<Vec<CaseRow>, StoreError> {
        let mut select = Select::new(SELECT)
            .and_some("id = ?", filter.case_id.map(text))
            .and_some("territory LIKE ?", filter.territory.as_ref().map(|t| text(format!("{}%", t.as_str()))))
            .and_some("curator = ?", filter.curator.as_ref().map(text))
            .and_some("level = ?", filter.level.as_ref().map(text))
            .and_some("id < ?", before.map(text));
        if filter.open {
            select = select.and("closed_at IS NULL", vec![]);
        }
        if filter.closed {
            select = select.and("closed_at IS NOT NULL", vec![]);
        }
        let territories = Scope { territories: filter.within.territories.clone(), ..Scope::whole() };
        select = within(select, &territories, ["", ""], "cases.id");
        if !filter.within.participants.is_empty() {
            let list = || filter.within.participants.iter().map(text).collect();
            let party = "EXISTS (SELECT 1 FROM messages m WHERE m.case_id = cases.id AND (m.sender IN (";
            select = select.and(party, vec![]).list(list()).push(") OR m.recipient IN (", vec![]).list(list());
            select = select.push(")))", vec![]);
        }
        let found =
            select.push(" ORDER BY id DESC LIMIT ?", vec![i64::from(limit).into()]).fetch(self.readers()).await?;
        found.iter().map(row).collect()
    }
}

/// All columns of a case.
pub(super) const SELECT: &str = "SELECT id, regulation, territory, kind, opened_at, version, facts FROM cases";

/// Reads [`SELECT`].
pub(super) fn row(row: &sqlx::any::AnyRow) -> Result<CaseRow, StoreError> {
    let facts = row.opt_json("facts")?.map(serde_json::from_value).transpose();
    Ok(CaseRow {
        id: row.parsed("id", |t| CaseId::parse(t).ok())?,
        regulation: row.text("regulation")?,
        territory: row.parsed("territory", |t| Oktmo::parse(t).ok())?,
        kind: row.text("kind")?,
        opened_at: row.at("opened_at")?,
        version: row.int("version")?,
        facts: facts.map_err(|_| StoreError::Corrupt("column facts".to_owned()))?.unwrap_or_default(),
    })
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
        opt_text(serde_json::to_string(&row.facts).ok()),
        opt_text(row.facts.curator.as_ref()),
        opt_text(row.facts.level.as_ref()),
        row.facts.closed_at.map(Timestamp::from_micros).into(),
    ]
}

pub(super) const INSERT: &str = "INSERT INTO cases (id, regulation, territory, kind, opened_at, version, facts, \
    curator, level, closed_at) VALUES ($1, $2, $3, $4, $5, $6 * 0 + 1, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id";

pub(super) const UPDATE: &str = "UPDATE cases SET regulation = $2, territory = $3, kind = $4, opened_at = $5, version = $6 + 1, \
    facts = $7, curator = $8, level = $9, closed_at = $10 WHERE id = $1 AND version = $6 RETURNING id";

/// The case, if it is as it was read; kept so until the end of the transaction.
pub(super) fn holding(engine: Engine) -> &'static str {
    let (sqlite, postgres) = (
        "SELECT id FROM cases WHERE id = $1 AND version = $2",
        "SELECT id FROM cases WHERE id = $1 AND version = $2 FOR SHARE",
    );
    engine.pick(sqlite, postgres)
}
