//! Dead letters: deliveries that ended without having been delivered, and what a person does with them.

use serde_json::json;

use crate::access::Scope;
use crate::domain::{
    ActKind, DeliveryId, DeliveryState, ObligationState, ParkReason, ParticipantId, RecordId, Remark, SettleKind,
    Timestamp,
};

use super::delivery_rows as deliveries;
use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns as _, Select, Tx, Val, Vals, opt_text, text};
use super::views::{HandoverCursor, within};
use super::writer::Write;
use super::{
    ActRow, DeliveryRow, JournalEntry, MessageRow, NewMessage, ObligationRow, Replay, Store, StoreError, act_rows,
    attachments, late, messages, obligations,
};

/// Which dead letters; `None` and empty mean any.
#[derive(Debug, Clone, Default)]
pub struct DeadFilter {
    /// For this participant.
    pub recipient: Option<ParticipantId>,
    /// From this participant.
    pub sender: Option<ParticipantId>,
    /// In one of these states, of `parked`, `refused` and `expired`.
    pub states: Vec<DeliveryState>,
    /// Parked for this reason.
    pub reason: Option<ParkReason>,
    /// Refused with this code.
    pub fault_code: Option<String>,
    /// Of this type.
    pub type_name: Option<String>,
    /// Ended at this instant or later.
    pub since: Option<Timestamp>,
    /// Ended before this instant.
    pub until: Option<Timestamp>,
    /// Only of this part of the region.
    pub within: Scope,
}

/// A dead letter with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadDelivery {
    /// The delivery.
    pub delivery: DeliveryRow,
    /// The message.
    pub message: MessageRow,
}

/// A person's decision that a delivery does not go out.
#[derive(Debug, Clone)]
pub struct Discard {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Machine time.
    pub now: Timestamp,
    /// Business time, of the obligations that it ends.
    pub business_now: Timestamp,
    /// Who decides.
    pub author: String,
    /// Why. Kept beside the delivery's attempts, not in the journal.
    pub why: Remark,
    /// The notice to the sender.
    pub made: Vec<NewMessage>,
}

const DEAD: &str = "d.state IN ('parked', 'refused', 'expired')";

impl Store {
    /// Dead letters, the message that was accepted first at first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn dead_letters(
        &self,
        filter: &DeadFilter,
        after: Option<HandoverCursor>,
        limit: u32,
    ) -> Result<Vec<DeadDelivery>, StoreError> {
        let mut select = Select::new(&deliveries::select_both())
            .and(DEAD, vec![])
            .and_some("d.recipient = ?", filter.recipient.as_ref().map(text))
            .and_some("m.sender = ?", filter.sender.as_ref().map(text))
            .and_some("d.reason = ?", filter.reason.map(text))
            .and_some("d.fault_code = ?", filter.fault_code.as_ref().map(text))
            .and_some("m.type_name = ?", filter.type_name.as_ref().map(text))
            .and_some("d.settled_at >= ?", filter.since.map(Val::from))
            .and_some("d.settled_at < ?", filter.until.map(Val::from));
        select = within(select, &filter.within, ["m.sender", "d.recipient"], "m.case_id");
        if !filter.states.is_empty() {
            let words = filter.states.iter().map(|state| Val::Word(state.as_str())).collect();
            select = select.and("d.state IN (", vec![]).list(words).push(")", vec![]);
        }
        if let Some(after) = after {
            select = select.and("(d.record_id, d.id) > (?, ?)", vec![text(after.record_id), text(after.id)]);
        }
        let found = select
            .push(" ORDER BY d.record_id, d.id LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(DeadDelivery { delivery: deliveries::row(row)?, message: messages::row(row)? })
        };
        found.iter().map(row).collect()
    }

    /// Ends a dead letter for good. `false`: it is none (any more), and nothing was written. In the same transaction the sender is told, and
    /// what waited for the handing over is cancelled.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn discard(&self, discard: Discard) -> Result<bool, StoreError> {
        self.task(DiscardTask(discard)).await
    }
}

/// A line in the history of a delivery that no attempt made: what a person did, under a lease's number of its own.
fn history<'a>(
    id: DeliveryId,
    epoch: i64,
    at: Timestamp,
    state: DeliveryState,
    reason: Option<ParkReason>,
    detail: &str,
) -> Vals<'a> {
    let state = Val::Word(state.as_str());
    vec![text(id), epoch.into(), at.into(), state, opt_text(reason), text(detail), opt_text(None::<String>)]
}

#[derive(Debug)]
struct DiscardTask(Discard);

impl Write for DiscardTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let discard = &self.0;
        let sql = "UPDATE deliveries SET state = 'discarded', next_at = NULL, reason = $2, settled_at = $3, mailbox = 0, \
                   lease_epoch = lease_epoch + 1 WHERE id = $1 AND state IN ('parked', 'refused', 'expired') \
                   RETURNING record_id, lease_epoch, sent_at";
        let values = vec![text(discard.delivery_id), text(ParkReason::Discarded), discard.now.into()];
        let found = tx.one(sql, values).await?;
        let Some(row) = found.first() else { return Ok(false) };
        let record = row.parsed("record_id", |t| RecordId::parse(t).ok())?;
        let handed_over = row.opt_at("sent_at")?.is_some();
        let detail = format!("{}: {}", discard.author, discard.why);
        let (id, epoch) = (discard.delivery_id, row.int("lease_epoch")?);
        let reason = Some(ParkReason::Discarded);
        rows.attempt(history(id, epoch, discard.now, DeliveryState::Discarded, reason, &detail));
        let entry = JournalEntry {
            kind: "delivery-discarded".to_owned(),
            actor: discard.author.clone(),
            record_id: Some(record),
            delivery_id: Some(id),
            detail: json!({ "handedOver": handed_over }),
            ..JournalEntry::default()
        };
        rows.entry(&entry, discard.now);
        rows.touched.deliveries = true;
        rows.made_apart(tx, &discard.made).await?;
        cancel_waiting(tx, rows, record, discard).await?;
        Ok(true)
    }
}

/// Ends what would have begun with the handing over.
async fn cancel_waiting(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'_>,
    record: RecordId,
    discard: &Discard,
) -> Result<(), Failure> {
    let (sql, values) = Select::new(obligations::SELECT)
        .and("record_id = ?", vec![text(record)])
        .and("state = 'pending'", vec![])
        .push(tx.engine.pick("", " FOR UPDATE"), vec![])
        .into_parts();
    let mut acts = Vec::new();
    for row in tx.built(sql, values).await? {
        let before = obligations::row(&row)?;
        let after = ObligationRow {
            state: ObligationState::Cancelled,
            next_at: None,
            settled_at: Some(discard.business_now),
            settle_kind: Some(SettleKind::Cancellation),
            ..before.clone()
        };
        act_rows::change(tx, &after).await?;
        let (id, times) = (rows.next_id(discard.now), (discard.business_now, discard.now));
        let act = ActRow::new(id, ActKind::Cancel, (&before, &after), times, discard.author.clone());
        acts.push(ActRow { note: Some(discard.why.clone()), ..act });
        rows.of_obligation("obligation-cancelled", before.id, json!({ "why": "delivery-discarded" }));
    }
    act_rows::insert(tx, &acts).await
}

/// Puts stopped deliveries back.
#[derive(Debug)]
pub(super) struct ReplayTask(pub(super) Replay);

impl Write for ReplayTask {
    type Out = Vec<DeliveryId>;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<Vec<DeliveryId>, Failure> {
        let replay = &self.0;
        attachments::lock_listed(tx, &replay.delivery_ids).await?;
        let ids: Vals<'_> = replay.delivery_ids.iter().map(text).collect();
        let (sql, vals) = Select::new(
            "UPDATE deliveries SET state = 'queued', attempts = 0, settled_at = NULL, expires_at = NULL, mailbox = 0, \
             pull_until = NULL, reason = NULL, fault_code = NULL, detail = NULL, lease_epoch = lease_epoch + 1",
        )
        .push(", next_at = ?, replayed_at = ?", vec![replay.now.into(), replay.now.into()])
        .push(" WHERE stopped_by IS NULL AND state IN ('parked', 'expired', 'refused') AND id IN (", vec![])
        .list(ids)
        .push(") RETURNING id, record_id, lease_epoch", vec![])
        .into_parts();
        let (mut put_back, mut records, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for row in tx.built(sql, vals).await? {
            let id = row.parsed("id", |t| DeliveryId::parse(t).ok())?;
            let why = replay.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
            let detail = format!("{}{why}", replay.actor);
            rows.attempt(history(id, row.int("lease_epoch")?, replay.now, DeliveryState::Queued, None, &detail));
            let entry = JournalEntry {
                kind: "delivery-replayed".to_owned(),
                actor: replay.actor.clone(),
                delivery_id: Some(id),
                detail: json!({ "retranslate": replay.retranslate }),
                ..JournalEntry::default()
            };
            rows.entry(&entry, replay.now);
            rows.touched.deliveries = true;
            if replay.retranslate {
                tx.one("DELETE FROM outgoing WHERE delivery_id = $1", vec![text(id)]).await?;
                let clear = "UPDATE deliveries SET out_digest = NULL, out_certificate = NULL WHERE id = $1";
                tx.one(clear, vec![text(id)]).await?;
            }
            let record = row.text("record_id")?;
            put_back.push(id);
            whole.push(vec![text(&record), replay.now.into()]);
            records.push(vec![text(record)]);
        }
        // What awaits an attachment goes on waiting. What had expired before its files came counts from here on.
        tx.many(&attachments::HOLD, &records).await?;
        late::complete(tx, rows, &whole).await?;
        Ok(put_back)
    }
}
