//! How the gateway uses the broker: the numbers, and the checks before the first connection.

use std::{net::IpAddr, time::Duration};

use lapin::{
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};
use openssl::x509::X509;

use super::session::Target;

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
    /// A larger message is handed over as [`super::Body::TooLarge`], without its bytes.
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
    /// From the call of [`super::Amqp::publish`] to the broker's confirm.
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

    /// Where to connect, after the checks.
    pub(super) fn target(&self) -> Result<Target, AmqpError> {
        let mut uri: AMQPUri = self.url.parse().map_err(|_| AmqpError::Url)?;
        let host = uri.authority.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_loopback =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        if uri.scheme == AMQPScheme::AMQP && !is_loopback && !self.insecure_allowed {
            return Err(AmqpError::PlainNotLoopback(host));
        }
        uri.query.heartbeat.get_or_insert(self.heartbeat_seconds);
        uri.query.connection_timeout = u64::try_from(self.connect_timeout.as_millis()).ok();
        let mut roots = String::new();
        for (index, pem) in self.extra_roots_pem.iter().enumerate() {
            let certificates = X509::stack_from_pem(pem).unwrap_or_default();
            let text = std::str::from_utf8(pem).ok().filter(|_| !certificates.is_empty());
            roots.push_str(text.ok_or(AmqpError::Root(index + 1))?);
            roots.push('\n');
        }
        let cert_chain = (!roots.is_empty()).then_some(roots);
        Ok(Target { uri, tls: OwnedTLSConfig { identity: None, cert_chain } })
    }
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
}
