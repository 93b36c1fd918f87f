//! `/api/v1/messages/search`: messages that are about somebody. What is asked stands in the body, so that it is in no address and no log.

use axum::routing::post;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::listing::{LINES, LINES_MAX};
use super::messages::Message;
use super::problem::Problem;
use super::sent::Sent;
use super::{Answer, json};
use crate::access::Right;
use crate::console::person_search::{self, Asked};
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::domain::RecordId;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::post("/api/v1/messages/search", Access::Right(Right::SeePersonalData), post(search))]
}

/// Somebody: either family name, given name and date of birth, with or without the patronymic, or the SNILS alone.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PersonSearch {
    #[serde(default)]
    family: String,
    #[serde(default)]
    given: String,
    #[serde(default)]
    patronymic: String,
    /// Such as `1948-01-09`.
    #[serde(default)]
    birth_date: String,
    /// With or without spaces and hyphens.
    #[serde(default)]
    snils: String,
    /// Lines of a page, 50 if nothing is said.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    before: Option<String>,
}

/// A page of the messages that are about somebody.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundMessages {
    /// Newest first. Those whose classes of personal data the asker may not see are left out, so a page may hold fewer lines than asked for.
    items: Vec<Message>,
    /// What `before` asks for in the next page; `null`: this is the last.
    next: Option<RecordId>,
}

#[utoipa::path(
    post, path = "/api/v1/messages/search", tag = "messages", operation_id = "searchMessages",
    summary = "Найти сообщения о человеке; запись в журнале / find the messages that are about somebody; the journal knows",
    request_body = PersonSearch,
    responses((status = 200, description = "Страница списка / a page of the listing", body = FoundMessages))
)]
pub(super) async fn search(visit: Visit, Sent(asked): Sent<PersonSearch>) -> Answer {
    let person = Asked {
        family: asked.family.trim(),
        given: asked.given.trim(),
        patronymic: asked.patronymic.trim(),
        birth_date: asked.birth_date.trim(),
        snils: asked.snils.trim(),
    };
    let person = person.person().map_err(|label| Problem::field(name_of(label)))?;
    let limit = asked.limit.unwrap_or(LINES);
    if !(1..=LINES_MAX).contains(&limit) {
        return Err(Problem::field("limit"));
    }
    let before = asked.before.map(|text| RecordId::parse(&text).map_err(|_| Problem::field("before"))).transpose()?;
    let found = person_search::search(&visit, &person, before, limit).await?;
    let mut items = Vec::new();
    for row in &found.rows {
        items.push(Message::of(row, &visit.gateway.store().deliveries_of(row.record_id).await?));
    }
    json(FoundMessages { items, next: found.next })
}

/// The member of the body that the page labels so.
fn name_of(label: &'static str) -> &'static str {
    match label {
        "say-birth-date" => "birthDate",
        other => other.strip_prefix("say-").unwrap_or(other),
    }
}
