//! What a message does to the other obligations of its case: counts them anew, makes them void, hands them over, and says for
//! which months the calendar opens more.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use crate::domain::{
    ActKind, CaseId, MessageId, ObligationId, ObligationState, Oktmo, ParticipantId, RecordId, Remark, RoleCode,
    RuleId, Timestamp,
};

use super::act_rows::{self, ActRow};
use super::error::Failure;
use super::obligations::{self, key};
use super::rows::Rows;
use super::sql::{Columns as _, Select, Stmt, Tx, Vals, opt_text, text};
use super::voiding::{to_cancel, void};
use super::writer::Write;
use super::{NewObligation, ObligationRow, Running, Stopping, Store, StoreError, consent};

/// Everything of a message that touches obligations which it did not open itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseWork {
    /// What becomes void.
    pub cancels: Vec<Cancelling>,
    /// What goes over to another participant.
    pub rebinds: Vec<Rebinding>,
    /// The months of rules in a case: each replaces the rows of its rule and case.
    pub schedules: Vec<Scheduling>,
    /// What stops because a consent ended.
    pub stops: Vec<Stopping>,
}

impl CaseWork {
    /// Adds the work of a later message of the same case; its months replace the earlier ones.
    pub fn extend(&mut self, later: Self) {
        self.cancels.extend(later.cancels);
        self.rebinds.extend(later.rebinds);
        self.stops.extend(later.stops);
        let again = |earlier: &Scheduling| {
            later.schedules.iter().any(|new| new.case == earlier.case && new.rule == earlier.rule)
        };
        self.schedules.retain(|earlier| !again(earlier));
        self.schedules.extend(later.schedules);
    }
}

/// What becomes void, where it still runs or waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelling {
    /// The obligation with this key.
    Key {
        /// The regulation's id.
        regulation: String,
        /// The rule.
        rule: RuleId,
        /// What it is about.
        subject: String,
        /// The period, or empty.
        period: String,
    },
    /// What a rule opened for a message.
    OpenedBy {
        /// The rule.
        rule: RuleId,
        /// Who sent the message.
        sender: ParticipantId,
        /// Its id.
        message: MessageId,
    },
    /// What a rule opened for a case, but for these subjects.
    Others {
        /// The rule.
        rule: RuleId,
        /// The case.
        case: CaseId,
        /// What stays.
        keep: Vec<String>,
    },
    /// Everything of a case that is closed, but for what these rules opened.
    Closed {
        /// The case.
        case: CaseId,
        /// Rules whose obligations go on.
        outlive: Vec<RuleId>,
    },
}

/// The open obligations of a case that a role's holder owes or is owed go over to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// The case.
    pub case: CaseId,
    /// The role.
    pub role: RoleCode,
    /// Who holds it now.
    pub holder: ParticipantId,
}

/// All rows of a rule in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduling {
    /// The rule.
    pub rule: RuleId,
    /// The case.
    pub case: CaseId,
    /// The rows.
    pub rows: Vec<ScheduledRow>,
}

/// The months for which one debtor owes under one rule in one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledRow {
    /// The regulation's id.
    pub regulation: String,
    /// The rule.
    pub rule: RuleId,
    /// The case.
    pub case: CaseId,
    /// Who owes.
    pub debtor: ParticipantId,
    /// Where the case is conducted.
    pub territory: Oktmo,
    /// The months, as the caller writes them.
    pub spans: String,
    /// The month to open next, as the caller writes it; `None`: none is left.
    pub next_period: Option<String>,
    /// When it begins (business time).
    pub next_at: Option<Timestamp>,
}

impl Store {
    /// The next instant at which a schedule has a month to open (business time).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn next_schedule_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = next_instant().fetch(self.readers()).await?;
        found.first().map_or(Ok(None), |row| row.opt_at("next_at"))
    }

    /// Schedules whose next month has begun at `business_now`, earliest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn due_schedules(&self, business_now: Timestamp, limit: u32) -> Result<Vec<ScheduledRow>, StoreError> {
        due(business_now, limit)
            .fetch(self.readers())
            .await?
            .iter()
            .map(|row| {
                Ok(ScheduledRow {
                    regulation: row.text("regulation")?,
                    rule: row.parsed("rule", |t| RuleId::parse(t).ok())?,
                    case: row.parsed("case_id", |t| CaseId::parse(t).ok())?,
                    debtor: row.parsed("debtor", |t| ParticipantId::parse(t).ok())?,
                    territory: row.parsed("territory", |t| Oktmo::parse(t).ok())?,
                    spans: row.text("spans")?,
                    next_period: row.opt_text("next_period")?,
                    next_at: row.opt_at("next_at")?,
                })
            })
            .collect()
    }

    /// Opens the months of schedules and moves them on, in one transaction. A row that a message has changed or taken away meanwhile,
    /// by closing its case, say, is left as it is and opens nothing. `now` is machine time.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn move_schedules(&self, rows: Vec<MovedSchedule>, now: Timestamp) -> Result<(), StoreError> {
        if rows.is_empty() { Ok(()) } else { self.task(MoveSchedules(rows, now)).await }
    }
}

/// The first instant at which a schedule has a month to open.
pub(super) fn next_instant<'a>() -> Select<'a> {
    Select::new("SELECT MIN(next_at) AS next_at FROM schedules").push(" WHERE next_at IS NOT NULL", vec![])
}

/// Schedules whose next month has begun.
pub(super) fn due<'a>(business_now: Timestamp, limit: u32) -> Select<'a> {
    let limit = i64::from(limit).into();
    Select::new(SELECT)
        .and("next_at <= ?", vec![business_now.into()])
        .push(" ORDER BY next_at, case_id, rule, debtor LIMIT ?", vec![limit])
}

/// A schedule that opens its months.
#[derive(Debug, Clone)]
pub struct MovedSchedule {
    /// As it is now.
    pub row: ScheduledRow,
    /// What it opens.
    pub opened: Vec<NewObligation>,
    /// The `next_at` that was read.
    pub expected_next_at: Option<Timestamp>,
}

#[derive(Debug)]
struct MoveSchedules(Vec<MovedSchedule>, Timestamp);

impl Write for MoveSchedules {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<(), Failure> {
        rows.at(self.1);
        let values: Vec<Vals<'_>> = self
            .0
            .iter()
            .map(|moved| {
                let row = &moved.row;
                vec![
                    text(row.case),
                    text(&row.rule),
                    text(&row.debtor),
                    text(&row.regulation),
                    text(&row.spans),
                    moved.expected_next_at.into(),
                    opt_text(row.next_period.as_ref()),
                    row.next_at.into(),
                ]
            })
            .collect();
        let mut moved = HashSet::new();
        for row in tx.many(&MOVE, &values).await? {
            moved.insert((row.text("case_id")?, row.text("rule")?, row.text("debtor")?));
        }
        let of = |row: &ScheduledRow| (row.case.to_string(), row.rule.to_string(), row.debtor.to_string());
        let ours = self.0.iter().filter(|schedule| moved.contains(&of(&schedule.row)));
        let opened: Vec<_> = ours.flat_map(|schedule| &schedule.opened).map(obligations::values).collect();
        for row in tx.many(&obligations::INSERT, &opened).await? {
            rows.met_again(row.text("obligation_key")?);
            rows.of_obligation("obligation-opened", row.parsed("id", |t| ObligationId::parse(t).ok())?, Value::Null);
        }
        Ok(())
    }
}

/// The message by which a rule acted.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    pub(super) record_id: Option<RecordId>,
    /// Business time.
    pub(super) at: Timestamp,
    /// Machine time.
    pub(super) now: Timestamp,
}

/// Does the work of one message inside its transaction, after its own obligations were opened and settled.
pub(super) async fn run(tx: &mut Tx<'_>, rows: &mut Rows<'_>, work: &CaseWork, by: By) -> Result<(), Failure> {
    // First of all: a watcher that opens a month of theirs at this instant is waited for, and what it opened is seen below.
    for set in &work.schedules {
        tx.one("DELETE FROM schedules WHERE case_id = $1 AND rule = $2", vec![text(set.case), text(&set.rule)]).await?;
    }
    for rebind in &work.rebinds {
        let values = || vec![text(rebind.case), text(&rebind.role), text(&rebind.holder)];
        for (sql, kind) in [(REBIND_DEBTOR, "debtor"), (REBIND_CREDITOR, "creditor")] {
            for row in tx.one(sql, values()).await? {
                let id = row.parsed("id", |t| ObligationId::parse(t).ok())?;
                let detail = json!({ "party": kind, "role": rebind.role, "participant": rebind.holder });
                rows.of_obligation("obligation-rebound", id, detail);
            }
        }
        tx.one(REBIND_SCHEDULES, values()).await?;
    }
    for cancelling in &work.cancels {
        let (select, why) = to_cancel(cancelling);
        void(tx, rows, select, why, by).await?;
    }
    for stopping in &work.stops {
        consent::stop(tx, rows, stopping, by).await?;
    }
    for set in &work.schedules {
        rows.touched.obligations = true;
        let values: Vec<_> = set.rows.iter().map(schedule_values).collect();
        tx.many(&INSERT_SCHEDULES, &values).await?;
    }
    Ok(())
}

pub(super) fn act(rows: &mut Rows<'_>, kind: ActKind, states: (&ObligationRow, &ObligationRow), by: By) -> ActRow {
    let id = rows.next_id(by.now);
    let bare = ActRow::new(id, kind, states, (by.at, by.now), "regulation".to_owned());
    ActRow { record_id: by.record_id, ..bare }
}

/// Counts obligations anew that are there already and not met. One whose due a decision moved later keeps it, unless the new count ends
/// later still.
pub(super) async fn retime(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'_>,
    again: &[(&NewObligation, &Running)],
    now: Timestamp,
) -> Result<(), Failure> {
    if again.is_empty() {
        return Ok(());
    }
    // Of several in one batch the last is it.
    let by_key: BTreeMap<String, (&NewObligation, &Running)> =
        again.iter().map(|(new, running)| (obligations::key_of(new), (*new, *running))).collect();
    let select = Select::new(obligations::SELECT).and("obligation_key IN (", vec![]);
    let (sql, keys) = select.list(by_key.keys().map(text).collect()).push(")", vec![]).into_parts();
    let mut before: HashMap<ObligationId, ObligationRow> = HashMap::new();
    for row in tx.built(sql, keys).await? {
        let row = obligations::row(&row)?;
        before.insert(row.id, row);
    }
    let values: Vec<_> = by_key.values().map(|(new, running)| obligations::retime_values(new, running)).collect();
    let mut acts = Vec::new();
    for (key, (new, running)) in &by_key {
        let Some(extended) = before.values().find(|row| key_of(row) == *key && goes_on_extended(row, running)) else {
            continue;
        };
        let after = reopened(extended, new.opened_at);
        act_rows::change(tx, &after).await?;
        let bare =
            act(rows, ActKind::Retime, (extended, &after), By { record_id: new.record_id, at: new.opened_at, now });
        acts.push(ActRow { note: Remark::parse(KEPT).ok(), ..bare });
        rows.met_again(key.clone());
        rows.of_obligation(
            "obligation-retimed",
            extended.id,
            json!({ "dueBefore": extended.due_at, "dueAfter": after.due_at }),
        );
    }
    for (statement, keeps) in [(&KEEP_EXTENDED, true), (&RETIME, false)] {
        for row in tx.many(statement, &values).await? {
            let id = row.parsed("id", |t| ObligationId::parse(t).ok())?;
            let key = row.text("obligation_key")?;
            let (Some(before), Some((new, running))) = (before.get(&id), by_key.get(&key)) else { continue };
            let after = if keeps {
                before.clone()
            } else {
                ObligationRow { state: ObligationState::Open, due_at: Some(running.due_at), ..before.clone() }
            };
            let by = By { record_id: new.record_id, at: new.opened_at, now };
            let bare = act(rows, ActKind::Retime, (before, &after), by);
            acts.push(ActRow { note: Remark::parse(KEPT).ok().filter(|_| keeps), ..bare });
            rows.met_again(key);
            let detail = json!({ "dueBefore": before.due_at, "dueAfter": after.due_at });
            rows.of_obligation("obligation-retimed", id, detail);
        }
    }
    act_rows::insert(tx, &acts).await
}

fn key_of(row: &ObligationRow) -> String {
    key(&row.regulation, &row.rule, &row.subject, &row.period)
}

/// Whether one that was cancelled begins again with the due to which a decision had extended it.
fn goes_on_extended(row: &ObligationRow, running: &Running) -> bool {
    row.state == ObligationState::Cancelled
        && row.counted_due.is_some()
        && row.due_at.is_some_and(|due| running.due_at <= due)
}

fn reopened(row: &ObligationRow, now: Timestamp) -> ObligationRow {
    ObligationRow {
        state: ObligationState::Open,
        next_at: row.warns.iter().copied().filter(|warn| *warn > now).min().or(row.due_at),
        settled_at: None,
        settle_kind: None,
        warned_at: None,
        overdue_at: None,
        ..row.clone()
    }
}

/// Said where the count moves but ends no later than the decision that extends it.
const KEPT: &str = "Срок по правилу изменился, продление остаётся / the count has moved, the extension stands";

fn schedule_values(row: &ScheduledRow) -> Vals<'_> {
    vec![
        text(&row.regulation),
        text(&row.rule),
        text(row.case),
        text(&row.debtor),
        text(&row.territory),
        text(&row.spans),
        opt_text(row.next_period.as_ref()),
        row.next_at.into(),
    ]
}

const SELECT: &str = "SELECT regulation, rule, case_id, debtor, territory, spans, next_period, next_at FROM schedules";

const INSERT_SCHEDULES: Stmt = Stmt {
    head: "INSERT INTO schedules (regulation, rule, case_id, debtor, territory, spans, next_period, next_at) VALUES ",
    tail: " ON CONFLICT DO NOTHING",
};

const MOVE: Stmt = Stmt {
    head: "WITH v (v_case, v_rule, v_debtor, v_regulation, v_spans, v_expected, v_period, v_next) AS (VALUES ",
    tail: ") UPDATE schedules SET next_period = v_period, next_at = v_next FROM v WHERE case_id = v_case AND rule = v_rule \
           AND debtor = v_debtor AND regulation = v_regulation AND spans = v_spans AND next_at = v_expected \
           RETURNING case_id, rule, debtor",
};

const REBIND_DEBTOR: &str = "UPDATE obligations SET debtor = $3 WHERE case_id = $1 AND debtor_role = $2 AND debtor <> $3 \
    AND state IN ('pending', 'open', 'warned', 'overdue') RETURNING id";
const REBIND_CREDITOR: &str = "UPDATE obligations SET creditor = $3 WHERE case_id = $1 AND creditor_role = $2 \
    AND creditor <> $3 AND state IN ('pending', 'open', 'warned', 'overdue') RETURNING id";
/// A schedule's debtor is a role's holder where an obligation that it opened says so.
const REBIND_SCHEDULES: &str = "UPDATE schedules SET debtor = $3 WHERE case_id = $1 AND debtor <> $3 AND EXISTS \
    (SELECT 1 FROM obligations o WHERE o.case_id = $1 AND o.rule = schedules.rule AND o.debtor_role = $2)";

/// The count of one that a decision extends, where the decision goes as far as the count does.
const KEEP_EXTENDED: Stmt = Stmt {
    head: "WITH v (v_key, v_started, v_due, v_next, v_warns, v_explanation, v_term) AS (VALUES ",
    tail: ") UPDATE obligations SET counted_due = v_due, started_at = v_started, explanation = v_explanation, term = v_term FROM v \
           WHERE obligation_key = v_key AND state IN ('open', 'warned', 'overdue') AND counted_due IS NOT NULL \
           AND counted_due <> v_due AND v_due <= due_at RETURNING id, obligation_key",
};

/// One that was cancelled begins again; what is counted alike stays as it is, warned or overdue as it may be.
const RETIME: Stmt = Stmt {
    head: "WITH v (v_key, v_started, v_due, v_next, v_warns, v_explanation, v_term) AS (VALUES ",
    tail: ") UPDATE obligations SET state = 'open', phase = 1, started_at = v_started, due_at = v_due, sort_due = v_due, \
           next_at = v_next, warns = v_warns, explanation = v_explanation, term = v_term, settle_kind = NULL, \
           settled_at = NULL, warned_at = NULL, overdue_at = NULL, counted_due = NULL, \
           original_due = CASE WHEN due_at = v_due THEN original_due ELSE COALESCE(original_due, due_at) END FROM v \
           WHERE obligation_key = v_key AND (state = 'cancelled' OR (state IN ('open', 'warned', 'overdue') \
           AND COALESCE(counted_due, due_at) <> v_due)) RETURNING id, obligation_key",
};

impl Store {
    /// Open cases of a curator by level, but for `except`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn curator_load(&self, curator: &str, except: CaseId) -> Result<Vec<(String, u32)>, StoreError> {
        Select::new("SELECT level, COUNT(*) AS families FROM cases")
            .and("curator = ?", vec![text(curator)])
            .push(" AND closed_at IS NULL AND level IS NOT NULL", vec![])
            .and("id <> ?", vec![text(except)])
            .push(" GROUP BY level ORDER BY level", vec![])
            .fetch(self.readers())
            .await?
            .iter()
            .map(|row| Ok((row.text("level")?, u32::try_from(row.int("families")?).unwrap_or(u32::MAX))))
            .collect()
    }
}
