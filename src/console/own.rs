//! «Мой доступ»: one's own password, sessions and tokens.

use askama::Template;
use axum::response::Response;
use axum::routing::{get, post};

use super::errors::Trouble;
use super::fields::Fields;
use super::routes::{Access, Route};
use super::visit::{Frame, NoticeKind, Visit, html};
use crate::access::Right;
use crate::access::password::CHARS_MIN;
use crate::gateway::people::PasswordError;

const PASSWORD: &str = "/own/password";

pub(super) fn routes() -> Vec<Route> {
    let own = Access::Right(Right::OwnAccess);
    vec![Route::get(PASSWORD, own, get(show_password)), Route::post(PASSWORD, own, post(change_password))]
}

#[derive(Template)]
#[template(path = "console/own_password.html")]
struct PasswordPage {
    frame: Frame,
    error: String,
    must_change: bool,
    chars_min: usize,
}

fn password_page(visit: &Visit, error: String) -> Result<Response, Trouble> {
    let must_change = visit.signed()?.account.must_change;
    let frame = visit.frame(&visit.texts().t("own-password-title"), "own");
    Ok(html(PasswordPage { frame, error, must_change, chars_min: CHARS_MIN }.render()?))
}

async fn show_password(visit: Visit) -> Result<Response, Trouble> {
    password_page(&visit, String::new())
}

async fn change_password(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let t = visit.texts();
    let (present, new) = (fields.raw("present"), fields.raw("new"));
    if new != fields.raw("again") {
        return password_page(&visit, t.t("password-differs"));
    }
    match visit.gateway.change_password(visit.signed()?, present.to_owned(), new.to_owned()).await {
        Ok(()) => Ok(visit.done("/", NoticeKind::Good, "notice-password-set", "")),
        Err(PasswordError::Weak(weak)) => password_page(&visit, t.word("weak", weak.as_str())),
        Err(PasswordError::Wrong) => password_page(&visit, t.t("password-wrong")),
        Err(PasswordError::NoAccount) => Err(Trouble::Forbidden),
        Err(PasswordError::Store(error)) => Err(error.into()),
        Err(PasswordError::Defect(why)) => Err(Trouble::Defect(why)),
    }
}
