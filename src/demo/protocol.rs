//! What the demonstration and a simulated system say to each other: JSON lines on standard input and output.
//!
//! Nothing of the exchange itself goes this way: messages travel over sockets only. Ids only, no names.

use std::net::SocketAddr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::{CaseId, MessageId, ParticipantId, Timestamp};

/// What the demonstration tells a system to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(super) enum Command {
    /// The gateway is there: connect.
    Begin {
        /// Its address for agencies, `http://127.0.0.1:PORT`.
        gateway: String,
        /// The business date, for the dates inside of documents.
        today: NaiveDate,
    },
    /// Business time was moved.
    Today {
        /// The new date.
        today: NaiveDate,
    },
    /// Register a citizen's application: a message to oneself.
    Application(Application),
    /// Ask an agency for documents.
    Request(Request),
    /// Report on a case's measures of a month.
    Report(Report),
}

/// An application to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Application {
    /// The case that it begins.
    pub(super) case: CaseId,
    /// The number of the application in the demonstration, from 1; chooses the invented person.
    pub(super) number: u32,
    /// When it was registered (business time).
    pub(super) registered_at: Timestamp,
    /// The documents that the decision needs.
    pub(super) documents: Vec<Required>,
}

/// A document that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Required {
    /// Its kind, of the list `document-kinds`.
    pub(super) kind: String,
    /// The role of its holder.
    pub(super) holder: String,
    /// Whether the holder is to be asked; otherwise the citizen brought it.
    pub(super) ask: bool,
}

/// A request for documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    /// The case.
    pub(super) case: CaseId,
    /// The number of its application.
    pub(super) number: u32,
    /// Whom to ask.
    pub(super) to: ParticipantId,
    /// The kinds wanted.
    pub(super) kinds: Vec<String>,
}

/// A report on measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Report {
    /// The case.
    pub(super) case: CaseId,
    /// The month, such as `2026-05`.
    pub(super) period: String,
    /// Whom to report to.
    pub(super) to: ParticipantId,
    /// The measure's name.
    pub(super) measure: String,
}

/// What a system tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    /// It runs.
    Started {
        /// Where it takes pushes, if it does.
        address: Option<SocketAddr>,
    },
    /// It is connected and can exchange messages.
    Ready,
    /// The gateway's receipt for its message is verified and kept.
    Accepted {
        /// The message.
        id: MessageId,
        /// Its type.
        kind: String,
        /// Whom it is for.
        to: ParticipantId,
        /// What it answers.
        in_reply_to: Option<MessageId>,
    },
    /// Its message went with the response to what it answers.
    Responded {
        /// The message.
        id: MessageId,
        /// Its type.
        kind: String,
        /// Whom it is for.
        to: ParticipantId,
        /// What it answers.
        in_reply_to: Option<MessageId>,
    },
    /// The gateway refused its message.
    Refused {
        /// The message.
        id: MessageId,
        /// Its type.
        kind: String,
        /// The fault's code.
        code: String,
    },
    /// It took a message: the gateway's signature is verified, and it is on disk.
    Received {
        /// The message.
        id: MessageId,
        /// Its type.
        kind: String,
        /// Who sent it.
        from: ParticipantId,
        /// Whether it had it already: then it is only receipted again.
        again: bool,
    },
    /// Something did not work; it goes on.
    Trouble {
        /// What, without a body.
        text: String,
    },
}
