//! The watcher of deadlines: sleeps until the next warning or due instant, marks, and opens what the calendar opens.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::deadline::obligations::{next_period_at, periodic, schedule};
use crate::domain::Timestamp;
use crate::store::{Mark, MovedSchedule, NewObligation, ObligationRow, Revisions, ScheduledRow, StoreError};

use super::ladder::{Ladder, Step};
use super::{Gateway, Snapshot, effects};

/// The longest sleep: a clock that was set is noticed within it.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// How many due obligations are marked in one transaction.
const MARKS_MAX: u32 = 200;
/// How many schedules of cases are opened in one go.
const SCHEDULES_MAX: u32 = 500;
/// When a schedule that cannot be opened (the calendar lacks the year, nobody holds a role) is tried again.
const SCHEDULE_PAUSE_SECONDS: i64 = 3_600;
/// The lease under which one node watches.
const LEASE_NAME: &str = "watcher";
const LEASE_MS: u32 = 6_000;

/// Watches until cancelled.
pub async fn run(gateway: Gateway, stop: CancellationToken) {
    let mut changed = gateway.store().obligations_changed();
    let mut configured = gateway.snapshot_changed();
    let mut stepped = gateway.clock().stepped();
    let mut asked = Asked { since: last_seen(&gateway).await, ..Asked::default() };
    while !stop.is_cancelled() {
        let pause = match round(&gateway, &mut asked).await {
            Ok(looked) => pause(&gateway, looked),
            Err(error) => {
                warn!(%error, "the watcher could not look");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = changed.changed() => {}
            _ = configured.changed() => asked = asked.configured(),
            _ = stepped.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// When the calendar was last asked what it opens, and under which configuration by this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    since: Option<Timestamp>,
    under: Option<Revisions>,
    /// Whether something could not be opened then: the calendar lacked a year, nobody held a role.
    in_part: bool,
}

impl Asked {
    /// After an answer. What could not be opened is still to be, so the time from which it is asked does not move on.
    fn answered(self, under: Revisions, business_now: Timestamp, in_part: bool) -> Self {
        let since = self.since.filter(|_| in_part).or(Some(business_now));
        Self { since, under: Some(under), in_part }
    }

    /// After another configuration came: new rules open nothing that was due before, but what the old one could not open is asked for
    /// again.
    fn configured(self) -> Self {
        if self.in_part { Self { under: None, ..self } } else { Self::default() }
    }

    /// Whether asking again can open nothing that was not opened then: a round follows every commit that touches an obligation.
    fn is_enough(&self, snapshot: &Snapshot, revisions: Revisions, business_now: Timestamp) -> bool {
        let later = |last: Timestamp| {
            let next = |regulation| next_period_at(regulation, snapshot, last);
            snapshot.regulations().filter_map(next).all(|at| at > business_now)
        };
        self.under == Some(revisions) && self.since.is_some_and(later)
    }
}

/// When any node last lived: periods that began and ended since then are opened although they are late already. `None` on an empty
/// database, where nothing may be born overdue.
async fn last_seen(gateway: &Gateway) -> Option<Timestamp> {
    let nodes = match gateway.store().nodes().await {
        Ok(nodes) => nodes,
        Err(error) => {
            warn!(%error, "it is not known when a node last lived");
            Vec::new()
        }
    };
    let seen = nodes.first()?.seen_at;
    Some(Timestamp::from_micros(seen.micros().saturating_add(gateway.clock().offset_micros())))
}

/// What one look of the watcher came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Another node watches.
    NotOurs,
    /// All is done until this instant (business time); `None`: nothing is to come.
    Until(Option<Timestamp>),
}

/// How long to sleep after a look.
fn pause(gateway: &Gateway, looked: Looked) -> Duration {
    let lease = Duration::from_millis(u64::from(LEASE_MS) / 2);
    match looked {
        Looked::NotOurs => lease / 2,
        Looked::Until(None) => SLEEP_MAX.min(lease),
        Looked::Until(Some(at)) => {
            let wait = at.since(gateway.clock().business_now()).max(0);
            // Never zero: what is due was marked, and a clock may lie a little behind itself.
            Duration::from_micros(wait.unsigned_abs()).clamp(Duration::from_millis(5), SLEEP_MAX.min(lease))
        }
    }
}

/// One look: opens what the calendar opens, marks what is due, and says until when all is done. For who steps time himself.
///
/// # Errors
/// When the database is away; what was not done yet is done by the next look.
pub async fn round(gateway: &Gateway, asked: &mut Asked) -> Result<Looked, StoreError> {
    let (store, clock) = (gateway.store(), gateway.clock());
    if store.take_lease(LEASE_NAME, gateway.node(), clock.now(), LEASE_MS).await?.is_none() {
        return Ok(Looked::NotOurs);
    }
    open_periodic(gateway, asked).await?;
    open_scheduled(gateway).await?;
    loop {
        let business_now = clock.business_now();
        let due = store.due(business_now, MARKS_MAX).await?;
        if due.is_empty() {
            break;
        }
        let count = due.len();
        let marks = marks(gateway, due, business_now).await?;
        if marks.is_empty() {
            warn!(count, "obligations without an instant to act on");
            break;
        }
        for id in store.mark(marks).await? {
            info!(obligation = %id, "a deadline's instant has come");
        }
    }
    let mut next = store.next_instant().await?.into_iter().chain(store.next_schedule_at().await?).min();
    let snapshot = gateway.snapshot();
    for regulation in snapshot.regulations() {
        let period = next_period_at(regulation, snapshot.as_ref(), clock.business_now());
        next = next.into_iter().chain(period).min();
    }
    Ok(Looked::Until(next))
}

/// What the instants of these obligations bring: their states, who is told, and the signed reminders to those that owe.
async fn marks(gateway: &Gateway, due: Vec<ObligationRow>, business_now: Timestamp) -> Result<Vec<Mark>, StoreError> {
    let (snapshot, now) = (gateway.snapshot(), gateway.clock().now());
    let notify = &gateway.settings().notify;
    let mut steps: Vec<(ObligationRow, Step)> = Vec::with_capacity(due.len());
    for row in due {
        let step = Ladder::of(&row, &snapshot).step(notify, business_now, now);
        steps.extend(step.map(|step| (row, step)));
    }
    let records: Vec<_> = steps.iter().filter_map(|(row, _)| row.record_id).collect();
    let requests = gateway.store().message_ids(&records).await?;
    let signing = gateway.clone();
    let made = tokio::task::spawn_blocking(move || {
        signing.add_reminders(&snapshot, &mut steps, &requests);
        steps.into_iter().map(|(_, step)| step.mark).collect()
    });
    made.await.map_err(|error| StoreError::Corrupt(format!("the reminders were not made: {error}")))
}

/// Opens the months that have begun of the cases' schedules.
async fn open_scheduled(gateway: &Gateway) -> Result<(), StoreError> {
    let (store, snapshot) = (gateway.store(), gateway.snapshot());
    let business_now = gateway.clock().business_now();
    loop {
        let due = store.due_schedules(business_now, SCHEDULES_MAX).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut moved = Vec::new();
        for row in due {
            match scheduled(&snapshot, &row, business_now) {
                Ok((opened, now)) => moved.push(MovedSchedule { row: now, opened, expected_next_at: row.next_at }),
                Err(error) => {
                    warn!(rule = %row.rule, case = %row.case, error, "a month of measures cannot be opened");
                    let later = business_now.plus_seconds(SCHEDULE_PAUSE_SECONDS);
                    moved.push(MovedSchedule {
                        opened: Vec::new(),
                        expected_next_at: row.next_at,
                        row: ScheduledRow { next_at: Some(later), ..row },
                    });
                }
            }
        }
        store.move_schedules(moved, gateway.clock().now()).await?;
    }
}

/// What a schedule has to open by now, and the row as it is then.
fn scheduled(
    snapshot: &Snapshot,
    row: &ScheduledRow,
    business_now: Timestamp,
) -> Result<(Vec<NewObligation>, ScheduledRow), String> {
    let read = effects::schedule_row(row).ok_or("the stored months cannot be read")?;
    let regulation = snapshot.regulation(&row.regulation).map_err(|fault| fault.to_string())?;
    let asked = (&row.rule, row.case, read);
    let (new, now) =
        schedule(regulation, &snapshot.calendars, snapshot, asked, business_now).map_err(|error| error.to_string())?;
    let opened = new.into_iter().map(|obligation| {
        let revision = snapshot.bundle_revision;
        effects::obligation(obligation, None, business_now, revision, &snapshot.calendars, None)
    });
    let opened = opened.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok((opened, effects::scheduled(&now, &row.regulation, &row.rule, row.case)))
}

async fn open_periodic(gateway: &Gateway, asked: &mut Asked) -> Result<(), StoreError> {
    let snapshot = gateway.snapshot();
    let (now, business_now) = (gateway.clock().now(), gateway.clock().business_now());
    let revisions = Revisions { participants: snapshot.participants_revision, bundle: snapshot.bundle_revision };
    if asked.is_enough(&snapshot, revisions, business_now) {
        return Ok(());
    }
    let (mut opened, mut in_part) = (Vec::<NewObligation>::new(), false);
    for regulation in snapshot.regulations() {
        let (new, errors) = periodic(regulation, &snapshot.calendars, snapshot.as_ref(), asked.since, business_now);
        in_part |= !errors.is_empty();
        for error in errors {
            warn!(regulation = regulation.id, %error, "a periodic obligation cannot be opened");
        }
        for obligation in new {
            let made = effects::obligation(
                obligation,
                None,
                business_now,
                snapshot.bundle_revision,
                &snapshot.calendars,
                None,
            );
            match made {
                Ok(obligation) => opened.push(obligation),
                Err(error) => {
                    in_part = true;
                    warn!(%error, "a periodic obligation cannot be opened");
                }
            }
        }
    }
    if !opened.is_empty() {
        gateway.store().open_obligations(opened, now).await?;
    }
    *asked = asked.answered(revisions, business_now, in_part);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_opened_is_asked_for_again_from_when_it_could_not() {
        let (at, under) = (Timestamp::from_micros, Revisions { participants: 1, bundle: 1 });
        let whole = Asked::default().answered(under, at(10), false);
        assert_eq!(whole, Asked { since: Some(at(10)), under: Some(under), in_part: false });
        assert_eq!(whole.configured(), Asked::default(), "new rules open nothing that was due before");
        // The calendar lacks a year for a while; its years come with another configuration.
        let lacking = whole.answered(under, at(20), true).answered(under, at(30), true);
        assert_eq!(lacking, Asked { since: Some(at(10)), under: Some(under), in_part: true });
        assert_eq!(lacking.configured(), Asked { since: Some(at(10)), under: None, in_part: true });
        assert_eq!(lacking.configured().answered(under, at(40), false).since, Some(at(40)));
        // On an empty database nothing is born overdue.
        assert_eq!(Asked::default().answered(under, at(10), true).since, Some(at(10)));
    }
}
