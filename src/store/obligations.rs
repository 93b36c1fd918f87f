//! Obligations and their settlements. Opening and settling commute: whichever comes first, the result is the same.

use crate::domain::{
    CaseId, ConversationId, ObligationId, ObligationState, ParticipantId, RecordId, RuleId, SettleKind, Timestamp,
};

use super::{JournalEntry, NewMessage, Store, StoreError};

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
    /// The steps of the computation, as JSON.
    pub explanation: serde_json::Value,
}

/// Whether the term runs at once.
#[derive(Debug, Clone, PartialEq)]
pub enum ObligationStart {
    /// From an instant that is known now.
    Running(Running),
    /// When the opening message is handed over; the plan is whatever the caller needs then, as JSON.
    Pending {
        /// Kept as is.
        plan: serde_json::Value,
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
    /// Exclusive due instant.
    pub due_at: Option<Timestamp>,
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
    /// The next instant, if any.
    pub next_at: Option<Timestamp>,
    /// Business time.
    pub at: Timestamp,
    /// Machine time (for the journal).
    pub now: Timestamp,
    /// Messages that the gateway makes because of it.
    pub made: Vec<NewMessage>,
    /// Further journal entries (the store itself writes `obligation-warned` or `obligation-overdue`).
    pub journal: Vec<JournalEntry>,
}

impl Store {
    /// The pending obligations that this message opened: what to start when it is handed over.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn pending_obligations(&self, record_id: RecordId) -> Result<Vec<ObligationRow>, StoreError> {
        todo!("{record_id}")
    }

    /// The next instant at which the watcher must act (business time).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn next_instant(&self) -> Result<Option<Timestamp>, StoreError> {
        todo!()
    }

    /// Obligations whose next instant is at or before `business_now`, earliest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn due(&self, business_now: Timestamp, limit: u32) -> Result<Vec<ObligationRow>, StoreError> {
        todo!("{business_now} {limit}")
    }

    /// Marks obligations warned or overdue, after looking once more for a settlement. Returns those that were marked now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn mark(&self, marks: Vec<Mark>) -> Result<Vec<ObligationId>, StoreError> {
        todo!("{marks:?}")
    }

    /// Opens obligations that no message opens (periodic ones). Returns those that were not there yet. `now` is machine time.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_obligations(&self, obligations: Vec<NewObligation>, now: Timestamp) -> Result<Vec<ObligationId>, StoreError> {
        todo!("{obligations:?} {now}")
    }

    /// One obligation.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn obligation(&self, id: ObligationId) -> Result<Option<ObligationRow>, StoreError> {
        todo!("{id}")
    }
}
