//! The state of a message, for whoever proves to be its sender or recipient.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tracing::warn;

use super::Face;
use super::messages::unsigned;
use crate::domain::{FaultCode, MessageId, ParticipantId, Technical};
use crate::gateway::{Gateway, TicketUse};
use crate::store::{Channel, MessageRow, StoreError};

pub(super) async fn message(State(face): State<Face>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else { return unsigned(FaultCode::TicketInvalid) };
    let resource = format!("message {id}");
    let ticket = TicketUse { token, method: "GET", resource: &resource };
    let holder = match face.gateway.ticket_holder(&ticket).await {
        Ok(holder) => holder,
        Err(fault) => return unsigned(fault.code),
    };
    match MessageId::parse(&id) {
        Ok(id) => told(&face.gateway, id, &holder).await,
        Err(_) => unsigned(FaultCode::NotFound),
    }
}

/// The state as an answer, for who was found to be this participant.
pub(super) async fn told(gateway: &Gateway, id: MessageId, holder: &ParticipantId) -> Response {
    match state(gateway, id, holder).await {
        Ok(Some(state)) => axum::Json(state).into_response(),
        Ok(None) => unsigned(FaultCode::NotFound),
        Err(error) => {
            warn!(%error, "a state could not be read");
            unsigned(FaultCode::NotNow)
        }
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// "Not yours" and "not there" are one answer.
async fn state(gateway: &Gateway, id: MessageId, holder: &ParticipantId) -> Result<Option<Value>, StoreError> {
    let rows = gateway.store().messages_of_party(id, holder).await?;
    // Of two messages with one id (two senders) the asker's own comes first.
    let row = rows.iter().find(|r| r.sender == *holder).or_else(|| rows.first());
    let Some(row) = row else { return Ok(None) };
    let deliveries = gateway.store().deliveries_of(row.record_id).await?;
    let deliveries: Vec<Value> = deliveries
        .iter()
        .map(|d| {
            json!({
                "recipient": d.recipient,
                "state": d.state,
                "reason": d.reason,
                "faultCode": d.fault_code,
                "attempts": d.attempts,
                "sentAt": d.sent_at,
                "settledAt": d.settled_at,
            })
        })
        .collect();
    let attachments = gateway.store().listed_attachments(row.record_id).await?;
    let attachments: Vec<Value> = attachments
        .iter()
        .map(|a| json!({ "digest": a.digest, "sizeBytes": a.size_bytes, "state": a.state.as_str() }))
        .collect();
    Ok(Some(describe(row, &attachments, &deliveries)))
}

fn describe(row: &MessageRow, attachments: &[Value], deliveries: &[Value]) -> Value {
    json!({
        "messageId": row.message_id,
        "conversationId": row.conversation_id,
        "type": row.message_type.name,
        "version": row.message_type.version,
        "sender": row.sender,
        "recipient": row.recipient,
        "acceptedAt": row.accepted_at,
        "digest": row.digest,
        "signedOnBehalf": row.channel == Channel::Plain,
        "technical": Technical::parse(&row.message_type.name).is_some(),
        "attachments": attachments,
        "deliveries": deliveries,
    })
}
