//! A system that exchanges over RabbitMQ: it reads its own two queues and writes to its own exchange, and declares nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use tokio::sync::oneshot;

use crate::domain::MessageId;

use super::System;
use super::identity::Signed;

/// The pause before the next connection.
const PAUSE: Duration = Duration::from_millis(200);
/// Of so many failures in a row the last is worth a word: the first ones are the gateway's declaring the queues.
const FAILURES_A_WORD: u32 = 10;
/// How long to wait for the gateway's receipt before the same bytes are published again.
const RECEIPT_WAIT: Duration = Duration::from_secs(5);
/// Messages held unacknowledged.
const PREFETCH: u16 = 16;
const PERSISTENT: u8 = 2;

/// The system's side of the broker.
pub(super) struct Amqp {
    publisher: tokio::sync::Mutex<Option<Channel>>,
    waiting: Mutex<HashMap<MessageId, oneshot::Sender<Vec<u8>>>>,
    exchange: String,
}

impl Amqp {
    /// Starts connecting.
    pub(super) async fn start(system: Arc<System>, broker: String) -> Arc<Self> {
        let exchange = format!("mezhved.from.{}", system.identity.profile.id);
        let amqp = Arc::new(Self { publisher: tokio::sync::Mutex::new(None), waiting: Mutex::default(), exchange });
        tokio::spawn(keep(system, amqp.clone(), broker));
        amqp
    }

    /// Publishes and waits for the gateway's answer on the queue of receipts.
    pub(super) async fn submit(&self, signed: &Signed) -> Result<Vec<u8>, String> {
        let id = signed.header.message_id;
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        self.publish(&signed.bytes, id).await?;
        match tokio::time::timeout(RECEIPT_WAIT, answer).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) | Err(_) => Err(format!("no receipt within {RECEIPT_WAIT:?}")),
        }
    }

    /// Publishes and waits for the broker's confirm. One message at a time: a returned one is told with the channel's next confirm.
    async fn publish(&self, bytes: &[u8], id: MessageId) -> Result<(), String> {
        let publisher = self.publisher.lock().await;
        let channel = publisher.as_ref().ok_or("the broker is away")?;
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let properties = BasicProperties::default()
            .with_content_type("application/xml".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(id.to_string().into());
        let exchange = self.exchange.as_str().into();
        let confirm = channel.basic_publish(exchange, "".into(), options, bytes, properties).await;
        match confirm.map_err(|e| e.to_string())?.await.map_err(|e| e.to_string())? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err("the broker returned the message".to_owned()),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err("the broker did not take the message".to_owned()),
        }
    }
}

async fn keep(system: Arc<System>, amqp: Arc<Amqp>, broker: String) {
    let (mut failures, mut purged) = (0_u32, system.office.is_some());
    loop {
        let error = match session(&system, &amqp, &broker, &mut purged).await {
            Ok(()) => {
                failures = 0;
                "the connection has ended".to_owned()
            }
            Err(error) => error.to_string(),
        };
        *amqp.publisher.lock().await = None;
        failures = failures.saturating_add(1);
        if failures.is_multiple_of(FAILURES_A_WORD) {
            system.trouble(format!("broker: {error}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// One connection, from its start to its end. The first one throws away what an earlier demonstration left.
async fn session(system: &Arc<System>, amqp: &Amqp, broker: &str, purged: &mut bool) -> lapin::Result<()> {
    let id = &system.identity.profile.id;
    let (deliveries, receipts) = (format!("mezhved.to.{id}"), format!("mezhved.receipts.{id}"));
    let name = format!("mezhved simulated {id}");
    let properties = ConnectionProperties::default().with_connection_name(name.as_str().into());
    let connection = Connection::connect(broker, properties).await?;
    let channel = connection.create_channel().await?;
    if !*purged {
        for queue in [&deliveries, &receipts] {
            channel.queue_purge(queue.as_str().into(), QueuePurgeOptions::default()).await?;
        }
        *purged = true;
    }
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let mut deliveries = consume(&channel, &deliveries).await?;
    let mut receipts = consume(&channel, &receipts).await?;
    let publisher = connection.create_channel().await?;
    publisher.confirm_select(ConfirmSelectOptions::default()).await?;
    *amqp.publisher.lock().await = Some(publisher);
    system.ready();
    loop {
        let delivery = tokio::select! {
            delivery = deliveries.next() => delivery,
            delivery = receipts.next() => delivery,
        };
        let Some(delivery) = delivery else { return Ok(()) };
        let delivery = delivery?;
        match took(system, amqp, delivery.data.clone()).await {
            Ok(()) => drop(delivery.ack(BasicAckOptions::default()).await?),
            // Not acknowledged: the broker hands it out again on the next connection.
            Err(text) => {
                system.trouble(text);
                return Ok(());
            }
        }
    }
}

async fn consume(channel: &Channel, queue: &str) -> lapin::Result<Consumer> {
    channel.basic_consume(queue.into(), queue.into(), BasicConsumeOptions::default(), FieldTable::default()).await
}

/// Takes a message of either queue. Receipts and faults go to whoever waits for them, and are verified there; all else is taken and
/// receipted.
async fn took(system: &Arc<System>, amqp: &Amqp, bytes: Vec<u8>) -> Result<(), String> {
    if let Ok(opened) = system.identity.open(&bytes)
        && matches!(opened.header.message_type.name.as_str(), "receipt" | "fault")
    {
        let about = opened.header.in_reply_to;
        let waiting = about.and_then(|id| amqp.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
        if let Some(waiting) = waiting {
            // An error means that nobody waits any more: the message is sent again and answered again.
            drop(waiting.send(bytes));
        }
        return Ok(());
    }
    let answer = system.take(bytes).await?;
    amqp.publish(&answer.bytes, answer.header.message_id).await
}
