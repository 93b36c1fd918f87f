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

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::{
    domain::{MessageId, ParticipantId},
    transport::Outcome,
};

mod permissions;

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
    /// Panics of the handler over one message before it goes to `mezhved.dead`.
    pub panics_max: u32,
    /// Messages published and not yet confirmed.
    pub publish_in_flight_max: usize,
    /// From the call of [`Amqp::publish`] to the broker's confirm.
    pub confirm_timeout: Duration,
}

/// The options are wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmqpError {
    /// The URL cannot be read. The text has no password.
    #[error("the broker URL cannot be read: {0}; an example: amqps://mezhved:secret@broker.example:5671/%2f")]
    Url(String),
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

/// Takes a message; called for at most `prefetch` messages of a queue at once. Dropped midway when the connection ends or
/// the node stops: then the broker hands the message out again.
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

/// The connection to the broker. Cheap to clone; ends when the last clone is dropped or [`Amqp::stop`] is called.
#[derive(Clone)]
pub struct Amqp {}

impl Amqp {
    /// Starts connecting in the background and returns at once. Declares the queues of the listed participants, consumes
    /// their `from`, and follows changes of the list; queues of those who leave it stay, unconsumed.
    ///
    /// # Errors
    /// When the options are wrong. A broker that is away is no error.
    pub fn start(
        _options: AmqpOptions,
        _participants: watch::Receiver<Vec<ParticipantId>>,
        _handler: Handler,
    ) -> Result<Self, AmqpError> {
        todo!()
    }

    /// Whether messages can be published now.
    pub fn connected(&self) -> bool {
        todo!()
    }

    /// How the broker is, now and whenever it changes.
    pub fn status(&self) -> watch::Receiver<AmqpStatus> {
        todo!()
    }

    /// Publishes and waits for the confirm. A returned message or a nack is `BrokerRefused`, no connection is
    /// `BrokerAway`, no confirm in time is `TimedOut` (the broker may have it nevertheless).
    pub async fn publish(&self, _queue: &Queue, _bytes: &[u8], _message_id: MessageId) -> Outcome {
        todo!()
    }

    /// Takes no more messages, lets the running handlers end for at most `grace`, then closes the connection.
    pub async fn stop(&self, _grace: Duration) {
        todo!()
    }
}
