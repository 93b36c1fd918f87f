//! Floor 7: HTTP for agencies' systems.
//!
//! Signed envelopes both ways on `POST /v1/messages` (and, for the mailbox, `/v1/mailbox/pull` and `/v1/mailbox/ack`, which are the same
//! door); `GET /v1/messages/{id}`, `PUT` and `GET /v1/attachments/{digest}` with a ticket;
//! `POST /v1/plain/{type}/{version}` for participants without envelopes, with a token; `/schemas/…`, `/healthz`, `/readyz`. The fault's
//! code decides the status.

mod attachments;
mod health;
mod messages;
mod metrics;
mod plain;
mod problem;
mod schemas;
mod state;

use std::sync::Arc;

pub use metrics::metrics;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use crate::domain::TraceContext;
use crate::gateway::Gateway;
use crate::transport::amqp::Amqp;

/// What the handlers share.
#[derive(Clone)]
pub struct Face {
    gateway: Gateway,
    amqp: Option<Amqp>,
    held: Arc<Semaphore>,
    indices: Arc<schemas::Indices>,
}

impl Face {
    /// A face of the pipeline; the broker is asked for readiness.
    pub fn new(gateway: Gateway, amqp: Option<Amqp>) -> Self {
        let held = Arc::new(Semaphore::new(gateway.settings().limits.held_bytes_max));
        Self { gateway, amqp, held, indices: Arc::default() }
    }
}

/// Where a request says that it belongs in a trace. By the standard there is one `traceparent` or no trace, and several `tracestate`
/// are one.
fn trace_of(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all(TraceContext::PARENT).iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else { return None };
    let states: Option<Vec<&str>> = headers.get_all(TraceContext::STATE).iter().map(|v| v.to_str().ok()).collect();
    let state = states.filter(|states| !states.is_empty()).map(|states| states.join(","));
    TraceContext::parse(parent.to_str().ok()?, state.as_deref())
}

/// Below this path files stream, each request within times of its own.
pub const ATTACHMENTS: &str = "/v1/attachments/";

/// The router of the agencies' address.
pub fn router(face: Face) -> Router {
    Router::new()
        .route("/v1/messages", post(messages::receive))
        .route("/v1/mailbox/pull", post(messages::receive))
        .route("/v1/mailbox/ack", post(messages::receive))
        .route("/v1/messages/{id}", get(state::message))
        .route(&format!("{ATTACHMENTS}{{digest}}"), get(attachments::get).put(attachments::put))
        .route("/schemas/", get(schemas::listing))
        .route("/schemas/{*path}", get(schemas::file))
        .route("/v1/plain/{type}/{version}", post(plain::receive))
        .route("/v1/plain/messages/{id}", get(plain::state))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(face)
}
