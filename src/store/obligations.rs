//! Obligations and their settlements. Opening and settling commute: whichever comes first, the result is the same.

use crate::domain::{
    CaseId, ConversationId, ObligationId, ObligationState, ParticipantId, RecordId, RoleCode, RuleId, SettleKind,
    Timestamp,
};

use super::sql::{Columns, Select, Stmt, Val, Vals, opt_text, text};
use super::writer::{Answer, Work};
use super::{JournalEntry, NewMessage, NewNotification, Store, StoreError, crossed};

/// A running term.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// The event from which it counts (business time).
    pub started_at: Timestamp,
    /// The first instant at which it is late (exclusive; business time).
    pub due_at: Timestamp,
    /// All warning instants.
    pub warns: Vec<Timestamp>,
    /// The next instant at which the watcher must act: the next warning or the due instant; `None`: nothing to do any more.
    pub next_at: Option<Timestamp>,
    /// The steps of the computation, as the text of a JSON object.
    pub explanation: String,
}

/// Whether the term runs at once.
#[derive(Debug, Clone, PartialEq)]
pub enum ObligationStart {
    /// From an instant that is known now.
    Running(Running),
    /// From an instant, without a term: a task.
    Task {
        /// From when (business time).
        started_at: Timestamp,
        /// The rule and its source, as the text of a JSON object.
        explanation: String,
    },
    /// When the opening message is handed over; the plan is whatever the caller needs then, as the text of a JSON object.
    Pending {
        /// Kept as is.
        plan: String,
    },
}

/// An obligation to open. (regulation, rule, subject, period) is unique: a second one is not opened.
#[derive(Debug, Clone)]
pub struct NewObligation {
    /// Its id.
    pub id: ObligationId,
    /// The regulation's id.
    pub regulation: String,
    /// The rule.
    pub rule: RuleId,
    /// What it is about, unique within the rule: a case with a document kind, a message id. No control characters.
    pub subject: String,
    /// The period for periodic ones (`2026-05`), else empty. No control characters.
    pub period: String,
    /// The case.
    pub case_id: Option<CaseId>,
    /// The conversation.
    pub conversation_id: Option<ConversationId>,
    /// The message that opens it; `None` for periodic ones.
    pub record_id: Option<RecordId>,
    /// Who owes.
    pub debtor: ParticipantId,
    /// To whom.
    pub creditor: ParticipantId,
    /// The role for which the debtor was found, if one.
    pub debtor_role: Option<RoleCode>,
    /// The role for which the creditor was found, if one.
    pub creditor_role: Option<RoleCode>,
    /// Whether one that is there already and not met is counted anew.
    pub retime: bool,
    /// When it begins.
    pub start: ObligationStart,
    /// The term in words, such as `5 working days`.
    pub term: String,
    /// When it was opened (business time).
    pub opened_at: Timestamp,
    /// The bundle revision under which it was opened.
    pub revision: i64,
}

/// What meets an obligation, known whether or not the obligation is there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSettlement {
    /// The regulation's id.
    pub regulation: String,
    /// The rule.
    pub rule: RuleId,
    /// What it is about.
    pub subject: String,
    /// The period, or empty.
    pub period: String,
    /// Who acted; only an obligation of this debtor is met.
    pub debtor: ParticipantId,
    /// The settling instant by the rule (business time). Of several the earliest counts.
    pub at: Timestamp,
    /// The message that settles.
    pub record_id: RecordId,
    /// Until when files that the message lists may come so that it settles as of `at` (exclusive; business time).
    pub grace_until: Timestamp,
}

/// The start of a pending obligation.
#[derive(Debug, Clone, PartialEq)]
pub struct StartedObligation {
    /// Which.
    pub id: ObligationId,
    /// Its term.
    pub running: Running,
}

/// An obligation as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ObligationRow {
    /// Its id.
    pub id: ObligationId,
    /// The regulation's id.
    pub regulation: String,
    /// The rule.
    pub rule: RuleId,
    /// What it is about.
    pub subject: String,
    /// The period, or empty.
    pub period: String,
    /// The case.
    pub case_id: Option<CaseId>,
    /// The conversation.
    pub conversation_id: Option<ConversationId>,
    /// The opening message.
    pub record_id: Option<RecordId>,
    /// Who owes.
    pub debtor: ParticipantId,
    /// To whom.
    pub creditor: ParticipantId,
    /// Where it stands.
    pub state: ObligationState,
    /// The plan of a pending one.
    pub plan: Option<serde_json::Value>,
    /// From when it counts.
    pub started_at: Option<Timestamp>,
    /// Exclusive due instant, as it is now.
    pub due_at: Option<Timestamp>,
    /// The first one, once it was moved; `None`: it never was.
    pub original_due: Option<Timestamp>,
    /// The due by the rule's own count, while a decision extends it; `None`: `due_at` is the count.
    pub counted_due: Option<Timestamp>,
    /// The watcher's next instant.
    pub next_at: Option<Timestamp>,
    /// All warning instants.
    pub warns: Vec<Timestamp>,
    /// The term in words.
    pub term: String,
    /// The steps of the computation.
    pub explanation: Option<serde_json::Value>,
    /// When it was opened (business time).
    pub opened_at: Timestamp,
    /// The bundle revision.
    pub revision: i64,
    /// When it was marked warned (business time).
    pub warned_at: Option<Timestamp>,
    /// When it was marked overdue (business time).
    pub overdue_at: Option<Timestamp>,
    /// The settling instant.
    pub settled_at: Option<Timestamp>,
    /// The settling message.
    pub settled_record: Option<RecordId>,
    /// What settled it.
    pub settle_kind: Option<SettleKind>,
}

/// The watcher's mark. Applied only if the obligation still waits at the expected instant, so that nothing fires twice.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Which.
    pub id: ObligationId,
    /// The `next_at` that was read.
    pub expected_next_at: Timestamp,
    /// The new state: `warned` or `overdue`.
    pub state: ObligationState,
    /// Whether it was in this state before: a further step of the ladder, and no `obligation-<state>` in the journal.
    pub stays: bool,
    /// The next instant, if any: of a warning, the due one, or a step of the ladder after it.
    pub next_at: Option<Timestamp>,
    /// Business time.
    pub at: Timestamp,
    /// Machine time (for the journal).
    pub now: Timestamp,
    /// Messages that the gateway makes because of it.
    pub made: Vec<NewMessage>,
    /// Who is to be told.
    pub notifications: Vec<NewNotification>,
    /// Further journal entries (the store itself writes `obligation-warned` or `obligation-overdue`).
    pub journal: Vec<JournalEntry>,
}

impl Store {
    /// The next instant at which the watcher must act (business time).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn next_instant(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = next_instant().fetch(self.readers()).await?;
        found.first().map_or(Ok(None), |row| row.opt_at("next_at"))
    }

    /// Obligations whose next instant is at or before `business_now`, earliest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn due(&self, business_now: Timestamp, limit: u32) -> Result<Vec<ObligationRow>, StoreError> {
        due(business_now, limit).fetch(self.readers()).await?.iter().map(row).collect()
    }

    /// Marks obligations warned or overdue, after looking once more for a settlement. Returns those that were marked now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn mark(&self, marks: Vec<Mark>) -> Result<Vec<ObligationId>, StoreError> {
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let Answer::Obligations(ids) = self.write(Work::Mark(marks)).await? else { return Err(crossed()) };
        Ok(ids)
    }

    /// Opens obligations that no message opens (periodic ones). Returns those that were not there yet. `now` is machine time.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_obligations(
        &self,
        obligations: Vec<NewObligation>,
        now: Timestamp,
    ) -> Result<Vec<ObligationId>, StoreError> {
        if obligations.is_empty() {
            return Ok(Vec::new());
        }
        let Answer::Obligations(ids) = self.write(Work::Open(obligations, now)).await? else { return Err(crossed()) };
        Ok(ids)
    }

    /// One obligation.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn obligation(&self, id: ObligationId) -> Result<Option<ObligationRow>, StoreError> {
        let found = Select::new(SELECT).and("id = ?", vec![text(id)]).fetch(self.readers()).await?;
        found.first().map(row).transpose()
    }
}

/// The first instant at which the watcher must act.
pub(super) fn next_instant<'a>() -> Select<'a> {
    Select::new("SELECT MIN(next_at) AS next_at FROM obligations").push(" WHERE next_at IS NOT NULL", vec![])
}

/// What the watcher must act on by now.
pub(super) fn due<'a>(business_now: Timestamp, limit: u32) -> Select<'a> {
    let limit = i64::from(limit).into();
    Select::new(SELECT)
        .and("next_at <= ?", vec![business_now.into()])
        .push(" ORDER BY next_at, id LIMIT ?", vec![limit])
}

/// All columns of an obligation.
pub(super) const SELECT: &str = "SELECT id, regulation, rule, subject, period, case_id, conversation_id, record_id, debtor, \
    creditor, state, plan, started_at, due_at, next_at, warns, term, explanation, opened_at, revision, warned_at, overdue_at, \
    settled_at, settled_record, settle_kind, original_due, counted_due FROM obligations";

/// Reads [`SELECT`].
pub(super) fn row(row: &sqlx::any::AnyRow) -> Result<ObligationRow, StoreError> {
    let warns: Vec<i64> =
        serde_json::from_str(&row.text("warns")?).map_err(|_| StoreError::Corrupt("column warns".to_owned()))?;
    Ok(ObligationRow {
        id: row.parsed("id", |t| ObligationId::parse(t).ok())?,
        regulation: row.text("regulation")?,
        rule: row.parsed("rule", |t| RuleId::parse(t).ok())?,
        subject: row.text("subject")?,
        period: row.text("period")?,
        case_id: row.opt_parsed("case_id", |t| CaseId::parse(t).ok())?,
        conversation_id: row.opt_parsed("conversation_id", |t| ConversationId::parse(t).ok())?,
        record_id: row.opt_parsed("record_id", |t| RecordId::parse(t).ok())?,
        debtor: row.parsed("debtor", |t| ParticipantId::parse(t).ok())?,
        creditor: row.parsed("creditor", |t| ParticipantId::parse(t).ok())?,
        state: row.parsed("state", ObligationState::parse)?,
        plan: row.opt_json("plan")?,
        started_at: row.opt_at("started_at")?,
        due_at: row.opt_at("due_at")?,
        original_due: row.opt_at("original_due")?,
        counted_due: row.opt_at("counted_due")?,
        next_at: row.opt_at("next_at")?,
        warns: warns.into_iter().map(Timestamp::from_micros).collect(),
        term: row.text("term")?,
        explanation: row.opt_json("explanation")?,
        opened_at: row.at("opened_at")?,
        revision: row.int("revision")?,
        warned_at: row.opt_at("warned_at")?,
        overdue_at: row.opt_at("overdue_at")?,
        settled_at: row.opt_at("settled_at")?,
        settled_record: row.opt_parsed("settled_record", |t| RecordId::parse(t).ok())?,
        settle_kind: row.opt_parsed("settle_kind", SettleKind::parse)?,
    })
}

/// The unique key as one text: no part holds a control character, so the parts cannot run into each other.
pub(super) fn key(regulation: &str, rule: &RuleId, subject: &str, period: &str) -> String {
    format!("{regulation}\u{1f}{rule}\u{1f}{subject}\u{1f}{period}")
}

/// The unique key of a new obligation.
pub(super) fn key_of(new: &NewObligation) -> String {
    key(&new.regulation, &new.rule, &new.subject, &new.period)
}

/// The group of a state, as stored.
pub(super) fn phase(state: ObligationState) -> i64 {
    match state {
        ObligationState::Overdue => 0,
        ObligationState::Open | ObligationState::Warned => 1,
        ObligationState::Pending => 2,
        ObligationState::Met | ObligationState::MetLate | ObligationState::Cancelled | ObligationState::Waived => 3,
    }
}

pub(super) fn warns_text(warns: &[Timestamp]) -> String {
    let texts: Vec<String> = warns.iter().map(|t| t.micros().to_string()).collect();
    format!("[{}]", texts.join(","))
}

/// The row of a new obligation, for [`INSERT`].
pub(super) fn values(new: &NewObligation) -> Vals<'_> {
    let (state, running, plan) = match &new.start {
        ObligationStart::Running(running) => (ObligationState::Open, Some(running), None),
        ObligationStart::Task { .. } => (ObligationState::Open, None, None),
        ObligationStart::Pending { plan } => (ObligationState::Pending, None, Some(plan)),
    };
    let (started_at, explanation) = match &new.start {
        ObligationStart::Running(running) => (Some(running.started_at), Some(&running.explanation)),
        ObligationStart::Task { started_at, explanation } => (Some(*started_at), Some(explanation)),
        ObligationStart::Pending { .. } => (None, None),
    };
    let due_at = running.map(|r| r.due_at);
    vec![
        text(new.id),
        text(key_of(new)),
        text(&new.regulation),
        text(&new.rule),
        text(&new.subject),
        text(&new.period),
        opt_text(new.case_id),
        opt_text(new.conversation_id),
        opt_text(new.record_id),
        text(&new.debtor),
        text(&new.creditor),
        Val::Word(state.as_str()),
        phase(state).into(),
        plan.map_or(Val::Text(None), |plan| Val::Word(plan)),
        started_at.into(),
        due_at.into(),
        due_at.map_or(i64::MAX, Timestamp::micros).into(),
        running.and_then(|r| r.next_at).into(),
        text(warns_text(running.map_or(&[], |r| &r.warns))),
        text(&new.term),
        explanation.map_or(Val::Text(None), |told| Val::Word(told)),
        new.opened_at.into(),
        new.revision.into(),
        opt_text(new.debtor_role.as_ref()),
        opt_text(new.creditor_role.as_ref()),
    ]
}

/// The row of one that is opened again, to be counted anew where it is there already and not met.
pub(super) fn retime_values<'a>(new: &NewObligation, running: &'a Running) -> Vals<'a> {
    vec![
        text(key_of(new)),
        running.started_at.into(),
        running.due_at.into(),
        running.next_at.into(),
        text(warns_text(&running.warns)),
        Val::Word(&running.explanation),
        text(&new.term),
    ]
}

/// The row of a start, for [`START`].
pub(super) fn started_values(started: &StartedObligation) -> Vals<'_> {
    let running = &started.running;
    vec![
        text(started.id),
        running.started_at.into(),
        running.due_at.into(),
        running.next_at.into(),
        text(warns_text(&running.warns)),
        Val::Word(&running.explanation),
    ]
}

/// Opens: the first of a key wins.
pub(super) const INSERT: Stmt = Stmt {
    head: "INSERT INTO obligations (id, obligation_key, regulation, rule, subject, period, case_id, conversation_id, record_id, \
           debtor, creditor, state, phase, plan, started_at, due_at, sort_due, next_at, warns, term, explanation, opened_at, \
           revision, debtor_role, creditor_role) VALUES ",
    tail: " ON CONFLICT DO NOTHING RETURNING id, obligation_key",
};

/// Starts what is still pending.
pub(super) const START: Stmt = Stmt {
    head: "WITH v (v_id, v_started, v_due, v_next, v_warns, v_explanation) AS (VALUES ",
    tail: ") UPDATE obligations SET state = 'open', phase = 1, started_at = v_started, due_at = v_due, sort_due = v_due, \
           next_at = v_next, warns = v_warns, explanation = v_explanation FROM v \
           WHERE id = v_id AND state = 'pending' RETURNING id, obligation_key",
};

/// Keeps settlements, whether or not there is something to settle. What the message lists is written already.
pub(super) const INSERT_SETTLEMENTS: Stmt = Stmt {
    head: "WITH v (v_key, v_debtor, v_at, v_record, v_until) AS (VALUES ",
    tail: ") INSERT INTO settlements (obligation_key, debtor, acted_at, record_id, grace_until) \
           SELECT v_key, v_debtor, v_at, v_record, CASE WHEN EXISTS (SELECT 1 FROM listed_attachments l \
           WHERE l.record_id = v_record AND l.state <> 'whole') THEN v_until END FROM v WHERE true ON CONFLICT DO NOTHING",
};

/// Applies the earliest settlement of each key that counts already. What is met is met again by an earlier one, so that the order in which they
/// came does not matter.
pub(super) const MEET: Stmt = Stmt {
    head: "WITH k (k_key) AS (VALUES ",
    tail: "), s AS (SELECT obligation_key AS s_key, debtor AS s_debtor, acted_at AS s_at, record_id AS s_record \
           FROM settlements c JOIN k ON c.obligation_key = k_key WHERE (c.grace_until IS NULL OR c.whole_at IS NOT NULL) \
           AND NOT EXISTS (SELECT 1 FROM settlements e WHERE e.obligation_key = c.obligation_key AND e.debtor = c.debtor \
           AND (e.grace_until IS NULL OR e.whole_at IS NOT NULL) AND (e.acted_at < c.acted_at \
           OR (e.acted_at = c.acted_at AND e.record_id < c.record_id)))) \
           UPDATE obligations SET state = CASE WHEN due_at IS NULL OR s_at < due_at THEN 'met' ELSE 'met-late' END, phase = 3, \
           next_at = NULL, settled_at = s_at, settled_record = s_record, settle_kind = 'message' FROM s \
           WHERE obligation_key = s_key AND debtor = s_debtor AND (state IN ('pending', 'open', 'warned', 'overdue') \
           OR (state IN ('met', 'met-late') AND settle_kind = 'message' AND (s_at < settled_at \
           OR (s_at = settled_at AND s_record < settled_record)))) RETURNING id, state",
};

/// The keys of some obligations.
pub(super) const KEYS: Stmt = Stmt { head: "SELECT obligation_key FROM obligations WHERE id IN (VALUES ", tail: ")" };

/// Marks what still waits at the expected instant.
pub(super) const MARK: Stmt = Stmt {
    head: "WITH v (v_id, v_expected, v_state, v_phase, v_next, v_warned, v_overdue) AS (VALUES ",
    tail: ") UPDATE obligations SET state = v_state, phase = v_phase, next_at = v_next, \
           warned_at = COALESCE(warned_at, v_warned), overdue_at = COALESCE(overdue_at, v_overdue) FROM v \
           WHERE id = v_id AND next_at = v_expected AND state IN ('open', 'warned', 'overdue') RETURNING id",
};
