//! Floor 5: carries bytes between the gateway and the agencies' systems.
//!
//! | room | what it does |
//! |---|---|
//! | [`http`] | [`http::Push`] posts an envelope to a partner's address; [`http::listen`] serves a router on one of ours |
//! | [`mail`] | [`mail::Mailer`] hands e-mails to the mail server |
//! | [`otlp`] | [`otlp::Export`] hands finished spans to a collector |
//! | [`amqp`] | [`amqp::Amqp`] keeps one connection to RabbitMQ, publishes with confirms and consumes the participants' queues |
//! | `way` | [`ToAddress`], [`ToQueue`]: what dispatch asks of the two |
//!
//! The mailbox needs no transport: what waits for it stays in the store, and the agency fetches it over [`http::listen`].
//!
//! Nothing here knows of SQL, of envelopes' insides or of retries. Each attempt ends in one [`Outcome`]; what follows from
//! it is decided above. Bytes go out as they are given. No clock is read: time-outs are tokio's.
//!
//! Invariant: no detail, error or log line of this floor carries a body, a password or an address with credentials.

use std::time::Duration;

use crate::domain::ParkReason;

pub mod amqp;
pub mod http;
pub mod mail;
pub mod otlp;
mod way;

pub use way::{ToAddress, ToQueue};

/// Log directives (the syntax of `tracing_subscriber::EnvFilter`) that the application must add after the operator's own:
/// the broker client prints whole returned messages at `warn`, and whole frames at `trace`, with the bodies inside.
pub const LOG_DIRECTIVES: [&str; 5] =
    ["lapin=warn", "lapin::returned_messages=off", "amq_protocol=warn", "hyper=info", "reqwest=info"];

/// What came of one attempt to hand a message over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Handed over: HTTP 2xx, or confirmed by the broker. It stands whatever the answer's body is, so that an agency
    /// cannot stop its clock by a strange body.
    Sent {
        /// What the partner wrote back at once.
        answer: Answer,
    },
    /// The partner refused with HTTP 4xx (not 429) and an XML body, perhaps a signed fault; the gateway verifies it.
    /// When it is none, this is a [`ParkReason::PartnerError`].
    Answered {
        /// The HTTP status, 400 to 499.
        status: u16,
        /// The body, at most `answer_bytes_max` bytes.
        answer: Vec<u8>,
    },
    /// Not handed over, as far as we know: the partner may have it nevertheless (a time-out after the last byte), so the
    /// same bytes are sent again.
    Failed {
        /// Why, from the closed list.
        reason: ParkReason,
        /// What happened, for the operator: no body, no credentials.
        detail: String,
        /// How long the partner asked us to wait (`Retry-After` of 429 and 503), cut to `retry_after_max`.
        retry_after: Option<Duration>,
    },
}

/// The body of a 2xx answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing was written back (a confirm of the broker never has a body).
    Empty,
    /// The bytes, at most `answer_bytes_max`: a receipt or a fault, to be verified.
    Bytes(Vec<u8>),
    /// There was a body that could not be taken: too large, broken off or too slow.
    Unread {
        /// Why, for the operator.
        detail: String,
    },
}

impl Outcome {
    /// Handed over without an answer.
    pub const SENT: Self = Self::Sent { answer: Answer::Empty };

    /// A failure without a wish of the partner when to come again.
    pub fn failed(reason: ParkReason, detail: impl Into<String>) -> Self {
        Self::Failed { reason, detail: detail.into(), retry_after: None }
    }
}
