//! Acts on obligations as they are stored: what was done to them beside the messages that open and settle them.

use chrono::NaiveDate;

use crate::domain::{
    ActGround, ActKind, Digest, Line, MessageId, ObligationId, ObligationState, OutsideWay, ParticipantId, RecordId,
    Remark, Timestamp,
};

use super::error::Failure;
use super::sql::{Columns, Select, Stmt, Tx, Val, Vals, opt_text, text};
use super::{ObligationRow, Store, StoreError, obligations};

/// The document that an act rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActDocument {
    /// Its name.
    pub name: Line,
    /// Its number.
    pub number: Line,
    /// Its date.
    pub date: NaiveDate,
}

/// The signed envelope by which a participant entered an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActMessage {
    /// The verified sender.
    pub sender: ParticipantId,
    /// Its id of the message.
    pub message_id: MessageId,
    /// The content digest.
    pub digest: Digest,
    /// The exact bytes: the proof of who said so, with the scan inside.
    pub bytes: Vec<u8>,
}

/// An act as stored. Fields that its kind does not have are `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct ActRow {
    /// Its id, ordered by time.
    pub id: String,
    /// The obligation.
    pub obligation_id: ObligationId,
    /// What was done.
    pub kind: ActKind,
    /// Business time at which it took effect.
    pub at: Timestamp,
    /// Machine time at which it was entered.
    pub entered_at: Timestamp,
    /// Who entered it.
    pub author: String,
    /// The participant by whose signed word it was entered.
    pub actor: Option<ParticipantId>,
    /// The message of the exchange that did it, where a rule did.
    pub record_id: Option<RecordId>,
    /// Why.
    pub ground: Option<ActGround>,
    /// By which document.
    pub document: Option<ActDocument>,
    /// How it was met outside.
    pub way: Option<OutsideWay>,
    /// When it was met outside (business time).
    pub acted_at: Option<Timestamp>,
    /// Who met it outside.
    pub acted_by: Option<Line>,
    /// Towards whom.
    pub acted_to: Option<Line>,
    /// The outside act's own number: that of the letter, the entry of the call log.
    pub number: Option<Line>,
    /// SHA-256 of the act's scan.
    pub scan: Option<Digest>,
    /// A remark.
    pub note: Option<Remark>,
    /// The due before it (exclusive).
    pub due_before: Option<Timestamp>,
    /// The due after it (exclusive).
    pub due_after: Option<Timestamp>,
    /// The obligation's state before it.
    pub state_before: ObligationState,
    /// The obligation's state after it.
    pub state_after: ObligationState,
}

impl ActRow {
    /// An act that took an obligation from one state to another, without anything further.
    pub(super) fn new(
        id: String,
        kind: ActKind,
        (before, after): (&ObligationRow, &ObligationRow),
        (at, now): (Timestamp, Timestamp),
        author: String,
    ) -> Self {
        Self {
            id,
            obligation_id: before.id,
            kind,
            at,
            entered_at: now,
            author,
            actor: None,
            record_id: None,
            ground: None,
            document: None,
            way: None,
            acted_at: None,
            acted_by: None,
            acted_to: None,
            number: None,
            scan: None,
            note: None,
            due_before: before.due_at,
            due_after: after.due_at,
            state_before: before.state,
            state_after: after.state,
        }
    }
}

impl Store {
    /// The acts on an obligation, oldest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn acts(&self, obligation: ObligationId) -> Result<Vec<ActRow>, StoreError> {
        let select = Select::new(SELECT).and("obligation_id = ?", vec![text(obligation)]);
        select.push(" ORDER BY id", vec![]).fetch(self.readers()).await?.iter().map(row).collect()
    }

    /// The latest acts of people and participants that changed an obligation, newest first, with the obligations as they are now.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn recent_acts(&self, limit: u32) -> Result<Vec<(ActRow, ObligationRow)>, StoreError> {
        // The kinds stand in the text, so that both engines use the partial index.
        let select = Select::new(SELECT).and("kind IN ('outside', 'waive', 'extend')", vec![]);
        let found = select.push(" ORDER BY id DESC LIMIT ?", vec![i64::from(limit).into()]).fetch(self.readers());
        let mut acts = Vec::new();
        for act in &found.await? {
            let act = row(act)?;
            if let Some(obligation) = self.obligation(act.obligation_id).await? {
                acts.push((act, obligation));
            }
        }
        Ok(acts)
    }
}

const SELECT: &str = "SELECT id, obligation_id, kind, effective_at, entered_at, author, actor, record_id, ground, document, \
    document_number, document_date, way, acted_at, acted_by, acted_to, number, scan, note, due_before, due_after, state_before, \
    state_after FROM obligation_acts";

fn row(row: &sqlx::any::AnyRow) -> Result<ActRow, StoreError> {
    let line = |column| row.opt_parsed(column, |t| Line::parse(t).ok());
    let date = row.opt_parsed("document_date", |t| t.parse::<NaiveDate>().ok())?;
    let document = match (line("document")?, line("document_number")?, date) {
        (Some(name), Some(number), Some(date)) => Some(ActDocument { name, number, date }),
        (_, _, _) => None,
    };
    Ok(ActRow {
        id: row.text("id")?,
        obligation_id: row.parsed("obligation_id", |t| ObligationId::parse(t).ok())?,
        kind: row.parsed("kind", ActKind::parse)?,
        at: row.at("effective_at")?,
        entered_at: row.at("entered_at")?,
        author: row.text("author")?,
        actor: row.opt_parsed("actor", |t| ParticipantId::parse(t).ok())?,
        record_id: row.opt_parsed("record_id", |t| RecordId::parse(t).ok())?,
        ground: row.opt_parsed("ground", ActGround::parse)?,
        document,
        way: row.opt_parsed("way", OutsideWay::parse)?,
        acted_at: row.opt_at("acted_at")?,
        acted_by: line("acted_by")?,
        acted_to: line("acted_to")?,
        number: line("number")?,
        scan: row.opt_digest("scan")?,
        note: row.opt_parsed("note", |t| Remark::parse(t).ok())?,
        due_before: row.opt_at("due_before")?,
        due_after: row.opt_at("due_after")?,
        state_before: row.parsed("state_before", ObligationState::parse)?,
        state_after: row.parsed("state_after", ObligationState::parse)?,
    })
}

fn values(act: &ActRow) -> Vals<'_> {
    let document = act.document.as_ref();
    vec![
        text(&act.id),
        text(act.obligation_id),
        Val::Word(act.kind.as_str()),
        act.at.into(),
        act.entered_at.into(),
        text(&act.author),
        opt_text(act.actor.as_ref()),
        opt_text(act.record_id),
        opt_text(act.ground),
        opt_text(document.map(|d| &d.name)),
        opt_text(document.map(|d| &d.number)),
        opt_text(document.map(|d| d.date)),
        opt_text(act.way),
        act.acted_at.into(),
        opt_text(act.acted_by.as_ref()),
        opt_text(act.acted_to.as_ref()),
        opt_text(act.number.as_ref()),
        act.scan.as_ref().into(),
        opt_text(act.note.as_ref()),
        act.due_before.into(),
        act.due_after.into(),
        Val::Word(act.state_before.as_str()),
        Val::Word(act.state_after.as_str()),
    ]
}

const INSERT: Stmt = Stmt {
    head: "INSERT INTO obligation_acts (id, obligation_id, kind, effective_at, entered_at, author, actor, record_id, ground, \
           document, document_number, document_date, way, acted_at, acted_by, acted_to, number, scan, note, due_before, due_after, \
           state_before, state_after) VALUES ",
    tail: "",
};

/// Appends acts, those of rules ([`ActKind::Retime`], [`ActKind::Cancel`]) too. Whoever moves a due also keeps the first one:
/// `original_due = COALESCE(original_due, due_at)`.
pub(super) async fn insert(tx: &mut Tx<'_>, acts: &[ActRow]) -> Result<(), Failure> {
    let rows: Vec<_> = acts.iter().map(values).collect();
    tx.many(&INSERT, &rows).await?;
    Ok(())
}

/// The acts on an obligation, oldest first, as the transaction sees them.
pub(super) async fn of(tx: &mut Tx<'_>, obligation: ObligationId) -> Result<Vec<ActRow>, Failure> {
    let (sql, vals) =
        Select::new(SELECT).and("obligation_id = ?", vec![text(obligation)]).push(" ORDER BY id", vec![]).into_parts();
    tx.built(sql, vals).await?.iter().map(|r| row(r).map_err(Failure::from)).collect()
}

/// The act that a participant's message of this id entered before, and that message's content digest.
pub(super) async fn earlier_message(
    tx: &mut Tx<'_>,
    message: &ActMessage,
) -> Result<Option<(String, Digest)>, Failure> {
    let sql = "SELECT act_id, digest FROM obligation_act_messages WHERE sender = $1 AND message_id = $2";
    let found = tx.one(sql, vec![text(&message.sender), text(message.message_id)]).await?;
    Ok(found.first().map(|row| Ok::<_, StoreError>((row.text("act_id")?, row.digest("digest")?))).transpose()?)
}

/// Keeps the envelope of a participant's act.
pub(super) async fn insert_message(tx: &mut Tx<'_>, act_id: &str, message: &ActMessage) -> Result<(), Failure> {
    let sql =
        "INSERT INTO obligation_act_messages (act_id, sender, message_id, digest, bytes) VALUES ($1, $2, $3, $4, $5)";
    let vals = vec![
        text(act_id),
        text(&message.sender),
        text(message.message_id),
        message.digest.into(),
        message.bytes.as_slice().into(),
    ];
    tx.one(sql, vals).await?;
    Ok(())
}

/// Takes an obligation for the rest of the transaction, so that no other node decides about it meanwhile. `None`: there is none.
pub(super) async fn taken(tx: &mut Tx<'_>, id: ObligationId) -> Result<Option<ObligationRow>, Failure> {
    let tail = tx.engine.pick("", " FOR UPDATE");
    let (sql, vals) = Select::new(obligations::SELECT).and("id = ?", vec![text(id)]).push(tail, vec![]).into_parts();
    Ok(tx.built(sql, vals).await?.first().map(obligations::row).transpose()?)
}

/// Writes what an act made of an obligation that was [`taken`].
pub(super) async fn change(tx: &mut Tx<'_>, after: &ObligationRow) -> Result<(), Failure> {
    let sql = "UPDATE obligations SET state = $2, phase = $3, due_at = $4, sort_due = $5, original_due = $6, next_at = $7, \
               warns = $8, warned_at = $9, overdue_at = $10, settled_at = $11, settle_kind = $12 WHERE id = $1";
    let vals = vec![
        text(after.id),
        Val::Word(after.state.as_str()),
        obligations::phase(after.state).into(),
        after.due_at.into(),
        after.due_at.map_or(i64::MAX, Timestamp::micros).into(),
        after.original_due.into(),
        after.next_at.into(),
        text(obligations::warns_text(&after.warns)),
        after.warned_at.into(),
        after.overdue_at.into(),
        after.settled_at.into(),
        opt_text(after.settle_kind),
    ];
    tx.one(sql, vals).await?;
    Ok(())
}
