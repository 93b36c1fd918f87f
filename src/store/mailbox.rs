//! The mailbox: what lies there is a delivery in state `sent`; a pull puts it under a lease, an acknowledgement
//! ([`Store::answer`]) settles it.

use crate::domain::{DeliveryId, ParticipantId, Timestamp};

use std::collections::HashMap;

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, text};
use super::writer::Write;
use super::{Store, StoreError};

/// A wish to pull.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// Whose mailbox.
    pub participant: ParticipantId,
    /// The puller's id of this pull (the message id of its envelope): a repeat gets the same batch.
    pub pull_id: String,
    /// At most so many items.
    pub items_max: u32,
    /// At most so many bytes of items (the first is given even if it is larger).
    pub bytes_max: u64,
    /// Machine time.
    pub now: Timestamp,
    /// How long the items are held for this pull, in milliseconds.
    pub lease_ms: u32,
}

/// A stored envelope in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxItem {
    /// Its delivery.
    pub delivery_id: DeliveryId,
    /// The signed bytes, always the same.
    pub bytes: Vec<u8>,
}

/// What a pull gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pull {
    /// These items, held until the lease ends. Sign the answer and keep it by [`Store::store_pull_answer`].
    Items {
        /// In order of priority, then age; may be empty.
        items: Vec<MailboxItem>,
        /// Until when they are held.
        lease_until: Timestamp,
    },
    /// The pull id was used and its lease lives: the stored answer, byte for byte.
    Repeated {
        /// The signed answer.
        answer: Vec<u8>,
    },
    /// The pull id was used and its lease has ended: the fault `pull-reused`.
    Reused,
}

impl Store {
    /// Pulls. Items under another living lease are not given. A repeat whose answer was never stored gets the same items again.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn pull(&self, request: PullRequest) -> Result<Pull, StoreError> {
        match self.task(PullTask(request)).await? {
            Pulled::Reused => Ok(Pull::Reused),
            Pulled::Repeated(answer) => Ok(Pull::Repeated { answer }),
            Pulled::Items(ids, lease_until) => Ok(Pull::Items { items: self.items(&ids).await?, lease_until }),
        }
    }

    /// Keeps the signed answer of a pull. Returns the bytes to send: those of the first call for this pull.
    ///
    /// # Errors
    /// When the database is away; [`StoreError::Refused`] when there is no such pull.
    pub async fn store_pull_answer(
        &self,
        participant: &ParticipantId,
        pull_id: &str,
        answer: Vec<u8>,
    ) -> Result<Vec<u8>, StoreError> {
        let task = AnswerTask { participant: participant.clone(), pull_id: pull_id.to_owned(), answer };
        let stored = self.task(task).await?;
        stored.ok_or_else(|| StoreError::Refused("there is no such pull".to_owned()))
    }

    /// Whose mailboxes hold something, by id. Reads what lies there and nothing else.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn waiting_mailboxes(&self) -> Result<Vec<ParticipantId>, StoreError> {
        let found = Select::new("SELECT DISTINCT recipient FROM deliveries WHERE mailbox = 1 AND state = 'sent'")
            .push(" ORDER BY recipient", vec![])
            .fetch(self.readers())
            .await?;
        found.iter().map(|row| row.parsed("recipient", |t| ParticipantId::parse(t).ok())).collect()
    }

    /// The stored bytes, which do not change: read outside of the writer.
    async fn items(&self, ids: &[DeliveryId]) -> Result<Vec<MailboxItem>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = Select::new("SELECT delivery_id, signed FROM outgoing WHERE delivery_id IN (")
            .list(ids.iter().map(text).collect())
            .push(")", vec![])
            .fetch(self.readers())
            .await?;
        let mut by_id = HashMap::new();
        for row in &found {
            by_id.insert(row.parsed("delivery_id", |t| DeliveryId::parse(t).ok())?, row.bytes("signed")?);
        }
        Ok(ids.iter().filter_map(|id| Some(MailboxItem { delivery_id: *id, bytes: by_id.remove(id)? })).collect())
    }
}

/// What the transaction of a pull found.
#[derive(Debug)]
enum Pulled {
    Items(Vec<DeliveryId>, Timestamp),
    Repeated(Vec<u8>),
    Reused,
}

#[derive(Debug)]
struct PullTask(PullRequest);

impl Write for PullTask {
    type Out = Pulled;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<Pulled, Failure> {
        let request = &self.0;
        let until = request.now.plus_millis(i64::from(request.lease_ms));
        let key = || vec![text(&request.participant), text(&request.pull_id)];
        let mut vals = key();
        vals.extend([request.now.into(), until.into()]);
        let insert = "INSERT INTO mailbox_pulls (participant, pull_id, pulled_at, lease_until) VALUES ($1, $2, $3, $4) \
                      ON CONFLICT DO NOTHING RETURNING pull_id";
        if !tx.one(insert, vals).await?.is_empty() {
            return Ok(Pulled::Items(self.take(tx, until).await?, until));
        }
        let stored = "SELECT lease_until, answer FROM mailbox_pulls WHERE participant = $1 AND pull_id = $2";
        let found = tx.one(stored, key()).await?;
        let Some(row) = found.first() else { return Err(Failure::Transient("a pull vanished".to_owned())) };
        let until = row.at("lease_until")?;
        if until <= request.now {
            return Ok(Pulled::Reused);
        }
        if let Some(answer) = row.opt_bytes("answer")? {
            return Ok(Pulled::Repeated(answer));
        }
        let held = "SELECT id FROM deliveries WHERE recipient = $1 AND mailbox = 1 AND state = 'sent' AND pull_id = $2 \
                    ORDER BY priority DESC, record_id";
        let mut ids = Vec::new();
        for row in tx.one(held, key()).await? {
            ids.push(row.parsed("id", |t| DeliveryId::parse(t).ok())?);
        }
        Ok(Pulled::Items(ids, until))
    }
}

impl PullTask {
    /// Puts the pull's lease on what lies there and is free.
    async fn take(&self, tx: &mut Tx<'_>, until: Timestamp) -> Result<Vec<DeliveryId>, Failure> {
        let request = &self.0;
        let sql = tx.engine.pick(
            "SELECT d.id, LENGTH(o.signed) AS size FROM deliveries d JOIN outgoing o ON o.delivery_id = d.id \
             WHERE d.recipient = $1 AND d.mailbox = 1 AND d.state = 'sent' AND (d.pull_until IS NULL OR d.pull_until <= $2) \
             ORDER BY d.priority DESC, d.record_id LIMIT $3",
            "SELECT d.id, LENGTH(o.signed) AS size FROM deliveries d JOIN outgoing o ON o.delivery_id = d.id \
             WHERE d.recipient = $1 AND d.mailbox = 1 AND d.state = 'sent' AND (d.pull_until IS NULL OR d.pull_until <= $2) \
             ORDER BY d.priority DESC, d.record_id LIMIT $3 FOR UPDATE OF d SKIP LOCKED",
        );
        let vals = vec![text(&request.participant), request.now.into(), i64::from(request.items_max).into()];
        let mut ids = Vec::new();
        let mut bytes = 0;
        for row in tx.one(sql, vals).await? {
            bytes += row.int("size")?.unsigned_abs();
            if bytes > request.bytes_max && !ids.is_empty() {
                break;
            }
            ids.push(row.parsed("id", |t| DeliveryId::parse(t).ok())?);
        }
        if ids.is_empty() {
            return Ok(ids);
        }
        let (sql, vals) = Select::new("UPDATE deliveries SET")
            .push(" pull_id = ?, pull_until = ?", vec![text(&request.pull_id), until.into()])
            .push(
                " WHERE state = 'sent' AND (pull_until IS NULL OR pull_until <= ?) AND id IN (",
                vec![request.now.into()],
            )
            .list(ids.iter().map(text).collect())
            .push(") RETURNING id", vec![])
            .into_parts();
        let mut taken = std::collections::HashSet::new();
        for row in tx.built(sql, vals).await? {
            taken.insert(row.parsed("id", |t| DeliveryId::parse(t).ok())?);
        }
        ids.retain(|id| taken.contains(id));
        Ok(ids)
    }
}

#[derive(Debug)]
struct AnswerTask {
    participant: ParticipantId,
    pull_id: String,
    answer: Vec<u8>,
}

impl Write for AnswerTask {
    type Out = Option<Vec<u8>>;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<Option<Vec<u8>>, Failure> {
        let update = "UPDATE mailbox_pulls SET answer = COALESCE(answer, $3) WHERE participant = $1 AND pull_id = $2 RETURNING answer";
        let vals = vec![text(&self.participant), text(&self.pull_id), self.answer.as_slice().into()];
        let found = tx.one(update, vals).await?;
        Ok(found.first().map(|row| row.bytes("answer")).transpose()?)
    }
}
