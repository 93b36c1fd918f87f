//! The door for participants without envelopes: a body in their own form, what the envelope would say in HTTP headers, and a token.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use serde_json::json;

use super::Face;
use super::messages::{self, take};
use super::problem::{bland, problem};
use super::state::{self, bearer};
use crate::domain::media_type::essence;
use crate::domain::{CaseId, ConversationId, Fault, FaultCode, MessageId, MessageType, ParticipantId, Priority};
use crate::gateway::{Peer, Posted, Taken};
use crate::store::Channel;

/// Before the names of the headers that an envelope would have.
const PREFIX: &str = "mezhved-";
const KEY: &str = "idempotency-key";
const RECIPIENT: &str = "mezhved-recipient";
const CONVERSATION: &str = "mezhved-conversation-id";
const IN_REPLY_TO: &str = "mezhved-in-reply-to";
const CASE: &str = "mezhved-case-id";
const PRIORITY: &str = "mezhved-priority";
const TEST: &str = "mezhved-test";
const OWN_HEADERS: [&str; 6] = [RECIPIENT, CONVERSATION, IN_REPLY_TO, CASE, PRIORITY, TEST];

/// `POST /v1/plain/{type}/{version}`.
pub(super) async fn receive(
    State(face): State<Face>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Path((name, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let trace = super::trace_of(&headers);
    let peer = Peer { channel: Channel::Plain, address: Some(address.ip()), queue: None, trace };
    // Before any byte of the body is read.
    let participant = match holder(&face, &headers, &peer).await {
        Ok(participant) => participant,
        Err(response) => return passed_over(response, body).await,
    };
    let mut posted = match asked(participant.clone(), (&name, &version), &headers) {
        Ok(posted) => posted,
        Err(fault) => {
            face.gateway.refuse_unread(&participant, &fault, &peer).await;
            return passed_over(problem(&fault), body).await;
        }
    };
    let bytes_max = face.gateway.settings().limits.envelope_bytes_max;
    match take(body, bytes_max, &face.held).await {
        // A task of its own: a peer that hangs up must not stop a message between its judgement and its record.
        messages::Taken::Whole(bytes, held) => {
            posted.body = bytes;
            let taken = tokio::spawn(async move {
                let taken = face.gateway.post_plain(posted, &peer).await;
                drop(held);
                taken
            });
            match taken.await {
                Ok(Ok(taken)) => accepted(&taken, &headers),
                Ok(Err(fault)) => problem(&fault),
                Err(_) => bland(FaultCode::NotNow),
            }
        }
        messages::Taken::TooLarge => {
            let fault = Fault::new(FaultCode::TooLarge, format!("at most {bytes_max} bytes"));
            face.gateway.refuse_unread(&participant, &fault, &peer).await;
            closing(problem(&fault))
        }
        messages::Taken::NoRoom => bland(FaultCode::NotNow),
        messages::Taken::Broken => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// `GET /v1/plain/messages/{id}`: the state of a message, for its sender or recipient.
pub(super) async fn state(
    State(face): State<Face>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let peer = Peer { channel: Channel::Plain, address: Some(address.ip()), queue: None, trace: None };
    let holder = match holder(&face, &headers, &peer).await {
        Ok(holder) => holder,
        Err(response) => return response,
    };
    match state::told(&face.gateway, &id, &holder).await {
        Ok(state) => axum::Json(state).into_response(),
        Err(code) => bland(code),
    }
}

async fn holder(face: &Face, headers: &HeaderMap, peer: &Peer) -> Result<ParticipantId, Response> {
    match bearer(headers).and_then(|token| face.gateway.token_holder(token)) {
        Some(holder) => Ok(holder),
        None => Err(bland(face.gateway.refuse_token(peer).await)),
    }
}

/// What the address and the headers say, without the body.
fn asked(participant: ParticipantId, (name, version): (&str, &str), headers: &HeaderMap) -> Result<Posted, Fault> {
    let message_type = version.parse().ok().and_then(|version| MessageType::new(name, version).ok());
    let message_type = message_type.filter(|t| t.technical().is_none()).ok_or_else(|| {
        let detail = "the address ends with a type and its version, such as /v1/plain/document-response/1";
        Fault::new(FaultCode::TypeUnknown, detail)
    })?;
    let key = text(headers, KEY)?.filter(|key| Posted::is_key(key)).ok_or_else(|| {
        let max = Posted::KEY_CHARS_MAX;
        let detail =
            format!("Idempotency-Key: 1 to {max} visible ASCII characters are needed, the same at each repeat");
        Fault::new(FaultCode::HeaderInvalid, detail)
    })?;
    let posted = Posted {
        participant,
        message_type,
        key: key.to_owned(),
        recipient: parsed(headers, RECIPIENT, |t| ParticipantId::parse(t).ok())?,
        conversation: parsed(headers, CONVERSATION, |t| ConversationId::parse(t).ok())?,
        in_reply_to: parsed(headers, IN_REPLY_TO, |t| MessageId::parse(t).ok())?,
        case: parsed(headers, CASE, |t| CaseId::parse(t).ok())?,
        priority: parsed(headers, PRIORITY, Priority::parse)?.unwrap_or_default(),
        test: parsed(headers, TEST, |t| t.parse().ok())?.unwrap_or_default(),
        media_type: text(headers, header::CONTENT_TYPE.as_str())?.map(essence).unwrap_or_default(),
        body: Vec::new(),
    };
    let is_unknown = |name: &&HeaderName| name.as_str().starts_with(PREFIX) && !OWN_HEADERS.contains(&name.as_str());
    match headers.keys().find(is_unknown) {
        None => Ok(posted),
        Some(name) => {
            let detail = format!("{name}: no such header; there are {}", OWN_HEADERS.join(", "));
            Err(Fault::new(FaultCode::HeaderInvalid, detail))
        }
    }
}

/// A header that may stand once.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Fault> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if value.to_str().is_ok() => Ok(value.to_str().ok()),
        (Some(_), _) => {
            Err(Fault::new(FaultCode::HeaderInvalid, format!("{name}: once, and of visible ASCII characters")))
        }
    }
}

fn parsed<T>(headers: &HeaderMap, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Fault> {
    let Some(value) = text(headers, name)? else { return Ok(None) };
    let wrong = || Fault::new(FaultCode::HeaderInvalid, format!("{name}: the value has another form"));
    parse(value).map(Some).ok_or_else(wrong)
}

/// The answer: JSON, or the signed receipt itself for who asks for XML and not for JSON.
fn accepted(taken: &Taken, headers: &HeaderMap) -> Response {
    if wants_xml(headers) {
        let kind = [(header::CONTENT_TYPE, "application/xml; charset=utf-8")];
        return (kind, taken.receipt.clone()).into_response();
    }
    let body = json!({
        "messageId": taken.message_id,
        "conversationId": taken.conversation_id,
        "acceptedAt": taken.accepted_at,
        "digest": taken.digest,
        "state": format!("/v1/plain/messages/{}", taken.message_id),
        "receipt": base64::engine::general_purpose::STANDARD.encode(&taken.receipt),
    });
    axum::Json(body).into_response()
}

fn wants_xml(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = |kinds: &[&str]| accept.split(',').map(essence).any(|one| kinds.contains(&one.as_str()));
    named(&["application/xml", "text/xml"]) && !named(&["application/json"])
}

/// Answers without the body. A little of it is read all the same, so that its sender sees the answer and not a broken connection.
async fn passed_over(response: Response, body: Body) -> Response {
    let mut chunks = body.into_data_stream();
    messages::pass_over(&mut chunks).await;
    closing(response)
}

/// The rest of the body may still be under way: the connection is of no more use.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
