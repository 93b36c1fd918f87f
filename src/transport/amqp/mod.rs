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
use lapin::{
    BasicProperties, Confirmation,
    options::BasicPublishOptions,
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    domain::{MessageId, ParkReason, ParticipantId},
    transport::Outcome,
};

use session::{Session, Target};

mod consume;
mod permissions;
mod session;
mod topology;

pub use permissions::{BrokerPermissions, gateway_permissions, permissions};

/// How the gateway uses the broker.
#[derive(Clone)]
pub struct AmqpOptions {
    /// `amqp://user:password@host:port/vhost` or `amqps://…`.
    pub url: String,
    /// The connection's name in the broker's listings.
    pub connection_name: String,
    /// Certificates of authorities, PEM, trusted beside the system's own.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Whether `amqp://` may go to another machine.
    pub insecure_allowed: bool,
    /// For DNS, TCP, TLS and the broker's handshake together.
    pub connect_timeout: Duration,
    /// Both sides prove that they live within this time; 0 turns it off.
    pub heartbeat_seconds: u16,
    /// The pause before the second attempt to connect; doubles with each, with jitter.
    pub reconnect_pause_min: Duration,
    /// The longest such pause.
    pub reconnect_pause_max: Duration,
    /// Messages of one queue that are held unacknowledged and handled at once.
    pub prefetch: u16,
    /// A larger message is handed over as [`Body::TooLarge`], without its bytes.
    pub message_bytes_max: usize,
    /// The pause before a message that could not be taken goes back to its queue; doubles with each return.
    pub requeue_pause_min: Duration,
    /// The longest such pause.
    pub requeue_pause_max: Duration,
    /// Returns of one message to its queue (`x-delivery-limit`) before it goes to `mezhved.dead`. Part of the queues'
    /// declaration: a broker refuses to change it on a queue that exists.
    pub deliveries_max: u32,
    /// A message whose handler panics goes to `mezhved.dead` when it was handed out so many times.
    pub panics_max: u32,
    /// What one queue may hold; beyond it the broker refuses more. Part of the queues' declaration, as above.
    pub queue_bytes_max: u64,
    /// Messages published and not yet confirmed.
    pub publish_in_flight_max: usize,
    /// From the call of [`Amqp::publish`] to the broker's confirm.
    pub confirm_timeout: Duration,
}

/// The options are wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmqpError {
    /// The URL cannot be read. It is not repeated, for it has a password in it.
    #[error("the broker's URL cannot be read; an example: amqps://user:password@broker.example:5671/%2f")]
    Url,
    /// Plain AMQP to another machine.
    #[error("amqp:// to {0} is neither loopback nor TLS: use amqps://, or say insecure = true")]
    PlainNotLoopback(String),
    /// A root certificate is not PEM.
    #[error("extra root certificate number {0} is not a PEM certificate")]
    Root(usize),
}

/// A message from a participant's own queue.
#[derive(Debug)]
pub struct Incoming {
    /// Whose queue it came on; the verified Sender must be the same.
    pub participant: ParticipantId,
    /// Its bytes.
    pub body: Body,
    /// Whether the broker handed it out before.
    pub redelivered: bool,
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

impl std::fmt::Debug for AmqpOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AmqpOptions").field("connection_name", &self.connection_name).finish_non_exhaustive()
    }
}

impl AmqpOptions {
    /// The usual numbers for the broker at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connection_name: "mezhved".into(),
            extra_roots_pem: Vec::new(),
            insecure_allowed: false,
            connect_timeout: Duration::from_secs(10),
            heartbeat_seconds: 15,
            reconnect_pause_min: Duration::from_millis(200),
            reconnect_pause_max: Duration::from_secs(15),
            prefetch: 32,
            message_bytes_max: 1024 * 1024,
            requeue_pause_min: Duration::from_secs(1),
            requeue_pause_max: Duration::from_secs(30),
            deliveries_max: 100_000,
            panics_max: 5,
            queue_bytes_max: 4 * 1024 * 1024 * 1024,
            publish_in_flight_max: 64,
            confirm_timeout: Duration::from_secs(10),
        }
    }

    fn target(&self) -> Result<Target, AmqpError> {
        let mut uri: AMQPUri = self.url.parse().map_err(|_| AmqpError::Url)?;
        let host = uri.authority.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        if uri.scheme == AMQPScheme::AMQP && !is_loopback && !self.insecure_allowed {
            return Err(AmqpError::PlainNotLoopback(host));
        }
        uri.query.heartbeat.get_or_insert(self.heartbeat_seconds);
        uri.query.connection_timeout = u64::try_from(self.connect_timeout.as_millis()).ok();
        let mut roots = String::new();
        for (index, pem) in self.extra_roots_pem.iter().enumerate() {
            let certificates = openssl::x509::X509::stack_from_pem(pem).unwrap_or_default();
            let text = std::str::from_utf8(pem).ok().filter(|_| !certificates.is_empty());
            roots.push_str(text.ok_or(AmqpError::Root(index + 1))?);
            roots.push('\n');
        }
        let cert_chain = (!roots.is_empty()).then_some(roots);
        Ok(Target { uri, tls: OwnedTLSConfig { identity: None, cert_chain } })
    }
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
    /// `BrokerAway`, no confirm in time is `TimedOut` (the broker may have it nevertheless).
    pub async fn publish(&self, queue: &Queue, bytes: &[u8], message_id: MessageId) -> Outcome {
        let limit = self.shared.options.confirm_timeout;
        match timeout(limit, self.shared.publish(queue, bytes, message_id)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::failed(ParkReason::TimedOut, format!("the broker did not confirm within {limit:?}")),
        }
    }

    /// Takes no more messages, lets the running handlers end for at most `grace`, then closes the connection.
    pub async fn stop(&self, grace: Duration) {
        self.tasks.phase.send_replace(Phase::Draining);
        if let Some(mut consumers) = taken(&self.tasks.consumers) {
            if timeout(grace, &mut consumers).await.is_err() {
                tracing::warn!(?grace, "handlers of broker messages did not end in time and are dropped");
                consumers.abort();
            }
        }
        self.tasks.phase.send_replace(Phase::Closing);
        if let Some(keeper) = taken(&self.tasks.keeper) {
            if let Err(error) = keeper.await {
                tracing::error!(%error, "the keeper of the broker's connection has ended badly");
            }
        }
    }
}

impl Shared {
    async fn publish(&self, queue: &Queue, bytes: &[u8], message_id: MessageId) -> Outcome {
        let away = |detail: &str| Outcome::failed(ParkReason::BrokerAway, detail);
        let Ok(_permit) = self.in_flight.acquire().await else { return away("the gateway stops") };
        let Some(session) = self.session.borrow().clone() else { return away("no connection to the broker") };
        if session.connection.status().blocked() {
            // What is published now would wait in this process until the alarm is over, without a limit.
            return away("the broker takes nothing: its memory or disk is short");
        }
        let channel = match session.take_channel().await {
            Ok(channel) => channel,
            Err(error) => return refused(&error),
        };
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let properties = BasicProperties::default()
            .with_content_type("application/xml".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(message_id.to_string().into());
        let confirmation = match channel.basic_publish("".into(), queue.name().into(), options, bytes, properties).await
        {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        match confirmation {
            Ok(confirmation) => {
                session.put_back(channel);
                confirmed(confirmation)
            }
            Err(error) => refused(&error),
        }
    }

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

/// The delivery mode of what must outlive the broker's restart.
const PERSISTENT: u8 = 2;

fn confirmed(confirmation: Confirmation) -> Outcome {
    let detail = match confirmation {
        Confirmation::Ack(None) => return Outcome::SENT,
        Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
            format!("returned: {} {}", returned.reply_code, returned.reply_text)
        }
        Confirmation::Nack(None) => "the broker did not take it (nack)".into(),
        Confirmation::NotRequested => "the channel has no confirms".into(),
    };
    Outcome::failed(ParkReason::BrokerRefused, detail)
}

/// An error of the channel alone is the broker's refusal; every other means that it is away.
fn refused(error: &lapin::Error) -> Outcome {
    let reason = if error.is_amqp_soft_error() { ParkReason::BrokerRefused } else { ParkReason::BrokerAway };
    Outcome::failed(reason, error.to_string())
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
    fn urls() {
        for (url, insecure, error) in [
            ("amqp://127.0.0.1:5672/%2f", false, None),
            ("amqp://user:secret@localhost/x", false, None),
            ("amqp://[::1]:5672/x", false, None),
            ("amqps://user:secret@broker.example/x", false, None),
            ("amqp://user:secret@broker.example/x", true, None),
            ("amqp://user:secret@broker.example/x", false, Some(AmqpError::PlainNotLoopback("broker.example".into()))),
            ("http://user:secret@broker.example", true, Some(AmqpError::Url)),
            ("", true, Some(AmqpError::Url)),
        ] {
            let mut options = AmqpOptions::new(url);
            options.insecure_allowed = insecure;
            assert!(!format!("{options:?}").contains("secret"));
            assert_eq!(options.target().err(), error, "{url}");
        }
    }

    #[test]
    fn a_root_that_is_no_certificate_is_named() {
        let mut options = AmqpOptions::new("amqps://broker.example/x");
        options.extra_roots_pem = vec![b"no certificate".to_vec()];
        assert_eq!(options.target().err(), Some(AmqpError::Root(1)));
    }

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
