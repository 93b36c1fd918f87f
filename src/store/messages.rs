//! Messages: accepting them, and finding them again.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Scope;
use crate::domain::{
    CaseId, ConversationId, DataClass, DeliveryId, DeliveryState, Digest, Header, MessageId, MessageType,
    ParticipantId, Priority, RecordId, Timestamp, TraceContext,
};
use crate::search::Marks;

use super::sql::{Columns, Select, Stmt, Val, Vals, opt_text, text};
use super::writer::{Answer, Work};
use super::{
    CaseChange, CaseWork, JournalEntry, NewObligation, NewSettlement, Outgoing, Revisions, Sought, Store, StoreError,
    crossed, desk,
};

/// How a message came to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// `POST /v1/messages`.
    Http,
    /// A queue of the broker.
    Amqp,
    /// Made by the gateway itself (a notice, a split).
    Internal,
    /// A body without an envelope, which the gateway signed on behalf of its sender.
    Plain,
}

impl Channel {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Http, Self::Amqp, Self::Internal, Self::Plain];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Amqp => "amqp",
            Self::Internal => "internal",
            Self::Plain => "plain",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == word)
    }
}

/// A message to record.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its id in the store; also the order of messages (make it a UUID of version 7 from the machine's `now`).
    pub record_id: RecordId,
    /// The verified header. `via` is not stored apart from the bytes, and of `attachments` only those that are not inline.
    pub header: Header,
    /// The machine's instant of acceptance.
    pub accepted_at: Timestamp,
    /// The same instant on the deadlines' clock.
    pub business_at: Timestamp,
    /// The content digest that identifies the message together with its key (the Reference's digest, recomputed by us).
    pub digest: Digest,
    /// The exact bytes of the envelope as they came.
    pub bytes: Vec<u8>,
    /// The canonical body, when the sender's own form was translated.
    pub canonical: Option<Vec<u8>>,
    /// The signed receipt; `None` for messages made by the gateway.
    pub receipt: Option<Vec<u8>>,
    /// SHA-256 of the certificate that verified the signature.
    pub certificate: Option<Digest>,
    /// The configuration under which it was judged.
    pub revisions: Revisions,
    /// How it came.
    pub channel: Channel,
    /// To whom it goes; empty for a message to oneself.
    pub deliveries: Vec<NewDelivery>,
    /// Where in a trace what follows from it belongs.
    pub trace: Option<TraceContext>,
    /// What it is found by besides its header.
    pub marks: Marks,
}

/// A delivery to begin, in state `queued`.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub recipient: ParticipantId,
    /// Whether it waits for earlier deliveries of the same conversation to the same recipient.
    pub ordered: bool,
    /// The first attempt's instant (machine time).
    pub next_attempt_at: Timestamp,
    /// After this instant it is not tried any more (machine time).
    pub expires: Option<Timestamp>,
    /// The classes of personal data that it carries on a consent alone; `None`: it rests on the law.
    pub on_consent: Option<BTreeSet<DataClass>>,
    /// What goes out, where it could be made at once; `None`: the first attempt makes it.
    pub outgoing: Option<Outgoing>,
}

/// Everything that one accepted message writes: all of it or nothing.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The message.
    pub message: NewMessage,
    /// Messages that the gateway makes because of it (parts of a split, notices).
    pub made: Vec<NewMessage>,
    /// Obligations that it opens.
    pub obligations: Vec<NewObligation>,
    /// What it settles.
    pub settlements: Vec<NewSettlement>,
    /// The case that it opens or changes.
    pub case: Option<CaseChange>,
    /// What it does to other obligations of its case.
    pub case_work: CaseWork,
    /// Further journal entries (the store itself writes `message-accepted` and one for each obligation that it touches).
    pub journal: Vec<JournalEntry>,
}

/// What became of an [`Accept`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Recorded and durable.
    Recorded,
    /// The same sender and message id were recorded before: answer with the stored receipt when the digest is equal, with
    /// `id-reused` when it is not.
    Duplicate {
        /// The record of the first copy.
        record_id: RecordId,
        /// The content digest of the first copy.
        digest: Digest,
        /// The receipt that the first copy got.
        receipt: Option<Vec<u8>>,
    },
    /// The case was changed by another message meanwhile; nothing was written. Judge again with the new case.
    CaseChanged,
}

/// A recorded message without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id in the store.
    pub record_id: RecordId,
    /// The sender's id of it.
    pub message_id: MessageId,
    /// Who sent it.
    pub sender: ParticipantId,
    /// For whom it is.
    pub recipient: ParticipantId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its case.
    pub case_id: Option<CaseId>,
    /// What it answers.
    pub in_reply_to: Option<MessageId>,
    /// What it was split from.
    pub derived_from: Option<MessageId>,
    /// Type and version.
    pub message_type: MessageType,
    /// The sender's `Created`.
    pub created: Timestamp,
    /// The sender's `Expires`.
    pub expires: Option<Timestamp>,
    /// Urgency.
    pub priority: Priority,
    /// Rehearsal.
    pub test: bool,
    /// The machine's instant of acceptance.
    pub accepted_at: Timestamp,
    /// The deadlines' instant of acceptance.
    pub business_at: Timestamp,
    /// The content digest.
    pub digest: Digest,
    /// SHA-256 of the verifying certificate.
    pub certificate: Option<Digest>,
    /// The configuration under which it was judged.
    pub revisions: Revisions,
    /// How it came.
    pub channel: Channel,
    /// Where in a trace what follows from it belongs.
    pub trace: Option<TraceContext>,
}

/// The bytes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The exact bytes as they came.
    pub bytes: Vec<u8>,
    /// The canonical body, when the sender's form was translated.
    pub canonical: Option<Vec<u8>>,
    /// The receipt that the sender got.
    pub receipt: Option<Vec<u8>>,
}

/// Which messages to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// Sent by.
    pub sender: Option<ParticipantId>,
    /// Sent to.
    pub recipient: Option<ParticipantId>,
    /// Sent by or to.
    pub party: Option<ParticipantId>,
    /// In this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// With this message id (of any sender).
    pub message_id: Option<MessageId>,
    /// Of this type's name, any version.
    pub type_name: Option<String>,
    /// Accepted at or after.
    pub accepted_from: Option<Timestamp>,
    /// Accepted before.
    pub accepted_before: Option<Timestamp>,
    /// With a delivery in one of these states.
    pub states: Vec<DeliveryState>,
    /// With this number, or about this person.
    pub sought: Option<Sought>,
    /// Only of this part of the region.
    pub within: Scope,
}

impl Store {
    /// Records a message with all that belongs to it, durably. The first of equal (sender, message id) wins, also within one
    /// batch and between nodes.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`], [`StoreError::NoSpace`] and [`StoreError::Unknown`] mean 503 for the peer;
    /// [`StoreError::Refused`] is a defect of these rows.
    pub async fn accept(&self, accept: Accept) -> Result<Accepted, StoreError> {
        let Answer::Accepted(accepted) = self.try_write(Work::Accept(Box::new(accept))).await? else {
            return Err(crossed());
        };
        Ok(accepted)
    }

    /// The message with this key.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn message_by_key(
        &self,
        sender: &ParticipantId,
        message_id: MessageId,
    ) -> Result<Option<MessageRow>, StoreError> {
        self.one_message(
            Select::new(&select())
                .and("m.sender = ?", vec![text(sender)])
                .and("m.message_id = ?", vec![text(message_id)]),
        )
        .await
    }

    /// The message with this record id.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn message(&self, record_id: RecordId) -> Result<Option<MessageRow>, StoreError> {
        self.one_message(Select::new(&select()).and("m.record_id = ?", vec![text(record_id)])).await
    }

    /// The messages with this id whose sender or recipient is the party (for `InReplyTo`, and for the state that a party may
    /// ask for). More than one only if two senders used one id.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn messages_of_party(
        &self,
        message_id: MessageId,
        party: &ParticipantId,
    ) -> Result<Vec<MessageRow>, StoreError> {
        Select::new(&select())
            .and("m.message_id = ?", vec![text(message_id)])
            .and("(m.sender = ? OR m.recipient = ?)", vec![text(party), text(party)])
            .push(" ORDER BY m.record_id", vec![])
            .fetch(self.readers())
            .await?
            .iter()
            .map(row)
            .collect()
    }

    /// The bytes of a message.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn content(&self, record_id: RecordId) -> Result<Option<Content>, StoreError> {
        let found = Select::new("SELECT bytes, canonical, receipt FROM contents")
            .and("record_id = ?", vec![text(record_id)])
            .fetch(self.readers())
            .await?;
        found
            .first()
            .map(|row| {
                Ok(Content {
                    bytes: row.bytes("bytes")?,
                    canonical: row.opt_bytes("canonical")?,
                    receipt: row.opt_bytes("receipt")?,
                })
            })
            .transpose()
    }

    /// Messages, newest first, beginning below `before` (the last record id of the page before).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_messages(
        &self,
        filter: &MessageFilter,
        before: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut found = BTreeMap::new();
        // Each side of a party reads at most one page of an index in the order of the listing; the pages are merged.
        for select in desk::message_listings(filter, before, limit) {
            for row in &select.fetch(self.readers()).await? {
                let row = self::row(row)?;
                found.insert(row.record_id.to_string(), row);
            }
        }
        Ok(found.into_values().rev().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn one_message(&self, select: Select<'_>) -> Result<Option<MessageRow>, StoreError> {
        select.fetch(self.readers()).await?.first().map(row).transpose()
    }
}

/// The columns of a message under the alias `m`. Those that other tables have too are renamed.
pub(super) const COLUMNS: &str = "m.record_id AS m_record_id, m.message_id, m.sender, m.recipient AS m_recipient, \
    m.conversation_id AS m_conversation_id, m.case_id AS m_case_id, m.in_reply_to, m.derived_from, m.type_name, m.type_version, \
    m.created_at, m.expires_at AS m_expires_at, m.priority AS m_priority, m.test, m.accepted_at, m.business_at, m.digest, \
    m.certificate, m.participants_revision, m.bundle_revision, m.channel, m.trace";

pub(super) fn select() -> String {
    format!("SELECT {COLUMNS} FROM messages m")
}

/// Reads [`COLUMNS`].
pub(super) fn row(row: &sqlx::any::AnyRow) -> Result<MessageRow, StoreError> {
    let type_name = row.text("type_name")?;
    let priority = row.int("m_priority")?;
    Ok(MessageRow {
        record_id: row.parsed("m_record_id", |t| RecordId::parse(t).ok())?,
        message_id: row.parsed("message_id", |t| MessageId::parse(t).ok())?,
        sender: row.parsed("sender", |t| ParticipantId::parse(t).ok())?,
        recipient: row.parsed("m_recipient", |t| ParticipantId::parse(t).ok())?,
        conversation_id: row.parsed("m_conversation_id", |t| ConversationId::parse(t).ok())?,
        case_id: row.opt_parsed("m_case_id", |t| CaseId::parse(t).ok())?,
        in_reply_to: row.opt_parsed("in_reply_to", |t| MessageId::parse(t).ok())?,
        derived_from: row.opt_parsed("derived_from", |t| MessageId::parse(t).ok())?,
        message_type: MessageType::new(&type_name, row.count("type_version")?)
            .map_err(|_| StoreError::Corrupt("column type_name".to_owned()))?,
        created: row.at("created_at")?,
        expires: row.opt_at("m_expires_at")?,
        priority: [Priority::Normal, Priority::Urgent, Priority::Emergency]
            .into_iter()
            .find(|p| p.rank() == priority)
            .ok_or_else(|| StoreError::Corrupt("column priority".to_owned()))?,
        test: row.flag("test")?,
        accepted_at: row.at("accepted_at")?,
        business_at: row.at("business_at")?,
        digest: row.digest("digest")?,
        certificate: row.opt_digest("certificate")?,
        revisions: Revisions { participants: row.int("participants_revision")?, bundle: row.int("bundle_revision")? },
        channel: row.parsed("channel", Channel::parse)?,
        // It is there for who looks on; nothing may fail for it.
        trace: row.opt_text("trace")?.and_then(|text| TraceContext::from_text(&text)),
    })
}

/// The row of a message, for [`INSERT`].
pub(super) fn values(message: &NewMessage) -> Vals<'_> {
    let header = &message.header;
    vec![
        text(message.record_id),
        text(&header.sender),
        text(header.message_id),
        text(&header.recipient),
        text(header.conversation_id),
        opt_text(header.case_id),
        opt_text(header.in_reply_to),
        opt_text(header.derived_from),
        Val::Word(&header.message_type.name),
        i64::from(header.message_type.version).into(),
        header.created.into(),
        header.expires.into(),
        header.priority.rank().into(),
        header.test.into(),
        message.accepted_at.into(),
        message.business_at.into(),
        message.digest.into(),
        message.certificate.as_ref().into(),
        message.revisions.participants.into(),
        message.revisions.bundle.into(),
        Val::Word(message.channel.as_str()),
        opt_text(message.trace.as_ref().map(TraceContext::to_text)),
    ]
}

/// The store's own journal entry of a message.
pub(super) fn entry(message: &NewMessage, kind: &str) -> JournalEntry {
    JournalEntry {
        at: Some(message.accepted_at),
        kind: kind.to_owned(),
        actor: message.header.sender.to_string(),
        record_id: Some(message.record_id),
        participant: Some(message.header.recipient.clone()),
        detail: serde_json::json!({
            "type": message.header.message_type.to_string(),
            "message_id": message.header.message_id.to_string(),
            "digest": message.digest.to_string(),
            "channel": message.channel.as_str(),
            "participants": message.revisions.participants,
            "bundle": message.revisions.bundle,
        }),
        ..JournalEntry::default()
    }
}

const INSERT_HEAD: &str = "INSERT INTO messages (record_id, sender, message_id, recipient, conversation_id, case_id, in_reply_to, \
    derived_from, type_name, type_version, created_at, expires_at, priority, test, accepted_at, business_at, digest, certificate, \
    participants_revision, bundle_revision, channel, trace) VALUES ";

/// Claims ids: the first of a key wins.
pub(super) const INSERT: Stmt = Stmt { head: INSERT_HEAD, tail: " ON CONFLICT DO NOTHING RETURNING record_id" };

/// The gateway's own messages: an id in use is an error.
pub(super) const INSERT_MADE: Stmt = Stmt { head: INSERT_HEAD, tail: "" };
