//! Alive, and ready to take messages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tracing::warn;

use super::Face;

/// How far a node's clock may lie from the database's, in milliseconds.
const CLOCK_DIFFERENCE_MS_MAX: i64 = 1_000;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Why the node takes no messages now; empty: it does.
pub(super) async fn reasons(face: &Face) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    match face.gateway.store().database_now().await {
        Ok(theirs) => {
            let apart_ms = face.gateway.clock().now().since(theirs).abs() / 1_000;
            if apart_ms > CLOCK_DIFFERENCE_MS_MAX {
                reasons.push(format!("clock: {apart_ms} ms from the database's"));
            }
        }
        Err(error) => {
            // Anybody may ask, and the error may name hosts and accounts.
            warn!(%error, "not ready: the database does not answer");
            reasons.push("database: away".to_owned());
        }
    }
    if face.gateway.store().is_full() {
        reasons.push("disk full: the database has no room".to_owned());
    }
    if let Some(latest) = face.gateway.behind() {
        let (participants, bundle) = (latest.participants, latest.bundle);
        reasons.push(format!("configuration: revisions {participants}/{bundle} are not in force here"));
    }
    if !face.gateway.has_valid_certificate() {
        reasons.push("certificate: the gateway's own is not valid now".to_owned());
    }
    if let Some(amqp) = &face.amqp
        && !amqp.connected()
    {
        reasons.push("broker: not connected".to_owned());
    }
    reasons
}

pub(super) async fn ready(State(face): State<Face>) -> Response {
    let reasons = reasons(&face).await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let revisions = face.gateway.revisions();
    let body = json!({ "ready": reasons.is_empty(), "reasons": reasons, "revisions": revisions });
    (status, axum::Json(body)).into_response()
}
