//! `/api/v1/messages`: headers, states, deliveries with every attempt; a body only where it is asked for, and the journal knows.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::routing::{get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::OfMessages;
use super::listing::{Page, cut, limit};
use super::obligations::{Obligation, Shower};
use super::problem::Problem;
use super::{Answer, json};
use crate::access::Right;
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::console::{message_view, messages as pages, seen};
use crate::domain::{
    CaseId, ConversationId, DataClass, DeliveryId, DeliveryState, Digest, MessageId, ParkReason, ParticipantId,
    RecordId, Timestamp,
};
use crate::gateway::is_signed_on_behalf;
use crate::store::{AttemptRow, Channel, DeliveryRow, MessageRow, ObligationFilter, Store, StoreError};

/// Obligations that one message lists at most.
const OBLIGATIONS_MAX: u32 = 100;

pub(super) fn routes() -> Vec<Route> {
    let (see, personal) = (Access::Right(Right::SeeMessages), Access::Right(Right::SeePersonalData));
    vec![
        Route::get("/api/v1/messages", see, get(list)),
        Route::get("/api/v1/messages/{id}", see, get(one)),
        Route::post("/api/v1/messages/{id}/body", personal, post(body)),
        Route::post("/api/v1/messages/{id}/envelope", personal, post(envelope)),
    ]
}

/// A message without its body.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    /// Its id here: by it one is asked for.
    record_id: RecordId,
    /// The sender's id.
    message_id: MessageId,
    #[serde(rename = "type")]
    kind: String,
    version: u32,
    sender: ParticipantId,
    recipient: ParticipantId,
    conversation_id: ConversationId,
    case_id: Option<CaseId>,
    in_reply_to: Option<MessageId>,
    /// The whole of which it is a part.
    derived_from: Option<MessageId>,
    created: Timestamp,
    expires: Option<Timestamp>,
    accepted_at: Timestamp,
    #[schema(value_type = Channel)]
    channel: &'static str,
    test: bool,
    /// SHA-256 of the content.
    digest: Digest,
    /// The states of its deliveries; empty: it has none.
    states: Vec<DeliveryState>,
}

impl Message {
    pub(super) fn of(row: &MessageRow, deliveries: &[DeliveryRow]) -> Self {
        Self {
            record_id: row.record_id,
            message_id: row.message_id,
            kind: row.message_type.name.clone(),
            version: row.message_type.version,
            sender: row.sender.clone(),
            recipient: row.recipient.clone(),
            conversation_id: row.conversation_id,
            case_id: row.case_id,
            in_reply_to: row.in_reply_to,
            derived_from: row.derived_from,
            created: row.created,
            expires: row.expires,
            accepted_at: row.accepted_at,
            channel: row.channel.as_str(),
            test: row.test,
            digest: row.digest,
            states: deliveries.iter().map(|d| d.state).collect(),
        }
    }
}

/// A message on its way to one participant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivery {
    id: DeliveryId,
    recipient: ParticipantId,
    state: DeliveryState,
    reason: Option<ParkReason>,
    /// The code with which the recipient refused.
    fault_code: Option<String>,
    detail: Option<String>,
    attempts: u32,
    /// When it is tried next; only of what waits.
    next_at: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
    /// The classes of personal data that it carries on a consent alone; `null`: it rests on the law.
    on_consent: Option<BTreeSet<DataClass>>,
    /// The recipient's signed answer is kept.
    has_answer: bool,
    /// The gateway signed that answer in its place.
    answer_on_behalf: bool,
    /// Each attempt, and what people decided.
    tries: Vec<Try>,
}

/// One attempt, or what a person decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
#[serde(rename_all = "camelCase")]
pub(super) struct Try {
    at: Timestamp,
    state: DeliveryState,
    reason: Option<ParkReason>,
    detail: Option<String>,
    node: Option<String>,
}

impl From<AttemptRow> for Try {
    fn from(row: AttemptRow) -> Self {
        Self { at: row.at, state: row.state, reason: row.reason, detail: row.detail, node: row.node }
    }
}

impl Delivery {
    pub(super) async fn of(store: &Store, row: &DeliveryRow) -> Result<Self, StoreError> {
        let answer = store.partner_answer(row.id).await?;
        Ok(Self {
            id: row.id,
            recipient: row.recipient.clone(),
            state: row.state,
            reason: row.reason,
            fault_code: row.fault_code.clone(),
            detail: row.detail.clone(),
            attempts: row.attempts,
            next_at: row.next_at.filter(|_| row.state == DeliveryState::Queued),
            sent_at: row.sent_at,
            settled_at: row.settled_at,
            on_consent: row.on_consent.clone(),
            has_answer: answer.is_some(),
            answer_on_behalf: answer.as_deref().is_some_and(is_signed_on_behalf),
            tries: store.attempts(row.id).await?.into_iter().map(Try::from).collect(),
        })
    }
}

/// A file that a message lists.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    /// SHA-256.
    digest: Digest,
    size_bytes: u64,
    /// `awaited`, `whole` or `wrong`.
    state: &'static str,
}

/// The configuration under which a message was judged.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Revisions {
    participants: i64,
    bundle: i64,
}

/// A message with its deliveries and what it opened and met. No body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageDetail)]
#[serde(rename_all = "camelCase")]
pub(super) struct Followed {
    #[serde(flatten)]
    message: Message,
    /// SHA-256 of the certificate that verified it.
    certificate: Option<Digest>,
    /// A participant without envelopes, for which the gateway signed.
    signed_on_behalf: bool,
    /// The signed receipt that the sender got is kept.
    has_receipt: bool,
    revisions: Revisions,
    attachments: Vec<Attachment>,
    deliveries: Vec<Delivery>,
    obligations: Vec<Obligation>,
}

/// A message's bodies.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bodies {
    /// The classes of personal data in it.
    classes: BTreeSet<DataClass>,
    /// In the sender's own form; `null`: that is the canonical one.
    own: Option<String>,
    canonical: String,
    /// As it went out, or will go out.
    outgoing: Vec<Outgoing>,
}

/// A body as it went out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutgoingBody)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outgoing {
    /// The recipient's name.
    recipient: String,
    body: String,
}

#[utoipa::path(
    get, path = "/api/v1/messages", tag = "messages", operation_id = "listMessages",
    summary = "Сообщения, новые первыми / messages, newest first",
    params(OfMessages),
    responses((status = 200, description = "Страница списка / a page of the listing", body = Page<Message>))
)]
pub(super) async fn list(visit: Visit) -> Answer {
    let (limit, store) = (limit(&visit)?, visit.gateway.store());
    let (filter, before) = pages::filter(&visit).map_err(|label| Problem::filter(label, "before"))?;
    let rows = store.list_messages(&filter, before, limit.saturating_add(1)).await?;
    let (shown, last) = cut(&rows, limit);
    let mut items = Vec::new();
    for row in shown {
        items.push(Message::of(row, &store.deliveries_of(row.record_id).await?));
    }
    json(Page { items, next: last.map(|row| visit.with(&[("before", &row.record_id.to_string())])) })
}

#[utoipa::path(
    get, path = "/api/v1/messages/{id}", tag = "messages", operation_id = "getMessage",
    summary = "Одно сообщение: доставки, попытки, квитанции; без тела / one message: deliveries, attempts, receipts; no body",
    params(("id" = RecordId, Path, description = "recordId сообщения / the message's recordId")),
    responses((status = 200, description = "Сообщение / the message", body = Followed))
)]
pub(super) async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let row = seen::message(&visit, &id).await?;
    let (store, shower) = (visit.gateway.store(), Shower::new(&visit));
    let rows = store.deliveries_of(row.record_id).await?;
    let mut deliveries = Vec::new();
    for delivery in &rows {
        deliveries.push(Delivery::of(store, delivery).await?);
    }
    let of_conversation = ObligationFilter {
        conversation_id: Some(row.conversation_id),
        within: visit.principal()?.scope().clone(),
        ..ObligationFilter::default()
    };
    let owed = store.list_obligations(&of_conversation, None, OBLIGATIONS_MAX).await?;
    let own = owed.iter().filter(|o| o.record_id == Some(row.record_id) || o.settled_record == Some(row.record_id));
    let listed = store.listed_attachments(row.record_id).await?;
    json(Followed {
        certificate: row.certificate,
        signed_on_behalf: row.channel == Channel::Plain,
        has_receipt: store.content(row.record_id).await?.is_some_and(|content| content.receipt.is_some()),
        revisions: Revisions { participants: row.revisions.participants, bundle: row.revisions.bundle },
        attachments: listed
            .iter()
            .map(|f| Attachment { digest: f.digest, size_bytes: f.size_bytes, state: f.state.as_str() })
            .collect(),
        deliveries,
        obligations: own.map(|o| shower.obligation(o)).collect::<Result<_, _>>()?,
        message: Message::of(&row, &rows),
    })
}

#[utoipa::path(
    post, path = "/api/v1/messages/{id}/body", tag = "messages", operation_id = "showBody",
    summary = "Показать тело; запись в журнале / show the body; the journal knows",
    params(("id" = RecordId, Path, description = "recordId сообщения / the message's recordId")),
    responses((status = 200, description = "Тела / the bodies", body = Bodies))
)]
pub(super) async fn body(visit: Visit, Path(id): Path<String>) -> Answer {
    let row = seen::message(&visit, &id).await?;
    let shown = message_view::bodies(&visit, &row).await?;
    pages::note(&visit, &row, "personal-data-shown", &shown).await?;
    json(Bodies {
        classes: shown.classes,
        own: Some(shown.own).filter(|own| !own.is_empty()),
        canonical: shown.canonical,
        outgoing: shown.outgoing.into_iter().map(|(recipient, body)| Outgoing { recipient, body }).collect(),
    })
}

#[utoipa::path(
    post, path = "/api/v1/messages/{id}/envelope", tag = "messages", operation_id = "downloadEnvelope",
    summary = "Скачать конверт байт в байт; запись в журнале / download the envelope byte for byte; the journal knows",
    params(("id" = RecordId, Path, description = "recordId сообщения / the message's recordId")),
    responses((status = 200, description = "Подписанный конверт / the signed envelope", body = String, content_type = "application/xml"))
)]
pub(super) async fn envelope(visit: Visit, id: Path<String>) -> Answer {
    Ok(pages::envelope(visit, id).await?)
}
