//! The one place that makes ids. Those by which something is decided (the order of messages, the pauses of a delivery) come from the
//! clock, so that a test that turns it by hand repeats itself.

use uuid::Uuid;

use crate::crypto::sha256;
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

/// A new record id that stands after another: that other may come from a node whose clock is ahead of ours.
pub(super) fn record_after(clock: &Clock, before: Option<RecordId>) -> RecordId {
    let own = record(clock);
    match before {
        Some(before) if own <= before => {
            let [a, b, c, d, e, f, rest @ ..] = *before.uuid().as_bytes();
            let ms = u64::from_be_bytes([0, 0, a, b, c, d, e, f]).saturating_add(1);
            let [_, _, _, _, _, _, _, _, random @ ..] = *own.uuid().as_bytes();
            let [high, low, ..] = rest;
            let [r0, r1, r2, r3, r4, r5, r6, r7] = random;
            let random = [high, low, r0, r1, r2, r3, r4, r5, r6, r7];
            RecordId::from_uuid(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
        }
        Some(_) | None => own,
    }
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
    use crate::domain::Timestamp;

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

    #[test]
    fn a_record_stands_after_one_of_a_clock_that_is_ahead() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let (ahead, behind) = (Clock::turned_by_hand(at(101), 1), Clock::turned_by_hand(at(100), 2));
        let first = record(&ahead);
        assert!(record(&behind) < first, "the clocks do not differ");
        let second = record_after(&behind, Some(first));
        let third = record_after(&behind, Some(second));
        assert!(first < second && second < third, "{first} {second} {third}");
        assert_eq!(second.uuid().get_version_num(), 7);
        assert!(record_after(&ahead, None) > first);
    }
}
