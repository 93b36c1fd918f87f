//! The tests' RabbitMQ, and a partner's simple client.
//!
//! `scripts/services` starts the broker and sets `MEZHVED_TEST_AMQP` and `MEZHVED_TEST_RABBITMQCTL`. All tests share it:
//! each takes participants of its own by [`participant`], holds [`shared`] while it uses the broker, and only a test that
//! stops the broker holds [`alone`].

#![allow(clippy::disallowed_methods)] // the environment says where the broker is

use std::{fs::File, process::Stdio, sync::Arc, time::Duration};

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, DefaultConnectionBuilder,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
    uri::AMQPUri,
};
use mezhved::{
    domain::ParticipantId,
    transport::amqp::{Amqp, AmqpOptions, AmqpStatus, Disposition, Handler, Incoming},
};
use tokio::{
    io::{AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::within;
use crate::support::broker_lock;

/// The broker, held together with others or alone, among the tests of all modules.
pub(crate) struct Held(#[allow(dead_code, reason = "it is held until it is dropped")] File);

/// The broker is up and stays so while this is held.
pub(crate) async fn shared() -> Held {
    held(File::lock_shared).await
}

/// Nobody else uses the broker while this is held.
pub(crate) async fn alone() -> Held {
    held(File::lock).await
}

async fn held(lock: fn(&File) -> std::io::Result<()>) -> Held {
    let file = broker_lock();
    // It waits, perhaps for long.
    let taken = tokio::task::spawn_blocking(move || lock(&file).map(|()| file));
    Held(taken.await.unwrap().unwrap())
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run: scripts/services run -- cargo test"))
}

/// Where the broker is, for its administrator.
pub(crate) fn url() -> String {
    variable("MEZHVED_TEST_AMQP")
}

/// The same with other credentials or another address.
pub(crate) fn url_with(change: impl FnOnce(&mut AMQPUri)) -> String {
    let mut uri: AMQPUri = url().parse().unwrap();
    change(&mut uri);
    uri.to_string()
}

/// Runs shell lines in which `rabbitmqctl` is that of the tests' broker; `input` is what each command may read.
pub(crate) async fn ctl(lines: &str, input: &str) {
    let script = format!("set -e\nrabbitmqctl() {{ printf '%s\\n' \"$INPUT\" | \"$CTL\" --quiet \"$@\"; }}\n{lines}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("CTL", variable("MEZHVED_TEST_RABBITMQCTL"))
        .env("INPUT", input)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{lines}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The stopped broker; starts when dropped, whatever becomes of the test.
pub(super) struct Stopped;

impl Stopped {
    pub(super) async fn now(_alone: &Held) -> Self {
        let stopped = Self;
        ctl("rabbitmqctl stop_app", "").await;
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let mut ctl = std::process::Command::new(variable("MEZHVED_TEST_RABBITMQCTL"));
        let started = ctl.args(["--quiet", "start_app"]).stdin(Stdio::null()).status();
        assert!(started.is_ok_and(|status| status.success()), "the broker does not start again");
    }
}

/// A participant that no other test has.
pub(crate) fn participant() -> ParticipantId {
    ParticipantId::parse(&format!("t{}", uuid::Uuid::new_v4().simple())).unwrap()
}

/// What the tests of a fast machine may wait for.
pub(super) fn options(url: String) -> AmqpOptions {
    AmqpOptions {
        reconnect_pause_min: Duration::from_millis(20),
        reconnect_pause_max: Duration::from_millis(200),
        requeue_pause_min: Duration::from_millis(20),
        requeue_pause_max: Duration::from_millis(100),
        ..AmqpOptions::new(url)
    }
}

/// A gateway's side that serves these participants; also the list, to change it.
pub(super) fn start(
    options: AmqpOptions,
    participants: &[&ParticipantId],
    handler: Handler,
) -> (Amqp, watch::Sender<Vec<ParticipantId>>) {
    let list = watch::Sender::new(participants.iter().map(|&p| p.clone()).collect());
    (Amqp::start(options, list.subscribe(), handler).unwrap(), list)
}

/// Waits for a status.
pub(super) async fn when(amqp: &Amqp, what: &str, condition: impl FnMut(&AmqpStatus) -> bool) {
    let mut status = amqp.status();
    drop(within(what, status.wait_for(condition)).await.unwrap());
}

/// Waits until the participant's queues stand and are consumed.
pub(super) async fn serving(amqp: &Amqp, participant: &ParticipantId) {
    when(amqp, "a served queue", |status| status.serving.contains(participant)).await;
}

/// Acknowledges everything and forgets it.
pub(super) fn ack() -> Handler {
    Arc::new(|_| Box::pin(async { Disposition::Ack }))
}

/// Passes everything on, and acknowledges.
pub(super) fn collect() -> (Handler, mpsc::UnboundedReceiver<Incoming>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let handler: Handler = Arc::new(move |incoming| {
        sender.send(incoming).unwrap();
        Box::pin(async { Disposition::Ack })
    });
    (handler, receiver)
}

/// An agency's client.
pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) channel: Channel,
}

impl Client {
    pub(super) async fn new(url: &str) -> Self {
        let builder = DefaultConnectionBuilder::new().unwrap();
        let builder = builder.with_uri_str(url.to_owned()).with_properties(ConnectionProperties::default());
        let connection = within("a client's connection", builder.connect()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { connection, channel }
    }

    /// Publishes as the participant does: on the exchange that is its own.
    pub(super) async fn send(&self, participant: &ParticipantId, bytes: &[u8]) {
        let exchange = format!("mezhved.from.{participant}");
        self.publish(&exchange, "any key", bytes).await.unwrap();
    }

    pub(super) async fn publish(&self, exchange: &str, key: &str, bytes: &[u8]) -> lapin::Result<()> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let confirm =
            self.channel.basic_publish(exchange.into(), key.into(), options, bytes, properties).await?.await?;
        assert_eq!(confirm, Confirmation::Ack(None));
        Ok(())
    }

    pub(super) async fn get(&self, queue: &str) -> lapin::Result<Option<BasicGetMessage>> {
        self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await
    }

    /// The next message of the queue, acknowledged; waits for it.
    pub(super) async fn take(&self, queue: &str) -> BasicGetMessage {
        within("a message", async {
            loop {
                if let Some(message) = self.get(queue).await.unwrap() {
                    message.ack(BasicAckOptions::default()).await.unwrap();
                    return message;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
    }

    /// Messages that wait in the queue.
    pub(super) async fn count(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await.unwrap().message_count()
    }
}

/// A wire to the broker that can be cut.
pub(super) struct Wire {
    pub(super) port: u16,
    whole: watch::Sender<bool>,
    _task: JoinSet<()>,
}

impl Wire {
    pub(super) async fn new() -> Self {
        let broker: AMQPUri = url().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let whole = watch::Sender::new(true);
        let mut state = whole.subscribe();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut pairs = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (mut near, _) = accepted.unwrap();
                        if *state.borrow() {
                            let to = (broker.authority.host.clone(), broker.authority.port);
                            pairs.spawn(async move {
                                let mut far = TcpStream::connect(to).await.unwrap();
                                copy_bidirectional(&mut near, &mut far).await.ok();
                            });
                        } else {
                            near.shutdown().await.ok();
                        }
                    }
                    _ = state.changed() => pairs.abort_all(),
                }
            }
        });
        Self { port, whole, _task: task }
    }

    /// Through this wire.
    pub(super) fn url(&self) -> String {
        url_with(|uri| (uri.authority.host, uri.authority.port) = ("127.0.0.1".into(), self.port))
    }

    /// Breaks all connections, and every new one.
    pub(super) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(super) fn mend(&self) {
        self.whole.send_replace(true);
    }
}
