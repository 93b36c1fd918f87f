//! The one place that makes ids. Those by which something is decided (the order of messages, the pauses of a delivery) come from the
//! clock, so that a test that turns it by hand repeats itself.

use uuid::Uuid;

use crate::domain::{ConversationId, DeliveryId, MailingId, MessageId, NotificationId, ObligationId, RecordId};

use super::Clock;

/// A new message id: version 7, growing within the process.
pub(super) fn message(clock: &Clock) -> MessageId {
    MessageId::from_uuid(clock.id())
}

/// A new record id: version 7, growing within the process; the order of messages.
pub(super) fn record(clock: &Clock) -> RecordId {
    RecordId::from_uuid(clock.id())
}

/// A new delivery id.
pub(super) fn delivery(clock: &Clock) -> DeliveryId {
    DeliveryId::from_uuid(clock.id())
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
pub(super) fn conversation(clock: &Clock) -> ConversationId {
    ConversationId::from_uuid(clock.id())
}
