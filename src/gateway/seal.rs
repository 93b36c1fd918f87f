//! The sealer of the journal: numbers and chains what was appended, and sweeps away what has aged.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::store::{Sealed, StoreError};

use super::Gateway;

const LEASE_MS: u32 = 5_000;
const ROWS_MAX: u32 = 1_000;
/// Entries are sealed within a second: rounds follow each other at this pace while there is something to seal.
const PACE: Duration = Duration::from_millis(250);
/// Rounds between sweeps: half a minute under load, ten minutes in silence.
const SWEEP_EVERY: u32 = 120;
/// Mailbox pulls are kept this long, so that a late repeat is told apart from a new pull.
const PULLS_KEPT_SECONDS: i64 = 86_400;

/// Seals until cancelled, and once more then.
pub async fn run(gateway: Gateway, stop: CancellationToken) {
    let mut changed = gateway.store().journal_changed();
    let mut rounds = 0_u32;
    loop {
        let stopping = stop.is_cancelled();
        if let Err(error) = seal_all(&gateway).await {
            warn!(%error, "the journal could not be sealed");
        }
        if rounds.is_multiple_of(SWEEP_EVERY) {
            sweep(&gateway).await;
        }
        rounds = rounds.wrapping_add(1);
        if stopping {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => continue,
            () = tokio::time::sleep(PACE) => {}
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = changed.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(u64::from(LEASE_MS))) => {}
        }
    }
}

/// Seals until nothing is left to seal, or another node holds the lease.
///
/// # Errors
/// When the database is away.
pub async fn seal_all(gateway: &Gateway) -> Result<(), StoreError> {
    loop {
        let now = gateway.clock().now();
        match gateway.store().seal(gateway.node(), now, LEASE_MS, ROWS_MAX).await? {
            Sealed::Rows { count, .. } if count >= ROWS_MAX => {}
            Sealed::Rows { .. } | Sealed::NotOurs => return Ok(()),
        }
    }
}

async fn sweep(gateway: &Gateway) {
    let now = gateway.clock().now();
    let days = i64::from(gateway.settings().limits.refusals_age_days_max);
    let (refusals, pulls) = (now.plus_seconds(-days * 86_400), now.plus_seconds(-PULLS_KEPT_SECONDS));
    if let Err(error) = gateway.store().purge(now, refusals, pulls).await {
        warn!(%error, "what has aged could not be swept away");
    }
}
