//! `/`: what is overdue, what is due soon, what was not handed over, what people entered.

use askama::Template;
use axum::response::Response;
use axum::routing::get;

use super::errors::Trouble;
use super::figures::{self, Away, ByDebtor, Figure, Share};
use super::messages::light;
use super::routes::{Access, Route};
use super::seen::territory;
use super::shown::{Acted, Due, Light, Stuck, text};
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::{Principal, Right};
use crate::domain::{CaseId, Timestamp};
use crate::store::{JournalRow, ObligationFilter, ObligationGroup};

/// Rows of a group on the page.
const ROWS_MAX: u32 = 20;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/", Access::Right(Right::SeeOverview), get(page))]
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Page {
    frame: Frame,
    sees_obligations: bool,
    sees_messages: bool,
    sees_queues: bool,
    figures: Vec<Figure>,
    by_debtor: Vec<ByDebtor>,
    held: Vec<Figure>,
    away: Vec<Away>,
    ending: Vec<Away>,
    share: Share,
    overdue: Group<Due>,
    soon: Group<Due>,
    stuck: Group<Stuck>,
    quiet: Vec<Quiet>,
    acts: Vec<Acted>,
}

struct Group<T> {
    rows: Vec<T>,
    more: bool,
}

impl<T> Group<T> {
    fn of<R>(rows: &[R], shown: impl Fn(&R) -> T) -> Self {
        let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
        Self { rows: rows.iter().take(limit).map(shown).collect(), more: rows.len() > limit }
    }
}

struct Quiet {
    case_id: String,
    at: String,
    at_iso: String,
}

async fn page(visit: Visit) -> Result<Response, Trouble> {
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let (principal, t) = (visit.principal()?, visit.texts());
    let light = light(&visit, &snapshot)?;
    let of = |group| ObligationFilter {
        group: Some(group),
        within: principal.scope().clone(),
        ..ObligationFilter::default()
    };
    let overdue = store.list_obligations(&of(ObligationGroup::Overdue), None, ROWS_MAX + 1).await?;
    let running = store.list_obligations(&of(ObligationGroup::Running), None, ROWS_MAX + 1).await?;
    let late = store.late_settlements_for(&overdue.iter().chain(&running).collect::<Vec<_>>()).await?;
    let due = |row: &_| light.due(row, late.get(&row.id).map_or(&[][..], Vec::as_slice));
    let stuck = store.not_handed_over_within(principal.scope(), None, ROWS_MAX + 1).await?;
    let today = light.business_now.utc().with_timezone(&light.zone.tz()).date_naive();
    let tomorrow = today.succ_opt().and_then(|day| words::day_start(day, light.zone));
    let found = store.desk_figures(principal.scope(), tomorrow.unwrap_or(light.business_now)).await?;
    let away = figures::away(&visit, &light).await?;
    let ending = figures::ending(&visit, &light)?;
    let page = Page {
        frame: visit.frame(&t.t("overview-title"), "overview"),
        sees_obligations: visit.may(Right::SeeObligations),
        sees_messages: visit.may(Right::SeeMessages),
        sees_queues: visit.may(Right::SeeQueues),
        figures: figures::all(&light, &found, (away.len(), ending.len()), today),
        by_debtor: figures::by_debtor(&light, &found, today),
        held: figures::held(&light, &found),
        away,
        ending,
        share: figures::share(&visit, &light, today).await?,
        overdue: Group::of(&overdue, due),
        soon: Group::of(&running, due),
        stuck: Group::of(&stuck, |row| light.stuck(row)),
        quiet: quiet(&visit, principal, &light).await?,
        acts: acts(&visit, principal, &light).await?,
    };
    Ok(html(page.render()?))
}

async fn quiet(visit: &Visit, principal: &Principal, light: &Light<'_>) -> Result<Vec<Quiet>, Trouble> {
    let mut shown = Vec::new();
    for row in visit.gateway.store().recent_nothing_to_open(ROWS_MAX).await? {
        let JournalRow { at, entry, .. } = &row;
        let case_id = text(Some(&entry.detail), "case");
        let territory = territory(visit, principal, CaseId::parse(&case_id).ok()).await?;
        let parties: Vec<_> = entry.participant.iter().collect();
        if principal.sees(&parties, territory.as_ref()) {
            let at = Timestamp::parse(&text(Some(&entry.detail), "at")).unwrap_or(*at);
            let (at, at_iso) = (words::instant(light.t, at, light.zone), at.in_zone(light.zone));
            shown.push(Quiet { case_id, at, at_iso });
        }
    }
    Ok(shown)
}

async fn acts(visit: &Visit, principal: &Principal, light: &Light<'_>) -> Result<Vec<Acted>, Trouble> {
    let mut shown = Vec::new();
    for (act, row) in visit.gateway.store().recent_acts(ROWS_MAX).await? {
        let territory = territory(visit, principal, row.case_id).await?;
        if principal.sees(&[&row.debtor, &row.creditor], territory.as_ref()) {
            shown.push(light.acted(&act, &row));
        }
    }
    Ok(shown)
}
