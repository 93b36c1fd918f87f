//! A consent that has ended: what rests on it and was not handed over never goes out.

use std::collections::BTreeSet;

use serde_json::json;

use crate::domain::{CaseId, DataClass, DeliveryId, DeliveryState, ParkReason, ParticipantId, RecordId, Timestamp};

use super::case_work::By;
use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns as _, Select, Tx, Val, text};
use super::voiding::{STILL_OPEN, void};
use super::{JournalEntry, Store, StoreError, obligations};

/// To whom nothing of which classes may go any more in a case, of what goes with a consent only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopping {
    /// The case.
    pub case: CaseId,
    /// Each recipient with the classes that are stopped.
    pub ended: Vec<(ParticipantId, BTreeSet<DataClass>)>,
}

/// Classes as the column `on_consent` holds them.
pub(super) fn words(classes: &BTreeSet<DataClass>) -> String {
    classes.iter().map(|class| class.as_str()).collect::<Vec<_>>().join(" ")
}

/// A delivery on a consent, as it is found when the consent ends.
struct Found {
    id: DeliveryId,
    record_id: RecordId,
    recipient: ParticipantId,
    state: DeliveryState,
    handed_over: bool,
}

impl Found {
    /// What becomes of it: its state and whether what hangs on it is void.
    fn end(&self) -> (DeliveryState, bool) {
        match (self.state, self.handed_over) {
            (DeliveryState::Queued | DeliveryState::Parked, false) => (DeliveryState::Stopped, true),
            (DeliveryState::Expired, false) => (DeliveryState::Expired, true),
            // A worker holds it: what its attempt comes to decides. Or it was handed over, and stays so.
            (state, _) => (state, false),
        }
    }
}

/// Stops what the consent carried. Who holds a delivery under a lease finds it marked before it hands it over; what was handed over
/// stays, but is not sent again by a person's wish.
pub(super) async fn stop(tx: &mut Tx<'_>, rows: &mut Rows<'_>, stopping: &Stopping, by: By) -> Result<(), Failure> {
    let Some(record) = by.record_id else { return Ok(()) };
    let all = found(tx, stopping).await?;
    for found in &all {
        let (state, _) = found.end();
        let sql = if state == DeliveryState::Stopped { STOP } else { MARK };
        let mut values = vec![text(found.id), text(record)];
        if state == DeliveryState::Stopped {
            values.extend([Val::Word(ParkReason::ConsentEnded.as_str()), by.now.into()]);
        }
        tx.one(sql, values).await?;
        rows.touched.deliveries = true;
        let entry = JournalEntry {
            kind: "delivery-consent-ended".to_owned(),
            actor: "store".to_owned(),
            record_id: Some(found.record_id),
            delivery_id: Some(found.id),
            detail: json!({ "by": record, "was": found.state, "is": state, "handedOver": found.handed_over }),
            ..JournalEntry::default()
        };
        rows.entry(&entry, by.now);
    }
    // Once it is known of all of them whether they were handed over.
    for found in all.iter().filter(|found| found.end().1) {
        void_with(tx, rows, (found.record_id, &found.recipient), by).await?;
    }
    Ok(())
}

async fn found(tx: &mut Tx<'_>, stopping: &Stopping) -> Result<Vec<Found>, Failure> {
    if stopping.ended.is_empty() {
        return Ok(Vec::new());
    }
    // What lies in a mailbox and was never fetched has not left the gateway.
    let select = "SELECT d.id, d.record_id, d.recipient, d.on_consent, CASE WHEN d.mailbox = 1 AND d.pull_id IS NULL \
                  AND d.state = 'sent' THEN 'queued' ELSE d.state END AS state, \
                  CASE WHEN d.sent_at IS NULL OR (d.mailbox = 1 AND d.pull_id IS NULL AND d.state = 'sent') THEN 0 ELSE 1 END \
                  AS handed_over FROM deliveries d JOIN messages m ON m.record_id = d.record_id";
    let (sql, values) = Select::new(select)
        .and("m.case_id = ?", vec![text(stopping.case)])
        .and("d.on_consent IS NOT NULL", vec![])
        .and("d.stopped_by IS NULL", vec![])
        .and("d.state <> 'delivered'", vec![])
        .and("d.recipient IN (", vec![])
        .list(stopping.ended.iter().map(|(recipient, _)| text(recipient)).collect())
        .push(") ORDER BY d.id", vec![])
        .push(tx.engine.pick("", " FOR UPDATE OF d"), vec![])
        .into_parts();
    let mut all = Vec::new();
    for row in tx.built(sql, values).await? {
        let recipient = row.parsed("recipient", |t| ParticipantId::parse(t).ok())?;
        let carried = row.opt_parsed("on_consent", DataClass::parse_set)?.unwrap_or_default();
        let ended = stopping.ended.iter().find(|(who, _)| *who == recipient);
        if ended.is_none_or(|(_, classes)| classes.is_disjoint(&carried)) {
            continue;
        }
        all.push(Found {
            id: row.parsed("id", |t| DeliveryId::parse(t).ok())?,
            record_id: row.parsed("record_id", |t| RecordId::parse(t).ok())?,
            recipient,
            state: row.parsed("state", DeliveryState::parse)?,
            handed_over: row.flag("handed_over")?,
        });
    }
    Ok(all)
}

/// Makes void what hangs on a message that does not go out: what it opened for its recipient, and what the copies of it for others opened
/// for this one (a programme names everybody's measures), but for what an earlier one that was handed over opened.
async fn void_with(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'_>,
    (record, recipient): (RecordId, &ParticipantId),
    by: By,
) -> Result<(), Failure> {
    let select = Select::new(obligations::SELECT)
        .and(HANGS_ON, vec![text(record), text(record), text(recipient), text(recipient)])
        .and("(debtor = ? OR creditor = ?)", vec![text(recipient), text(recipient)])
        .and(STILL_OPEN, vec![]);
    void(tx, rows, select, ParkReason::ConsentEnded.as_str(), by).await
}

/// After a worker has settled a delivery as stopped: what hangs on it is void, as of the message that ended the consent.
pub(super) async fn settled(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'_>,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<(), Failure> {
    let sql = "SELECT d.record_id, d.recipient, d.stopped_by, m.business_at FROM deliveries d \
               JOIN messages m ON m.record_id = d.stopped_by WHERE d.id = $1";
    for row in tx.one(sql, vec![text(delivery)]).await? {
        let record = row.parsed("record_id", |t| RecordId::parse(t).ok())?;
        let recipient = row.parsed("recipient", |t| ParticipantId::parse(t).ok())?;
        let by = row.parsed("stopped_by", |t| RecordId::parse(t).ok())?;
        let by = By { record_id: Some(by), at: row.at("business_at")?, now };
        void_with(tx, rows, (record, &recipient), by).await?;
    }
    Ok(())
}

impl Store {
    /// Whether a delivery under our lease may still be handed over: the lease is ours, and the consent that it rests on has not ended. Ask
    /// right before a byte goes out.
    ///
    /// # Errors
    /// When the database is away; then send nothing.
    pub async fn still_goes(&self, delivery: DeliveryId, epoch: i64) -> Result<bool, StoreError> {
        let found = Select::new("SELECT id FROM deliveries")
            .and("id = ?", vec![text(delivery)])
            .and("lease_epoch = ?", vec![epoch.into()])
            .push(" AND state = 'leased' AND stopped_by IS NULL", vec![])
            .fetch(self.readers())
            .await?;
        Ok(!found.is_empty())
    }
}

/// The message itself, and copies of its document in its case for others that are newer than what its recipient has.
const HANGS_ON: &str = "(record_id = ? OR record_id IN (SELECT c.record_id FROM messages c JOIN messages m ON m.record_id = ? \
    AND c.case_id = m.case_id AND c.type_name = m.type_name AND c.test = 0 WHERE c.recipient <> ? AND c.record_id > COALESCE((SELECT \
    MAX(d.record_id) FROM deliveries d JOIN messages h ON h.record_id = d.record_id WHERE h.case_id = m.case_id \
    AND h.type_name = m.type_name AND h.test = 0 AND d.recipient = ? AND d.sent_at IS NOT NULL), '')))";

/// Due at once, so that its sender is told.
const STOP: &str = "UPDATE deliveries SET state = 'stopped', stopped_by = $2, reason = $3, detail = NULL, settled_at = $4, \
    next_at = $4, sent_at = NULL, mailbox = 0 WHERE id = $1";
const MARK: &str = "UPDATE deliveries SET stopped_by = $2 WHERE id = $1";
