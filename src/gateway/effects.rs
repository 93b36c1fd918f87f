//! From what a judgement says to what the store writes.

use serde_json::json;

use crate::deadline::cases::{Consent, Flag};
use crate::deadline::obligations::{self as rules, Beginning, PendingStart, StartOn, Started, start_pending};
use crate::deadline::{Calendars, Month};
use crate::domain::{CaseId, ParticipantId, RecordId, RuleId, Timestamp};
use crate::store::{
    Cancelling, CaseChange, CaseRow, CaseWork, JournalEntry, NOTHING_TO_OPEN, NewMessage, NewObligation, NewSettlement,
    ObligationStart, PendingObligation, Rebinding, Running, ScheduledRow, Scheduling, StartedObligation, Stopping,
};

use super::fan_out::Amended;
use super::ids;

/// An explanation as it is kept.
#[derive(serde::Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    explanation: &'a rules::Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    wish: Option<&'a str>,
}

/// What is kept with an obligation that waits.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    start: PendingStart,
    wish: Option<String>,
}

/// The text of what is kept. The types are derived and have no keys but names, so that nothing of them is beyond JSON; were it, the text
/// would say so.
fn json_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string())
}

/// A running term in the store's words.
fn running(started: Started, wish: Option<&str>) -> Running {
    let explanation = json_text(&Told { explanation: &started.explanation, wish });
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
    let wish = new.wish;
    let start = match (new.start, handed_over_at) {
        (Beginning::Task { started_at, explanation }, _) => {
            ObligationStart::Task { started_at, explanation: explanation.to_string() }
        }
        (Beginning::Started(started), _) => ObligationStart::Running(running(started, wish.as_deref())),
        (Beginning::Pending(pending), Some(at)) => {
            ObligationStart::Running(running(start_pending(&pending, calendars, at)?, wish.as_deref()))
        }
        (Beginning::Pending(start), None) => ObligationStart::Pending { plan: json_text(&Kept { start, wish }) },
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
        creditor: new.creditor.unwrap_or_else(ParticipantId::citizen),
        debtor_role: new.debtor_role,
        creditor_role: new.creditor_role,
        retime: new.retime,
        debtor: new.debtor,
        start,
        term: new.term,
        opened_at,
        revision,
    })
}

/// A settlement in the store's words.
pub(super) fn settlement(
    new: rules::Settlement,
    regulation: &str,
    record_id: RecordId,
    grace_until: Timestamp,
) -> NewSettlement {
    NewSettlement {
        regulation: regulation.to_owned(),
        rule: new.rule,
        subject: new.subject,
        period: new.period,
        debtor: new.debtor,
        at: new.at,
        record_id,
        grace_until,
    }
}

/// What a message does to its case: opens it, changes it, or nothing when it says what is known. Where it opens obligations or goes with
/// a consent only, the case must still be as it was read: one that was closed or moved meanwhile would owe them for ever, or to the wrong
/// one, and a consent that ended meanwhile carries nothing.
pub(super) fn case_change(
    upsert: Option<rules::CaseUpsert>,
    stored: Option<CaseRow>,
    opened_at: Timestamp,
    must_hold: bool,
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
            facts: upsert.facts,
        })),
        Some(row) => {
            let new = CaseRow { territory: upsert.territory, kind: upsert.kind, facts: upsert.facts, ..row.clone() };
            if new != row {
                Some(CaseChange::Update(new))
            } else {
                must_hold.then_some(CaseChange::Holds(row.id, row.version))
            }
        }
    }
}

/// What a message does to other obligations of its case, in the store's words.
pub(super) fn case_work(effects: &rules::Effects, regulation: &str) -> CaseWork {
    let stopping = |case: &rules::CaseUpsert| Stopping { case: case.id, ended: effects.stop.clone() };
    CaseWork {
        cancels: effects.cancel.iter().map(|cancel| cancelling(cancel, regulation)).collect(),
        rebinds: effects
            .rebind
            .iter()
            .map(|r| Rebinding { case: r.case, role: r.role.clone(), holder: r.holder.clone() })
            .collect(),
        schedules: effects
            .schedules
            .iter()
            .map(|set| {
                let row = |row: &rules::ScheduleRow| scheduled(row, regulation, &set.rule, set.case);
                Scheduling { rule: set.rule.clone(), case: set.case, rows: set.rows.iter().map(row).collect() }
            })
            .collect(),
        stops: effects.case.iter().filter(|_| !effects.stop.is_empty()).map(stopping).collect(),
    }
}

fn cancelling(cancel: &rules::Cancel, regulation: &str) -> Cancelling {
    match cancel.clone() {
        rules::Cancel::Key { rule, subject, period } => {
            Cancelling::Key { regulation: regulation.to_owned(), rule, subject, period }
        }
        rules::Cancel::OpenedBy { rule, sender, message } => Cancelling::OpenedBy { rule, sender, message },
        rules::Cancel::Others { rule, case, keep } => Cancelling::Others { rule, case, keep },
        rules::Cancel::Closed { case, outlive } => Cancelling::Closed { case, outlive },
    }
}

/// A schedule in the store's words: months as `2026-01..2026-03 2026-05..2026-05`.
pub(super) fn scheduled(row: &rules::ScheduleRow, regulation: &str, rule: &RuleId, case: CaseId) -> ScheduledRow {
    let spans = row.spans.iter().map(|(from, to)| format!("{from}..{to}")).collect::<Vec<_>>().join(" ");
    ScheduledRow {
        regulation: regulation.to_owned(),
        rule: rule.clone(),
        case,
        debtor: row.debtor.clone(),
        territory: row.territory.clone(),
        spans,
        next_period: row.next.map(|(month, _)| month.to_string()),
        next_at: row.next.map(|(_, at)| at),
    }
}

/// A stored schedule in the words of the rules; `None` when its months cannot be read.
pub(super) fn schedule_row(row: &ScheduledRow) -> Option<rules::ScheduleRow> {
    let span = |text: &str| {
        let (from, to) = text.split_once("..")?;
        Some((Month::parse(from)?, Month::parse(to)?))
    };
    let next = match (&row.next_period, row.next_at) {
        (Some(period), Some(at)) => Some((Month::parse(period)?, at)),
        (_, _) => None,
    };
    Some(rules::ScheduleRow {
        debtor: row.debtor.clone(),
        territory: row.territory.clone(),
        spans: row.spans.split_whitespace().map(span).collect::<Option<_>>()?,
        next,
    })
}

/// Something about a case that a person should look at, for the journal.
pub(super) fn flag(flag: &Flag, message: &NewMessage) -> JournalEntry {
    JournalEntry {
        kind: "case-flagged".to_owned(),
        actor: message.header.sender.to_string(),
        record_id: Some(message.record_id),
        detail: json!({ "code": flag.code, "case": message.header.case_id, "ru": flag.ru, "en": flag.en }),
        ..JournalEntry::default()
    }
}

/// An access to the databank, for the journal: who, to whom, about which case and message.
pub(super) fn access(access: rules::Access, message: &NewMessage) -> JournalEntry {
    let header = &message.header;
    JournalEntry {
        kind: access.kind.to_owned(),
        actor: header.sender.to_string(),
        record_id: Some(message.record_id),
        participant: Some(header.recipient.clone()),
        detail: json!({
            "case": header.case_id, "messageId": header.message_id, "inReplyTo": header.in_reply_to, "said": access.detail,
        }),
        ..JournalEntry::default()
    }
}

/// What a citizen said about passing data on, for the journal: to whom and which classes, no number and no name.
pub(super) fn consent(said: &Consent, message: &NewMessage) -> JournalEntry {
    JournalEntry {
        kind: format!("consent-{}", said.state.as_str()),
        actor: message.header.sender.to_string(),
        record_id: Some(message.record_id),
        detail: json!({
            "case": message.header.case_id, "at": Timestamp::from_micros(said.at), "ofAnother": said.of_another,
            "recipients": said.recipients, "dataClasses": said.data_classes, "validUntil": said.valid_until,
        }),
        ..JournalEntry::default()
    }
}

/// To whom an amended programme went, and to whom not, for the journal.
pub(super) fn amended(amended: &Amended, message: &NewMessage) -> JournalEntry {
    JournalEntry {
        kind: "programme-amended".to_owned(),
        actor: message.header.sender.to_string(),
        record_id: Some(message.record_id),
        detail: json!({
            "case": message.header.case_id, "version": amended.version, "parts": amended.parts, "untouched": amended.untouched,
            "told": amended.told, "untold": amended.untold,
        }),
        ..JournalEntry::default()
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
    pending: &[PendingObligation],
    calendars: &Calendars,
    at: Timestamp,
    reached: StartOn,
) -> Result<Vec<StartedObligation>, StartProblem> {
    let mut started = Vec::new();
    // What one message opened by one rule is mostly kept in the same words, and then starts alike.
    let mut last: Option<(&str, Option<Running>)> = None;
    for row in pending {
        let running = match &last {
            Some((plan, running)) if *plan == row.plan => running.clone(),
            Some(_) | None => begun(row, calendars, at, reached)?,
        };
        started.extend(running.clone().map(|running| StartedObligation { id: row.id, running }));
        last = Some((&row.plan, running));
    }
    Ok(started)
}

fn begun(
    row: &PendingObligation,
    calendars: &Calendars,
    at: Timestamp,
    reached: StartOn,
) -> Result<Option<Running>, StartProblem> {
    let Kept { start, wish } = serde_json::from_str(&row.plan).map_err(|_| StartProblem::Plan(row.id))?;
    if start.on == StartOn::Delivered && reached == StartOn::Sent {
        return Ok(None);
    }
    Ok(Some(running(start_pending(&start, calendars, at)?, wish.as_deref())))
}
