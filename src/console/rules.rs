//! `/regulations` and `/calendar`: what is in force, from which paragraph, what is off; and a what-if count of a term.

use askama::Template;
use axum::response::Response;
use axum::routing::get;
use chrono::{Datelike as _, NaiveDate, Weekday};

use super::days::{Month, months as picture};
use super::errors::Trouble;
use super::routes::{Access, Route};
use super::texts::Texts;
use super::visit::{Frame, Visit, html};
use crate::access::Right;
use crate::deadline::{
    Calendar, DayKind, Fields, Regulation, Roll, Rule, Source, Start, Term, TermChoice, compute, show_due,
};
use crate::domain::Zone;

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeConfiguration);
    vec![Route::get("/regulations", see, get(regulations)), Route::get("/calendar", see, get(calendar))]
}

/// Something to choose among, as a link.
struct Tab {
    href: String,
    label: String,
    current: bool,
}

struct DocumentRow {
    title: String,
    edition: String,
    checked: String,
}

struct RuleRow {
    id: String,
    title: String,
    term: String,
    source: String,
    /// Why it is off; empty: it is in force.
    off: String,
    is_off: bool,
    reading: String,
}

/// The fields of the count as they were sent.
struct Asked {
    term: String,
    from: String,
    roll: Vec<Choice>,
}

struct Choice {
    value: &'static str,
    label: String,
    chosen: bool,
}

/// What the count came to.
struct Counted {
    due: String,
    steps: Vec<String>,
    months: Vec<Month>,
}

#[derive(Template)]
#[template(path = "console/regulations.html")]
struct RegulationsPage {
    frame: Frame,
    tabs: Vec<Tab>,
    id: String,
    revision: i64,
    effective_from: String,
    calendar: String,
    documents: Vec<DocumentRow>,
    rules: Vec<RuleRow>,
    off: usize,
    asked: Asked,
    error: String,
    counted: Option<Counted>,
    weekdays: Vec<String>,
}

async fn regulations(visit: Visit) -> Result<Response, Trouble> {
    let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
    let all: Vec<&Regulation> = snapshot.regulations().collect();
    let used = |r: &&&Regulation| snapshot.participants().any(|k| k.participant.regulation == r.id);
    let wanted = all.iter().find(|r| r.id == visit.query("id"));
    let regulation = wanted.or_else(|| all.iter().find(used)).or(all.first()).ok_or(Trouble::NotFound)?;
    let tabs = all.iter().map(|r| Tab {
        href: format!("/regulations?id={}", r.id),
        label: t.pick(&r.title.ru, &r.title.en).to_owned(),
        current: r.id == regulation.id,
    });
    let rules: Vec<RuleRow> = regulation.rules.iter().map(|rule| row(t, regulation, rule)).collect();
    let (counted, error) = match count(&visit, regulation, snapshot.calendars.get(&regulation.calendar)) {
        Ok(counted) => (counted, String::new()),
        Err(said) => (None, said),
    };
    let roll = |word| Choice { value: word, label: t.word("roll", word), chosen: visit.query("roll") == word };
    let page = RegulationsPage {
        frame: visit.frame(&t.t("regulations-title"), "regulations"),
        tabs: tabs.collect(),
        id: regulation.id.clone(),
        revision: snapshot.bundle_revision,
        effective_from: regulation.effective_from.format("%d.%m.%Y").to_string(),
        calendar: regulation.calendar.clone(),
        documents: regulation.documents.iter().map(|d| document(t, d)).collect(),
        off: rules.iter().filter(|rule| rule.is_off).count(),
        rules,
        asked: Asked {
            term: visit.query("term").to_owned(),
            from: visit.query("from").to_owned(),
            roll: ["forward", "none", "back"].map(roll).into_iter().collect(),
        },
        error,
        counted,
        weekdays: weekdays(t),
    };
    Ok(html(page.render()?))
}

fn document(t: Texts, document: &crate::deadline::Document) -> DocumentRow {
    let checked = document.checked_on.map(|day| t.a("regulation-checked", "date", day.format("%d.%m.%Y").to_string()));
    DocumentRow {
        title: document.title.clone(),
        edition: document.edition.clone().unwrap_or_default(),
        checked: checked.unwrap_or_else(|| t.t("regulation-unchecked")),
    }
}

fn row(t: Texts, regulation: &Regulation, rule: &Rule) -> RuleRow {
    let term = match &rule.term {
        TermChoice::Plain(term) => t.pick(&term.ru(), &term.to_string()).to_owned(),
        TermChoice::Table(id) => t.a("regulation-by-table", "id", id.as_str()),
        TermChoice::None => t.t("regulation-no-term"),
    };
    RuleRow {
        id: rule.id.to_string(),
        title: t.pick(&rule.title.ru, &rule.title.en).to_owned(),
        term,
        source: place(regulation, &rule.source),
        off: rule.off.clone().unwrap_or_default(),
        is_off: rule.off.is_some(),
        reading: rule.reading.clone().unwrap_or_default(),
    }
}

fn place(regulation: &Regulation, source: &Source) -> String {
    let document = regulation.documents.iter().find(|d| d.id == source.document);
    let title = document.map_or(source.document.as_str(), |d| d.title.as_str());
    [title, source.paragraph.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Counts what was asked; `Ok(None)`: nothing was.
fn count(visit: &Visit, regulation: &Regulation, calendar: Option<&Calendar>) -> Result<Option<Counted>, String> {
    let t = visit.texts();
    let (term, from) = (visit.query("term").trim(), visit.query("from").trim());
    if term.is_empty() && from.is_empty() {
        return Ok(None);
    }
    let term = Term::parse(term).map_err(|error| error.to_string())?;
    let start = Start::parse(from).ok_or_else(|| t.t("calculator-from-unreadable"))?;
    let roll = Roll::parse(visit.query("roll")).unwrap_or(Roll::Forward);
    let calendar = calendar.ok_or_else(|| regulation.calendar.clone())?;
    let zone: Zone = regulation.zone;
    let computed = compute(&term, roll, calendar, zone, &start, &Fields::new()).map_err(|error| error.to_string())?;
    let steps = computed.steps.iter().map(|step| t.pick(&step.ru, &step.en).to_owned()).collect();
    let last = computed.last_day.unwrap_or_else(|| Start::Instant(computed.due.plus_seconds(-1)).local_date(zone));
    let months = picture(t, computed.steps.iter().map(|step| (step.step, step.date)), Some(last));
    Ok(Some(Counted { due: show_due(computed.due, zone), steps, months }))
}

/// The heads of a week's columns.
fn weekdays(t: Texts) -> Vec<String> {
    (1..=7).map(|day: u32| t.word("weekday", &day.to_string())).collect()
}

/// A day of a month's grid; no number: before the first.
struct Cell {
    number: String,
    kind: &'static str,
    title: String,
}

struct MonthGrid {
    name: String,
    working: usize,
    weeks: Vec<Vec<Cell>>,
}

#[derive(Template)]
#[template(path = "console/calendar.html")]
struct CalendarPage {
    frame: Frame,
    calendars: Vec<Tab>,
    years: Vec<Tab>,
    weekdays: Vec<String>,
    months: Vec<MonthGrid>,
    working: usize,
    doubt: String,
}

async fn calendar(visit: Visit) -> Result<Response, Trouble> {
    let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
    let used = snapshot.regulations().next().map(|r| r.calendar.clone()).unwrap_or_default();
    let wanted = snapshot.calendars.get(visit.query("name")).or_else(|| snapshot.calendars.get(&used));
    let calendar = wanted.or_else(|| snapshot.calendars.iter().next()).ok_or(Trouble::NotFound)?;
    let now = visit.business_now().utc().with_timezone(&visit.zone()?.tz()).year();
    let asked = visit.query("year").parse().ok().filter(|year| calendar.covers(*year).is_ok());
    let year = asked.unwrap_or(now);
    let covered = calendar.covers(year).is_ok();
    let months = if covered { (1..=12).map(|m| month(t, calendar, year, m)).collect() } else { Vec::new() };
    let tab = |name: &str, year: i32| format!("/calendar?name={name}&year={year}");
    let page = CalendarPage {
        frame: visit.frame(&t.a("calendar-title", "year", year.to_string()), "calendar"),
        calendars: snapshot
            .calendars
            .names()
            .map(|name| Tab { href: tab(name, year), label: name.to_owned(), current: name == calendar.name() })
            .collect(),
        years: calendar
            .years()
            .iter()
            .map(|y| Tab { href: tab(calendar.name(), *y), label: y.to_string(), current: *y == year })
            .collect(),
        weekdays: weekdays(t),
        working: calendar.working_days(year).unwrap_or_default(),
        doubt: calendar.doubt(year).unwrap_or_default().to_owned(),
        months,
    };
    Ok(html(page.render()?))
}

fn month(t: Texts, calendar: &Calendar, year: i32, month: u32) -> MonthGrid {
    let first = NaiveDate::from_ymd_opt(year, month, 1);
    let days: Vec<NaiveDate> =
        first.into_iter().flat_map(|day| day.iter_days()).take_while(|day| day.month() == month).collect();
    let blank = || Cell { number: String::new(), kind: "blank", title: String::new() };
    let mut cells: Vec<Cell> = Vec::new();
    cells.extend((0..first.map_or(0, |day| day.weekday().num_days_from_monday())).map(|_| blank()));
    let mut working = 0;
    for day in days {
        let kind = calendar.day(day).unwrap_or(DayKind::Weekend);
        working += usize::from(kind.is_working());
        let on_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let kind = match kind {
            DayKind::Working if on_weekend => "moved",
            other @ (DayKind::Working | DayKind::Short | DayKind::Weekend | DayKind::Nonworking) => other.as_str(),
        };
        let note = calendar.note(day);
        let title = if note.is_empty() { t.word("day", kind) } else { format!("{}: {note}", t.word("day", kind)) };
        cells.push(Cell { number: day.day().to_string(), kind, title });
    }
    while !cells.len().is_multiple_of(7) {
        cells.push(blank());
    }
    let mut weeks: Vec<Vec<Cell>> = Vec::new();
    for cell in cells {
        match weeks.last_mut().filter(|week| week.len() < 7) {
            Some(week) => week.push(cell),
            None => weeks.push(vec![cell]),
        }
    }
    MonthGrid { name: t.word("month-name", &month.to_string()), working, weeks }
}
