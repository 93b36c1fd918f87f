//! What the bench and its two helpers say to each other: one JSON object a line, over the helpers' standard input and output.

use serde::{Deserialize, Serialize};

/// To the load generator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(super) enum Order {
    /// Sign so many messages, so that signing them is not measured with the gateway.
    Sign {
        /// How many.
        messages: usize,
        /// To which of the recipients, in turn; by their places.
        to: std::ops::Range<usize>,
    },
    /// Send as fast as the answers come, until the time is over or no signed message is left.
    Push {
        /// How many are under way at once.
        at_once: usize,
        /// For how long, in seconds.
        seconds: f64,
    },
    /// Send so many a second, whether answers come or not.
    Pace {
        /// Messages a second.
        rate: f64,
        /// For how long, in seconds.
        seconds: f64,
    },
}

/// A message as the load generator saw it. Instants are microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    /// The message's id.
    pub(super) id: uuid::Uuid,
    /// When its first byte was handed to the system; where a pace was asked for, when that was due.
    pub(super) at: i64,
    /// When its receipt was read; `None`: it was not accepted.
    pub(super) receipt_at: Option<i64>,
}

/// To the receiving systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ask {
    /// The gateway runs: read what it puts on the broker's queues.
    Attach,
    /// What has come since this was asked before?
    Come,
}

/// From a helper.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Said {
    /// It works; the sink says where it listens.
    Ready {
        /// `127.0.0.1:PORT`.
        address: Option<String>,
    },
    /// Messages are signed.
    Signed,
    /// What was sent by an order.
    Done {
        /// Each message.
        sent: Vec<Sent>,
        /// Why the first that was not accepted was not.
        trouble: Option<String>,
    },
    /// What has come to the sink since it was asked before.
    Arrived {
        /// The ids, and when each came first.
        messages: Vec<(uuid::Uuid, i64)>,
        /// How many came more than once.
        repeated: u64,
    },
}
