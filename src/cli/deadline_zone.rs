//! The zone in which people are told of an obligation, and points in time as people name them.

use super::Failure;
use crate::deadline::{Start, show_due};
use crate::domain::{Participant, Zone};
use crate::gateway::acts::When;
use crate::gateway::acts::told::zone;
use crate::settings::participants;
use crate::store::{ObligationRow, RevisionKind, Store};

/// Reads an instant with its zone, or a date.
pub(super) fn when(text: &str) -> Result<When, String> {
    match Start::parse(text) {
        Some(Start::Instant(at)) => Ok(When::Instant(at)),
        Some(Start::Date(day)) => Ok(When::Day(day)),
        Some(Start::Month(_) | Start::Quarter(_) | Start::Year(_)) | None => {
            let forms = "2026-05-12T12:00:00+05:00, 2026-05-13";
            Err(format!("нужен момент с поясом или дата / an instant with its zone or a date is needed: {forms}"))
        }
    }
}

/// The zones of obligations: each is told in the one in which it was counted, whatever the debtor's is by now; one that was never
/// counted in the debtor's.
pub(super) struct Zones {
    people: Vec<Participant>,
    utc: Zone,
}

impl Zones {
    pub(super) async fn read(store: &Store) -> Result<Self, Failure> {
        let latest = store.revisions().await?;
        let people = store.revision(RevisionKind::Participants, latest.participants).await?;
        let people = people.and_then(|r| participants::parse(&r.files).ok()).unwrap_or_default();
        Ok(Self { people, utc: Zone::parse("UTC").ok_or_else(|| Failure::new("no zone UTC"))? })
    }

    pub(super) fn of(&self, row: &ObligationRow) -> Zone {
        let debtor = || self.people.iter().find(|p| p.id == row.debtor).map(|p| p.zone);
        zone(row).or_else(debtor).unwrap_or(self.utc)
    }

    /// The due as its last second.
    pub(super) fn due(&self, row: &ObligationRow) -> Option<String> {
        row.due_at.map(|due| show_due(due, self.of(row)))
    }

    /// The first due, once it was moved, as its last second.
    pub(super) fn original_due(&self, row: &ObligationRow) -> Option<String> {
        row.original_due.map(|due| show_due(due, self.of(row)))
    }
}
