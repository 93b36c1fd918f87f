//! `/dead`: deliveries that ended without having been delivered; put back or given up, one or many.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::errors::Trouble;
use super::fields::Fields;
use super::message_view::{Passed, Tried};
use super::messages::light;
use super::pick::{Choice, one, participants};
use super::routes::{Access, Route};
use super::shown::Stuck;
use super::visit::{Frame, NoticeKind, Visit, html};
use super::{seen, words};
use crate::access::Right;
use crate::domain::{DeliveryId, DeliveryState, ParkReason, ParticipantId, RecordId, Remark};
use crate::gateway::{DiscardError, queue_desk};
use crate::store::{DeadDelivery, DeadFilter, HandoverCursor, NotHandedOver, Replay};

const ROWS_MAX: u32 = 50;
/// The states of dead letters.
pub(super) const STATES: [DeliveryState; 3] = [DeliveryState::Parked, DeliveryState::Refused, DeliveryState::Expired];

pub(super) fn routes() -> Vec<Route> {
    let (see, act) = (Access::Right(Right::SeeQueues), Access::Right(Right::ActOnQueues));
    vec![
        Route::get("/dead", see, get(list)),
        Route::post("/dead", act, post(decide)),
        Route::get("/dead/{id}", see, get(show)),
    ]
}

/// A dead letter as a row.
struct Row {
    id: String,
    stuck: Stuck,
    record: String,
    ended: String,
}

#[derive(Template)]
#[template(path = "console/dead.html")]
struct ListPage {
    frame: Frame,
    to: Vec<Choice>,
    state: Vec<Choice>,
    reason: Vec<Choice>,
    error: String,
    filtered: bool,
    rows: Vec<Row>,
    may_act: bool,
    next_href: String,
    first_href: String,
}

#[derive(Template)]
#[template(path = "console/dead_one.html")]
struct OnePage {
    frame: Frame,
    id: String,
    record: String,
    stuck: Stuck,
    passed: Passed,
    may_act: bool,
    /// It has been put back or given up meanwhile.
    is_dead: bool,
    error: String,
    why: String,
}

async fn list(visit: Visit) -> Result<Response, Trouble> {
    let (store, snapshot, t) = (visit.gateway.store(), visit.gateway.snapshot(), visit.texts());
    let scope = visit.principal()?.scope();
    let (found, error) = match filter(&visit) {
        Ok((filter, after)) => (store.dead_letters(&filter, after, ROWS_MAX + 1).await?, String::new()),
        Err(field) => (Vec::new(), t.a("filter-unreadable", "field", t.t(field))),
    };
    let light = light(&visit, &snapshot)?;
    let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let last = found.get(limit.saturating_sub(1)).filter(|_| found.len() > limit);
    let next_href = last.map_or_else(String::new, |dead| visit.with(&[("after", &cursor_text(dead))]));
    let rows = found.into_iter().take(limit).map(|DeadDelivery { delivery, message }| Row {
        id: delivery.id.to_string(),
        record: message.record_id.to_string(),
        ended: delivery.settled_at.map_or_else(String::new, |at| words::instant(t, at, light.zone)),
        stuck: light.stuck(&NotHandedOver { delivery, message }),
    });
    let (state, reason) = (visit.query("state"), visit.query("reason"));
    let choice =
        |word: &'static str, label, chosen: &str| Choice { value: word.to_owned(), label, chosen: word == chosen };
    let page = ListPage {
        frame: visit.frame(&t.t("dead-title"), "queues"),
        to: participants(&snapshot, scope, visit.query("to")),
        state: STATES.iter().map(|s| choice(s.as_str(), t.word("delivery", s.as_str()), state)).collect(),
        reason: ParkReason::ALL.iter().map(|r| choice(r.as_str(), t.word("reason", r.as_str()), reason)).collect(),
        error,
        filtered: ["to", "state", "reason"].iter().any(|name| !visit.query(name).is_empty()),
        rows: rows.collect(),
        may_act: visit.may(Right::ActOnQueues),
        next_href,
        first_href: if visit.query("after").is_empty() { String::new() } else { visit.with(&[("after", "")]) },
    };
    Ok(html(page.render()?))
}

/// Where the next page begins, as the address carries it.
pub(super) fn cursor_text(dead: &DeadDelivery) -> String {
    format!("{}.{}", dead.delivery.record_id, dead.delivery.id)
}

/// The filter of the address.
///
/// # Errors
/// The label of the first field that cannot be read.
pub(super) fn filter(visit: &Visit) -> Result<(DeadFilter, Option<HandoverCursor>), &'static str> {
    let cursor = |text: &str| {
        let (record, id) = text.split_once('.')?;
        Some(HandoverCursor { record_id: RecordId::parse(record).ok()?, id: DeliveryId::parse(id).ok()? })
    };
    let state = |text: &str| STATES.into_iter().find(|state| state.as_str() == text);
    let filter = DeadFilter {
        recipient: one(visit.query("to"), |t| ParticipantId::parse(t).ok(), "say-participant")?,
        states: one(visit.query("state"), state, "say-state")?.into_iter().collect(),
        reason: one(visit.query("reason"), ParkReason::parse, "say-reason")?,
        within: visit.principal().map_err(|_| "say-participant")?.scope().clone(),
        ..DeadFilter::default()
    };
    Ok((filter, one(visit.query("after"), cursor, "say-page")?))
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    page(&visit, &id, String::new(), "").await
}

async fn page(visit: &Visit, id: &str, error: String, why: &str) -> Result<Response, Trouble> {
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let DeadDelivery { delivery, message } = seen::delivery(visit, id).await?;
    let light = light(visit, &snapshot)?;
    let mut passed = light.passed(&delivery, (false, false));
    passed.tries = store.attempts(delivery.id).await?.iter().map(|tried| Tried::of(&light, tried)).collect();
    let record = message.record_id.to_string();
    let stuck = light.stuck(&NotHandedOver { delivery, message });
    let page = OnePage {
        frame: visit.frame(
            &visit.texts().a2("dead-one", "type", stuck.type_title.as_str(), "to", stuck.recipient_name.as_str()),
            "queues",
        ),
        id: id.to_owned(),
        record,
        may_act: visit.may(Right::ActOnQueues),
        is_dead: passed.is_dead,
        stuck,
        passed,
        error,
        why: why.to_owned(),
    };
    Ok(html(page.render()?))
}

/// Puts the chosen ones back or gives them up.
async fn decide(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let (store, t) = (visit.gateway.store(), visit.texts());
    let mut found = Vec::new();
    for id in fields.all("id") {
        // One that is not the reader's ends the whole: nobody is told which are there.
        found.push(seen::delivery(&visit, id).await?);
    }
    let alone = fields.all("id").next().filter(|_| found.len() == 1).map(str::to_owned);
    let refused = async |error: String| match &alone {
        Some(id) => page(&visit, id, error, fields.get("why")).await,
        None => Ok(visit.done("/dead", NoticeKind::Bad, "notice-dead-refused", &error)),
    };
    if found.is_empty() {
        return refused(t.t("dead-none-chosen")).await;
    }
    let Ok(why) = Remark::parse(fields.get("why")) else { return refused(t.t("why-needed")).await };
    let actor = visit.principal()?.actor();
    match fields.get("act") {
        "replay" | "retranslate" => {
            if let Some(stopped) = queue_desk::stopped(store, &found).await? {
                return refused(t.a("dead-queue-stopped", "who", stopped.to_string())).await;
            }
            let wish = Replay {
                delivery_ids: found.iter().map(|dead| dead.delivery.id).collect(),
                now: visit.gateway.clock().now(),
                actor,
                why: Some(why),
                retranslate: fields.get("act") == "retranslate",
            };
            let back = queue_desk::replay(store, wish).await?;
            Ok(visit.done("/dead", NoticeKind::Good, "notice-dead-replayed", &back.len().to_string()))
        }
        "discard" => {
            if fields.get("sure") != "yes" {
                return refused(t.t("sure-needed")).await;
            }
            let mut done = 0_usize;
            for dead in &found {
                match visit.gateway.discard_dead(dead.delivery.id, &actor, &why).await {
                    Ok(true) => done += 1,
                    Ok(false) => {}
                    Err(DiscardError::Store(error)) => return Err(error.into()),
                    Err(error) => return Err(Trouble::Defect(error.to_string())),
                }
            }
            Ok(visit.done("/dead", NoticeKind::Good, "notice-dead-discarded", &done.to_string()))
        }
        _ => Err(Trouble::NotFound),
    }
}
