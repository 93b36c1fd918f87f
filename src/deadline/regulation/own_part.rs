//! Data minimisation of an exchange: whoever is responsible for a part of a document gets that part and not the others'.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::parse::path;
use super::rules::Names;
use crate::deadline::BodyPath;
use crate::deadline::reader::Table;
use crate::domain::{Fault, Participant, ParticipantId, RoleCode};
use crate::xml::{self, Limits};

/// `own = { each = "measures/measure", by = "responsible", whole = ["provider"] }`: of the elements `each` a recipient gets those that
/// name it in `by`. Who holds a role of `whole` gets all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPart {
    /// The path of the elements that belong to somebody, from the root of the body.
    pub each: BodyPath,
    /// The path, from such an element, of the participant's id.
    pub by: BodyPath,
    /// Roles whose holders get the whole document.
    pub whole: Vec<RoleCode>,
}

/// Reads `own` of an `[[exchange]]`.
pub(super) fn read(table: Table<'_, '_>, names: &Names) -> Option<OwnPart> {
    let (each, by) = (table.need_parsed("each", path), table.need_parsed("by", path));
    let whole =
        table.need_texts("whole").into_iter().filter_map(|text| table.convert(text, |t| names.role(t))).collect();
    table.finish()?;
    Some(OwnPart { each: each?, by: by?, whole })
}

impl OwnPart {
    /// Whether this recipient gets only its own part.
    pub fn concerns(&self, recipient: &Participant) -> bool {
        !self.whole.iter().any(|role| recipient.holds(role, None))
    }

    /// The participants that the elements name, each once, in order.
    pub fn named<'a>(&self, body: Node<'a, 'a>) -> BTreeSet<&'a str> {
        self.each.all(body).into_iter().filter_map(|node| self.by.text(node)).collect()
    }

    /// A canonical body without the elements that are the others'; `None` when nothing of it is the recipient's own.
    ///
    /// # Errors
    /// When the body cannot be read within the limits.
    pub fn cut(&self, canonical: &[u8], recipient: &ParticipantId, limits: &Limits) -> Result<Option<Vec<u8>>, Fault> {
        let document = xml::read(canonical, limits)?;
        let is_own = |node: &Node<'_, '_>| self.by.text(*node) == Some(recipient.as_str());
        let (own, others): (Vec<_>, Vec<_>) = self.each.all(document.root()).into_iter().partition(is_own);
        if own.is_empty() {
            return Ok(None);
        }
        let mut left = Vec::with_capacity(canonical.len());
        let mut from = 0;
        for range in others.iter().map(Node::range) {
            left.extend_from_slice(canonical.get(from..range.start).unwrap_or_default());
            from = range.end;
        }
        left.extend_from_slice(canonical.get(from..).unwrap_or_default());
        Ok(Some(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_parts_are_cut_out_of_the_text() {
        let path = |text| BodyPath::parse(text).unwrap();
        let own = OwnPart { each: path("all/one"), by: path("who"), whole: Vec::new() };
        let text = "<a><all><one><who>b</who></one> <one><who> c </who>«»</one><one/><one><who>c</who></one></all></a>";
        let left = |who: &str| {
            let cut = own.cut(text.as_bytes(), &ParticipantId::parse(who).unwrap(), &Limits::default()).unwrap();
            cut.map(|left| String::from_utf8(left).unwrap())
        };
        assert_eq!(left("b").as_deref(), Some("<a><all><one><who>b</who></one> </all></a>"));
        let own_ones = "<a><all> <one><who> c </who>«»</one><one><who>c</who></one></all></a>";
        assert_eq!(left("c").as_deref(), Some(own_ones));
        assert_eq!(left("d"), None);
    }
}
