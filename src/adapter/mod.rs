//! Adapters: translation between the canonical body of a message and a partner's own form, as data.
//!
//! An adapter is a folder `adapters/<name>/` with a `manifest.toml`, templates for both directions, the partner's own XSD or
//! JSON Schema, code lists and golden samples. Nothing about a partner is written in Rust: a new agency is a new folder.
//!
//! What lives here: reading such folders from a [`Files`](crate::bundle::Files) map, the sandboxed template engine, the two
//! translations and the check of golden samples. What does not: the file system, the clock, signatures, and which participant
//! uses which adapter (that is its configuration).
//!
//! A translation is: bounded input, validated where it comes from outside → a tree of named nodes → a template → output,
//! always validated against the schema of the side that it goes to. Three rules keep it honest:
//! - a name that the input does not have is an error, unless the template asked with `opt`, `all` or `has`;
//! - a value of the input that no line of the template has read is an error, unless the manifest lists its path as not
//!   carried, so nothing is dropped silently;
//! - a code without a counterpart in the partner's list is an error that names the code and the list.

mod checks;
mod codes;
mod conversion;
mod copy;
mod golden;
mod load;
mod manifest;
mod output;
mod preview;
mod render;
mod sandbox;
mod set;
#[cfg(test)]
mod tests;
mod translate;
mod tree;
mod view;

use std::fmt;

use crate::domain::{FaultCode, Header, MessageType};
use crate::envelope::{Body, BodyDraft};
use crate::schema::element_bytes;

pub use conversion::{ConversionSet, Converted, check_conversions};
pub use golden::{Direction, GoldenOutcome, GoldenResult, check as check_golden};
pub use preview::{PreviewStep, PreviewStepKind, preview, side};
pub use set::{Adapter, AdapterSet};

/// The most bytes that a body may have on its way into a translation.
pub const INPUT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most nodes (elements, attributes, JSON members and items) that a body may have.
pub const INPUT_NODES_MAX: usize = 200_000;
/// The deepest nesting of a body.
pub const INPUT_DEPTH_MAX: usize = 64;
/// The most bytes that a template may produce.
pub const OUTPUT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The steps that a template may take on any input, in instructions of the template engine.
pub const FUEL_BASE_INSTRUCTIONS: u64 = 200_000;
/// The steps that a template may take besides for each node of its input.
pub const FUEL_PER_NODE_INSTRUCTIONS: u64 = 60;
/// The most steps that a template may take, however large its input.
pub const FUEL_INSTRUCTIONS_MAX: u64 = 3_000_000;
/// The deepest nesting of macros and includes, in the template engine's own units (a macro costs 4, an include 10).
pub const RECURSION_UNITS_MAX: usize = 120;
/// The largest template file, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 64 * 1024;
/// The longest run of literal text in a template between two tags, in bytes. With the limit on steps it bounds what a macro in a
/// loop can hold in memory.
pub const TEMPLATE_TEXT_RUN_BYTES_MAX: usize = 512;

/// Why an adapter folder was refused or a translation failed: where, and what to do about it.
///
/// Holds no value of a body, except a code that is missing in a code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterError {
    /// What went wrong.
    pub kind: AdapterErrorKind,
    /// The file of the adapter that is concerned: `adapters/police/templates/document-request.out.xml`.
    pub file: String,
    /// The line in that file, from 1, where known.
    pub line: Option<usize>,
    /// The reason, in one sentence or more, with the field's path where there is one.
    pub reason: String,
}

/// The kinds of adapter errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterErrorKind {
    /// The folder is wrong: manifest, template syntax, schema or code list.
    Folder,
    /// The adapter has no form for this message type.
    TypeNotCarried,
    /// No conversion leads from one version of a message type to another.
    NoConversion,
    /// The input is not what it should be: the body does not fit the schema of the side it comes from, or is too large or deep.
    Input,
    /// The template failed.
    Template,
    /// A code has no counterpart in a code list.
    CodeMissing,
    /// The template's result is not a document, or does not fit the partner's schema.
    Output,
    /// The partner's body, translated, breaks the canonical schema: the partner's own schema lets more through.
    NotCanonical,
    /// The partner's body, translated, breaks a rule that the canonical schema cannot say, such as a check digit.
    ContentInvalid,
}

impl AdapterErrorKind {
    /// The fault that a sender gets when its body could not be translated for this reason.
    pub fn fault_code(self) -> FaultCode {
        match self {
            Self::Input | Self::NotCanonical => FaultCode::SchemaInvalid,
            Self::ContentInvalid => FaultCode::ContentInvalid,
            Self::TypeNotCarried => FaultCode::TypeUnknown,
            Self::NoConversion => FaultCode::VersionUnsupported,
            Self::Folder | Self::Template | Self::CodeMissing | Self::Output => FaultCode::TranslationFailed,
        }
    }
}

impl AdapterError {
    pub(crate) fn new(kind: AdapterErrorKind, file: &str, line: Option<usize>, reason: impl Into<String>) -> Self {
        Self { kind, file: file.to_owned(), line, reason: reason.into() }
    }
}

impl fmt::Display for AdapterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for AdapterError {}

/// A body in a partner's form, ready for the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartnerBody {
    /// One XML element as a document of its own, without a declaration; its root declares every namespace that it uses.
    Xml(Vec<u8>),
    /// Anything else, for the envelope's `Payload`.
    Payload {
        /// The media type, such as `application/json`.
        media_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl PartnerBody {
    /// The same body, borrowed.
    pub fn as_ref(&self) -> PartnerBodyRef<'_> {
        match self {
            Self::Xml(bytes) => PartnerBodyRef::Xml(bytes),
            Self::Payload { media_type, bytes } => PartnerBodyRef::Payload { media_type, bytes },
        }
    }
}

impl From<&Body<'_>> for PartnerBody {
    /// The body of an envelope that was read, as its sender wrote it.
    fn from(body: &Body<'_>) -> Self {
        match body {
            Body::Xml(node) => Self::Xml(element_bytes(*node)),
            Body::Payload { media_type, bytes } => {
                Self::Payload { media_type: media_type.clone(), bytes: bytes.clone() }
            }
        }
    }
}

impl From<PartnerBody> for BodyDraft {
    fn from(body: PartnerBody) -> Self {
        match body {
            PartnerBody::Xml(bytes) => Self::Xml(bytes),
            PartnerBody::Payload { media_type, bytes } => Self::Payload { media_type, bytes },
        }
    }
}

/// A body as a partner sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartnerBodyRef<'a> {
    /// The one element of the envelope's `Body`, as a document of its own.
    Xml(&'a [u8]),
    /// The envelope's `Payload`.
    Payload {
        /// The media type.
        media_type: &'a str,
        /// The bytes.
        bytes: &'a [u8],
    },
}

/// What a template may know of the envelope's header; a template reads it as `header.message_id` and so on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HeaderView {
    /// The message's id.
    pub message_id: String,
    /// The conversation's id.
    pub conversation_id: String,
    /// The id of the message that this one answers; `none` when there is none.
    pub in_reply_to: Option<String>,
    /// The case's id; `none` when there is none.
    pub case_id: Option<String>,
    /// The message type's name.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The message type's major version.
    pub version: u32,
    /// Who sent it.
    pub sender: String,
    /// Whom it is for.
    pub recipient: String,
    /// When the sender made it, RFC 3339 in UTC with milliseconds.
    pub created: String,
    /// `normal`, `urgent` or `emergency`.
    pub priority: &'static str,
    /// Whether it is a rehearsal.
    pub test: bool,
    /// The listed files.
    pub attachments: Vec<AttachmentView>,
}

/// What a template may know of a listed file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AttachmentView {
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub digest: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Media type.
    pub media_type: String,
    /// The file's name for people.
    pub name: String,
}

impl From<&Header> for HeaderView {
    fn from(header: &Header) -> Self {
        Self {
            message_id: header.message_id.to_string(),
            conversation_id: header.conversation_id.to_string(),
            in_reply_to: header.in_reply_to.map(|id| id.to_string()),
            case_id: header.case_id.map(|id| id.to_string()),
            message_type: header.message_type.name.clone(),
            version: header.message_type.version,
            sender: header.sender.to_string(),
            recipient: header.recipient.to_string(),
            created: header.created.to_string(),
            priority: header.priority.as_str(),
            test: header.test,
            attachments: header
                .attachments
                .iter()
                .map(|a| AttachmentView {
                    digest: a.digest.to_string(),
                    size_bytes: a.size_bytes,
                    media_type: a.media_type.clone(),
                    name: a.name.clone(),
                })
                .collect(),
        }
    }
}

impl HeaderView {
    /// The header under which golden samples are translated: fixed ids, `uszn` asking, the instant 2026-05-06T05:00:00Z.
    pub fn sample(message_type: &MessageType) -> Self {
        Self {
            message_id: "01931f6e-7a00-7000-8000-000000000001".to_owned(),
            conversation_id: "01931f6e-7a00-7000-8000-0000000000c1".to_owned(),
            in_reply_to: Some("01931f6e-7a00-7000-8000-000000000002".to_owned()),
            case_id: Some("01931f6e-7a00-7000-8000-0000000000d1".to_owned()),
            message_type: message_type.name.clone(),
            version: message_type.version,
            sender: "uszn".to_owned(),
            recipient: "agency".to_owned(),
            created: "2026-05-06T05:00:00.000Z".to_owned(),
            priority: "normal",
            test: false,
            attachments: Vec::new(),
        }
    }
}
