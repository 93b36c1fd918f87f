//! `/api/v1/conversations`: everything of one conversation.

use axum::extract::Path;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;

use super::messages::{Delivery, Message};
use super::obligations::{Obligation, Shower};
use super::problem::{Code, Problem};
use super::{Answer, json};
use crate::access::Right;
use crate::console::conversations::PARTS_MAX;
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::domain::{CaseId, ConversationId};
use crate::store::{MessageFilter, ObligationFilter};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/api/v1/conversations/{id}", Access::Right(Right::SeeMessages), get(one))]
}

/// A message of a conversation with its deliveries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationMessage)]
#[serde(rename_all = "camelCase")]
pub(super) struct Passed {
    #[serde(flatten)]
    message: Message,
    deliveries: Vec<Delivery>,
}

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Conversation {
    id: ConversationId,
    case_id: Option<CaseId>,
    /// In the order in which they were accepted.
    messages: Vec<Passed>,
    /// By due.
    obligations: Vec<Obligation>,
    /// There is more than is listed: ask for the messages and obligations by `conversation`.
    more: bool,
}

#[utoipa::path(
    get, path = "/api/v1/conversations/{id}", tag = "messages", operation_id = "getConversation",
    summary = "Переписка: сообщения, доставки, обязательства / a conversation: messages, deliveries, obligations",
    params(("id" = ConversationId, Path, description = "Номер переписки / the conversation's id")),
    responses((status = 200, description = "Переписка / the conversation", body = Conversation))
)]
pub(super) async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let id = ConversationId::parse(&id).map_err(|_| Problem::of(Code::NotFound))?;
    let (store, shower, scope) = (visit.gateway.store(), Shower::new(&visit), visit.principal()?.scope().clone());
    let filter = MessageFilter { conversation_id: Some(id), within: scope.clone(), ..MessageFilter::default() };
    let rows = store.list_messages(&filter, None, PARTS_MAX).await?;
    let owed = ObligationFilter { conversation_id: Some(id), within: scope, ..ObligationFilter::default() };
    let owed = store.list_obligations(&owed, None, PARTS_MAX).await?;
    if rows.is_empty() && owed.is_empty() {
        return Err(Problem::of(Code::NotFound));
    }
    let mut messages = Vec::new();
    for row in rows.iter().rev() {
        let own = store.deliveries_of(row.record_id).await?;
        let mut deliveries = Vec::new();
        for delivery in &own {
            deliveries.push(Delivery::of(store, delivery).await?);
        }
        messages.push(Passed { message: Message::of(row, &own), deliveries });
    }
    let limit = usize::try_from(PARTS_MAX).unwrap_or(usize::MAX);
    json(Conversation {
        id,
        case_id: rows.iter().find_map(|row| row.case_id),
        messages,
        obligations: owed.iter().map(|row| shower.obligation(row)).collect::<Result<_, _>>()?,
        more: rows.len() >= limit || owed.len() >= limit,
    })
}
