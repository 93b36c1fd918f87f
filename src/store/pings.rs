//! Tries of the way to a participant, with what each step showed.

use crate::domain::{ParticipantId, RecordId, Timestamp};

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns as _, Select, Tx, opt_text, text};
use super::writer::Write;
use super::{JournalEntry, Store, StoreError};

/// How many of a participant are kept.
const KEPT: i64 = 50;

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingRow {
    /// Its id; that of the record, if the ping was signed.
    pub id: RecordId,
    /// Whom it tries.
    pub participant: ParticipantId,
    /// Who wanted it.
    pub author: String,
    /// The node that does it.
    pub node: String,
    /// When it began (machine time).
    pub started_at: Timestamp,
    /// When it ended; `None`: it runs, or its node died.
    pub ended_at: Option<Timestamp>,
    /// What it came to, a word of `gateway::dispatch::ping`.
    pub outcome: Option<String>,
    /// The steps, JSON.
    pub steps: String,
}

const SELECT: &str = "SELECT id, participant, author, node, started_at, ended_at, outcome, steps FROM pings";

impl Store {
    /// Writes a try as far as it has come. The first time it goes into the journal too, and the oldest of the participant go.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_ping(&self, row: PingRow) -> Result<(), StoreError> {
        self.task(NoteTask(row)).await
    }

    /// A try.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn ping_of(&self, id: RecordId) -> Result<Option<PingRow>, StoreError> {
        let found = Select::new(SELECT).and("id = ?", vec![text(id)]).fetch(self.readers()).await?;
        found.first().map(row).transpose()
    }

    /// The latest tries of a participant, newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn pings(&self, participant: &ParticipantId, limit: u32) -> Result<Vec<PingRow>, StoreError> {
        let found = Select::new(SELECT)
            .and("participant = ?", vec![text(participant)])
            .push(" ORDER BY id DESC LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(row).collect()
    }
}

fn row(row: &sqlx::any::AnyRow) -> Result<PingRow, StoreError> {
    Ok(PingRow {
        id: row.parsed("id", |t| RecordId::parse(t).ok())?,
        participant: row.parsed("participant", |t| ParticipantId::parse(t).ok())?,
        author: row.text("author")?,
        node: row.text("node")?,
        started_at: row.at("started_at")?,
        ended_at: row.opt_at("ended_at")?,
        outcome: row.opt_text("outcome")?,
        steps: row.text("steps")?,
    })
}

#[derive(Debug)]
struct NoteTask(PingRow);

impl Write for NoteTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<(), Failure> {
        let row = &self.0;
        let update = "UPDATE pings SET ended_at = $2, outcome = $3, steps = $4 WHERE id = $1 RETURNING id";
        let ended = row.ended_at.into();
        let values = vec![text(row.id), ended, opt_text(row.outcome.as_ref()), text(&row.steps)];
        if !tx.one(update, values).await?.is_empty() {
            return Ok(());
        }
        let insert =
            "INSERT INTO pings (id, participant, author, node, started_at, steps) VALUES ($1, $2, $3, $4, $5, $6)";
        let values = vec![
            text(row.id),
            text(&row.participant),
            text(&row.author),
            text(&row.node),
            row.started_at.into(),
            text(&row.steps),
        ];
        tx.one(insert, values).await?;
        let old = "DELETE FROM pings WHERE participant = $1 AND id NOT IN \
                   (SELECT id FROM pings WHERE participant = $1 ORDER BY id DESC LIMIT $2)";
        tx.one(old, vec![text(&row.participant), KEPT.into()]).await?;
        let entry = JournalEntry {
            kind: "partner-pinged".to_owned(),
            actor: row.author.clone(),
            participant: Some(row.participant.clone()),
            ..JournalEntry::default()
        };
        rows.entry(&entry, row.started_at);
        Ok(())
    }
}
