//! Envelopes in, signed answers out.

use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::Face;
use crate::domain::FaultCode;
use crate::gateway::{Peer, Reply};
use crate::store::Channel;

pub(super) async fn receive(
    State(face): State<Face>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Response {
    let peer = Peer { channel: Channel::Http, address: Some(address.ip()), queue: None };
    let limit = face.gateway.settings().limits.envelope_bytes_max;
    let reply = match to_bytes(body, limit).await {
        // A task of its own: a peer that hangs up must not stop a message between its judgement and its record.
        Ok(bytes) => {
            let gateway = face.gateway.clone();
            let taken = tokio::spawn(async move { gateway.receive(bytes.to_vec(), &peer).await });
            match taken.await {
                Ok(reply) => reply,
                Err(_) => return unsigned(FaultCode::NotNow),
            }
        }
        Err(error) if is_too_large(&error) => face.gateway.refuse_too_large(&peer).await,
        // The peer went away in the middle of its body: nobody is left to answer.
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    respond(reply)
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = source {
        if cause.to_string().contains("length limit exceeded") {
            return true;
        }
        source = cause.source();
    }
    false
}

/// The HTTP answer to a reply: XML when it is signed, else a small JSON object with the code.
fn respond(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if reply.bytes.is_empty() {
        unsigned(reply.code.unwrap_or(FaultCode::NotNow))
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"))], reply.bytes)
            .into_response()
    };
    *response.status_mut() = status;
    if let Some(seconds) = reply.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An unsigned answer: the code and its bland sentence.
pub(super) fn unsigned(code: FaultCode) -> Response {
    let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(json!({ "code": code.code(), "text": code.bland() }))).into_response()
}
