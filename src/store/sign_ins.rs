//! Failed sign-ins, counted for all nodes together.

use crate::access::throttle::{Counted, FORGOTTEN_AFTER_SECONDS, pause_seconds};
use crate::domain::{Digest, Timestamp};

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Tx, text};
use super::writer::Write;
use super::{JournalEntry, Store, StoreError};

/// The subject of failures under a login. People type passwords into that field: only the hash of what they typed is kept.
pub fn login_subject(typed: &str) -> String {
    format!("login:{}", Digest::from_bytes(openssl::sha::sha256(typed.as_bytes())))
}

/// Whether a sign-in may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// It may; it counts as failed until a session begins.
    Allowed,
    /// Not before this instant, whatever the password.
    Blocked(Timestamp),
}

impl Store {
    /// Counts an attempt before the password is looked at, so that of many at once no more pass than one after another. Each subject is
    /// a login or an address. An attempt while a pause runs does not lengthen it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn count_sign_in(&self, subjects: Vec<(String, Counted)>, now: Timestamp) -> Result<SignIn, StoreError> {
        self.task(CountTask { subjects, now }).await
    }
}

#[derive(Debug)]
struct CountTask {
    subjects: Vec<(String, Counted)>,
    now: Timestamp,
}

impl Write for CountTask {
    type Out = SignIn;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<SignIn, Failure> {
        let forgotten = self.now.plus_seconds(-FORGOTTEN_AFTER_SECONDS);
        tx.one("DELETE FROM sign_in_failures WHERE last_at <= $1", vec![forgotten.into()]).await?;
        let mut counts = Vec::with_capacity(self.subjects.len());
        for (subject, counted) in &self.subjects {
            let first = "INSERT INTO sign_in_failures (subject, failures, last_at, blocked_until) VALUES ($1, 0, $2, 0) \
                         ON CONFLICT DO NOTHING";
            tx.one(first, vec![text(subject), self.now.into()]).await?;
            // Holds the row until the commit, so that another node waits.
            let hold = "UPDATE sign_in_failures SET last_at = $2 WHERE subject = $1 RETURNING failures, blocked_until";
            let found = tx.one(hold, vec![text(subject), self.now.into()]).await?;
            let Some(row) = found.first() else { continue };
            let until = row.at("blocked_until")?;
            if until > self.now {
                return Ok(SignIn::Blocked(until));
            }
            counts.push((subject, *counted, row.count("failures")?.saturating_add(1)));
        }
        for (subject, counted, failures) in counts {
            let pause = pause_seconds(counted, failures);
            let until = if pause == 0 { Timestamp::from_micros(0) } else { self.now.plus_seconds(pause) };
            let count = "UPDATE sign_in_failures SET failures = $2, blocked_until = $3 WHERE subject = $1";
            tx.one(count, vec![text(subject), i64::from(failures).into(), until.into()]).await?;
            if pause > 0 {
                let detail = serde_json::json!({ "subject": subject, "failures": failures, "pauseSeconds": pause });
                let kind = "sign-in-paused".to_owned();
                rows.entry(
                    &JournalEntry { kind, actor: "console".to_owned(), detail, ..JournalEntry::default() },
                    self.now,
                );
            }
        }
        Ok(SignIn::Allowed)
    }
}
