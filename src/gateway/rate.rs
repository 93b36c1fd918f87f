//! A bound on the work that unverified peers can cause: signed faults per address and minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::domain::Timestamp;

/// How many addresses are remembered at once; when more come within a minute they share one count.
pub(super) const ADDRESSES_MAX: usize = 10_000;
const WINDOW_SECONDS: i64 = 60;

/// Counts refusals per address in windows of a minute.
#[derive(Debug)]
pub(super) struct RefusalRate {
    per_minute_max: u32,
    state: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Timestamp,
    counts: HashMap<Option<IpAddr>, u32>,
}

impl RefusalRate {
    /// A bound of `per_minute_max` signed faults per address and minute.
    pub(super) fn new(per_minute_max: u32) -> Self {
        let window = Window { began: Timestamp::from_micros(0), counts: HashMap::new() };
        Self { per_minute_max, state: Mutex::new(window) }
    }

    /// Counts one refusal from the address and says whether it may still get a signed fault.
    pub(super) fn allow(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let mut window = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(window.began) >= WINDOW_SECONDS * 1_000_000 || now < window.began {
            window.began = now;
            window.counts.clear();
        }
        let known = window.counts.contains_key(&address);
        let key = if known || window.counts.len() < ADDRESSES_MAX { address } else { None };
        let count = window.counts.entry(key).or_insert(0);
        *count = count.saturating_add(1);
        *count <= self.per_minute_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_minute() {
        let rate = RefusalRate::new(2);
        let (a, b) = (Some(IpAddr::from([127, 0, 0, 1])), Some(IpAddr::from([127, 0, 0, 2])));
        let now = Timestamp::from_micros(1_000_000_000);
        assert!(rate.allow(a, now) && rate.allow(a, now) && !rate.allow(a, now));
        assert!(rate.allow(b, now));
        assert!(rate.allow(a, now.plus_seconds(60)));
    }
}
