//! «Мой доступ»: one's own rights, password, sessions and tokens.

use std::collections::BTreeSet;

use askama::Template;
use axum::response::Response;
use axum::routing::{get, post};

use super::accounts::Check;
use super::errors::Trouble;
use super::fields::Fields;
use super::routes::{Access, Route};
use super::visit::{Frame, NoticeKind, Visit, html};
use super::words;
use crate::access::Right;
use crate::access::password::CHARS_MIN;
use crate::domain::{Digest, Line, TokenId};
use crate::gateway::people::{PasswordError, TokenWish};
use crate::store::{SessionRow, TokenRow};

pub(super) const PATH: &str = "/own";
const PASSWORD: &str = "/own/password";
/// Days that a token may be good for, and those that the form begins with.
const TOKEN_DAYS_MAX: u32 = 366;
const TOKEN_DAYS: u32 = 90;

pub(super) fn routes() -> Vec<Route> {
    let own = Access::Right(Right::OwnAccess);
    vec![
        Route::get(PATH, own, get(show)),
        Route::post("/own/sessions", own, post(end_session)),
        Route::post("/own/sessions/others", own, post(end_others)),
        Route::post("/own/tokens", own, post(make_token)),
        Route::post("/own/tokens/revoke", own, post(revoke_token)),
        Route::get(PASSWORD, own, get(show_password)),
        Route::post(PASSWORD, own, post(change_password)),
    ]
}

/// A session as a row.
pub(super) struct SessionShown {
    pub(super) hash: String,
    pub(super) begun: String,
    pub(super) seen: String,
    pub(super) address: String,
    pub(super) agent: String,
    /// Whether it is the one in which the page is asked for.
    pub(super) current: bool,
}

/// A token as a row.
pub(super) struct TokenShown {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) rights: String,
    pub(super) until: String,
    pub(super) used: String,
    /// `enabled`, `expired` or `revoked`.
    pub(super) state: &'static str,
    pub(super) state_text: String,
}

pub(super) fn sessions_shown(visit: &Visit, rows: &[SessionRow]) -> Result<Vec<SessionShown>, Trouble> {
    let (t, zone) = (visit.texts(), visit.zone()?);
    let own = visit.signed()?.session.as_ref().map(|s| s.token_hash);
    let shown = |row: &SessionRow| SessionShown {
        hash: row.token_hash.to_string(),
        begun: words::instant(t, row.begun_at, zone),
        seen: words::instant(t, row.seen_at, zone),
        address: row.address.clone(),
        agent: row.agent.clone(),
        current: Some(row.token_hash) == own,
    };
    Ok(rows.iter().map(shown).collect())
}

pub(super) fn tokens_shown(visit: &Visit, rows: &[TokenRow]) -> Result<Vec<TokenShown>, Trouble> {
    let (t, zone, now) = (visit.texts(), visit.zone()?, visit.gateway.clock().now());
    let shown = |row: &TokenRow| {
        let state = match row.revoked_at {
            Some(_) => "revoked",
            None if row.expires_at <= now => "expired",
            None => "enabled",
        };
        let rights: Vec<String> = row.rights.iter().map(|r| t.word("right", r.as_str())).collect();
        TokenShown {
            id: row.id.to_string(),
            title: row.title.clone(),
            rights: rights.join(", "),
            until: words::date(t, row.expires_at, zone),
            used: row.used_at.map_or_else(|| t.t("account-never"), |at| words::instant(t, at, zone)),
            state,
            state_text: t.word("token-state", state),
        }
    };
    Ok(rows.iter().map(shown).collect())
}

#[derive(Template)]
#[template(path = "console/own.html")]
struct OwnPage {
    frame: Frame,
    name: String,
    roles: String,
    scope: String,
    rights: Vec<String>,
    sessions: Vec<SessionShown>,
    tokens: Vec<TokenShown>,
    form: TokenForm,
}

/// The form of a new token.
struct TokenForm {
    title: String,
    title_error: String,
    days: String,
    days_error: String,
    rights: Vec<Check>,
    rights_error: String,
}

impl TokenForm {
    fn of(visit: &Visit, ticked: &BTreeSet<&str>) -> Result<Self, Trouble> {
        let t = visit.texts();
        // A token makes no tokens and changes no password.
        let own = visit.principal()?.rights().iter().filter(|right| **right != Right::OwnAccess);
        let check = |right: &Right| Check {
            value: right.as_str().to_owned(),
            label: t.word("right", right.as_str()),
            checked: ticked.contains(right.as_str()),
        };
        Ok(Self {
            title: String::new(),
            title_error: String::new(),
            days: TOKEN_DAYS.to_string(),
            days_error: String::new(),
            rights: own.map(check).collect(),
            rights_error: String::new(),
        })
    }
}

async fn own_page(visit: &Visit, form: TokenForm) -> Result<Response, Trouble> {
    let (t, now, store) = (visit.texts(), visit.gateway.clock().now(), visit.gateway.store());
    let account = &visit.signed()?.account;
    let page = OwnPage {
        frame: visit.frame(&t.t("own-title"), "own"),
        name: account.name.clone(),
        roles: super::accounts::roles_in_words(visit, account),
        scope: super::accounts::scope_in_words(visit, &account.scope),
        rights: visit.principal()?.rights().iter().map(|r| t.word("right", r.as_str())).collect(),
        sessions: sessions_shown(visit, &store.sessions_of(account.id, now).await?)?,
        tokens: tokens_shown(visit, &store.tokens_of(account.id).await?)?,
        form,
    };
    Ok(html(page.render()?))
}

async fn show(visit: Visit) -> Result<Response, Trouble> {
    let form = TokenForm::of(&visit, &BTreeSet::new())?;
    own_page(&visit, form).await
}

async fn end_session(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let hash = Digest::parse_hex(fields.get("session")).map_err(|_| Trouble::NotFound)?;
    let (account, actor) = (visit.principal()?.account(), visit.principal()?.actor());
    visit.gateway.store().end_session(hash, account, &actor, visit.gateway.clock().now()).await?;
    Ok(visit.done(PATH, NoticeKind::Good, "notice-session-ended", ""))
}

async fn end_others(visit: Visit) -> Result<Response, Trouble> {
    let (account, actor) = (visit.principal()?.account(), visit.principal()?.actor());
    let keep = visit.signed()?.session.as_ref().map(|s| s.token_hash);
    visit.gateway.store().end_sessions(account, keep, &actor, visit.gateway.clock().now()).await?;
    Ok(visit.done(PATH, NoticeKind::Good, "notice-sessions-ended", ""))
}

#[derive(Template)]
#[template(path = "console/own_token.html")]
struct TokenPage {
    frame: Frame,
    token: String,
}

async fn make_token(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let t = visit.texts();
    let ticked: BTreeSet<&str> = fields.all("right").collect();
    let mut form = TokenForm::of(&visit, &ticked)?;
    form.title = fields.get("title").to_owned();
    form.days = fields.get("days").to_owned();
    let title = Line::parse(&form.title).ok();
    let days = form.days.parse().ok().filter(|days| (1..=TOKEN_DAYS_MAX).contains(days));
    let rights: BTreeSet<Right> =
        form.rights.iter().filter(|c| c.checked).filter_map(|c| Right::parse(&c.value)).collect();
    let (Some(title), Some(days), false) = (title.clone(), days, rights.is_empty()) else {
        form.title_error = if title.is_none() { t.t("token-title-wrong") } else { String::new() };
        form.days_error = if days.is_none() { t.n("token-days-wrong", TOKEN_DAYS_MAX) } else { String::new() };
        form.rights_error = if rights.is_empty() { t.t("token-rights-none") } else { String::new() };
        return own_page(&visit, form).await;
    };
    let signed = visit.signed()?;
    let wish = TokenWish { title, rights, days };
    let made = visit.gateway.make_token(&signed.account, wish, &signed.principal.actor()).await;
    let (_, token) = made.map_err(super::accounts::defect)?;
    Ok(html(TokenPage { frame: visit.frame(&t.t("token-made-title"), "own"), token }.render()?))
}

async fn revoke_token(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let id = TokenId::parse(fields.get("token")).map_err(|_| Trouble::NotFound)?;
    let (account, actor) = (visit.principal()?.account(), visit.principal()?.actor());
    if !visit.gateway.store().revoke_token(id, account, &actor, visit.gateway.clock().now()).await? {
        return Err(Trouble::NotFound);
    }
    Ok(visit.done(PATH, NoticeKind::Good, "notice-token-revoked", ""))
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
