//! The style sheet, the script and the icon: compiled in, nothing from elsewhere.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::routes::{Access, Route};
use crate::crypto::sha256;

const STYLE: &str = include_str!("../../static/console.css");
const SCRIPT: &str = include_str!("../../static/console.js");
const ICON: &str = include_str!("../../static/icon.svg");

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = sha256([STYLE, SCRIPT, ICON].concat().as_bytes()).to_string();
    digest.get(..12).unwrap_or_default().to_owned()
});

/// A word that changes with any of the files: pages ask for them with it, so that browsers may keep them for good.
pub(super) fn version() -> &'static str {
    &VERSION
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/static/console.css", Access::Open, get(|| kept("text/css; charset=utf-8", STYLE))),
        Route::get("/static/console.js", Access::Open, get(|| kept("text/javascript; charset=utf-8", SCRIPT))),
        Route::get("/static/icon.svg", Access::Open, get(|| kept("image/svg+xml", ICON))),
    ]
}

async fn kept(kind: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    for (name, value) in [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
