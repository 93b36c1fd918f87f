//! An account's card and what is done there.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::form::AccountForm;
use super::{defect, roles_in_words, scope_in_words, state_of, to_card, to_own};
use crate::access::Right;
use crate::console::confirm::{self, Confirm};
use crate::console::errors::Trouble;
use crate::console::fields::Fields;
use crate::console::own::{SessionShown, TokenShown, sessions_shown, tokens_shown};
use crate::console::routes::{Access, Route};
use crate::console::visit::{Frame, NoticeKind, Visit, html};
use crate::console::words;
use crate::domain::{AccountId, TokenId};
use crate::store::{AccountChange, AccountRow};

pub(super) fn routes() -> Vec<Route> {
    let (see, manage) = (Access::Right(Right::SeeAccounts), Access::Right(Right::ManageAccounts));
    vec![
        Route::get("/accounts/{id}", see, get(show)),
        Route::post("/accounts/{id}", manage, post(change)),
        Route::post("/accounts/{id}/link", manage, post(link)),
        Route::get("/accounts/{id}/disable", manage, get(ask_disable)),
        Route::post("/accounts/{id}/disable", manage, post(disable)),
        Route::post("/accounts/{id}/enable", manage, post(enable)),
        Route::post("/accounts/{id}/sign-out", manage, post(sign_out)),
        Route::post("/accounts/{id}/revoke", manage, post(revoke)),
    ]
}

#[derive(Template)]
#[template(path = "console/account.html")]
struct CardPage {
    frame: Frame,
    path: String,
    /// Whether the reader may change it: nobody changes the own rights.
    may_change: bool,
    is_own: bool,
    roles: String,
    scope: String,
    created: String,
    password: String,
    signed_in: String,
    state: &'static str,
    state_text: String,
    form: AccountForm,
    sessions: Vec<SessionShown>,
    tokens: Vec<TokenShown>,
}

async fn find(visit: &Visit, id: &str) -> Result<AccountRow, Trouble> {
    let id = AccountId::parse(id).map_err(|_| Trouble::NotFound)?;
    visit.gateway.store().account(id).await?.ok_or(Trouble::NotFound)
}

/// An account that is not the reader's own.
async fn another(visit: &Visit, id: &str) -> Result<AccountRow, Trouble> {
    let row = find(visit, id).await?;
    if row.id == visit.principal()?.account() { Err(Trouble::Forbidden) } else { Ok(row) }
}

async fn card(visit: &Visit, row: &AccountRow, form: AccountForm) -> Result<Response, Trouble> {
    let (t, zone, now) = (visit.texts(), visit.zone()?, visit.gateway.clock().now());
    let instant = |at: Option<_>| at.map_or_else(|| t.t("account-never"), |at| words::instant(t, at, zone));
    let is_own = row.id == visit.principal()?.account();
    let sessions = visit.gateway.store().sessions_of(row.id, now).await?;
    let tokens = visit.gateway.store().tokens_of(row.id).await?;
    let page = CardPage {
        frame: visit.frame(&row.name, "accounts"),
        path: to_card(row.id),
        may_change: visit.may(Right::ManageAccounts) && !is_own,
        is_own,
        roles: roles_in_words(visit, row),
        scope: scope_in_words(visit, &row.scope),
        created: instant(Some(row.created_at)),
        password: instant(row.password_at),
        signed_in: instant(row.signed_in_at),
        state: state_of(row),
        state_text: t.word("account-state", state_of(row)),
        form,
        sessions: sessions_shown(visit, &sessions)?,
        tokens: tokens_shown(visit, &tokens)?,
    };
    Ok(html(page.render()?))
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = find(&visit, &id).await?;
    let form = AccountForm::of(&visit, &row);
    card(&visit, &row, form).await
}

async fn change(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let row = another(&visit, &id).await?;
    let mut form = AccountForm::sent(&visit, &fields);
    // The login is the account's for good: the form does not send it.
    form.login = row.login.to_string();
    let (Some(name), Some(access)) = (form.name(), form.access()) else { return card(&visit, &row, form).await };
    let (store, now, actor) = (visit.gateway.store(), visit.gateway.clock().now(), visit.principal()?.actor());
    if name.as_str() != row.name {
        store.change_account(row.id, AccountChange::Name(name), &actor, now).await?;
    }
    let same = access.roles == row.roles && access.scope == row.scope && access.data_classes == row.data_classes;
    if !same {
        let change =
            AccountChange::Access { roles: access.roles, scope: access.scope, data_classes: access.data_classes };
        store.change_account(row.id, change, &actor, now).await?;
    }
    Ok(visit.done(&to_card(row.id), NoticeKind::Good, "notice-account-saved", ""))
}

#[derive(Template)]
#[template(path = "console/account_link.html")]
struct LinkPage {
    frame: Frame,
    login: String,
    link: String,
    hours: u32,
    back: String,
}

/// Makes a one-time link and shows it, once.
pub(super) async fn link_page(visit: &Visit, id: AccountId) -> Result<Response, Trouble> {
    let row = visit.gateway.store().account(id).await?.ok_or(Trouble::NotFound)?;
    let secret = visit.gateway.make_password_link(id, &visit.principal()?.actor()).await.map_err(defect)?;
    let page = LinkPage {
        frame: visit.frame(&visit.texts().t("account-link-title"), "accounts"),
        login: row.login.to_string(),
        link: format!("{}/password/{secret}", visit.origin()),
        hours: visit.gateway.settings().console.password_link_hours,
        back: to_card(id),
    };
    Ok(html(page.render()?))
}

async fn link(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = another(&visit, &id).await?;
    if row.disabled_at.is_some() {
        return Ok(visit.done(&to_card(row.id), NoticeKind::Bad, "notice-account-is-disabled", ""));
    }
    link_page(&visit, row.id).await
}

async fn ask_disable(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = another(&visit, &id).await?;
    let t = visit.texts();
    let ask = Confirm {
        title: t.t("account-disable-title"),
        text: t.a("account-disable-text", "login", row.login.as_str()),
        action: format!("{}/disable", to_card(row.id)),
        button: t.t("account-disable"),
        back: to_card(row.id),
        section: "accounts",
    };
    confirm::page(&visit, ask)
}

async fn switch(visit: &Visit, id: &str, off: bool, notice: &'static str) -> Result<Response, Trouble> {
    let row = another(visit, id).await?;
    let (now, actor) = (visit.gateway.clock().now(), visit.principal()?.actor());
    visit.gateway.store().change_account(row.id, AccountChange::Disabled(off), &actor, now).await?;
    Ok(visit.done(&to_card(row.id), NoticeKind::Good, notice, ""))
}

async fn disable(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    switch(&visit, &id, true, "notice-account-disabled").await
}

async fn enable(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    switch(&visit, &id, false, "notice-account-enabled").await
}

async fn sign_out(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = find(&visit, &id).await?;
    if row.id == visit.principal()?.account() {
        return Ok(to_own());
    }
    let (now, actor) = (visit.gateway.clock().now(), visit.principal()?.actor());
    visit.gateway.store().end_sessions(row.id, None, &actor, now).await?;
    Ok(visit.done(&to_card(row.id), NoticeKind::Good, "notice-sessions-ended", ""))
}

async fn revoke(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let row = find(&visit, &id).await?;
    let token = TokenId::parse(fields.get("token")).map_err(|_| Trouble::NotFound)?;
    let (now, actor) = (visit.gateway.clock().now(), visit.principal()?.actor());
    if !visit.gateway.store().revoke_token(token, row.id, &actor, now).await? {
        return Err(Trouble::NotFound);
    }
    Ok(visit.done(&to_card(row.id), NoticeKind::Good, "notice-token-revoked", ""))
}
