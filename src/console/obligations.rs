//! `/obligations`: «Сроки», a listing whose filters live in the address and whose pages are read by key.

use askama::Template;
use axum::response::Response;
use axum::routing::get;

use super::errors::Trouble;
use super::pick::{Choice, one, participants};
use super::routes::{Access, Route};
use super::shown::{Due, Light};
use super::texts::Texts;
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::{Right, Scope};
use crate::domain::{CaseId, ConversationId, ObligationId, ObligationState, ParticipantId, RuleId, Timestamp, Zone};
use crate::gateway::Snapshot;
use crate::store::{DueCursor, ObligationFilter, ObligationGroup};

const ROWS_MAX: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/obligations", Access::Right(Right::SeeObligations), get(page))]
}

#[derive(Template)]
#[template(path = "console/obligations.html")]
struct Page {
    frame: Frame,
    groups: Vec<Tab>,
    form: Form,
    /// A filter that could not be read, in words.
    error: String,
    filtered: bool,
    rows: Vec<Due>,
    /// Where the next page begins; empty: this is the last.
    next_href: String,
    /// The first page; empty: this is it.
    first_href: String,
    clear_href: &'static str,
    may_act: bool,
    /// This page, to come back to.
    back: String,
}

/// A group as a link.
struct Tab {
    href: String,
    label: String,
    current: bool,
}

/// The filters as they were sent, with what can be chosen.
struct Form {
    group: &'static str,
    participant: Vec<Choice>,
    debtor: Vec<Choice>,
    state: Vec<Choice>,
    sort: Vec<Choice>,
    rule: Vec<Choice>,
    case_id: String,
    conversation: String,
    from: String,
    to: String,
}

/// The groups with their words.
pub(super) const GROUPS: [(Option<ObligationGroup>, &str); 5] = [
    (Some(ObligationGroup::Overdue), "overdue"),
    (Some(ObligationGroup::Running), "running"),
    (Some(ObligationGroup::Pending), "pending"),
    (Some(ObligationGroup::Done), "done"),
    (None, "all"),
];

async fn page(visit: Visit) -> Result<Response, Trouble> {
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let (principal, t, zone) = (visit.principal()?, visit.texts(), visit.zone()?);
    let asked = GROUPS.into_iter().find(|(_, word)| *word == visit.query("group"));
    // Of one case or conversation all is of interest.
    let of_one = ["case", "conversation"].iter().any(|name| !visit.query(name).is_empty());
    let usual = if of_one { (None, "all") } else { (Some(ObligationGroup::Overdue), "overdue") };
    let (group, word) = asked.unwrap_or(usual);
    let read = read(&visit, principal.scope(), group, zone);
    let (rows, error) = match &read {
        Ok((filter, after)) => (store.list_obligations(filter, *after, ROWS_MAX + 1).await?, String::new()),
        Err(field) => (Vec::new(), t.a("filter-unreadable", "field", t.t(field))),
    };
    let late = store.late_settlements_for(&rows.iter().collect::<Vec<_>>()).await?;
    let (now, business_now) = (visit.gateway.clock().now(), visit.business_now());
    let light = Light { t, snapshot: &snapshot, zone, business_now, now };
    let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let filters = ["participant", "debtor", "rule", "state", "case", "conversation", "from", "to", "sort"];
    let page = Page {
        frame: visit.frame(&t.t("obligations-title"), "obligations"),
        groups: tabs(&visit, word),
        form: form(&visit, &snapshot, principal.scope(), word),
        error,
        filtered: filters.iter().any(|name| !visit.query(name).is_empty()),
        rows: rows
            .iter()
            .take(limit)
            .map(|row| light.due(row, late.get(&row.id).map_or(&[][..], Vec::as_slice)))
            .collect(),
        next_href: last.map_or_else(String::new, |row| visit.with(&[("after", &cursor_text(DueCursor::after(row)))])),
        first_href: if visit.query("after").is_empty() { String::new() } else { visit.with(&[("after", "")]) },
        clear_href: "/obligations",
        may_act: visit.may(Right::ActOnObligations),
        back: visit.with(&[]),
    };
    Ok(html(page.render()?))
}

fn tabs(visit: &Visit, current: &str) -> Vec<Tab> {
    let tab = |(_, word): (Option<ObligationGroup>, &str)| Tab {
        href: visit.with(&[("group", word), ("after", "")]),
        label: visit.texts().word("group", word),
        current: word == current,
    };
    GROUPS.into_iter().map(tab).collect()
}

/// The filter of the address.
///
/// # Errors
/// The label of the first field that cannot be read.
pub(super) fn read(
    visit: &Visit,
    scope: &Scope,
    group: Option<ObligationGroup>,
    zone: Zone,
) -> Result<(ObligationFilter, Option<DueCursor>), &'static str> {
    let filter = ObligationFilter {
        group,
        debtor: one(visit.query("debtor"), |t| ParticipantId::parse(t).ok(), "say-debtor")?,
        states: one(visit.query("state"), ObligationState::parse, "say-state")?.into_iter().collect(),
        latest_first: visit.query("sort") == "latest",
        party: one(visit.query("participant"), |t| ParticipantId::parse(t).ok(), "say-participant")?,
        rule: one(visit.query("rule"), |t| RuleId::parse(t).ok(), "say-rule")?,
        case_id: one(visit.query("case"), |t| CaseId::parse(t).ok(), "say-case")?,
        conversation_id: one(visit.query("conversation"), |t| ConversationId::parse(t).ok(), "say-conversation")?,
        due_from: one(visit.query("from"), |t| after_midnight(t, zone, 0), "say-from")?,
        due_before: one(visit.query("to"), |t| after_midnight(t, zone, 1), "say-to")?,
        within: scope.clone(),
        ..ObligationFilter::default()
    };
    Ok((filter, one(visit.query("after"), cursor, "say-page")?))
}

/// A second after the beginning of a day such as `2026-11-28`, so many days later: a due at midnight belongs to the day before.
fn after_midnight(text: &str, zone: Zone, days_later: u64) -> Option<Timestamp> {
    let day: chrono::NaiveDate = text.parse().ok()?;
    Some(words::day_start(day.checked_add_days(chrono::Days::new(days_later))?, zone)?.plus_seconds(1))
}

/// Where the next page begins, as the address carries it.
pub(super) fn cursor_text(DueCursor { due_at, id }: DueCursor) -> String {
    format!("{}.{id}", due_at.map_or_else(String::new, |at| at.micros().to_string()))
}

fn cursor(text: &str) -> Option<DueCursor> {
    let (due, id) = text.split_once('.')?;
    let due_at = if due.is_empty() { None } else { Some(Timestamp::from_micros(due.parse().ok()?)) };
    Some(DueCursor { due_at, id: ObligationId::parse(id).ok()? })
}

fn form(visit: &Visit, snapshot: &Snapshot, scope: &Scope, group: &'static str) -> Form {
    let (t, participant, rule) = (visit.texts(), visit.query("participant"), visit.query("rule"));
    let sort = visit.query("sort");
    let state = visit.query("state");
    let states = ObligationState::ALL.iter().map(|s| Choice {
        value: s.as_str().to_owned(),
        label: t.word("obligation", s.as_str()),
        chosen: s.as_str() == state,
    });
    Form {
        group,
        participant: participants(snapshot, scope, participant),
        debtor: participants(snapshot, scope, visit.query("debtor")),
        state: states.collect(),
        sort: vec![Choice { value: "latest".to_owned(), label: t.t("sort-latest"), chosen: sort == "latest" }],
        rule: rules(t, snapshot, rule),
        case_id: visit.query("case").to_owned(),
        conversation: visit.query("conversation").to_owned(),
        from: visit.query("from").to_owned(),
        to: visit.query("to").to_owned(),
    }
}

/// The rules of all regulations; one that is in several stands once.
fn rules(t: Texts, snapshot: &Snapshot, chosen: &str) -> Vec<Choice> {
    let mut rules: Vec<Choice> = Vec::new();
    for rule in snapshot.regulations().flat_map(|r| &r.rules).filter(|rule| rule.off.is_none()) {
        if rules.iter().all(|known| known.value != rule.id.as_str()) {
            let label = t.pick(&rule.title.ru, &rule.title.en).to_owned();
            rules.push(Choice { value: rule.id.to_string(), label, chosen: rule.id.as_str() == chosen });
        }
    }
    rules.sort_by(|a, b| a.label.cmp(&b.label));
    rules
}
