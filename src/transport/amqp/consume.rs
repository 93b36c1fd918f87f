//! Consuming the participants' own queues.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::{
    Channel, Consumer,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::domain::{ParticipantId, TraceContext};

use super::{Body, Disposition, Handler, Incoming, Phase, Shared, session::Session, topology};

/// The consumer's tag, one on each channel.
const TAG: &str = "mezhved";

/// Runs a consumer for each listed participant until the phase is no longer `Running`; then ends when all have ended.
pub(super) async fn manage(
    shared: Arc<Shared>,
    mut participants: watch::Receiver<Vec<ParticipantId>>,
    handler: Handler,
    mut phase: watch::Receiver<Phase>,
) {
    let mut consumers = JoinSet::new();
    let mut quits = HashMap::<ParticipantId, watch::Sender<()>>::new();
    loop {
        let listed = participants.borrow_and_update().clone();
        quits.retain(|participant, _| listed.contains(participant));
        for participant in listed {
            quits.entry(participant.clone()).or_insert_with(|| {
                let (quit, quitted) = watch::channel(());
                consumers.spawn(serve(shared.clone(), participant, handler.clone(), quitted));
                quit
            });
        }
        tokio::select! {
            changed = participants.changed() => if changed.is_err() {
                // The list is final now.
                stopping(&mut phase).await;
                break;
            },
            () = stopping(&mut phase) => break,
        }
        while let Some(ended) = consumers.try_join_next() {
            drop(ended);
        }
    }
    quits.clear();
    while let Some(ended) = consumers.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a consumer has ended badly");
        }
    }
}

async fn stopping(phase: &mut watch::Receiver<Phase>) {
    // An error means that the sender is gone, which is the same wish.
    drop(phase.wait_for(|phase| *phase != Phase::Running).await);
}

/// How a round of consuming has ended.
enum End {
    /// The participant left the list, or the node stops.
    Quit,
    /// The connection, the channel or the queue is gone.
    Lost(String),
}

/// Consumes one participant's queue on one connection after the other, until `quit` is dropped.
async fn serve(shared: Arc<Shared>, participant: ParticipantId, handler: Handler, mut quit: watch::Receiver<()>) {
    let mut session = shared.session.subscribe();
    let mut failures = 0;
    loop {
        let current = tokio::select! {
            current = session.wait_for(Option::is_some) => match current {
                Ok(current) => current.clone(),
                Err(_) => return,
            },
            _ = quit.changed() => return,
        };
        let Some(current) = current else { continue };
        let end = round(&shared, &current, &participant, &handler, &mut quit).await;
        let trouble = match end {
            End::Quit => return,
            End::Lost(trouble) => trouble,
        };
        if !current.connection.status().connected() {
            // The keeper of the connection tells of it and pauses; wait for its next one.
            drop(current);
            let gone = session.wait_for(|next| next.as_ref().is_none_or(|next| next.connection.status().connected()));
            tokio::select! {
                gone = gone => if gone.is_err() { return },
                _ = quit.changed() => return,
            }
            failures = 0;
            continue;
        }
        let pause = super::pause(shared.options.reconnect_pause_min, shared.options.reconnect_pause_max, failures);
        failures = failures.saturating_add(1);
        tracing::warn!(%participant, %trouble, ?pause, "a participant's queue is not consumed");
        shared.status.send_modify(|status| status.trouble = Some(format!("{participant}: {trouble}")));
        tokio::select! {
            () = sleep(pause) => {}
            _ = quit.changed() => return,
        }
    }
}

/// Declares, consumes, and waits for the handlers that still run at the end.
async fn round(
    shared: &Arc<Shared>,
    session: &Session,
    participant: &ParticipantId,
    handler: &Handler,
    quit: &mut watch::Receiver<()>,
) -> End {
    let started = tokio::select! {
        started = start(shared, session, participant) => started,
        _ = quit.changed() => return End::Quit,
    };
    let (channel, mut consumer) = match started {
        Ok(started) => started,
        Err(error) => return End::Lost(error.to_string()),
    };
    shared.serving(participant, true);
    let (over, is_over) = watch::channel(());
    let mut running = JoinSet::new();
    let end = loop {
        tokio::select! {
            delivery = consumer.next() => match delivery {
                Some(Ok(delivery)) => {
                    let work = Work { shared: shared.clone(), participant: participant.clone(), is_over: is_over.clone() };
                    running.spawn(work.take(delivery, handler.clone()));
                }
                Some(Err(error)) => break End::Lost(error.to_string()),
                None => break End::Lost("the broker cancelled the consumer".into()),
            },
            Some(_) = running.join_next() => {}
            _ = quit.changed() => {
                if let Err(error) = channel.basic_cancel(TAG.into(), BasicCancelOptions::default()).await {
                    tracing::debug!(%participant, %error, "the consumer could not be cancelled");
                }
                break End::Quit;
            }
        }
    };
    shared.serving(participant, false);
    drop(over);
    while running.join_next().await.is_some() {}
    end
}

async fn start(shared: &Shared, session: &Session, participant: &ParticipantId) -> lapin::Result<(Channel, Consumer)> {
    let channel = session.connection.create_channel().await?;
    topology::declare_participant(&channel, participant, &shared.options).await?;
    channel.basic_qos(shared.options.prefetch, BasicQosOptions::default()).await?;
    let queue = topology::from_name(participant);
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue.into(), TAG.into(), options, FieldTable::default()).await?;
    Ok((channel, consumer))
}

/// The handling of one message.
struct Work {
    shared: Arc<Shared>,
    participant: ParticipantId,
    /// Its sender is dropped when the channel is gone or the consumer quits: pauses end.
    is_over: watch::Receiver<()>,
}

impl Work {
    async fn take(mut self, mut delivery: Delivery, handler: Handler) {
        let options = &self.shared.options;
        let returns = returns(&delivery);
        let data = std::mem::take(&mut delivery.data);
        let body = if data.len() > options.message_bytes_max {
            Body::TooLarge { size_bytes: data.len() }
        } else {
            Body::Whole(data)
        };
        let (participant, redelivered) = (self.participant.clone(), delivery.redelivered);
        let incoming = Incoming { participant, body, redelivered, trace: trace(&delivery) };
        let disposition = AssertUnwindSafe(async move { handler(incoming).await }).catch_unwind().await;
        let done = match disposition {
            Ok(Disposition::Ack) => delivery.ack(BasicAckOptions::default()).await,
            Ok(Disposition::RequeueLater) => self.requeue(&delivery, returns).await,
            Err(_panic) if returns.saturating_add(1) >= options.panics_max => {
                tracing::error!(participant = %self.participant, returns, "handling a message panics: it goes to {}", topology::DEAD);
                delivery.reject(BasicRejectOptions { requeue: false }).await
            }
            Err(_panic) => {
                tracing::error!(participant = %self.participant, returns, "handling a message has panicked");
                self.requeue(&delivery, returns).await
            }
        };
        if !matches!(done, Ok(true)) {
            // The broker hands it out again; the gateway knows it by its id.
            tracing::info!(participant = %self.participant, "a message was handled, but its channel is gone");
        }
    }

    async fn requeue(&mut self, delivery: &Delivery, returns: u32) -> lapin::Result<bool> {
        let options = &self.shared.options;
        let pause = super::pause(options.requeue_pause_min, options.requeue_pause_max, returns);
        tokio::select! {
            () = sleep(pause) => {}
            _ = self.is_over.changed() => {}
        }
        delivery.nack(BasicNackOptions { multiple: false, requeue: true }).await
    }
}

/// Where the headers say that the message belongs in a trace.
fn trace(delivery: &Delivery) -> Option<TraceContext> {
    let headers = delivery.properties.headers().as_ref()?.inner();
    let text = |name| match headers.get(name) {
        Some(AMQPValue::LongString(text)) => std::str::from_utf8(text.as_bytes()).ok(),
        Some(AMQPValue::ShortString(text)) => Some(text.as_str()),
        Some(_) | None => None,
    };
    TraceContext::parse(text(TraceContext::PARENT)?, text(TraceContext::STATE))
}

/// How often the message went back to its queue.
fn returns(delivery: &Delivery) -> u32 {
    let headers = delivery.properties.headers().as_ref();
    // A quorum queue counts in the narrowest type that fits, depending on the broker's version.
    let count = match headers.and_then(|headers| headers.inner().get("x-delivery-count")) {
        Some(AMQPValue::LongLongInt(count)) => *count,
        Some(AMQPValue::LongInt(count)) => i64::from(*count),
        Some(AMQPValue::LongUInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortShortInt(count)) => i64::from(*count),
        Some(_) | None => 0,
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}
