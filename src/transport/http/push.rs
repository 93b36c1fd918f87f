//! POST of an envelope to a partner's address.

use std::time::Duration;

use crate::{domain::MessageId, transport::Outcome};

/// How the gateway posts to partners.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// For DNS, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For the whole call, from the first byte out to the last byte of the answer.
    pub call_timeout: Duration,
    /// The largest answer body that is read.
    pub answer_bytes_max: usize,
    /// The longest `Retry-After` that is believed.
    pub retry_after_max: Duration,
    /// Idle connections kept for each partner.
    pub idle_connections_max: usize,
    /// Certificates of authorities, PEM, trusted beside the system's own.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// What we show to partners that ask for a client certificate.
    pub identity: Option<super::TlsIdentity>,
    /// Whether plain `http` may go to other machines.
    pub insecure_allowed: bool,
}

/// The client could not be made: the options are wrong.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A root certificate is not PEM.
    #[error("extra root certificate number {number} is not a PEM certificate")]
    Root {
        /// Its place in [`HttpOptions::extra_roots_pem`], from 1.
        number: usize,
        /// What the library says.
        source: reqwest::Error,
    },
    /// The client identity is unusable.
    #[error("the client certificate or its key is unusable")]
    Identity(#[source] reqwest::Error),
    /// TLS or the client could not be set up.
    #[error("the HTTP client could not be set up")]
    Setup(#[source] reqwest::Error),
}

/// Posts envelopes to partners; one for the whole process, for it keeps the connections.
#[derive(Debug, Clone)]
pub struct Push {
    _client: reqwest::Client,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(30),
            answer_bytes_max: 256 * 1024,
            retry_after_max: Duration::from_secs(3600),
            idle_connections_max: 8,
            extra_roots_pem: Vec::new(),
            identity: None,
            insecure_allowed: false,
        }
    }
}

impl Push {
    /// Sets the client up.
    ///
    /// # Errors
    /// When a certificate of the options is unusable.
    pub fn new(_options: HttpOptions) -> Result<Self, HttpError> {
        todo!()
    }

    /// Posts the bytes as `application/xml; charset=utf-8`, with the id in `Mezhved-Message-Id` for the partner's logs.
    ///
    /// 2xx is [`Outcome::Sent`]; 4xx (not 429) with an XML body is [`Outcome::Answered`]; every other status, a redirect
    /// included, is `PartnerError`; no connection (DNS, TCP, TLS) is `Unreachable`; no answer in time is `TimedOut`; an
    /// address that may not be used is `RouteMissing`.
    pub async fn push(&self, _url: &str, _bytes: Vec<u8>, _message_id: MessageId) -> Outcome {
        todo!()
    }
}
