//! The pulse that open pages listen to: it beats when anything happened, on whatever node.
//!
//! What this node commits is known at once. What others commit is seen by the journal's length, which is asked for only while somebody
//! listens: everything that a page shows changes together with an entry.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Gateway;

/// How often the journal's length is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Beats, for any number of listeners.
#[derive(Debug)]
pub struct Pulse(watch::Sender<u64>);

impl Default for Pulse {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Pulse {
    fn beat(&self) {
        self.0.send_modify(|n| *n = n.wrapping_add(1));
    }
}

impl Gateway {
    /// Changes whenever anything happened.
    pub fn pulse(&self) -> watch::Receiver<u64> {
        self.beats().0.subscribe()
    }
}

/// Beats until cancelled.
pub async fn run(gateway: Gateway, stop: CancellationToken) {
    let mut own = gateway.store().journal_changed();
    let mut length = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = own.changed() => gateway.beats().beat(),
            () = tokio::time::sleep(LOOK) => {
                if gateway.beats().0.receiver_count() == 0 {
                    continue;
                }
                match gateway.store().journal_length().await {
                    Ok(now) if now != length => {
                        length = now;
                        gateway.beats().beat();
                    }
                    Ok(_) => {}
                    Err(error) => debug!(%error, "the journal's length could not be read"),
                }
            }
        }
    }
}
