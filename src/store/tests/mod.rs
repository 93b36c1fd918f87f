//! One suite for both engines. SQLite runs in a temporary file; PostgreSQL on the server that `MEZHVED_TEST_POSTGRES` names, each
//! test in a schema of its own. Without the variable the PostgreSQL half fails, unless `MEZHVED_TEST_ENGINES=sqlite` asks for
//! the other half alone.

mod accepting;
mod acting;
mod attaching;
mod case_working;
mod delivering;
mod desk;
mod finding;
mod holding;
mod keeping;
mod late;
mod mailbox;
mod nodes;
mod notifying;
mod owing;
mod people;
mod plans;
mod reporting;
mod ruling;
mod stocking;
mod stopping;
mod upgrading;

use futures_util::FutureExt as _;
use sqlx::{Connection as _, Row as _};
use uuid::Uuid;

use crate::domain::{
    ConversationId, DeliveryId, Digest, Header, MessageId, MessageType, ObligationId, ParkReason, ParticipantId,
    Priority, RecordId, RuleId, Timestamp,
};

use super::*;
use crate::search::Marks;

/// Makes a test of each engine from a function over a [`Bench`].
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::store::tests::run(crate::store::sql::Engine::Sqlite, super::$name).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::store::tests::run(crate::store::sql::Engine::Postgres, super::$name).await;
            })*
        }
    };
}
use on_both;

/// A database of the test's own, with one store on it.
struct Bench {
    store: Store,
    url: String,
    schema: Option<(String, String)>,
    _folder: tempfile::TempDir,
}

async fn run(engine: sql::Engine, test: impl AsyncFnOnce(&Bench)) {
    let Some(bench) = Bench::new(engine).await else { return };
    test(&bench).await;
    bench.store.close().await;
    if let Some((server, schema)) = &bench.schema {
        let mut conn = sqlx::AnyConnection::connect(server).await.unwrap();
        let drop = format!("DROP SCHEMA {schema} CASCADE");
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut conn).await.unwrap();
    }
}

#[allow(clippy::disallowed_methods, reason = "the test's environment names the server")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Bench {
    async fn new(engine: sql::Engine) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (url, schema) = match engine {
            sql::Engine::Sqlite => (format!("sqlite://{}/store.db", folder.path().display()), None),
            sql::Engine::Postgres if environment("MEZHVED_TEST_ENGINES").as_deref() == Some("sqlite") => return None,
            sql::Engine::Postgres => {
                let server = environment("MEZHVED_TEST_POSTGRES")
                    .expect("MEZHVED_TEST_POSTGRES=postgres://.. is needed, or MEZHVED_TEST_ENGINES=sqlite for half of the suite");
                let schema = format!("t_{}", Uuid::new_v4().simple());
                sqlx::any::install_default_drivers();
                let mut conn = sqlx::AnyConnection::connect(&server).await.unwrap();
                let create = format!("CREATE SCHEMA {schema}");
                sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut conn).await.unwrap();
                let joint = if server.contains('?') { '&' } else { '?' };
                (
                    format!("{server}{joint}application_name={schema}&options[search_path]={schema}"),
                    Some((server, schema)),
                )
            }
        };
        let store = Store::open(StoreOptions::new(&url)).await.unwrap();
        Some(Self { store, url, schema, _folder: folder })
    }

    /// Another node on the same database.
    async fn node(&self) -> Store {
        Store::open(StoreOptions::new(&self.url)).await.unwrap()
    }

    /// Runs a statement behind the store's back.
    async fn sql(&self, sql: &str) {
        let mut conn = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    }

    /// A number that a statement finds.
    async fn number(&self, sql: &str) -> i64 {
        let mut conn = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&mut conn).await.unwrap().get::<i64, _>(0)
    }
}

/// The instant `seconds` after the tests' beginning.
fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-05-06T05:00:00Z").unwrap().plus_seconds(seconds)
}

fn who(id: &str) -> ParticipantId {
    ParticipantId::parse(id).unwrap()
}

/// Ids that grow with `n`.
fn uuid(n: u64) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(1_778_000_000_000 + n, &[7; 10]).into_uuid()
}

fn record(n: u64) -> RecordId {
    RecordId::from_uuid(uuid(n))
}

fn delivery(n: u64) -> DeliveryId {
    DeliveryId::from_uuid(uuid(n))
}

fn digest(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

/// Message `n` of the register for health, with delivery `n`.
fn message(n: u64) -> NewMessage {
    message_to(n, "health")
}

fn message_to(n: u64, recipient: &str) -> NewMessage {
    NewMessage {
        record_id: record(n),
        header: Header {
            message_id: MessageId::from_uuid(uuid(n)),
            conversation_id: ConversationId::from_uuid(uuid(n)),
            in_reply_to: None,
            case_id: None,
            message_type: MessageType::new("document-request", 1).unwrap(),
            sender: who("register"),
            recipient: who(recipient),
            created: at(0),
            expires: Some(at(86_400)),
            priority: Priority::Normal,
            test: false,
            via: None,
            derived_from: None,
            attachments: vec![],
        },
        accepted_at: at(0),
        business_at: at(0),
        digest: digest(1),
        bytes: format!("<bytes {n}/>").into_bytes(),
        canonical: None,
        receipt: Some(format!("<receipt {n}/>").into_bytes()),
        certificate: Some(digest(9)),
        revisions: Revisions { participants: 1, bundle: 1 },
        channel: Channel::Http,
        deliveries: vec![NewDelivery {
            id: delivery(n),
            recipient: who(recipient),
            ordered: false,
            next_attempt_at: at(0),
            expires: Some(at(86_400)),
            on_consent: None,
            outgoing: None,
        }],
        trace: None,
        marks: Marks::default(),
    }
}

fn accept(message: NewMessage) -> Accept {
    Accept {
        message,
        made: vec![],
        obligations: vec![],
        settlements: vec![],
        case: None,
        case_work: CaseWork::default(),
        journal: vec![],
    }
}

/// Obligation `n` of health towards the register, begun at 0 and due at `due` seconds.
fn owed(n: u64, due: i64) -> NewObligation {
    NewObligation {
        id: ObligationId::from_uuid(uuid(n)),
        regulation: "yugra".to_owned(),
        rule: RuleId::parse("document-response").unwrap(),
        subject: format!("request {n}"),
        period: String::new(),
        case_id: None,
        conversation_id: Some(ConversationId::from_uuid(uuid(n))),
        record_id: Some(record(n)),
        debtor: who("health"),
        debtor_role: None,
        creditor_role: None,
        retime: false,
        creditor: who("register"),
        start: ObligationStart::Running(running(due)),
        term: "5 working days".to_owned(),
        opened_at: at(0),
        revision: 1,
    }
}

fn running(due: i64) -> Running {
    Running {
        started_at: at(0),
        due_at: at(due),
        warns: vec![at(due - 10)],
        next_at: Some(at(due - 10)),
        explanation: serde_json::json!([{ "step": "from", "at": at(0) }]).to_string(),
    }
}

/// What settles [`owed`] `n`, at `seconds`, by message `by`.
fn settlement(n: u64, seconds: i64, by: u64) -> NewSettlement {
    let owed = owed(n, 0);
    NewSettlement {
        regulation: owed.regulation,
        rule: owed.rule,
        subject: owed.subject,
        period: owed.period,
        debtor: owed.debtor,
        at: at(seconds),
        record_id: record(by),
        grace_until: at(seconds + 1_000),
    }
}

fn claim(node: &str, seconds: i64, limit: u32) -> Claim {
    let slots = ["health", "police", "education"].map(|p| Slots { participant: who(p), free: 1_000 });
    Claim { node: node.to_owned(), now: at(seconds), lease_ms: 30_000, limit, slots: slots.to_vec() }
}

fn settle(claimed: &Claimed, seconds: i64, outcome: Outcome) -> Settle {
    Settle {
        delivery_id: claimed.delivery_id,
        epoch: claimed.epoch,
        now: at(seconds),
        outcome,
        started: vec![],
        made: vec![],
        journal: vec![],
    }
}

fn sent(seconds: i64) -> Outcome {
    Outcome::Sent { at: at(seconds), receipt_deadline: Some(at(seconds + 60)), mailbox: false }
}

/// Asks all at once while the writer waits at a gate, so that they share one batch.
async fn in_one_batch<T>(bench: &Bench, asked: Vec<impl Future<Output = T>>) -> Vec<T> {
    let (queue, jobs) = (bench.store.sender().unwrap(), asked.len());
    let mut gate = sqlx::AnyConnection::connect(&bench.url).await.unwrap();
    let close = bench.store.inner.engine.pick("BEGIN IMMEDIATE", "BEGIN; LOCK TABLE nodes");
    sqlx::raw_sql(close).execute(&mut gate).await.unwrap();
    let mut first = Box::pin(bench.store.heartbeat("gate", at(0), Revisions::default()));
    assert!((&mut first).now_or_never().is_none());
    while queue.capacity() < queue.max_capacity() {
        tokio::task::yield_now().await;
    }
    let mut all = Box::pin(futures_util::future::join_all(asked));
    assert!((&mut all).now_or_never().is_none());
    assert_eq!(queue.max_capacity() - queue.capacity(), jobs, "all wait in the queue");
    sqlx::raw_sql("COMMIT").execute(&mut gate).await.unwrap();
    first.await.unwrap();
    all.await
}
