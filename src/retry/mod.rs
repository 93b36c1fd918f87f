//! When a failed delivery is tried again, or that it is parked: a pure function of attempt, reason and seed; and the rule of the
//! [`breaker`].
//!
//! Not here: leases, and `Expires`, which ends a delivery whatever this says.

pub mod breaker;

use uuid::Uuid;

use crate::domain::{ParkReason, Timestamp};

/// The limits of retrying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The shortest wait before a retry, in milliseconds.
    pub base_ms: u64,
    /// The longest wait before a retry, in milliseconds.
    pub ceiling_ms: u64,
    /// How many attempts are made before the delivery is parked, where attempts are what is counted.
    pub attempts_max: u32,
    /// How long is tried while the partner is away before the delivery is parked, in milliseconds; `None`: attempts are what is counted
    /// then too.
    pub give_up_ms: Option<u64>,
}

/// What was tried so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// How many attempts have been made, from 1.
    pub attempt: u32,
    /// For how long, in milliseconds.
    pub waited_ms: u64,
    /// Whether the partner as a whole is held to be away (its breaker is open): then no attempt counts against one delivery.
    pub partner_away: bool,
}

/// What a reason allows: a closed rule for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The partner is away, which says nothing about this delivery: parked as `given-up` after [`Limits::give_up_ms`], however often
    /// it was tried.
    Patient,
    /// Repeating can help; parked as `attempts-exhausted` after [`Limits::attempts_max`] attempts.
    Limited,
    /// Repeating helps once the gateway's own surroundings are back, which no partner and no person at this delivery can bring
    /// about: it goes on until `Expires`.
    Unlimited,
    /// Repeating the same cannot help: parked at once.
    Park,
}

/// The rule for a reason.
pub fn policy(reason: ParkReason) -> Policy {
    match reason {
        ParkReason::Unreachable | ParkReason::TimedOut => Policy::Patient,
        ParkReason::PartnerError
        | ParkReason::BrokerRefused
        | ParkReason::ReceiptInvalid
        | ParkReason::ReceiptMissing
        | ParkReason::SigningFailed => Policy::Limited,
        ParkReason::BrokerAway | ParkReason::AttachmentAwaited => Policy::Unlimited,
        ParkReason::AnswerRefused
        | ParkReason::TranslationFailed
        | ParkReason::VersionUnsupported
        | ParkReason::RouteMissing
        | ParkReason::AttachmentInvalid
        | ParkReason::ConsentEnded
        | ParkReason::AttemptsExhausted
        | ParkReason::GivenUp
        | ParkReason::QueueStopped
        | ParkReason::Discarded => Policy::Park,
    }
}

/// What happens next to a delivery that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is queued again for this instant.
    Again(Timestamp),
    /// It is parked for this reason.
    Park(ParkReason),
}

/// Decides after a failed attempt. `seed` makes the jitter differ between deliveries
/// and repeat in a simulation ([`seed_of`]); `now` is machine time.
///
/// The wait is uniform between `base_ms` and a window that doubles with each attempt up to `ceiling_ms` (exponential backoff with
/// full jitter above the base).
pub fn next(limits: &Limits, reason: ParkReason, tried: Tried, seed: u64, now: Timestamp) -> Verdict {
    let policy = match policy(reason) {
        Policy::Limited if tried.partner_away && breaker::counts(reason) => Policy::Patient,
        Policy::Patient if limits.give_up_ms.is_none() => Policy::Limited,
        policy @ (Policy::Patient | Policy::Limited | Policy::Unlimited | Policy::Park) => policy,
    };
    match policy {
        Policy::Park => Verdict::Park(reason),
        Policy::Limited if tried.attempt >= limits.attempts_max => Verdict::Park(ParkReason::AttemptsExhausted),
        Policy::Patient if limits.give_up_ms.is_some_and(|end| tried.waited_ms >= end) => {
            Verdict::Park(ParkReason::GivenUp)
        }
        Policy::Patient | Policy::Limited | Policy::Unlimited => {
            let wait = wait_ms(limits, tried.attempt, seed);
            Verdict::Again(now.plus_millis(i64::try_from(wait).unwrap_or(i64::MAX)))
        }
    }
}

/// A seed from the id of what is tried again.
pub fn seed_of(id: Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    mix(high ^ mix(low))
}

fn wait_ms(limits: &Limits, attempt: u32, seed: u64) -> u64 {
    let window =
        limits.base_ms.saturating_mul(1u64.checked_shl(attempt.max(1)).unwrap_or(u64::MAX)).min(limits.ceiling_ms);
    let spread = window.saturating_sub(limits.base_ms);
    let draw = mix(seed ^ mix(u64::from(attempt)));
    let above = match spread.checked_add(1) {
        Some(values) => draw % values,
        None => draw,
    };
    limits.base_ms.min(limits.ceiling_ms) + above
}

/// The finaliser of SplitMix64: neighbouring inputs give unrelated outputs.
fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { base_ms: 100, ceiling_ms: 5_000, attempts_max: 6, give_up_ms: Some(60_000) };
    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn tried(attempt: u32) -> Tried {
        Tried { attempt, waited_ms: 59_999, partner_away: false }
    }

    fn wait(attempt: u32, seed: u64) -> i64 {
        match next(&LIMITS, ParkReason::Unreachable, tried(attempt), seed, NOW) {
            Verdict::Again(at) => at.since(NOW) / 1_000,
            Verdict::Park(reason) => panic!("parked: {reason}"),
        }
    }

    #[test]
    fn every_reason_has_its_rule() {
        for reason in ParkReason::ALL {
            let (first, last) = (next(&LIMITS, *reason, tried(1), 7, NOW), next(&LIMITS, *reason, tried(6), 7, NOW));
            match policy(*reason) {
                Policy::Park => assert_eq!((first, last), (Verdict::Park(*reason), Verdict::Park(*reason))),
                Policy::Limited => {
                    assert!(matches!(first, Verdict::Again(_)), "{reason}");
                    assert_eq!(last, Verdict::Park(ParkReason::AttemptsExhausted), "{reason}");
                }
                Policy::Patient => {
                    let at_last = Tried { waited_ms: 60_000, ..tried(1) };
                    assert!(matches!(next(&LIMITS, *reason, tried(u32::MAX), 7, NOW), Verdict::Again(_)), "{reason}");
                    assert_eq!(next(&LIMITS, *reason, at_last, 7, NOW), Verdict::Park(ParkReason::GivenUp), "{reason}");
                }
                Policy::Unlimited => {
                    assert!(matches!(next(&LIMITS, *reason, tried(u32::MAX), 7, NOW), Verdict::Again(_)), "{reason}");
                }
            }
        }
        assert_eq!(policy(ParkReason::TranslationFailed), Policy::Park);
        assert_eq!(policy(ParkReason::BrokerAway), Policy::Unlimited);
        assert_eq!(policy(ParkReason::Unreachable), Policy::Patient);
    }

    #[test]
    fn while_the_partner_is_away_no_attempt_counts_against_one_delivery() {
        let away = |waited_ms| Tried { attempt: 1_000, waited_ms, partner_away: true };
        let partner = |waited_ms| next(&LIMITS, ParkReason::PartnerError, away(waited_ms), 7, NOW);
        assert!(matches!(partner(59_999), Verdict::Again(_)));
        assert_eq!(partner(60_000), Verdict::Park(ParkReason::GivenUp));
        // Where only attempts are counted they end it.
        let counted = Limits { give_up_ms: None, ..LIMITS };
        let ended = next(&counted, ParkReason::Unreachable, tried(6), 7, NOW);
        assert_eq!(ended, Verdict::Park(ParkReason::AttemptsExhausted));
        // What is wrong with this one alone goes by its own rule.
        for (reason, park) in [
            (ParkReason::SigningFailed, ParkReason::AttemptsExhausted),
            (ParkReason::TranslationFailed, ParkReason::TranslationFailed),
        ] {
            assert_eq!(next(&LIMITS, reason, away(0), 7, NOW), Verdict::Park(park));
        }
    }

    #[test]
    fn waits_stay_between_base_and_a_doubling_window() {
        for attempt in 1..6 {
            let window = (100i64 << attempt).min(5_000);
            let waits: Vec<i64> = (0..2_000).map(|seed| wait(attempt, seed)).collect();
            assert!(waits.iter().all(|w| (100..=window).contains(w)), "attempt {attempt}");
            let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
            let spread = window - 100;
            assert!(
                *least < 100 + spread / 10 && *most > window - spread / 10,
                "attempt {attempt}: the whole window is used"
            );
        }
    }

    #[test]
    fn the_same_seed_waits_the_same_and_attempts_differ() {
        assert_eq!(wait(4, 42), wait(4, 42));
        let differing = (0..100).filter(|seed| wait(4, *seed) != wait(5, *seed)).count();
        assert!(differing > 90, "{differing}");
    }

    #[test]
    fn extreme_limits_do_not_overflow() {
        for limits in [
            Limits { base_ms: 0, ceiling_ms: 0, attempts_max: u32::MAX, give_up_ms: Some(u64::MAX) },
            Limits { base_ms: u64::MAX, ceiling_ms: u64::MAX, attempts_max: u32::MAX, give_up_ms: Some(u64::MAX) },
            Limits { base_ms: 0, ceiling_ms: u64::MAX, attempts_max: u32::MAX, give_up_ms: Some(u64::MAX) },
            Limits { base_ms: 10, ceiling_ms: 5, attempts_max: u32::MAX, give_up_ms: Some(u64::MAX) },
        ] {
            for attempt in [0, 1, 63, 64, 65, u32::MAX - 1] {
                assert!(
                    matches!(next(&limits, ParkReason::TimedOut, tried(attempt), 1, NOW), Verdict::Again(at) if at >= NOW)
                );
            }
        }
        let clamped = Limits { base_ms: 10, ceiling_ms: 5, attempts_max: 9, give_up_ms: Some(u64::MAX) };
        assert_eq!(next(&clamped, ParkReason::TimedOut, tried(1), 1, NOW), Verdict::Again(NOW.plus_millis(5)));
    }

    #[test]
    fn seeds_of_neighbouring_ids_are_unrelated() {
        let id = |last: &str| Uuid::parse_str(&format!("01931f6e-7a00-7000-8000-00000000000{last}")).unwrap();
        assert_ne!(seed_of(id("1")), seed_of(id("2")));
        assert_eq!(seed_of(id("1")), seed_of(id("1")));
    }
}
