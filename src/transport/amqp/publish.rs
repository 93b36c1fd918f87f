//! Publishing one message and learning what came of it.

use lapin::{
    BasicProperties, Confirmation,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable},
};

use crate::{
    domain::{MessageId, ParkReason, TraceContext},
    transport::Outcome,
};

use super::{Queue, Shared};

impl Shared {
    pub(super) async fn publish(
        &self,
        queue: &Queue,
        bytes: &[u8],
        message_id: MessageId,
        trace: Option<&TraceContext>,
    ) -> Outcome {
        let away = |detail: &str| Outcome::failed(ParkReason::BrokerAway, detail);
        let Ok(_permit) = self.in_flight.acquire().await else { return away("the gateway stops") };
        let Some(session) = self.session.borrow().clone() else { return away("no connection to the broker") };
        if session.connection.status().blocked() {
            // What is published now would wait in this process until the alarm is over, without a limit.
            return away("the broker takes nothing: its memory or disk is short");
        }
        let channel = match session.take_channel().await {
            Ok(channel) => channel,
            Err(error) => return refused(&error),
        };
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let mut properties = BasicProperties::default()
            .with_content_type("application/xml".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(message_id.to_string().into());
        if let Some(trace) = trace {
            let mut headers = FieldTable::default();
            for (name, value) in trace.headers() {
                headers.insert(name.into(), AMQPValue::LongString(value.into()));
            }
            properties = properties.with_headers(headers);
        }
        let confirmation = match channel.basic_publish("".into(), queue.name().into(), options, bytes, properties).await
        {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        match confirmation {
            Ok(confirmation) => {
                session.put_back(channel);
                confirmed(confirmation)
            }
            Err(error) => refused(&error),
        }
    }
}

/// The delivery mode of what must outlive the broker's restart.
const PERSISTENT: u8 = 2;

fn confirmed(confirmation: Confirmation) -> Outcome {
    let detail = match confirmation {
        Confirmation::Ack(None) => return Outcome::SENT,
        Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
            format!("returned: {} {}", returned.reply_code, returned.reply_text)
        }
        Confirmation::Nack(None) => "the broker did not take it (nack)".into(),
        Confirmation::NotRequested => "the channel has no confirms".into(),
    };
    Outcome::failed(ParkReason::BrokerRefused, detail)
}

/// An error of the channel alone is the broker's refusal; every other means that it is away.
fn refused(error: &lapin::Error) -> Outcome {
    let reason = if error.is_amqp_soft_error() { ParkReason::BrokerRefused } else { ParkReason::BrokerAway };
    Outcome::failed(reason, error.to_string())
}
