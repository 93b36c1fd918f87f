//! What the guard does for a script otherwise than for a page.

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::problem::{Code, Problem, both};
use super::{BELOW, description};
use crate::console::visit::Visit;
use crate::crypto::sha256;

/// The header in which a session brings its token with what it changes; `GET /api/v1/access` tells the token.
pub(in crate::console) const CSRF: HeaderName = HeaderName::from_static("mezhved-csrf");
/// The largest answer that is compared with what the asker has, in bytes; a larger one goes out without `ETag`.
const COMPARED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Whether a script asks.
pub(in crate::console) fn is_below(path: &str) -> bool {
    path.starts_with(BELOW)
}

/// Refuses a name in the query that the document does not know: a mistyped filter must not show everything.
pub(in crate::console) fn unknown_query(request: &Request) -> Option<Problem> {
    let path = request.extensions().get::<MatchedPath>()?;
    let known = description::query_names(request.method(), path.as_str());
    let sent = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let mut seen: Vec<String> = Vec::new();
    for (name, _) in sent {
        if !known.iter().any(|own| *own == name) {
            let list = if known.is_empty() { "-".to_owned() } else { known.join(", ") };
            let detail = both(|t| t.a2("query-unknown", "name", name.as_ref(), "known", list.as_str()));
            return Some(Problem::said(Code::BadQuery, detail).at(&name));
        }
        if seen.iter().any(|own| *own == name) {
            return Some(Problem::said(Code::BadQuery, both(|t| t.a("query-twice", "name", name.as_ref()))).at(&name));
        }
        seen.push(name.into_owned());
    }
    None
}

/// Whether what a session changes carries the session's token.
pub(in crate::console) fn carries_token(visit: &Visit, headers: &HeaderMap) -> bool {
    let sent = headers.get(CSRF).map_or(&b""[..], HeaderValue::as_bytes);
    let own = visit.csrf.as_bytes();
    !own.is_empty() && own.len() == sent.len() && openssl::memcmp::eq(own, sent)
}

/// What an asker says that it has.
#[derive(Clone)]
pub(in crate::console) struct Has {
    tag: Option<HeaderValue>,
    looks: bool,
    by_token: bool,
}

impl Has {
    pub(in crate::console) fn of(request: &Request) -> Self {
        Self {
            tag: request.headers().get(header::IF_NONE_MATCH).cloned(),
            looks: matches!(*request.method(), Method::GET | Method::HEAD),
            by_token: request.headers().contains_key(header::AUTHORIZATION),
        }
    }
}

/// Makes a problem of what a page would be made of; gives an answer its `ETag`, and only that to who has it.
pub(in crate::console) async fn finished(has: Has, response: Response) -> Response {
    if response.extensions().get::<crate::console::errors::Kind>().is_some() {
        return Problem::refused(&response, true).into_response();
    }
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !has.looks || response.status() != StatusCode::OK || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::of(Code::Defect).into_response();
    };
    if bytes.len() > COMPARED_BYTES_MAX {
        return Response::from_parts(parts, Body::from(bytes));
    }
    let digest = sha256(&bytes).to_string();
    let tag = format!("\"{}\"", digest.get(..32).unwrap_or_default());
    if has.by_token {
        // A script may keep what it got, if it asks each time whether it is still so. A browser keeps nothing.
        parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if has.tag.is_some_and(|own| matches(&own, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Whether a list of tags names this one, by the weak comparison of RFC 9110 (13.1.2).
fn matches(own: &HeaderValue, tag: &str) -> bool {
    let Ok(list) = own.to_str() else { return false };
    list.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        for (list, found) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(matches(&HeaderValue::from_static(list), "\"a\""), found, "{list}");
        }
    }
}
