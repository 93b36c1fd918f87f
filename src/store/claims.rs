//! Claiming due deliveries: the statements that differ between the engines.

use std::collections::HashMap;

use crate::domain::{ConversationId, DeliveryId, DeliveryState, ParticipantId, RecordId, Timestamp};

use super::delivery_rows::{self as deliveries, read_outgoing};
use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns as _, Select, Tx, Vals, text};
use super::writer::Write;
use super::{Claim, Claimed, Store, StoreError, messages};

/// How many participants one statement asks for; more go in several.
const STATEMENT_PARTICIPANTS_MAX: usize = 32;

/// The ranks of [`crate::domain::Priority`], highest first.
const RANKS: [i64; 3] = [2, 1, 0];

/// A delivery that was just taken.
#[derive(Debug)]
pub(super) struct Taken {
    id: DeliveryId,
    epoch: i64,
}

/// Takes due deliveries.
#[derive(Debug)]
pub(super) struct ClaimTask(pub(super) Claim);

impl Write for ClaimTask {
    type Out = Vec<Taken>;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<Vec<Taken>, Failure> {
        let ids = find(tx, &self.0).await?;
        take(tx, &self.0, ids).await
    }
}

/// What a claim may take now, in its order.
pub(super) async fn find(tx: &mut Tx<'_>, claim: &Claim) -> Result<Vec<String>, Failure> {
    let mut slots: Vec<_> = claim.slots.iter().filter(|s| s.free > 0).map(|s| (&s.participant, s.free)).collect();
    slots.sort();
    slots.dedup_by_key(|s| s.0);
    let mut found = Vec::new();
    for some in slots.chunks(STATEMENT_PARTICIPANTS_MAX) {
        let waiting = recipients_waiting(tx, some, claim.now).await?;
        if waiting.is_empty() {
            continue;
        }
        let (sql, vals) = candidates(tx, &waiting, claim);
        for row in tx.built(sql, vals).await? {
            let order = (-row.int("c_priority")?, row.int("c_next_at")?, row.text("c_record_id")?, row.text("c_id")?);
            found.push((order, row.text("c_recipient")?));
        }
    }
    found.sort();
    // Each rank was asked for as many as are free; together they may be more.
    let mut free: HashMap<_, _> = slots.into_iter().map(|(p, free)| (p.as_str(), free)).collect();
    let mut ids = Vec::new();
    for ((_, _, _, id), recipient) in found {
        match free.get_mut(recipient.as_str()) {
            Some(free) if *free > 0 && ids.len() < claim.limit as usize => *free -= 1,
            Some(_) | None => continue,
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Which of these participants have anything due: one cheap statement, so that the next names only those.
async fn recipients_waiting(
    tx: &mut Tx<'_>,
    slots: &[(&ParticipantId, u32)],
    now: Timestamp,
) -> Result<Vec<(String, u32)>, Failure> {
    let due = |rank: i64| {
        format!(
            "EXISTS (SELECT 1 FROM deliveries d WHERE d.recipient = r_id AND d.priority = {rank} AND d.next_at <= ?)"
        )
    };
    let mut select = Select::new("WITH r (r_id) AS (VALUES ");
    for (i, (participant, _)) in slots.iter().enumerate() {
        select = select.push(if i == 0 { "(?)" } else { ", (?)" }, vec![text(participant)]);
    }
    let [a, b, c] = RANKS.map(due);
    let (sql, vals) = select
        .push(&format!(") SELECT r_id FROM r WHERE {a} OR {b} OR {c}"), vec![now.into(), now.into(), now.into()])
        .into_parts();
    let free: HashMap<String, u32> = slots.iter().map(|(p, free)| (p.to_string(), *free)).collect();
    let mut waiting = Vec::new();
    for row in tx.built(sql, vals).await? {
        let id = row.text("r_id")?;
        let free = free.get(&id).copied().unwrap_or(0);
        waiting.push((id, free));
    }
    Ok(waiting)
}

/// For each participant and rank the first due rows, straight from the index; no sort over a backlog.
fn candidates<'a>(tx: &Tx<'_>, waiting: &[(String, u32)], claim: &Claim) -> (String, Vals<'a>) {
    let for_update = tx.engine.for_update();
    let mut select = Select::new("");
    for (i, (recipient, free)) in waiting.iter().enumerate() {
        for (j, rank) in RANKS.iter().enumerate() {
            let all = if i + j == 0 { "" } else { " UNION ALL " };
            let text_of_one = format!(
                "{all}SELECT * FROM (SELECT d.id AS c_id, d.priority AS c_priority, d.next_at AS c_next_at, \
                 d.record_id AS c_record_id, d.recipient AS c_recipient FROM deliveries d WHERE d.recipient = ? \
                 AND d.priority = {rank} AND d.next_at <= ? AND (d.in_order = 0 OR NOT EXISTS (SELECT 1 FROM deliveries e \
                 WHERE e.in_order = 1 AND e.recipient = d.recipient AND e.conversation_id = d.conversation_id \
                 AND e.record_id < d.record_id AND e.state IN ('queued', 'leased', 'sent', 'parked'))) \
                 ORDER BY d.next_at, d.record_id LIMIT ?{for_update}) AS q{i}_{j}"
            );
            // Every candidate is locked on PostgreSQL: never more than can be taken.
            let vals = vec![text(recipient), claim.now.into(), i64::from((*free).min(claim.limit)).into()];
            select = select.push(&text_of_one, vals);
        }
    }
    select.into_parts()
}

/// Puts the lease on, testing once more that the row is due: on PostgreSQL another node may have taken it meanwhile.
pub(super) async fn take(tx: &mut Tx<'_>, claim: &Claim, ids: Vec<String>) -> Result<Vec<Taken>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let until = claim.now.plus_millis(i64::from(claim.lease_ms));
    let (sql, vals) = Select::new(
        "UPDATE deliveries SET claimed_from = state, state = 'leased', lease_epoch = lease_epoch + 1, attempts = attempts + 1",
    )
    .push(", lease_owner = ?, next_at = ?", vec![text(&claim.node), until.into()])
    .and("next_at <= ?", vec![claim.now.into()])
    .push(" AND state IN ('queued', 'leased', 'sent', 'stopped') AND id IN (", vec![])
    .list(ids.iter().map(text).collect())
    .push(") RETURNING id, lease_epoch", vec![])
    .into_parts();
    let mut epochs = HashMap::new();
    for row in tx.built(sql, vals).await? {
        epochs.insert(row.text("id")?, row.int("lease_epoch")?);
    }
    let parse = |id: &String| DeliveryId::parse(id).map_err(|_| Failure::Rows("column id".to_owned()));
    ids.iter()
        .filter_map(|id| epochs.get(id).map(|e| (id, *e)))
        .map(|(id, epoch)| Ok(Taken { id: parse(id)?, epoch }))
        .collect()
}

impl Store {
    /// The last record of a conversation that goes to a participant in order: what comes next must have a greater id, whichever node's
    /// clock it is made by.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn last_in_order(
        &self,
        recipient: &ParticipantId,
        conversation: ConversationId,
    ) -> Result<Option<RecordId>, StoreError> {
        let found = Select::new("SELECT MAX(record_id) AS record_id FROM deliveries WHERE in_order = 1")
            .push(" AND recipient = ? AND conversation_id = ?", vec![text(recipient), text(conversation)])
            .fetch(self.readers())
            .await?;
        found.first().map_or(Ok(None), |row| row.opt_parsed("record_id", |t| RecordId::parse(t).ok()))
    }

    /// Reads what dispatch needs, outside of the writer: the rows are ours and their contents do not change.
    pub(super) async fn claimed(&self, taken: &[Taken]) -> Result<Vec<Claimed>, StoreError> {
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {}, {}, d.replayed_at, c.bytes, c.canonical, o.signed FROM deliveries d \
             JOIN messages m ON m.record_id = d.record_id JOIN contents c ON c.record_id = d.record_id \
             LEFT JOIN outgoing o ON o.delivery_id = d.id WHERE d.id IN (",
            deliveries::COLUMNS,
            messages::COLUMNS
        );
        let found = Select::new(&sql)
            .list(taken.iter().map(|t| text(t.id)).collect())
            .push(")", vec![])
            .fetch(self.readers())
            .await?;
        let records = found.iter().map(|row| row.text("record_id")).collect::<Result<Vec<_>, _>>()?;
        let mut pending = self.pending_of(&records).await?;
        let mut by_id = HashMap::new();
        for row in &found {
            let delivery = deliveries::row(row)?;
            let claimed = Claimed {
                delivery_id: delivery.id,
                epoch: delivery.epoch,
                attempt: delivery.attempts,
                from: row.parsed("claimed_from", DeliveryState::parse)?,
                recipient: delivery.recipient,
                expires: delivery.expires,
                sent_at: delivery.sent_at,
                reason: delivery.reason,
                waiting_since: row.opt_at("replayed_at")?,
                on_consent: delivery.on_consent.is_some(),
                stopped: delivery.stopped_by.is_some() && delivery.sent_at.is_none(),
                message: messages::row(row)?,
                bytes: row.bytes("bytes")?,
                canonical: row.opt_bytes("canonical")?,
                outgoing: read_outgoing(row)?,
                pending: pending.remove(&delivery.record_id).unwrap_or_default(),
            };
            by_id.insert(delivery.id, claimed);
        }
        // In the claim's order; a row whose epoch rose since is another's already.
        Ok(taken.iter().filter_map(|t| by_id.remove(&t.id).filter(|c| c.epoch == t.epoch)).collect())
    }
}
