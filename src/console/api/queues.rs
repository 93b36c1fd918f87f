//! `/api/v1/queues`: what waits for each participant, and a person's word about it.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Code, Problem};
use super::sent::{Sent, remark};
use super::{Answer, json};
use crate::access::Right;
use crate::console::queues::{self as pages, HISTORY_MAX, PACE_SECONDS};
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::domain::{BreakerState, DeliveryState, ParkReason, ParticipantId, QueueState, Timestamp};
use crate::gateway::queue_desk::Shown;
use crate::store::{Pace, QueueOrder};

pub(super) fn routes() -> Vec<Route> {
    let (see, act) = (Access::Right(Right::SeeQueues), Access::Right(Right::ActOnQueues));
    vec![
        Route::get("/api/v1/queues", see, get(list)),
        Route::get("/api/v1/queues/{id}", see, get(one)),
        Route::post("/api/v1/queues/{id}/pause", act, post(pause)),
        Route::post("/api/v1/queues/{id}/resume", act, post(resume)),
        Route::post("/api/v1/queues/{id}/stop", act, post(stop)),
    ]
}

/// A queue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queue {
    participant: ParticipantId,
    /// What a person said last.
    state: QueueState,
    /// Who said it, and when; `null`: nobody said anything.
    said: Option<Said>,
    /// Waits to be handed over.
    waiting: u64,
    /// Put by until a person decides.
    parked: u64,
    /// Handed over, or lying in the mailbox, without a receipt yet.
    sent: u64,
    /// When the message was accepted that waits longest.
    oldest_at: Option<Timestamp>,
    /// The most attempts that one of those waiting has had.
    attempts_max: u32,
    next_at: Option<Timestamp>,
    /// Deliveries that were begun in the last hour.
    begun_last_hour: u64,
    /// Of them those that were handed over.
    handed_last_hour: u64,
    breaker: Breaker,
}

/// Whether its system is held to be there.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Breaker {
    state: BreakerState,
    /// Since when it is open.
    opened_at: Option<Timestamp>,
    reason: Option<ParkReason>,
    /// When the next probe may go out.
    probe_at: Option<Timestamp>,
}

/// A person's word about a queue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueDecision)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    state: QueueState,
    author: String,
    reason: String,
    at: Timestamp,
}

impl From<QueueOrder> for Said {
    fn from(order: QueueOrder) -> Self {
        Self { state: order.state, author: order.author, reason: order.reason, at: order.at }
    }
}

/// The queues.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queues {
    items: Vec<Queue>,
}

/// A queue with what was said about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueDetail)]
pub(super) struct QueueHistory {
    #[serde(flatten)]
    queue: Queue,
    /// The latest first.
    history: Vec<Said>,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = QueueWish)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// Why: without a reason nothing is decided.
    reason: String,
}

/// What a word about a queue came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueResult)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ordered {
    participant: ParticipantId,
    state: QueueState,
    /// Whether it was otherwise before.
    changed: bool,
    /// Deliveries that became due by it.
    brought_forward: u64,
}

impl Queue {
    fn of(shown: &Shown, pace: Option<&Pace>, now: Timestamp) -> Self {
        let waiting = shown.depth(DeliveryState::Queued).saturating_add(shown.depth(DeliveryState::Leased));
        let breaker = shown.breaker.as_ref();
        Self {
            participant: shown.participant.clone(),
            state: shown.state(),
            said: shown.order.clone().map(Said::from),
            waiting,
            parked: shown.depth(DeliveryState::Parked),
            sent: shown.depth(DeliveryState::Sent),
            oldest_at: shown.oldest(),
            attempts_max: shown.tries.as_ref().map_or(0, |tries| tries.attempts_max),
            next_at: shown.tries.as_ref().and_then(|tries| tries.next_at),
            begun_last_hour: pace.map_or(0, |pace| pace.begun),
            handed_last_hour: pace.map_or(0, |pace| pace.handed),
            breaker: Breaker {
                state: shown.breaker_state(now),
                opened_at: breaker.map(|row| row.opened_at),
                reason: breaker.map(|row| row.reason),
                probe_at: breaker.map(|row| row.probe_at),
            },
        }
    }
}

async fn all(visit: &Visit) -> Result<Vec<Queue>, Problem> {
    let now = visit.gateway.clock().now();
    let pace = visit.gateway.store().pace_since(now.plus_seconds(-PACE_SECONDS)).await?;
    let pace: BTreeMap<_, _> = pace.into_iter().map(|pace| (pace.recipient.clone(), pace)).collect();
    let shown = pages::seen_queues(visit).await?;
    Ok(shown.iter().map(|shown| Queue::of(shown, pace.get(&shown.participant), now)).collect())
}

#[utoipa::path(
    get, path = "/api/v1/queues", tag = "queues", operation_id = "listQueues",
    summary = "Очереди участников / the queues of participants",
    description = "Очередь по территориям не делится: кто видит территории, не видит ни одной / a queue is not divided by territory: who \
                   sees territories sees none.",
    responses((status = 200, description = "Очереди / the queues", body = Queues))
)]
pub(super) async fn list(visit: Visit) -> Answer {
    json(Queues { items: all(&visit).await? })
}

#[utoipa::path(
    get, path = "/api/v1/queues/{id}", tag = "queues", operation_id = "getQueue",
    summary = "Одна очередь и что о ней решали / one queue, and what was decided about it",
    params(("id" = ParticipantId, Path, description = "Участник / the participant")),
    responses((status = 200, description = "Очередь / the queue", body = QueueHistory))
)]
pub(super) async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let queue = all(&visit).await?.into_iter().find(|queue| queue.participant.as_str() == id);
    let queue = queue.ok_or_else(|| Problem::of(Code::NotFound))?;
    let history = visit.gateway.store().queue_history(&queue.participant, HISTORY_MAX).await?;
    json(QueueHistory { queue, history: history.into_iter().map(Said::from).collect() })
}

async fn say(visit: &Visit, id: &str, state: QueueState, why: &Why) -> Answer {
    let participant = pages::known(visit, id).await?;
    let reason = remark(&why.reason, "reason")?;
    let (changed, brought_forward) = pages::order(visit, participant.clone(), state, &reason).await?;
    json(Ordered { participant, state, changed, brought_forward })
}

#[utoipa::path(
    post, path = "/api/v1/queues/{id}/pause", tag = "queues", operation_id = "pauseQueue",
    summary = "Приостановить очередь / pause a queue",
    params(("id" = ParticipantId, Path, description = "Участник / the participant")),
    request_body = Why,
    responses((status = 200, description = "Решено / decided", body = Ordered))
)]
pub(super) async fn pause(visit: Visit, Path(id): Path<String>, Sent(why): Sent<Why>) -> Answer {
    say(&visit, &id, QueueState::Paused, &why).await
}

#[utoipa::path(
    post, path = "/api/v1/queues/{id}/resume", tag = "queues", operation_id = "resumeQueue",
    summary = "Пустить очередь / resume a queue",
    params(("id" = ParticipantId, Path, description = "Участник / the participant")),
    request_body = Why,
    responses((status = 200, description = "Решено / decided", body = Ordered))
)]
pub(super) async fn resume(visit: Visit, Path(id): Path<String>, Sent(why): Sent<Why>) -> Answer {
    say(&visit, &id, QueueState::Running, &why).await
}

#[utoipa::path(
    post, path = "/api/v1/queues/{id}/stop", tag = "queues", operation_id = "stopQueue",
    summary = "Остановить очередь: всё, что ждёт, откладывается / stop a queue: all that waits is parked",
    params(("id" = ParticipantId, Path, description = "Участник / the participant")),
    request_body = Why,
    responses((status = 200, description = "Решено / decided", body = Ordered))
)]
pub(super) async fn stop(visit: Visit, Path(id): Path<String>, Sent(why): Sent<Why>) -> Answer {
    say(&visit, &id, QueueState::Stopped, &why).await
}
