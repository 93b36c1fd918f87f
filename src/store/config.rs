//! Configuration revisions: numbered, never changed.

use std::collections::BTreeMap;

use crate::domain::{Digest, Timestamp};

use super::{Store, StoreError};

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevisionKind {
    /// Participants with their routes and keys.
    Participants,
    /// Regulations, calendars, schemas and adapters.
    Bundle,
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

impl Store {
    /// The latest numbers; cheap enough to ask for every second.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn revisions(&self) -> Result<Revisions, StoreError> {
        todo!()
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
        todo!("{kind:?} {previous} {} {author} {comment} {now}", files.len())
    }

    /// A revision with its files; `None` when there is no such number.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn revision(&self, kind: RevisionKind, number: i64) -> Result<Option<Revision>, StoreError> {
        todo!("{kind:?} {number}")
    }

    /// All revisions of a kind, newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_revisions(&self, kind: RevisionKind, limit: u32) -> Result<Vec<RevisionInfo>, StoreError> {
        todo!("{kind:?} {limit}")
    }

    /// The digest that [`Store::append_revision`] would store for these files: to compare without loading.
    pub fn files_digest(files: &BTreeMap<String, Vec<u8>>) -> Digest {
        todo!("{}", files.len())
    }
}
