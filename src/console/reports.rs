//! `/reports`: «Отчёты»: a report on the screen and on paper, and as a file. A register shows no person until somebody who may asks for it by
//! a form; each reading of a register is in the journal.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use super::errors::Trouble;
use super::fields::Fields;
use super::routes::{Access, Route};
use super::texts::Texts;
use super::visit::{Frame, Visit, html};
use crate::access::Right;
use crate::deadline::{Month, Regulation, Start};
use crate::domain::{DataClass, Participant, ParticipantId, RuleId};
use crate::gateway::{ReportBase, ReportError, ReportKind, ReportRequest, Snapshot, make_report};
use crate::report::{self, Cell, Language, Period, Report};
use crate::store::ReportFilter;

/// The most rows of a table on the screen; a file has all.
const ROWS_MAX: usize = 500;

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeReports);
    vec![
        Route::get("/reports", see, get(page)),
        Route::get("/reports/file", see, get(file)),
        Route::post("/reports/personal", Access::Right(Right::SeePersonalData), post(personal)),
    ]
}

#[derive(Template)]
#[template(path = "console/reports.html")]
struct Page {
    frame: Frame,
    form: Form,
    periods: Vec<Tab>,
    /// What could not be read or made, in words.
    error: String,
    report: Option<Shown>,
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

/// The filters as they were sent, with what can be chosen.
struct Form {
    report: Vec<Choice>,
    regulation: Vec<Choice>,
    participant: Vec<Choice>,
    rule: Vec<Choice>,
    period: String,
    from: String,
    to: String,
}

/// A report as the page shows it.
struct Shown {
    title: String,
    head: Vec<String>,
    notes: Vec<String>,
    tables: Vec<ShownTable>,
    xlsx_href: String,
    csv_href: String,
    /// The fields that a form for personal data repeats; empty: the reader may not, or there are none.
    personal: Vec<(String, String)>,
    /// Whether personal data are shown now.
    personal_now: bool,
}

struct ShownTable {
    key: &'static str,
    title: String,
    columns: Vec<ShownColumn>,
    rows: Vec<Vec<ShownCell>>,
    total: Vec<ShownCell>,
    /// How many rows are in the file only.
    more: u32,
    notes: Vec<(String, String)>,
}

struct ShownColumn {
    title: String,
    numeric: bool,
}

struct ShownCell {
    label: String,
    text: String,
    numeric: bool,
    /// A word for how it looks.
    look: &'static str,
}

/// What was asked for, by a query or by a form.
pub(super) struct Asked<'q> {
    value: Box<dyn Fn(&str) -> String + Send + Sync + 'q>,
}

const FILTERS: [&str; 7] = ["report", "regulation", "participant", "rule", "period", "from", "to"];

impl<'q> Asked<'q> {
    fn by_query(visit: &'q Visit) -> Self {
        Self { value: Box::new(|name| visit.query(name).to_owned()) }
    }

    /// By a query, of the report that the address names.
    pub(super) fn of(visit: &'q Visit, report: &'q str) -> Self {
        let value = move |name: &str| if name == "report" { report } else { visit.query(name) }.to_owned();
        Self { value: Box::new(value) }
    }

    fn by_form(fields: &'q Fields) -> Self {
        Self { value: Box::new(|name| fields.get(name).to_owned()) }
    }

    fn get(&self, name: &str) -> String {
        (self.value)(name)
    }

    /// As an address's query.
    fn query(&self, more: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(FILTERS.map(|name| (name, self.get(name))).iter().filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(more);
        query.finish()
    }

    fn kind(&self) -> ReportKind {
        ReportKind::parse(&self.get("report")).unwrap_or(ReportKind::Discipline)
    }
}

async fn page(visit: Visit) -> Result<Response, Trouble> {
    let asked = Asked::by_query(&visit);
    shown(&visit, &asked, false).await
}

async fn shown(visit: &Visit, asked: &Asked<'_>, personal: bool) -> Result<Response, Trouble> {
    let snapshot = visit.gateway.snapshot();
    let t = visit.texts();
    let (report, error) = match made(visit, &snapshot, asked, personal).await {
        Ok(report) => (Some(view(visit, asked, &report, personal)), String::new()),
        Err(Refused::Field(label)) => (None, t.a("filter-unreadable", "field", t.t(label))),
        Err(Refused::TooMany) => (None, t.t("reports-too-many")),
        Err(Refused::Trouble(trouble)) => return Err(trouble),
    };
    let page = Page {
        frame: visit.frame(&t.t("reports-title"), "reports"),
        form: form(visit, &snapshot, asked),
        periods: periods(visit, &snapshot, asked),
        error,
        report,
    };
    Ok(html(page.render()?))
}

/// Why there is no report.
pub(super) enum Refused {
    /// A field cannot be read; its label.
    Field(&'static str),
    /// More than a report holds.
    TooMany,
    /// Anything else.
    Trouble(Trouble),
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Makes the report; a register with personal data only where `personal` says so.
pub(super) async fn made(
    visit: &Visit,
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    personal: bool,
) -> Result<Report, Refused> {
    fn one<T>(text: &str, parse: impl Fn(&str) -> Option<T>, label: &'static str) -> Result<Option<T>, Refused> {
        if text.is_empty() { Ok(None) } else { parse(text).map(Some).ok_or(Refused::Field(label)) }
    }
    let principal = visit.principal()?;
    let regulation = regulation(snapshot, &asked.get("regulation")).ok_or(Refused::Field("say-regulation"))?;
    let period = period(visit, regulation, asked)?;
    let request = ReportRequest {
        kind: asked.kind(),
        period,
        filter: ReportFilter {
            regulation: regulation.id.clone(),
            within: principal.scope().clone(),
            debtor: one(&asked.get("participant"), |t| ParticipantId::parse(t).ok(), "say-participant")?,
            rule: one(&asked.get("rule"), |t| RuleId::parse(t).ok(), "say-rule")?,
        },
        personal,
        actor: principal.actor(),
        at: visit.business_now(),
        now: visit.gateway.clock().now(),
    };
    let people: Vec<Participant> = snapshot.participants().map(|known| known.participant.clone()).collect();
    let base = ReportBase {
        regulation,
        calendar: snapshot.calendars.get(&regulation.calendar),
        participants: &people,
        codes: snapshot.catalogue.codes(),
    };
    match make_report(visit.gateway.store(), base, &request).await {
        Ok(report) => Ok(report),
        Err(ReportError::TooMany) => Err(Refused::TooMany),
        Err(ReportError::Store(error)) => Err(Refused::Trouble(error.into())),
    }
}

/// The one that is named, else the one with the most participants.
fn regulation<'s>(snapshot: &'s Snapshot, named: &str) -> Option<&'s Regulation> {
    let members = |r: &Regulation| snapshot.participants().filter(|k| k.participant.regulation == r.id).count();
    if named.is_empty() {
        return snapshot.regulations().max_by_key(|r| (members(r), std::cmp::Reverse(r.id.clone())));
    }
    snapshot.regulation(named).ok()
}

fn period(visit: &Visit, regulation: &Regulation, asked: &Asked<'_>) -> Result<Period, Refused> {
    let (named, from, to) = (asked.get("period"), asked.get("from"), asked.get("to"));
    if !from.is_empty() || !to.is_empty() {
        let day = |text: &str, label| text.parse().map_err(|_| Refused::Field(label));
        return Period::days(day(&from, "reports-day-from")?, day(&to, "reports-day-to")?)
            .map_err(|_| Refused::Field("reports-day-to"));
    }
    if named.is_empty() {
        return Ok(Period::month(Start::Instant(visit.business_now()).local_date(regulation.zone)));
    }
    Period::parse(&named).map_err(|_| Refused::Field("say-period"))
}

/// This and the last month, quarter and year as links.
fn periods(visit: &Visit, snapshot: &Snapshot, asked: &Asked<'_>) -> Vec<Tab> {
    let Some(regulation) = regulation(snapshot, &asked.get("regulation")) else { return Vec::new() };
    let today = Start::Instant(visit.business_now()).local_date(regulation.zone);
    let month = Month::of(today);
    let year = today.format("%Y").to_string();
    let quarter = format!("{year}-Q{}", month.quarter());
    let now = [month.to_string(), quarter, year].map(|text| Period::parse(&text));
    let chosen = period(visit, regulation, asked).ok();
    let t = visit.texts();
    now.into_iter()
        .flatten()
        .flat_map(|period| [period, period.before()])
        .map(|period| Tab {
            href: format!("/reports?{}", with_period(asked, period)),
            label: {
                let title = period.title();
                t.pick(&title.ru, &title.en).to_owned()
            },
            current: chosen == Some(period),
        })
        .collect()
}

fn with_period(asked: &Asked<'_>, period: Period) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let kept = ["report", "regulation", "participant", "rule"].map(|name| (name, asked.get(name)));
    query.extend_pairs(kept.iter().filter(|(_, value)| !value.is_empty()));
    query.append_pair("period", &period.to_string());
    query.finish()
}

fn form(visit: &Visit, snapshot: &Snapshot, asked: &Asked<'_>) -> Form {
    let t = visit.texts();
    let of =
        |value: &str, label: String, chosen: &str| Choice { value: value.to_owned(), label, chosen: value == chosen };
    let kind = asked.kind();
    let title = |kind: &ReportKind| {
        let title = kind.title();
        t.pick(&title.ru, &title.en).to_owned()
    };
    let regulation = regulation(snapshot, &asked.get("regulation"));
    let used: Vec<&Regulation> = snapshot.regulations().collect();
    let id = regulation.map(|r| r.id.clone()).unwrap_or_default();
    let scope = visit.signed.as_ref().map(|signed| signed.principal.scope().clone()).unwrap_or_default();
    let participants = snapshot
        .participants()
        .map(|k| &k.participant)
        .filter(|p| p.regulation == id && scope.covers_participant(&p.id));
    let (participant, rule) = (asked.get("participant"), asked.get("rule"));
    let mut participants: Vec<Choice> = participants.map(|p| of(p.id.as_str(), p.name.clone(), &participant)).collect();
    participants.sort_by(|a, b| a.label.cmp(&b.label));
    let rules = regulation.into_iter().flat_map(|r| &r.rules).filter(|r| r.off.is_none());
    let mut rules: Vec<Choice> =
        rules.map(|r| of(r.id.as_str(), t.pick(&r.title.ru, &r.title.en).to_owned(), &rule)).collect();
    rules.sort_by(|a, b| a.label.cmp(&b.label));
    Form {
        report: ReportKind::ALL.iter().map(|k| of(k.as_str(), title(k), kind.as_str())).collect(),
        regulation: used.iter().map(|r| of(&r.id, t.pick(&r.title.ru, &r.title.en).to_owned(), &id)).collect(),
        participant: participants,
        rule: rules,
        period: asked.get("period"),
        from: asked.get("from"),
        to: asked.get("to"),
    }
}

fn language(t: Texts) -> Language {
    if t.lang() == "ru" { Language::Ru } else { Language::En }
}

fn view(visit: &Visit, asked: &Asked<'_>, report: &Report, personal: bool) -> Shown {
    let lang = language(visit.texts());
    let register = matches!(asked.kind(), ReportKind::Register(_));
    let may = visit.signed.as_ref().is_some_and(|s| s.principal.sees_personal_data(&DataClass::ALL));
    let href = |format: &str| format!("/reports/file?{}", asked.query(&[("format", format)]));
    let fields = FILTERS.map(|name| (name.to_owned(), asked.get(name)));
    Shown {
        title: lang.of(&report.title).to_owned(),
        head: report.head(lang),
        notes: report.notes.iter().map(|note| lang.of(note).to_owned()).collect(),
        tables: report.tables.iter().map(|table| shown_table(table, lang, report)).collect(),
        xlsx_href: href("xlsx"),
        csv_href: href("csv"),
        personal: if register && may {
            fields.into_iter().filter(|(_, v)| !v.is_empty()).collect()
        } else {
            Vec::new()
        },
        personal_now: personal,
    }
}

fn shown_table(table: &report::Table, lang: Language, report: &Report) -> ShownTable {
    let cells = |row: &Vec<Cell>| -> Vec<ShownCell> {
        let pairs = row.iter().zip(&table.columns);
        let cell = |(cell, column): (&Cell, &report::Column)| ShownCell {
            label: lang.of(&column.title).to_owned(),
            text: cell.shown(lang, report.about.zone),
            numeric: column.numeric,
            look: look(cell),
        };
        pairs.map(cell).collect()
    };
    let note = |column: &report::Column| {
        column.note.as_ref().map(|note| (lang.of(&column.title).to_owned(), lang.of(note).to_owned()))
    };
    ShownTable {
        key: table.key,
        title: lang.of(&table.title).to_owned(),
        columns: table
            .columns
            .iter()
            .map(|c| ShownColumn { title: lang.of(&c.title).to_owned(), numeric: c.numeric })
            .collect(),
        rows: table.rows.iter().take(ROWS_MAX).map(cells).collect(),
        total: table.total.as_ref().filter(|_| !table.rows.is_empty()).map(cells).unwrap_or_default(),
        more: u32::try_from(table.rows.len().saturating_sub(ROWS_MAX)).unwrap_or(u32::MAX),
        notes: table.columns.iter().filter_map(note).collect(),
    }
}

fn look(cell: &Cell) -> &'static str {
    match cell {
        Cell::Hidden | Cell::Gone | Cell::Unknown => "dim",
        Cell::Empty
        | Cell::Text(_)
        | Cell::Words(_)
        | Cell::Count(_)
        | Cell::Share(_)
        | Cell::Points(_)
        | Cell::Tenths(_)
        | Cell::Day(_)
        | Cell::At(_) => "",
    }
}

async fn file(visit: Visit) -> Result<Response, Trouble> {
    let asked = Asked::by_query(&visit);
    let format = visit.query("format").to_owned();
    written(&visit, &asked, &format, false).await
}

/// With personal data: on the screen, or as a file.
async fn personal(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let may = visit.principal()?.sees_personal_data(&DataClass::ALL) && visit.may(Right::SeeReports);
    if !may {
        return Err(Trouble::Forbidden);
    }
    let asked = Asked::by_form(&fields);
    match fields.get("format") {
        "" | "page" => shown(&visit, &asked, true).await,
        format => written(&visit, &asked, format, true).await,
    }
}

async fn written(visit: &Visit, asked: &Asked<'_>, format: &str, personal: bool) -> Result<Response, Trouble> {
    let snapshot = visit.gateway.snapshot();
    let lang = language(visit.texts());
    let report = match made(visit, &snapshot, asked, personal).await {
        Ok(report) => report,
        Err(Refused::Field(_) | Refused::TooMany) => return Err(Trouble::Status(axum::http::StatusCode::BAD_REQUEST)),
        Err(Refused::Trouble(trouble)) => return Err(trouble),
    };
    let stem = report.file_stem();
    let (kind, ending, bytes) = match format {
        "csv" => ("text/csv; charset=utf-8", "csv", report::csv(&report, lang).into_bytes()),
        "xlsx" => {
            let made = tokio::task::spawn_blocking(move || report::xlsx(&report, lang)).await;
            let bytes =
                made.map_err(|e| Trouble::Defect(e.to_string()))?.map_err(|e| Trouble::Defect(e.to_string()))?;
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", bytes)
        }
        _ => return Err(Trouble::NotFound),
    };
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{stem}.{ending}\""))
        .map_err(|e| Trouble::Defect(e.to_string()))?;
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}
