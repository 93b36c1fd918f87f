//! What is held: deliveries of participants to whom nothing goes out now, leases that a stopping node gives back, and when the next is due.

use crate::domain::{DeliveryId, ParticipantId, RecordId, Timestamp};

use super::claims::{Taken, find, take};
use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns as _, Select, Stmt, Tx, text};
use super::writer::Write;
use super::{Claim, Claimed, Store, StoreError};

/// The ranks of [`crate::domain::Priority`].
const RANKS: [i64; 3] = [2, 1, 0];

/// Recipients of what may be claimed some time, each found by one step in the index.
const RECIPIENTS: &str = "WITH RECURSIVE r (r_id) AS (SELECT MIN(recipient) FROM deliveries WHERE next_at IS NOT NULL UNION ALL \
    SELECT (SELECT MIN(d.recipient) FROM deliveries d WHERE d.recipient > r.r_id AND d.next_at IS NOT NULL) FROM r \
    WHERE r.r_id IS NOT NULL) SELECT r_id FROM r WHERE r_id IS NOT NULL";

impl Store {
    /// The earliest instant at which any delivery can be claimed, but for those of `except` (dispatch sleeps until then).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn next_delivery_at(&self, except: &[ParticipantId]) -> Result<Option<Timestamp>, StoreError> {
        if except.is_empty() {
            let select =
                Select::new("SELECT MIN(next_at) AS next_at FROM deliveries").and("next_at IS NOT NULL", vec![]);
            let found = select.fetch(self.readers()).await?;
            return found.first().map_or(Ok(None), |row| row.opt_at("next_at"));
        }
        // What is held may be much: of each of the others the first of its own.
        let others = Select::new(RECIPIENTS).push(" AND r_id NOT IN (", vec![]);
        let others = others.list(except.iter().map(text).collect()).push(")", vec![]).fetch(self.readers()).await?;
        let mut earliest: Option<Timestamp> = None;
        for row in &others {
            let recipient = row.text("r_id")?;
            let mut select = Select::new("SELECT MIN(q_next) AS next_at FROM (");
            for (i, rank) in RANKS.iter().enumerate() {
                let all = if i == 0 { "" } else { " UNION ALL " };
                let part = format!(
                    "{all}SELECT MIN(next_at) AS q_next FROM deliveries WHERE recipient = ? AND priority = {rank} \
                     AND next_at IS NOT NULL"
                );
                select = select.push(&part, vec![text(&recipient)]);
            }
            let found = select.push(") AS q", vec![]).fetch(self.readers()).await?;
            let own = found.first().map_or(Ok(None), |row| row.opt_at("next_at"))?;
            earliest = earliest.into_iter().chain(own).min();
        }
        Ok(earliest)
    }

    /// To whom anything has been due since `before` or longer.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn recipients_due(&self, before: Timestamp) -> Result<Vec<ParticipantId>, StoreError> {
        let due = |rank: i64| {
            format!(
                "EXISTS (SELECT 1 FROM deliveries x WHERE x.recipient = r_id AND x.priority = {rank} AND x.next_at <= ?)"
            )
        };
        let [a, b, c] = RANKS.map(due);
        let found = Select::new(RECIPIENTS)
            .push(&format!(" AND ({a} OR {b} OR {c})"), vec![before.into(), before.into(), before.into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(|row| row.parsed("r_id", |t| ParticipantId::parse(t).ok())).collect()
    }

    /// Due deliveries of a participant, never handed over, that end all the same: stopped, past `Expires`, or, with `accepted_before`,
    /// waiting since before it (of those that a person put back: since then).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn lapsed(
        &self,
        participant: &ParticipantId,
        now: Timestamp,
        accepted_before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let mut select = Select::new("SELECT id FROM deliveries")
            .and("recipient = ?", vec![text(participant)])
            .and("priority IN (0, 1, 2)", vec![])
            .and("next_at <= ?", vec![now.into()])
            .and("state IN ('queued', 'stopped')", vec![])
            .and("sent_at IS NULL", vec![]);
        select = match accepted_before {
            None => select.and("(expires_at <= ? OR state = 'stopped')", vec![now.into()]),
            Some(before) => select.and(
                "(expires_at <= ? OR state = 'stopped' OR replayed_at <= ? OR (replayed_at IS NULL AND record_id < ?))",
                vec![now.into(), before.into(), text(first_record_of(before))],
            ),
        };
        let found = select.push(" LIMIT ?", vec![i64::from(limit).into()]).fetch(self.readers()).await?;
        found.iter().map(|row| row.parsed("id", |t| DeliveryId::parse(t).ok())).collect()
    }

    /// Takes these deliveries, where they are due, whatever slots there are.
    ///
    /// # Errors
    /// As of [`Store::claim`].
    pub async fn claim_these(&self, claim: Claim, ids: Vec<DeliveryId>) -> Result<Vec<Claimed>, StoreError> {
        let taken = self.task(TheseTask { claim, ids }).await?;
        self.claimed(&taken).await
    }

    /// Takes one delivery of a participant that is away, as a probe, if one is due and no other node probes before `next_probe`.
    ///
    /// # Errors
    /// As of [`Store::claim`].
    pub async fn claim_probe(
        &self,
        claim: Claim,
        participant: &ParticipantId,
        next_probe: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let taken = self.task(ProbeTask { claim, participant: participant.clone(), next_probe }).await?;
        self.claimed(&taken).await
    }

    /// Gives deliveries back that this node held and will not settle, each with its lease's number, for whoever comes next; the attempt does
    /// not count. Returns how many were still ours.
    ///
    /// # Errors
    /// When the database is away; they come back when their leases end.
    pub async fn release(&self, held: Vec<(DeliveryId, i64)>, now: Timestamp) -> Result<u64, StoreError> {
        self.task(ReleaseTask { held, now }).await
    }

    /// Gives back the named leases of a node that stops, so that another takes over at once.
    ///
    /// # Errors
    /// When the database is away; they end by themselves.
    pub async fn release_leases(&self, node: &str) -> Result<(), StoreError> {
        self.task(ReleaseLeasesTask(node.to_owned())).await
    }
}

/// The least id that a record accepted at this instant can have.
fn first_record_of(at: Timestamp) -> RecordId {
    let millis = u64::try_from(at.micros().max(0) / 1_000).unwrap_or_default();
    RecordId::from_uuid(uuid::Uuid::from_u64_pair((millis << 16) | 0x7000, 1 << 63))
}

#[derive(Debug)]
struct TheseTask {
    claim: Claim,
    ids: Vec<DeliveryId>,
}

impl Write for TheseTask {
    type Out = Vec<Taken>;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<Vec<Taken>, Failure> {
        take(tx, &self.claim, self.ids.iter().map(ToString::to_string).collect()).await
    }
}

#[derive(Debug)]
struct ProbeTask {
    claim: Claim,
    participant: ParticipantId,
    next_probe: Timestamp,
}

impl Write for ProbeTask {
    type Out = Vec<Taken>;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<Vec<Taken>, Failure> {
        // First whether anything is there: without it nothing is written.
        let ids = find(tx, &self.claim).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "UPDATE breakers SET probe_at = $3, probes = probes + 1 WHERE participant = $1 AND probe_at <= $2 \
                   RETURNING participant";
        let values = vec![text(&self.participant), self.claim.now.into(), self.next_probe.into()];
        if tx.one(sql, values).await?.is_empty() {
            return Ok(Vec::new());
        }
        take(tx, &self.claim, ids).await
    }
}

#[derive(Debug)]
struct ReleaseTask {
    held: Vec<(DeliveryId, i64)>,
    now: Timestamp,
}

impl Write for ReleaseTask {
    type Out = u64;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<u64, Failure> {
        let values: Vec<_> =
            self.held.iter().map(|(id, epoch)| vec![text(id), (*epoch).into(), self.now.into()]).collect();
        let released = tx.many(&RELEASE, &values).await?.len();
        rows.touched.deliveries |= released > 0;
        Ok(u64::try_from(released).unwrap_or(u64::MAX))
    }
}

/// As if it had not been taken, but that its lease's number has risen.
const RELEASE: Stmt = Stmt {
    head: "WITH v (v_id, v_epoch, v_now) AS (VALUES ",
    tail: ") UPDATE deliveries SET state = CASE WHEN claimed_from IN ('sent', 'stopped') THEN claimed_from ELSE 'queued' END, next_at = v_now, \
           attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END FROM v \
           WHERE id = v_id AND lease_epoch = v_epoch AND state = 'leased' RETURNING id",
};

#[derive(Debug)]
struct ReleaseLeasesTask(String);

impl Write for ReleaseLeasesTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        tx.one("UPDATE leases SET lease_until = 0 WHERE owner = $1", vec![text(&self.0)]).await?;
        Ok(())
    }
}
