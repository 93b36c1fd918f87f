//! Signing in and out, and setting a password by a one-time link.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use super::Console;
use super::cookies::{self, Kept, SameSite};
use super::errors::Trouble;
use super::fields::Fields;
use super::guard::session_cookie;
use super::routes::{Access, Route};
use super::visit::{Frame, NoticeKind, Visit, html, own_address};
use crate::access::password::CHARS_MIN;
use crate::gateway::people::{PasswordError, SignInError, SignInTry};

pub(super) const PATH: &str = "/sign-in";
pub(super) const OUT: &str = "/sign-out";
const LINK: &str = "/password/{link}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PATH, Access::Open, get(show)),
        Route::post(PATH, Access::Open, post(sign_in)),
        Route::post(OUT, Access::Signed, post(sign_out)),
        Route::get(LINK, Access::Open, get(show_link)),
        Route::post(LINK, Access::Open, post(use_link)),
    ]
}

/// Whether a page has a form for somebody who has not signed in.
pub(super) fn has_a_form(path: &str) -> bool {
    path == PATH || path.starts_with("/password/")
}

/// The page for signing in, from where one comes back to `path`.
pub(super) fn address(path: &str) -> String {
    if path == "/" {
        return PATH.to_owned();
    }
    let back = url::form_urlencoded::Serializer::new(String::new()).append_pair("back", path).finish();
    format!("{PATH}?{back}")
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignInPage {
    frame: Frame,
    back: String,
    login: String,
    error: String,
}

fn page(visit: &Visit, back: &str, login: &str, error: String) -> Result<String, Trouble> {
    let frame = visit.frame(&visit.texts().t("sign-in-title"), "");
    Ok(SignInPage { frame, back: back.to_owned(), login: login.to_owned(), error }.render()?)
}

async fn show(visit: Visit) -> Result<Response, Trouble> {
    let back = own_address(visit.query("back"));
    if visit.signed.is_some() {
        return Ok(Redirect::to(back).into_response());
    }
    Ok(html(page(&visit, back, "", String::new())?))
}

async fn sign_in(
    State(console): State<Console>,
    visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Trouble> {
    let back = own_address(fields.get("back"));
    let settings = &console.gateway.settings().console;
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let attempt = SignInTry {
        login: fields.get("login").to_owned(),
        password: fields.raw("password").to_owned(),
        address: visit.address.clone(),
        count_address: !settings.is_behind_a_proxy(),
        agent: agent.to_owned(),
        before: cookies::read(&headers, session_cookie(&console)).map(str::to_owned),
    };
    let t = visit.texts();
    let (status, error, wait) = match console.gateway.sign_in(attempt).await {
        Ok((secret, _)) => {
            let mut response = Redirect::to(back).into_response();
            let name = session_cookie(&console);
            cookies::set(response.headers_mut(), name, &secret, Kept::Session, SameSite::Lax, settings.is_https());
            return Ok(response);
        }
        Err(SignInError::Wrong) => (StatusCode::UNAUTHORIZED, t.t("sign-in-wrong"), None),
        Err(SignInError::Blocked(until)) => {
            let seconds = (until.since(console.gateway.clock().now()) / 1_000_000).max(1);
            let minutes = (seconds + 59) / 60;
            (StatusCode::TOO_MANY_REQUESTS, t.n("sign-in-blocked", minutes), Some(seconds))
        }
        Err(SignInError::Store(error)) => return Err(error.into()),
        Err(SignInError::Defect(why)) => return Err(Trouble::Defect(why)),
    };
    let mut response = (status, html(page(&visit, back, fields.get("login"), error)?)).into_response();
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

async fn sign_out(State(console): State<Console>, visit: Visit) -> Result<Response, Trouble> {
    console.gateway.sign_out(visit.signed()?).await?;
    let mut response = visit.done(PATH, NoticeKind::Good, "notice-signed-out", "");
    let secure = console.gateway.settings().console.is_https();
    cookies::set(response.headers_mut(), session_cookie(&console), "", Kept::Seconds(0), SameSite::Lax, secure);
    Ok(response)
}

#[derive(Template)]
#[template(path = "console/password_link.html")]
struct LinkPage {
    frame: Frame,
    login: String,
    error: String,
    chars_min: usize,
}

fn link_page(visit: &Visit, login: &str, error: String) -> Result<Response, Trouble> {
    let frame = visit.frame(&visit.texts().t("link-title"), "");
    Ok(html(LinkPage { frame, login: login.to_owned(), error, chars_min: CHARS_MIN }.render()?))
}

async fn show_link(visit: Visit, Path(link): Path<String>) -> Result<Response, Trouble> {
    let account = visit.gateway.password_link(&link).await?.ok_or(Trouble::NotFound)?;
    link_page(&visit, account.login.as_str(), String::new())
}

async fn use_link(visit: Visit, Path(link): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let account = visit.gateway.password_link(&link).await?.ok_or(Trouble::NotFound)?;
    let t = visit.texts();
    let new = fields.raw("new");
    if new != fields.raw("again") {
        return link_page(&visit, account.login.as_str(), t.t("password-differs"));
    }
    match visit.gateway.set_password_by_link(&link, new.to_owned()).await {
        Ok(_) => Ok(visit.done(PATH, NoticeKind::Good, "notice-password-set", "")),
        Err(PasswordError::Weak(weak)) => link_page(&visit, account.login.as_str(), t.word("weak", weak.as_str())),
        Err(PasswordError::Wrong | PasswordError::NoAccount) => Err(Trouble::NotFound),
        Err(PasswordError::Store(error)) => Err(error.into()),
        Err(PasswordError::Defect(why)) => Err(Trouble::Defect(why)),
    }
}
