//! The one place that reads the clock.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::watch;

use crate::domain::Timestamp;

/// Two times: the machine's, for signatures, leases and pauses, and the business time, for deadlines. They differ only in a
/// demonstration, which steps the offset, and in a simulation, whose business time stands still between its steps; `serve`
/// leaves the offset at 0.
#[derive(Debug)]
pub struct Clock {
    business: Business,
    steps: watch::Sender<u64>,
}

/// How business time follows from the machine's.
#[derive(Debug)]
enum Business {
    /// It runs, ahead by so many microseconds.
    Ahead(AtomicI64),
    /// It stands at this instant (microseconds) until it is stepped: how fast the machine is cannot be seen in it.
    Stands(AtomicI64),
}

impl Default for Clock {
    fn default() -> Self {
        Self::with_offset(0)
    }
}

impl Clock {
    /// A clock whose business time is ahead of the machine's by `offset_micros` (microseconds).
    pub fn with_offset(offset_micros: i64) -> Self {
        Self { business: Business::Ahead(AtomicI64::new(offset_micros)), steps: watch::Sender::new(0) }
    }

    /// A clock whose business time stands at `instant` until it is stepped.
    pub fn standing_at(instant: Timestamp) -> Self {
        Self { business: Business::Stands(AtomicI64::new(instant.micros())), steps: watch::Sender::new(0) }
    }

    /// The machine's time.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        Timestamp::from(chrono::Utc::now())
    }

    /// The time by which deadlines run.
    pub fn business_now(&self) -> Timestamp {
        Timestamp::from_micros(match &self.business {
            Business::Ahead(offset) => self.now().micros().saturating_add(offset.load(Ordering::Acquire)),
            Business::Stands(instant) => instant.load(Ordering::Acquire),
        })
    }

    /// How far business time is ahead, in microseconds.
    pub fn offset_micros(&self) -> i64 {
        match &self.business {
            Business::Ahead(offset) => offset.load(Ordering::Acquire),
            Business::Stands(_) => self.business_now().since(self.now()),
        }
    }

    /// Moves business time to `instant`, never back. Returns whether it moved.
    pub fn jump_to(&self, instant: Timestamp) -> bool {
        let ahead = instant.since(self.business_now());
        if ahead > 0 {
            let (Business::Ahead(value) | Business::Stands(value)) = &self.business;
            value.fetch_add(ahead, Ordering::AcqRel);
            self.steps.send_modify(|n| *n = n.wrapping_add(1));
        }
        ahead > 0
    }

    /// Bumped whenever business time was stepped, so that whoever sleeps until an instant looks again.
    pub fn stepped(&self) -> watch::Receiver<u64> {
        self.steps.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_by_steps_only_and_never_back() {
        let (first, later) = (Timestamp::from_micros(1_000), Timestamp::from_micros(5_000));
        let clock = Clock::standing_at(first);
        assert_eq!((clock.business_now(), clock.business_now()), (first, first));
        assert!(clock.jump_to(later) && !clock.jump_to(first));
        assert_eq!(clock.business_now(), later);
        assert!(clock.now() > later);
    }
}
