//! «Пользователи»: the list, a card, a new account, rights, one-time links, shutting.

mod card;
mod form;

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use super::errors::Trouble;
use super::fields::Fields;
use super::routes::{Access, Route};
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::{Right, Scope};
use crate::domain::Login;
use crate::gateway::people::{SignInError, new_account_id};
use crate::store::{AccountRow, NewAccount};
use form::AccountForm;
pub(super) use form::Check;

const ROWS_MAX: u32 = 100;
pub(super) const PATH: &str = "/accounts";

pub(super) fn routes() -> Vec<Route> {
    let (see, manage) = (Access::Right(Right::SeeAccounts), Access::Right(Right::ManageAccounts));
    let mut routes = vec![
        Route::get(PATH, see, get(list)),
        Route::get("/accounts/new", manage, get(show_new)),
        Route::post("/accounts/new", manage, post(add)),
    ];
    routes.extend(card::routes());
    routes
}

#[derive(Template)]
#[template(path = "console/accounts.html")]
struct ListPage {
    frame: Frame,
    may_manage: bool,
    rows: Vec<Shown>,
    next_href: String,
    first_href: String,
}

/// An account as a row.
struct Shown {
    href: String,
    login: String,
    name: String,
    roles: String,
    scope: String,
    signed_in: String,
    state: &'static str,
    state_text: String,
}

/// Roles in words.
pub(super) fn roles_in_words(visit: &Visit, row: &AccountRow) -> String {
    let words: Vec<String> = row.roles.iter().map(|role| visit.texts().word("role", role.as_str())).collect();
    words.join(", ")
}

/// The part of the region in words: names of participants, codes of territories.
pub(super) fn scope_in_words(visit: &Visit, scope: &Scope) -> String {
    if scope.is_whole() {
        return visit.texts().t("account-whole");
    }
    let snapshot = visit.gateway.snapshot();
    let name = |id| snapshot.participant(id).map_or_else(|| id.to_string(), |p| p.name.clone());
    let participants = scope.participants.iter().map(name);
    let territories = scope.territories.iter().map(|t| visit.texts().a("account-territory", "code", t.as_str()));
    participants.chain(territories).collect::<Vec<_>>().join(", ")
}

fn state_of(row: &AccountRow) -> &'static str {
    if row.disabled_at.is_some() { "disabled" } else { "enabled" }
}

async fn list(visit: Visit) -> Result<Response, Trouble> {
    let (t, zone) = (visit.texts(), visit.zone()?);
    let after = Login::parse(visit.query("after")).ok();
    let rows = visit.gateway.store().accounts(after.as_ref(), ROWS_MAX + 1).await?;
    let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let shown = rows.iter().take(limit).map(|row| Shown {
        href: format!("{PATH}/{}", row.id),
        login: row.login.to_string(),
        name: row.name.clone(),
        roles: roles_in_words(&visit, row),
        scope: scope_in_words(&visit, &row.scope),
        signed_in: row.signed_in_at.map_or_else(String::new, |at| words::instant(t, at, zone)),
        state: state_of(row),
        state_text: t.word("account-state", state_of(row)),
    });
    let page = ListPage {
        frame: visit.frame(&t.t("accounts-title"), "accounts"),
        may_manage: visit.may(Right::ManageAccounts),
        rows: shown.collect(),
        next_href: last.map_or_else(String::new, |row| visit.with(&[("after", row.login.as_str())])),
        first_href: if after.is_some() { visit.with(&[("after", "")]) } else { String::new() },
    };
    Ok(html(page.render()?))
}

#[derive(Template)]
#[template(path = "console/account_new.html")]
struct NewPage {
    frame: Frame,
    form: AccountForm,
}

fn new_page(visit: &Visit, form: AccountForm) -> Result<Response, Trouble> {
    let frame = visit.frame(&visit.texts().t("account-new-title"), "accounts");
    Ok(html(NewPage { frame, form }.render()?))
}

async fn show_new(visit: Visit) -> Result<Response, Trouble> {
    let form = AccountForm::empty(&visit);
    new_page(&visit, form)
}

async fn add(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let mut form = AccountForm::sent(&visit, &fields);
    let (Some(login), Some(name), Some(access)) = (form.login(), form.name(), form.access()) else {
        return new_page(&visit, form);
    };
    let actor = visit.principal()?.actor();
    let id = new_account_id();
    let new = NewAccount {
        id,
        login,
        name,
        password: None,
        must_change: false,
        roles: access.roles,
        scope: access.scope,
        data_classes: access.data_classes,
    };
    if !visit.gateway.store().add_account(new, &actor, visit.gateway.clock().now()).await? {
        form.login_error = visit.texts().t("account-login-taken");
        return new_page(&visit, form);
    }
    card::link_page(&visit, id).await
}

pub(super) fn defect(error: SignInError) -> Trouble {
    match error {
        SignInError::Store(error) => error.into(),
        SignInError::Wrong | SignInError::Blocked(_) => Trouble::Forbidden,
        SignInError::Defect(why) => Trouble::Defect(why),
    }
}

/// Back to an account's card.
fn to_card(id: crate::domain::AccountId) -> String {
    format!("{PATH}/{id}")
}

/// Where somebody goes who asked for what is another's page: the own access.
fn to_own() -> Response {
    Redirect::to(super::own::PATH).into_response()
}
