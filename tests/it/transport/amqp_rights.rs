//! What a participant's broker account may do, by the commands that `partner apply` prints.

use lapin::{
    ExchangeKind,
    options::{
        BasicConsumeOptions, BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions, QueuePurgeOptions,
    },
    types::FieldTable,
};
use mezhved::{
    domain::ParticipantId,
    transport::{
        Outcome,
        amqp::{BrokerPermissions, Queue, gateway_permissions, permissions},
    },
};

use super::{
    broker::{self, Client, collect, options, participant, serving, start},
    message_id, within,
};

/// Makes the account by the printed commands; its URL.
async fn account(permissions: &BrokerPermissions) -> String {
    let vhost: lapin::uri::AMQPUri = broker::url().parse().unwrap();
    broker::ctl(&permissions.rabbitmqctl(&vhost.vhost), "secret").await;
    broker::url_with(|uri| {
        uri.authority.userinfo.username = permissions.user.clone();
        uri.authority.userinfo.password = "secret".into();
    })
}

/// Fails unless the broker refuses for want of permission.
#[track_caller]
fn forbidden<T>(what: &str, result: lapin::Result<T>) {
    let Err(error) = result else { panic!("allowed: {what}") };
    assert!(error.to_string().contains("ACCESS_REFUSED"), "{what}: {error}");
}

/// A refusal closes the channel, so each attempt has a new one.
async fn try_all(client: &mut Client, own: &ParticipantId, other: &ParticipantId) {
    for exchange in [format!("mezhved.from.{other}"), String::new(), "mezhved.dead".into(), "amq.fanout".into()] {
        let key = format!("mezhved.to.{other}");
        forbidden(&format!("publish on `{exchange}`"), client.publish(&exchange, &key, b"forged").await);
        client.channel = fresh(client).await;
    }
    let queues = ["from", "to", "receipts"].map(|kind| format!("mezhved.{kind}.{other}"));
    for queue in queues.into_iter().chain([format!("mezhved.from.{own}"), "mezhved.dead".into()]) {
        let name = || lapin::types::ShortString::from(queue.as_str());
        let none = FieldTable::default;
        let get = client.channel.basic_get(name(), BasicGetOptions::default()).await;
        forbidden(&format!("get {queue}"), get);
        client.channel = fresh(client).await;
        let consume = client.channel.basic_consume(name(), "".into(), BasicConsumeOptions::default(), none()).await;
        forbidden(&format!("consume {queue}"), consume);
        client.channel = fresh(client).await;
        forbidden(&format!("purge {queue}"), client.channel.queue_purge(name(), QueuePurgeOptions::default()).await);
        client.channel = fresh(client).await;
        forbidden(&format!("delete {queue}"), client.channel.queue_delete(name(), QueueDeleteOptions::default()).await);
        client.channel = fresh(client).await;
        for exchange in [format!("mezhved.from.{own}"), format!("mezhved.from.{other}"), "amq.fanout".into()] {
            let bind = QueueBindOptions::default();
            let bound = client.channel.queue_bind(name(), exchange.as_str().into(), "".into(), bind, none()).await;
            forbidden(&format!("bind {queue} to {exchange}"), bound);
            client.channel = fresh(client).await;
        }
    }
    let declared = client.channel.queue_declare("mine".into(), QueueDeclareOptions::durable(), FieldTable::default());
    forbidden("declare a queue", declared.await);
    client.channel = fresh(client).await;
    let options = ExchangeDeclareOptions::default();
    let declared = client.channel.exchange_declare("mine".into(), ExchangeKind::Fanout, options, FieldTable::default());
    forbidden("declare an exchange", declared.await);
    client.channel = fresh(client).await;
}

async fn fresh(client: &Client) -> lapin::Channel {
    let channel = client.connection.create_channel().await.unwrap();
    channel.confirm_select(lapin::options::ConfirmSelectOptions::default()).await.unwrap();
    channel
}

#[tokio::test]
async fn a_participant_writes_and_reads_only_its_own() {
    let _broker = broker::shared().await;
    let (health, police) = (participant(), participant());
    // The broker's administrator may have the suggested name already.
    let gateway = BrokerPermissions { user: format!("gateway-of-{health}"), ..gateway_permissions() };
    let gateway = account(&gateway).await;
    let (handler, mut incoming) = collect();
    let (amqp, _list) = start(options(gateway), &[&health, &police], handler);
    serving(&amqp, &health).await;
    serving(&amqp, &police).await;
    let mut client = Client::new(&account(&permissions(&health)).await).await;

    client.send(&health, b"<Envelope/>").await;
    assert_eq!(within("the message", incoming.recv()).await.unwrap().participant, health);
    for queue in [Queue::To(health.clone()), Queue::Receipts(health.clone())] {
        assert_eq!(amqp.publish(&queue, b"<Envelope/>", message_id(), None).await, Outcome::SENT);
        assert_eq!(client.take(&queue.name()).await.data, b"<Envelope/>");
    }

    assert_eq!(amqp.publish(&Queue::To(police.clone()), b"secret", message_id(), None).await, Outcome::SENT);
    try_all(&mut client, &health, &police).await;
    let administrator = Client::new(&broker::url()).await;
    assert_eq!(administrator.take(&format!("mezhved.to.{police}")).await.data, b"secret");
    assert!(incoming.try_recv().is_err(), "something was forged");
}
