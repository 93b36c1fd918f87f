//! What a judgement asks of the store. One that has nothing to ask is made at once, in the thread that received the message; any other in a
//! thread that may wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;

use crate::deadline::obligations::CaseView;
use crate::domain::{
    CaseId, ConversationId, DeliveryState, Digest, Fault, FaultCode, MessageId, ParticipantId, RecordId,
};
use crate::store::{CaseRow, StoreError};

use super::judge::Lookup;
use super::{Gateway, ids};

/// What the record of a judged message needs besides.
pub(super) trait Records: Lookup {
    /// A record id for a delivery: in an ordered conversation after all that are there, also those of nodes whose clocks are ahead.
    ///
    /// # Errors
    /// `not-now` when the store cannot answer.
    fn record_id(&self, ordered: bool, to: &ParticipantId, conversation: ConversationId) -> Result<RecordId, Fault>;
    /// The case as it was read last, for the guard of what is written.
    fn found(&self) -> Option<CaseRow>;
}

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
}

impl Records for StoreLookup<'_> {
    fn record_id(&self, ordered: bool, to: &ParticipantId, conversation: ConversationId) -> Result<RecordId, Fault> {
        let store = self.gateway.store();
        let last = if ordered { self.ask(store.last_in_order(to, conversation))? } else { None };
        Ok(ids::record_after(self.gateway.clock(), last))
    }

    fn found(&self) -> Option<CaseRow> {
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

/// The answers of a store that is not there. Whoever asks must judge again where the store can be waited for.
pub(super) struct Unasked {
    gateway: Gateway,
    asked: AtomicBool,
}

/// Whether a document seems to have a field of the header by which the store is asked of: then it is not worth trying without. A wrong guess
/// costs time and nothing else.
pub(super) fn names_something_earlier(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEADER_BYTES).unwrap_or(bytes);
    [&b"InReplyTo"[..], b"CaseId"].into_iter().any(|name| head.windows(name.len()).any(|part| part == name))
}

/// Where the header of an envelope has ended, mostly.
const HEADER_BYTES: usize = 2 * 1024;

impl Unasked {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway, asked: AtomicBool::new(false) }
    }

    /// Whether anything was asked: then the judgement stands on nothing.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    fn asked<T>(&self) -> Result<T, Fault> {
        self.asked.store(true, Ordering::Relaxed);
        Err(Fault::new(FaultCode::NotNow, "the store is to be asked"))
    }
}

impl Records for Unasked {
    fn record_id(&self, ordered: bool, _: &ParticipantId, _: ConversationId) -> Result<RecordId, Fault> {
        if ordered { self.asked() } else { Ok(ids::record_after(self.gateway.clock(), None)) }
    }

    fn found(&self) -> Option<CaseRow> {
        None
    }
}

impl Lookup for Unasked {
    fn case(&self, _: CaseId) -> Result<Option<(CaseView, String)>, Fault> {
        self.asked()
    }

    fn curator_load(&self, _: &str, _: CaseId) -> Result<Vec<(String, u32)>, Fault> {
        self.asked()
    }

    fn was_sent(&self, _: &ParticipantId, _: MessageId, _: &ParticipantId) -> Result<bool, Fault> {
        self.asked()
    }

    fn has_latest(&self, _: CaseId, _: &str, _: &ParticipantId) -> Result<bool, Fault> {
        self.asked()
    }

    fn uploaded(&self, _: &ParticipantId, _: Digest) -> Result<Option<u64>, Fault> {
        self.asked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_something_earlier_is_seen_in_the_header() {
        for (text, named) in [("<e:InReplyTo>", true), ("<CaseId>", true), ("<Header></Header>", false), ("", false)] {
            assert_eq!(names_something_earlier(text.as_bytes()), named, "{text}");
        }
        let far = format!("{}<CaseId>", " ".repeat(HEADER_BYTES));
        assert!(!names_something_earlier(far.as_bytes()));
    }
}
