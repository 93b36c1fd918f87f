//! What the demonstration and a simulated system say to each other: JSON lines on standard input and output.
//!
//! Nothing of the exchange itself goes this way: messages travel over sockets only. Ids only, no names.

use std::net::SocketAddr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::{CaseId, MessageId, ParticipantId, Timestamp};

/// The agency that answers nothing.
pub(crate) const SILENT: &str = "police";

/// The agencies with the kinds of documents that the demonstration asks them for; of the silent one a single kind.
pub(crate) const WANTED: [(&str, &[&str]); 5] = [
    ("health", &["medical-conclusion", "no-contraindications"]),
    ("education", &["study-certificate"]),
    (SILENT, &["criminal-record"]),
    ("guardianship", &["living-conditions-act"]),
    ("employment", &["unemployment-registration"]),
];

/// What the demonstration tells a system to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Command {
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
pub(crate) struct Application {
    /// The case that it begins.
    pub(crate) case: CaseId,
    /// The number of the application in the demonstration, from 1; chooses the invented person.
    pub(crate) number: u32,
    /// When it was registered (business time).
    pub(crate) registered_at: Timestamp,
    /// The documents that the decision needs.
    pub(crate) documents: Vec<Required>,
}

/// A document that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Required {
    /// Its kind, of the list `document-kinds`.
    pub(crate) kind: String,
    /// The role of its holder.
    pub(crate) holder: String,
    /// Whether the holder is to be asked; otherwise the citizen brought it.
    pub(crate) ask: bool,
}

/// A request for documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The case.
    pub(crate) case: CaseId,
    /// The number of its application.
    pub(crate) number: u32,
    /// Whom to ask.
    pub(crate) to: ParticipantId,
    /// The kinds wanted.
    pub(crate) kinds: Vec<String>,
}

/// A report on measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The case.
    pub(crate) case: CaseId,
    /// The month, such as `2026-05`.
    pub(crate) period: String,
    /// Whom to report to.
    pub(crate) to: ParticipantId,
    /// The measure's name.
    pub(crate) measure: String,
}

/// What a system tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
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
