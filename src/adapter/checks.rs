//! The schemas of both sides, as the translations use them.

use super::manifest::Form;
use crate::bundle::Files;
use crate::domain::MessageType;
use crate::schema::{Catalogue, JsonSchema, Violation, XmlSchema};

/// The partner's own schema of one message type.
pub(super) enum PartnerSchema {
    Xml(XmlSchema),
    Json(JsonSchema),
}

impl PartnerSchema {
    /// Compiles the schema at `file`; an XSD may import and include others of the same files.
    ///
    /// # Errors
    /// The line, where known, and the reason.
    pub(super) fn compile(form: Form, files: &Files, file: &str) -> Result<Self, (Option<usize>, String)> {
        match form {
            Form::Json => JsonSchema::compile(files, file).map(Self::Json).map_err(|e| (None, e.to_string())),
            Form::Xml | Form::Canonical => XmlSchema::compile(files, file).map(Self::Xml).map_err(|e| (None, e.to_string())),
        }
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

/// The first three violations in one sentence.
fn told(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().take(3).map(ToString::to_string).collect();
    if texts.is_empty() { "it does not fit its schema".to_owned() } else { texts.join("; ") }
}
