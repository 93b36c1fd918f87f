//! `/api/v1/dead`: deliveries that ended without having been delivered; put back or given up.

use axum::extract::Path;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::OfDead;
use super::listing::{Page, cut, limit};
use super::messages::{Delivery, Message};
use super::problem::{Code, Problem, both};
use super::sent::{Sent, remark};
use super::{Answer, json};
use crate::access::Right;
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::console::{dead as pages, seen};
use crate::domain::DeliveryId;
use crate::gateway::{DiscardError, queue_desk};
use crate::store::{DeadDelivery, Replay, Store, StoreError};

pub(super) fn routes() -> Vec<Route> {
    let (see, act) = (Access::Right(Right::SeeQueues), Access::Right(Right::ActOnQueues));
    vec![
        Route::get("/api/v1/dead", see, get(list)),
        Route::get("/api/v1/dead/{id}", see, get(one)),
        Route::post("/api/v1/dead/{id}/replay", act, post(replay)),
        Route::post("/api/v1/dead/{id}/discard", act, post(discard)),
    ]
}

/// A delivery with its message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dead {
    message: Message,
    delivery: Delivery,
}

/// A wish to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayWish {
    /// Why.
    reason: String,
    /// Translate and sign anew, after an adapter was mended.
    #[serde(default)]
    retranslate: bool,
}

/// A wish to give up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DiscardWish {
    /// Why.
    reason: String,
}

/// What was decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterResult)]
pub(super) struct Decided {
    id: DeliveryId,
    /// `queued` or `discarded`.
    state: &'static str,
}

async fn shown(store: &Store, dead: &DeadDelivery) -> Result<Dead, StoreError> {
    let DeadDelivery { delivery, message } = dead;
    Ok(Dead {
        message: Message::of(message, std::slice::from_ref(delivery)),
        delivery: Delivery::of(store, delivery).await?,
    })
}

#[utoipa::path(
    get, path = "/api/v1/dead", tag = "queues", operation_id = "listDead",
    summary = "Недоставленное: что шлюз больше не пробует / what the gateway tries no more",
    params(OfDead),
    responses((status = 200, description = "Страница списка, старые первыми / a page of the listing, oldest first", body = Page<Dead>))
)]
pub(super) async fn list(visit: Visit) -> Answer {
    let (limit, store) = (limit(&visit)?, visit.gateway.store());
    let (filter, after) = pages::filter(&visit).map_err(|label| match label {
        // Here the participant is the recipient.
        "say-participant" => Problem::filter(label, "").at("to"),
        _ => Problem::filter(label, "after"),
    })?;
    let rows = store.dead_letters(&filter, after, limit.saturating_add(1)).await?;
    let (cut, last) = cut(&rows, limit);
    let mut items = Vec::new();
    for dead in cut {
        items.push(shown(store, dead).await?);
    }
    json(Page { items, next: last.map(|dead| visit.with(&[("after", &pages::cursor_text(dead))])) })
}

#[utoipa::path(
    get, path = "/api/v1/dead/{id}", tag = "queues", operation_id = "getDead",
    summary = "Одна доставка со всеми попытками / one delivery with every attempt",
    params(("id" = DeliveryId, Path, description = "Номер доставки / the delivery's id")),
    responses((status = 200, description = "Доставка / the delivery", body = Dead))
)]
pub(super) async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let dead = seen::delivery(&visit, &id).await?;
    json(shown(visit.gateway.store(), &dead).await?)
}

/// Nothing was decided: it is dead no more.
fn gone() -> Problem {
    Problem::said(Code::Conflict, both(|t| t.t("dead-no-more")))
}

#[utoipa::path(
    post, path = "/api/v1/dead/{id}/replay", tag = "queues", operation_id = "replayDead",
    summary = "Отправить снова / send again",
    params(("id" = DeliveryId, Path, description = "Номер доставки / the delivery's id")),
    request_body = ReplayWish,
    responses(
        (status = 200, description = "Снова в очереди / queued again", body = Decided),
        (status = 409, description = "Очередь остановлена, или решать нечего / the queue is stopped, or there is nothing to decide",
         body = super::problem::Said, content_type = "application/problem+json")
    )
)]
pub(super) async fn replay(visit: Visit, Path(id): Path<String>, Sent(wish): Sent<ReplayWish>) -> Answer {
    let (store, found) = (visit.gateway.store(), seen::delivery(&visit, &id).await?);
    let (why, id) = (remark(&wish.reason, "reason")?, found.delivery.id);
    if let Some(stopped) = queue_desk::stopped(store, std::slice::from_ref(&found)).await? {
        let detail = both(|t| t.a("dead-queue-stopped", "who", stopped.to_string()));
        return Err(Problem::said(Code::Conflict, detail));
    }
    let wish = Replay {
        delivery_ids: vec![id],
        now: visit.gateway.clock().now(),
        actor: visit.principal()?.actor(),
        why: Some(why),
        retranslate: wish.retranslate,
    };
    if queue_desk::replay(store, wish).await?.is_empty() { Err(gone()) } else { json(Decided { id, state: "queued" }) }
}

#[utoipa::path(
    post, path = "/api/v1/dead/{id}/discard", tag = "queues", operation_id = "discardDead",
    summary = "Отказаться от доставки / give a delivery up",
    description = "Этого не отменить; отправителю сообщают / this cannot be undone; the sender is told.",
    params(("id" = DeliveryId, Path, description = "Номер доставки / the delivery's id")),
    request_body = DiscardWish,
    responses(
        (status = 200, description = "Больше не отправляется / it does not go out any more", body = Decided),
        (status = 409, description = "Решать нечего / there is nothing to decide", body = super::problem::Said,
         content_type = "application/problem+json")
    )
)]
pub(super) async fn discard(visit: Visit, Path(id): Path<String>, Sent(wish): Sent<DiscardWish>) -> Answer {
    let (id, why) = (seen::delivery(&visit, &id).await?.delivery.id, remark(&wish.reason, "reason")?);
    match visit.gateway.discard_dead(id, &visit.principal()?.actor(), &why).await {
        Ok(true) => json(Decided { id, state: "discarded" }),
        Ok(false) => Err(gone()),
        Err(DiscardError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::defect(&error)),
    }
}
