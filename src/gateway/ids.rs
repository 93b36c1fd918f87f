//! The one place that makes ids.

use uuid::Uuid;

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
