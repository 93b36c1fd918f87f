//! Floor 7: the page for operators.
//!
//! It listens on an address of its own, which binds only to loopback until sign-in exists. It renders on the server and needs no
//! script. No body, name or number of a citizen is on it.

mod acts;
mod obligations;
mod words;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse as _;
use axum::routing::get;

use crate::gateway::Gateway;

/// The router of the console's address.
pub fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/", get(obligations::page))
        .route("/style.css", get(style))
        .layer(axum::middleware::map_response(security))
        .with_state(gateway)
}

async fn style() -> impl axum::response::IntoResponse {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], include_str!("../../templates/style.css")).into_response()
}

async fn security(mut response: axum::response::Response) -> axum::response::Response {
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
