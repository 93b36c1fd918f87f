//! The journal: append-only, numbered and hash-chained by one sealer.

use crate::domain::{DeliveryId, Digest, ObligationId, ParticipantId, RecordId, Timestamp};

use super::error::Failure;
use super::nodes::take_lease;
use super::rows::Rows;
use super::sql::{Columns, Select, Stmt, Tx, text};
use super::writer::Write;
use super::{Store, StoreError};

/// Something that happened. Ids and codes only, never a value from a body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JournalEntry {
    /// Machine time; `None`: that of the call.
    pub at: Option<Timestamp>,
    /// What, as a stable word such as `message-accepted`.
    pub kind: String,
    /// Who acted: a participant's id, a node, an operator.
    pub actor: String,
    /// The message.
    pub record_id: Option<RecordId>,
    /// The delivery.
    pub delivery_id: Option<DeliveryId>,
    /// The obligation.
    pub obligation_id: Option<ObligationId>,
    /// The participant it is about.
    pub participant: Option<ParticipantId>,
    /// More, as JSON; `Null` for nothing.
    pub detail: serde_json::Value,
}

/// A stored entry.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its id, ordered by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// The entry's content as it was appended.
    pub entry: JournalEntry,
    /// Its number in the chain and its hash, once sealed.
    pub sealed: Option<(i64, Digest)>,
}

/// What one round of the sealer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// So many rows were sealed; the last number in the chain. Fewer than the limit: none is left.
    Rows {
        /// How many.
        count: u32,
        /// The chain's last number.
        head: i64,
    },
    /// Another node is the sealer now.
    NotOurs,
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many rows were checked.
    pub rows: u64,
    /// The hash of the last one.
    pub head: Option<Digest>,
    /// Rows not yet sealed.
    pub unsealed: u64,
    /// The first break, if any.
    pub problem: Option<JournalProblem>,
}

/// Where the chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JournalProblem {
    /// A number is missing.
    #[error("journal row {0} is missing")]
    Missing(i64),
    /// A row does not follow from the one before.
    #[error("journal row {0} does not follow from the row before it")]
    Chain(i64),
    /// A row's content was changed.
    #[error("journal row {0} was changed after it was sealed")]
    Changed(i64),
}

impl Store {
    /// Appends entries that belong to no other write. `now` is machine time.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn append_journal(&self, entries: Vec<JournalEntry>, now: Timestamp) -> Result<(), StoreError> {
        self.task(AppendTask { entries, now }).await
    }

    /// Numbers and chains up to `limit` unsealed rows, if this node holds or can take the sealer's lease.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn seal(&self, node: &str, now: Timestamp, lease_ms: u32, limit: u32) -> Result<Sealed, StoreError> {
        self.task(SealTask { node: node.to_owned(), now, lease_ms, limit }).await
    }

    /// Checks the chain from a number on (1: from the beginning) to its head, reading in pages.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn verify_journal(&self, from: i64) -> Result<Verified, StoreError> {
        let from = from.max(1);
        let mut checked = Verified { rows: 0, head: None, unsealed: 0, problem: None };
        let head = Select::new("SELECT seq, hash FROM journal_head WHERE id = 1").fetch(self.readers()).await?;
        let head_seq = head.first().map_or(Ok(0), |row| row.int("seq"))?;
        let mut next = from;
        if from > 1 {
            let before = self.sealed_page(from - 1, 1).await?;
            match before.first() {
                Some(row) if row.seq == from - 1 => checked.head = Some(row.hash),
                Some(_) | None => checked.problem = Some(JournalProblem::Missing(from - 1)),
            }
        }
        while next <= head_seq && checked.problem.is_none() {
            let page = self.sealed_page(next, PAGE_ROWS_MAX).await?;
            if page.is_empty() {
                checked.problem = Some(JournalProblem::Missing(next));
            }
            for row in page {
                checked.problem = row.problem(next, checked.head);
                if checked.problem.is_some() {
                    break;
                }
                checked.head = Some(row.hash);
                checked.rows += 1;
                next += 1;
            }
        }
        if checked.problem.is_none()
            && from <= head_seq
            && head.first().map_or(Ok(None), |r| r.opt_digest("hash"))? != checked.head
        {
            // The head moves on while we read, but never back.
            let seen = next - 1;
            if seen <= head_seq {
                checked.problem = Some(JournalProblem::Chain(seen));
            }
        }
        let unsealed = Select::new("SELECT COUNT(*) AS n FROM journal WHERE seq IS NULL").fetch(self.readers()).await?;
        checked.unsealed = unsealed.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs();
        Ok(checked)
    }

    /// Entries in order of their ids, after `after` (the last id of the page before).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_journal(&self, after: Option<&str>, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        let found = Select::new(SELECT)
            .and_some("id > ?", after.map(text))
            .push(" ORDER BY id LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(row).collect()
    }

    /// The latest entries of the kind [`NOTHING_TO_OPEN`], newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn recent_nothing_to_open(&self, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        // The kind stands in the text, so that both engines use the partial index.
        let found = Select::new(SELECT)
            .and("kind = 'nothing-to-open'", Vec::new())
            .push(" ORDER BY id DESC LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(row).collect()
    }

    async fn sealed_page(&self, from: i64, limit: i64) -> Result<Vec<SealedRow>, StoreError> {
        let found = Select::new(SELECT)
            .and("seq >= ?", vec![from.into()])
            .push(" ORDER BY seq LIMIT ?", vec![limit.into()])
            .fetch(self.readers())
            .await?;
        found
            .iter()
            .map(|row| Ok(SealedRow { seq: row.int("seq")?, hash: row.digest("hash")?, content: content(row)? }))
            .collect()
    }
}

/// How many rows a check reads at once.
const PAGE_ROWS_MAX: i64 = 1_000;

/// The kind of entry for a message that matched a deadline rule and had nothing to open: the page says so.
pub const NOTHING_TO_OPEN: &str = "nothing-to-open";

pub(super) const SELECT: &str = "SELECT id, happened_at, kind, actor, record_id, delivery_id, obligation_id, participant, detail, seq, hash \
    FROM journal";

pub(super) fn row(row: &sqlx::any::AnyRow) -> Result<JournalRow, StoreError> {
    let at = row.at("happened_at")?;
    let sealed = row.opt_int("seq")?.map(|seq| Ok::<_, StoreError>((seq, row.digest("hash")?))).transpose()?;
    Ok(JournalRow {
        id: row.text("id")?,
        at,
        entry: JournalEntry {
            at: Some(at),
            kind: row.text("kind")?,
            actor: row.text("actor")?,
            record_id: row.opt_parsed("record_id", |t| RecordId::parse(t).ok())?,
            delivery_id: row.opt_parsed("delivery_id", |t| DeliveryId::parse(t).ok())?,
            obligation_id: row.opt_parsed("obligation_id", |t| ObligationId::parse(t).ok())?,
            participant: row.opt_parsed("participant", |t| ParticipantId::parse(t).ok())?,
            detail: row.opt_json("detail")?.unwrap_or(serde_json::Value::Null),
        },
        sealed,
    })
}

/// The columns of an entry as they are stored, in the order in which they are hashed.
fn content(row: &sqlx::any::AnyRow) -> Result<Vec<Option<String>>, StoreError> {
    let mut content = vec![Some(row.text("id")?), Some(row.int("happened_at")?.to_string())];
    for column in ["kind", "actor", "record_id", "delivery_id", "obligation_id", "participant", "detail"] {
        content.push(row.opt_text(column)?);
    }
    Ok(content)
}

/// The hash of a row: SHA-256 over a JSON array of the number, the hash of the row before (hexadecimal; null for the first) and the
/// stored columns as texts or nulls.
fn hash(seq: i64, before: Option<Digest>, content: &[Option<String>]) -> Digest {
    let mut line = vec![serde_json::Value::from(seq), before.map_or(serde_json::Value::Null, |d| d.to_string().into())];
    line.extend(content.iter().map(|c| serde_json::Value::from(c.clone())));
    Digest::from_bytes(openssl::sha::sha256(serde_json::Value::from(line).to_string().as_bytes()))
}

struct SealedRow {
    seq: i64,
    hash: Digest,
    content: Vec<Option<String>>,
}

impl SealedRow {
    fn problem(&self, expected_seq: i64, before: Option<Digest>) -> Option<JournalProblem> {
        if self.seq != expected_seq {
            return Some(JournalProblem::Missing(expected_seq));
        }
        (hash(self.seq, before, &self.content) != self.hash).then_some(JournalProblem::Changed(self.seq))
    }
}

#[derive(Debug)]
struct AppendTask {
    entries: Vec<JournalEntry>,
    now: Timestamp,
}

impl Write for AppendTask {
    type Out = ();

    async fn run(&self, _tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<(), Failure> {
        self.entries.iter().for_each(|e| rows.entry(e, self.now));
        Ok(())
    }
}

/// The name of the sealer's lease. Whoever seals holds its row until the commit, so that two never read one head.
const SEALER: &str = "journal-sealer";

#[derive(Debug)]
struct SealTask {
    node: String,
    now: Timestamp,
    lease_ms: u32,
    limit: u32,
}

impl Write for SealTask {
    type Out = Sealed;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<Sealed, Failure> {
        if take_lease(tx, SEALER, &self.node, self.now, self.lease_ms).await?.is_none() {
            return Ok(Sealed::NotOurs);
        }
        let head = tx.one("SELECT seq, hash FROM journal_head WHERE id = 1", vec![]).await?;
        let Some(head) = head.first() else { return Err(Failure::Rows("the journal has no head".to_owned())) };
        let (mut seq, mut before) = (head.int("seq")?, head.opt_digest("hash")?);
        let unsealed = "SELECT id, happened_at, kind, actor, record_id, delivery_id, obligation_id, participant, detail \
                        FROM journal WHERE seq IS NULL ORDER BY id LIMIT $1";
        let found = tx.one(unsealed, vec![i64::from(self.limit).into()]).await?;
        let mut sealed = Vec::with_capacity(found.len());
        for row in &found {
            seq += 1;
            let digest = hash(seq, before, &content(row)?);
            sealed.push(vec![text(row.text("id")?), seq.into(), digest.into()]);
            before = Some(digest);
        }
        let count = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        if let Some(digest) = before.filter(|_| count > 0) {
            tx.many(&SEAL, &sealed).await?;
            tx.one("UPDATE journal_head SET seq = $1, hash = $2 WHERE id = 1", vec![seq.into(), digest.into()]).await?;
        }
        Ok(Sealed::Rows { count, head: seq })
    }
}

const SEAL: Stmt = Stmt {
    head: "WITH v (v_id, v_seq, v_hash) AS (VALUES ",
    tail: ") UPDATE journal SET seq = v_seq, hash = v_hash FROM v WHERE id = v_id AND hash IS NULL",
};
