//! Data minimisation of an exchange: whoever is responsible for a part of a document gets that part and not the others'.

use std::collections::BTreeSet;
use std::ops::Range;

use roxmltree::Node;

use crate::deadline::BodyPath;
use crate::domain::{Participant, ParticipantId, RoleCode};

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

/// What of a body belongs to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// How many elements are the recipient's own.
    pub own: usize,
    /// Where the others' stand in the text that was read, in bytes, in order.
    pub of_others: Vec<Range<usize>>,
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

    /// Parts a body into the recipient's elements and the others'.
    pub fn parts<'a>(&self, body: Node<'a, 'a>, recipient: &ParticipantId) -> Parts {
        let is_own = |node: &Node<'a, 'a>| self.by.text(*node) == Some(recipient.as_str());
        let (own, others): (Vec<_>, Vec<_>) = self.each.all(body).into_iter().partition(is_own);
        Parts { own: own.len(), of_others: others.iter().map(Node::range).collect() }
    }
}

impl Parts {
    /// The text without the others' elements.
    pub fn without_others(&self, text: &[u8]) -> Vec<u8> {
        let mut left = Vec::with_capacity(text.len());
        let mut from = 0;
        for range in &self.of_others {
            left.extend_from_slice(text.get(from..range.start).unwrap_or_default());
            from = range.end;
        }
        left.extend_from_slice(text.get(from..).unwrap_or_default());
        left
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
        let document = roxmltree::Document::parse(text).unwrap();
        let left = |who: &str| {
            let parts = own.parts(document.root_element(), &ParticipantId::parse(who).unwrap());
            (parts.own, String::from_utf8(parts.without_others(text.as_bytes())).unwrap())
        };
        assert_eq!(left("b"), (1, "<a><all><one><who>b</who></one> </all></a>".to_owned()));
        assert_eq!(left("c"), (2, "<a><all> <one><who> c </who>«»</one><one><who>c</who></one></all></a>".to_owned()));
        assert_eq!(left("d"), (0, "<a><all> </all></a>".to_owned()));
    }
}
