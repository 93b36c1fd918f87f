//! What a script sends: a JSON body with the fields that are described and no others.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem, both};
use crate::domain::media_type::essence;
use crate::domain::{Line, Remark};

/// Bytes of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A body.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(essence);
        if kind.as_deref() != Some("application/json") {
            return Err(Problem::of(Code::MediaType));
        }
        let bytes = to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|_| Problem::of(Code::TooLarge))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let place = format!("{}:{}", error.line(), error.column());
            // The error's own words may repeat what was sent; it goes back to its sender only, and into no log.
            let said = error.to_string();
            Problem::said(
                Code::BadBody,
                both(|t| t.a2("body-unreadable", "place", place.as_str(), "why", said.as_str())),
            )
        })
    }
}

/// A line of text.
pub(super) fn line(text: &str, field: &str) -> Result<Line, Problem> {
    Line::parse(text.trim()).map_err(|_| Problem::field(field))
}

/// A line of text that need not be there.
pub(super) fn optional_line(text: Option<&str>, field: &str) -> Result<Option<Line>, Problem> {
    text.map(|text| line(text, field)).transpose()
}

/// A remark.
pub(super) fn remark(text: &str, field: &str) -> Result<Remark, Problem> {
    Remark::parse(text.trim()).map_err(|_| Problem::field(field))
}
