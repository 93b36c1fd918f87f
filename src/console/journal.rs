//! «Журнал»: who did what, narrowed and page by page, and taken away as a table.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream;
use serde_json::{Value, json};

use super::errors::Trouble;
use super::routes::{Access, Route};
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::Right;
use crate::domain::{AccountId, Login, ParticipantId, Timestamp, Zone};
use crate::store::{JournalEntry, JournalFilter, JournalRow, StoreError};

const ROWS_MAX: u32 = 100;
/// Rows of one read while the table is taken away.
const EXPORT_ROWS: u32 = 1_000;

/// The kinds that can be chosen: each has its text `kind-<word>`. Another one that is in the journal is shown by its word.
pub(super) const KINDS: &[&str] = &[
    "message-accepted",
    "message-made",
    "message-converted",
    "delivery-sent",
    "delivery-delivered",
    "delivery-refused",
    "delivery-requeued",
    "delivery-parked",
    "delivery-expired",
    "delivery-stopped",
    "delivery-replayed",
    "delivery-discarded",
    "delivery-consent-ended",
    "answer-refused",
    "signed-on-behalf",
    "queue-paused",
    "queue-resumed",
    "queue-stopped",
    "breaker-opened",
    "breaker-closed",
    "partner-pinged",
    "attachment-stored",
    "attachment-forgotten",
    "obligation-opened",
    "obligation-started",
    "obligation-warned",
    "obligation-overdue",
    "obligation-met",
    "obligation-met-late",
    "obligation-waived",
    "obligation-extended",
    "obligation-noted",
    "obligation-retimed",
    "obligation-rebound",
    "obligation-cancelled",
    "obligation-escalated",
    "obligation-awaits-files",
    "nothing-to-open",
    "case-flagged",
    "case-closed",
    "programme-amended",
    "amendment-untold",
    "notification-sent",
    "notification-retried",
    "notification-dropped",
    "config-appended",
    "signed-in",
    "signed-out",
    "sign-in-refused",
    "sign-in-paused",
    "account-added",
    "account-access-changed",
    "account-renamed",
    "account-disabled",
    "account-enabled",
    "account-password-set",
    "password-link-made",
    "token-made",
    "token-revoked",
    "journal-exported",
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/journal", Access::Right(Right::SeeJournal), get(page)),
        Route::get("/journal.csv", Access::Right(Right::ExportJournal), get(export)),
    ]
}

#[derive(Template)]
#[template(path = "console/journal.html")]
struct Page {
    frame: Frame,
    form: Form,
    error: String,
    filtered: bool,
    rows: Vec<Entry>,
    next_href: String,
    first_href: String,
    /// The same filters as a table; empty: the reader may not.
    csv_href: String,
}

struct Form {
    kind: Vec<Choice>,
    participant: Vec<Choice>,
    actor: String,
    from: String,
    to: String,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Entry {
    number: String,
    at: String,
    at_iso: String,
    kind_text: String,
    actor: String,
    participant: String,
    /// What it is about, each with its name.
    about: Vec<(&'static str, String)>,
    detail: Vec<(String, String)>,
}

/// The filter of the address.
///
/// # Errors
/// The label of the first field that cannot be read.
pub(super) async fn read(visit: &Visit, zone: Zone) -> Result<Result<JournalFilter, &'static str>, Trouble> {
    let day = |name, later| match visit.query(name) {
        "" => Ok(None),
        text => day_start(text, zone, later).map(Some).ok_or(()),
    };
    let text = |name| Some(visit.query(name)).filter(|t| !t.is_empty()).map(str::to_owned);
    let mut filter = JournalFilter { kind: text("kind"), actor: text("actor"), ..JournalFilter::default() };
    // A person is asked for by login.
    if let Some(login) = filter.actor.as_deref().and_then(|actor| Login::parse(actor).ok())
        && let Some(account) = visit.gateway.store().account_by_login(&login).await?
    {
        filter.actor = Some(account.principal().actor());
    }
    if let Some(id) = text("participant") {
        match ParticipantId::parse(&id) {
            Ok(id) => filter.participant = Some(id),
            Err(_) => return Ok(Err("say-participant")),
        }
    }
    match (day("from", 0), day("to", 1)) {
        (Ok(from), Ok(before)) => (filter.from, filter.before) = (from, before),
        (Err(()), _) => return Ok(Err("say-day-from")),
        (_, Err(())) => return Ok(Err("say-day-to")),
    }
    Ok(Ok(filter))
}

fn day_start(text: &str, zone: Zone, days_later: u64) -> Option<Timestamp> {
    let day: chrono::NaiveDate = text.parse().ok()?;
    words::day_start(day.checked_add_days(chrono::Days::new(days_later))?, zone)
}

async fn page(visit: Visit) -> Result<Response, Trouble> {
    let (store, t, zone) = (visit.gateway.store(), visit.texts(), visit.zone()?);
    let before = Some(visit.query("before")).filter(|id| !id.is_empty());
    let (rows, error) = match read(&visit, zone).await? {
        Ok(filter) => (store.journal_page(&filter, before, ROWS_MAX + 1).await?, String::new()),
        Err(field) => (Vec::new(), t.a("filter-unreadable", "field", t.t(field))),
    };
    let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let shown: Vec<&JournalRow> = rows.iter().take(limit).collect();
    let logins = store.logins(&shown.iter().filter_map(|row| account_of(&row.entry)).collect()).await?;
    let filters = ["kind", "participant", "actor", "from", "to"];
    let query = visit.with(&[("before", "")]);
    let query = query.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let may_export = visit.may(Right::ExportJournal);
    let page = Page {
        frame: visit.frame(&t.t("journal-title"), "journal"),
        form: form(&visit),
        error,
        filtered: filters.iter().any(|name| !visit.query(name).is_empty()),
        rows: shown.iter().map(|row| entry(&visit, row, &logins, zone)).collect(),
        next_href: last.map_or_else(String::new, |row| visit.with(&[("before", &row.id)])),
        first_href: if before.is_some() { visit.with(&[("before", "")]) } else { String::new() },
        csv_href: if may_export { format!("/journal.csv{query}") } else { String::new() },
    };
    Ok(html(page.render()?))
}

/// The account that acted.
pub(super) fn account_of(entry: &JournalEntry) -> Option<AccountId> {
    AccountId::parse(entry.actor.strip_prefix("account:")?).ok()
}

fn form(visit: &Visit) -> Form {
    let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
    let choice =
        |value: &str, label: String, asked: &str| Choice { value: value.to_owned(), label, chosen: value == asked };
    let mut kind: Vec<Choice> = KINDS.iter().map(|k| choice(k, t.word("kind", k), visit.query("kind"))).collect();
    let asked = visit.query("participant");
    let named = snapshot.participants().map(|k| &k.participant);
    let mut participant: Vec<Choice> = named.map(|p| choice(p.id.as_str(), p.name.clone(), asked)).collect();
    kind.sort_by(|a, b| a.label.cmp(&b.label));
    participant.sort_by(|a, b| a.label.cmp(&b.label));
    Form {
        kind,
        participant,
        actor: visit.query("actor").to_owned(),
        from: visit.query("from").to_owned(),
        to: visit.query("to").to_owned(),
    }
}

fn entry(visit: &Visit, row: &JournalRow, logins: &BTreeMap<AccountId, Login>, zone: Zone) -> Entry {
    let (t, own) = (visit.texts(), &row.entry);
    let login = account_of(own).and_then(|id| logins.get(&id)).map(Login::to_string);
    let about = [
        ("record", own.record_id.map(|id| id.to_string())),
        ("delivery", own.delivery_id.map(|id| id.to_string())),
        ("obligation", own.obligation_id.map(|id| id.to_string())),
    ];
    Entry {
        number: row.sealed.map_or_else(String::new, |(number, _)| number.to_string()),
        at: words::second(t, row.at, zone),
        at_iso: row.at.in_zone(zone),
        kind_text: t.word("kind", &own.kind),
        actor: login.unwrap_or_else(|| own.actor.clone()),
        participant: own.participant.as_ref().map_or_else(String::new, ParticipantId::to_string),
        about: about.into_iter().filter_map(|(name, id)| Some((name, id?))).collect(),
        detail: detail(&own.detail),
    }
}

/// The members of an entry's detail that say something.
fn detail(detail: &Value) -> Vec<(String, String)> {
    let said = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|t| !t.is_empty()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    };
    let members = detail.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), said(value)?))).collect()
}

/// The entries of the filter as a table that office programs open: UTF-8 with its mark, semicolons. That it was taken is written down.
async fn export(visit: Visit) -> Result<Response, Trouble> {
    let zone = visit.zone()?;
    let filter = read(&visit, zone).await?.map_err(|_| Trouble::Status(axum::http::StatusCode::BAD_REQUEST))?;
    let (store, now) = (visit.gateway.store().clone(), visit.gateway.clock().now());
    let asked = json!({
        "kind": filter.kind, "actor": filter.actor, "participant": filter.participant, "from": filter.from, "before": filter.before,
    });
    let entry = JournalEntry {
        kind: "journal-exported".to_owned(),
        actor: visit.principal()?.actor(),
        detail: asked,
        ..JournalEntry::default()
    };
    store.append_journal(vec![entry], now).await?;
    let begin = Export { visit, filter, zone, before: None, first: true, done: false };
    let body = Body::from_stream(stream::unfold(begin, |export| async move { export.next().await }));
    let mut response = body.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"journal.csv\""),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// A table on its way.
struct Export {
    visit: Visit,
    filter: JournalFilter,
    zone: Zone,
    before: Option<String>,
    first: bool,
    done: bool,
}

impl Export {
    async fn next(mut self) -> Option<(Result<Vec<u8>, StoreError>, Self)> {
        if self.done {
            return None;
        }
        let part = self.part().await;
        self.done |= part.is_err();
        Some((part, self))
    }

    async fn part(&mut self) -> Result<Vec<u8>, StoreError> {
        let store = self.visit.gateway.store();
        let rows = store.journal_page(&self.filter, self.before.as_deref(), EXPORT_ROWS).await?;
        let ids: BTreeSet<AccountId> = rows.iter().filter_map(|row| account_of(&row.entry)).collect();
        let logins = store.logins(&ids).await?;
        let mut out = if self.first { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        let mut csv = csv::WriterBuilder::new().delimiter(b';').from_writer(&mut out);
        let broken = |e: csv::Error| StoreError::Corrupt(e.to_string());
        if std::mem::take(&mut self.first) {
            let heads = ["number", "at", "kind", "actor", "participant", "record", "delivery", "obligation", "detail"];
            csv.write_record(heads).map_err(broken)?;
        }
        for row in &rows {
            let own = &row.entry;
            let shown = entry(&self.visit, row, &logins, self.zone);
            let about = |name| shown.about.iter().find(|(own, _)| *own == name).map_or("", |(_, id)| id.as_str());
            let detail = if own.detail.is_null() { String::new() } else { own.detail.to_string() };
            let cells = [
                shown.number.as_str(),
                &shown.at_iso,
                &own.kind,
                &shown.actor,
                &shown.participant,
                about("record"),
                about("delivery"),
                about("obligation"),
                &detail,
            ];
            csv.write_record(cells.map(harmless)).map_err(broken)?;
        }
        csv.flush().map_err(|e| StoreError::Corrupt(e.to_string()))?;
        drop(csv);
        self.done = rows.len() < usize::try_from(EXPORT_ROWS).unwrap_or(usize::MAX);
        self.before = rows.last().map(|row| row.id.clone());
        Ok(out)
    }
}

/// A cell that an office program does not take for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}
