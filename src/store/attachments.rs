//! Attachments: which files are whole and who holds them, which messages list them, and the deliveries that wait for them.
//!
//! A message's sender must have uploaded what it lists: to know a digest is not to have the file. Whoever changes anything about a
//! digest takes its row in `attachments` first (`LOCK`), and looks at the rest in a later statement: of a message and an upload that
//! cross each other on two nodes the second sees what the first wrote.

use std::collections::{BTreeSet, HashSet};

use serde_json::json;

use crate::domain::{DeliveryId, Digest, ParticipantId, RecordId, Timestamp};

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Stmt, Tx, Vals, opt_text, text};
use super::writer::Write;
use super::{JournalEntry, NewMessage, Store, StoreError, late};

/// Where a listed attachment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedState {
    /// The sender has not uploaded it yet.
    Awaited,
    /// It is here, as listed.
    Whole,
    /// It is here, and its size is another than the message says.
    Wrong,
}

impl ListedState {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Whole => "whole",
            Self::Wrong => "wrong",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Awaited, Self::Whole, Self::Wrong].into_iter().find(|state| state.as_str() == word)
    }
}

/// An attachment that a message lists and does not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAttachment {
    /// Its digest.
    pub digest: Digest,
    /// The size that the message says.
    pub size_bytes: u64,
    /// Where it stands.
    pub state: ListedState,
}

/// A file of the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name there.
    pub file: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A file that was uploaded, checked and put into the vault.
#[derive(Debug, Clone)]
pub struct WholeAttachment {
    /// Its digest.
    pub digest: Digest,
    /// Where it lies.
    pub stored: StoredFile,
    /// Who uploaded it.
    pub participant: ParticipantId,
    /// The name of an earlier file of this digest that is not in the vault any more.
    pub lost: Option<String>,
    /// Machine time.
    pub now: Timestamp,
    /// Business time.
    pub business_now: Timestamp,
}

impl Store {
    /// The size of a file that this participant has uploaded.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn attachment_held(
        &self,
        participant: &ParticipantId,
        digest: Digest,
    ) -> Result<Option<u64>, StoreError> {
        let found = Select::new("SELECT size_bytes FROM attachment_holdings")
            .and("digest = ?", vec![digest.into()])
            .and("participant = ?", vec![text(participant)])
            .fetch(self.readers())
            .await?;
        found.first().map(|row| Ok(row.int("size_bytes")?.unsigned_abs())).transpose()
    }

    /// The file of a digest, for a party (sender or recipient) of a message that lists it and whose sender has uploaded it.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn attachment_for(
        &self,
        party: &ParticipantId,
        digest: Digest,
    ) -> Result<Option<StoredFile>, StoreError> {
        let of_party = "(EXISTS (SELECT 1 FROM listed_attachments l WHERE l.digest = a.digest AND l.sender = ? AND l.state = 'whole') \
                        OR EXISTS (SELECT 1 FROM listed_attachments l WHERE l.digest = a.digest AND l.recipient = ? AND l.state = 'whole'))";
        self.file(digest, Some((of_party, vec![text(party), text(party)]))).await
    }

    /// The file of a digest, whosever.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn attachment_file(&self, digest: Digest) -> Result<Option<StoredFile>, StoreError> {
        self.file(digest, None).await
    }

    async fn file(&self, digest: Digest, also: Option<(&str, Vals<'_>)>) -> Result<Option<StoredFile>, StoreError> {
        let mut select = Select::new("SELECT a.file, a.size_bytes FROM attachments a")
            .and("a.digest = ?", vec![digest.into()])
            .and("a.file IS NOT NULL", vec![]);
        if let Some((condition, vals)) = also {
            select = select.and(condition, vals);
        }
        let found = select.fetch(self.readers()).await?;
        let stored = |row: &sqlx::any::AnyRow| {
            Ok(StoredFile { file: row.text("file")?, size_bytes: row.int("size_bytes")?.unsigned_abs() })
        };
        found.first().map(stored).transpose()
    }

    /// How many bytes a participant has uploaded that no message of its lists.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn unlisted_bytes(&self, participant: &ParticipantId) -> Result<u64, StoreError> {
        let found = Select::new("SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS n FROM attachment_holdings")
            .and("participant = ?", vec![text(participant)])
            .and("listed = 0", vec![])
            .fetch(self.readers())
            .await?;
        Ok(found.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs())
    }

    /// The attachments that a message lists and does not carry.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn listed_attachments(&self, record_id: RecordId) -> Result<Vec<ListedAttachment>, StoreError> {
        let found = Select::new("SELECT digest, size_bytes, state FROM listed_attachments")
            .and("record_id = ?", vec![text(record_id)])
            .push(" ORDER BY digest", vec![])
            .fetch(self.readers())
            .await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(ListedAttachment {
                digest: row.digest("digest")?,
                size_bytes: row.int("size_bytes")?.unsigned_abs(),
                state: row.parsed("state", ListedState::parse)?,
            })
        };
        found.iter().map(read).collect()
    }

    /// Records an upload, lets go the deliveries that waited for nothing else, and counts what their messages settle. Answers the name of the file that stands for the digest
    /// now: another than the upload's when the bytes were here already, and then the upload's own file is of no more use.
    ///
    /// # Errors
    /// When the database is away. After [`StoreError::Unknown`] the file may be in use.
    pub async fn attachment_whole(&self, whole: WholeAttachment) -> Result<String, StoreError> {
        self.task(WholeTask(whole)).await
    }

    /// Forgets, some at a time, what was uploaded before an instant and is listed by no message of whoever uploaded it. Answers the files
    /// that nobody needs any more: remove them from the vault.
    ///
    /// # Errors
    /// When the database is away. Files that were forgotten by a call whose answer was lost are strays in the vault.
    pub async fn forget_attachments(
        &self,
        now: Timestamp,
        before: Timestamp,
        limit: u32,
    ) -> Result<Forgotten, StoreError> {
        self.task(ForgetTask { now, before, limit }).await
    }

    /// Which of these names of files are in use.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn files_in_use(&self, names: &[String]) -> Result<HashSet<String>, StoreError> {
        let mut used = HashSet::new();
        for some in names.chunks(NAMES_AT_ONCE_MAX) {
            let found = Select::new("SELECT file FROM attachments WHERE file IN (")
                .list(some.iter().map(text).collect())
                .push(")", vec![])
                .fetch(self.readers())
                .await?;
            for row in &found {
                used.insert(row.text("file")?);
            }
        }
        Ok(used)
    }
}

/// How many names one statement asks for.
const NAMES_AT_ONCE_MAX: usize = 256;

/// What a round of forgetting came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// How many uploads were forgotten.
    pub holdings: usize,
    /// The files of the vault that nobody needs any more.
    pub files: Vec<String>,
}

/// Writes what messages list. Their rows and their deliveries are there already.
pub(super) async fn list(tx: &mut Tx<'_>, messages: &[&NewMessage]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut held = Vec::new();
    let mut digests = BTreeSet::new();
    for message in messages {
        let header = &message.header;
        let mut seen = HashSet::new();
        for attachment in header.attachments.iter().filter(|a| a.inline.is_none() && seen.insert(a.digest)) {
            let size = i64::try_from(attachment.size_bytes).unwrap_or(i64::MAX);
            rows.push(vec![
                text(message.record_id),
                attachment.digest.into(),
                text(&header.sender),
                text(&header.recipient),
                size.into(),
            ]);
            held.push(vec![attachment.digest.into(), text(&header.sender)]);
            digests.insert(attachment.digest);
        }
    }
    lock(tx, &digests).await?;
    tx.many(&LIST, &rows).await?;
    tx.many(&MARK_LISTED, &held).await?;
    let records: Vec<_> = messages.iter().map(|m| vec![text(m.record_id)]).collect();
    tx.many(&HOLD, &records).await?;
    Ok(())
}

async fn lock(tx: &mut Tx<'_>, digests: &BTreeSet<Digest>) -> Result<(), Failure> {
    // In one order on all nodes, so that two of them do not wait for each other crosswise.
    let rows: Vec<_> = digests.iter().map(|d| vec![(*d).into()]).collect();
    tx.many(&LOCK, &rows).await?;
    Ok(())
}

/// Takes the rows of what the messages of these deliveries list, so that an upload does not cross what is done to them.
pub(super) async fn lock_listed(tx: &mut Tx<'_>, deliveries: &[DeliveryId]) -> Result<(), Failure> {
    let (sql, vals) = Select::new(
        "SELECT l.digest FROM deliveries d JOIN listed_attachments l ON l.record_id = d.record_id WHERE d.id IN (",
    )
    .list(deliveries.iter().map(text).collect())
    .push(")", vec![])
    .into_parts();
    let mut digests = BTreeSet::new();
    for row in tx.built(sql, vals).await? {
        digests.insert(row.digest("digest")?);
    }
    lock(tx, &digests).await
}

/// Takes the rows of digests, making those that are missing.
const LOCK: Stmt = Stmt {
    head: "INSERT INTO attachments (digest) VALUES ",
    tail: " ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest",
};

/// Takes the row of a message, in one order on all nodes.
const TAKE: &str = "UPDATE messages SET record_id = record_id WHERE record_id = $1";

const LIST: Stmt = Stmt {
    head: "WITH v (v_record, v_digest, v_sender, v_recipient, v_size) AS (VALUES ",
    tail: ") INSERT INTO listed_attachments (record_id, digest, sender, recipient, size_bytes, state) \
           SELECT v_record, v_digest, v_sender, v_recipient, v_size, COALESCE((SELECT CASE WHEN h.size_bytes = v_size \
           THEN 'whole' ELSE 'wrong' END FROM attachment_holdings h WHERE h.digest = v_digest AND h.participant = v_sender), \
           'awaited') FROM v",
};

const MARK_LISTED: Stmt = Stmt {
    head: "WITH v (v_digest, v_participant) AS (VALUES ",
    tail: ") UPDATE attachment_holdings SET listed = 1 FROM v WHERE digest = v_digest AND participant = v_participant AND listed = 0",
};

/// Holds queued deliveries of messages whose attachments are not all here: a claim may take them at `Expires` only. A wrong size cannot
/// become right, so such a delivery goes on to be parked.
pub(super) const HOLD: Stmt = Stmt {
    head: "WITH v (v_record) AS (VALUES ",
    tail: ") UPDATE deliveries SET \
           next_at = CASE WHEN EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = v_record AND l.state = 'wrong') \
           THEN deliveries.next_at ELSE deliveries.expires_at END, \
           reason = CASE WHEN EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = v_record AND l.state = 'wrong') \
           THEN 'attachment-invalid' ELSE 'attachment-awaited' END \
           FROM v WHERE deliveries.record_id = v_record AND deliveries.state = 'queued' \
           AND EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = v_record AND l.state <> 'whole')",
};

/// Lets go what waited for nothing else.
const RELEASE: Stmt = Stmt {
    head: "WITH v (v_record, v_now) AS (VALUES ",
    tail: ") UPDATE deliveries SET next_at = v_now, \
           reason = CASE WHEN EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = v_record AND l.state = 'wrong') \
           THEN 'attachment-invalid' ELSE NULL END \
           FROM v WHERE deliveries.record_id = v_record AND deliveries.state = 'queued' \
           AND deliveries.reason = 'attachment-awaited' \
           AND (EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = v_record AND l.state = 'wrong') \
           OR NOT EXISTS (SELECT 1 FROM listed_attachments l WHERE l.record_id = v_record AND l.state = 'awaited')) \
           RETURNING id",
};

#[derive(Debug)]
struct WholeTask(WholeAttachment);

impl Write for WholeTask {
    type Out = String;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<String, Failure> {
        let whole = &self.0;
        let (participant, digest) = (&whole.participant, whole.digest);
        let size = i64::try_from(whole.stored.size_bytes).unwrap_or(i64::MAX);
        lock(tx, &BTreeSet::from([digest])).await?;
        let keep = "UPDATE attachments SET stored_at = CASE WHEN file IS NULL OR file = $4 THEN $5 ELSE stored_at END, size_bytes = $2, \
                    file = CASE WHEN file IS NULL OR file = $4 THEN $3 ELSE file END WHERE digest = $1 RETURNING file";
        let vals =
            vec![digest.into(), size.into(), text(&whole.stored.file), opt_text(whole.lost.as_ref()), whole.now.into()];
        let found = tx.one(keep, vals).await?;
        let Some(row) = found.first() else { return Err(Failure::Transient("a locked row vanished".to_owned())) };
        let file = row.text("file")?;
        let hold = "INSERT INTO attachment_holdings (digest, participant, size_bytes, held_at, listed) \
                    SELECT $1, $2, $3, $4, CASE WHEN EXISTS (SELECT 1 FROM listed_attachments l WHERE l.digest = $1 \
                    AND l.sender = $2) THEN 1 ELSE 0 END ON CONFLICT (digest, participant) DO NOTHING";
        tx.one(hold, vec![digest.into(), text(participant), size.into(), whole.now.into()]).await?;
        let settle = "UPDATE listed_attachments SET state = CASE WHEN size_bytes = $3 THEN 'whole' ELSE 'wrong' END \
                      WHERE digest = $1 AND sender = $2 AND state = 'awaited' RETURNING record_id";
        let mut listing = BTreeSet::new();
        for row in tx.one(settle, vec![digest.into(), text(participant), size.into()]).await? {
            listing.insert(row.text("record_id")?);
        }
        // Of two files of one message that come on two nodes at once, the second sees the first from here on.
        for record in &listing {
            tx.one(TAKE, vec![text(record)]).await?;
        }
        let records: Vec<_> = listing.iter().map(|record| vec![text(record), whole.now.into()]).collect();
        let completed: Vec<_> = listing.iter().map(|record| vec![text(record), whole.business_now.into()]).collect();
        rows.touched.deliveries |= !tx.many(&RELEASE, &records).await?.is_empty();
        rows.at(whole.now);
        late::complete(tx, rows, &completed).await?;
        let entry = JournalEntry {
            kind: "attachment-stored".to_owned(),
            actor: participant.to_string(),
            participant: Some(participant.clone()),
            detail: json!({ "digest": digest, "sizeBytes": size }),
            ..JournalEntry::default()
        };
        rows.entry(&entry, whole.now);
        Ok(file)
    }
}

#[derive(Debug)]
struct ForgetTask {
    now: Timestamp,
    before: Timestamp,
    limit: u32,
}

impl Write for ForgetTask {
    type Out = Forgotten;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<Forgotten, Failure> {
        let old = "SELECT digest FROM attachment_holdings WHERE listed = 0 AND held_at < $1 ORDER BY held_at LIMIT $2";
        let mut digests = BTreeSet::new();
        for row in tx.one(old, vec![self.before.into(), i64::from(self.limit).into()]).await? {
            digests.insert(row.digest("digest")?);
        }
        if digests.is_empty() {
            return Ok(Forgotten::default());
        }
        lock(tx, &digests).await?;
        let list = || digests.iter().map(|d| (*d).into()).collect::<Vals<'_>>();
        // With the rows taken: a message that listed one meanwhile is seen from here on.
        let (sql, vals) = Select::new("DELETE FROM attachment_holdings WHERE listed = 0")
            .push(" AND held_at < ? AND digest IN (", vec![self.before.into()])
            .list(list())
            .push(") RETURNING participant, digest", vec![])
            .into_parts();
        let mut holdings = 0;
        for row in tx.built(sql, vals).await? {
            let entry = JournalEntry {
                kind: "attachment-forgotten".to_owned(),
                actor: "store".to_owned(),
                participant: Some(row.parsed("participant", |t| ParticipantId::parse(t).ok())?),
                detail: json!({ "digest": row.digest("digest")? }),
                ..JournalEntry::default()
            };
            rows.entry(&entry, self.now);
            holdings += 1;
        }
        let (sql, vals) = Select::new("DELETE FROM attachments WHERE digest IN (")
            .list(list())
            .push(
                ") AND NOT EXISTS (SELECT 1 FROM attachment_holdings h WHERE h.digest = attachments.digest) \
                 AND NOT EXISTS (SELECT 1 FROM listed_attachments l WHERE l.digest = attachments.digest) RETURNING file",
                vec![],
            )
            .into_parts();
        let mut files = Vec::new();
        for row in tx.built(sql, vals).await? {
            files.extend(row.opt_text("file")?);
        }
        Ok(Forgotten { holdings, files })
    }
}
