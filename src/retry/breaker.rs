//! The breaker of a participant: after so many failures in a row its system is held to be away, and only a probe goes out now and then.
//!
//! A failure is one of carrying, never a refusal: whoever refuses is there. A system that cannot be reached at all fails with every
//! attempt; one that answers with an error status may mean the one message, so that the same message twice in a row counts once. What
//! hangs on the gateway's own surroundings (its broker, its key) does not count. Not here: who may probe, which nodes share.

use crate::domain::{BreakerState, DeliveryId, ParkReason, Timestamp};

/// The limits of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Failures in a row that open it.
    pub failures: u32,
    /// Between probes, in milliseconds.
    pub probe_ms: u64,
}

impl Rule {
    /// When the next probe may go out after one, or after the opening, at `now`.
    pub fn next_probe(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(i64::try_from(self.probe_ms).unwrap_or(i64::MAX))
    }
}

/// Whether a failed attempt says that the partner is away.
pub fn counts(reason: ParkReason) -> bool {
    match reason {
        ParkReason::Unreachable | ParkReason::TimedOut | ParkReason::PartnerError | ParkReason::BrokerRefused => true,
        ParkReason::BrokerAway
        | ParkReason::ReceiptInvalid
        | ParkReason::ReceiptMissing
        | ParkReason::AnswerRefused
        | ParkReason::VersionUnsupported
        | ParkReason::ConsentEnded
        | ParkReason::TranslationFailed
        | ParkReason::SigningFailed
        | ParkReason::RouteMissing
        | ParkReason::AttachmentAwaited
        | ParkReason::AttachmentInvalid
        | ParkReason::AttemptsExhausted
        | ParkReason::GivenUp
        | ParkReason::QueueStopped
        | ParkReason::Discarded => false,
    }
}

/// Whether the same message twice in a row may fail for what it is.
fn may_be_the_message(reason: ParkReason) -> bool {
    matches!(reason, ParkReason::PartnerError | ParkReason::BrokerRefused)
}

/// Failures of one participant in a row. Any attempt that reaches it begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streak {
    count: u32,
    last: Option<DeliveryId>,
}

impl Streak {
    /// The streak after one more failed attempt.
    #[must_use]
    pub fn and(self, reason: ParkReason, delivery: DeliveryId) -> Self {
        if !counts(reason) || (may_be_the_message(reason) && self.last == Some(delivery)) {
            return self;
        }
        Self { count: self.count.saturating_add(1), last: Some(delivery) }
    }

    /// How many.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether it opens the breaker.
    pub fn opens(self, rule: &Rule) -> bool {
        self.count >= rule.failures
    }
}

/// What a breaker says at `now`, by the instant of its next probe; `None`: it is not open.
pub fn state(probe_at: Option<Timestamp>, now: Timestamp) -> BreakerState {
    match probe_at {
        None => BreakerState::Closed,
        Some(at) if at > now => BreakerState::Open,
        Some(_) => BreakerState::HalfOpen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { failures: 3, probe_ms: 15_000 };

    fn id(n: u128) -> DeliveryId {
        DeliveryId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn after(failures: &[(ParkReason, u128)]) -> Streak {
        failures.iter().fold(Streak::default(), |streak, (reason, delivery)| streak.and(*reason, id(*delivery)))
    }

    #[test]
    fn a_system_that_cannot_be_reached_opens_it_with_whatever_message() {
        use ParkReason::{TimedOut, Unreachable};
        assert!(!after(&[(Unreachable, 1), (TimedOut, 1)]).opens(&RULE));
        assert!(after(&[(Unreachable, 1), (TimedOut, 1), (Unreachable, 1)]).opens(&RULE));
    }

    #[test]
    fn one_message_that_a_system_chokes_on_does_not_open_it() {
        use ParkReason::PartnerError;
        assert_eq!(after(&[(PartnerError, 1); 50]).count(), 1);
        assert!(after(&[(PartnerError, 1), (PartnerError, 2), (PartnerError, 1)]).opens(&RULE));
    }

    #[test]
    fn what_is_no_fault_of_the_partner_does_not_count() {
        for reason in ParkReason::ALL.iter().filter(|reason| !counts(**reason)) {
            assert_eq!(after(&[(*reason, 1), (*reason, 2), (*reason, 3)]), Streak::default(), "{reason}");
        }
        assert!(counts(ParkReason::Unreachable) && !counts(ParkReason::BrokerAway));
    }

    #[test]
    fn it_is_open_until_the_next_probe_is_due() {
        let now = Timestamp::from_micros(5_000_000);
        let probe = RULE.next_probe(now);
        assert_eq!(probe, now.plus_millis(15_000));
        assert_eq!(state(None, now), BreakerState::Closed);
        assert_eq!(state(Some(probe), now), BreakerState::Open);
        assert_eq!(state(Some(probe), probe), BreakerState::HalfOpen);
    }
}
