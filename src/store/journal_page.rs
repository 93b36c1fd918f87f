//! The journal as people read it: newest first, narrowed, page by page by key.

use crate::domain::{ParticipantId, Timestamp};

use super::journal::{SELECT, row};
use super::sql::{Columns as _, Select, Val, text};
use super::{JournalRow, Store, StoreError};

/// Ids of entries begin with their time; those that were made late stand at most so many seconds behind it.
const ID_LAG_SECONDS: i64 = 86_400;

/// Which entries to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct JournalFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// By whom: a participant's id, a node, `account:<id>`.
    pub actor: Option<String>,
    /// About this participant.
    pub participant: Option<ParticipantId>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub before: Option<Timestamp>,
}

impl Store {
    /// Entries, newest first, before `before` (the last id of the page before).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn journal_page(
        &self,
        filter: &JournalFilter,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let mut select = Select::new(SELECT)
            .and_some("kind = ?", filter.kind.as_ref().map(text))
            .and_some("actor = ?", filter.actor.as_ref().map(text))
            .and_some("participant = ?", filter.participant.as_ref().map(text))
            .and_some("happened_at >= ?", filter.from.map(Val::from))
            .and_some("happened_at < ?", filter.before.map(Val::from))
            .and_some("id >= ?", filter.from.map(|at| text(first_id(at))))
            .and_some("id < ?", filter.before.map(|at| text(first_id(at.plus_seconds(ID_LAG_SECONDS)))))
            .and_some("id < ?", before.map(text));
        if filter.actor.as_ref().is_some_and(|actor| actor.starts_with("account:")) {
            // The word stands in the text, for so both engines find the index of people.
            select = select.and("substr(actor, 1, 8) = 'account:'", vec![]);
        }
        let found =
            select.push(" ORDER BY id DESC LIMIT ?", vec![i64::from(limit).into()]).fetch(self.readers()).await?;
        found.iter().map(row).collect()
    }

    /// How many entries there are: sealed ones and those that wait for the sealer. It grows with whatever any node writes.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn journal_length(&self) -> Result<i64, StoreError> {
        // One statement, so that an entry that is sealed meanwhile is counted once.
        let sql = "SELECT CAST((SELECT seq FROM journal_head WHERE id = 1) + (SELECT COUNT(*) FROM journal WHERE seq IS NULL) AS BIGINT) AS n";
        let found = Select::new(sql).fetch(self.readers()).await?;
        found.first().map_or(Ok(0), |row| row.int("n"))
    }
}

/// The smallest id of an instant: ids are UUIDs of version 7, compared as texts.
fn first_id(at: Timestamp) -> String {
    let ms = u64::try_from(at.micros() / 1_000).unwrap_or(0);
    format!("{:08x}-{:04x}-7", ms >> 16, ms & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_stands_before_the_ids_made_in_it() {
        let at = Timestamp::parse("2026-11-28T03:00:00Z").unwrap();
        let id = super::super::rows::Ids::default().next(at);
        assert!(first_id(at).as_str() <= id.as_str() && id < first_id(at.plus_seconds(1)), "{id}");
    }
}
