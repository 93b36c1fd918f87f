//! Deliveries: claim under a lease, store what goes out, settle under the lease's epoch.

use std::collections::BTreeSet;

use crate::domain::{
    CaseId, DataClass, DeliveryId, DeliveryState, Digest, MessageId, ParkReason, ParticipantId, RecordId, Remark,
    Timestamp,
};

use super::claims::ClaimTask;
use super::dead::ReplayTask;
use super::delivery_rows::{COLUMNS, StoreOutgoing, read_outgoing, row, select_both};
use super::sql::{Columns, Select, text};
use super::writer::{Answer, Work};
use super::{
    JournalEntry, MessageRow, NewMessage, PendingObligation, StartedObligation, Store, StoreError, crossed, messages,
};

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
    /// Why it was put back last, or why it waited.
    pub reason: Option<ParkReason>,
    /// When a person put it back; `None`: it waits since its message was accepted.
    pub waiting_since: Option<Timestamp>,
    /// Whether it goes with a consent only.
    pub on_consent: bool,
    /// Whether the consent ended before it was handed over: settle it as [`Outcome::Stopped`].
    pub stopped: bool,
    /// The message.
    pub message: MessageRow,
    /// Its exact bytes as they came.
    pub bytes: Vec<u8>,
    /// Its canonical body, when the sender's form was translated.
    pub canonical: Option<Vec<u8>>,
    /// What an earlier attempt stored to send.
    pub outgoing: Option<Outgoing>,
    /// The obligations that the message opened and that wait for it to be handed over.
    pub pending: Vec<PendingObligation>,
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
    /// The consent that it rests on ended before it was handed over.
    Stopped,
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
    /// The classes of personal data that it carries on a consent alone; `None`: it rests on the law.
    pub on_consent: Option<BTreeSet<DataClass>>,
    /// The message by which that consent ended.
    pub stopped_by: Option<RecordId>,
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
    /// Why, for those who look at the delivery later.
    pub why: Option<Remark>,
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
        self.store_made(delivery_id, epoch, outgoing, Vec::new()).await
    }

    /// As [`Store::store_outgoing`], with journal entries, each with its time, about how it was made.
    ///
    /// # Errors
    /// When the database is away; then send nothing.
    pub async fn store_made(
        &self,
        delivery_id: DeliveryId,
        epoch: i64,
        outgoing: Outgoing,
        journal: Vec<JournalEntry>,
    ) -> Result<bool, StoreError> {
        let work = Work::Outgoing(Box::new(StoreOutgoing { delivery_id, epoch, outgoing, journal }));
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

    /// The deliveries of a message, and of its parts if it was parted.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn deliveries_of(&self, record_id: RecordId) -> Result<Vec<DeliveryRow>, StoreError> {
        let of_parts = "d.record_id IN (SELECT ? UNION ALL SELECT p.record_id FROM messages w \
                        JOIN messages p ON p.derived_from = w.message_id AND p.sender = w.sender WHERE w.record_id = ?)";
        let select = Select::new(&format!("SELECT {COLUMNS} FROM deliveries d"))
            .and(of_parts, vec![text(record_id), text(record_id)]);
        select.push(" ORDER BY d.id", vec![]).fetch(self.readers()).await?.iter().map(row).collect()
    }

    /// How the delivery of the latest message of this type in the case to this participant stands.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn latest_delivery(
        &self,
        case: CaseId,
        type_name: &str,
        recipient: &ParticipantId,
    ) -> Result<Option<DeliveryState>, StoreError> {
        let found = Select::new("SELECT d.state FROM deliveries d JOIN messages m ON m.record_id = d.record_id")
            .and("m.case_id = ?", vec![text(case)])
            .and("m.type_name = ?", vec![text(type_name)])
            .and("m.test = 0", vec![])
            .and("d.recipient = ?", vec![text(recipient)])
            .push(" ORDER BY d.record_id DESC LIMIT 1", vec![])
            .fetch(self.readers())
            .await?;
        found.first().map(|row| row.parsed("state", DeliveryState::parse)).transpose()
    }

    /// What goes out or went out for a delivery, if it was made.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn outgoing(&self, id: DeliveryId) -> Result<Option<Outgoing>, StoreError> {
        let found = Select::new(
            "SELECT o.signed, d.out_digest, d.out_certificate FROM outgoing o JOIN deliveries d ON d.id = o.delivery_id",
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
