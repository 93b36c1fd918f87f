//! Deliveries as rows and statements: what [`super::deliveries`] asks for, in SQL.

use crate::domain::{DataClass, DeliveryId, DeliveryState, ParkReason, ParticipantId, RecordId};

use super::sql::{Columns, Stmt, Val, Vals, opt_text, text};
use super::{Answered, AnsweredOutcome, DeliveryRow, JournalEntry, Outcome, Outgoing, Settle, StoreError, messages};

/// A wish to store what goes out.
#[derive(Debug)]
pub(super) struct StoreOutgoing {
    pub(super) delivery_id: DeliveryId,
    pub(super) epoch: i64,
    pub(super) outgoing: Outgoing,
    pub(super) journal: Vec<JournalEntry>,
}

/// The columns of a delivery under the alias `d`.
pub(super) const COLUMNS: &str = "d.id, d.record_id, d.recipient, d.state, d.attempts, d.next_at, d.lease_owner, d.lease_epoch, \
    d.claimed_from, d.reason, d.fault_code, d.detail, d.sent_at, d.settled_at, d.expires_at, d.mailbox, d.out_digest, \
    d.out_certificate, d.on_consent, d.stopped_by";

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
        on_consent: row.opt_parsed("on_consent", DataClass::parse_set)?,
        stopped_by: row.opt_parsed("stopped_by", |t| RecordId::parse(t).ok())?,
        out_digest: row.opt_digest("out_digest")?,
        out_certificate: row.opt_digest("out_certificate")?,
    })
}

/// What goes out, from a row that may lack it (after an outer join).
pub(super) fn read_outgoing(row: &sqlx::any::AnyRow) -> Result<Option<Outgoing>, StoreError> {
    let Some(signed) = row.opt_bytes("signed")? else { return Ok(None) };
    Ok(Some(Outgoing { signed, digest: row.digest("out_digest")?, certificate: row.digest("out_certificate")? }))
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
            Self::Stopped => DeliveryState::Stopped,
        }
    }

    fn reason(&self) -> Option<ParkReason> {
        match self {
            Self::Requeue { reason, .. } | Self::Park { reason, .. } => Some(*reason),
            Self::Stopped => Some(ParkReason::ConsentEnded),
            Self::Sent { .. } | Self::Delivered { .. } | Self::Refused { .. } | Self::Expired => None,
        }
    }

    fn detail(&self) -> Option<&str> {
        match self {
            Self::Requeue { detail, .. } | Self::Park { detail, .. } => Some(detail),
            Self::Refused { detail, .. } => detail.as_deref(),
            Self::Sent { .. } | Self::Delivered { .. } | Self::Expired | Self::Stopped => None,
        }
    }

    fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Sent { .. }
            | Self::Delivered { .. }
            | Self::Requeue { .. }
            | Self::Park { .. }
            | Self::Expired
            | Self::Stopped => None,
        }
    }
}

/// The partner's signed bytes that an outcome brings.
pub(super) fn answer_bytes(outcome: &Outcome) -> Option<&[u8]> {
    match outcome {
        Outcome::Delivered { receipt, .. } => Some(receipt),
        Outcome::Refused { answer, .. } => Some(answer),
        Outcome::Sent { .. } | Outcome::Requeue { .. } | Outcome::Park { .. } | Outcome::Expired | Outcome::Stopped => {
            None
        }
    }
}

/// The row of a settle, for [`SETTLE`].
pub(super) fn settle_values(settle: &Settle) -> Vals<'_> {
    let outcome = &settle.outcome;
    let (next_at, sent_at, settled_at, mailbox) = match outcome {
        Outcome::Sent { at, receipt_deadline, mailbox } => (*receipt_deadline, Some(*at), None, *mailbox),
        Outcome::Delivered { at, .. } | Outcome::Refused { at, .. } => (None, Some(*at), Some(*at), false),
        Outcome::Requeue { next_attempt_at, .. } => (Some(*next_attempt_at), None, None, false),
        // The partner has it, and only its answer is at fault.
        Outcome::Park { reason: ParkReason::AnswerRefused, .. } => (None, Some(settle.now), Some(settle.now), false),
        Outcome::Park { .. } | Outcome::Expired | Outcome::Stopped => (None, None, Some(settle.now), false),
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

/// Ends attempts under the lease's number. What was not handed over, and whose consent ended meanwhile, is due at once: the next claim
/// finds that it is to be stopped.
pub(super) const SETTLE: Stmt = Stmt {
    head: "WITH v (v_id, v_epoch, v_state, v_next, v_reason, v_code, v_detail, v_sent, v_settled, v_mailbox) AS (VALUES ",
    tail: ") UPDATE deliveries SET \
           state = CASE WHEN stopped_by IS NOT NULL AND sent_at IS NULL AND (v_sent IS NULL AND v_state IN ('parked', 'expired') OR v_mailbox = 1) \
           THEN 'queued' ELSE v_state END, \
           next_at = CASE WHEN stopped_by IS NOT NULL AND sent_at IS NULL AND (v_sent IS NULL AND v_state IN ('queued', 'parked', 'expired') OR v_mailbox = 1) \
           THEN 0 ELSE v_next END, reason = v_reason, fault_code = v_code, detail = v_detail, \
           sent_at = COALESCE(sent_at, CASE WHEN stopped_by IS NOT NULL AND v_mailbox = 1 THEN NULL ELSE v_sent END), \
           settled_at = v_settled, mailbox = CASE WHEN stopped_by IS NOT NULL AND sent_at IS NULL THEN 0 ELSE v_mailbox END \
           FROM v WHERE id = v_id AND lease_epoch = v_epoch AND state = 'leased' \
           RETURNING id, lease_owner, in_order, stopped_by",
};

/// Settles by the partner's word.
pub(super) const ANSWERED: Stmt = Stmt {
    head: "WITH v (v_id, v_recipient, v_state, v_code, v_detail, v_at) AS (VALUES ",
    tail: ") UPDATE deliveries SET state = v_state, next_at = NULL, reason = NULL, fault_code = v_code, detail = v_detail, \
           sent_at = COALESCE(sent_at, v_at), settled_at = v_at FROM v \
           WHERE id = v_id AND recipient = v_recipient AND state IN ('queued', 'leased', 'sent', 'parked', 'expired', 'stopped', \
           'discarded') \
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

/// The row of what goes out, for [`INSERT_OUTGOING`]. Its column for the unsigned form, which earlier builds filled, stays empty: that is
/// the signed one without its signature.
pub(super) fn outgoing_values(id: DeliveryId, outgoing: &Outgoing) -> Vals<'_> {
    vec![text(id), Val::Bytes(Some(&[])), outgoing.signed.as_slice().into()]
}

/// Keeps what goes out.
pub(super) const INSERT_OUTGOING: Stmt = Stmt {
    head: "INSERT INTO outgoing (delivery_id, unsigned, signed) VALUES ",
    tail: " ON CONFLICT (delivery_id) DO UPDATE SET unsigned = excluded.unsigned, signed = excluded.signed",
};
