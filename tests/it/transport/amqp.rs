//! RabbitMQ when all goes well, and messages that do not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use mezhved::{
    domain::{MessageId, ParkReason, ParticipantId},
    transport::{
        Outcome,
        amqp::{Amqp, Body, Disposition, Handler, Queue},
    },
};
use tokio::sync::{Notify, mpsc};

use super::{
    broker::{self, Client, ack, collect, options, participant, serving, start},
    message_id, until, within,
};

fn refused(outcome: &Outcome, with: &str) -> bool {
    matches!(outcome, Outcome::Failed { reason: ParkReason::BrokerRefused, detail, .. } if detail.contains(with))
}

async fn publish(amqp: &Amqp, to: &ParticipantId, bytes: &[u8], id: MessageId) -> Outcome {
    amqp.publish(&Queue::To(to.clone()), bytes, id, None).await
}

#[tokio::test]
async fn what_is_published_waits_for_the_participant() {
    let _broker = broker::shared().await;
    let agency = participant();
    let (amqp, _list) = start(options(broker::url()), &[&agency], ack());
    serving(&amqp, &agency).await;
    assert!(amqp.connected());
    let client = Client::new(&broker::url()).await;
    let large = vec![b'x'; 900_000];
    for (queue, name, bytes) in [
        (Queue::To(agency.clone()), format!("mezhved.to.{agency}"), b"<Envelope/>".as_slice()),
        (Queue::Receipts(agency.clone()), format!("mezhved.receipts.{agency}"), b"<Receipt/>"),
        (Queue::To(agency.clone()), format!("mezhved.to.{agency}"), &large),
        (Queue::To(agency.clone()), format!("mezhved.to.{agency}"), b""),
    ] {
        let id = message_id();
        assert_eq!(queue.name(), name);
        assert_eq!(amqp.publish(&queue, bytes, id, None).await, Outcome::SENT);
        let message = client.take(&name).await;
        assert_eq!(message.data, bytes);
        assert_eq!(message.properties.delivery_mode(), &Some(2), "must outlive the broker's restart");
        assert_eq!(message.properties.message_id().as_ref().map(|id| id.as_str().to_owned()), Some(id.to_string()));
        assert_eq!(message.properties.content_type().as_ref().map(|t| t.as_str()), Some("application/xml"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_what_no_queue_took_is_refused() {
    let _broker = broker::shared().await;
    let (known, unknown) = (participant(), participant());
    let (amqp, _list) = start(options(broker::url()), &[&known], ack());
    serving(&amqp, &known).await;
    let publishing = (0..300).map(|n| {
        let (amqp, to) = (amqp.clone(), if n % 3 == 0 { unknown.clone() } else { known.clone() });
        tokio::spawn(async move { (n, publish(&amqp, &to, format!("{n}").as_bytes(), message_id()).await) })
    });
    for done in within("300 outcomes", join_all(publishing)).await {
        let (n, outcome) = done.unwrap();
        if n % 3 == 0 {
            assert!(refused(&outcome, "NO_ROUTE"), "{n}: {outcome:?}");
        } else {
            assert_eq!(outcome, Outcome::SENT, "{n}");
        }
    }
    assert_eq!(Client::new(&broker::url()).await.count(&format!("mezhved.to.{known}")).await, 200);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let _broker = broker::shared().await;
    let agency = participant();
    let small = mezhved::transport::amqp::AmqpOptions { queue_bytes_max: 10_000, ..options(broker::url()) };
    let (amqp, _list) = start(small, &[&agency], ack());
    serving(&amqp, &agency).await;
    let bytes = vec![b'x'; 4_000];
    until("a full queue", async || refused(&publish(&amqp, &agency, &bytes, message_id()).await, "nack")).await;
    let client = Client::new(&broker::url()).await;
    let name = format!("mezhved.to.{agency}");
    while client.count(&name).await > 0 {
        client.take(&name).await;
    }
    until("room again", async || publish(&amqp, &agency, &bytes, message_id()).await == Outcome::SENT).await;
}

#[tokio::test]
async fn what_participants_publish_is_handed_over_and_acknowledged() {
    let _broker = broker::shared().await;
    let (one, other) = (participant(), participant());
    let (handler, mut incoming) = collect();
    let limits = mezhved::transport::amqp::AmqpOptions { message_bytes_max: 1_000, ..options(broker::url()) };
    let (amqp, _list) = start(limits, &[&one, &other], handler);
    serving(&amqp, &one).await;
    serving(&amqp, &other).await;
    let client = Client::new(&broker::url()).await;
    for (from, size, whole) in [(&one, 10, true), (&other, 1_000, true), (&one, 1_001, false), (&other, 0, true)] {
        client.send(from, &vec![b'x'; size]).await;
        let got = within("the message", incoming.recv()).await.unwrap();
        assert_eq!((&got.participant, got.redelivered), (from, false));
        match got.body {
            Body::Whole(bytes) => assert!(whole && bytes == vec![b'x'; size], "{size}"),
            Body::TooLarge { size_bytes } => assert!(!whole && size_bytes == size, "{size}"),
        }
    }
    amqp.stop(Duration::from_secs(60)).await;
    assert!(!amqp.connected());
    for from in [&one, &other] {
        let queue = format!("mezhved.from.{from}");
        // What was not acknowledged would be back by now or soon: the gateway's connection is closed.
        assert!(client.get(&queue).await.unwrap().is_none(), "something was not acknowledged");
    }
    assert!(matches!(
        publish(&amqp, &one, b"", message_id()).await,
        Outcome::Failed { reason: ParkReason::BrokerAway, .. }
    ));
}

#[tokio::test]
async fn what_cannot_be_taken_now_comes_again_later() {
    let _broker = broker::shared().await;
    let agency = participant();
    let calls = Arc::new(AtomicU32::new(0));
    let (sender, mut seen) = mpsc::unbounded_channel();
    let count = calls.clone();
    let handler: Handler = Arc::new(move |incoming| {
        sender.send((std::time::Instant::now(), incoming.redelivered)).unwrap();
        let done = if count.fetch_add(1, Ordering::SeqCst) < 3 { Disposition::RequeueLater } else { Disposition::Ack };
        Box::pin(async move { done })
    });
    let (amqp, _list) = start(options(broker::url()), &[&agency], handler);
    serving(&amqp, &agency).await;
    let client = Client::new(&broker::url()).await;
    client.send(&agency, b"<Envelope/>").await;
    let mut times = Vec::new();
    for n in 0..4 {
        let (at, redelivered) = within("the message", seen.recv()).await.unwrap();
        assert_eq!(redelivered, n > 0);
        times.push(at);
    }
    for (pair, least) in times.windows(2).zip([10, 20, 40]) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(least), "a hot loop: {:?}", pair[1] - pair[0]);
    }
    amqp.stop(Duration::from_secs(60)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 4, "acknowledged, and yet handed out again");
}

#[tokio::test]
async fn a_message_that_crashes_its_handler_ends_among_the_dead() {
    let _broker = broker::shared().await;
    let agency = participant();
    let calls = Arc::new(AtomicU32::new(0));
    let count = calls.clone();
    let handler: Handler = Arc::new(move |incoming| {
        count.fetch_add(1, Ordering::SeqCst);
        match incoming.body {
            Body::Whole(bytes) if bytes.starts_with(b"poison") => panic!("poison"),
            Body::Whole(_) | Body::TooLarge { .. } => Box::pin(async { Disposition::Ack }),
        }
    });
    let limits = mezhved::transport::amqp::AmqpOptions { panics_max: 3, ..options(broker::url()) };
    let (amqp, _list) = start(limits, &[&agency], handler);
    serving(&amqp, &agency).await;
    let client = Client::new(&broker::url()).await;
    let poison = format!("poison of {agency}");
    client.send(&agency, poison.as_bytes()).await;
    client.send(&agency, b"wholesome").await;
    until("the dead letter", async || client.take("mezhved.dead").await.data == poison.as_bytes()).await;
    until("the other message", async || calls.load(Ordering::SeqCst) == 4).await;
    assert_eq!(client.count(&format!("mezhved.from.{agency}")).await, 0);
}

#[tokio::test]
async fn the_list_of_participants_is_followed() {
    let _broker = broker::shared().await;
    let (stays, leaves, comes) = (participant(), participant(), participant());
    let (handler, mut incoming) = collect();
    let (amqp, list) = start(options(broker::url()), &[&stays, &leaves], handler);
    serving(&amqp, &stays).await;
    serving(&amqp, &leaves).await;
    list.send_replace(vec![stays.clone(), comes.clone()]);
    serving(&amqp, &comes).await;
    broker::when(&amqp, "an end of consuming", |status| !status.serving.contains(&leaves)).await;
    let client = Client::new(&broker::url()).await;
    let left = format!("mezhved.from.{leaves}");
    client.send(&leaves, b"1").await;
    client.send(&comes, b"2").await;
    client.send(&stays, b"3").await;
    let mut got = Vec::new();
    for _ in 0..2 {
        got.push(within("a message", incoming.recv()).await.unwrap().participant);
    }
    assert!(got.contains(&stays) && got.contains(&comes));
    assert_eq!(client.take(&left).await.data, b"1", "the queue of one who left keeps its messages");
}

#[tokio::test]
async fn stopping_lets_handlers_end() {
    let _broker = broker::shared().await;
    let agency = participant();
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler: Handler = {
        let (begun, go) = (begun.clone(), go.clone());
        Arc::new(move |_| {
            let (begun, go) = (begun.clone(), go.clone());
            Box::pin(async move {
                begun.notify_one();
                go.notified().await;
                Disposition::Ack
            })
        })
    };
    let client = Client::new(&broker::url()).await;
    let queue = format!("mezhved.from.{agency}");

    let (amqp, _list) = start(options(broker::url()), &[&agency], handler.clone());
    serving(&amqp, &agency).await;
    client.send(&agency, b"1").await;
    within("the message", begun.notified()).await;
    let stopping = tokio::spawn({
        let amqp = amqp.clone();
        async move { amqp.stop(Duration::from_secs(60)).await }
    });
    broker::when(&amqp, "an end of consuming", |status| status.serving.is_empty() || !status.connected).await;
    go.notify_one();
    within("the stop", stopping).await.unwrap();
    assert!(client.get(&queue).await.unwrap().is_none(), "its handler ended in time, and yet it is back");

    let (amqp, _list) = start(options(broker::url()), &[&agency], handler);
    serving(&amqp, &agency).await;
    client.send(&agency, b"2").await;
    within("the message", begun.notified()).await;
    within("the stop", amqp.stop(Duration::from_millis(50))).await;
    assert_eq!(client.take(&queue).await.data, b"2", "a message was lost with its handler");
}
