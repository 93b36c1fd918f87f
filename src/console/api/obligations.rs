//! `/api/v1/obligations`: who owes whom what by when, and why by then.

use axum::extract::Path;
use axum::routing::get;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::asked::OfObligations;
use super::listing::{Page, cut, limit};
use super::problem::Problem;
use super::words::Named;
use super::{Answer, json};
use crate::access::Right;
use crate::console::messages::light;
use crate::console::obligation::{may_release, zone};
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::console::{obligations as pages, seen};
use crate::deadline::obligations::StartOn;
use crate::deadline::show_due;
use crate::domain::{
    ActGround, ActKind, CaseId, ConversationId, Digest, ObligationId, ObligationState, OutsideWay, ParticipantId,
    RecordId, RuleId, SettleKind, Timestamp, Zone,
};
use crate::gateway::acts::told;
use crate::store::{ActRow, DueCursor, LateSettlement, ObligationRow};

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeObligations);
    vec![Route::get("/api/v1/obligations", see, get(list)), Route::get("/api/v1/obligations/{id}", see, get(one))]
}

/// Who owes whom what by when.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Obligation {
    id: ObligationId,
    /// The regulation.
    regulation: String,
    /// The rule of it.
    rule: RuleId,
    /// The rule's title; `null`: the regulation in force has it no more.
    title: Option<Named>,
    /// What it is about: ids and codes.
    subject: String,
    /// The period of a report; empty: none.
    period: String,
    /// Who owes.
    debtor: ParticipantId,
    /// To whom.
    creditor: ParticipantId,
    state: ObligationState,
    /// The term as the rule says it.
    term: String,
    /// The last second in time; `null`: it does not run yet, or has no term.
    due: Option<String>,
    /// The first due, once it was moved.
    original_due: Option<String>,
    opened_at: Timestamp,
    /// From when the term is counted.
    started_at: Option<Timestamp>,
    overdue_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
    settle_kind: Option<SettleKind>,
    case_id: Option<CaseId>,
    conversation_id: Option<ConversationId>,
    /// The record of the message that opened it.
    opened_by: Option<RecordId>,
    /// The record of the message that met it.
    settled_by: Option<RecordId>,
}

/// What is shown with a zone and the regulations in force.
pub(super) struct Shower<'v> {
    visit: &'v Visit,
    snapshot: std::sync::Arc<crate::gateway::Snapshot>,
}

impl<'v> Shower<'v> {
    pub(super) fn new(visit: &'v Visit) -> Self {
        Self { visit, snapshot: visit.gateway.snapshot() }
    }

    pub(super) fn zone(&self, row: &ObligationRow) -> Result<Zone, Problem> {
        Ok(zone(&light(self.visit, &self.snapshot)?, row))
    }

    pub(super) fn obligation(&self, row: &ObligationRow) -> Result<Obligation, Problem> {
        let zone = self.zone(row)?;
        let rule = self.snapshot.regulation(&row.regulation).ok().and_then(|r| r.rule(&row.rule));
        Ok(Obligation {
            id: row.id,
            regulation: row.regulation.clone(),
            rule: row.rule.clone(),
            title: rule.map(|rule| Named::from(&rule.title)),
            subject: row.subject.clone(),
            period: row.period.clone(),
            debtor: row.debtor.clone(),
            creditor: row.creditor.clone(),
            state: row.state,
            term: row.term.clone(),
            due: row.due_at.map(|due| show_due(due, zone)),
            original_due: row.original_due.map(|due| show_due(due, zone)),
            opened_at: row.opened_at,
            started_at: row.started_at,
            overdue_at: row.overdue_at,
            settled_at: row.settled_at,
            settle_kind: row.settle_kind,
            case_id: row.case_id,
            conversation_id: row.conversation_id,
            opened_by: row.record_id,
            settled_by: row.settled_record,
        })
    }
}

/// What was done to an obligation beside the messages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObligationAct)]
#[serde(rename_all = "camelCase")]
pub(super) struct Act {
    id: String,
    kind: ActKind,
    at: Timestamp,
    /// Who entered it: an account, a participant by its signed word, a rule.
    by: String,
    /// The record of the message that did it.
    record_id: Option<RecordId>,
    ground: Option<ActGround>,
    way: Option<OutsideWay>,
    /// When it was met outside.
    acted_at: Option<Timestamp>,
    /// The last second in time before it.
    due_before: Option<String>,
    /// The last second in time after it.
    due_after: Option<String>,
    state_before: ObligationState,
    state_after: ObligationState,
    /// SHA-256 of the scan.
    scan: Option<Digest>,
    /// What people worded themselves; `null`: nothing, or the asker may not see personal data.
    worded: Option<Worded>,
}

/// What people worded themselves: it may name a citizen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActWords)]
#[serde(rename_all = "camelCase")]
pub(super) struct Worded {
    note: Option<String>,
    /// The document's name.
    document: Option<String>,
    /// The document's number, or that of the outside act.
    number: Option<String>,
    /// The document's date.
    #[schema(format = Date)]
    date: Option<String>,
    /// Who met it outside.
    acted_by: Option<String>,
    /// Towards whom.
    acted_to: Option<String>,
}

impl Act {
    pub(super) fn of(row: &ActRow, zone: Zone, sees_words: bool) -> Self {
        let due = |at: Option<Timestamp>| at.map(|at| show_due(at, zone));
        Self {
            id: row.id.clone(),
            kind: row.kind,
            at: row.at,
            by: row.entered_by().to_owned(),
            record_id: row.record_id,
            ground: row.ground,
            way: row.way,
            acted_at: row.acted_at,
            due_before: due(row.due_before),
            due_after: due(row.due_after),
            state_before: row.state_before,
            state_after: row.state_after,
            scan: row.scan,
            worded: Worded::of(row).filter(|_| sees_words),
        }
    }
}

impl Worded {
    fn of(row: &ActRow) -> Option<Self> {
        let document = row.document.as_ref();
        let number = document.map(|d| &d.number).or(row.number.as_ref());
        let own = Self {
            note: row.note.as_ref().map(ToString::to_string),
            document: document.map(|d| d.name.to_string()),
            number: number.map(ToString::to_string),
            date: document.map(|d| d.date.to_string()),
            acted_by: row.acted_by.as_ref().map(ToString::to_string),
            acted_to: row.acted_to.as_ref().map(ToString::to_string),
        };
        let is_empty = own.note.is_none() && own.number.is_none() && own.acted_by.is_none() && own.acted_to.is_none();
        if is_empty { None } else { Some(own) }
    }
}

/// An answer that was accepted while its files were still to come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LateFiles {
    record_id: RecordId,
    /// As of when it counts if the files come in time.
    accepted_as: Timestamp,
    /// Until when they may come (exclusive).
    grace_until: Timestamp,
    /// When the last of them came.
    whole_at: Option<Timestamp>,
    /// The instant that counts.
    counts_at: Option<Timestamp>,
}

impl From<&LateSettlement> for LateFiles {
    fn from(late: &LateSettlement) -> Self {
        Self {
            record_id: late.record_id,
            accepted_as: late.claimed_at,
            grace_until: late.grace_until,
            whole_at: late.whole_at,
            counts_at: late.counts_at,
        }
    }
}

/// An obligation with why its term ends when it ends, and what was done to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObligationDetail)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explained {
    #[serde(flatten)]
    obligation: Obligation,
    /// The count that the gateway goes by: the event, each step in both languages, the source with its quote and reading.
    #[schema(value_type = Option<Object>)]
    explanation: Option<Value>,
    /// `sent` or `delivered`: the term begins when the opening message is.
    waits_for: Option<&'static str>,
    /// The date that the sender of a request wished for; the due is not counted by it.
    wish: Option<String>,
    warns: Vec<Timestamp>,
    /// The revision of the regulation under which it was opened.
    revision: i64,
    late_files: Vec<LateFiles>,
    acts: Vec<Act>,
    /// Whether the asker may waive and extend it: nobody lets himself off.
    may_release: bool,
}

#[utoipa::path(
    get, path = "/api/v1/obligations", tag = "obligations", operation_id = "listObligations",
    summary = "Обязательства по сроку / obligations by due",
    params(OfObligations),
    responses((status = 200, description = "Страница списка / a page of the listing", body = Page<Obligation>))
)]
pub(super) async fn list(visit: Visit) -> Answer {
    let (limit, shower) = (limit(&visit)?, Shower::new(&visit));
    let group = match visit.query("group") {
        "" => None,
        word => {
            pages::GROUPS.into_iter().find(|(_, own)| *own == word).ok_or_else(|| Problem::filter("say-group", ""))?.0
        }
    };
    if !matches!(visit.query("sort"), "" | "earliest" | "latest") {
        return Err(Problem::filter("say-sort", ""));
    }
    let scope = visit.principal()?.scope();
    let (filter, after) =
        pages::read(&visit, scope, group, visit.zone()?).map_err(|label| Problem::filter(label, "after"))?;
    let rows = visit.gateway.store().list_obligations(&filter, after, limit.saturating_add(1)).await?;
    let (shown, last) = cut(&rows, limit);
    json(Page {
        items: shown.iter().map(|row| shower.obligation(row)).collect::<Result<_, _>>()?,
        next: last.map(|row| visit.with(&[("after", &pages::cursor_text(DueCursor::after(row)))])),
    })
}

#[utoipa::path(
    get, path = "/api/v1/obligations/{id}", tag = "obligations", operation_id = "getObligation",
    summary = "Одно обязательство: почему такой срок и что с ним делали / one obligation: why this term, and what was done to it",
    params(("id" = ObligationId, Path, description = "Номер обязательства / the obligation's id")),
    responses((status = 200, description = "Обязательство / the obligation", body = Explained))
)]
pub(super) async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let row = seen::obligation(&visit, &id).await?;
    let (store, shower) = (visit.gateway.store(), Shower::new(&visit));
    let (zone, sees_words) = (shower.zone(&row)?, visit.may(Right::SeePersonalData));
    let late = store.late_settlements_for(&[&row]).await?;
    let acts = store.acts(row.id).await?;
    json(Explained {
        obligation: shower.obligation(&row)?,
        explanation: told::about(&row).cloned(),
        waits_for: told::waits_for(&row).map(|on| match on {
            StartOn::Sent => "sent",
            StartOn::Delivered => "delivered",
        }),
        wish: Some(told::wish(&row).to_owned()).filter(|wish| !wish.is_empty()),
        warns: row.warns.clone(),
        revision: row.revision,
        late_files: late.values().flatten().map(LateFiles::from).collect(),
        acts: acts.iter().map(|act| Act::of(act, zone, sees_words)).collect(),
        may_release: may_release(&visit, &row)?,
    })
}
