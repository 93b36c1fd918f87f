//! Messages: what an envelope's header says.

use std::fmt;

use super::{CaseId, ConversationId, Digest, IdError, MessageId, ParticipantId, Timestamp};

/// A message type with its major version: `document-request` 1 lives in the namespace
/// `urn:mezhved:social:document-request:1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct MessageType {
    /// The name: lower-case Latin letters, digits and hyphens.
    pub name: String,
    /// The major version, from 1.
    pub version: u32,
}

impl MessageType {
    /// Makes a type from its name and major version.
    ///
    /// # Errors
    /// When the name has another form or the version is 0.
    pub fn new(name: &str, version: u32) -> Result<Self, IdError> {
        let code = super::RoleCode::parse(name).map_err(|e| IdError { kind: "message type", ..e })?;
        if version == 0 {
            return Err(IdError { kind: "message version", value: "0".to_owned(), problem: "versions begin at 1" });
        }
        Ok(Self { name: code.as_str().to_owned(), version })
    }

    /// The kind of technical message this is, if it is one.
    pub fn technical(&self) -> Option<Technical> {
        (self.version == 1).then(|| Technical::parse(&self.name)).flatten()
    }

    /// The namespace of the body: `urn:mezhved:social:<name>:<version>`, or `urn:mezhved:technical:<name>:<version>`.
    pub fn namespace(&self) -> String {
        let area = if self.technical().is_some() { "technical" } else { "social" };
        format!("urn:mezhved:{area}:{}:{}", self.name, self.version)
    }

    /// The folder of the schema below `schemas/`: `social/document-request/1`.
    pub fn folder(&self) -> String {
        let area = if self.technical().is_some() { "technical" } else { "social" };
        format!("{area}/{}/{}", self.name, self.version)
    }

    /// The local name of the body's root element: the type's name in upper camel case (`DocumentRequest`).
    pub fn root(&self) -> String {
        self.name
            .split('-')
            .map(|part| {
                let mut chars = part.chars();
                chars.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
            })
            .collect()
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.version)
    }
}

/// Messages of the exchange itself, always in the canonical form and never translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Technical {
    /// Accepted: names the message and the digest that was recorded.
    Receipt,
    /// Refused: names the message and a code.
    Fault,
    /// Tells a sender what became of its message.
    Notice,
    /// Reminds a participant of a message that it owes.
    DeadlineReminder,
    /// Asks for a ticket to read one thing.
    TicketRequest,
    /// The gateway's answer to a ticket request.
    Ticket,
    /// Asks for what waits in the mailbox.
    MailboxPull,
    /// The gateway's answer to a pull: lists the stored envelopes.
    MailboxBatch,
    /// Receipts and faults for what was pulled.
    MailboxAck,
    /// A debtor says that it met an obligation outside of the gateway.
    OutsideAct,
    /// The gateway tries the way to a participant: it means nothing, and is answered with a receipt.
    Ping,
}

impl Technical {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Receipt, "receipt"),
        (Self::Fault, "fault"),
        (Self::Notice, "notice"),
        (Self::DeadlineReminder, "deadline-reminder"),
        (Self::TicketRequest, "ticket-request"),
        (Self::Ticket, "ticket"),
        (Self::MailboxPull, "mailbox-pull"),
        (Self::MailboxBatch, "mailbox-batch"),
        (Self::MailboxAck, "mailbox-ack"),
        (Self::OutsideAct, "outside-act"),
        (Self::Ping, "ping"),
    ];

    /// The technical type with this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(t, _)| *t)
    }

    /// Its name in the header's `Type`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(t, _)| *t == self).map_or("", |(_, n)| n)
    }

    /// Whether the one who gets it answers with a receipt, as to any other message: it is no answer itself.
    pub fn wants_receipt(self) -> bool {
        matches!(self, Self::DeadlineReminder | Self::Ping)
    }

    /// As a [`MessageType`] of version 1.
    pub fn message_type(self) -> MessageType {
        MessageType { name: self.name().to_owned(), version: 1 }
    }
}

/// How urgent a message is; orders the gateway's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// The default.
    #[default]
    Normal,
    /// Before normal ones.
    Urgent,
    /// Before all others.
    Emergency,
}

impl Priority {
    /// The word in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Urgent => "urgent",
            Self::Emergency => "emergency",
        }
    }

    /// Parses the header's word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Normal, Self::Urgent, Self::Emergency].into_iter().find(|p| p.as_str() == text)
    }

    /// 0 normal, 1 urgent, 2 emergency: the store's form.
    pub fn rank(self) -> i64 {
        match self {
            Self::Normal => 0,
            Self::Urgent => 1,
            Self::Emergency => 2,
        }
    }
}

/// Added by the gateway to what it delivers: who passed it on and what the sender really signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The gateway's own participant id.
    pub gateway: ParticipantId,
    /// When the gateway accepted the message.
    pub accepted_at: Timestamp,
    /// SHA-256 of the sender's exact bytes.
    pub digest: Digest,
}

/// A file listed in the signed header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Media type, such as `application/pdf`.
    pub media_type: String,
    /// The file's name for people.
    pub name: String,
    /// The bytes themselves when they travel inside the envelope.
    pub inline: Option<Vec<u8>>,
    /// The digest of another attachment that this one signs (detached CMS), if any.
    pub signs: Option<Digest>,
}

/// The header of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The sender's id of the message, a UUID of version 7.
    pub message_id: MessageId,
    /// The conversation that the message belongs to.
    pub conversation_id: ConversationId,
    /// The message that this one answers.
    pub in_reply_to: Option<MessageId>,
    /// The case that the message is about.
    pub case_id: Option<CaseId>,
    /// Type and major version.
    pub message_type: MessageType,
    /// Who signed (or, with [`Header::via`], for whom the gateway passes it on).
    pub sender: ParticipantId,
    /// Whom it is for.
    pub recipient: ParticipantId,
    /// When the sender made it, by the sender's clock.
    pub created: Timestamp,
    /// After this instant the gateway stops trying to deliver.
    pub expires: Option<Timestamp>,
    /// Urgency.
    pub priority: Priority,
    /// A message of a rehearsal: exchanged like any other, opens no obligation.
    pub test: bool,
    /// Set by the gateway on what it delivers.
    pub via: Option<Via>,
    /// The message that this one was split from.
    pub derived_from: Option<MessageId>,
    /// The listed files.
    pub attachments: Vec<Attachment>,
}
