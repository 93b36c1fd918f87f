//! A database as it is after many messages, made at once: for measuring what the stored ones cost the next.

use sqlx::{AnyConnection, Connection as _};

use super::connect::Connector;
use super::sql::Engine;
use super::{Store, StoreError, StoreOptions, error};

/// Messages that one transaction writes.
const PIECE: u32 = 50_000;
/// The bytes of each envelope, receipt and answer: enough to fill their rows, and a million of them fits on a small disk.
const BODY: [u8; 256] = [b'x'; 256];
const DIGEST: [u8; 32] = [7; 32];

/// The numbers of a piece; each statement below begins with it.
const PIECE_ROWS: &str = "WITH RECURSIVE counted (i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM counted \
    WHERE i < CAST($2 AS BIGINT)) ";

/// What a delivered message leaves, table by table: the columns, their values, and what else is bound after the numbers.
const TABLES: [(&str, &str, &[&[u8]]); 8] = [
    (
        "messages (record_id, sender, message_id, recipient, conversation_id, type_name, type_version, created_at, priority, test, \
         accepted_at, business_at, digest, certificate, participants_revision, bundle_revision, channel)",
        "'01931f6e-7a00-7000-8000-' || (100000000000 + i), 'register', '01931f6e-7a00-7000-9000-' || (100000000000 + i), 'partner-1', \
         '01931f6e-7a00-7000-a000-' || (100000000000 + i), 'document-request', 1, 1731000000000000 + i, 1, 0, 1731000000000000 + i, \
         1731000000000000 + i, $3, $4, 1, 1, 'http'",
        &[&DIGEST, &DIGEST],
    ),
    (
        "contents (record_id, bytes, receipt)",
        "'01931f6e-7a00-7000-8000-' || (100000000000 + i), $3, $4",
        &[&BODY, &BODY],
    ),
    (
        "deliveries (id, record_id, recipient, conversation_id, priority, in_order, state, attempts, lease_owner, lease_epoch, \
         claimed_from, sent_at, settled_at, mailbox, out_digest, out_certificate)",
        "'01931f6e-7a00-7000-b000-' || (100000000000 + i), '01931f6e-7a00-7000-8000-' || (100000000000 + i), 'partner-1', \
         '01931f6e-7a00-7000-a000-' || (100000000000 + i), 1, 0, 'delivered', 1, 'bench', 1, 'queued', 1731000000000000 + i, \
         1731000000000000 + i, 0, $3, $4",
        &[&DIGEST, &DIGEST],
    ),
    (
        "outgoing (delivery_id, unsigned, signed)",
        "'01931f6e-7a00-7000-b000-' || (100000000000 + i), $3, $4",
        &[&BODY, &BODY],
    ),
    ("partner_answers (delivery_id, bytes)", "'01931f6e-7a00-7000-b000-' || (100000000000 + i), $3", &[&BODY]),
    (
        "delivery_attempts (delivery_id, epoch, ended_at, state, node)",
        "'01931f6e-7a00-7000-b000-' || (100000000000 + i), 1, 1731000000000000 + i, 'delivered', 'bench'",
        &[],
    ),
    (
        // The hashes are not those of a chain: nobody follows it.
        "journal (id, happened_at, kind, actor, record_id, seq, hash)",
        "'01931f6e-7a00-7000-c000-' || (100000000000 + i), 1731000000000000 + i, 'message-accepted', 'register', \
         '01931f6e-7a00-7000-8000-' || (100000000000 + i), 2 * i - 1, $3",
        &[&DIGEST],
    ),
    (
        "journal (id, happened_at, kind, actor, delivery_id, seq, hash)",
        "'01931f6e-7a00-7000-d000-' || (100000000000 + i), 1731000000000000 + i, 'delivery-delivered', 'bench', \
         '01931f6e-7a00-7000-b000-' || (100000000000 + i), 2 * i, $3",
        &[&DIGEST],
    ),
];

impl Store {
    /// Makes the tables of an empty database and fills them with so many delivered messages, as the bench's `register` would have sent
    /// them to `partner-1`. The rows and indexes are those of a used database; the bodies are short, and what the journal says is no chain.
    ///
    /// # Errors
    /// As of [`Store::open`], and when the database is not empty.
    pub async fn stock(options: StoreOptions, messages: u32) -> Result<(), StoreError> {
        let connector = Connector::new(&options)?;
        let mut conn = connector.migrate().await?;
        let done = fill(&mut conn, messages, connector.engine).await.map_err(error::reading);
        conn.close().await.map_err(error::reading)?;
        done
    }
}

async fn fill(conn: &mut AnyConnection, messages: u32, engine: Engine) -> Result<(), sqlx::Error> {
    let mut first = 1;
    while first <= messages {
        let last = messages.min(first.saturating_add(PIECE).saturating_sub(1));
        let mut tx = conn.begin().await?;
        for (table, values, bound) in TABLES {
            let sql = format!("INSERT INTO {table} {PIECE_ROWS} SELECT {values} FROM counted");
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(first)).bind(i64::from(last));
            for bytes in bound {
                query = query.bind(*bytes);
            }
            query.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        first = last.saturating_add(1);
    }
    let head = "UPDATE journal_head SET seq = $1, hash = $2 WHERE id = 1";
    sqlx::query(head).bind(2 * i64::from(messages)).bind(DIGEST.as_slice()).execute(&mut *conn).await?;
    // What the engine's own housekeeping does after so many rows.
    let tidy = engine.pick(
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "VACUUM ANALYZE messages, contents, deliveries, outgoing, partner_answers, delivery_attempts, journal",
    );
    sqlx::raw_sql(tidy).execute(conn).await.map(drop)
}
