//! What people do to obligations: what the command line and the console decide alike before the store enters an act.

pub mod limit;
pub mod told;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::deadline::obligations::warns_until;
use crate::deadline::{Calendars, Regulations, start_of_day};
use crate::domain::{NotificationStage, ObligationId, ObligationState, Timestamp, Zone};
use crate::envelope::SignError;
use crate::store::{NotReminded, ObligationRow, Reminder, RevisionKind, Store, StoreError};

use super::Gateway;

/// A point in time as a person names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// An instant.
    Instant(Timestamp),
    /// A day.
    Day(NaiveDate),
}

/// Of a date its last instant, but not after now; a day that has not begun is left ahead, to be refused.
pub fn acted_at(at: When, zone: Zone, now: Timestamp) -> Timestamp {
    match at {
        When::Instant(at) => at,
        When::Day(day) => {
            let end = Timestamp::from_micros(end_of(day, zone).micros().saturating_sub(1));
            if start_of_day(day, zone) > now { end } else { end.min(now) }
        }
    }
}

/// The first instant that is too late: a named instant is the last second in time, as dues are shown.
pub fn new_due(to: When, zone: Zone) -> Timestamp {
    match to {
        When::Instant(last) => last.plus_seconds(1),
        When::Day(day) => end_of(day, zone),
    }
}

fn end_of(day: NaiveDate, zone: Zone) -> Timestamp {
    day.succ_opt().map_or(Timestamp::from_micros(i64::MAX), |next| start_of_day(next, zone))
}

/// The warnings of the rule under which the obligation was opened, for another due. Where they cannot be counted, those that still lie
/// ahead stay, and why is said beside, in Russian and English.
///
/// # Errors
/// When the database is away.
pub async fn warns(
    store: &Store,
    row: &ObligationRow,
    zone: Zone,
    due: Timestamp,
) -> Result<(Vec<Timestamp>, Option<String>), StoreError> {
    Ok(match counted_warns(store, row, zone, due).await? {
        Ok(warns) => (warns, None),
        Err(why) => (row.warns.iter().copied().filter(|warn| *warn < due).collect(), Some(why)),
    })
}

async fn counted_warns(
    store: &Store,
    row: &ObligationRow,
    zone: Zone,
    due: Timestamp,
) -> Result<Result<Vec<Timestamp>, String>, StoreError> {
    let then = store.revision(RevisionKind::Bundle, row.revision).await?;
    let latest = store.revisions().await?;
    // The rule is the one under which it was opened; the calendar the one in force, for it may know more years.
    let now = store.revision(RevisionKind::Bundle, latest.bundle).await?;
    let (Some(then), Some(now), Some(started_at)) = (then, now, row.started_at) else {
        return Ok(Err(format!("нет редакции настроек {} / no bundle revision {}", row.revision, row.revision)));
    };
    let Ok(regulations) = Regulations::from_files(&then.files) else {
        return Ok(Err(format!("редакция {} не читается / revision {} cannot be read", row.revision, row.revision)));
    };
    let regulation = regulations.iter().find(|regulation| regulation.id == row.regulation);
    let Some((regulation, rule)) = regulation.and_then(|g| Some((g, g.rule(&row.rule)?))) else {
        return Ok(Err(format!("нет правила / no rule {} {}", row.regulation, row.rule)));
    };
    let (calendars, _) = Calendars::read(&now.files);
    let counted = warns_until((regulation, rule), &calendars, zone, started_at, due);
    Ok(counted.map_err(|error| error.to_string()))
}

/// Why a reminder could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RemindError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was not signed.
    #[error("the reminder could not be signed")]
    Sign(#[from] SignError),
    /// Making it panicked.
    #[error("the reminder could not be made")]
    Panic,
}

impl Gateway {
    /// Reminds the debtor of an obligation by a person's wish: the same signed reminder that the watcher sends. `Err` inside: nobody was
    /// reminded, and why.
    ///
    /// # Errors
    /// When the database is away or the reminder cannot be signed.
    pub async fn remind(&self, id: ObligationId, author: &str) -> Result<Result<(), NotReminded>, RemindError> {
        let row = self.store().obligation(id).await?;
        let Some(row) = row.filter(|row| row.state.is_open() && row.due_at.is_some()) else {
            return Ok(Err(NotReminded::NotOpen));
        };
        let requests: BTreeMap<_, _> = match row.record_id {
            Some(record) => self.store().message_ids(&[record]).await?,
            None => BTreeMap::new(),
        };
        let (gateway, snapshot) = (self.clone(), self.snapshot());
        let step = if row.state == ObligationState::Overdue {
            (NotificationStage::Overdue, 2)
        } else {
            (NotificationStage::Warning, 1)
        };
        let made = tokio::task::spawn_blocking(move || {
            let request = row.record_id.and_then(|record| requests.get(&record).copied());
            gateway.reminder(&snapshot, &row, step, request)
        });
        let made = made.await.map_err(|_| RemindError::Panic)??;
        let Some(message) = made else { return Ok(Err(NotReminded::Nobody)) };
        let (at, now) = (self.clock().business_now(), self.clock().now());
        let reminder = Reminder { obligation_id: id, message, author: author.to_owned(), at, now };
        Ok(self.store().enter_reminder(reminder).await?)
    }
}
