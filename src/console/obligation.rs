//! `/obligations/{id}`: one obligation: why this term, what was done, and what can be done.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use super::days::{Month, months, stored};
use super::errors::Trouble;
use super::fields::Fields;
use super::messages::light;
use super::pick::Choice;
use super::routes::{Access, Route};
use super::shown::{Due, Light};
use super::visit::{Frame, Visit, html};
use super::{seen, words};
use crate::access::Right;
use crate::deadline::Start;
use crate::deadline::obligations::StartOn;
use crate::domain::{ActGround, OutsideWay, Timestamp, Zone};
use crate::gateway::acts::told;
use crate::store::{ActRow, ObligationRow};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/obligations/{id}", Access::Right(Right::SeeObligations), get(show))]
}

/// An act with what people wrote: shown to whoever may see the obligation and personal data.
struct Done {
    at: String,
    kind: String,
    lines: Vec<String>,
    by: String,
    href: String,
}

#[derive(Template)]
#[template(path = "console/obligation.html")]
struct Page {
    frame: Frame,
    id: String,
    due: Due,
    opened: String,
    opened_by: String,
    started: String,
    settled: String,
    settled_by: String,
    warns: Vec<String>,
    quote: String,
    reading: String,
    waits: String,
    steps: Vec<String>,
    months: Vec<Month>,
    weekdays: Vec<String>,
    acts: Vec<Done>,
    notes_hidden: bool,
    is_open: bool,
    has_due: bool,
    may_act: bool,
    /// Waiving and extending are for the side to which it is owed.
    may_release: bool,
    may_see_messages: bool,
    error: String,
    form: Fields,
    ways: Vec<Choice>,
    waives: Vec<Choice>,
    extends: Vec<Choice>,
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = seen::obligation(&visit, &id).await?;
    page(&visit, &row, String::new(), Fields::default()).await
}

/// The zone in which an obligation is told: the one in which it was counted.
pub(super) fn zone(light: &Light<'_>, row: &ObligationRow) -> Zone {
    told::zone(row).unwrap_or_else(|| light.zone_of(&row.debtor))
}

/// Whether the reader may waive or extend: whoever sees the part of some participants must see that of the one to whom it is owed, for
/// nobody lets himself off.
pub(super) fn may_release(visit: &Visit, row: &ObligationRow) -> Result<bool, Trouble> {
    let participants = &visit.principal()?.scope().participants;
    Ok(participants.is_empty() || participants.contains(&row.creditor))
}

/// The page, with what was sent and what is wrong with it.
pub(super) async fn page(visit: &Visit, row: &ObligationRow, error: String, form: Fields) -> Result<Response, Trouble> {
    let (store, snapshot, t) = (visit.gateway.store(), visit.gateway.snapshot(), visit.texts());
    let light = light(visit, &snapshot)?;
    let late = store.late_settlements_for(&[row]).await?;
    let due = light.due(row, late.get(&row.id).map_or(&[][..], Vec::as_slice));
    let zone = zone(&light, row);
    let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| words::instant(t, at, zone));
    let about = told::about(row);
    let steps = row.explanation.as_ref().and_then(|e| e.get("steps")).and_then(Value::as_array);
    let steps = steps.map(Vec::as_slice).unwrap_or_default();
    let last = row.due_at.map(|due| Start::Instant(due.plus_seconds(-1)).local_date(zone));
    let sees_notes = visit.may(Right::SeePersonalData);
    let acts = store.acts(row.id).await?;
    let link =
        |record: Option<crate::domain::RecordId>| record.map_or_else(String::new, |id| format!("/messages/{id}"));
    let choice = |word: &'static str, label: String, chosen: &str| Choice {
        value: word.to_owned(),
        label,
        chosen: word == chosen,
    };
    let ground = |fits: fn(ActGround) -> bool| {
        let all = ActGround::ALL.iter().filter(move |ground| fits(**ground));
        all.map(|g| choice(g.as_str(), t.word("ground", g.as_str()), form.get("ground"))).collect()
    };
    let page = Page {
        frame: visit.frame(&due.rule_title, "obligations"),
        id: row.id.to_string(),
        opened: instant(Some(row.opened_at)),
        opened_by: link(row.record_id),
        started: instant(row.started_at),
        settled: instant(row.settled_at),
        settled_by: link(row.settled_record),
        warns: row.warns.iter().map(|at| instant(Some(*at))).collect(),
        quote: told::text(about, "/source/quote").to_owned(),
        reading: told::text(about, "/reading").to_owned(),
        waits: told::waits_for(row).map_or_else(String::new, |on| match on {
            StartOn::Sent => t.t("waits-sent"),
            StartOn::Delivered => t.t("waits-delivered"),
        }),
        steps: steps
            .iter()
            .map(|step| t.pick(told::text(Some(step), "/ru"), told::text(Some(step), "/en")).to_owned())
            .collect(),
        months: months(t, stored(steps), last),
        weekdays: (1..=7).map(|day: u32| t.word("weekday", &day.to_string())).collect(),
        notes_hidden: !sees_notes && acts.iter().any(|act| act.note.is_some() || act.document.is_some()),
        acts: acts.iter().map(|act| done(&light, act, zone, sees_notes)).collect(),
        is_open: row.state.is_open(),
        has_due: row.due_at.is_some(),
        may_act: visit.may(Right::ActOnObligations),
        may_release: may_release(visit, row)?,
        may_see_messages: visit.may(Right::SeeMessages),
        error,
        ways: OutsideWay::ALL
            .iter()
            .map(|way| choice(way.as_str(), t.word("way", way.as_str()), form.get("way")))
            .collect(),
        waives: ground(ActGround::waives),
        extends: ground(ActGround::extends),
        form,
        due,
    };
    Ok(html(page.render()?))
}

fn done(light: &Light<'_>, act: &ActRow, zone: Zone, sees_notes: bool) -> Done {
    let t = light.t;
    let instant = |at: Timestamp| words::instant(t, at, zone);
    let mut lines = Vec::new();
    lines.extend(act.way.map(|way| t.word("way", way.as_str())));
    lines.extend(act.acted_at.map(|at| t.a("act-done-at", "when", instant(at))));
    lines.extend(act.ground.map(|ground| t.word("ground", ground.as_str())));
    let moved = act.due_before.zip(act.due_after).filter(|(before, after)| before != after);
    lines.extend(moved.map(|(before, after)| {
        t.a2("act-due-moved", "before", words::due(t, before, zone), "after", words::due(t, after, zone))
    }));
    if sees_notes {
        lines.extend(act.document.as_ref().map(|document| {
            let of = t.a2(
                "document-of",
                "number",
                document.number.to_string(),
                "date",
                document.date.format("%d.%m.%Y").to_string(),
            );
            format!("{} {of}", document.name)
        }));
        lines.extend(act.number.as_ref().map(|number| t.a("document-number", "number", number.to_string())));
        lines.extend(act.acted_by.as_ref().map(|by| t.a("act-by", "who", by.to_string())));
        lines.extend(act.acted_to.as_ref().map(|to| t.a("act-to", "who", to.to_string())));
        lines.extend(act.note.as_ref().map(ToString::to_string));
    }
    Done {
        at: instant(act.at),
        kind: t.word("act", act.kind.as_str()),
        lines,
        by: act.actor.as_ref().map_or_else(|| act.author.clone(), |actor| light.name(actor)),
        href: act.record_id.map_or_else(String::new, |id| format!("/messages/{id}")),
    }
}
