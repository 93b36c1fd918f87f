//! What reports count: sums over a period, made by the database out of indexes, so that few rows come back.

use serde::Deserialize;

use crate::access::Scope;
use crate::deadline::cases::CaseFacts;
use crate::domain::{CaseId, ObligationState, ParticipantId, RuleId, SettleKind, Timestamp};
use crate::report::{CaseCount, Due, Entry, Exchange, Late, Opened, Span};

use super::sql::{Columns, Select, text};
use super::views::within;
use super::{Store, StoreError};

/// What a report is about.
#[derive(Debug, Clone, Default)]
pub struct ReportFilter {
    /// The regulation.
    pub regulation: String,
    /// Within this part of the region: whoever asks sees no other.
    pub within: Scope,
    /// Only what this participant owes or sends.
    pub debtor: Option<ParticipantId>,
    /// Only of this rule.
    pub rule: Option<RuleId>,
}

impl ReportFilter {
    /// A case belongs to no single participant: it is narrowed by its territory only.
    fn territories(&self) -> Scope {
        Scope { territories: self.within.territories.clone(), ..Scope::whole() }
    }
}

/// The first instant, and the first one after.
pub type Instants = (Timestamp, Timestamp);

/// The word by which a register's reading stands in the journal.
pub const REGISTER_READ: &str = "register-read";

/// Rows of a message that count in reports. The words stand as they stand in the index, for so the engines find it.
const COUNTED: &str = "m.channel <> 'internal' AND m.test = 0";

impl Store {
    /// What is counted of the obligations of a period: by the end of their terms, those that are late one by one, and by their opening.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn report_span(&self, filter: &ReportFilter, period: Instants) -> Result<Span, StoreError> {
        let due = due(filter, period).fetch(self.readers()).await?;
        let late = late(filter, period).fetch(self.readers()).await?;
        let opened = opened(filter, period).fetch(self.readers()).await?;
        Ok(Span {
            due: due.iter().map(due_row).collect::<Result<_, _>>()?,
            late: late.iter().map(late_row).collect::<Result<_, _>>()?,
            opened: opened.iter().map(opened_row).collect::<Result<_, _>>()?,
        })
    }

    /// What participants sent in a period, by type and sender.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn report_exchange(&self, filter: &ReportFilter, period: Instants) -> Result<Vec<Exchange>, StoreError> {
        let found = exchange(filter, period).fetch(self.readers()).await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(Exchange {
                type_name: row.text("type_name")?,
                sender: row.parsed("sender", |t| ParticipantId::parse(t).ok())?,
                count: row.int("n")?.unsigned_abs(),
            })
        };
        found.iter().map(row).collect()
    }

    /// How the cases went in a period. Reads every case that was not closed before it.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn report_cases(
        &self,
        filter: &ReportFilter,
        period: Instants,
        days: (chrono::NaiveDate, chrono::NaiveDate),
    ) -> Result<CaseCount, StoreError> {
        let (from, to) = period;
        let select = Select::new("SELECT c.opened_at, c.closed_at, c.level, c.facts FROM cases c")
            .and("c.regulation = ?", vec![text(&filter.regulation)])
            .and("c.opened_at < ?", vec![to.into()])
            .and("(c.closed_at IS NULL OR c.closed_at >= ?)", vec![from.into()]);
        let found = within(select, &filter.territories(), ["", ""], "c.id").fetch(self.readers()).await?;
        let mut count = CaseCount::default();
        for row in &found {
            let facts = row.opt_text("facts")?.map(|t| serde_json::from_str::<Brief>(&t)).transpose();
            let facts = facts.map_err(|_| StoreError::Corrupt("column facts".to_owned()))?.unwrap_or_default();
            let (opened, closed) = (row.at("opened_at")?, row.opt_at("closed_at")?);
            take(&mut count, (opened, closed), row.opt_text("level")?, facts, period, days);
        }
        let changed =
            Select::new("SELECT COUNT(DISTINCT m.case_id) AS n FROM messages m JOIN cases c ON c.id = m.case_id")
                .and(COUNTED, vec![])
                .and("m.type_name = 'level-change'", vec![])
                .and("m.business_at >= ?", vec![from.into()])
                .and("m.business_at < ?", vec![to.into()])
                .and("c.regulation = ?", vec![text(&filter.regulation)]);
        let found = within(changed, &filter.territories(), ["", ""], "m.case_id").fetch(self.readers()).await?;
        count.level_changes = found.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs();
        Ok(count)
    }

    /// The applications and notices of a period, the earliest first, with their bodies and cases: at most `limit`.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn report_register(
        &self,
        filter: &ReportFilter,
        period: Instants,
        limit: u32,
    ) -> Result<Vec<RegisterRow>, StoreError> {
        let found = register(filter, period, limit).fetch(self.readers()).await?;
        let row = |row: &sqlx::any::AnyRow| {
            let facts = row.opt_text("facts")?.map(|t| serde_json::from_str::<CaseFacts>(&t)).transpose();
            Ok(RegisterRow {
                entry: Entry {
                    accepted_at: row.at("business_at")?,
                    type_name: row.text("type_name")?,
                    sender: row.parsed("sender", |t| ParticipantId::parse(t).ok())?,
                    recipient: row.parsed("recipient", |t| ParticipantId::parse(t).ok())?,
                    case_id: row.opt_parsed("case_id", |t| CaseId::parse(t).ok())?,
                    body: row.opt_bytes("canonical")?,
                    facts: facts.map_err(|_| StoreError::Corrupt("column facts".to_owned()))?,
                },
                envelope: row.opt_bytes("bytes")?,
            })
        };
        found.iter().map(row).collect()
    }
}

/// An entry of a register. Where the body was not translated on its way in, it is in the envelope.
#[derive(Debug, Clone)]
pub struct RegisterRow {
    /// The entry; its body is there if it was translated.
    pub entry: Entry,
    /// The envelope as it came; `None`: it was destroyed.
    pub envelope: Option<Vec<u8>>,
}

/// What a count needs of a case's facts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Brief {
    begins_on: Option<chrono::NaiveDate>,
    programme: Option<BriefProgramme>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BriefProgramme {
    measures: Vec<BriefMeasure>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BriefMeasure {
    responsible: Option<String>,
}

fn take(
    count: &mut CaseCount,
    (opened, closed): (Timestamp, Option<Timestamp>),
    level: Option<String>,
    facts: Brief,
    (from, to): Instants,
    (first, last): (chrono::NaiveDate, chrono::NaiveDate),
) {
    let closed = closed.filter(|at| *at < to);
    count.opened += u64::from(opened >= from);
    count.closed += u64::from(closed.is_some());
    count.open_after += u64::from(closed.is_none());
    let Some(begins) = facts.begins_on.filter(|begins| *begins <= last) else { return };
    count.accompanied += 1;
    count.begun += u64::from(begins >= first);
    count.ended += u64::from(closed.is_some());
    if closed.is_none() {
        *count.levels.entry(level.unwrap_or_default()).or_default() += 1;
    }
    let responsible = facts.programme.into_iter().flat_map(|p| p.measures).filter_map(|m| m.responsible);
    count.responsible.extend(responsible.filter_map(|id| ParticipantId::parse(&id).ok()));
}

/// Obligations of the filter.
fn obligations<'f>(head: &str, by: &str, filter: &'f ReportFilter, (from, to): Instants) -> Select<'f> {
    // A term ends with its last second: what ends with the 30th is due at the first instant of the 1st, and belongs to the 30th.
    let (after, until) = match by {
        "sort_due" => (
            Timestamp::from_micros(from.micros().saturating_add(1)),
            Timestamp::from_micros(to.micros().saturating_add(1)),
        ),
        _ => (from, to),
    };
    let select = Select::new(&format!("{head} FROM obligations o"))
        .and(&format!("o.{by} >= ?"), vec![after.into()])
        .and(&format!("o.{by} < ?"), vec![until.into()])
        .and("o.regulation = ?", vec![text(&filter.regulation)])
        .and_some("o.rule = ?", filter.rule.as_ref().map(text))
        .and_some("o.debtor = ?", filter.debtor.as_ref().map(text));
    within(select, &filter.within, ["o.debtor", "o.creditor"], "o.case_id")
}

pub(super) fn due(filter: &ReportFilter, period: Instants) -> Select<'_> {
    let extended = "CASE WHEN o.counted_due IS NULL THEN 0 ELSE 1 END";
    let head = format!("SELECT o.rule, o.debtor, o.state, o.settle_kind, {extended} AS extended, COUNT(*) AS n");
    obligations(&head, "sort_due", filter, period)
        .push(&format!(" GROUP BY o.rule, o.debtor, o.state, o.settle_kind, {extended}"), vec![])
}

pub(super) fn late(filter: &ReportFilter, period: Instants) -> Select<'_> {
    obligations("SELECT o.rule, o.debtor, o.sort_due, o.settled_at", "sort_due", filter, period)
        .and("o.state IN ('met-late', 'overdue')", vec![])
}

pub(super) fn opened(filter: &ReportFilter, period: Instants) -> Select<'_> {
    obligations("SELECT o.rule, o.debtor, COUNT(*) AS n", "opened_at", filter, period)
        .push(" GROUP BY o.rule, o.debtor", vec![])
}

pub(super) fn exchange(filter: &ReportFilter, (from, to): Instants) -> Select<'_> {
    let select = Select::new("SELECT m.type_name, m.sender, COUNT(*) AS n FROM messages m")
        .and(COUNTED, vec![])
        .and("m.business_at >= ?", vec![from.into()])
        .and("m.business_at < ?", vec![to.into()])
        .and_some("m.sender = ?", filter.debtor.as_ref().map(text));
    within(select, &filter.within, ["m.sender", "m.recipient"], "m.case_id")
        .push(" GROUP BY m.type_name, m.sender", vec![])
}

fn register(filter: &ReportFilter, (from, to): Instants, limit: u32) -> Select<'_> {
    let head = "SELECT m.business_at, m.type_name, m.sender, m.recipient, m.case_id, t.canonical, t.bytes, c.facts FROM messages m \
                LEFT JOIN contents t ON t.record_id = m.record_id LEFT JOIN cases c ON c.id = m.case_id";
    let select = Select::new(head)
        .and(COUNTED, vec![])
        .and("m.business_at >= ?", vec![from.into()])
        .and("m.business_at < ?", vec![to.into()])
        .and("m.type_name IN ('application', 'identification-notice')", vec![])
        .and("(c.regulation IS NULL OR c.regulation = ?)", vec![text(&filter.regulation)]);
    within(select, &filter.within, ["m.sender", "m.recipient"], "m.case_id")
        .push(" ORDER BY m.business_at, m.record_id LIMIT ?", vec![i64::from(limit).into()])
}

fn due_row(row: &sqlx::any::AnyRow) -> Result<Due, StoreError> {
    Ok(Due {
        rule: row.parsed("rule", |t| RuleId::parse(t).ok())?,
        debtor: row.parsed("debtor", |t| ParticipantId::parse(t).ok())?,
        state: row.parsed("state", ObligationState::parse)?,
        settled_by: row.opt_parsed("settle_kind", SettleKind::parse)?,
        extended: row.int("extended")? != 0,
        count: row.int("n")?.unsigned_abs(),
    })
}

fn late_row(row: &sqlx::any::AnyRow) -> Result<Late, StoreError> {
    Ok(Late {
        rule: row.parsed("rule", |t| RuleId::parse(t).ok())?,
        debtor: row.parsed("debtor", |t| ParticipantId::parse(t).ok())?,
        due_at: row.at("sort_due")?,
        settled_at: row.opt_at("settled_at")?,
    })
}

fn opened_row(row: &sqlx::any::AnyRow) -> Result<Opened, StoreError> {
    Ok(Opened {
        rule: row.parsed("rule", |t| RuleId::parse(t).ok())?,
        debtor: row.parsed("debtor", |t| ParticipantId::parse(t).ok())?,
        count: row.int("n")?.unsigned_abs(),
    })
}
