//! The try of the way to a participant.

use crate::domain::{Fault, Technical, Timestamp};
use crate::xml::{Fields, Writer, instant};

use super::{AN_INSTANT, TechnicalBody};

/// Asks a participant for nothing but its receipt. Only the gateway sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// When the try began. Travels to the millisecond.
    pub at: Timestamp,
}

impl TechnicalBody for Ping {
    const KIND: Technical = Technical::Ping;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("at", &self.at.to_string());
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self { at: f.parsed("at", AN_INSTANT, instant)? })
    }
}
