//! The schemas of both sides, as the translations use them.

use super::manifest::Form;
use super::{AdapterError, AdapterErrorKind};
use crate::bundle::Files;
use crate::domain::{FaultCode, MessageType};
use crate::schema::{Catalogue, CatalogueError, JsonSchema, Violation, XmlSchema};

/// The partner's own schema of one message type.
pub(super) enum PartnerSchema {
    Xml(XmlSchema),
    Json(JsonSchema),
}

impl PartnerSchema {
    /// Compiles the schema at the path `file`; it may import and include others of the same files.
    pub(super) fn compile(form: Form, files: &Files, file: &str) -> Result<Self, Vec<AdapterError>> {
        let result = match form {
            Form::Json => JsonSchema::compile(files, file).map(Self::Json),
            Form::Xml | Form::Canonical => XmlSchema::compile(files, file).map(Self::Xml),
        };
        result.map_err(|problems| {
            let line = |p: &CatalogueError| p.line.and_then(|l| usize::try_from(l).ok());
            let told =
                |p: &CatalogueError| AdapterError::new(AdapterErrorKind::Folder, &p.file, line(p), p.message.clone());
            problems.iter().map(told).collect()
        })
    }

    pub(super) fn validate(&self, bytes: &[u8]) -> Result<(), String> {
        match self {
            Self::Xml(schema) => schema.validate(bytes).map_err(|v| told(&v)),
            Self::Json(schema) => schema.validate(bytes).map_err(|v| told(&v)),
        }
    }
}

/// Validates a canonical body.
pub(super) fn canonical(catalogue: &Catalogue, message_type: &MessageType, bytes: &[u8]) -> Result<(), String> {
    catalogue.validate(message_type, bytes).map_err(|v| told(&v))
}

/// Validates what a partner's body was translated into. What is wrong with it is the body's: its sender can mend it.
pub(super) fn translated(
    catalogue: &Catalogue,
    message_type: &MessageType,
    bytes: &[u8],
) -> Result<(), (AdapterErrorKind, String)> {
    catalogue.validate(message_type, bytes).map_err(|violations| {
        let kind = match violations.first().map(|v| v.rule.fault_code()) {
            Some(FaultCode::ContentInvalid) => AdapterErrorKind::ContentInvalid,
            Some(_) | None => AdapterErrorKind::NotCanonical,
        };
        (kind, told(&violations))
    })
}

/// The first three violations in one sentence.
fn told(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().take(3).map(ToString::to_string).collect();
    if texts.is_empty() { "it does not fit its schema".to_owned() } else { texts.join("; ") }
}
