//! What the reader may look at: anything else is not there.

use super::errors::Trouble;
use super::visit::Visit;
use crate::access::Principal;
use crate::domain::{CaseId, DeliveryId, ObligationId, Oktmo, ParticipantId, RecordId};
use crate::store::{DeadDelivery, MessageRow, ObligationRow, StoreError};

/// Where a case lies; asked for only when the reader sees some territories.
pub(super) async fn territory(
    visit: &Visit,
    principal: &Principal,
    case: Option<CaseId>,
) -> Result<Option<Oktmo>, StoreError> {
    match case.filter(|_| !principal.scope().territories.is_empty()) {
        Some(case) => Ok(visit.gateway.store().case(case).await?.map(|row| row.territory)),
        None => Ok(None),
    }
}

async fn sees(visit: &Visit, parties: &[&ParticipantId], case: Option<CaseId>) -> Result<bool, Trouble> {
    let principal = visit.principal()?;
    let territory = territory(visit, principal, case).await?;
    Ok(principal.sees(parties, territory.as_ref()))
}

/// A message of the reader's part.
pub(super) async fn message(visit: &Visit, id: &str) -> Result<MessageRow, Trouble> {
    let id = RecordId::parse(id).map_err(|_| Trouble::NotFound)?;
    let row = visit.gateway.store().message(id).await?.ok_or(Trouble::NotFound)?;
    if sees(visit, &[&row.sender, &row.recipient], row.case_id).await? { Ok(row) } else { Err(Trouble::NotFound) }
}

/// An obligation of the reader's part.
pub(super) async fn obligation(visit: &Visit, id: &str) -> Result<ObligationRow, Trouble> {
    let id = ObligationId::parse(id).map_err(|_| Trouble::NotFound)?;
    let row = visit.gateway.store().obligation(id).await?.ok_or(Trouble::NotFound)?;
    if sees(visit, &[&row.debtor, &row.creditor], row.case_id).await? { Ok(row) } else { Err(Trouble::NotFound) }
}

/// A delivery of the reader's part, with its message.
pub(super) async fn delivery(visit: &Visit, id: &str) -> Result<DeadDelivery, Trouble> {
    let id = DeliveryId::parse(id).map_err(|_| Trouble::NotFound)?;
    let (delivery, message) = visit.gateway.store().delivery(id).await?.ok_or(Trouble::NotFound)?;
    if sees(visit, &[&message.sender, &delivery.recipient], message.case_id).await? {
        Ok(DeadDelivery { delivery, message })
    } else {
        Err(Trouble::NotFound)
    }
}

/// Whether the reader's part holds all of a participant's queue: a part by territory holds none, for a queue is not divided.
pub(super) fn queue(visit: &Visit, id: &ParticipantId) -> Result<bool, Trouble> {
    let scope = visit.principal()?.scope();
    Ok(scope.territories.is_empty() && scope.covers_participant(id))
}
