//! The history of the configuration, and the way back.

use super::edit::{drop_strays, id_of, own_files, path_of};
use super::{Change, EditError, Editor, FileChange, Note, Saved, changes};
use crate::bundle::Files;
use crate::deadline::Severity;
use crate::gateway::snapshot::compile;
use crate::store::{RevisionInfo, RevisionKind, StoreError};

/// A revision in a listing.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Number, author, time, comment.
    pub info: RevisionInfo,
    /// Of the participants' revisions: whose file or certificates it changed, by id.
    pub participants: Vec<String>,
    /// How many files it changed against the one before.
    pub files: usize,
}

/// What to bring back.
#[derive(Debug, Clone, Copy)]
pub struct Undo<'a> {
    /// Of what.
    pub kind: RevisionKind,
    /// The revision whose state is to be again.
    pub revision: i64,
    /// Only this participant; only of the participants.
    pub participant: Option<&'a str>,
    /// The revision that whoever brings it back has seen; `None`: the latest.
    pub based_on: Option<i64>,
}

impl Editor<'_> {
    /// The latest revisions of a kind before `before` (0: from the latest on), newest first, each with what it changed. With a participant
    /// only those that changed it; then fewer may come than the limit, and `before` goes on from the last number looked at.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn history(
        &self,
        kind: RevisionKind,
        participant: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>, EditError> {
        let found = self.store.list_revisions(kind, limit.saturating_add(1)).await?;
        let mut entries = Vec::new();
        let mut newer: Option<(RevisionInfo, Files)> = None;
        for info in found {
            let files = self.files(kind, info.number).await?;
            if let Some((info, after)) = newer.replace((info, files.clone())) {
                entries.push(entry(info, &files, &after));
            }
        }
        // The oldest of all has nothing before it; one that was only read to compare with has.
        if let Some((info, files)) = newer.filter(|(info, _)| info.number == 1) {
            entries.push(entry(info, &Files::new(), &files));
        }
        if let Some(id) = participant {
            entries.retain(|entry| entry.participants.iter().any(|own| own == id));
        }
        Ok(entries)
    }

    /// A revision, and what it changed against the one before.
    ///
    /// # Errors
    /// [`EditError::NoRevision`], or the database is away.
    pub async fn revision(
        &self,
        kind: RevisionKind,
        number: i64,
    ) -> Result<(RevisionInfo, Vec<FileChange>), EditError> {
        let found = self.store.revision(kind, number).await?.ok_or(EditError::NoRevision(number))?;
        let before = self.files(kind, number.saturating_sub(1)).await?;
        Ok((found.info, changes(&before, &found.files)))
    }

    /// What differs between two revisions, of one participant or of all.
    ///
    /// # Errors
    /// [`EditError::NoRevision`], or the database is away.
    pub async fn difference(
        &self,
        kind: RevisionKind,
        (from, to): (i64, i64),
        participant: Option<&str>,
    ) -> Result<Vec<FileChange>, EditError> {
        for number in [from, to] {
            if number < 1 {
                return Err(EditError::NoRevision(number));
            }
        }
        let (before, after) = (self.files(kind, from).await?, self.files(kind, to).await?);
        Ok(match participant {
            Some(id) => changes(&own_files(&before, id), &own_files(&after, id)),
            None => changes(&before, &after),
        })
    }

    /// Makes an older state the latest one again, as a new revision, checked as any other.
    ///
    /// # Errors
    /// As [`Editor::edit_participant`].
    pub async fn undo(&self, undo: &Undo<'_>, note: &Note<'_>) -> Result<Saved, EditError> {
        if undo.revision < 1 {
            return Err(EditError::NoRevision(undo.revision));
        }
        let old = self.files(undo.kind, undo.revision).await?;
        if undo.kind == RevisionKind::Bundle {
            return self.undo_bundle(&old, undo, note).await;
        }
        let make = |files: &Files| match undo.participant {
            None => Ok(old.clone()),
            Some(id) => {
                let (then, now) = (own_files(&old, id), path_of(files, id));
                if then.is_empty() && now.is_none() {
                    return Err(EditError::NoSuch(id.to_owned()));
                }
                let mut new = files.clone();
                if let Some(path) = now {
                    new.remove(&path);
                }
                new.extend(then);
                drop_strays(files, &mut new);
                Ok(new)
            }
        };
        self.save(&Change { participant: undo.participant, based_on: undo.based_on, make: &make }, note).await
    }

    async fn undo_bundle(&self, old: &Files, undo: &Undo<'_>, note: &Note<'_>) -> Result<Saved, EditError> {
        let now = self.in_force().await?;
        if undo.based_on.is_some_and(|base| base != now.revisions.bundle) {
            let latest = self.store.list_revisions(RevisionKind::Bundle, 1).await?.into_iter().next();
            let info = latest.ok_or(EditError::Empty)?;
            return Err(EditError::Conflict { number: info.number, author: info.author, at: info.created_at });
        }
        if *old == now.bundle {
            return Err(EditError::Unchanged);
        }
        let (gateway, at, people, bundle) = (self.gateway.clone(), self.clock.business_now(), now.people, old.clone());
        let checked = tokio::task::spawn_blocking(move || compile((1, &people), (1, &bundle), &gateway, at).findings);
        let findings = checked.await.map_err(|_| EditError::Panic)?;
        let (others, warnings): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| f.severity == Severity::Error);
        if !others.is_empty() {
            return Err(EditError::Refused(super::Refused { fields: Vec::new(), others }));
        }
        let (latest, when) = (now.revisions.bundle, self.clock.now());
        let appended =
            self.store.append_revision(RevisionKind::Bundle, latest, old, note.author, note.comment.trim(), when).await;
        match appended {
            Ok(revision) => Ok(Saved { revision, warnings }),
            Err(StoreError::RevisionConflict { .. }) => Err(EditError::Busy),
            Err(other) => Err(other.into()),
        }
    }
}

fn entry(info: RevisionInfo, before: &Files, after: &Files) -> Entry {
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<&String> = paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).collect();
    let mut participants = std::collections::BTreeSet::new();
    if info.kind == RevisionKind::Participants {
        for files in [before, after] {
            for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".toml")) {
                let is_touched = |path: &String| changed.contains(&path);
                if is_touched(path) || super::edit::named_certificates(text).iter().any(is_touched) {
                    participants.extend(id_of(text));
                }
            }
        }
    }
    Entry { info, participants: participants.into_iter().collect(), files: changed.len() }
}
