//! RabbitMQ: one connection that mends itself, confirmed publishing, and the participants' queues consumed.
//!
//! # Topology
//!
//! For each participant `p`, durable:
//!
//! | thing | what for | who may |
//! |---|---|---|
//! | fanout exchange `mezhved.from.p` | the participant publishes here, with any routing key | `p` writes |
//! | quorum queue `mezhved.from.p`, bound to it | the gateway consumes | the gateway |
//! | quorum queue `mezhved.to.p` | deliveries | `p` reads |
//! | quorum queue `mezhved.receipts.p` | receipts, faults and notices | `p` reads |
//!
//! and one fanout exchange `mezhved.dead` with the quorum queue `mezhved.dead`, where a message goes that crashed its
//! handler too often. It keeps everything until a person looks.
//!
//! Why an exchange a participant: a broker checks writing by exchange, not by queue. An account that may write to the
//! default exchange can put a message on any queue by its routing key. So a participant's account has one exchange of its
//! own and nothing else; see [`permissions`].
//!
//! # Publishing
//!
//! Persistent, `mandatory`, confirmed. A channel carries one message at a time, and there are `publish_in_flight_max`
//! channels: the client library hands a returned message to whichever confirm of the channel comes next, so with two in
//! flight on one channel a lost message could pass for a delivered one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    domain::{MessageId, ParkReason, ParticipantId, TraceContext},
    transport::Outcome,
};

use session::Session;

mod consume;
mod look;
mod options;
mod permissions;
mod publish;
mod session;
mod topology;

pub use look::QueueSeen;
pub use options::{AmqpError, AmqpOptions};
pub use permissions::{BrokerPermissions, gateway_permissions, permissions};

/// A message from a participant's own queue.
#[derive(Debug)]
pub struct Incoming {
    /// Whose queue it came on; the verified Sender must be the same.
    pub participant: ParticipantId,
    /// Its bytes.
    pub body: Body,
    /// Whether the broker handed it out before.
    pub redelivered: bool,
    /// Where in a trace its headers `traceparent` and `tracestate` say that it belongs.
    pub trace: Option<TraceContext>,
}

/// The bytes of an incoming message.
#[derive(Debug)]
pub enum Body {
    /// As they came.
    Whole(Vec<u8>),
    /// More than `message_bytes_max`; already dropped.
    TooLarge {
        /// How many there were.
        size_bytes: usize,
    },
}

/// What to do with an incoming message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It is committed, or recorded as refused: take it off the queue.
    Ack,
    /// It cannot be taken now (the store is away): back to the queue after a pause.
    RequeueLater,
}

/// Takes a message; called for at most `prefetch` messages of a queue at once. It runs to its end even when the connection
/// is lost meanwhile (the broker then hands the message out again, and a queue is consumed anew only when all its handlers
/// have ended: it needs a time-out of its own), but is dropped when the grace of [`Amqp::stop`] is over. A panic is a
/// return to the queue, and at last `mezhved.dead`.
pub type Handler = Arc<dyn Fn(Incoming) -> BoxFuture<'static, Disposition> + Send + Sync>;

/// A queue that the gateway writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queue {
    /// `mezhved.to.<participant>`: deliveries.
    To(ParticipantId),
    /// `mezhved.receipts.<participant>`: receipts, faults and notices; only ever of the verified participant.
    Receipts(ParticipantId),
}

/// How the broker is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AmqpStatus {
    /// Connected, and the common topology stands.
    pub connected: bool,
    /// Why not, or since the last trouble; for the operator.
    pub trouble: Option<String>,
    /// The participants whose queues stand and are consumed.
    pub serving: Vec<ParticipantId>,
}

/// The connection to the broker. Cheap to clone; ends at once when the last clone is dropped, or in good order by
/// [`Amqp::stop`].
#[derive(Clone)]
pub struct Amqp {
    shared: Arc<Shared>,
    tasks: Arc<Tasks>,
}

/// What the tasks and the publishers share.
struct Shared {
    options: AmqpOptions,
    in_flight: Semaphore,
    session: watch::Sender<Option<Arc<Session>>>,
    status: watch::Sender<AmqpStatus>,
}

/// The tasks' lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// No more messages are taken; those under way end.
    Draining,
    /// The connection is closed.
    Closing,
}

struct Tasks {
    phase: watch::Sender<Phase>,
    consumers: Mutex<Option<JoinHandle<()>>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        // The keeper ends by itself when `phase` is gone.
        if let Some(consumers) = taken(&self.consumers) {
            consumers.abort();
        }
    }
}

fn taken(slot: &Mutex<Option<JoinHandle<()>>>) -> Option<JoinHandle<()>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Queue {
    /// Its name at the broker.
    pub fn name(&self) -> String {
        match self {
            Self::To(participant) => topology::to_name(participant),
            Self::Receipts(participant) => topology::receipts_name(participant),
        }
    }
}

impl Amqp {
    /// Starts connecting in the background and returns at once. Declares the queues of the listed participants, consumes
    /// their `from`, and follows changes of the list; queues of those who leave it stay, unconsumed. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the options are wrong. A broker that is away is no error.
    pub fn start(
        options: AmqpOptions,
        participants: watch::Receiver<Vec<ParticipantId>>,
        handler: Handler,
    ) -> Result<Self, AmqpError> {
        let target = options.target()?;
        let shared = Arc::new(Shared {
            in_flight: Semaphore::new(options.publish_in_flight_max),
            options,
            session: watch::Sender::new(None),
            status: watch::Sender::new(AmqpStatus::default()),
        });
        let phase = watch::Sender::new(Phase::Running);
        let keeper = tokio::spawn(session::keep(shared.clone(), target, phase.subscribe()));
        let consumers = tokio::spawn(consume::manage(shared.clone(), participants, handler, phase.subscribe()));
        let tasks = Tasks { phase, consumers: Mutex::new(Some(consumers)), keeper: Mutex::new(Some(keeper)) };
        Ok(Self { shared, tasks: Arc::new(tasks) })
    }

    /// Whether messages can be published now.
    pub fn connected(&self) -> bool {
        self.shared.session.borrow().as_ref().is_some_and(|session| session.connection.status().connected())
    }

    /// How the broker is, now and whenever it changes.
    pub fn status(&self) -> watch::Receiver<AmqpStatus> {
        self.shared.status.subscribe()
    }

    /// Publishes and waits for the confirm. A returned message or a nack is `BrokerRefused`, no connection is
    /// `BrokerAway`, no confirm in time is `TimedOut` (the broker may have it nevertheless). The trace goes into the headers `traceparent` and `tracestate`.
    pub async fn publish(
        &self,
        queue: &Queue,
        bytes: &[u8],
        message_id: MessageId,
        trace: Option<&TraceContext>,
    ) -> Outcome {
        let limit = self.shared.options.confirm_timeout;
        match timeout(limit, self.shared.publish(queue, bytes, message_id, trace)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::failed(ParkReason::TimedOut, format!("the broker did not confirm within {limit:?}")),
        }
    }

    /// Takes no more messages, lets the running handlers end for at most `grace`, then closes the connection.
    pub async fn stop(&self, grace: Duration) {
        self.tasks.phase.send_replace(Phase::Draining);
        if let Some(mut consumers) = taken(&self.tasks.consumers)
            && timeout(grace, &mut consumers).await.is_err()
        {
            tracing::warn!(?grace, "handlers of broker messages did not end in time and are dropped");
            consumers.abort();
        }
        self.tasks.phase.send_replace(Phase::Closing);
        if let Some(keeper) = taken(&self.tasks.keeper)
            && let Err(error) = keeper.await
        {
            tracing::error!(%error, "the keeper of the broker's connection has ended badly");
        }
    }
}

impl Shared {
    fn serving(&self, participant: &ParticipantId, now: bool) {
        self.status.send_if_modified(|status| {
            let place = status.serving.binary_search(participant);
            match (place, now) {
                (Err(place), true) => status.serving.insert(place, participant.clone()),
                (Ok(place), false) => drop(status.serving.remove(place)),
                (Ok(_), true) | (Err(_), false) => return false,
            }
            true
        });
    }
}

/// The pause after so many failures: doubling from `min` to `max`, and between half and all of it by chance, so that
/// many nodes do not come at once.
fn pause(min: Duration, max: Duration, failures: u32) -> Duration {
    let full = min.saturating_mul(2_u32.saturating_pow(failures)).min(max);
    full.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit() {
        let [min, max] = [100, 3_000].map(Duration::from_millis);
        for (failures, full) in [(0, 100), (1, 200), (4, 1_600), (5, 3_000), (40, 3_000), (u32::MAX, 3_000)] {
            let pause = pause(min, max, failures);
            let full = Duration::from_millis(full);
            assert!(full / 2 <= pause && pause <= full, "{failures}: {pause:?}");
        }
    }
}
