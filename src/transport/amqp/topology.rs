//! Names and declarations of exchanges and queues. The picture is in the documentation of [`super`].

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::domain::ParticipantId;

use super::AmqpOptions;

/// The exchange and the queue for messages that crashed their handler too often.
pub(super) const DEAD: &str = "mezhved.dead";

/// The participant's exchange, and the queue behind it.
pub(super) fn from_name(participant: &ParticipantId) -> String {
    format!("mezhved.from.{participant}")
}

/// The queue of deliveries to the participant.
pub(super) fn to_name(participant: &ParticipantId) -> String {
    format!("mezhved.to.{participant}")
}

/// The queue of receipts, faults and notices for the participant.
pub(super) fn receipts_name(participant: &ParticipantId) -> String {
    format!("mezhved.receipts.{participant}")
}

/// What all participants share.
pub(super) async fn declare_common(channel: &Channel) -> lapin::Result<()> {
    declare_exchange(channel, DEAD).await?;
    let mut arguments = FieldTable::default();
    insert(&mut arguments, "x-queue-type", long_string("quorum"));
    declare_queue(channel, DEAD, arguments).await?;
    bind(channel, DEAD).await
}

/// What one participant has.
pub(super) async fn declare_participant(
    channel: &Channel,
    participant: &ParticipantId,
    options: &AmqpOptions,
) -> lapin::Result<()> {
    let from = from_name(participant);
    declare_exchange(channel, &from).await?;
    for queue in [from.clone(), to_name(participant), receipts_name(participant)] {
        declare_queue(channel, &queue, arguments(options)).await?;
    }
    bind(channel, &from).await
}

fn arguments(options: &AmqpOptions) -> FieldTable {
    let mut arguments = FieldTable::default();
    insert(&mut arguments, "x-queue-type", long_string("quorum"));
    insert(&mut arguments, "x-dead-letter-exchange", long_string(DEAD));
    // A dead letter leaves its queue only when the dead-letter queue has it; the broker wants reject-publish for that.
    insert(&mut arguments, "x-dead-letter-strategy", long_string("at-least-once"));
    insert(&mut arguments, "x-overflow", long_string("reject-publish"));
    insert(&mut arguments, "x-delivery-limit", AMQPValue::LongLongInt(i64::from(options.deliveries_max)));
    insert(&mut arguments, "x-max-length-bytes", AMQPValue::LongLongInt(options.queue_bytes_max.cast_signed()));
    arguments
}

fn insert(table: &mut FieldTable, key: &'static str, value: AMQPValue) {
    table.insert(ShortString::from(key), value);
}

fn long_string(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

async fn declare_exchange(channel: &Channel, name: &str) -> lapin::Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), ExchangeKind::Fanout, durable, FieldTable::default()).await
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await.map(drop)
}

/// Binds the queue to the exchange of the same name.
async fn bind(channel: &Channel, name: &str) -> lapin::Result<()> {
    let no_arguments = FieldTable::default();
    channel.queue_bind(name.into(), name.into(), "".into(), QueueBindOptions::default(), no_arguments).await
}
