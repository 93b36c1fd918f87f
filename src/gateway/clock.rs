//! The one place that reads the clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use crate::domain::Timestamp;

/// Two times: the machine's, for signatures, leases and pauses, and the business time, for deadlines. They differ only in a
/// demonstration, which steps the offset, and in a simulation, whose business time stands still between its steps; `serve`
/// leaves the offset at 0. Ids that grow with time come from here too.
#[derive(Debug)]
pub struct Clock {
    machine: Machine,
    business: Business,
    steps: watch::Sender<u64>,
}

/// Where the machine's time comes from.
#[derive(Debug)]
enum Machine {
    Runs,
    /// It stands at this instant (microseconds) until it is turned, and ids are drawn from a seed: the same turns give the same ids.
    Turned(AtomicI64, Mutex<Drawn>),
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
        let business = Business::Ahead(AtomicI64::new(offset_micros));
        Self { machine: Machine::Runs, business, steps: watch::Sender::new(0) }
    }

    /// A clock whose business time stands at `instant` until it is stepped.
    pub fn standing_at(instant: Timestamp) -> Self {
        let business = Business::Stands(AtomicI64::new(instant.micros()));
        Self { machine: Machine::Runs, business, steps: watch::Sender::new(0) }
    }

    /// A clock of which both times stand at `instant` until [`Clock::turn_to`]; its ids are drawn from `seed`. For a test that repeats
    /// itself exactly: nothing of the machine is in it.
    pub fn turned_by_hand(instant: Timestamp, seed: u64) -> Self {
        let machine = Machine::Turned(AtomicI64::new(instant.micros()), Mutex::new(Drawn { state: seed, last_ms: 0 }));
        Self { machine, ..Self::with_offset(0) }
    }

    /// Sets a clock that is turned by hand, back too, as a machine's clock may be. Returns whether it is one.
    pub fn turn_to(&self, instant: Timestamp) -> bool {
        let Machine::Turned(micros, _) = &self.machine else { return false };
        micros.store(instant.micros(), Ordering::Release);
        self.steps.send_modify(|n| *n = n.wrapping_add(1));
        true
    }

    /// A new id of version 7, growing within the process.
    pub(super) fn id(&self) -> Uuid {
        match &self.machine {
            Machine::Runs => Uuid::now_v7(),
            Machine::Turned(micros, drawn) => {
                let ms = u64::try_from(micros.load(Ordering::Acquire).div_euclid(1_000)).unwrap_or(0);
                drawn.lock().unwrap_or_else(PoisonError::into_inner).id(ms)
            }
        }
    }

    /// The machine's time.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        match &self.machine {
            Machine::Runs => Timestamp::from(chrono::Utc::now()),
            Machine::Turned(micros, _) => Timestamp::from_micros(micros.load(Ordering::Acquire)),
        }
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

/// Ids from a seed (SplitMix64): unlike from clock to clock, growing on each.
#[derive(Debug)]
struct Drawn {
    state: u64,
    /// The milliseconds of the last id. Within one millisecond an id takes the next, as an unlucky clock would.
    last_ms: u64,
}

impl Drawn {
    fn id(&mut self, ms: u64) -> Uuid {
        self.last_ms = ms.max(self.last_ms.saturating_add(1));
        let (a, b) = (self.next().to_le_bytes(), self.next().to_le_bytes());
        let mut random = [0_u8; 10];
        random.iter_mut().zip(a.into_iter().chain(b)).for_each(|(place, byte)| *place = byte);
        uuid::Builder::from_unix_timestamp_millis(self.last_ms, &random).into_uuid()
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_turned_by_hand_repeats_itself() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let turned = |seed| {
            let clock = Clock::turned_by_hand(at(5), seed);
            let first = (clock.now(), clock.business_now(), clock.id());
            assert!(clock.turn_to(at(9)));
            let (now, ids) = (clock.now(), [clock.id(), clock.id()]);
            assert!(first.2 < ids[0] && ids[0] < ids[1], "{first:?} {ids:?}");
            (first, now, ids)
        };
        assert_eq!(turned(7), turned(7));
        assert_ne!(turned(7).2, turned(8).2);
        assert_eq!((turned(7).0.0, turned(7).0.1, turned(7).1), (at(5), at(5), at(9)));
        assert!(!Clock::default().turn_to(at(1)));
    }

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
