//! A participant's queue: what a person said about it, and what its breaker says.

use super::delivery::words;

words! {
    /// What a person said about a participant's queue.
    QueueState {
        /// Nothing: it goes.
        Running = "running", "работает";
        /// Nothing goes out; what comes waits.
        Paused = "paused", "приостановлена";
        /// Nothing goes out, and what waits or comes is parked.
        Stopped = "stopped", "остановлена";
    }
}

words! {
    /// Whether a participant's system is held to be there.
    BreakerState {
        /// It is there.
        Closed = "closed", "замкнут";
        /// It is away: nothing goes out until the next probe.
        Open = "open", "разомкнут";
        /// It was away: the next delivery is a probe.
        HalfOpen = "half-open", "проба";
    }
}
