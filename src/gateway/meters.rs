//! What a node counts while it works. Names follow the conventions of Prometheus; labels are ids and codes of closed lists, never what a
//! message holds.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::domain::{DeliveryState, FaultCode, ParticipantId, Timestamp};
use crate::store::Channel;

use super::Gateway;

/// 1 ms to 8 s.
fn answer_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

/// 10 ms to nearly 8 days: a partner may be away for a week.
fn delivery_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 4.0, 14))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct From {
    channel: &'static str,
    sender: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Over {
    channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    channel: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    recipient: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct To {
    recipient: String,
}

/// A node's counters since its start.
#[derive(Debug)]
pub struct Meters {
    registry: Registry,
    accepted: Family<From, Counter>,
    repeated: Family<Over, Counter>,
    refused: Family<Refused, Counter>,
    answered: Family<Over, Histogram, fn() -> Histogram>,
    attempts: Family<Attempt, Counter>,
    delivered: Family<To, Histogram, fn() -> Histogram>,
}

impl Meters {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("mezhved");
        let (accepted, repeated, refused, attempts) =
            (Family::default(), Family::default(), Family::default(), Family::default());
        let answered = Family::new_with_constructor(answer_buckets as fn() -> Histogram);
        let delivered = Family::new_with_constructor(delivery_buckets as fn() -> Histogram);
        registry.register("messages_accepted", "Messages recorded, by channel and sender", accepted.clone());
        registry.register("messages_repeated", "Copies of messages recorded before", repeated.clone());
        registry.register("messages_refused", "Documents refused, by fault code", refused.clone());
        registry.register_with_unit(
            "answer_duration",
            "From a document's last byte to its signed answer",
            Unit::Seconds,
            answered.clone(),
        );
        registry.register("delivery_attempts", "Attempts, by recipient and the state they led to", attempts.clone());
        registry.register_with_unit(
            "delivery_duration",
            "From acceptance to the recipient's own receipt",
            Unit::Seconds,
            delivered.clone(),
        );
        Self { registry, accepted, repeated, refused, answered, attempts, delivered }
    }

    /// The counters in the order of their registration.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn accepted(&self, channel: Channel, sender: &ParticipantId) {
        let from = From { channel: Gateway::channel_word(channel), sender: sender.to_string() };
        self.accepted.get_or_create(&from).inc();
    }

    pub(super) fn repeated(&self, channel: Channel) {
        self.repeated.get_or_create(&Over { channel: Gateway::channel_word(channel) }).inc();
    }

    pub(super) fn answered(&self, channel: Channel, code: Option<FaultCode>, took: Duration) {
        let over = Over { channel: Gateway::channel_word(channel) };
        self.answered.get_or_create(&over).observe(took.as_secs_f64());
        if let Some(code) = code {
            self.refused(channel, code);
        }
    }

    pub(super) fn refused(&self, channel: Channel, code: FaultCode) {
        let refused = Refused { channel: Gateway::channel_word(channel), code: code.code() };
        self.refused.get_or_create(&refused).inc();
    }

    pub(super) fn attempted(&self, recipient: &ParticipantId, state: DeliveryState) {
        let attempt = Attempt { recipient: recipient.to_string(), state: state.as_str() };
        self.attempts.get_or_create(&attempt).inc();
    }

    pub(super) fn delivered(&self, recipient: &ParticipantId, accepted_at: Timestamp, now: Timestamp) {
        let micros = u64::try_from(now.since(accepted_at)).unwrap_or_default();
        let to = To { recipient: recipient.to_string() };
        self.delivered.get_or_create(&to).observe(Duration::from_micros(micros).as_secs_f64());
    }
}
