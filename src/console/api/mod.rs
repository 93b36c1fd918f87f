//! `/api/v1`: what the pages show and do, in JSON, for scripts.
//!
//! | room | what it does |
//! |---|---|
//! | `description` | the OpenAPI document, made of the handlers and of the table of routes |
//! | `door` | what the guard does otherwise than for a page: the query's names, the form's token in a header, `ETag` |
//! | `problem` | refusals: problem details (RFC 9457) in both languages |
//! | `sent`, `listing` | a JSON body; a page of a listing |
//! | `asked`, `words` | the filters of listings; the types of the exchange as the document describes them |
//! | the others | one subject each |
//!
//! Nothing is decided here: filters, parts and acts are those of the pages.

mod access;
mod acts;
mod asked;
mod conversations;
mod dead;
mod description;
pub(super) mod door;
mod journal;
mod listing;
mod messages;
mod obligations;
mod participants;
pub(super) mod problem;
mod queues;
mod reports;
mod sent;
mod words;

pub use description::openapi;

use axum::response::{IntoResponse as _, Response};

use super::routes::Route;
use problem::Problem;

/// What a handler answers.
type Answer = Result<Response, Problem>;

/// Below this path scripts ask, and are answered in JSON.
pub(super) const BELOW: &str = "/api/";

pub(super) fn routes() -> Vec<Route> {
    let mut all = description::routes();
    all.extend(access::routes());
    all.extend(obligations::routes());
    all.extend(acts::routes());
    all.extend(messages::routes());
    all.extend(conversations::routes());
    all.extend(queues::routes());
    all.extend(dead::routes());
    all.extend(participants::routes());
    all.extend(reports::routes());
    all.extend(journal::routes());
    all
}

fn json<T: serde::Serialize>(value: T) -> Answer {
    Ok(axum::Json(value).into_response())
}
