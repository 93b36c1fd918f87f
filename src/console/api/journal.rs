//! `/api/v1/journal`: who did what.

use axum::routing::get;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::asked::OfJournal;
use super::listing::{Page, cut, limit};
use super::problem::Problem;
use super::{Answer, json};
use crate::access::Right;
use crate::console::journal::{account_of, read};
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::domain::{DeliveryId, Digest, ObligationId, ParticipantId, RecordId, Timestamp};
use crate::store::JournalRow;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/api/v1/journal", Access::Right(Right::SeeJournal), get(list))]
}

/// An entry: ids, codes and digests only.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalEntry)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    id: String,
    /// Its number in the chain; `null`: it is not sealed yet.
    number: Option<i64>,
    /// Its hash in the chain.
    hash: Option<Digest>,
    at: Timestamp,
    kind: String,
    /// A participant, a node, `account:` and an account's id.
    actor: String,
    /// The login of that account.
    login: Option<String>,
    participant: Option<ParticipantId>,
    record_id: Option<RecordId>,
    delivery_id: Option<DeliveryId>,
    obligation_id: Option<ObligationId>,
    /// More, by the kind.
    #[schema(value_type = Value)]
    detail: Value,
}

#[utoipa::path(
    get, path = "/api/v1/journal", tag = "journal", operation_id = "listJournal",
    summary = "Журнал, новое первым / the journal, newest first",
    params(OfJournal),
    responses((status = 200, description = "Страница журнала / a page of the journal", body = Page<Entry>))
)]
pub(super) async fn list(visit: Visit) -> Answer {
    let (limit, store) = (limit(&visit)?, visit.gateway.store());
    let filter = read(&visit, visit.zone()?).await?.map_err(|label| Problem::filter(label, "before"))?;
    let before = Some(visit.query("before")).filter(|id| !id.is_empty());
    let rows = store.journal_page(&filter, before, limit.saturating_add(1)).await?;
    let (shown, last) = cut(&rows, limit);
    let logins = store.logins(&shown.iter().filter_map(|row| account_of(&row.entry)).collect()).await?;
    let entry = |row: &JournalRow| {
        let own = &row.entry;
        Entry {
            id: row.id.clone(),
            number: row.sealed.map(|(number, _)| number),
            hash: row.sealed.map(|(_, hash)| hash),
            at: row.at,
            kind: own.kind.clone(),
            actor: own.actor.clone(),
            login: account_of(own).and_then(|id| logins.get(&id)).map(ToString::to_string),
            participant: own.participant.clone(),
            record_id: own.record_id,
            delivery_id: own.delivery_id,
            obligation_id: own.obligation_id,
            detail: own.detail.clone(),
        }
    };
    json(Page { items: shown.iter().map(entry).collect(), next: last.map(|row| visit.with(&[("before", &row.id)])) })
}
