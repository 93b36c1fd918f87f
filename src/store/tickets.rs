//! Tickets for reading, and the capped record of what was refused.

use crate::domain::{Digest, FaultCode, MessageId, ParticipantId, Timestamp};

use std::sync::atomic::Ordering;

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, Val, opt_text, text};
use super::writer::Write;
use super::{Store, StoreError};

/// A ticket to keep: only the hash of its token is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    /// SHA-256 of the token.
    pub token_hash: Digest,
    /// Whose.
    pub participant: ParticipantId,
    /// The HTTP method it is good for.
    pub method: String,
    /// The path or id it is good for.
    pub resource: String,
    /// Until when (exclusive; machine time).
    pub expires: Timestamp,
}

/// A valid ticket.
pub type TicketRow = NewTicket;

/// A refused message: no body, ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefusal {
    /// Machine time.
    pub at: Timestamp,
    /// The channel's peer: an address or a queue.
    pub peer: String,
    /// Why.
    pub code: FaultCode,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The sender, if its signature was verified.
    pub sender: Option<ParticipantId>,
    /// The message id, if the signature was verified.
    pub message_id: Option<MessageId>,
    /// The signed fault that was answered, if the signature was verified.
    pub answer: Option<Vec<u8>>,
}

/// A kept refusal.
pub type RefusalRow = NewRefusal;

impl Store {
    /// Keeps a ticket.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn insert_ticket(&self, ticket: NewTicket) -> Result<(), StoreError> {
        self.task(TicketTask(ticket)).await
    }

    /// The ticket with this token hash that is valid at `now`.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn ticket(&self, token_hash: Digest, now: Timestamp) -> Result<Option<TicketRow>, StoreError> {
        let found = Select::new("SELECT token_hash, participant, method, resource, expires_at FROM tickets")
            .and("token_hash = ?", vec![token_hash.into()])
            .and("expires_at > ?", vec![now.into()])
            .fetch(self.readers())
            .await?;
        found
            .first()
            .map(|row| {
                Ok(TicketRow {
                    token_hash: row.digest("token_hash")?,
                    participant: row.parsed("participant", |t| ParticipantId::parse(t).ok())?,
                    method: row.text("method")?,
                    resource: row.text("resource")?,
                    expires: row.at("expires_at")?,
                })
            })
            .transpose()
    }

    /// Keeps a refusal; beyond [`super::StoreOptions::refusals_max`] the oldest go (within some hundreds).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn insert_refusal(&self, refusal: NewRefusal) -> Result<(), StoreError> {
        let kept = self.inner.refusals_kept.fetch_add(1, Ordering::Relaxed);
        let trim_to = kept.is_multiple_of(REFUSALS_BETWEEN_TRIMS).then_some(self.inner.refusals_max);
        self.task(RefusalTask { refusal, trim_to }).await
    }

    /// The kept refusals, newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_refusals(&self, limit: u32) -> Result<Vec<RefusalRow>, StoreError> {
        let found = Select::new(
            "SELECT refused_at, peer, code, digest, sender, message_id, answer FROM refusals ORDER BY id DESC",
        )
        .push(" LIMIT ?", vec![i64::from(limit).into()])
        .fetch(self.readers())
        .await?;
        found
            .iter()
            .map(|row| {
                Ok(RefusalRow {
                    at: row.at("refused_at")?,
                    peer: row.text("peer")?,
                    code: row.parsed("code", FaultCode::parse)?,
                    digest: row.digest("digest")?,
                    sender: row.opt_parsed("sender", |t| ParticipantId::parse(t).ok())?,
                    message_id: row.opt_parsed("message_id", |t| MessageId::parse(t).ok())?,
                    answer: row.opt_bytes("answer")?,
                })
            })
            .collect()
    }

    /// Drops tickets that ended before `now`, refusals older than `refusals_before`, and mailbox pulls older than `pulls_before`.
    /// Returns how many rows went.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn purge(
        &self,
        now: Timestamp,
        refusals_before: Timestamp,
        pulls_before: Timestamp,
    ) -> Result<u64, StoreError> {
        self.task(PurgeTask { now, refusals_before, pulls_before }).await
    }
}

/// Trimming reads down to the cap, so not every refusal does it.
const REFUSALS_BETWEEN_TRIMS: u32 = 256;

#[derive(Debug)]
struct TicketTask(NewTicket);

impl Write for TicketTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        let ticket = &self.0;
        let sql =
            "INSERT INTO tickets (token_hash, participant, method, resource, expires_at) VALUES ($1, $2, $3, $4, $5)";
        let vals = vec![
            ticket.token_hash.into(),
            text(&ticket.participant),
            text(&ticket.method),
            text(&ticket.resource),
            ticket.expires.into(),
        ];
        tx.one(sql, vals).await?;
        Ok(())
    }
}

#[derive(Debug)]
struct RefusalTask {
    refusal: NewRefusal,
    trim_to: Option<u32>,
}

impl Write for RefusalTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<(), Failure> {
        let refusal = &self.refusal;
        let sql = "INSERT INTO refusals (id, refused_at, peer, code, digest, sender, message_id, answer) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let vals = vec![
            text(rows.next_id(refusal.at)),
            refusal.at.into(),
            text(&refusal.peer),
            Val::Word(refusal.code.code()),
            refusal.digest.into(),
            opt_text(refusal.sender.as_ref()),
            opt_text(refusal.message_id),
            refusal.answer.as_deref().into(),
        ];
        tx.one(sql, vals).await?;
        if let Some(refusals_max) = self.trim_to {
            let trim = "DELETE FROM refusals WHERE id <= (SELECT id FROM refusals ORDER BY id DESC LIMIT 1 OFFSET $1)";
            tx.one(trim, vec![i64::from(refusals_max).into()]).await?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct PurgeTask {
    now: Timestamp,
    refusals_before: Timestamp,
    pulls_before: Timestamp,
}

impl Write for PurgeTask {
    type Out = u64;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<u64, Failure> {
        let mut gone = 0;
        for (sql, before) in [
            ("DELETE FROM tickets WHERE expires_at <= $1 RETURNING 1 AS one", self.now),
            ("DELETE FROM refusals WHERE refused_at < $1 RETURNING 1 AS one", self.refusals_before),
            ("DELETE FROM mailbox_pulls WHERE pulled_at < $1 RETURNING 1 AS one", self.pulls_before),
            // Past its lease a pull is only remembered, so that its id is not used again; the answer is not given any more.
            (
                "UPDATE mailbox_pulls SET answer = NULL WHERE lease_until <= $1 AND answer IS NOT NULL RETURNING 1 AS one",
                self.now,
            ),
        ] {
            gone += tx.one(sql, vec![before.into()]).await?.len() as u64;
        }
        Ok(gone)
    }
}
