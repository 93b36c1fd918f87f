//! From what a judgement says to what the store writes.

use serde_json::{Value, json};

use crate::deadline::Calendars;
use crate::deadline::obligations::{self as rules, Beginning, PendingStart, StartOn, Started, start_pending};
use crate::domain::{RecordId, Timestamp};
use crate::store::{
    CaseChange, CaseRow, JournalEntry, NOTHING_TO_OPEN, NewMessage, NewObligation, NewSettlement, ObligationRow,
    ObligationStart, Running, StartedObligation,
};

use super::ids;

/// A running term in the store's words.
fn running(started: Started, wish: Option<&str>) -> Running {
    let mut explanation = started.explanation;
    if let (Some(wish), Value::Object(map)) = (wish, &mut explanation) {
        map.insert("wish".to_owned(), Value::from(wish));
    }
    Running {
        started_at: started.started_at,
        due_at: started.due,
        next_at: Some(started.warns.first().copied().unwrap_or(started.due)),
        warns: started.warns,
        explanation,
    }
}

/// An obligation to open. One that waits for its message to be handed over starts at once when `handed_over_at` is given: a message to
/// oneself is handed over by being accepted.
pub(super) fn obligation(
    new: rules::NewObligation,
    record_id: Option<RecordId>,
    opened_at: Timestamp,
    revision: i64,
    calendars: &Calendars,
    handed_over_at: Option<Timestamp>,
) -> Result<NewObligation, rules::StartError> {
    let wish = new.wish.as_deref();
    let start = match (new.start, handed_over_at) {
        (Beginning::Started(started), _) => ObligationStart::Running(running(started, wish)),
        (Beginning::Pending(pending), Some(at)) => {
            ObligationStart::Running(running(start_pending(&pending, calendars, at)?, wish))
        }
        (Beginning::Pending(pending), None) => {
            ObligationStart::Pending { plan: json!({ "start": pending, "wish": wish }) }
        }
    };
    Ok(NewObligation {
        id: ids::obligation(),
        regulation: new.regulation,
        rule: new.rule,
        subject: new.subject,
        period: new.period,
        case_id: new.case,
        conversation_id: new.conversation,
        record_id,
        creditor: new.creditor.unwrap_or_else(|| new.debtor.clone()),
        debtor: new.debtor,
        start,
        term: new.term,
        opened_at,
        revision,
    })
}

/// A settlement in the store's words.
pub(super) fn settlement(new: rules::Settlement, regulation: &str, record_id: RecordId) -> NewSettlement {
    NewSettlement {
        regulation: regulation.to_owned(),
        rule: new.rule,
        subject: new.subject,
        period: new.period,
        debtor: new.debtor,
        at: new.at,
        record_id,
    }
}

/// What a message does to its case: opens it, changes it, or nothing when it says what is known.
pub(super) fn case_change(
    upsert: Option<rules::CaseUpsert>,
    stored: Option<CaseRow>,
    opened_at: Timestamp,
) -> Option<CaseChange> {
    let upsert = upsert?;
    match stored {
        None => Some(CaseChange::Open(CaseRow {
            id: upsert.id,
            regulation: upsert.regulation,
            territory: upsert.territory,
            kind: upsert.kind,
            opened_at,
            version: 1,
        })),
        Some(row) if row.territory == upsert.territory && row.kind == upsert.kind => None,
        Some(row) => Some(CaseChange::Update(CaseRow { territory: upsert.territory, kind: upsert.kind, ..row })),
    }
}

/// A rule that matched and had nothing to open, for the journal.
pub(super) fn note(note: &rules::Note, message: &NewMessage) -> JournalEntry {
    JournalEntry {
        kind: NOTHING_TO_OPEN.to_owned(),
        actor: message.header.sender.to_string(),
        record_id: Some(message.record_id),
        detail: json!({
            "rule": note.rule, "case": message.header.case_id, "ru": note.ru, "en": note.en,
            "at": message.business_at,
        }),
        ..JournalEntry::default()
    }
}

/// Why a pending obligation could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartProblem {
    #[error("the stored plan of obligation {0} cannot be read")]
    Plan(crate::domain::ObligationId),
    #[error(transparent)]
    Start(#[from] rules::StartError),
}

/// Starts the obligations that waited for their message to come as far as `reached`, at `at` (business time). What waits for the
/// receipt goes on waiting when the message was only handed over.
pub(super) fn start_all(
    pending: &[ObligationRow],
    calendars: &Calendars,
    at: Timestamp,
    reached: StartOn,
) -> Result<Vec<StartedObligation>, StartProblem> {
    let mut started = Vec::new();
    for row in pending {
        let plan = row.plan.as_ref().ok_or(StartProblem::Plan(row.id))?;
        let start = plan.get("start").cloned().unwrap_or(Value::Null);
        let start: PendingStart = serde_json::from_value(start).map_err(|_| StartProblem::Plan(row.id))?;
        if start.on == StartOn::Delivered && reached == StartOn::Sent {
            continue;
        }
        let wish = plan.get("wish").and_then(Value::as_str);
        let running = running(start_pending(&start, calendars, at)?, wish);
        started.push(StartedObligation { id: row.id, running });
    }
    Ok(started)
}
