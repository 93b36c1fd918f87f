//! By which door the load generator sends: HTTP, or its own exchange of the broker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::Consumer;
use lapin::options::BasicAckOptions;
use tokio::sync::oneshot;

use super::BenchError;
use super::broker::{Broker, Reads};
use super::load::Signed;
use crate::domain::{ParticipantId, Technical};

/// For one answer: beyond it the gateway is held to be stuck.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// The way in.
#[derive(Clone)]
pub(super) enum Door {
    Http { client: reqwest::Client, url: String },
    Broker { broker: Arc<Broker>, waiting: Arc<Waiting> },
}

/// Who waits for the answer to which message.
type Waiting = Mutex<HashMap<uuid::Uuid, oneshot::Sender<Vec<u8>>>>;

impl Door {
    /// Over HTTP.
    pub(super) fn http(gateway: &str) -> Result<Self, BenchError> {
        let client = reqwest::Client::builder().timeout(ANSWER_MAX).no_proxy().pool_max_idle_per_host(1024).build();
        let client = client.map_err(|e| BenchError::defect(&e))?;
        Ok(Self::Http { client, url: format!("{gateway}/v1/messages") })
    }

    /// Over the broker.
    pub(super) async fn broker(url: &str, participant: &ParticipantId) -> Result<Self, BenchError> {
        let (broker, receipts) = Broker::connect(url, participant, Reads::Receipts).await?;
        let waiting = Arc::new(Waiting::default());
        tokio::spawn(hear(waiting.clone(), receipts));
        Ok(Self::Broker { broker: Arc::new(broker), waiting })
    }

    /// Sends a message and waits for its receipt; else why there is none.
    pub(super) async fn send(&self, signed: &Signed) -> Result<(), String> {
        match self {
            Self::Http { client, url } => {
                let request = client.post(url).header("content-type", "application/xml; charset=utf-8");
                let answer = request.body(signed.bytes.clone()).send().await.map_err(|e| e.to_string())?;
                let status = answer.status().as_u16();
                let bytes = answer.bytes().await.map_err(|e| e.to_string())?;
                if status == 200 { Ok(()) } else { Err(format!("HTTP {status}: {}", String::from_utf8_lossy(&bytes))) }
            }
            Self::Broker { broker, waiting } => {
                let (sender, answer) = oneshot::channel();
                waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(signed.id, sender);
                broker.publish(&signed.bytes, signed.id).await.map_err(|e| e.to_string())?;
                let bytes = match tokio::time::timeout(ANSWER_MAX, answer).await {
                    Ok(Ok(bytes)) => bytes,
                    Ok(Err(_)) | Err(_) => return Err("no answer on the queue of receipts".to_owned()),
                };
                let text = String::from_utf8_lossy(&bytes);
                let receipt = Technical::Receipt.message_type().namespace();
                if text.contains(&receipt) { Ok(()) } else { Err(text.into_owned()) }
            }
        }
    }
}

/// Gives each answer to whoever waits for it: the gateway names the message in the answer's properties.
async fn hear(waiting: Arc<Waiting>, mut receipts: Consumer) {
    while let Some(Ok(delivery)) = receipts.next().await {
        let about = delivery.properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok());
        let sender =
            about.and_then(|id: uuid::Uuid| waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
        if let Some(sender) = sender {
            drop(sender.send(delivery.data.clone()));
        }
        drop(delivery.ack(BasicAckOptions::default()).await);
    }
}
