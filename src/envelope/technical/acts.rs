//! What a debtor says that it did outside of the gateway.

use crate::domain::{Digest, Fault, Line, ObligationId, OutsideWay, Remark, Technical, Timestamp};
use crate::xml::{Fields, Writer, instant};

use super::{A_DIGEST, A_UUID, AN_INSTANT, TechnicalBody, digest};

const A_LINE: &str = "one line of 1 to 250 characters is needed, without spaces at its ends";
const A_REMARK: &str = "a text of 1 to 4000 characters is needed, without white space at its ends";

/// An obligation was met outside of the gateway. Only its debtor may say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideAct {
    /// Which.
    pub obligation: ObligationId,
    /// How.
    pub way: OutsideWay,
    /// When. Travels to the millisecond.
    pub acted_at: Timestamp,
    /// Who did it.
    pub by: Line,
    /// Towards whom.
    pub to: Line,
    /// The number of the letter or of the call's entry.
    pub number: Option<Line>,
    /// A remark.
    pub note: Option<Remark>,
    /// SHA-256 of an inline attachment of the same envelope.
    pub scan: Option<Digest>,
}

impl TechnicalBody for OutsideAct {
    const KIND: Technical = Technical::OutsideAct;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("obligation", &self.obligation.to_string());
        w.leaf("way", self.way.as_str());
        w.leaf("actedAt", &self.acted_at.to_string());
        w.leaf("by", self.by.as_str());
        w.leaf("to", self.to.as_str());
        w.optional("number", self.number.as_ref().map(Line::as_str));
        w.optional("note", self.note.as_ref().map(Remark::as_str));
        w.optional("scan", self.scan.map(|scan| scan.to_base64()).as_deref());
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let line = |t: &str| Line::parse(t).ok();
        Ok(Self {
            obligation: f.parsed("obligation", A_UUID, |t| ObligationId::parse(t).ok())?,
            way: f.parsed("way", "paper, phone or other is needed", OutsideWay::parse)?,
            acted_at: f.parsed("actedAt", AN_INSTANT, instant)?,
            by: f.parsed("by", A_LINE, line)?,
            to: f.parsed("to", A_LINE, line)?,
            number: f.optional_parsed("number", A_LINE, line)?,
            note: f.optional_parsed("note", A_REMARK, |t| Remark::parse(t).ok())?,
            scan: f.optional_parsed("scan", A_DIGEST, digest)?,
        })
    }
}
