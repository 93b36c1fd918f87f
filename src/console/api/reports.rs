//! `/api/v1/reports`: the reports of the pages as tables. A register shows no person here: that is asked for on the page.

use axum::extract::Path;
use axum::routing::get;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::asked::OfReport;
use super::problem::{Code, Problem, both};
use super::words::Named;
use super::{Answer, json};
use crate::access::Right;
use crate::console::reports::{Asked, Refused, made};
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::gateway::ReportKind;
use crate::report;

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeReports);
    vec![Route::get("/api/v1/reports", see, get(list)), Route::get("/api/v1/reports/{report}", see, get(one))]
}

/// A report that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportOffer)]
pub(super) struct Kind {
    #[schema(value_type = ReportKind)]
    report: &'static str,
    title: Named,
    purpose: Named,
}

/// The reports.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportOffers)]
pub(super) struct Kinds {
    items: Vec<Kind>,
}

/// A report.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    report: String,
    #[schema(value_type = Named)]
    title: Value,
    regulation: String,
    #[schema(value_type = Named)]
    regulation_title: Value,
    period: String,
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    #[schema(value_type = String, format = Date)]
    to: NaiveDate,
    zone: String,
    /// The instant as of which it was made.
    as_of: String,
    /// To what part it is narrowed.
    #[schema(value_type = Value)]
    narrowed: Value,
    #[schema(value_type = Vec<Named>)]
    notes: Value,
    tables: Vec<Table>,
}

/// A table of a report.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportTable)]
pub(super) struct Table {
    key: String,
    #[schema(value_type = Named)]
    title: Value,
    columns: Vec<Column>,
    /// Each by the keys of the columns: a text, a number, a title in both languages, `null`, or an object that says why there is no value
    /// (`hidden`, `destroyed`, `unknown`).
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    total: Option<Map<String, Value>>,
}

/// A column of a table.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportColumn)]
pub(super) struct Column {
    key: String,
    #[schema(value_type = Named)]
    title: Value,
    #[schema(value_type = Option<Named>)]
    note: Value,
}

#[utoipa::path(
    get, path = "/api/v1/reports", tag = "reports", operation_id = "listReports",
    summary = "Какие отчёты есть / which reports there are",
    responses((status = 200, description = "Отчёты / the reports", body = Kinds))
)]
pub(super) async fn list(_visit: Visit) -> Answer {
    let kind = |kind: &ReportKind| Kind {
        report: kind.as_str(),
        title: Named::from(&kind.title()),
        purpose: Named::from(&kind.purpose()),
    };
    json(Kinds { items: ReportKind::ALL.iter().map(kind).collect() })
}

#[utoipa::path(
    get, path = "/api/v1/reports/{report}", tag = "reports", operation_id = "getReport",
    summary = "Отчёт за период / a report of a period",
    params(("report" = ReportKind, Path, description = "Отчёт / the report"), OfReport),
    responses((status = 200, description = "Таблицы / the tables", body = Report))
)]
pub(super) async fn one(visit: Visit, Path(name): Path<String>) -> Answer {
    if ReportKind::parse(&name).is_none() {
        return Err(Problem::of(Code::NotFound));
    }
    let snapshot = visit.gateway.snapshot();
    let asked = Asked::of(&visit, &name);
    let made = made(&visit, &snapshot, &asked, false).await.map_err(|refused| match refused {
        Refused::Field(label) => Problem::filter(label, ""),
        Refused::TooMany => Problem::said(Code::BadQuery, both(|t| t.t("reports-too-many"))).at("period"),
        Refused::Trouble(trouble) => trouble.into(),
    })?;
    let report: Report = serde_json::from_value(report::json(&made)).map_err(|e| Problem::defect(&e))?;
    json(report)
}
