//! RabbitMQ when it goes away and comes back.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use lapin::options::BasicConsumeOptions;
use mezhved::{
    domain::{ParkReason, ParticipantId},
    transport::{
        Outcome,
        amqp::{Amqp, Body, Disposition, Handler, Queue},
    },
};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};

use super::{
    broker::{self, Client, Wire, ack, options, participant, serving, start, when},
    message_id,
    tls::Authority,
    until, within,
};

fn is_away(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { reason: ParkReason::BrokerAway, .. })
}

#[tokio::test]
async fn a_lost_connection_is_made_again() {
    let _broker = broker::shared().await;
    let agency = participant();
    let (calls, begun, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler: Handler = {
        let (calls, begun, go) = (calls.clone(), begun.clone(), go.clone());
        Arc::new(move |incoming| {
            let (begun, go) = (begun.clone(), go.clone());
            let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
            assert_eq!(incoming.redelivered, !first);
            Box::pin(async move {
                if first {
                    begun.notify_one();
                    go.notified().await;
                }
                Disposition::Ack
            })
        })
    };
    let wire = Wire::new().await;
    let (amqp, _list) = start(options(wire.url()), &[&agency], handler);
    serving(&amqp, &agency).await;
    let client = Client::new(&broker::url()).await;
    client.send(&agency, b"<Envelope/>").await;
    within("the message", begun.notified()).await;

    wire.cut();
    when(&amqp, "the loss", |status| !status.connected && status.serving.is_empty() && status.trouble.is_some()).await;
    assert!(!amqp.connected());
    let to = Queue::To(agency.clone());
    assert!(is_away(&amqp.publish(&to, b"", message_id(), None).await));

    wire.mend();
    when(&amqp, "a connection", |status| status.connected).await;
    assert_eq!(amqp.publish(&to, b"", message_id(), None).await, Outcome::SENT);
    // The first handler still runs, so the queue is not consumed again yet.
    assert!(amqp.status().borrow().serving.is_empty());
    go.notify_one();
    serving(&amqp, &agency).await;
    until("the second time", async || calls.load(Ordering::SeqCst) == 2).await;
    amqp.stop(Duration::from_secs(60)).await;
    assert!(client.get(&format!("mezhved.from.{agency}")).await.unwrap().is_none());
}

/// What both directions have done so far.
#[derive(Default)]
struct Tally {
    /// Confirmed by the broker on the way to the agency.
    published: BTreeSet<u32>,
    /// Confirmed by the broker on the way from the agency.
    sent: BTreeSet<u32>,
    /// Handled and acknowledged by the gateway.
    handled: BTreeSet<u32>,
    /// No more are to be begun.
    enough: bool,
}

type Counted = Arc<Mutex<Tally>>;

/// Publishes number after number, each until it is confirmed, as the gateway's retries do.
async fn publish_on(amqp: Amqp, to: ParticipantId, tally: Counted, numbers: std::ops::RangeFrom<u32>) {
    let queue = Queue::To(to);
    for number in numbers {
        let (id, bytes) = (message_id(), number.to_string().into_bytes());
        within("a confirm", async {
            while amqp.publish(&queue, &bytes, id, None).await != Outcome::SENT {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        {
            let mut tally = tally.lock().unwrap();
            tally.published.insert(number);
            if tally.enough {
                break;
            }
        }
        // A pace, so that the test ends soon.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Publishes as the agency does, each number until the broker confirms it; connects anew when it must.
async fn send_on(from: ParticipantId, tally: Counted) {
    let exchange = format!("mezhved.from.{from}");
    let mut client = None;
    for number in 0.. {
        let bytes = number.to_string().into_bytes();
        within("a client's confirm", async {
            loop {
                if client.is_none() {
                    client = connect().await;
                }
                match &client {
                    Some(connected) if connected.publish(&exchange, "", &bytes).await.is_ok() => break,
                    Some(_) => client = None,
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        })
        .await;
        {
            let mut tally = tally.lock().unwrap();
            tally.sent.insert(number);
            if tally.enough {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn connect() -> Option<Client> {
    let builder = lapin::DefaultConnectionBuilder::new().unwrap().with_uri_str(broker::url());
    let connection = builder.connect().await.ok()?;
    let channel = connection.create_channel().await.ok()?;
    channel.confirm_select(lapin::options::ConfirmSelectOptions::default()).await.ok()?;
    Some(Client { connection, channel })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_confirmed_is_lost_when_the_broker_restarts() {
    let alone = broker::alone().await;
    let agency = participant();
    let tally = Counted::default();
    let handler: Handler = {
        let tally = tally.clone();
        Arc::new(move |incoming| {
            let Body::Whole(bytes) = incoming.body else { panic!("too large") };
            tally.lock().unwrap().handled.insert(String::from_utf8(bytes).unwrap().parse().unwrap());
            Box::pin(async { Disposition::Ack })
        })
    };
    let (amqp, _list) = start(options(broker::url()), &[&agency], handler);
    serving(&amqp, &agency).await;
    let mut work = tokio::task::JoinSet::new();
    for publisher in 1..=4 {
        work.spawn(publish_on(amqp.clone(), agency.clone(), tally.clone(), publisher * 1_000_000..));
    }
    work.spawn(send_on(agency.clone(), tally.clone()));
    let counts = || {
        let tally = tally.lock().unwrap();
        [tally.published.len(), tally.sent.len(), tally.handled.len()]
    };
    let more_than = async |before: [usize; 3]| {
        until("more traffic", async || counts().iter().zip(before).all(|(now, before)| *now > before + 20)).await;
    };
    more_than(counts()).await;
    let stopped = broker::Stopped::now(&alone).await;
    assert!(!amqp.connected());
    tokio::task::block_in_place(|| drop(stopped));
    more_than(counts()).await;
    tally.lock().unwrap().enough = true;
    while let Some(done) = within("the rest", work.join_next()).await {
        done.unwrap();
    }
    until("all of the agency's messages", async || {
        let tally = tally.lock().unwrap();
        tally.handled == tally.sent
    })
    .await;
    let client = Client::new(&broker::url()).await;
    let queue = format!("mezhved.to.{agency}");
    let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut waiting = client.channel.basic_consume(queue.into(), "".into(), no_ack, Default::default()).await.unwrap();
    let published = std::mem::take(&mut tally.lock().unwrap().published);
    let mut arrived = BTreeSet::new();
    within("all that was confirmed", async {
        while arrived != published {
            let bytes = waiting.next().await.unwrap().unwrap().data;
            arrived.insert(String::from_utf8(bytes).unwrap().parse().unwrap());
        }
    })
    .await;
    amqp.stop(Duration::from_secs(60)).await;
    assert!(client.get(&format!("mezhved.from.{agency}")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_waited_for_within_limits() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://u:p@{}/%2f", listener.local_addr().unwrap());
    let taken = watch::Sender::new(Vec::new());
    let mut count = taken.subscribe();
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            taken.send_modify(|sockets| sockets.push(socket));
        }
    });
    let mut limits = options(url);
    limits.connect_timeout = Duration::from_millis(50);
    let (amqp, _list) = start(limits, &[&participant()], ack());
    when(&amqp, "the trouble", |status| {
        status.trouble.as_ref().is_some_and(|trouble| trouble.contains("no answer within"))
    })
    .await;
    assert!(is_away(&amqp.publish(&Queue::To(participant()), b"", message_id(), None).await));
    drop(within("four attempts", count.wait_for(|sockets| sockets.len() == 4)).await.unwrap());
    let fifth = tokio::time::timeout(Duration::from_secs(1), count.wait_for(|sockets| sockets.len() > 4)).await;
    assert!(fifth.is_err(), "hung attempts pile up");
    within("the stop", amqp.stop(Duration::ZERO)).await;
    accepting.abort();
}

#[tokio::test]
async fn a_refused_login_is_told() {
    let _broker = broker::shared().await;
    let url = broker::url_with(|uri| uri.authority.userinfo.password = "no such password".into());
    let (amqp, _list) = start(options(url), &[], ack());
    when(&amqp, "the trouble", |status| {
        status.trouble.as_ref().is_some_and(|trouble| trouble.contains("ACCESS_REFUSED"))
    })
    .await;
    assert!(!amqp.connected());
}

#[tokio::test]
async fn a_queue_declared_otherwise_harms_only_its_own() {
    let _broker = broker::shared().await;
    let (good, bad) = (participant(), participant());
    let client = Client::new(&broker::url()).await;
    let durable = lapin::options::QueueDeclareOptions::durable();
    let queue = format!("mezhved.to.{bad}");
    client.channel.queue_declare(queue.as_str().into(), durable, Default::default()).await.unwrap();
    let (amqp, _list) = start(options(broker::url()), &[&bad, &good], ack());
    serving(&amqp, &good).await;
    when(&amqp, "the trouble", |status| {
        let trouble = status.trouble.as_deref().unwrap_or_default();
        trouble.contains(bad.as_str()) && trouble.contains("PRECONDITION_FAILED")
    })
    .await;
    assert!(amqp.connected());
    client.channel.queue_delete(queue.as_str().into(), Default::default()).await.unwrap();
    serving(&amqp, &bad).await;
}

/// A TLS door before the broker.
async fn tls_door(identity: &mezhved::transport::http::TlsIdentity) -> u16 {
    use axum_server::{
        accept::Accept as _,
        tls_openssl::{OpenSSLAcceptor, OpenSSLConfig},
    };
    let config = OpenSSLConfig::from_pem(&identity.chain_pem, &identity.key_pem).unwrap();
    let broker: lapin::uri::AMQPUri = broker::url().parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let to = (broker.authority.host.clone(), broker.authority.port);
            let acceptor = OpenSSLAcceptor::new(config.clone());
            tokio::spawn(async move {
                let Ok((mut near, ())) = acceptor.accept(socket, ()).await else { return };
                let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
                tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
            });
        }
    });
    port
}

#[tokio::test]
async fn tls_to_the_broker_is_checked() {
    let _broker = broker::shared().await;
    let (ours, theirs) = (Authority::new(), Authority::new());
    for (what, door, root, good) in [
        ("all is right", ours.server("localhost"), ours.pem(), true),
        ("another authority", ours.server("localhost"), theirs.pem(), false),
        ("another name", ours.server("broker.example"), ours.pem(), false),
    ] {
        let port = tls_door(&door).await;
        let url = broker::url_with(|uri| {
            uri.scheme = lapin::uri::AMQPScheme::AMQPS;
            (uri.authority.host, uri.authority.port) = ("localhost".into(), port);
        });
        let mut with_root = options(url);
        with_root.extra_roots_pem = vec![root];
        let (amqp, _list) = start(with_root, &[], ack());
        when(&amqp, what, |status| status.connected || status.trouble.is_some()).await;
        let status = amqp.status().borrow().clone();
        assert_eq!(status.connected, good, "{what}: {:?}", status.trouble);
        if !good {
            let trouble = status.trouble.unwrap();
            assert!(trouble.contains("certificate verify failed"), "{what}: {trouble}");
        }
    }
}
