//! `/cases`: «Дела», a listing by filters in the address, and a case's life on one page. Names are in neither: a case keeps none.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;

use super::errors::Trouble;
use super::routes::{Access, Route};
use super::shown::{Due, Light};
use super::texts::Texts;
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::{Principal, Right};
use crate::deadline::cases::Consent;
use crate::deadline::{Opens, Regulation};
use crate::domain::{CaseId, DataClass, Oktmo, ParticipantId, Timestamp};
use crate::gateway::Snapshot;
use crate::store::{CaseFilter, CaseRow, MessageFilter, MessageRow, ObligationFilter, ObligationRow};

const ROWS_MAX: u32 = 50;
/// How much of one case a page shows.
const OF_CASE_MAX: u32 = 500;

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeCases);
    vec![Route::get("/cases", see, get(list)), Route::get("/cases/{id}", see, get(case))]
}

#[derive(Template)]
#[template(path = "console/cases.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    state: &'static str,
    territory: String,
    curator: String,
    case_id: String,
    level: Vec<Choice>,
    error: String,
    filtered: bool,
    rows: Vec<Row>,
    next_href: String,
    first_href: String,
}

struct Tab {
    href: String,
    label: String,
    current: bool,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Row {
    id: String,
    kind: String,
    territory: String,
    opened: String,
    days: String,
    level: String,
    curator: String,
    closed: bool,
    /// Flags in words.
    flags: Vec<String>,
}

const STATES: [&str; 3] = ["open", "closed", "all"];

async fn list(visit: Visit) -> Result<Response, Trouble> {
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let (principal, t) = (visit.principal()?, visit.texts());
    let state = STATES.into_iter().find(|word| *word == visit.query("state")).unwrap_or("open");
    let asked = read(&visit, principal, state);
    let (rows, error) = match asked {
        Ok((filter, before)) => (store.list_cases(&filter, before, ROWS_MAX + 1).await?, String::new()),
        Err(label) => (Vec::new(), t.a("filter-unreadable", "field", t.t(label))),
    };
    let shower = Shower { t, snapshot: &snapshot };
    let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let filters = ["territory", "curator", "level", "case"];
    let page = ListPage {
        frame: visit.frame(&t.t("cases-title"), "cases"),
        tabs: STATES
            .into_iter()
            .map(|word| Tab {
                href: visit.with(&[("state", word), ("after", "")]),
                label: t.word("case-state", word),
                current: word == state,
            })
            .collect(),
        state,
        territory: visit.query("territory").to_owned(),
        curator: visit.query("curator").to_owned(),
        case_id: visit.query("case").to_owned(),
        level: levels(t, &snapshot, visit.query("level")),
        error,
        filtered: filters.iter().any(|name| !visit.query(name).is_empty()),
        next_href: last.map_or_else(String::new, |row| visit.with(&[("after", &row.id.to_string())])),
        first_href: if visit.query("after").is_empty() { String::new() } else { visit.with(&[("after", "")]) },
        rows: rows.iter().take(limit).map(|row| shower.row(row)).collect(),
    };
    Ok(html(page.render()?))
}

/// The filter, and where the page begins; or the label of the first field that cannot be read.
fn read(visit: &Visit, principal: &Principal, state: &str) -> Result<(CaseFilter, Option<CaseId>), &'static str> {
    fn one<T>(text: &str, parse: impl Fn(&str) -> Option<T>, label: &'static str) -> Result<Option<T>, &'static str> {
        if text.is_empty() { Ok(None) } else { parse(text).map(Some).ok_or(label) }
    }
    let id = |text: &str| CaseId::parse(text).ok();
    let filter = CaseFilter {
        case_id: one(visit.query("case"), id, "say-case")?,
        territory: one(visit.query("territory"), |t| Oktmo::parse(t).ok(), "say-territory")?,
        curator: one(visit.query("curator"), |t| Some(t.to_owned()), "say-curator")?,
        level: one(visit.query("level"), |t| Some(t.to_owned()), "say-level")?,
        open: state == "open",
        closed: state == "closed",
        within: principal.scope().clone(),
    };
    Ok((filter, one(visit.query("after"), id, "say-page")?))
}

fn levels(t: Texts, snapshot: &Snapshot, chosen: &str) -> Vec<Choice> {
    let codes = snapshot.catalogue.codes().list("levels").unwrap_or_default();
    let choice = |c: &crate::schema::codes::Code| Choice {
        value: c.code.clone(),
        label: t.pick(&c.ru, &c.en).to_owned(),
        chosen: c.code == chosen,
    };
    codes.iter().map(choice).collect()
}

/// What rows and pages are shown with.
struct Shower<'a> {
    t: Texts,
    snapshot: &'a Snapshot,
}

impl Shower<'_> {
    fn coded(&self, list: &str, code: &str) -> String {
        let found = self.snapshot.catalogue.codes().code(list, code);
        found.map_or_else(|| code.to_owned(), |c| self.t.pick(&c.ru, &c.en).to_owned())
    }

    fn day(day: Option<chrono::NaiveDate>) -> String {
        day.map(|d| d.format("%d.%m.%Y").to_string()).unwrap_or_default()
    }

    fn flags(&self, row: &CaseRow) -> Vec<String> {
        let mut flags: Vec<String> = row.facts.flags.iter().map(|f| self.t.pick(&f.ru, &f.en).to_owned()).collect();
        if !row.facts.unseen.is_empty() {
            flags.push(self.t.n("case-unseen", row.facts.unseen.len() as u64));
        }
        flags
    }

    fn row(&self, row: &CaseRow) -> Row {
        let facts = &row.facts;
        let days = [Self::day(facts.begins_on), Self::day(facts.ends_on)];
        let zone = self.zone(row);
        Row {
            id: row.id.to_string(),
            kind: self.kind(row),
            territory: row.territory.to_string(),
            opened: words::date(self.t, row.opened_at, zone),
            days: if days.iter().all(String::is_empty) { String::new() } else { days.join(" – ") },
            level: facts.level.as_deref().map(|level| self.coded("levels", level)).unwrap_or_default(),
            curator: facts.curator.clone().unwrap_or_default(),
            closed: facts.is_closed(),
            flags: self.flags(row),
        }
    }

    fn kind(&self, row: &CaseRow) -> String {
        if row.kind == "group" { self.t.t("case-group") } else { self.t.t("case-individual") }
    }

    fn regulation(&self, row: &CaseRow) -> Option<&Regulation> {
        self.snapshot.regulation(&row.regulation).ok()
    }

    fn zone(&self, row: &CaseRow) -> crate::domain::Zone {
        self.regulation(row).map_or_else(crate::domain::Zone::utc, |r| r.zone)
    }

    fn name(&self, id: &ParticipantId) -> String {
        self.snapshot.participant(id).map_or_else(|| id.to_string(), |p| p.name.clone())
    }
}

#[derive(Template)]
#[template(path = "console/case.html")]
struct CasePage {
    frame: Frame,
    id: String,
    closed: bool,
    /// What is known of it, as pairs.
    pairs: Vec<(String, String)>,
    flags: Vec<String>,
    steps: Vec<Step>,
    measures: Vec<Measure>,
    /// Obligations of the calendar: who reports what when.
    reports: Vec<Due>,
    /// All others.
    duties: Vec<Due>,
    consents: Vec<Said>,
    conversations: Vec<Conversation>,
    may_see_messages: bool,
    /// Whether the reader sees a part of the case only.
    part: bool,
    /// Whether there is more than the page shows.
    more: bool,
}

struct Step {
    title: String,
    at: String,
    at_iso: String,
    seen: bool,
}

struct Measure {
    number: String,
    kind: String,
    responsible: String,
    days: String,
}

struct Said {
    at: String,
    text: String,
    detail: String,
}

struct Conversation {
    id: String,
    messages: Vec<Told>,
}

struct Told {
    at: String,
    at_iso: String,
    what: String,
    parties: String,
    id: String,
}

async fn case(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let id = CaseId::parse(&id).map_err(|_| Trouble::NotFound)?;
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let (principal, t) = (visit.principal()?, visit.texts());
    let row = store.case(id).await?.ok_or(Trouble::NotFound)?;
    let filter = MessageFilter { case_id: Some(id), ..MessageFilter::default() };
    let mut messages = store.list_messages(&filter, None, OF_CASE_MAX).await?;
    let filter =
        ObligationFilter { case_id: Some(id), within: principal.scope().clone(), ..ObligationFilter::default() };
    let obligations = store.list_obligations(&filter, None, OF_CASE_MAX).await?;
    let more = [messages.len(), obligations.len()].iter().any(|n| u32::try_from(*n).is_ok_and(|n| n >= OF_CASE_MAX));
    messages.retain(|m| principal.sees(&[&m.sender, &m.recipient], Some(&row.territory)));
    let part = !principal.scope().participants.is_empty();
    // Not theirs and not there are one answer.
    let is_theirs = principal.scope().territories.is_empty()
        || principal.scope().territories.iter().any(|own| own.covers(&row.territory));
    if !is_theirs || (part && messages.is_empty() && obligations.is_empty()) {
        return Err(Trouble::NotFound);
    }
    let late = store.late_settlements_for(&obligations.iter().collect::<Vec<_>>()).await?;
    let shower = Shower { t, snapshot: &snapshot };
    let zone = shower.zone(&row);
    let (now, business_now) = (visit.gateway.clock().now(), visit.business_now());
    let light = Light { t, snapshot: &snapshot, zone, business_now, now };
    let due = |o: &ObligationRow| light.due(o, late.get(&o.id).map_or(&[][..], Vec::as_slice));
    let (reports, duties): (Vec<&ObligationRow>, Vec<&ObligationRow>) =
        obligations.iter().partition(|o| shower.is_report(&row, o));
    let page = CasePage {
        frame: visit.frame(&t.t("case-title"), "cases"),
        id: row.id.to_string(),
        closed: row.facts.is_closed(),
        pairs: shower.pairs(&row),
        flags: shower.flags(&row),
        steps: shower.steps(&row),
        measures: shower.measures(&row, principal),
        reports: reports.into_iter().map(due).collect(),
        duties: duties.into_iter().map(due).collect(),
        consents: if part { Vec::new() } else { row.facts.consents.iter().map(|c| shower.said(c, &row)).collect() },
        conversations: shower.conversations(&row, &messages),
        may_see_messages: visit.may(Right::SeeMessages),
        part,
        more,
    };
    Ok(html(page.render()?))
}

impl Shower<'_> {
    fn is_report(&self, row: &CaseRow, obligation: &ObligationRow) -> bool {
        let rule = self.regulation(row).and_then(|r| r.rule(&obligation.rule));
        rule.is_some_and(|rule| matches!(rule.opens, Opens::Every { .. }))
    }

    fn pairs(&self, row: &CaseRow) -> Vec<(String, String)> {
        let (t, facts) = (self.t, &row.facts);
        let regulation = self.regulation(row).map(|r| t.pick(&r.title.ru, &r.title.en).to_owned());
        let since = facts.level_since.map(|day| t.a("case-since", "day", Self::day(Some(day))));
        let level = facts.level.as_deref().map(|level| {
            [Some(self.coded("levels", level)), since].into_iter().flatten().collect::<Vec<_>>().join(", ")
        });
        let programme = facts
            .programme
            .as_ref()
            .map(|p| t.a2("case-programme-of", "number", p.number.clone(), "version", p.version.to_string()));
        let zone = self.zone(row);
        let instant = |micros: i64| words::instant(t, Timestamp::from_micros(micros), zone);
        let pairs = [
            (t.t("case-regulation"), regulation.unwrap_or_else(|| row.regulation.clone())),
            (t.t("case-territory"), row.territory.to_string()),
            (t.t("case-kind"), self.kind(row)),
            (t.t("case-opened"), words::instant(t, row.opened_at, zone)),
            (t.t("case-begins"), Self::day(facts.begins_on)),
            (t.t("case-ends"), Self::day(facts.ends_on)),
            (t.t("case-stated-end"), Self::day(facts.stated_ends_on)),
            (t.t("case-level"), level.unwrap_or_default()),
            (t.t("case-curator"), facts.curator.clone().unwrap_or_default()),
            (t.t("case-programme"), programme.unwrap_or_default()),
            (t.t("case-contract"), facts.contract.as_ref().map(|c| instant(c.signed_at)).unwrap_or_default()),
            (t.t("case-closed-at"), facts.closed_at.map(instant).unwrap_or_default()),
        ];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The steps that were seen in the order of their instants, then those that were expected and were not.
    fn steps(&self, row: &CaseRow) -> Vec<Step> {
        let (t, zone) = (self.t, self.zone(row));
        let all = self.regulation(row).map(|r| r.steps.as_slice()).unwrap_or_default();
        let mut seen: Vec<(i64, Step)> = Vec::new();
        let mut unseen = Vec::new();
        for step in all {
            let title = t.pick(&step.title.ru, &step.title.en).to_owned();
            if let Some(micros) = row.facts.steps.get(&step.id) {
                let at = Timestamp::from_micros(*micros);
                let (text, iso) = (words::instant(t, at, zone), at.in_zone(zone));
                seen.push((*micros, Step { title, at: text, at_iso: iso, seen: true }));
            } else if row.facts.unseen.contains(&step.id) {
                unseen.push(Step { title, at: t.t("case-step-unseen"), at_iso: String::new(), seen: false });
            }
        }
        seen.sort_by_key(|(at, _)| *at);
        seen.into_iter().map(|(_, step)| step).chain(unseen).collect()
    }

    fn measures(&self, row: &CaseRow, principal: &Principal) -> Vec<Measure> {
        let of = row.facts.programme.iter().flat_map(|p| &p.measures);
        let own = |who: Option<&ParticipantId>| match who {
            Some(id) => principal.scope().covers_participant(id),
            None => principal.scope().participants.is_empty(),
        };
        of.filter_map(|m| {
            let who = m.responsible.as_deref().and_then(|id| ParticipantId::parse(id).ok());
            own(who.as_ref()).then(|| Measure {
                number: m.number.clone(),
                kind: self.coded("help-kinds", &m.kind),
                responsible: who.map_or_else(|| self.t.t("case-outside"), |id| self.name(&id)),
                days: format!("{} – {}", Self::day(Some(m.begins_on)), Self::day(Some(m.due_on))),
            })
        })
        .collect()
    }

    /// What was said when, to whom and of which data; neither number nor name.
    fn said(&self, consent: &Consent, row: &CaseRow) -> Said {
        let t = self.t;
        let to = consent.recipients.as_ref().map(|to| {
            let name = |id: &String| ParticipantId::parse(id).map_or_else(|_| id.clone(), |id| self.name(&id));
            to.iter().map(name).collect::<Vec<_>>().join(", ")
        });
        let of = consent.data_classes.as_ref().map(|classes| {
            classes.iter().map(|class: &DataClass| t.word("data-class", class.as_str())).collect::<Vec<_>>().join(", ")
        });
        let to = to.unwrap_or_else(|| t.t("case-to-all"));
        let of = of.unwrap_or_else(|| t.t("case-all-data"));
        let whose = if consent.of_another { format!(" · {}", t.t("case-of-another")) } else { String::new() };
        let until = consent.valid_until.map(|day| format!(" · {}", t.a("case-until", "day", Self::day(Some(day)))));
        Said {
            at: words::instant(t, Timestamp::from_micros(consent.at), self.zone(row)),
            text: self.coded("consent-states", consent.state.as_str()),
            detail: format!("{to}: {of}{whose}{}", until.unwrap_or_default()),
        }
    }

    /// Messages by their conversations, the newest conversation first and in each the oldest message.
    fn conversations(&self, row: &CaseRow, messages: &[MessageRow]) -> Vec<Conversation> {
        let (t, zone) = (self.t, self.zone(row));
        let mut order = Vec::new();
        let mut by: BTreeMap<String, Vec<Told>> = BTreeMap::new();
        for message in messages {
            let id = message.conversation_id.to_string();
            if !by.contains_key(&id) {
                order.push(id.clone());
            }
            by.entry(id).or_default().push(Told {
                at: words::instant(t, message.business_at, zone),
                at_iso: message.business_at.in_zone(zone),
                what: t.word("type", &message.message_type.name),
                parties: format!("{} → {}", self.name(&message.sender), self.name(&message.recipient)),
                id: message.message_id.to_string(),
            });
        }
        let one = |id: String| {
            let mut messages = by.remove(&id).unwrap_or_default();
            messages.reverse();
            Conversation { id, messages }
        };
        order.into_iter().map(one).collect()
    }
}
