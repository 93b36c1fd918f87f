//! A system's way to the gateway and back.

use std::sync::Arc;
use std::time::Duration;

use super::amqp::Amqp;
use super::identity::Signed;
use super::{System, mailbox};

/// For one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP to the gateway.
#[derive(Clone)]
pub(super) struct Poster {
    client: reqwest::Client,
    gateway: String,
}

impl Poster {
    fn new(gateway: &str) -> Result<Self, String> {
        let client = reqwest::Client::builder().timeout(CALL_TIMEOUT).no_proxy().build();
        Ok(Self { client: client.map_err(|e| e.to_string())?, gateway: gateway.to_owned() })
    }

    /// Posts an envelope and returns the status and the answer.
    pub(super) async fn post(&self, path: &str, bytes: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let request = self.client.post(format!("{}{path}", self.gateway));
        let request = request.header("content-type", "application/xml; charset=utf-8").body(bytes.to_vec());
        let answer = request.send().await.map_err(|e| e.without_url().to_string())?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await.map_err(|e| e.without_url().to_string())?.to_vec()))
    }
}

/// How a system sends.
pub(super) enum Link {
    Http(Poster),
    Amqp(Arc<Amqp>),
}

impl Link {
    /// Hands a message over and waits for the gateway's answer, unverified.
    pub(super) async fn submit(&self, signed: &Signed) -> Result<Vec<u8>, String> {
        match self {
            Self::Http(poster) => match poster.post("/v1/messages", &signed.bytes).await? {
                (_, answer) if answer.starts_with(b"<") => Ok(answer),
                (status, _) => Err(format!("HTTP {status}")),
            },
            Self::Amqp(amqp) => amqp.submit(signed).await,
        }
    }
}

/// Opens the link of a system and starts whatever receives on it. A system that is pushed to listens already.
pub(super) async fn open(system: &Arc<System>, gateway: &str) -> Result<Link, String> {
    use super::identity::Way;
    match &system.identity.profile.way {
        Way::Http => Poster::new(gateway).map(Link::Http),
        Way::Mailbox => {
            let poster = Poster::new(gateway)?;
            tokio::spawn(mailbox::run(system.clone(), poster.clone()));
            Ok(Link::Http(poster))
        }
        Way::Amqp { broker } => Ok(Link::Amqp(Amqp::start(system.clone(), broker.clone()).await)),
    }
}
