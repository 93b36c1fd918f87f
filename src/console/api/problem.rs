//! Refusals as problem details (RFC 9457), Russian first. Another part's things are not there: nobody is told which.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use crate::console::errors::{Kind, Trouble};
use crate::console::texts::{Lang, Texts};
use crate::gateway::administer::EditError;
use crate::store::StoreError;

/// Seconds after which to ask again when the database is away.
const AGAIN_SECONDS: u32 = 5;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Code {
    /// No token, no session, or one that is good no more.
    Unauthorized,
    /// The password was given by somebody else and must be changed first.
    MustChange,
    /// The right is missing.
    Forbidden,
    /// A session changes something without its token, or from another site.
    Csrf,
    /// It is not there, or not the asker's.
    NotFound,
    /// A filter that cannot be read, or that there is not.
    BadQuery,
    /// The body, or a field of it.
    BadBody,
    /// The body is not JSON.
    MediaType,
    /// The body is too large.
    TooLarge,
    /// The thing is not in the state for it.
    Conflict,
    /// The database.
    StoreAway,
    /// A defect of the program.
    Defect,
}

impl Code {
    /// Every one.
    #[cfg(test)]
    pub(in crate::console) const ALL: [Self; 12] = [
        Self::Unauthorized,
        Self::MustChange,
        Self::Forbidden,
        Self::Csrf,
        Self::NotFound,
        Self::BadQuery,
        Self::BadBody,
        Self::MediaType,
        Self::TooLarge,
        Self::Conflict,
        Self::StoreAway,
        Self::Defect,
    ];

    /// The stable word.
    pub(in crate::console) fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::MustChange => "must-change",
            Self::Forbidden => "forbidden",
            Self::Csrf => "csrf",
            Self::NotFound => "not-found",
            Self::BadQuery => "bad-query",
            Self::BadBody => "bad-body",
            Self::MediaType => "media-type",
            Self::TooLarge => "too-large",
            Self::Conflict => "conflict",
            Self::StoreAway => "store-away",
            Self::Defect => "defect",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::MustChange | Self::Forbidden | Self::Csrf => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadQuery | Self::BadBody => StatusCode::BAD_REQUEST,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Conflict => StatusCode::CONFLICT,
            Self::StoreAway => StatusCode::SERVICE_UNAVAILABLE,
            Self::Defect => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why something was not done: problem details (RFC 9457). Texts are in Russian and, after a slash, in English.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Said {
    /// `urn:mezhved:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// What is wrong.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What exactly, and the way out.
    detail: String,
    /// The stable word: what a script goes by.
    code: &'static str,
    /// The name in the query, or the place in the body, that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// A refusal.
#[derive(Debug)]
pub(in crate::console) struct Problem(Box<(StatusCode, Said)>);

/// A text in Russian and, after a slash, in English.
pub(super) fn both(text: impl Fn(Texts) -> String) -> String {
    format!("{} / {}", text(Texts::of(Lang::Ru)), text(Texts::of(Lang::En)))
}

impl Problem {
    /// A refusal that tells no more than its code.
    pub(in crate::console) fn of(code: Code) -> Self {
        Self::said(code, both(|t| t.word("problem-text", code.as_str())))
    }

    /// With what exactly is wrong, in both languages.
    pub(super) fn said(code: Code, detail: String) -> Self {
        let (status, word) = (code.status(), code.as_str());
        let said = Said {
            kind: format!("urn:mezhved:problem:{word}"),
            title: Self::title(code),
            status: status.as_u16(),
            detail,
            code: word,
            field: None,
        };
        Self(Box::new((status, said)))
    }

    /// What is wrong, in both languages.
    pub(super) fn title(code: Code) -> String {
        both(|t| t.word("problem-title", code.as_str()))
    }

    /// At this name of the query or place of the body.
    pub(super) fn at(mut self, field: &str) -> Self {
        self.0.1.field = Some(field.to_owned());
        self
    }

    /// A field of the body that is missing or cannot be read.
    pub(super) fn field(field: &str) -> Self {
        Self::said(Code::BadBody, both(|t| t.a("field-unreadable", "field", field))).at(field)
    }

    /// A filter that cannot be read, by the label that the pages give it; `place` is the name that says where a page begins.
    pub(super) fn filter(label: &'static str, place: &str) -> Self {
        let problem = Self::said(Code::BadQuery, both(|t| t.a("filter-unreadable", "field", t.t(label))));
        problem.at(if label == "say-page" { place } else { name_of(label) })
    }

    /// A defect of the program; what it is stands in the node's log.
    pub(super) fn defect(why: &dyn std::fmt::Display) -> Self {
        Trouble::Defect(why.to_string()).into()
    }

    /// Why the configuration cannot be read.
    pub(super) fn from_edit(error: EditError) -> Self {
        Trouble::from(error).into()
    }

    /// What the guard refused, before it made a page of it.
    pub(in crate::console) fn refused(bare: &Response, is_signed: bool) -> Self {
        match bare.extensions().get::<Kind>() {
            Some(kind) => Self::of(kind.code()),
            None if !bare.status().is_redirection() => Self::of(Code::NotFound),
            None if is_signed => Self::of(Code::MustChange),
            None => Self::of(Code::Unauthorized),
        }
    }
}

/// The name in the query of what the pages label so.
fn name_of(label: &'static str) -> &'static str {
    match label {
        "say-message" => "id",
        "say-day-from" | "reports-day-from" => "from",
        "say-day-to" | "reports-day-to" => "to",
        other => other.strip_prefix("say-").unwrap_or(other),
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        Self::refused(&trouble.into_response(), true)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        warn!(%error, "an answer could not be read from the store");
        Self::of(Code::StoreAway)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, said) = *self.0;
        let mut response = (status, axum::Json(said)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(AGAIN_SECONDS));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_a_page_is_told_in_both_languages_by_a_stable_word() {
        for (trouble, code) in [
            (Trouble::NotFound, Code::NotFound),
            (Trouble::Forbidden, Code::Forbidden),
            (Trouble::StaleForm, Code::Csrf),
            (Trouble::Status(StatusCode::PAYLOAD_TOO_LARGE), Code::TooLarge),
            (Trouble::Status(StatusCode::BAD_REQUEST), Code::BadQuery),
            (Trouble::Defect("why".to_owned()), Code::Defect),
        ] {
            let Problem(said) = trouble.into();
            assert_eq!((said.0, said.1.code), (code.status(), code.as_str()));
            assert!(said.1.title.contains(" / ") && said.1.detail.contains(" / "), "{said:?}");
            assert!(!said.1.detail.contains("why"), "{said:?}");
        }
        for code in Code::ALL {
            let Problem(said) = Problem::of(code);
            assert!(said.1.title.chars().any(|c| ('а'..='я').contains(&c)), "{said:?}");
        }
        for (label, name) in [("say-day-from", "from"), ("say-debtor", "debtor"), ("say-page", "after")] {
            let Problem(said) = Problem::filter(label, "after");
            assert_eq!(said.1.field.as_deref(), Some(name));
        }
    }
}
