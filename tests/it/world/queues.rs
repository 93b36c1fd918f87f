//! A participant's side of the broker, with the account that `partner apply` tells the administrator to make.

use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use mezhved::transport::amqp::permissions;

use super::{RUNTIME, SOON, participant};
use crate::support::{AmqpVhost, Permissions, eventually};

/// A connection of one participant.
pub(crate) struct Queues {
    participant: String,
    channel: Channel,
    _connection: Connection,
}

impl Queues {
    /// Makes the participant's account and connects.
    pub(crate) fn connect(vhost: &AmqpVhost, id: &str) -> Self {
        let own = permissions(&participant(id));
        let url = vhost.account(id, &Permissions { configure: &own.configure, write: &own.write, read: &own.read });
        Self::open(&url, id)
    }

    /// Connects with the account that may do everything, to look into a participant's queues.
    pub(crate) fn look(vhost: &AmqpVhost, id: &str) -> Self {
        Self::open(vhost.url(), id)
    }

    /// Like [`Queues::look`], while the broker may be away.
    pub(crate) fn try_look(vhost: &AmqpVhost, id: &str) -> Option<Self> {
        RUNTIME.block_on(Self::try_open(vhost.url(), id)).ok()
    }

    fn open(url: &str, id: &str) -> Self {
        RUNTIME.block_on(Self::try_open(url, id)).unwrap()
    }

    async fn try_open(url: &str, id: &str) -> Result<Self, lapin::Error> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { participant: id.to_owned(), channel, _connection: connection })
    }

    /// Publishes to the participant's own exchange; the broker must take it and have a queue for it.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.send_with(bytes, FieldTable::default());
    }

    /// The same, with headers of its own.
    pub(crate) fn send_with(&self, bytes: &[u8], headers: FieldTable) {
        let confirmation = RUNTIME.block_on(self.publish(bytes, headers)).unwrap();
        assert!(matches!(confirmation, Confirmation::Ack(None)), "{confirmation:?}");
    }

    async fn publish(&self, bytes: &[u8], headers: FieldTable) -> Result<Confirmation, lapin::Error> {
        let exchange = format!("mezhved.from.{}", self.participant);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        // The answer must not go there: it goes to the verified participant's own queue.
        let properties = BasicProperties::default().with_headers(headers).with_delivery_mode(2);
        let properties = properties.with_reply_to("mezhved.to.police".into());
        self.channel.basic_publish(exchange.into(), "".into(), options, bytes, properties).await?.await
    }

    /// Takes the next message off a queue, if there is one, and publishes its answer before it leaves the queue. The broker may go away or
    /// have lost a queue: then the message stays, and this connection is of no more use. Returns whether there was a message.
    pub(crate) fn try_answer(&self, queue: &str, answer: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<bool, String> {
        let queue = format!("mezhved.{queue}.{}", self.participant);
        let work = async {
            let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await;
            let Some(message) = got.map_err(|e| e.to_string())? else { return Ok(false) };
            let confirmation = self
                .publish(&answer(&message.delivery.data), FieldTable::default())
                .await
                .map_err(|e| e.to_string())?;
            if !matches!(confirmation, Confirmation::Ack(None)) {
                return Err("the answer was not taken".to_owned());
            }
            message.delivery.acker.ack(BasicAckOptions::default()).await.map_err(|e| e.to_string())?;
            Ok(true)
        };
        // A broker that was killed may leave a wait without an end.
        RUNTIME.block_on(async { tokio::time::timeout(SOON, work).await }).unwrap_or(Err("no answer".to_owned()))
    }

    /// Waits for the next message; it, and what a header of it says.
    pub(crate) fn next_with(&self, queue: &str, header: &str) -> (Vec<u8>, Option<String>) {
        let name = format!("mezhved.{queue}.{}", self.participant);
        let options = BasicGetOptions { no_ack: true };
        let message = eventually(&format!("a message on {name}"), SOON, || {
            RUNTIME.block_on(self.channel.basic_get(name.as_str().into(), options)).unwrap()
        });
        let headers = message.delivery.properties.headers().as_ref();
        let value = headers.and_then(|headers| headers.inner().get(header)).map(|value| {
            let AMQPValue::LongString(text) = value else { panic!("{header} is no text: {value:?}") };
            text.to_string()
        });
        (message.delivery.data, value)
    }

    /// Takes the next message off `to` or `receipts` (or, to look, `from`), if there is one.
    pub(crate) fn take(&self, queue: &str) -> Option<Vec<u8>> {
        let queue = format!("mezhved.{queue}.{}", self.participant);
        let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true });
        RUNTIME.block_on(got).unwrap().map(|message| message.delivery.data)
    }

    /// Waits for the next message.
    pub(crate) fn next(&self, queue: &str) -> Vec<u8> {
        eventually(&format!("a message on mezhved.{queue}.{}", self.participant), SOON, || self.take(queue))
    }
}
