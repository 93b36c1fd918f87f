//! A system's way to the gateway and back.

use std::sync::Arc;
use std::time::Duration;

use crate::settings::Secret;

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

/// HTTP to the gateway without envelopes.
pub(super) struct Door {
    poster: Poster,
    token: Secret,
    content_type: String,
}

/// How a system sends.
pub(super) enum Link {
    Http(Poster),
    Plain(Door),
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
            Self::Plain(_) => Err("no envelope goes this way".to_owned()),
        }
    }
}

impl Door {
    /// Posts a body. `None` with the gateway's receipt, or the code of its refusal.
    pub(super) async fn post(&self, signed: &Signed) -> Result<(Option<String>, Vec<u8>), String> {
        let header = &signed.header;
        let address = format!("{}/v1/plain/{}", self.poster.gateway, header.message_type);
        let mut request = self.poster.client.post(address).bearer_auth(self.token.reveal());
        let conversation = header.conversation_id.to_string();
        for (name, value) in [
            ("idempotency-key", Some(header.message_id.to_string())),
            ("mezhved-recipient", Some(header.recipient.to_string())),
            ("mezhved-conversation-id", Some(conversation)),
            ("mezhved-in-reply-to", header.in_reply_to.map(|id| id.to_string())),
            ("mezhved-case-id", header.case_id.map(|id| id.to_string())),
            ("mezhved-priority", Some(header.priority.as_str().to_owned())),
            ("mezhved-test", header.test.then(|| "true".to_owned())),
            ("content-type", Some(self.content_type.clone())),
            ("accept", Some("application/xml".to_owned())),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = request.body(signed.bytes.clone()).send().await.map_err(|e| e.without_url().to_string())?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|e| e.without_url().to_string())?.to_vec();
        if status.is_success() {
            return Ok((None, bytes));
        }
        let problem = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
        let code = problem.as_ref().and_then(|problem| problem.get("code")?.as_str()).map(str::to_owned);
        code.map(|code| (Some(code), bytes)).ok_or_else(|| format!("HTTP {}", status.as_u16()))
    }
}

/// Opens the link of a system and starts whatever receives on it. A system that is pushed to listens already.
pub(super) async fn open(system: &Arc<System>, gateway: &str) -> Result<Link, String> {
    use super::identity::Way;
    if let Some(token) = system.bare.as_ref().and_then(|bare| bare.token()) {
        let (poster, content_type) = (Poster::new(gateway)?, system.own_media_type());
        return Ok(Link::Plain(Door { poster, token: token.clone(), content_type }));
    }
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
