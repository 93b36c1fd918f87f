//! Queues: what people said about them, and the breakers that all nodes share.

use serde_json::json;

use crate::domain::{BreakerState, ParkReason, ParticipantId, QueueState, Timestamp};
use crate::retry::breaker;

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, text};
use super::writer::Write;
use super::{JournalEntry, Store, StoreError};

/// What a person said about a participant's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOrder {
    /// Whose.
    pub participant: ParticipantId,
    /// How it is to be.
    pub state: QueueState,
    /// Who said it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When (machine time).
    pub at: Timestamp,
}

/// A participant that is held to be away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerRow {
    /// Who.
    pub participant: ParticipantId,
    /// Since when.
    pub opened_at: Timestamp,
    /// After how many failures in a row.
    pub failures: u32,
    /// How the last of them failed.
    pub reason: ParkReason,
    /// The node that found it.
    pub node: String,
    /// When the next probe may go out.
    pub probe_at: Timestamp,
    /// How many went out.
    pub probes: u32,
}

impl BreakerRow {
    /// What it says now.
    pub fn state(&self, now: Timestamp) -> BreakerState {
        breaker::state(Some(self.probe_at), now)
    }
}

/// How hard what waits for a participant was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueTry {
    /// Who.
    pub participant: ParticipantId,
    /// The most attempts that one of them has had.
    pub attempts_max: u32,
    /// When the next of them is due.
    pub next_at: Option<Timestamp>,
}

fn order(row: &sqlx::any::AnyRow) -> Result<QueueOrder, StoreError> {
    Ok(QueueOrder {
        participant: row.parsed("participant", |t| ParticipantId::parse(t).ok())?,
        state: row.parsed("state", QueueState::parse)?,
        author: row.text("author")?,
        reason: row.text("reason")?,
        at: row.at("at")?,
    })
}

impl Store {
    /// The queues about which something was said last; the others run.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn queue_orders(&self) -> Result<Vec<QueueOrder>, StoreError> {
        let select = Select::new("SELECT participant, state, author, reason, changed_at AS at FROM queues");
        select.push(" ORDER BY participant", vec![]).fetch(self.readers()).await?.iter().map(order).collect()
    }

    /// All that was said about a queue, latest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn queue_history(&self, participant: &ParticipantId, limit: u32) -> Result<Vec<QueueOrder>, StoreError> {
        let select = Select::new("SELECT participant, state, author, reason, acted_at AS at FROM queue_acts")
            .and("participant = ?", vec![text(participant)])
            .push(" ORDER BY id DESC LIMIT ?", vec![i64::from(limit).into()]);
        select.fetch(self.readers()).await?.iter().map(order).collect()
    }

    /// The participants that are held to be away.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn breakers(&self) -> Result<Vec<BreakerRow>, StoreError> {
        let sql = "SELECT participant, opened_at, failures, reason, node, probe_at, probes FROM breakers";
        let found = Select::new(sql).push(" ORDER BY participant", vec![]).fetch(self.readers()).await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(BreakerRow {
                participant: row.parsed("participant", |t| ParticipantId::parse(t).ok())?,
                opened_at: row.at("opened_at")?,
                failures: row.count("failures")?,
                reason: row.parsed("reason", ParkReason::parse)?,
                node: row.text("node")?,
                probe_at: row.at("probe_at")?,
                probes: row.count("probes")?,
            })
        };
        found.iter().map(row).collect()
    }

    /// How hard what waits was tried, by participant. Reads what waits: for people.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn queue_tries(&self) -> Result<Vec<QueueTry>, StoreError> {
        let sql = "SELECT recipient, MAX(attempts) AS tries, MIN(next_at) AS next_at FROM deliveries WHERE state IN ('queued', \
                   'leased', 'parked', 'expired') AND state IN ('queued', 'leased') GROUP BY recipient";
        let found = Select::new(sql).fetch(self.readers()).await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(QueueTry {
                participant: row.parsed("recipient", |t| ParticipantId::parse(t).ok())?,
                attempts_max: row.count("tries")?,
                next_at: row.opt_at("next_at")?,
            })
        };
        found.iter().map(row).collect()
    }

    /// Writes what a person says about a queue. `false`: it was so already, and nothing was written. A queue that is to run is held to have
    /// its participant back.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order_queue(&self, order: QueueOrder) -> Result<bool, StoreError> {
        self.task(OrderTask(order)).await
    }

    /// Makes due at once what waits for a participant for a later attempt, at most so many; returns how many. What awaits its files goes on
    /// waiting.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn bring_forward(
        &self,
        participant: &ParticipantId,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.task(ForwardTask { participant: participant.clone(), now, limit }).await
    }

    /// Notes that a participant is away. `false`: it was noted before.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_breaker(&self, row: BreakerRow) -> Result<bool, StoreError> {
        self.task(OpenTask(row)).await
    }

    /// Notes that a participant is back. `false`: it was not held to be away.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn close_breaker(
        &self,
        participant: &ParticipantId,
        node: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.task(CloseTask { participant: participant.clone(), actor: node.to_owned(), now }).await
    }
}

fn entry(kind: &str, actor: &str, participant: &ParticipantId, detail: serde_json::Value) -> JournalEntry {
    JournalEntry {
        kind: kind.to_owned(),
        actor: actor.to_owned(),
        participant: Some(participant.clone()),
        detail,
        ..JournalEntry::default()
    }
}

#[derive(Debug)]
struct OrderTask(QueueOrder);

impl Write for OrderTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let new = &self.0;
        let first = "INSERT INTO queues (participant, state, author, reason, changed_at) VALUES ($1, 'running', '', '', 0) \
                     ON CONFLICT DO NOTHING";
        tx.one(first, vec![text(&new.participant)]).await?;
        let sql = "UPDATE queues SET state = $2, author = $3, reason = $4, changed_at = $5 WHERE participant = $1 AND state <> $2 \
                   RETURNING participant";
        let values =
            || vec![text(&new.participant), text(new.state), text(&new.author), text(&new.reason), new.at.into()];
        let mut changed = !tx.one(sql, values()).await?.is_empty();
        if new.state == QueueState::Running {
            let close = CloseTask { participant: new.participant.clone(), actor: new.author.clone(), now: new.at };
            changed |= close.run(tx, rows).await?;
        }
        if !changed {
            return Ok(false);
        }
        let mut act = vec![text(rows.next_id(new.at))];
        act.extend(values());
        let sql =
            "INSERT INTO queue_acts (id, participant, state, author, reason, acted_at) VALUES ($1, $2, $3, $4, $5, $6)";
        tx.one(sql, act).await?;
        let kind = match new.state {
            QueueState::Running => "queue-resumed",
            QueueState::Paused => "queue-paused",
            QueueState::Stopped => "queue-stopped",
        };
        rows.entry(&entry(kind, &new.author, &new.participant, serde_json::Value::Null), new.at);
        rows.touched.deliveries = true;
        Ok(true)
    }
}

#[derive(Debug)]
struct ForwardTask {
    participant: ParticipantId,
    now: Timestamp,
    limit: u32,
}

impl Write for ForwardTask {
    type Out = u64;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<u64, Failure> {
        let mut select = Select::new("UPDATE deliveries SET").push(" next_at = ? WHERE id IN (", vec![self.now.into()]);
        for rank in 0..3 {
            let all = if rank == 0 { "" } else { " UNION ALL " };
            let part = format!(
                "{all}SELECT * FROM (SELECT id FROM deliveries WHERE recipient = ? AND priority = {rank} AND next_at > ? \
                 AND state = 'queued' AND (reason IS NULL OR reason <> 'attachment-awaited') LIMIT ?{}) AS q{rank}",
                tx.engine.for_update()
            );
            let values = vec![text(&self.participant), self.now.into(), i64::from(self.limit).into()];
            select = select.push(&part, values);
        }
        let (sql, values) = select.push(") RETURNING id", vec![]).into_parts();
        let moved = tx.built(sql, values).await?.len();
        rows.touched.deliveries |= moved > 0;
        Ok(u64::try_from(moved).unwrap_or(u64::MAX))
    }
}

#[derive(Debug)]
struct OpenTask(BreakerRow);

impl Write for OpenTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let row = &self.0;
        let sql = "INSERT INTO breakers (participant, opened_at, failures, reason, node, probe_at, probes) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING participant";
        let values = vec![
            text(&row.participant),
            row.opened_at.into(),
            i64::from(row.failures).into(),
            text(row.reason),
            text(&row.node),
            row.probe_at.into(),
            i64::from(row.probes).into(),
        ];
        let opened = !tx.one(sql, values).await?.is_empty();
        if opened {
            let detail = json!({ "failures": row.failures, "reason": row.reason });
            rows.entry(&entry("breaker-opened", &row.node, &row.participant, detail), row.opened_at);
        }
        Ok(opened)
    }
}

#[derive(Debug)]
struct CloseTask {
    participant: ParticipantId,
    actor: String,
    now: Timestamp,
}

impl Write for CloseTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let sql = "DELETE FROM breakers WHERE participant = $1 RETURNING opened_at, probes";
        let closed = tx.one(sql, vec![text(&self.participant)]).await?;
        for row in &closed {
            let detail = json!({ "openedAt": row.at("opened_at")?, "probes": row.int("probes")? });
            rows.entry(&entry("breaker-closed", &self.actor, &self.participant, detail), self.now);
            rows.touched.deliveries = true;
        }
        Ok(!closed.is_empty())
    }
}
