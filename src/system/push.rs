//! A system that the gateway posts to.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

use super::System;

/// The largest envelope taken.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The router of a system's own address; the gateway's settings name the path.
pub(super) fn router(system: Arc<System>) -> Router {
    Router::new().fallback(post(take)).with_state(system)
}

async fn take(State(system): State<Arc<System>>, body: Body) -> Response {
    let Ok(bytes) = to_bytes(body, BYTES_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    // A task of its own: the gateway may hang up, what was begun is finished.
    match tokio::spawn(async move { system.take(bytes.to_vec()).await }).await {
        Ok(Ok(answer)) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, "application/xml; charset=utf-8")], answer.bytes).into_response()
        }
        Ok(Err(_)) | Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
