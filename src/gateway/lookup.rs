//! What a judgement asks of the store.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;

use crate::deadline::obligations::CaseView;
use crate::domain::{
    CaseId, ConversationId, DeliveryState, Digest, Fault, FaultCode, MessageId, ParticipantId, RecordId,
};
use crate::store::{CaseRow, StoreError};

use super::judge::Lookup;
use super::{Gateway, ids};

/// Answers the judgement's questions from the store, in a thread that may block.
pub(super) struct StoreLookup<'a> {
    gateway: &'a Gateway,
    runtime: &'a Handle,
    case: Mutex<Option<CaseRow>>,
}

impl<'a> StoreLookup<'a> {
    pub(super) fn new(gateway: &'a Gateway, runtime: &'a Handle) -> Self {
        Self { gateway, runtime, case: Mutex::new(None) }
    }

    fn ask<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, Fault> {
        self.runtime.block_on(answer).map_err(|e| Fault::new(FaultCode::NotNow, e.to_string()))
    }

    /// A record id for a delivery: in an ordered conversation after all that are there, also those of nodes whose clocks are ahead.
    pub(super) fn record_id(
        &self,
        ordered: bool,
        to: &ParticipantId,
        conversation: ConversationId,
    ) -> Result<RecordId, Fault> {
        let store = self.gateway.store();
        let last = if ordered { self.ask(store.last_in_order(to, conversation))? } else { None };
        Ok(ids::record_after(self.gateway.clock(), last))
    }

    /// The case as it was read last, for the guard of what is written.
    pub(super) fn found(&self) -> Option<CaseRow> {
        self.case.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Lookup for StoreLookup<'_> {
    fn case(&self, id: CaseId) -> Result<Option<(CaseView, String)>, Fault> {
        let row = self.ask(self.gateway.store().case(id))?;
        let view = row.as_ref().map(|r| {
            let (territory, kind, facts) = (r.territory.clone(), r.kind.clone(), r.facts.clone());
            (CaseView { id: r.id, territory, kind, facts }, r.regulation.clone())
        });
        *self.case.lock().unwrap_or_else(PoisonError::into_inner) = row;
        Ok(view)
    }

    fn curator_load(&self, curator: &str, except: CaseId) -> Result<Vec<(String, u32)>, Fault> {
        self.ask(self.gateway.store().curator_load(curator, except))
    }

    fn was_sent(&self, sender: &ParticipantId, id: MessageId, recipient: &ParticipantId) -> Result<bool, Fault> {
        let row = self.ask(self.gateway.store().message_by_key(sender, id))?;
        Ok(row.is_some_and(|r| r.recipient == *recipient))
    }

    fn has_latest(&self, case: CaseId, type_name: &str, recipient: &ParticipantId) -> Result<bool, Fault> {
        let state = self.ask(self.gateway.store().latest_delivery(case, type_name, recipient))?;
        Ok(state.is_some_and(|state| {
            !matches!(
                state,
                DeliveryState::Stopped | DeliveryState::Refused | DeliveryState::Expired | DeliveryState::Discarded
            )
        }))
    }

    fn uploaded(&self, sender: &ParticipantId, digest: Digest) -> Result<Option<u64>, Fault> {
        self.ask(self.gateway.store().attachment_held(sender, digest))
    }
}
