//! The servers and programs that `scripts/services` and `scripts/setup` promise: if these fail, look there first.

use std::process::Command;

use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, ConnectionProperties};
use sqlx::{Connection, PgConnection, Row};

use crate::support::{AmqpVhost, Permissions, PostgresDatabase, python, run, variable};

#[tokio::test]
async fn postgresql_answers_and_is_durable() {
    let database = PostgresDatabase::create();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let row = sqlx::query("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!((row.get::<String, _>(0), row.get::<String, _>(1)), ("on".to_owned(), "on".to_owned()));
}

#[tokio::test]
async fn a_database_belongs_to_its_test_and_goes_with_it() {
    let (one, other) = (PostgresDatabase::create(), PostgresDatabase::create());
    let mut connection = PgConnection::connect(one.url()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE only_here (id BIGINT)").execute(&mut connection).await.unwrap();
    let mut elsewhere = PgConnection::connect(other.url()).await.unwrap();
    assert!(sqlx::raw_sql("SELECT id FROM only_here").execute(&mut elsewhere).await.is_err());

    let url = one.url().to_owned();
    drop(one); // while a connection is open
    assert!(PgConnection::connect(&url).await.is_err());
    let mut server = PgConnection::connect(&variable("MEZHVED_TEST_POSTGRES")).await.unwrap();
    sqlx::raw_sql("SELECT 1").execute(&mut server).await.unwrap();
}

#[tokio::test]
async fn rabbitmq_keeps_a_confirmed_message_over_a_kill() {
    let vhost = AmqpVhost::create_alone();
    let channel = open(vhost.url()).await;
    declare_quorum(&channel, "kept").await;
    let confirmation = publish(&channel, "kept").await;
    assert!(matches!(confirmation, Confirmation::Ack(None)), "{confirmation:?}");

    vhost.restart_broker();

    let channel = open(vhost.url()).await;
    let message = channel.basic_get("kept".into(), BasicGetOptions { no_ack: true }).await.unwrap();
    assert_eq!(message.expect("the message is there").delivery.data, b"body");
}

#[tokio::test]
async fn rabbitmq_holds_an_account_to_its_permissions() {
    let vhost = AmqpVhost::create();
    declare_quorum(&open(vhost.url()).await, "mine").await;
    declare_quorum(&open(vhost.url()).await, "theirs").await;
    let permissions = Permissions { configure: "^$", write: "^amq\\.default$", read: "^mine$" };
    let url = vhost.account("reader", &permissions);

    let mine = open(&url).await.basic_get("mine".into(), BasicGetOptions { no_ack: true }).await;
    assert!(mine.unwrap().is_none());
    let theirs = open(&url).await.basic_get("theirs".into(), BasicGetOptions { no_ack: true }).await;
    let refused = theirs.expect_err("another account's queue was read").to_string();
    assert!(refused.contains("ACCESS_REFUSED"), "{refused}");
}

#[test]
fn python_has_the_second_signers() {
    let versions = python(
        "import importlib.metadata as m, json, sys; import cryptography, lxml.etree, signxml; \
         print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))",
        &["signxml", "lxml", "cryptography"],
    );
    assert_eq!(versions.done().json().as_object().unwrap().len(), 3);
}

#[test]
fn the_other_programs_are_here() {
    for (program, argument) in [("xmlsec1", "--version"), ("xmllint", "--version"), ("chromedriver", "--version")] {
        run(Command::new(program).arg(argument)).done();
    }
}

async fn open(url: &str) -> Channel {
    let connection = lapin::Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    channel
}

async fn declare_quorum(channel: &Channel, queue: &str) {
    let mut arguments = FieldTable::default();
    arguments.insert(ShortString::from("x-queue-type"), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
}

async fn publish(channel: &Channel, queue: &str) -> Confirmation {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let persistent = BasicProperties::default().with_delivery_mode(2);
    channel.basic_publish("".into(), queue.into(), options, b"body", persistent).await.unwrap().await.unwrap()
}
