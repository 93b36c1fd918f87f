//! `/api/v1/access`: who asks, and what they may.

use std::collections::BTreeSet;

use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, json};
use crate::access::{Right, Role};
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::domain::{Oktmo, ParticipantId};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/api/v1/access", Access::Signed, get(show))]
}

/// Who asks, and what they may.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Access)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asker {
    /// The login of the account.
    login: String,
    /// Its name.
    name: String,
    /// Its roles.
    #[schema(value_type = Vec<Role>)]
    roles: Vec<&'static str>,
    /// What may be done: for a token no more than was given to it.
    #[schema(value_type = Vec<Right>)]
    rights: Vec<&'static str>,
    /// Only what one of these sends, receives, owes or is owed; empty: of all.
    participants: BTreeSet<ParticipantId>,
    /// Only what belongs to a case in one of these territories; empty: of all.
    territories: BTreeSet<Oktmo>,
    /// Of a session: what the header `mezhved-csrf` carries with everything that changes something. `null`: a token needs none.
    csrf: Option<String>,
}

#[utoipa::path(
    get, path = "/api/v1/access", tag = "access", operation_id = "getAccess",
    summary = "Кто спрашивает и что ему можно / who asks, and what they may",
    responses((status = 200, description = "Права и часть обмена / rights and the part of the exchange", body = Asker))
)]
pub(super) async fn show(visit: Visit) -> Answer {
    let (signed, principal) = (visit.signed()?, visit.principal()?);
    let scope = principal.scope();
    json(Asker {
        login: principal.login().to_string(),
        name: signed.account.name.clone(),
        roles: principal.roles().iter().map(|r| r.as_str()).collect(),
        rights: principal.rights().iter().map(|r| r.as_str()).collect(),
        participants: scope.participants.clone(),
        territories: scope.territories.clone(),
        csrf: signed.session.as_ref().map(|_| visit.csrf.clone()),
    })
}
