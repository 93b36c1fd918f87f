//! The one place that reads the clock.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::watch;

use crate::domain::Timestamp;

/// Two times: the machine's, for signatures, leases and pauses, and the business time, for deadlines. They differ only in a
/// demonstration or a simulation, which steps the offset; `serve` leaves it at 0.
#[derive(Debug)]
pub struct Clock {
    offset_micros: AtomicI64,
    steps: watch::Sender<u64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::with_offset(0)
    }
}

impl Clock {
    /// A clock whose business time is ahead of the machine's by `offset_micros` (microseconds).
    pub fn with_offset(offset_micros: i64) -> Self {
        Self { offset_micros: AtomicI64::new(offset_micros), steps: watch::Sender::new(0) }
    }

    /// The machine's time.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        Timestamp::from(chrono::Utc::now())
    }

    /// The time by which deadlines run.
    pub fn business_now(&self) -> Timestamp {
        Timestamp::from_micros(self.now().micros().saturating_add(self.offset_micros()))
    }

    /// How far business time is ahead, in microseconds.
    pub fn offset_micros(&self) -> i64 {
        self.offset_micros.load(Ordering::Acquire)
    }

    /// Moves business time to `instant`, never back. Returns whether it moved.
    pub fn jump_to(&self, instant: Timestamp) -> bool {
        let ahead = instant.since(self.business_now());
        if ahead > 0 {
            self.offset_micros.fetch_add(ahead, Ordering::AcqRel);
            self.steps.send_modify(|n| *n = n.wrapping_add(1));
        }
        ahead > 0
    }

    /// Bumped whenever business time was stepped, so that whoever sleeps until an instant looks again.
    pub fn stepped(&self) -> watch::Receiver<u64> {
        self.steps.subscribe()
    }
}
