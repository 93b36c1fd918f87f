//! What administrators change: participants and their certificates, as revisions with author, comment, difference and a way back.
//!
//! Every change ends in [`Editor::save`]: it is made on the latest revision, checked as the folder is checked ([`compile`]), and appended.
//! Who changed a participant on the ground of an older revision is refused if somebody else has changed the same participant since.

mod certificates;
mod diff;
mod edit;
mod history;
mod in_force;

pub use certificates::{CertificateProblem, CertificateState, Ending, Listed, Upload};
pub use diff::{DiffLine, FileChange, changes};
pub use edit::{Card, Editing};
pub use history::{Entry, Undo};
pub use in_force::{Traffic, Way};

use super::snapshot::compile;
use super::{Clock, Gateway};
use crate::bundle::Files;
use crate::crypto::Certificate;
use crate::deadline::{Finding, Severity};
use crate::domain::{ParticipantId, Timestamp};
use crate::settings::participants::{self, FieldProblem, Form};
use crate::store::{RevisionInfo, RevisionKind, Revisions, Store, StoreError};

/// How often a change is made anew on a newer revision that did not touch it.
const TRIES_MAX: usize = 5;

/// The longest comment, in characters.
pub const COMMENT_CHARS_MAX: usize = 1_000;

/// Who changes something, and why.
#[derive(Debug, Clone)]
pub struct Note<'a> {
    /// Who: the account, or the user of the system.
    pub author: &'a str,
    /// Why; may be empty.
    pub comment: &'a str,
}

/// Changes the configuration. The command line makes one of its own; pages take [`Gateway::editor`].
#[derive(Clone)]
pub struct Editor<'a> {
    store: &'a Store,
    gateway: &'a ParticipantId,
    own: Option<&'a Certificate>,
    clock: &'a Clock,
}

/// A revision that was appended.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The revision.
    pub revision: RevisionInfo,
    /// What the checks say that was not said of the revision before.
    pub warnings: Vec<Finding>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no revision yet.
    #[error("в базе ещё нет редакций / the database has no revision yet: `mezhved partner apply`")]
    Empty,
    /// There is none with this id.
    #[error("участника `{0}` нет / there is no participant `{0}`; `mezhved partner list`")]
    NoSuch(String),
    /// The id is in use.
    #[error("участник `{0}` уже есть; дайте другой id / participant `{0}` is there already; choose another id")]
    Taken(ParticipantId),
    /// No revision has this number.
    #[error("редакции {0} нет / there is no revision {0}; `mezhved partner history`")]
    NoRevision(i64),
    /// Somebody else changed the same since.
    #[error(
        "участника уже изменил(а) {author} (редакция {number}); откройте заново и повторите / {author} has changed the participant since \
         (revision {number}); open it anew and repeat"
    )]
    Conflict {
        /// The revision that changed it.
        number: i64,
        /// Who made it.
        author: String,
        /// When (machine time).
        at: Timestamp,
    },
    /// The checks say no.
    #[error("{}", told(.0))]
    Refused(Refused),
    /// The certificate says no.
    #[error(transparent)]
    Certificate(#[from] CertificateProblem),
    /// It is so already.
    #[error("ничего не меняется / nothing changes")]
    Unchanged,
    /// The comment is no comment.
    #[error("комментарий: не длиннее {COMMENT_CHARS_MAX} знаков / the comment: at most {COMMENT_CHARS_MAX} characters")]
    Comment,
    /// Others change without a pause.
    #[error("другие меняют настройки прямо сейчас; повторите / others are changing the configuration just now; repeat")]
    Busy,
    /// A check panicked.
    #[error("проверка не закончилась / the check did not end")]
    Panic,
}

/// What the checks say against a change.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// What is wrong with the participant that was typed, by field.
    pub fields: Vec<FieldProblem>,
    /// What else is wrong.
    pub others: Vec<Finding>,
}

fn told(refused: &Refused) -> String {
    let fields = refused.fields.iter().map(ToString::to_string);
    fields.chain(refused.others.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n")
}

/// What is in force.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The latest numbers.
    pub revisions: Revisions,
    /// The participants' files.
    pub people: Files,
    /// The bundle's files.
    pub bundle: Files,
}

/// A change of the participants' files.
struct Change<'c> {
    /// The participant that it concerns; `None`: all.
    participant: Option<&'c str>,
    /// The revision that whoever changes it has seen; `None`: the latest, whatever it is.
    based_on: Option<i64>,
    /// The new files.
    make: &'c (dyn Fn(&Files) -> Result<Files, EditError> + Sync),
}

impl Gateway {
    /// Changes the configuration in the name of this gateway.
    pub fn editor(&self) -> Editor<'_> {
        Editor { store: self.store(), gateway: self.id(), own: Some(self.certificate()), clock: self.clock() }
    }
}

impl<'a> Editor<'a> {
    /// An editor without a gateway. `own` is the gateway's certificate, if it is at hand.
    pub fn new(store: &'a Store, gateway: &'a ParticipantId, own: Option<&'a Certificate>, clock: &'a Clock) -> Self {
        Self { store, gateway, own, clock }
    }

    /// What is in force; empty files where there is no revision yet.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn in_force(&self) -> Result<InForce, EditError> {
        let revisions = self.store.revisions().await?;
        let people = self.files(RevisionKind::Participants, revisions.participants).await?;
        Ok(InForce { revisions, people, bundle: self.files(RevisionKind::Bundle, revisions.bundle).await? })
    }

    /// The files of a revision; none of number 0.
    async fn files(&self, kind: RevisionKind, number: i64) -> Result<Files, EditError> {
        if number == 0 {
            return Ok(Files::new());
        }
        let found = self.store.revision(kind, number).await?;
        found.map(|revision| revision.files).ok_or(EditError::NoRevision(number))
    }

    async fn save(&self, change: &Change<'_>, note: &Note<'_>) -> Result<Saved, EditError> {
        let is_fit = note.comment.chars().count() <= COMMENT_CHARS_MAX
            && !note.comment.contains(|c: char| c.is_control() && c != '\n' && c != '\r');
        if !is_fit {
            return Err(EditError::Comment);
        }
        for _ in 0..TRIES_MAX {
            let InForce { revisions, people, bundle } = self.in_force().await?;
            if revisions.participants == 0 {
                return Err(EditError::Empty);
            }
            self.check_base(change, revisions.participants, &people).await?;
            let new = (change.make)(&people)?;
            if new == people {
                return Err(EditError::Unchanged);
            }
            let warnings = self.check((&people, &new), &bundle, change.participant).await?;
            let (latest, now) = (revisions.participants, self.clock.now());
            let (author, comment) = (note.author, note.comment.trim());
            match self.store.append_revision(RevisionKind::Participants, latest, &new, author, comment, now).await {
                Ok(revision) => return Ok(Saved { revision, warnings }),
                Err(StoreError::RevisionConflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(EditError::Busy)
    }

    /// Whether what is changed is still as it was seen.
    async fn check_base(&self, change: &Change<'_>, latest: i64, people: &Files) -> Result<(), EditError> {
        let Some(base) = change.based_on.filter(|base| *base != latest) else { return Ok(()) };
        let own = |files: &Files| match change.participant {
            Some(id) => edit::own_files(files, id),
            None => files.clone(),
        };
        let seen = own(&self.files(RevisionKind::Participants, base).await?);
        if seen == own(people) {
            return Ok(());
        }
        // The first revision that made it another.
        let since = self.store.list_revisions(RevisionKind::Participants, 1_000).await?;
        let mut since: Vec<RevisionInfo> = since.into_iter().filter(|info| info.number > base).collect();
        since.reverse();
        for info in &since {
            if own(&self.files(RevisionKind::Participants, info.number).await?) != seen {
                let (number, author, at) = (info.number, info.author.clone(), info.created_at);
                return Err(EditError::Conflict { number, author, at });
            }
        }
        Err(EditError::Busy)
    }

    /// The folder's own checks. Gives back what is said of the new files and was not said of the old ones.
    async fn check(
        &self,
        (old, new): (&Files, &Files),
        bundle: &Files,
        participant: Option<&str>,
    ) -> Result<Vec<Finding>, EditError> {
        let (gateway, now, bundle) = (self.gateway.clone(), self.clock.business_now(), bundle.clone());
        let (before, after) = (old.clone(), new.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let of = |people: &Files| compile((1, people), (1, &bundle), &gateway, now).findings;
            (of(&before), of(&after))
        });
        let (before, after) = checked.await.map_err(|_| EditError::Panic)?;
        let (errors, warnings): (Vec<Finding>, Vec<Finding>) =
            after.into_iter().partition(|f| f.severity == Severity::Error);
        if errors.is_empty() {
            let said = |f: &Finding| before.iter().any(|b| (&b.file, &b.ru) == (&f.file, &f.ru));
            return Ok(warnings.into_iter().filter(|f| !said(f)).collect());
        }
        Err(EditError::Refused(refused(errors, new, participant)))
    }
}

/// Errors, those of the participant by its fields.
fn refused(errors: Vec<Finding>, files: &Files, participant: Option<&str>) -> Refused {
    let own = participant.and_then(|id| edit::path_of(files, id));
    // The checks beyond a file's own form name it after its participant.
    let named = participant.map(|id| format!("participants/{id}.toml"));
    let text = own.as_ref().and_then(|path| files.get(path)).map(|bytes| String::from_utf8_lossy(bytes));
    let mut refused = Refused::default();
    for error in errors {
        match &text {
            Some(text) if Some(&error.file) == own.as_ref() || Some(&error.file) == named.as_ref() => {
                let field = participants::field_at(text, error.line, error.column);
                refused.fields.push(FieldProblem { field, ru: error.ru, en: error.en });
            }
            Some(_) | None => refused.others.push(error),
        }
    }
    refused
}

/// The form of a participant's file.
fn form_of(text: &[u8]) -> Result<Form, EditError> {
    let broken = |en: String| {
        let problem = FieldProblem { field: None, ru: format!("файл не читается: {en}"), en };
        EditError::Refused(Refused { fields: vec![problem], others: Vec::new() })
    };
    let text = std::str::from_utf8(text).map_err(|e| broken(e.to_string()))?;
    Form::read(text).map_err(broken)
}
