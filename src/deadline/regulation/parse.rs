//! The TOML form of a regulation.

use super::Regulation;
use crate::deadline::Finding;

/// Dated fields at the top of a body from which a term may be counted.
pub(in crate::deadline) const DATED_FIELDS: [&str; 6] =
    ["submittedAt", "registeredAt", "identifiedAt", "decidedAt", "signedAt", "handedAt"];

pub(super) fn parse(file: &str, text: &str) -> Result<Regulation, Vec<Finding>> {
    let _ = (file, text);
    todo!()
}
