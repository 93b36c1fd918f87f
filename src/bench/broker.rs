//! A participant's side of RabbitMQ, as the helpers use it: its own exchange, and one of its two queues.

use std::time::{Duration, Instant};

use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};

use super::BenchError;
use crate::domain::ParticipantId;

/// For the gateway to declare the queues.
const QUEUES_MAX: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);
/// Messages held unacknowledged.
const PREFETCH: u16 = 64;
const PERSISTENT: u8 = 2;

/// Which of its queues a participant reads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reads {
    Deliveries,
    Receipts,
}

/// A participant's connection.
pub(super) struct Broker {
    channel: Channel,
    exchange: String,
    /// Kept: the channel lives as long as it.
    _connection: Connection,
}

impl Broker {
    /// Connects, waits until the gateway has declared the queue, empties it, and reads it.
    pub(super) async fn connect(
        url: &str,
        participant: &ParticipantId,
        reads: Reads,
    ) -> Result<(Self, Consumer), BenchError> {
        let ends = Instant::now() + QUEUES_MAX;
        loop {
            match Self::attach(url, participant, reads).await {
                Ok(attached) => return Ok(attached),
                Err(error) if Instant::now() > ends => return Err(BenchError::defect(&error)),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn attach(url: &str, participant: &ParticipantId, reads: Reads) -> lapin::Result<(Self, Consumer)> {
        let queue = match reads {
            Reads::Deliveries => format!("mezhved.to.{participant}"),
            Reads::Receipts => format!("mezhved.receipts.{participant}"),
        };
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let reading = connection.create_channel().await?;
        // What an earlier scenario left.
        reading.queue_purge(queue.as_str().into(), QueuePurgeOptions::default()).await?;
        reading.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = reading.basic_consume(queue.as_str().into(), "".into(), options, table).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok((Self { channel, exchange: format!("mezhved.from.{participant}"), _connection: connection }, consumer))
    }

    /// Publishes and waits for the broker's confirm.
    pub(super) async fn publish(&self, bytes: &[u8], id: uuid::Uuid) -> lapin::Result<()> {
        let properties = BasicProperties::default()
            .with_content_type("application/xml".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(id.to_string().into());
        let (exchange, options) = (self.exchange.as_str().into(), BasicPublishOptions::default());
        self.channel.basic_publish(exchange, "".into(), options, bytes, properties).await?.await.map(drop)
    }
}
