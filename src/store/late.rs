//! Settlements by messages whose files come after the message: kept when it is accepted, counted when the last file is here.
//!
//! Until then such a settlement meets nothing (`obligations::MEET` passes it over), and within the grace it keeps the watcher from marking
//! overdue what it would meet in time. Whole within the grace it settles as of the message's acceptance, later as of the last file's
//! coming. It never counts for a message whose files are wrong, or that expired or was stopped before they came, unless it is put back.

use std::collections::HashMap;

use crate::domain::{ObligationId, ParticipantId, RecordId, RuleId, Timestamp};

use super::error::Failure;
use super::obligations::key;
use super::rows::Rows;
use super::sql::{Columns as _, Select, Stmt, Tx, Vals, text};
use super::{ObligationRow, Store, StoreError};

/// A settlement by a message whose files were not all here when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateSettlement {
    /// The regulation's id.
    pub regulation: String,
    /// The rule.
    pub rule: RuleId,
    /// What it is about.
    pub subject: String,
    /// The period, or empty.
    pub period: String,
    /// Who acted.
    pub debtor: ParticipantId,
    /// The message.
    pub record_id: RecordId,
    /// The settling instant by the rule, as of the message's acceptance (business time).
    pub claimed_at: Timestamp,
    /// Until when the files may come so that it settles as of then (exclusive; business time).
    pub grace_until: Timestamp,
    /// When the last file came (business time); `None`: not yet, and it settles nothing.
    pub whole_at: Option<Timestamp>,
    /// The instant that counts; `None`: none yet.
    pub counts_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "SELECT obligation_key, debtor, acted_at, record_id, grace_until, whole_at, claimed_at FROM settlements";

impl Store {
    /// What a message settles, if its files were not all here when it was accepted.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn late_settlements_of(&self, record_id: RecordId) -> Result<Vec<LateSettlement>, StoreError> {
        let select = Select::new(COLUMNS).and("record_id = ?", vec![text(record_id)]);
        let select = select.and("grace_until IS NOT NULL", vec![]).push(" ORDER BY obligation_key", vec![]);
        select.fetch(self.readers()).await?.iter().map(|row| Ok(read(row)?.1)).collect()
    }

    /// What settles these obligations by messages whose files came late or are still to come, by obligation.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn late_settlements_for(
        &self,
        obligations: &[&ObligationRow],
    ) -> Result<HashMap<ObligationId, Vec<LateSettlement>>, StoreError> {
        let mut found: HashMap<ObligationId, Vec<LateSettlement>> = HashMap::new();
        if obligations.is_empty() {
            return Ok(found);
        }
        let key_of = |row: &ObligationRow| key(&row.regulation, &row.rule, &row.subject, &row.period);
        let ids: HashMap<String, &ObligationRow> = obligations.iter().map(|row| (key_of(row), *row)).collect();
        let select = Select::new(COLUMNS)
            .and("grace_until IS NOT NULL", vec![])
            .push(" AND obligation_key IN (", vec![])
            .list(ids.keys().map(text).collect())
            .push(") ORDER BY acted_at, record_id", vec![]);
        for row in &select.fetch(self.readers()).await? {
            let (key, late) = read(row)?;
            if let Some(of) = ids.get(&key).filter(|of| of.debtor == late.debtor) {
                found.entry(of.id).or_default().push(late);
            }
        }
        Ok(found)
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<(String, LateSettlement), StoreError> {
    let corrupt = || StoreError::Corrupt("column obligation_key".to_owned());
    let key = row.text("obligation_key")?;
    let mut parts = key.split('\u{1f}').map(str::to_owned);
    let mut part = || parts.next().ok_or_else(corrupt);
    let (regulation, rule, subject, period) = (part()?, part()?, part()?, part()?);
    let (acted_at, whole_at) = (row.at("acted_at")?, row.opt_at("whole_at")?);
    let late = LateSettlement {
        regulation,
        rule: RuleId::parse(&rule).map_err(|_| corrupt())?,
        subject,
        period,
        debtor: row.parsed("debtor", |t| ParticipantId::parse(t).ok())?,
        record_id: row.parsed("record_id", |t| RecordId::parse(t).ok())?,
        claimed_at: row.opt_at("claimed_at")?.unwrap_or(acted_at),
        grace_until: row.at("grace_until")?,
        whole_at,
        counts_at: whole_at.map(|_| acted_at),
    };
    Ok((key, late))
}

/// Counts what messages settle whose files are all here now: rows of a message's record and the instant (business time).
pub(super) async fn complete(tx: &mut Tx<'_>, rows: &mut Rows<'_>, whole: &[Vals<'_>]) -> Result<(), Failure> {
    let mut keys = Vec::new();
    for row in tx.many(&COMPLETE, whole).await? {
        keys.push(row.text("obligation_key")?);
    }
    rows.meet(tx, keys).await
}

/// Puts off what would be marked overdue now and may still be met in time: rows of an obligation, the instant that it waits at, and now
/// (business time).
pub(super) async fn defer(tx: &mut Tx<'_>, rows: &mut Rows<'_>, overdue: &[Vals<'_>]) -> Result<(), Failure> {
    for row in tx.many(&DEFER, overdue).await? {
        let id = row.parsed("id", |t| ObligationId::parse(t).ok())?;
        rows.of_obligation("obligation-awaits-files", id, serde_json::Value::Null);
    }
    Ok(())
}

const COMPLETE: Stmt = Stmt {
    head: "WITH v (v_record, v_at) AS (VALUES ",
    tail: ") UPDATE settlements SET whole_at = v_at, claimed_at = acted_at, \
           acted_at = CASE WHEN v_at < grace_until THEN acted_at ELSE v_at END FROM v \
           WHERE record_id = v_record AND grace_until IS NOT NULL AND whole_at IS NULL \
           AND NOT EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = v_record AND l.state <> 'whole') \
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.record_id = v_record AND (d.state IN ('expired', 'stopped') \
           OR (d.state = 'discarded' AND d.sent_at IS NULL))) \
           RETURNING obligation_key",
};

const DEFER: Stmt = Stmt {
    head: "WITH v (v_id, v_expected, v_at) AS (VALUES ",
    tail: "), u AS (SELECT v_id AS u_id, v_expected AS u_expected, MAX(s.grace_until) AS u_until FROM v \
           JOIN obligations o ON o.id = v_id JOIN settlements s ON s.obligation_key = o.obligation_key AND s.debtor = o.debtor \
           WHERE s.whole_at IS NULL AND s.grace_until > v_at AND s.acted_at < o.due_at \
           AND NOT EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = s.record_id AND l.state = 'wrong') \
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.record_id = s.record_id AND (d.state IN ('expired', 'stopped') \
           OR (d.state = 'discarded' AND d.sent_at IS NULL))) \
           GROUP BY v_id, v_expected) \
           UPDATE obligations SET next_at = u_until FROM u \
           WHERE id = u_id AND next_at = u_expected AND state IN ('open', 'warned') RETURNING id",
};
