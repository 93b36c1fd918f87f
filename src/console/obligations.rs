//! `/`: what is overdue, what is due soon, and what was not handed over.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::Value;
use tracing::warn;

use super::acts::{Acted, acted};
use super::words;
use crate::deadline::{Regulation, Source, Term};
use crate::domain::{ObligationState, ParticipantId, RoleCode, Timestamp, Zone};
use crate::gateway::{Gateway, Snapshot};
use crate::store::{
    JournalRow, LateSettlement, NotHandedOver, ObligationFilter, ObligationGroup, ObligationRow, StoreError,
};

/// How many rows of a group the page shows.
const ROWS_MAX: u32 = 100;
/// How many acts the page shows.
const ACTS_MAX: u32 = 20;
const REFRESH_SECONDS: u32 = 10;

#[derive(Template)]
#[template(path = "obligations.html")]
struct Page {
    now: String,
    now_iso: String,
    demo_time: bool,
    overdue: Group<Due>,
    soon: Group<Due>,
    stuck: Group<Stuck>,
    quiet: Vec<Quiet>,
    acts: Vec<Acted>,
    refresh_seconds: u32,
    version: &'static str,
    node: String,
}

struct Group<T> {
    rows: Vec<T>,
    more: bool,
}

impl<T> Group<T> {
    /// `100+` when there are more than are shown.
    fn total(&self) -> String {
        if self.more { format!("{}+", self.rows.len()) } else { self.rows.len().to_string() }
    }
}

struct Due {
    debtor: String,
    debtor_name: String,
    creditor_name: String,
    rule_title: String,
    subject: String,
    wish: String,
    due: String,
    due_iso: String,
    original_due: String,
    term: String,
    late: String,
    warned: bool,
    source: String,
    conversation: String,
    case_id: String,
    /// An answer that was accepted and whose files are still to come, or came too late to count as of then.
    late_files: String,
}

struct Stuck {
    recipient: String,
    recipient_name: String,
    sender_name: String,
    type_title: String,
    message_id: String,
    accepted: String,
    accepted_iso: String,
    age: String,
    state: &'static str,
    attempts: u32,
    reason: &'static str,
    detail: String,
}

struct Quiet {
    case_id: String,
    at: String,
    at_iso: String,
}

pub(super) async fn page(State(gateway): State<Gateway>) -> Response {
    let rendered = match gather(&gateway).await {
        Ok(page) => page.render(),
        Err(error) => {
            warn!(%error, "the page could not be read from the store");
            let text = "База данных недоступна; страница обновится сама. / The database is away; reload later.";
            return (StatusCode::SERVICE_UNAVAILABLE, [("refresh", "5")], text).into_response();
        }
    };
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            warn!(%error, "the page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn gather(gateway: &Gateway) -> Result<Page, StoreError> {
    let (store, snapshot) = (gateway.store(), gateway.snapshot());
    let (now, business_now) = (gateway.clock().now(), gateway.clock().business_now());
    let zone = snapshot.regulations().next().map(|r| r.zone).or_else(|| Zone::parse("Europe/Moscow"));
    let Some(zone) = zone else { return Err(StoreError::Corrupt("no zone".to_owned())) };
    let of = |group| ObligationFilter { group: Some(group), ..ObligationFilter::default() };
    let overdue = store.list_obligations(&of(ObligationGroup::Overdue), None, ROWS_MAX + 1).await?;
    let running = store.list_obligations(&of(ObligationGroup::Running), None, ROWS_MAX + 1).await?;
    let late = store.late_settlements_for(&overdue.iter().chain(&running).collect::<Vec<_>>()).await?;
    let due = |row: &ObligationRow| {
        let late = late.get(&row.id).map_or(&[][..], Vec::as_slice);
        due_row(row, late, &snapshot, zone, business_now)
    };
    let stuck = store.not_handed_over(None, ROWS_MAX + 1).await?;
    let quiet = store.recent_nothing_to_open(20).await?;
    let acts = store.recent_acts(ACTS_MAX).await?;
    Ok(Page {
        now: words::instant(business_now, zone),
        now_iso: business_now.in_zone(zone),
        demo_time: gateway.clock().offset_micros() != 0,
        overdue: group(&overdue, due),
        soon: group(&running, due),
        stuck: group(&stuck, |row| stuck_row(row, &snapshot, zone, now)),
        quiet: quiet.iter().map(|row| quiet_row(row, zone)).collect(),
        acts: acts.iter().map(|act| acted(act, &snapshot, zone)).collect(),
        refresh_seconds: REFRESH_SECONDS,
        version: env!("CARGO_PKG_VERSION"),
        node: gateway.node().to_owned(),
    })
}

fn group<R, T>(rows: &[R], shown: impl Fn(&R) -> T) -> Group<T> {
    let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    Group { rows: rows.iter().take(limit).map(shown).collect(), more: rows.len() > limit }
}

pub(super) fn name(snapshot: &Snapshot, id: &ParticipantId) -> String {
    if *id == ParticipantId::citizen() {
        return "Гражданин".to_owned();
    }
    snapshot.participant(id).map_or_else(|| id.to_string(), |p| p.name.clone())
}

fn due_row(
    row: &ObligationRow,
    late: &[LateSettlement],
    snapshot: &Snapshot,
    region: Zone,
    business_now: Timestamp,
) -> Due {
    let zone = snapshot.participant(&row.debtor).map_or(region, |p| p.zone);
    let regulation = snapshot.regulation(&row.regulation).ok();
    let rule = regulation.and_then(|r| r.rule(&row.rule));
    Due {
        debtor: row.debtor.to_string(),
        debtor_name: name(snapshot, &row.debtor),
        creditor_name: name(snapshot, &row.creditor),
        rule_title: rule_title(row, snapshot),
        subject: subject(row, snapshot),
        wish: text(row.explanation.as_ref(), "wish"),
        due: row.due_at.map_or_else(|| "без срока".to_owned(), |due| words::due(due, zone)),
        due_iso: row.due_at.map_or_else(String::new, |due| due.plus_seconds(-1).in_zone(zone)),
        original_due: row.original_due.map_or_else(String::new, |due| words::due(due, zone)),
        term: Term::parse(&row.term).map_or_else(|_| row.term.clone(), |t| t.ru()),
        late: row.due_at.map_or_else(|| "—".to_owned(), |due| words::span(business_now.since(due))),
        warned: row.state == ObligationState::Warned,
        source: regulation.zip(rule).map_or_else(String::new, |(g, r)| source(g, &r.source)),
        conversation: row.conversation_id.map_or_else(String::new, |id| id.to_string()),
        case_id: row.case_id.map_or_else(String::new, |id| id.to_string()),
        late_files: late.iter().find(|late| late.whole_at.is_none()).map_or_else(String::new, |late| {
            let (claimed, until) = (words::instant(late.claimed_at, zone), words::instant(late.grace_until, zone));
            format!("ответ принят {claimed}, файлы ещё не пришли; без опоздания — до {until}")
        }),
    }
}

pub(super) fn rule_title(row: &ObligationRow, snapshot: &Snapshot) -> String {
    let rule = snapshot.regulation(&row.regulation).ok().and_then(|r| r.rule(&row.rule));
    rule.map_or_else(|| row.rule.to_string(), |r| r.title.ru.clone())
}

/// What tells this obligation from its neighbours: the document's kind or the role that ends its subject, in words, and the period.
pub(super) fn subject(row: &ObligationRow, snapshot: &Snapshot) -> String {
    let last = row.subject.rsplit(' ').next().unwrap_or_default();
    let kind = snapshot.catalogue.codes().document_kind(last).map(|k| k.ru.clone());
    let role = || {
        let code = RoleCode::parse(last).ok()?;
        Some(snapshot.regulation(&row.regulation).ok()?.role(&code)?.title.ru.clone())
    };
    let own = kind.or_else(role).unwrap_or_default();
    [own.as_str(), row.period.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Where the rule is written, and whether a person has compared it with the document's edition.
fn source(regulation: &Regulation, source: &Source) -> String {
    let document = regulation.documents.iter().find(|d| d.id == source.document);
    let title = document.map_or(source.document.as_str(), |d| d.title.as_str());
    let unchecked = if document.is_some_and(|d| d.checked_on.is_some()) {
        ""
    } else {
        " (редакция не проверена)"
    };
    format!("{title}, {}{unchecked}", source.paragraph)
}

fn text(json: Option<&Value>, key: &str) -> String {
    json.and_then(|j| j.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn stuck_row(row: &NotHandedOver, snapshot: &Snapshot, zone: Zone, now: Timestamp) -> Stuck {
    let (delivery, message) = (&row.delivery, &row.message);
    Stuck {
        recipient: delivery.recipient.to_string(),
        recipient_name: name(snapshot, &delivery.recipient),
        sender_name: name(snapshot, &message.sender),
        type_title: words::message_type(&message.message_type.name).to_owned(),
        message_id: message.message_id.to_string(),
        accepted: words::instant(message.accepted_at, zone),
        accepted_iso: message.accepted_at.in_zone(zone),
        age: words::span(now.since(message.accepted_at)),
        state: delivery.state.ru(),
        attempts: delivery.attempts,
        reason: delivery.reason.map_or("первая попытка впереди", |r| r.ru()),
        detail: delivery.detail.clone().unwrap_or_default(),
    }
}

fn quiet_row(row: &JournalRow, zone: Zone) -> Quiet {
    let at = Timestamp::parse(&text(Some(&row.entry.detail), "at")).unwrap_or(row.at);
    Quiet { case_id: text(Some(&row.entry.detail), "case"), at: words::instant(at, zone), at_iso: at.in_zone(zone) }
}
