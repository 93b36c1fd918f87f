//! What a handler answers when it cannot answer: a status now, made a designed page by the guard, which knows the reader.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tracing::warn;

use super::api::problem::Code;
use super::visit::{Frame, Visit, html};
use crate::store::StoreError;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is not there, or it is not the reader's to see: nobody is told which.
    NotFound,
    /// The reader has not the right.
    Forbidden,
    /// The form is older than the session, or comes from elsewhere.
    StaleForm,
    /// Another status.
    Status(StatusCode),
    /// The database.
    Store(StoreError),
    /// A defect of the program.
    Defect(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::Defect(error.to_string())
    }
}

/// Which page of errors is to be shown, as an extension of the bare answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    word: &'static str,
}

impl Kind {
    /// The same for a script.
    pub(super) fn code(self) -> Code {
        match self.word {
            "not-found" => Code::NotFound,
            "forbidden" => Code::Forbidden,
            "stale-form" => Code::Csrf,
            "too-large" => Code::TooLarge,
            "store-away" => Code::StoreAway,
            "defect" => Code::Defect,
            _ => Code::BadQuery,
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, word) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::StaleForm => (StatusCode::FORBIDDEN, "stale-form"),
            Self::Status(StatusCode::PAYLOAD_TOO_LARGE) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Status(status) => (status, "bad-request"),
            Self::Store(error) => {
                warn!(%error, "a page could not be read from the store");
                (StatusCode::SERVICE_UNAVAILABLE, "store-away")
            }
            Self::Defect(why) => {
                warn!(%why, "a page could not be made");
                (StatusCode::INTERNAL_SERVER_ERROR, "defect")
            }
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Kind { word });
        response
    }
}

#[derive(Template)]
#[template(path = "console/error.html")]
struct ErrorPage {
    frame: Frame,
    status: u16,
    word: &'static str,
    /// Seconds after which the page asks again by itself; 0: it does not.
    again: u32,
}

/// Makes a page of a bare answer; any other answer stays as it is.
pub(super) fn designed(visit: &Visit, response: Response) -> Response {
    let Some(Kind { word }) = response.extensions().get::<Kind>().copied() else { return response };
    let status = response.status();
    let frame = visit.frame(&visit.texts().word("error-title", word), "");
    let again = if status == StatusCode::SERVICE_UNAVAILABLE { 5 } else { 0 };
    match (ErrorPage { frame, status: status.as_u16(), word, again }).render() {
        Ok(page) => (status, html(page)).into_response(),
        Err(error) => {
            warn!(%error, "the page of an error could not be rendered");
            status.into_response()
        }
    }
}

/// The words of the pages of errors, for the test of texts.
#[cfg(test)]
pub(super) const WORDS: [&str; 7] =
    ["not-found", "forbidden", "stale-form", "too-large", "bad-request", "store-away", "defect"];
