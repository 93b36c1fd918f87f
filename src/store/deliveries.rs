//! Deliveries: claim under a lease, store what goes out, settle under the lease's epoch.

use crate::domain::{DeliveryId, DeliveryState, Digest, MessageId, ParkReason, ParticipantId, RecordId, Timestamp};

use super::claims::{ClaimTask, ReplayTask};
use super::sql::{Columns, Select, Stmt, Val, Vals, opt_text, text};
use super::writer::{Answer, Work};
use super::{JournalEntry, MessageRow, NewMessage, StartedObligation, Store, StoreError, crossed, messages};

/// How many deliveries a participant can take now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// Who.
    pub participant: ParticipantId,
    /// How many more may be in flight from this node; 0 asks for none.
    pub free: u32,
}

/// A wish for work.
#[derive(Debug, Clone)]
pub struct Claim {
    /// This node's name.
    pub node: String,
    /// Machine time.
    pub now: Timestamp,
    /// How long the lease lasts, in milliseconds.
    pub lease_ms: u32,
    /// At most so many in all.
    pub limit: u32,
    /// Only for these participants (leave out whose breaker is open), at most so many each.
    pub slots: Vec<Slots>,
}

/// What goes out to the partner, stored once: a retry sends identical bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The unsigned envelope (for signing anew when the certificate has ended).
    pub unsigned: Vec<u8>,
    /// The signed bytes.
    pub signed: Vec<u8>,
    /// The content digest under the signature.
    pub digest: Digest,
    /// SHA-256 of the gateway's certificate.
    pub certificate: Digest,
}

/// A delivery under our lease, with everything that dispatch needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The lease's number; give it back in [`Settle`] and [`Store::store_outgoing`].
    pub epoch: i64,
    /// Which attempt this is, from 1 (counted anew after a replay).
    pub attempt: u32,
    /// The state it was claimed from: `queued`, `leased` (a lease ended unsettled) or `sent` (the receipt did not come).
    pub from: DeliveryState,
    /// To whom.
    pub recipient: ParticipantId,
    /// After this instant it is to be settled as [`Outcome::Expired`] unless it was handed over before.
    pub expires: Option<Timestamp>,
    /// When it was first handed over, if it was.
    pub sent_at: Option<Timestamp>,
    /// The message.
    pub message: MessageRow,
    /// Its exact bytes as they came.
    pub bytes: Vec<u8>,
    /// Its canonical body, when the sender's form was translated.
    pub canonical: Option<Vec<u8>>,
    /// What an earlier attempt stored to send.
    pub outgoing: Option<Outgoing>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Handed over; the receipt is awaited until the deadline (`None`: as long as it takes, as in the mailbox).
    Sent {
        /// When (machine time).
        at: Timestamp,
        /// When to send the same bytes again.
        receipt_deadline: Option<Timestamp>,
        /// Whether it now lies in the recipient's mailbox.
        mailbox: bool,
    },
    /// Handed over, and the partner's verified receipt came with the answer.
    Delivered {
        /// When.
        at: Timestamp,
        /// The partner's signed receipt.
        receipt: Vec<u8>,
    },
    /// The partner answered with a verified fault.
    Refused {
        /// When.
        at: Timestamp,
        /// The fault's code.
        code: String,
        /// For the operator; ids and codes only.
        detail: Option<String>,
        /// The partner's signed fault.
        answer: Vec<u8>,
    },
    /// Try again later.
    Requeue {
        /// When.
        next_attempt_at: Timestamp,
        /// Why.
        reason: ParkReason,
        /// For the operator.
        detail: String,
    },
    /// Stop until a person acts.
    Park {
        /// Why.
        reason: ParkReason,
        /// For the operator.
        detail: String,
    },
    /// `Expires` passed before it was handed over.
    Expired,
}

/// The end of an attempt. Written only if the lease is still ours.
#[derive(Debug, Clone)]
pub struct Settle {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The epoch from [`Claimed`].
    pub epoch: i64,
    /// Machine time.
    pub now: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Obligations that start with this handing over; applied to those still pending.
    pub started: Vec<StartedObligation>,
    /// Messages that the gateway makes because of it (a notice to the sender).
    pub made: Vec<NewMessage>,
    /// Further journal entries (the store itself writes `delivery-<state>`).
    pub journal: Vec<JournalEntry>,
}

/// The partner's answer, however it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnsweredOutcome {
    /// A verified receipt.
    Delivered,
    /// A verified fault with this code.
    Refused {
        /// The code.
        code: String,
        /// For the operator.
        detail: Option<String>,
    },
}

/// A partner's verified receipt or fault that came by itself (a queue, a mailbox acknowledgement); valid without a lease.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The delivery (see [`Store::deliveries_to`]).
    pub delivery_id: DeliveryId,
    /// Who answered: must be the delivery's recipient.
    pub participant: ParticipantId,
    /// Machine time.
    pub at: Timestamp,
    /// What it says.
    pub outcome: AnsweredOutcome,
    /// The signed receipt or fault.
    pub bytes: Vec<u8>,
    /// Obligations that start with the handing over, should the settle as `sent` have been missed.
    pub started: Vec<StartedObligation>,
    /// Messages that the gateway makes because of it.
    pub made: Vec<NewMessage>,
    /// Further journal entries.
    pub journal: Vec<JournalEntry>,
}

/// What became of an [`Answered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnsweredResult {
    /// The delivery is settled by it.
    Settled,
    /// It was in this final state before; nothing was written.
    Already(DeliveryState),
    /// This participant has no such delivery.
    NotFound,
}

/// A delivery as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// The message.
    pub record_id: RecordId,
    /// To whom.
    pub recipient: ParticipantId,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// The next instant at which a claim may take it: the next attempt, the lease's end, or the receipt's deadline.
    pub next_at: Option<Timestamp>,
    /// Who holds or held the lease.
    pub lease_owner: Option<String>,
    /// The lease's number.
    pub epoch: i64,
    /// Why it was put back, parked or refused.
    pub reason: Option<ParkReason>,
    /// The partner's fault code, if it refused.
    pub fault_code: Option<String>,
    /// For the operator.
    pub detail: Option<String>,
    /// When it was first handed over.
    pub sent_at: Option<Timestamp>,
    /// When it came to its final state.
    pub settled_at: Option<Timestamp>,
    /// After this instant it is not tried.
    pub expires: Option<Timestamp>,
    /// Whether it lies in the mailbox.
    pub mailbox: bool,
    /// The content digest of what goes out.
    pub out_digest: Option<Digest>,
    /// SHA-256 of the certificate that signed it.
    pub out_certificate: Option<Digest>,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The lease's number of the attempt.
    pub epoch: i64,
    /// When it ended.
    pub at: Timestamp,
    /// The state it led to.
    pub state: DeliveryState,
    /// Why, if it failed.
    pub reason: Option<ParkReason>,
    /// For the operator.
    pub detail: Option<String>,
    /// Which node made it.
    pub node: Option<String>,
}

/// A person's wish to try again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Which deliveries.
    pub delivery_ids: Vec<DeliveryId>,
    /// Machine time.
    pub now: Timestamp,
    /// Who asks (for the journal).
    pub actor: String,
    /// Drop the stored outgoing bytes, so that the message is translated and signed anew (after a fix of the adapter).
    pub retranslate: bool,
}

impl Store {
    /// Takes due deliveries under a lease: by priority, then by due instant, then by record id. A row is handed to one node only;
    /// its epoch rises with every claim. Takes also rows whose lease ended and rows in `sent` whose receipt is late.
    ///
    /// Lease instants are the caller's machine time; the readiness check against [`Store::database_now`] keeps nodes' clocks
    /// together, and the epoch keeps a late worker harmless.
    ///
    /// # Errors
    /// When the database is away. After [`StoreError::Unknown`] the rows come back when their lease ends.
    pub async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        let taken = self.task(ClaimTask(claim)).await?;
        self.claimed(&taken).await
    }

    /// The earliest instant at which any delivery can be claimed (dispatch sleeps until then).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn next_delivery_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = Select::new("SELECT MIN(next_at) AS next_at FROM deliveries")
            .push(" WHERE next_at IS NOT NULL", vec![])
            .fetch(self.readers())
            .await?;
        found.first().map_or(Ok(None), |row| row.opt_at("next_at"))
    }

    /// Stores what goes out, before it goes out. `false`: the lease is not ours any more, send nothing.
    ///
    /// # Errors
    /// When the database is away; then send nothing.
    pub async fn store_outgoing(
        &self,
        delivery_id: DeliveryId,
        epoch: i64,
        outgoing: Outgoing,
    ) -> Result<bool, StoreError> {
        let work = Work::Outgoing(Box::new(StoreOutgoing { delivery_id, epoch, outgoing }));
        let Answer::Flag(ours) = self.write(work).await? else { return Err(crossed()) };
        Ok(ours)
    }

    /// Ends an attempt. `false`: the epoch is stale and nothing was written.
    ///
    /// # Errors
    /// When the database is away; the delivery comes back when its lease ends.
    pub async fn settle(&self, settle: Settle) -> Result<bool, StoreError> {
        let Answer::Flag(ours) = self.write(Work::Settle(Box::new(settle))).await? else { return Err(crossed()) };
        Ok(ours)
    }

    /// Deliveries to this participant of messages with this id (and sender, when known): what a receipt may be about. With the
    /// message, newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn deliveries_to(
        &self,
        recipient: &ParticipantId,
        message_id: MessageId,
        sender: Option<&ParticipantId>,
    ) -> Result<Vec<(DeliveryRow, MessageRow)>, StoreError> {
        let select = Select::new(&select_both())
            .and("m.message_id = ?", vec![text(message_id)])
            .and("d.recipient = ?", vec![text(recipient)])
            .and_some("m.sender = ?", sender.map(text))
            .push(" ORDER BY d.record_id DESC, d.id DESC", vec![]);
        select.fetch(self.readers()).await?.iter().map(|r| Ok((row(r)?, messages::row(r)?))).collect()
    }

    /// Settles a delivery by the partner's own answer, whatever lease there is: `queued`, `leased` and `sent` become `delivered` or
    /// `refused`. Also `parked` and `expired` ones, for the partner's word is better than ours. Idempotent.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn answer(&self, answered: Answered) -> Result<AnsweredResult, StoreError> {
        let Answer::Answered(result) = self.write(Work::Answered(Box::new(answered))).await? else {
            return Err(crossed());
        };
        Ok(result)
    }

    /// Puts parked, expired and refused deliveries back into the queue with attempts counted anew; the others are left alone.
    /// `Expires` does not stop a replayed one. Returns those that were put back. Idempotent.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn replay(&self, replay: Replay) -> Result<Vec<DeliveryId>, StoreError> {
        if replay.delivery_ids.is_empty() {
            return Ok(Vec::new());
        }
        self.task(ReplayTask(replay)).await
    }

    /// One delivery with its message.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<(DeliveryRow, MessageRow)>, StoreError> {
        let found = Select::new(&select_both()).and("d.id = ?", vec![text(id)]).fetch(self.readers()).await?;
        found.first().map(|r| Ok((row(r)?, messages::row(r)?))).transpose()
    }

    /// The deliveries of a message.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn deliveries_of(&self, record_id: RecordId) -> Result<Vec<DeliveryRow>, StoreError> {
        let select =
            Select::new(&format!("SELECT {COLUMNS} FROM deliveries d")).and("d.record_id = ?", vec![text(record_id)]);
        select.push(" ORDER BY d.id", vec![]).fetch(self.readers()).await?.iter().map(row).collect()
    }

    /// What goes out or went out for a delivery, if it was made.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn outgoing(&self, id: DeliveryId) -> Result<Option<Outgoing>, StoreError> {
        let found = Select::new(
            "SELECT o.unsigned, o.signed, d.out_digest, d.out_certificate FROM outgoing o JOIN deliveries d ON d.id = o.delivery_id",
        )
        .and("o.delivery_id = ?", vec![text(id)])
        .fetch(self.readers())
        .await?;
        Ok(found.first().map(read_outgoing).transpose()?.flatten())
    }

    /// The partner's signed receipt or fault for a delivery.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn partner_answer(&self, id: DeliveryId) -> Result<Option<Vec<u8>>, StoreError> {
        let found = Select::new("SELECT bytes FROM partner_answers")
            .and("delivery_id = ?", vec![text(id)])
            .fetch(self.readers())
            .await?;
        found.first().map(|row| row.bytes("bytes")).transpose()
    }

    /// The attempts of a delivery, oldest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn attempts(&self, id: DeliveryId) -> Result<Vec<AttemptRow>, StoreError> {
        let found = Select::new("SELECT epoch, ended_at, state, reason, detail, node FROM delivery_attempts")
            .and("delivery_id = ?", vec![text(id)])
            .push(" ORDER BY epoch", vec![])
            .fetch(self.readers())
            .await?;
        found
            .iter()
            .map(|row| {
                Ok(AttemptRow {
                    epoch: row.int("epoch")?,
                    at: row.at("ended_at")?,
                    state: row.parsed("state", DeliveryState::parse)?,
                    reason: row.opt_parsed("reason", ParkReason::parse)?,
                    detail: row.opt_text("detail")?,
                    node: row.opt_text("node")?,
                })
            })
            .collect()
    }
}

/// A wish to store what goes out.
#[derive(Debug)]
pub(super) struct StoreOutgoing {
    pub(super) delivery_id: DeliveryId,
    pub(super) epoch: i64,
    pub(super) outgoing: Outgoing,
}

/// The columns of a delivery under the alias `d`.
pub(super) const COLUMNS: &str = "d.id, d.record_id, d.recipient, d.state, d.attempts, d.next_at, d.lease_owner, d.lease_epoch, \
    d.claimed_from, d.reason, d.fault_code, d.detail, d.sent_at, d.settled_at, d.expires_at, d.mailbox, d.out_digest, \
    d.out_certificate";

/// A delivery with its message.
pub(super) fn select_both() -> String {
    format!("SELECT {COLUMNS}, {} FROM deliveries d JOIN messages m ON m.record_id = d.record_id", messages::COLUMNS)
}

/// Reads [`COLUMNS`].
pub(super) fn row(row: &sqlx::any::AnyRow) -> Result<DeliveryRow, StoreError> {
    Ok(DeliveryRow {
        id: row.parsed("id", |t| DeliveryId::parse(t).ok())?,
        record_id: row.parsed("record_id", |t| RecordId::parse(t).ok())?,
        recipient: row.parsed("recipient", |t| ParticipantId::parse(t).ok())?,
        state: row.parsed("state", DeliveryState::parse)?,
        attempts: row.count("attempts")?,
        next_at: row.opt_at("next_at")?,
        lease_owner: row.opt_text("lease_owner")?,
        epoch: row.int("lease_epoch")?,
        reason: row.opt_parsed("reason", ParkReason::parse)?,
        fault_code: row.opt_text("fault_code")?,
        detail: row.opt_text("detail")?,
        sent_at: row.opt_at("sent_at")?,
        settled_at: row.opt_at("settled_at")?,
        expires: row.opt_at("expires_at")?,
        mailbox: row.flag("mailbox")?,
        out_digest: row.opt_digest("out_digest")?,
        out_certificate: row.opt_digest("out_certificate")?,
    })
}

/// What goes out, from a row that may lack it (after an outer join).
pub(super) fn read_outgoing(row: &sqlx::any::AnyRow) -> Result<Option<Outgoing>, StoreError> {
    let (Some(unsigned), Some(signed)) = (row.opt_bytes("unsigned")?, row.opt_bytes("signed")?) else {
        return Ok(None);
    };
    Ok(Some(Outgoing {
        unsigned,
        signed,
        digest: row.digest("out_digest")?,
        certificate: row.digest("out_certificate")?,
    }))
}

impl Outcome {
    /// The state it leads to.
    pub fn state(&self) -> DeliveryState {
        match self {
            Self::Sent { .. } => DeliveryState::Sent,
            Self::Delivered { .. } => DeliveryState::Delivered,
            Self::Refused { .. } => DeliveryState::Refused,
            Self::Requeue { .. } => DeliveryState::Queued,
            Self::Park { .. } => DeliveryState::Parked,
            Self::Expired => DeliveryState::Expired,
        }
    }

    fn reason(&self) -> Option<ParkReason> {
        match self {
            Self::Requeue { reason, .. } | Self::Park { reason, .. } => Some(*reason),
            Self::Sent { .. } | Self::Delivered { .. } | Self::Refused { .. } | Self::Expired => None,
        }
    }

    fn detail(&self) -> Option<&str> {
        match self {
            Self::Requeue { detail, .. } | Self::Park { detail, .. } => Some(detail),
            Self::Refused { detail, .. } => detail.as_deref(),
            Self::Sent { .. } | Self::Delivered { .. } | Self::Expired => None,
        }
    }

    fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Sent { .. } | Self::Delivered { .. } | Self::Requeue { .. } | Self::Park { .. } | Self::Expired => {
                None
            }
        }
    }
}

/// The partner's signed bytes that an outcome brings.
pub(super) fn answer_bytes(outcome: &Outcome) -> Option<&[u8]> {
    match outcome {
        Outcome::Delivered { receipt, .. } => Some(receipt),
        Outcome::Refused { answer, .. } => Some(answer),
        Outcome::Sent { .. } | Outcome::Requeue { .. } | Outcome::Park { .. } | Outcome::Expired => None,
    }
}

/// The row of a settle, for [`SETTLE`].
pub(super) fn settle_values(settle: &Settle) -> Vals<'_> {
    let outcome = &settle.outcome;
    let (next_at, sent_at, settled_at, mailbox) = match outcome {
        Outcome::Sent { at, receipt_deadline, mailbox } => (*receipt_deadline, Some(*at), None, *mailbox),
        Outcome::Delivered { at, .. } | Outcome::Refused { at, .. } => (None, Some(*at), Some(*at), false),
        Outcome::Requeue { next_attempt_at, .. } => (Some(*next_attempt_at), None, None, false),
        Outcome::Park { .. } | Outcome::Expired => (None, None, Some(settle.now), false),
    };
    vec![
        text(settle.delivery_id),
        settle.epoch.into(),
        Val::Word(outcome.state().as_str()),
        next_at.into(),
        opt_text(outcome.reason()),
        opt_text(outcome.code()),
        opt_text(outcome.detail()),
        sent_at.into(),
        settled_at.into(),
        mailbox.into(),
    ]
}

/// The row of an attempt.
pub(super) fn attempt_values<'a>(settle: &'a Settle, node: Option<&str>) -> Vals<'a> {
    let outcome = &settle.outcome;
    vec![
        text(settle.delivery_id),
        settle.epoch.into(),
        settle.now.into(),
        Val::Word(outcome.state().as_str()),
        opt_text(outcome.reason()),
        opt_text(outcome.detail()),
        opt_text(node),
    ]
}

/// The store's own journal entry of a settle.
pub(super) fn settle_entry(settle: &Settle, node: Option<String>) -> JournalEntry {
    let outcome = &settle.outcome;
    let state = outcome.state();
    let kind = if state == DeliveryState::Queued { "requeued" } else { state.as_str() };
    JournalEntry {
        kind: format!("delivery-{kind}"),
        actor: node.unwrap_or_default(),
        delivery_id: Some(settle.delivery_id),
        detail: serde_json::json!({
            "epoch": settle.epoch,
            "reason": outcome.reason().map(ParkReason::as_str),
            "code": outcome.code(),
        }),
        ..JournalEntry::default()
    }
}

/// The row of a partner's answer, for [`ANSWERED`].
pub(super) fn answered_values(answered: &Answered) -> Vals<'_> {
    let (state, code, detail) = match &answered.outcome {
        AnsweredOutcome::Delivered => (DeliveryState::Delivered, None, None),
        AnsweredOutcome::Refused { code, detail } => (DeliveryState::Refused, Some(code), detail.as_deref()),
    };
    vec![
        text(answered.delivery_id),
        text(&answered.participant),
        Val::Word(state.as_str()),
        opt_text(code),
        opt_text(detail),
        answered.at.into(),
    ]
}

/// The store's own journal entry of a partner's answer.
pub(super) fn answered_entry(answered: &Answered) -> JournalEntry {
    let (kind, code) = match &answered.outcome {
        AnsweredOutcome::Delivered => ("delivery-delivered", None),
        AnsweredOutcome::Refused { code, .. } => ("delivery-refused", Some(code)),
    };
    JournalEntry {
        kind: kind.to_owned(),
        actor: answered.participant.to_string(),
        delivery_id: Some(answered.delivery_id),
        detail: code.map_or(serde_json::Value::Null, |c| serde_json::json!({ "code": c })),
        ..JournalEntry::default()
    }
}

/// Ends attempts under the lease's number.
pub(super) const SETTLE: Stmt = Stmt {
    head: "WITH v (v_id, v_epoch, v_state, v_next, v_reason, v_code, v_detail, v_sent, v_settled, v_mailbox) AS (VALUES ",
    tail: ") UPDATE deliveries SET state = v_state, next_at = v_next, reason = v_reason, fault_code = v_code, detail = v_detail, \
           sent_at = COALESCE(sent_at, v_sent), settled_at = v_settled, mailbox = v_mailbox FROM v \
           WHERE id = v_id AND lease_epoch = v_epoch AND state = 'leased' RETURNING id, lease_owner, in_order",
};

/// Settles by the partner's word.
pub(super) const ANSWERED: Stmt = Stmt {
    head: "WITH v (v_id, v_recipient, v_state, v_code, v_detail, v_at) AS (VALUES ",
    tail: ") UPDATE deliveries SET state = v_state, next_at = NULL, reason = NULL, fault_code = v_code, detail = v_detail, \
           sent_at = COALESCE(sent_at, v_at), settled_at = v_at FROM v \
           WHERE id = v_id AND recipient = v_recipient AND state IN ('queued', 'leased', 'sent', 'parked', 'expired') \
           RETURNING id, in_order",
};

/// Where some deliveries stand.
pub(super) const STATES: Stmt =
    Stmt { head: "SELECT id, recipient, state FROM deliveries WHERE id IN (VALUES ", tail: ")" };

/// Takes the rows whose lease is the caller's.
pub(super) const OUTGOING_FENCE: Stmt = Stmt {
    head: "WITH v (v_id, v_epoch, v_digest, v_certificate) AS (VALUES ",
    tail: ") UPDATE deliveries SET out_digest = v_digest, out_certificate = v_certificate FROM v \
           WHERE id = v_id AND lease_epoch = v_epoch AND state = 'leased' RETURNING id",
};

/// Keeps what goes out.
pub(super) const INSERT_OUTGOING: Stmt = Stmt {
    head: "INSERT INTO outgoing (delivery_id, unsigned, signed) VALUES ",
    tail: " ON CONFLICT (delivery_id) DO UPDATE SET unsigned = excluded.unsigned, signed = excluded.signed",
};
