//! Waiting for an event: looking again until a deadline, never sleeping to hope.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Looks until `look` finds something; panics with `what` when nothing was found `within` that time.
///
/// In an async test call it where nothing else of the test has to run meanwhile.
pub(crate) fn eventually<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        std::thread::park_timeout(PAUSE);
    }
}
