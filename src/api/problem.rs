//! Refusals for who has no envelopes: problem details (RFC 9457) in JSON, Russian first.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tracing::warn;

use crate::domain::{Fault, FaultClass, FaultCode};
use crate::gateway::Reply;

/// A problem with its place. Of what went wrong in here only the code is told.
pub(super) fn problem(fault: &Fault) -> Response {
    if fault.code == FaultCode::NotNow {
        warn!(detail = fault.detail, "not now");
        return bland(fault.code);
    }
    said(fault.code, format!("{} {}", fault.code.ru(), fault.detail))
}

/// A problem that tells no more than its code.
pub(super) fn bland(code: FaultCode) -> Response {
    said(code, format!("{} / {}", code.ru(), code.bland()))
}

fn said(code: FaultCode, detail: String) -> Response {
    let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body: Value = json!({
        "type": format!("urn:mezhved:fault:{}", code.code()),
        "title": format!("{} / {}", code.ru(), code.bland()),
        "status": status.as_u16(),
        "detail": detail,
        "code": code.code(),
        "repeat": code.class() == FaultClass::Retry,
    });
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    let mut response = (status, kind, body.to_string()).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = Reply::unsigned(code).retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
