//! How notifications go out: gathered into mailings, claimed under a lease, settled under its number.
//!
//! A mailing is one notification, or a digest of all that wait for one address once there would be too many. It is written, and with
//! it the id by which the receiver knows it, before anything goes over the wire.

use crate::domain::{MailingId, NotificationChannel, ObligationId, ParkReason, Timestamp};

use super::error::Failure;
use super::nodes::take_lease;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, Val, Vals, text};
use super::writer::Write;
use super::{JournalEntry, Store, StoreError};

/// The name of the lease under which one node tells people, so that what goes to one address is counted in one place.
const NOTIFIER: &str = "notifier";

/// The most notifications that are made mailings of their own in one round.
const SINGLES_MAX: i64 = 1_000;

/// One look of the notifier.
#[derive(Debug, Clone)]
pub struct NotifyRound {
    /// Who looks.
    pub node: String,
    /// Machine time.
    pub now: Timestamp,
    /// Business time.
    pub business_now: Timestamp,
    /// How long the notifier's lease lasts, in milliseconds.
    pub lease_ms: u32,
    /// How many mailings may be taken now, and how.
    pub limits: RoundLimits,
}

/// The limits of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundLimits {
    /// Mailings to claim.
    pub claim_max: u32,
    /// How long a claimed mailing stays ours, in milliseconds.
    pub mailing_lease_ms: u32,
    /// A notification waits so long for company, in milliseconds.
    pub gather_ms: u32,
    /// At most so many mailings go to one address within the window; when more wait, they go as one digest.
    pub window_mailings_max: u32,
    /// The window, in milliseconds.
    pub window_ms: u32,
}

/// A mailing to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedMailing {
    /// Its id, the same in every attempt.
    pub id: MailingId,
    /// How.
    pub channel: NotificationChannel,
    /// The address.
    pub target: String,
    /// The group for which it was chosen.
    pub group: String,
    /// Whether it is a digest.
    pub digest: bool,
    /// When it was made (machine time).
    pub made_at: Timestamp,
    /// The lease's number.
    pub epoch: i64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// What is to be sent now.
    pub mailings: Vec<ClaimedMailing>,
    /// When to look again for a mailing or for room (machine time).
    pub next_at: Option<Timestamp>,
    /// When the next notification's hour comes (business time).
    pub next_business_at: Option<Timestamp>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailingOutcome {
    /// The other side has taken it.
    Sent,
    /// It is tried again at this instant (machine time).
    Again {
        /// When.
        at: Timestamp,
        /// Why it failed.
        reason: ParkReason,
        /// What happened: no addresses, no texts.
        detail: String,
    },
    /// Given up.
    Park {
        /// Why.
        reason: ParkReason,
        /// What happened: no addresses, no texts.
        detail: String,
    },
}

/// The end of an attempt.
#[derive(Debug, Clone)]
pub struct SettleMailing {
    /// Which.
    pub mailing: ClaimedMailing,
    /// What came of it.
    pub outcome: MailingOutcome,
    /// Machine time.
    pub now: Timestamp,
}

impl Store {
    /// Makes mailings of what waits, and takes those that are to be tried now. `None` when another node is the notifier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn notify_round(&self, round: NotifyRound) -> Result<Option<Taken>, StoreError> {
        self.task(RoundTask(round)).await
    }

    /// Writes what came of an attempt, if the lease is still ours. Returns whether it was.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn settle_mailing(&self, settle: SettleMailing) -> Result<bool, StoreError> {
        self.task(SettleTask(settle)).await
    }
}

impl Store {
    /// Puts what was given up back, to be tried at once with the same id: these mailings, or all where none is named. Returns how many.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn retry_mailings(&self, ids: Vec<MailingId>, actor: &str, now: Timestamp) -> Result<usize, StoreError> {
        self.task(RetryTask { ids, actor: actor.to_owned(), now }).await
    }
}

#[derive(Debug)]
struct RetryTask {
    ids: Vec<MailingId>,
    actor: String,
    now: Timestamp,
}

impl Write for RetryTask {
    type Out = usize;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<usize, Failure> {
        let mut update = Select::new("UPDATE mailings SET state = 'queued', attempts = 0, settled_at = NULL")
            .push(", next_at = ? WHERE state = 'parked'", vec![self.now.into()]);
        if !self.ids.is_empty() {
            update = update.push(" AND id IN (", vec![]).list(self.ids.iter().map(text).collect()).push(")", vec![]);
        }
        let (sql, vals) = update.push(" RETURNING id", vec![]).into_parts();
        let found = tx.built(sql, vals).await?;
        for row in &found {
            let entry = JournalEntry {
                kind: "notification-retried".to_owned(),
                actor: self.actor.clone(),
                detail: serde_json::json!({ "mailing": row.text("id")? }),
                ..JournalEntry::default()
            };
            rows.entry(&entry, self.now);
            rows.touched.notifications = true;
        }
        Ok(found.len())
    }
}

#[derive(Debug)]
struct RoundTask(NotifyRound);

impl Write for RoundTask {
    type Out = Option<Taken>;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<Option<Taken>, Failure> {
        let round = &self.0;
        // Its row is held until the commit, so that two nodes never gather at once.
        if take_lease(tx, NOTIFIER, &round.node, round.now, round.lease_ms).await?.is_none() {
            return Ok(None);
        }
        drop_settled(tx, rows, round).await?;
        let room_at = gather(tx, rows, round).await?;
        let mailings = claim(tx, round).await?;
        let next = tx.one("SELECT MIN(next_at) AS at FROM mailings WHERE next_at IS NOT NULL", vec![]).await?;
        let next = next.first().map_or(Ok(None), |row| row.opt_at("at"))?;
        let waiting = "SELECT MIN(send_at) AS at FROM notifications \
                       WHERE mailing_id IS NULL AND dropped_at IS NULL AND send_at > $1";
        let gathered = round.business_now.plus_millis(-i64::from(round.limits.gather_ms));
        let waiting = tx.one(waiting, vec![gathered.into()]).await?;
        let waiting = waiting.first().map_or(Ok(None), |row| row.opt_at("at"))?;
        Ok(Some(Taken {
            mailings,
            next_at: next.into_iter().chain(room_at).min(),
            next_business_at: waiting.map(|at| at.plus_millis(i64::from(round.limits.gather_ms))),
        }))
    }
}

/// What its hour finds settled or moved is not told any more: a warning when it is met or overdue by then, an overdue when it was met,
/// waived or extended over the weekend.
async fn drop_settled(tx: &mut Tx<'_>, rows: &mut Rows<'_>, round: &NotifyRound) -> Result<(), Failure> {
    let sql = "UPDATE notifications SET dropped_at = $1 WHERE mailing_id IS NULL AND dropped_at IS NULL AND send_at <= $2 \
               AND NOT EXISTS (SELECT 1 FROM obligations o WHERE o.id = notifications.obligation_id \
               AND ((notifications.stage = 'warning' AND o.state = 'warned') \
               OR (notifications.stage <> 'warning' AND o.state = 'overdue'))) RETURNING id, obligation_id";
    for row in tx.one(sql, vec![round.business_now.into(), round.business_now.into()]).await? {
        let entry = JournalEntry {
            kind: "notification-dropped".to_owned(),
            actor: NOTIFIER.to_owned(),
            obligation_id: Some(row.parsed("obligation_id", |t| ObligationId::parse(t).ok())?),
            detail: serde_json::json!({ "notification": row.text("id")? }),
            ..JournalEntry::default()
        };
        rows.entry(&entry, round.now);
    }
    Ok(())
}

/// Makes mailings of what waits, address by address. Returns when there is room again where there is none now.
async fn gather(tx: &mut Tx<'_>, rows: &mut Rows<'_>, round: &NotifyRound) -> Result<Option<Timestamp>, Failure> {
    let gathered = round.business_now.plus_millis(-i64::from(round.limits.gather_ms));
    let sql = "SELECT channel, target, MIN(to_group) AS to_group, COUNT(*) AS due FROM notifications \
               WHERE mailing_id IS NULL AND dropped_at IS NULL AND send_at <= $1 GROUP BY channel, target \
               HAVING MIN(send_at) <= $2 ORDER BY channel, target";
    let mut room_at: Option<Timestamp> = None;
    for row in tx.one(sql, vec![round.business_now.into(), gathered.into()]).await? {
        let to = Address { channel: row.text("channel")?, target: row.text("target")?, group: row.text("to_group")? };
        let due = row.int("due")?;
        let since = round.now.plus_millis(-i64::from(round.limits.window_ms));
        let sent = "SELECT COUNT(*) AS made, MIN(made_at) AS first FROM mailings WHERE channel = $1 AND target = $2 AND made_at > $3";
        let sent = tx.one(sent, vec![text(&to.channel), text(&to.target), since.into()]).await?;
        let (made, first) = sent.first().map_or(Ok((0, None)), |row| {
            row.int("made").and_then(|made| row.opt_at("first").map(|first| (made, first)))
        })?;
        let room = i64::from(round.limits.window_mailings_max).saturating_sub(made);
        if room <= 0 {
            let at = first.map(|first| first.plus_millis(i64::from(round.limits.window_ms)));
            room_at = room_at.into_iter().chain(at).min();
        } else if due <= room.min(SINGLES_MAX) {
            one_by_one(tx, rows, round, &to).await?;
        } else {
            all_in_one(tx, rows, round, &to).await?;
        }
    }
    Ok(room_at)
}

struct Address {
    channel: String,
    target: String,
    group: String,
}

async fn one_by_one(tx: &mut Tx<'_>, rows: &mut Rows<'_>, round: &NotifyRound, to: &Address) -> Result<(), Failure> {
    let sql = "SELECT id, to_group FROM notifications WHERE mailing_id IS NULL AND dropped_at IS NULL AND channel = $1 \
               AND target = $2 AND send_at <= $3 ORDER BY send_at, id";
    for row in tx.one(sql, vec![text(&to.channel), text(&to.target), round.business_now.into()]).await? {
        let mailing = rows.next_id(round.now);
        let told = "UPDATE notifications SET mailing_id = $1 WHERE id = $2";
        tx.one(told, vec![text(&mailing), text(row.text("id")?)]).await?;
        insert(tx, round, &mailing, to, &row.text("to_group")?, false).await?;
    }
    Ok(())
}

async fn all_in_one(tx: &mut Tx<'_>, rows: &mut Rows<'_>, round: &NotifyRound, to: &Address) -> Result<(), Failure> {
    let mailing = rows.next_id(round.now);
    let told = "UPDATE notifications SET mailing_id = $1 WHERE mailing_id IS NULL AND dropped_at IS NULL AND channel = $2 \
                AND target = $3 AND send_at <= $4";
    let vals = vec![text(&mailing), text(&to.channel), text(&to.target), round.business_now.into()];
    tx.one(told, vals).await?;
    insert(tx, round, &mailing, to, &to.group, true).await
}

async fn insert(
    tx: &mut Tx<'_>,
    round: &NotifyRound,
    id: &str,
    to: &Address,
    group: &str,
    digest: bool,
) -> Result<(), Failure> {
    let sql = "INSERT INTO mailings (id, channel, target, to_group, digest, made_at, state, next_at, attempts, lease_epoch) \
               VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, 0, 0)";
    let vals: Vals<'_> = vec![
        text(id),
        text(&to.channel),
        text(&to.target),
        text(group),
        digest.into(),
        round.now.into(),
        round.now.into(),
    ];
    tx.one(sql, vals).await?;
    Ok(())
}

/// Takes what is due under a lease of its own.
async fn claim(tx: &mut Tx<'_>, round: &NotifyRound) -> Result<Vec<ClaimedMailing>, Failure> {
    if round.limits.claim_max == 0 {
        return Ok(Vec::new());
    }
    let until = round.now.plus_millis(i64::from(round.limits.mailing_lease_ms));
    let (sql, vals) =
        Select::new("UPDATE mailings SET state = 'leased', lease_epoch = lease_epoch + 1, attempts = attempts + 1")
            .push(", lease_owner = ?, next_at = ?", vec![text(&round.node), until.into()])
            .push(" WHERE id IN (SELECT id FROM mailings WHERE next_at <= ?", vec![round.now.into()])
            .push(" ORDER BY next_at, id LIMIT ?", vec![i64::from(round.limits.claim_max).into()])
            .push(tx.engine.for_update(), vec![])
            .push(") RETURNING id, channel, target, to_group, digest, made_at, lease_epoch, attempts", vec![])
            .into_parts();
    let mut claimed = Vec::new();
    for row in tx.built(sql, vals).await? {
        claimed.push(ClaimedMailing {
            id: row.parsed("id", |t| MailingId::parse(t).ok())?,
            channel: row.parsed("channel", NotificationChannel::parse)?,
            target: row.text("target")?,
            group: row.text("to_group")?,
            digest: row.flag("digest")?,
            made_at: row.at("made_at")?,
            epoch: row.int("lease_epoch")?,
            attempt: row.count("attempts")?,
        });
    }
    claimed.sort_by_key(|m| m.id.uuid());
    Ok(claimed)
}

#[derive(Debug)]
struct SettleTask(SettleMailing);

impl Write for SettleTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let SettleMailing { mailing, outcome, now } = &self.0;
        let (state, next_at, why, settled_at) = match outcome {
            MailingOutcome::Sent => ("sent", None, None, Some(*now)),
            MailingOutcome::Again { at, reason, detail } => ("queued", Some(*at), Some((reason, detail)), None),
            MailingOutcome::Park { reason, detail } => ("parked", None, Some((reason, detail)), Some(*now)),
        };
        let sql = "UPDATE mailings SET state = $1, next_at = $2, reason = $3, detail = $4, settled_at = $5, lease_owner = NULL \
                   WHERE id = $6 AND lease_epoch = $7 AND state = 'leased' RETURNING id";
        let vals: Vals<'_> = vec![
            Val::Word(state),
            next_at.into(),
            Val::Text(why.map(|(reason, _)| reason.to_string())),
            Val::Text(why.map(|(_, detail)| detail.clone())),
            settled_at.into(),
            text(mailing.id),
            mailing.epoch.into(),
        ];
        if tx.one(sql, vals).await?.is_empty() {
            return Ok(false);
        }
        if settled_at.is_some() {
            let told = "SELECT COUNT(*) AS told, MIN(obligation_id) AS about FROM notifications WHERE mailing_id = $1";
            let told = tx.one(told, vec![text(mailing.id)]).await?;
            let about = told.first().map_or(Ok(None), |r| r.opt_parsed("about", |t| ObligationId::parse(t).ok()))?;
            let count = told.first().map_or(Ok(0), |row| row.int("told"))?;
            let entry = JournalEntry {
                kind: format!("notification-{state}"),
                actor: NOTIFIER.to_owned(),
                // Of a digest the rows that name the mailing say which.
                obligation_id: about.filter(|_| !mailing.digest),
                detail: serde_json::json!({
                    "mailing": mailing.id, "channel": mailing.channel, "group": mailing.group, "count": count,
                    "attempt": mailing.attempt, "reason": why.map(|(reason, _)| reason),
                }),
                ..JournalEntry::default()
            };
            rows.entry(&entry, *now);
        }
        Ok(true)
    }
}
