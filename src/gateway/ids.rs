//! The one place that makes ids.

use uuid::Uuid;

use crate::crypto::sha256;
use crate::domain::{ConversationId, DeliveryId, MailingId, MessageId, NotificationId, ObligationId, RecordId};

/// A new message id: version 7, growing within the process.
pub(super) fn message() -> MessageId {
    MessageId::from_uuid(Uuid::now_v7())
}

/// A new record id: version 7, growing within the process; the order of messages.
pub(super) fn record() -> RecordId {
    RecordId::from_uuid(Uuid::now_v7())
}

/// A new delivery id.
pub(super) fn delivery() -> DeliveryId {
    DeliveryId::from_uuid(Uuid::now_v7())
}

/// A new obligation id.
pub(super) fn obligation() -> ObligationId {
    ObligationId::from_uuid(Uuid::now_v7())
}

/// A new notification id.
pub(super) fn notification() -> NotificationId {
    NotificationId::from_uuid(Uuid::now_v7())
}

/// A new mailing id, for a test.
pub(super) fn mailing() -> MailingId {
    MailingId::from_uuid(Uuid::now_v7())
}

/// A new conversation, for an envelope of the gateway that belongs to none.
pub(super) fn conversation() -> ConversationId {
    ConversationId::from_uuid(Uuid::now_v7())
}

/// An id that follows from the given words, so that a repeat has the same one. Of version 7, with 1970 as its time, for it has none.
pub(super) fn derived(kind: &str, parts: &[&str]) -> Uuid {
    let text = [&[kind], parts].concat().join("\u{1f}");
    let mut bytes = [0; 10];
    bytes.iter_mut().zip(sha256(text.as_bytes()).bytes()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_unix_timestamp_millis(0, &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_is_the_same_for_the_same_words_only() {
        let id = derived("posted", &["crm", "key 1"]);
        assert_eq!((id, id.get_version_num()), (derived("posted", &["crm", "key 1"]), 7));
        for other in [
            derived("posted", &["crm", "key 2"]),
            derived("posted", &["crmkey", " 1"]),
            derived("answer", &["crm", "key 1"]),
        ] {
            assert_ne!(id, other);
        }
    }
}
