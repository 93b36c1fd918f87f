//! Notifications: who is to be told of which step, and what a mailing tells.

use std::collections::BTreeMap;

use crate::domain::{
    MailingId, MessageId, NotificationChannel, NotificationId, NotificationStage, NotificationState, ObligationId,
    ParticipantId, RecordId, Timestamp,
};

use super::sql::{Columns, Select, Stmt, Val, Vals, text};
use super::{ObligationRow, Store, StoreError, obligations};

/// One step of the ladder for one address. (obligation, rung, anchor, channel, target) is unique: a second one is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// Its id.
    pub id: NotificationId,
    /// What it is about.
    pub obligation_id: ObligationId,
    /// The kind of step.
    pub stage: NotificationStage,
    /// The step in the regulation's words, such as `3 working days after`.
    pub rung: String,
    /// What the step is counted from: the warning's instant, or the exclusive due instant.
    pub anchor: Timestamp,
    /// How.
    pub channel: NotificationChannel,
    /// The address.
    pub target: String,
    /// The group of the settings for which the address was chosen.
    pub group: String,
    /// When the step came (business time).
    pub event_at: Timestamp,
    /// Not to be told before this instant (business time).
    pub send_at: Timestamp,
}

/// A notification as stored, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRow {
    /// What was written.
    pub notification: NewNotification,
    /// Where it stands.
    pub state: NotificationState,
    /// What tells it, once that is decided.
    pub mailing: Option<MailingId>,
    /// Whether it goes (or went) with others in a digest.
    pub in_digest: bool,
    /// Attempts so far.
    pub attempts: u32,
    /// Why the last attempt failed: a code of [`crate::domain::ParkReason`].
    pub reason: Option<String>,
    /// What happened, for the operator.
    pub detail: Option<String>,
    /// When it was sent or given up (machine time).
    pub settled_at: Option<Timestamp>,
}

/// What a mailing tells.
#[derive(Debug, Clone, PartialEq)]
pub enum MailingContent {
    /// One notification, and its obligation as it stands.
    One(Box<(NewNotification, ObligationRow)>),
    /// Many.
    Digest {
        /// How many notifications.
        count: u64,
        /// How many by debtor, by debtor.
        lines: Vec<DigestLine>,
        /// The first obligations by due instant.
        first: Vec<ObligationRow>,
    },
}

/// What a digest says of one participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestLine {
    /// Who owes.
    pub debtor: ParticipantId,
    /// The kind of step.
    pub stage: NotificationStage,
    /// How many notifications.
    pub count: u64,
}

impl Store {
    /// The senders' ids of these messages.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn message_ids(&self, records: &[RecordId]) -> Result<BTreeMap<RecordId, MessageId>, StoreError> {
        if records.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = Select::new("SELECT record_id, message_id FROM messages WHERE record_id IN (")
            .list(records.iter().map(text).collect())
            .push(")", vec![])
            .fetch(self.readers())
            .await?;
        let pair = |row: &sqlx::any::AnyRow| {
            let record = row.parsed("record_id", |t| RecordId::parse(t).ok())?;
            Ok((record, row.parsed("message_id", |t| MessageId::parse(t).ok())?))
        };
        found.iter().map(pair).collect()
    }

    /// Notifications, latest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_notifications(
        &self,
        state: Option<NotificationState>,
        limit: u32,
    ) -> Result<Vec<NotificationRow>, StoreError> {
        let mut select = Select::new(&format!(
            "SELECT {COLUMNS}, n.mailing_id, n.dropped_at, m.digest, m.state, m.attempts, m.reason, m.detail, m.settled_at \
             FROM notifications n LEFT JOIN mailings m ON m.id = n.mailing_id"
        ));
        let condition = state.map(|state| match state {
            NotificationState::Waiting => "n.mailing_id IS NULL AND n.dropped_at IS NULL",
            NotificationState::Dropped => "n.dropped_at IS NOT NULL",
            NotificationState::Queued => "m.state IN ('queued', 'leased')",
            NotificationState::Sent => "m.state = 'sent'",
            NotificationState::Parked => "m.state = 'parked'",
        });
        if let Some(condition) = condition {
            select = select.and(condition, vec![]);
        }
        let select = select.push(" ORDER BY n.id DESC LIMIT ?", vec![i64::from(limit).into()]);
        select.fetch(self.readers()).await?.iter().map(listed).collect()
    }

    /// What a mailing is to tell; of a digest the first `first_max` obligations.
    ///
    /// # Errors
    /// When the database is away, a stored value cannot be read, or nothing belongs to the mailing.
    pub async fn mailing_content(
        &self,
        id: MailingId,
        digest: bool,
        first_max: u32,
    ) -> Result<MailingContent, StoreError> {
        let of_mailing = |sql: &str| Select::new(sql).and("n.mailing_id = ?", vec![text(id)]);
        let joined = "FROM notifications n JOIN obligations o ON o.id = n.obligation_id";
        let missing = || StoreError::Corrupt("a mailing without its notification".to_owned());
        if !digest {
            let sql = format!("SELECT {COLUMNS} FROM notifications n");
            let found = of_mailing(&sql).fetch(self.readers()).await?;
            let notification = read(found.first().ok_or_else(missing)?)?;
            let obligation = self.obligation(notification.obligation_id).await?.ok_or_else(missing)?;
            return Ok(MailingContent::One(Box::new((notification, obligation))));
        }
        let sql = format!("SELECT o.debtor, n.stage, COUNT(*) AS notices {joined}");
        let grouped = of_mailing(&sql).push(" GROUP BY o.debtor, n.stage ORDER BY o.debtor, n.stage", vec![]);
        let mut lines = Vec::new();
        for row in &grouped.fetch(self.readers()).await? {
            lines.push(DigestLine {
                debtor: row.parsed("debtor", |t| ParticipantId::parse(t).ok())?,
                stage: row.parsed("stage", NotificationStage::parse)?,
                count: u64::from(row.count("notices")?),
            });
        }
        let first = Select::new(obligations::SELECT)
            .and("id IN (SELECT n.obligation_id FROM notifications n WHERE n.mailing_id = ?)", vec![text(id)])
            .push(" ORDER BY sort_due, id LIMIT ?", vec![i64::from(first_max).into()])
            .fetch(self.readers())
            .await?;
        Ok(MailingContent::Digest {
            count: lines.iter().map(|l| l.count).sum(),
            lines,
            first: first.iter().map(obligations::row).collect::<Result<_, _>>()?,
        })
    }
}

const COLUMNS: &str =
    "n.id, n.obligation_id, n.stage, n.rung, n.anchor, n.channel, n.target, n.to_group, n.event_at, n.send_at";

fn read(row: &sqlx::any::AnyRow) -> Result<NewNotification, StoreError> {
    Ok(NewNotification {
        id: row.parsed("id", |t| NotificationId::parse(t).ok())?,
        obligation_id: row.parsed("obligation_id", |t| ObligationId::parse(t).ok())?,
        stage: row.parsed("stage", NotificationStage::parse)?,
        rung: row.text("rung")?,
        anchor: row.at("anchor")?,
        channel: row.parsed("channel", NotificationChannel::parse)?,
        target: row.text("target")?,
        group: row.text("to_group")?,
        event_at: row.at("event_at")?,
        send_at: row.at("send_at")?,
    })
}

fn listed(row: &sqlx::any::AnyRow) -> Result<NotificationRow, StoreError> {
    let state = match (row.opt_text("state")?.as_deref(), row.opt_int("dropped_at")?) {
        (None, None) => NotificationState::Waiting,
        (None, Some(_)) => NotificationState::Dropped,
        (Some("sent"), _) => NotificationState::Sent,
        (Some("parked"), _) => NotificationState::Parked,
        (Some(_), _) => NotificationState::Queued,
    };
    Ok(NotificationRow {
        notification: read(row)?,
        state,
        mailing: row.opt_parsed("mailing_id", |t| MailingId::parse(t).ok())?,
        in_digest: row.opt_int("digest")? == Some(1),
        attempts: row.opt_int("attempts")?.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        reason: row.opt_text("reason")?,
        detail: row.opt_text("detail")?,
        settled_at: row.opt_at("settled_at")?,
    })
}

/// The row of a new notification, for [`INSERT`].
pub(super) fn values(new: &NewNotification) -> Vals<'_> {
    vec![
        text(new.id),
        text(new.obligation_id),
        Val::Word(new.stage.as_str()),
        text(&new.rung),
        new.anchor.into(),
        Val::Word(new.channel.as_str()),
        text(&new.target),
        text(&new.group),
        new.event_at.into(),
        new.send_at.into(),
    ]
}

/// Writes who is to be told, each once.
pub(super) const INSERT: Stmt = Stmt {
    head: "INSERT INTO notifications (id, obligation_id, stage, rung, anchor, channel, target, to_group, event_at, send_at) VALUES ",
    tail: " ON CONFLICT DO NOTHING",
};
