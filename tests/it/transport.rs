//! The transports against real sockets and a real broker.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests

mod amqp;
mod amqp_faults;
mod amqp_rights;
pub(crate) mod broker;
mod http_listen;
mod http_push;
pub(crate) mod tls;

use std::{future::Future, time::Duration};

use mezhved::domain::MessageId;

/// Long enough for a loaded machine; reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the future gives, or a failed test that says what was awaited.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("in vain: {what}"))
}

/// Waits until the condition holds.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn message_id() -> MessageId {
    MessageId::from_uuid(uuid::Uuid::now_v7())
}
