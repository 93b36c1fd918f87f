//! Configuration revisions: numbered, never changed.

use std::collections::BTreeMap;

use crate::domain::{Digest, Timestamp};

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, Val, text};
use super::writer::Write;
use super::{JournalEntry, Store, StoreError};

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevisionKind {
    /// Participants with their routes and keys.
    Participants,
    /// Regulations, calendars, schemas and adapters.
    Bundle,
}

impl RevisionKind {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Participants => "participants",
            Self::Bundle => "bundle",
        }
    }
}

/// The latest numbers, or those under which something was judged. 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Revisions {
    /// Of the participants.
    pub participants: i64,
    /// Of the bundle.
    pub bundle: i64,
}

/// A revision without its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionInfo {
    /// Of what.
    pub kind: RevisionKind,
    /// From 1.
    pub number: i64,
    /// Machine time.
    pub created_at: Timestamp,
    /// Who made it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// SHA-256 over the files' stored form.
    pub digest: Digest,
}

/// A revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// All but the files.
    pub info: RevisionInfo,
    /// Path (forward slashes) to bytes: `crate::bundle::Files`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A revision to append: of what, the latest number (0: none), and its files.
pub type RevisionChange<'f> = (RevisionKind, i64, &'f BTreeMap<String, Vec<u8>>);

impl Store {
    /// The latest numbers; cheap enough to ask for every second.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn revisions(&self) -> Result<Revisions, StoreError> {
        let found = Select::new("SELECT kind, MAX(number) AS number FROM config_revisions GROUP BY kind")
            .fetch(self.readers())
            .await?;
        let mut revisions = Revisions::default();
        for row in &found {
            match row.text("kind")?.as_str() {
                "participants" => revisions.participants = row.int("number")?,
                "bundle" => revisions.bundle = row.int("number")?,
                _ => return Err(StoreError::Corrupt("column kind".to_owned())),
            }
        }
        Ok(revisions)
    }

    /// Appends a revision after `previous` (0: the first). Equal files may be appended again (a revert is a new number).
    ///
    /// # Errors
    /// [`StoreError::RevisionConflict`] when `previous` is not the latest any more; or the database is away.
    pub async fn append_revision(
        &self,
        kind: RevisionKind,
        previous: i64,
        files: &BTreeMap<String, Vec<u8>>,
        author: &str,
        comment: &str,
        now: Timestamp,
    ) -> Result<RevisionInfo, StoreError> {
        let appended = self.append_revisions(&[(kind, previous, files)], author, comment, now).await?;
        appended.into_iter().next().ok_or_else(|| StoreError::Corrupt("no revision was appended".to_owned()))
    }

    /// Appends these revisions in one transaction: all or none. No kind may be there twice.
    ///
    /// # Errors
    /// [`StoreError::RevisionConflict`] when a number is not the latest any more, and then nothing was appended; or the database is
    /// away.
    pub async fn append_revisions(
        &self,
        changes: &[RevisionChange<'_>],
        author: &str,
        comment: &str,
        now: Timestamp,
    ) -> Result<Vec<RevisionInfo>, StoreError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let made = changes.iter().map(|(kind, previous, files)| {
            let stored = to_stored(files);
            let info = RevisionInfo {
                kind: *kind,
                number: previous.saturating_add(1),
                created_at: now,
                author: author.to_owned(),
                comment: comment.to_owned(),
                digest: Digest::from_bytes(openssl::sha::sha256(&stored)),
            };
            (info, stored)
        });
        let made: Vec<_> = made.collect();
        let infos = made.iter().map(|(info, _)| info.clone()).collect();
        match self.task(AppendTask(made)).await? {
            Ok(()) => Ok(infos),
            Err(latest) => Err(StoreError::RevisionConflict { latest }),
        }
    }

    /// A revision with its files; `None` when there is no such number.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn revision(&self, kind: RevisionKind, number: i64) -> Result<Option<Revision>, StoreError> {
        let found = Select::new(&format!("{SELECT_INFO}, files FROM config_revisions"))
            .and("kind = ?", vec![Val::Word(kind.as_str())])
            .and("number = ?", vec![number.into()])
            .fetch(self.readers())
            .await?;
        let Some(row) = found.first() else { return Ok(None) };
        let files = from_stored(&row.bytes("files")?).ok_or_else(|| StoreError::Corrupt("column files".to_owned()))?;
        Ok(Some(Revision { info: info(row, kind)?, files }))
    }

    /// All revisions of a kind, newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_revisions(&self, kind: RevisionKind, limit: u32) -> Result<Vec<RevisionInfo>, StoreError> {
        let found = Select::new(&format!("{SELECT_INFO} FROM config_revisions"))
            .and("kind = ?", vec![Val::Word(kind.as_str())])
            .push(" ORDER BY number DESC LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(|row| info(row, kind)).collect()
    }

    /// The digest that [`Store::append_revision`] would store for these files: to compare without loading.
    pub fn files_digest(files: &BTreeMap<String, Vec<u8>>) -> Digest {
        Digest::from_bytes(openssl::sha::sha256(&to_stored(files)))
    }
}

const SELECT_INFO: &str = "SELECT number, created_at, author, comment, digest";

fn info(row: &sqlx::any::AnyRow, kind: RevisionKind) -> Result<RevisionInfo, StoreError> {
    Ok(RevisionInfo {
        kind,
        number: row.int("number")?,
        created_at: row.at("created_at")?,
        author: row.text("author")?,
        comment: row.text("comment")?,
        digest: row.digest("digest")?,
    })
}

/// One spelling of a set of files: for each, in order of its path, both lengths (8 bytes, big-endian), the path, the bytes.
fn to_stored(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut stored = Vec::new();
    for (path, bytes) in files {
        stored.extend((path.len() as u64).to_be_bytes());
        stored.extend((bytes.len() as u64).to_be_bytes());
        stored.extend(path.as_bytes());
        stored.extend(bytes);
    }
    stored
}

fn from_stored(mut rest: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let length = |rest: &mut &[u8]| -> Option<usize> {
        let (first, later) = rest.split_first_chunk::<8>()?;
        *rest = later;
        usize::try_from(u64::from_be_bytes(*first)).ok()
    };
    while !rest.is_empty() {
        let (path_length, bytes_length) = (length(&mut rest)?, length(&mut rest)?);
        let (path, later) = rest.split_at_checked(path_length)?;
        let (bytes, later) = later.split_at_checked(bytes_length)?;
        files.insert(String::from_utf8(path.to_vec()).ok()?, bytes.to_vec());
        rest = later;
    }
    Some(files)
}

/// Revisions with their files' stored form.
#[derive(Debug)]
struct AppendTask(Vec<(RevisionInfo, Vec<u8>)>);

impl Write for AppendTask {
    /// `Err`: the latest number, which is not the one before ours.
    type Out = Result<(), i64>;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<Result<(), i64>, Failure> {
        for (info, _) in &self.0 {
            let latest = "SELECT COALESCE(MAX(number), 0) AS number FROM config_revisions WHERE kind = $1";
            let found = tx.one(latest, vec![Val::Word(info.kind.as_str())]).await?;
            let number = found.first().map_or(Ok(0), |row| row.int("number"))?;
            if number != info.number - 1 {
                return Ok(Err(number));
            }
        }
        for (at, (info, stored)) in self.0.iter().enumerate() {
            if insert(tx, info, stored).await? {
                continue;
            }
            // Another node appended between the statements. The transaction is shared with others: ours is taken back by hand.
            for (info, _) in self.0.iter().take(at) {
                let take_back = "DELETE FROM config_revisions WHERE kind = $1 AND number = $2";
                tx.one(take_back, vec![Val::Word(info.kind.as_str()), info.number.into()]).await?;
            }
            return Ok(Err(info.number));
        }
        for (info, _) in &self.0 {
            let (kind, number, digest) = (info.kind.as_str(), info.number, info.digest.to_string());
            let entry = JournalEntry {
                kind: "config-appended".to_owned(),
                actor: info.author.clone(),
                detail: serde_json::json!({ "kind": kind, "number": number, "digest": digest }),
                ..JournalEntry::default()
            };
            rows.entry(&entry, info.created_at);
        }
        Ok(Ok(()))
    }
}

/// Whether the number was free.
async fn insert(tx: &mut Tx<'_>, info: &RevisionInfo, stored: &[u8]) -> Result<bool, Failure> {
    let insert = "INSERT INTO config_revisions (kind, number, created_at, author, comment, digest, files) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING number";
    let vals = vec![
        Val::Word(info.kind.as_str()),
        info.number.into(),
        info.created_at.into(),
        text(&info.author),
        text(&info.comment),
        info.digest.into(),
        stored.into(),
    ];
    Ok(!tx.one(insert, vals).await?.is_empty())
}
