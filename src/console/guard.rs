//! In front of every route: who asks, whether they may, whether a form is their own; and what every answer carries.
//!
//! The order: a request of another site is refused; the session (or a script's token) is looked up; the right is checked; only then a
//! form is read, and its token compared. The handler runs after all of it.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, any};

use super::Console;
use super::api::door;
use super::api::problem::Problem;
use super::cookies::{self, Kept, SameSite};
use super::errors::{Trouble, designed};
use super::fields::Fields;
use super::routes::{Access, Route};
use super::texts::Lang;
use super::visit::{LANG_COOKIE, NOTICE_COOKIE, THEME_COOKIE, Theme, Visit};
use crate::crypto::sha256;
use crate::gateway::people::Signed;

/// The cookie that the token of the sign-in form is made of, before there is a session.
const FORM_COOKIE: &str = "mezhved-form";
/// A request that the script makes by itself carries this header: it does not keep the session alive.
const LIVE: &str = "mezhved-live";
/// A year: how long a browser keeps the language and the theme.
const YEAR_SECONDS: u32 = 365 * 86_400;
/// Where a person goes whose password was given by somebody else.
const CHANGE_PASSWORD: &str = "/own/password";

/// A route's handler behind the guard.
pub(super) fn guarded(console: &Console, route: &Route) -> MethodRouter<Console> {
    let watch = Watch { console: console.clone(), access: route.access };
    route.handler.clone().route_layer(from_fn_with_state(watch, pass))
}

/// What answers where no route is.
pub(super) fn nothing_here(console: &Console) -> MethodRouter {
    let watch = Watch { console: console.clone(), access: Access::Open };
    any(|| async { Trouble::NotFound }).layer(from_fn_with_state(watch, pass))
}

#[derive(Clone)]
struct Watch {
    console: Console,
    access: Access,
}

/// The name of the session's cookie. The prefix has browsers refuse one that was set for another host or without TLS.
pub(super) fn session_cookie(console: &Console) -> &'static str {
    if console.gateway.settings().console.is_https() { "__Host-mezhved" } else { "mezhved-session" }
}

async fn pass(State(watch): State<Watch>, request: Request, next: Next) -> Response {
    if door::is_below(request.uri().path()) {
        return pass_script(&watch, request, next).await;
    }
    match let_in(&watch, request).await {
        Ok(Let { mut request, visit, set }) => {
            request.extensions_mut().insert(visit.clone());
            let mut response = designed(&visit, next.run(*request).await);
            set.into_iter().for_each(|(name, value)| {
                response.headers_mut().append(name, value);
            });
            if visit.has_notice() && is_page(&response) {
                let secure = watch.console.gateway.settings().console.is_https();
                cookies::set(response.headers_mut(), NOTICE_COOKIE, "", Kept::Seconds(0), SameSite::Strict, secure);
            }
            response
        }
        Err(refused) => match refused.visit {
            Some(visit) => designed(&visit, refused.response),
            None => refused.response,
        },
    }
}

/// The same for a script: it is answered in JSON and keeps no cookie.
async fn pass_script(watch: &Watch, request: Request, next: Next) -> Response {
    let has = door::Has::of(&request);
    match let_in(watch, request).await {
        Ok(Let { mut request, visit, .. }) => {
            if let Some(problem) = door::unknown_query(&request) {
                return problem.into_response();
            }
            request.extensions_mut().insert(visit);
            door::finished(has, next.run(*request).await).await
        }
        Err(Refused { response, visit }) => {
            let is_signed = visit.is_some_and(|visit| visit.signed.is_some());
            Problem::refused(&response, is_signed).into_response()
        }
    }
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// A request that may pass.
struct Let {
    request: Box<Request>,
    visit: Visit,
    set: Vec<(HeaderName, HeaderValue)>,
}

/// One that may not.
struct Refused {
    response: Response,
    visit: Option<Visit>,
}

async fn let_in(watch: &Watch, request: Request) -> Result<Let, Refused> {
    let console = &watch.console;
    let (mut visit, set) = begin(console, &request);
    let refuse =
        |visit: &Visit, trouble: Trouble| Refused { response: trouble.into_response(), visit: Some(visit.clone()) };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !is_same_site(console, request.headers()) {
        return Err(refuse(&visit, Trouble::StaleForm));
    }
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let signed = match &bearer {
        Some(token) => console.gateway.token(token).await,
        None => session(console, request.headers()).await,
    };
    match signed {
        Ok(signed) => visit.signed = signed,
        Err(error) => return Err(refuse(&visit, error.into())),
    }
    visit.csrf = form_token(console, &visit, request.headers());
    if let Some(response) = stop(watch.access, &visit, &request) {
        return Err(Refused { response, visit: Some(visit) });
    }
    if !changes || bearer.is_some() {
        return Ok(Let { request: Box::new(request), visit, set });
    }
    if door::is_below(request.uri().path()) {
        if visit.signed.is_some() && !door::carries_token(&visit, request.headers()) {
            return Err(refuse(&visit, Trouble::StaleForm));
        }
        return Ok(Let { request: Box::new(request), visit, set });
    }
    let (parts, fields) = match Fields::read(request).await {
        Ok(read) => read,
        Err(trouble) => return Err(refuse(&visit, trouble)),
    };
    let (own, sent) = (visit.csrf.as_bytes(), fields.raw("csrf").as_bytes());
    if own.is_empty() || own.len() != sent.len() || !openssl::memcmp::eq(own, sent) {
        return Err(refuse(&visit, Trouble::StaleForm));
    }
    let mut request = Request::from_parts(parts, axum::body::Body::empty());
    request.extensions_mut().insert(fields);
    Ok(Let { request: Box::new(request), visit, set })
}

/// What a request says of its reader before anybody is known: language, theme, address; and the cookies that keep a choice.
fn begin(console: &Console, request: &Request) -> (Visit, Vec<(HeaderName, HeaderValue)>) {
    let headers = request.headers();
    let query = Fields::of_query(request.uri().query().unwrap_or_default());
    let chosen = Lang::parse(query.get("lang"));
    let lang = chosen.or_else(|| cookies::read(headers, LANG_COOKIE).and_then(Lang::parse)).unwrap_or_default();
    let chosen_theme = Theme::parse(query.get("theme"));
    let kept = cookies::read(headers, THEME_COOKIE).and_then(Theme::parse);
    let theme = chosen_theme.or(kept).unwrap_or_default();
    let secure = console.gateway.settings().console.is_https();
    let mut set = HeaderMap::new();
    let mut keep =
        |name, value| cookies::set(&mut set, name, value, Kept::Seconds(YEAR_SECONDS), SameSite::Lax, secure);
    if chosen.is_some() {
        keep(LANG_COOKIE, lang.as_str());
    }
    if chosen_theme.is_some() {
        keep(THEME_COOKIE, theme.as_str());
    }
    if super::sign_in::has_a_form(request.uri().path())
        && cookies::read(headers, FORM_COOKIE).is_none()
        && let Ok(secret) = crate::crypto::generate::token()
    {
        cookies::set(&mut set, FORM_COOKIE, &secret, Kept::Session, SameSite::Strict, secure);
    }
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_canonical().to_string());
    let notice = cookies::read(headers, NOTICE_COOKIE).map(str::to_owned);
    // What was posted cannot be asked for again: links on its answer lead to the beginning.
    let looked_at = matches!(*request.method(), Method::GET | Method::HEAD);
    let uri = if looked_at { request.uri().clone() } else { Uri::from_static("/") };
    let mut visit = Visit::new(console.gateway.clone(), lang, theme, uri, query);
    visit.address = address.unwrap_or_default();
    visit.notice = notice;
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    visit.host = host.unwrap_or_default().to_owned();
    // A new cookie is not in the request yet: the form is made with it.
    visit.fresh_form = set.get_all(header::SET_COOKIE).iter().find_map(|value| {
        let value = value.to_str().ok()?.strip_prefix(FORM_COOKIE)?.strip_prefix('=')?;
        value.split(';').next().map(str::to_owned)
    });
    let set = set.get_all(header::SET_COOKIE).iter().map(|value| (header::SET_COOKIE, value.clone())).collect();
    (visit, set)
}

async fn session(console: &Console, headers: &HeaderMap) -> Result<Option<Signed>, crate::store::StoreError> {
    match cookies::read(headers, session_cookie(console)) {
        Some(secret) if !secret.is_empty() => console.gateway.session(secret, !headers.contains_key(LIVE)).await,
        Some(_) | None => Ok(None),
    }
}

/// The token of a form: of the session's secret, or of a cookie of its own before there is one. It cannot be turned back into either.
fn form_token(console: &Console, visit: &Visit, headers: &HeaderMap) -> String {
    let secret = match &visit.signed {
        Some(Signed { session: Some(_), .. }) => cookies::read(headers, session_cookie(console)).map(str::to_owned),
        Some(_) => None,
        None => visit.fresh_form.clone().or_else(|| cookies::read(headers, FORM_COOKIE).map(str::to_owned)),
    };
    secret
        .filter(|s| !s.is_empty())
        .map_or_else(String::new, |secret| sha256(format!("form\u{1f}{secret}").as_bytes()).to_string())
}

/// Whether a request that changes something was begun by our own page, as far as the browser says.
fn is_same_site(console: &Console, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let fetched = text(HeaderName::from_static("sec-fetch-site")).is_none_or(|site| site == "same-origin");
    let authority = |uri: &str| uri.parse::<Uri>().ok().and_then(|uri| uri.authority().map(|a| a.as_str().to_owned()));
    let public = authority(&console.gateway.settings().console.public_url);
    let own = text(header::HOST).map(str::to_owned);
    let origin = text(header::ORIGIN).is_none_or(|origin| {
        let origin = authority(origin);
        origin.is_some() && (origin == own || origin == public)
    });
    fetched && origin
}

/// What stops who may not: the page for signing in, or 403.
fn stop(access: Access, visit: &Visit, request: &Request) -> Option<Response> {
    let Some(signed) = &visit.signed else {
        if access == Access::Open {
            return None;
        }
        let back = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let back = if *request.method() == Method::GET { back } else { "/" };
        return Some(Redirect::to(&super::sign_in::address(back)).into_response());
    };
    if let Access::Right(right) = access
        && !signed.principal.may(right)
    {
        return Some(Trouble::Forbidden.into_response());
    }
    let path = request.uri().path();
    let free = access == Access::Open || path == CHANGE_PASSWORD || path == super::sign_in::OUT;
    let waits = signed.account.must_change && signed.session.is_some() && !free;
    waits.then(|| Redirect::to(CHANGE_PASSWORD).into_response())
}

/// What every answer of the console's address carries.
pub(super) async fn headers(State(console): State<Console>, mut response: Response) -> Response {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
                  frame-ancestors 'none'; base-uri 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if console.gateway.settings().console.is_https() {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}
