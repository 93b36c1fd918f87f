//! `/queues`: what waits for each participant, whether its system is there, and a person's word about it.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::errors::Trouble;
use super::fields::Fields;
use super::messages::light;
use super::routes::{Access, Route};
use super::visit::{Frame, NoticeKind, Visit, html};
use super::{seen, words};
use crate::access::Right;
use crate::domain::{BreakerState, DeliveryState, ParticipantId, QueueState, Remark};
use crate::gateway::queue_desk::{self, Shown};
use crate::store::QueueOrder;

/// How much of what was said about a queue is shown.
pub(super) const HISTORY_MAX: u32 = 50;
/// The span over which the pace is counted, in seconds.
pub(super) const PACE_SECONDS: i64 = 3_600;

pub(super) fn routes() -> Vec<Route> {
    let (see, act) = (Access::Right(Right::SeeQueues), Access::Right(Right::ActOnQueues));
    vec![
        Route::get("/queues", see, get(list)),
        Route::get("/queues/{id}", see, get(one)),
        Route::post("/queues/{id}", act, post(say)),
    ]
}

/// One queue.
struct Queue {
    id: String,
    name: String,
    state: &'static str,
    state_text: String,
    /// Who said so, when and why; empty: nobody said anything.
    said: String,
    waiting: u64,
    parked: u64,
    mailbox: u64,
    oldest: String,
    attempts: String,
    next: String,
    pace: String,
    breaker: &'static str,
    breaker_text: String,
    breaker_detail: String,
}

#[derive(Template)]
#[template(path = "console/queues.html")]
struct ListPage {
    frame: Frame,
    queues: Vec<Queue>,
    /// The reader sees territories, and a queue is not divided by them.
    by_territory: bool,
}

#[derive(Template)]
#[template(path = "console/queue.html")]
struct OnePage {
    frame: Frame,
    queue: Queue,
    may_act: bool,
    error: String,
    why: String,
    history: Vec<Said>,
}

struct Said {
    at: String,
    state: &'static str,
    state_text: String,
    author: String,
    reason: String,
}

/// The queues of the reader's part.
pub(super) async fn seen_queues(visit: &Visit) -> Result<Vec<Shown>, Trouble> {
    let snapshot = visit.gateway.snapshot();
    let configured: BTreeSet<ParticipantId> = snapshot.participants().map(|k| k.participant.id.clone()).collect();
    let mut own = Vec::new();
    for shown in queue_desk::queues(visit.gateway.store(), configured).await? {
        if seen::queue(visit, &shown.participant)? {
            own.push(shown);
        }
    }
    Ok(own)
}

/// The participant whose queue is meant, if it is of the reader's part.
pub(super) async fn known(visit: &Visit, id: &str) -> Result<ParticipantId, Trouble> {
    let found = seen_queues(visit).await?.into_iter().find(|shown| shown.participant.as_str() == id);
    found.map(|shown| shown.participant).ok_or(Trouble::NotFound)
}

/// Enters the reader's word about a queue: whether it changed anything, and how many deliveries became due by it.
pub(super) async fn order(
    visit: &Visit,
    participant: ParticipantId,
    state: QueueState,
    reason: &Remark,
) -> Result<(bool, u64), Trouble> {
    let (author, at) = (visit.principal()?.actor(), visit.gateway.clock().now());
    let order = QueueOrder { participant, state, author, reason: reason.to_string(), at };
    let said = queue_desk::order(visit.gateway.store(), order).await?;
    // This node obeys at once, the others within two seconds.
    if let Err(error) = visit.gateway.look_at_queues().await {
        tracing::warn!(%error, "what was said about a queue is written and not yet obeyed");
    }
    Ok(said)
}

async fn all(visit: &Visit) -> Result<Vec<Queue>, Trouble> {
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let now = visit.gateway.clock().now();
    let pace = store.pace_since(now.plus_seconds(-PACE_SECONDS)).await?;
    let pace: BTreeMap<_, _> = pace.into_iter().map(|pace| (pace.recipient.clone(), pace)).collect();
    let (light, t) = (light(visit, &snapshot)?, visit.texts());
    let mut queues = Vec::new();
    for shown in seen_queues(visit).await? {
        let counted = pace.get(&shown.participant);
        let (begun, handed) = counted.map_or((0, 0), |pace| (pace.begun, pace.handed));
        let instant = |at| words::instant(t, at, light.zone);
        let tries = shown.tries.as_ref();
        let breaker = shown.breaker_state(now);
        queues.push(Queue {
            id: shown.participant.to_string(),
            name: light.name(&shown.participant),
            state: shown.state().as_str(),
            state_text: t.word("queue", shown.state().as_str()),
            said: shown.order.as_ref().map_or_else(String::new, |order| {
                t.a2("queue-said", "who", order.author.as_str(), "when", instant(order.at))
            }),
            waiting: waiting(&shown),
            parked: shown.depth(DeliveryState::Parked),
            mailbox: shown.depth(DeliveryState::Sent),
            oldest: shown.oldest().map_or_else(String::new, |at| words::span(t, now.since(at))),
            attempts: tries.map_or_else(String::new, |tries| tries.attempts_max.to_string()),
            next: tries.and_then(|tries| tries.next_at).map(instant).unwrap_or_default(),
            pace: t.a2("queue-pace", "begun", begun.to_string(), "handed", handed.to_string()),
            breaker: if breaker == BreakerState::Closed { "met" } else { "parked" },
            breaker_text: t.word("breaker", breaker.as_str()),
            breaker_detail: shown.breaker.as_ref().map_or_else(String::new, |row| {
                let reason = t.word("reason", row.reason.as_str());
                t.a2("breaker-since", "when", instant(row.opened_at), "reason", reason)
            }),
        });
    }
    // What needs somebody comes first.
    queues.sort_by_key(|queue| {
        (
            queue.breaker == "met",
            queue.state == "running",
            std::cmp::Reverse(queue.waiting + queue.parked),
            queue.name.clone(),
        )
    });
    Ok(queues)
}

fn waiting(shown: &Shown) -> u64 {
    shown.depth(DeliveryState::Queued).saturating_add(shown.depth(DeliveryState::Leased))
}

async fn list(visit: Visit) -> Result<Response, Trouble> {
    let frame = visit.frame(&visit.texts().t("queues-title"), "queues");
    let by_territory = !visit.principal()?.scope().territories.is_empty();
    Ok(html(ListPage { frame, queues: all(&visit).await?, by_territory }.render()?))
}

async fn one(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    page(&visit, &id, String::new(), "").await
}

async fn page(visit: &Visit, id: &str, error: String, why: &str) -> Result<Response, Trouble> {
    let participant = ParticipantId::parse(id).map_err(|_| Trouble::NotFound)?;
    let queue = all(visit).await?.into_iter().find(|queue| queue.id == id).ok_or(Trouble::NotFound)?;
    let (t, zone) = (visit.texts(), visit.zone()?);
    let history = visit.gateway.store().queue_history(&participant, HISTORY_MAX).await?;
    let said = history.into_iter().map(|order| Said {
        at: words::instant(t, order.at, zone),
        state: order.state.as_str(),
        state_text: t.word("queue", order.state.as_str()),
        author: order.author,
        reason: order.reason,
    });
    let page = OnePage {
        frame: visit.frame(&queue.name, "queues"),
        may_act: visit.may(Right::ActOnQueues),
        queue,
        error,
        why: why.to_owned(),
        history: said.collect(),
    };
    Ok(html(page.render()?))
}

async fn say(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let t = visit.texts();
    let participant = known(&visit, &id).await?;
    let state = match fields.get("act") {
        "pause" => QueueState::Paused,
        "resume" => QueueState::Running,
        "stop" => QueueState::Stopped,
        _ => return Err(Trouble::NotFound),
    };
    let Ok(reason) = Remark::parse(fields.get("why")) else {
        return page(&visit, &id, t.t("why-needed"), fields.get("why")).await;
    };
    if state == QueueState::Stopped && fields.get("sure") != "yes" {
        return page(&visit, &id, t.t("sure-needed"), fields.get("why")).await;
    }
    order(&visit, participant, state, &reason).await?;
    Ok(visit.done(&format!("/queues/{id}"), NoticeKind::Good, "notice-queue-said", &t.word("queue", state.as_str())))
}
