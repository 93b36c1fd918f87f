//! An amended programme beside the one in force: whose measures are others now.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node;

use super::{CaseMeasure, Programme};
use crate::crypto::sha256;
use crate::deadline::{BodyPath, Start};
use crate::domain::Timestamp;

/// Whom an amendment of a programme concerns, by participants' ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// Its version.
    pub version: u32,
    /// Those whose measures are new or others than before.
    pub affected: BTreeSet<String>,
    /// Those whose measures are as they were.
    pub untouched: BTreeSet<String>,
    /// Those who had measures and have none any more.
    pub removed: BTreeSet<String>,
}

impl Programme {
    /// What an approved programme that replaces this one changes; `None`: it is a draft, an older one, or this one once more. Newer is the
    /// one approved later, as it is for the case; a message without that date was approved when it was accepted.
    pub fn amended_by(&self, body: Node<'_, '_>, accepted_at: Timestamp) -> Option<Amendment> {
        let text = |path: &str| BodyPath::parse(path).and_then(|path| path.text(body)).unwrap_or_default();
        let version = text("version").parse().unwrap_or(1);
        let approved_at = match Start::parse(text("approvedAt")) {
            Some(Start::Instant(at)) => at,
            _ => accepted_at,
        };
        let is_copy = text("number") == self.number && version == self.version;
        if text("status") != "approved" || is_copy || approved_at.micros() < self.approved_at {
            return None;
        }
        let measures = BodyPath::parse("measures/measure").map(|path| path.all(body)).unwrap_or_default();
        let mut new: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for measure in measures {
            if let Some(who) = BodyPath::parse("responsible").and_then(|path| path.text(measure)) {
                new.entry(who).or_default().insert(content(measure));
            }
        }
        let (mut affected, mut untouched) = (BTreeSet::new(), BTreeSet::new());
        for (who, measures) in &new {
            let known = self.contents_of(who);
            let same = known.as_ref() == Some(measures);
            let place = if same { &mut untouched } else { &mut affected };
            place.insert((*who).to_owned());
        }
        let had = self.measures.iter().filter_map(|measure| measure.responsible.as_deref());
        let removed = had.filter(|who| !new.contains_key(who)).map(str::to_owned).collect();
        Some(Amendment { version, affected, untouched, removed })
    }

    /// The contents of what somebody is responsible for; `None`: of one it is not known.
    fn contents_of(&self, who: &str) -> Option<BTreeSet<String>> {
        let own = self.measures.iter().filter(|measure| measure.responsible.as_deref() == Some(who));
        own.map(|measure: &CaseMeasure| measure.content.clone()).collect()
    }
}

/// A digest of what a measure says, whatever the version of its schema. Its mark is not part of the plan.
pub(super) fn content(measure: Node<'_, '_>) -> String {
    let mut said = String::new();
    let own = measure.descendants().filter(|n| n.is_element() && *n != measure && n.tag_name().name() != "mark");
    for node in own {
        said.push_str(node.tag_name().name());
        said.push('\u{1f}');
        said.push_str(node.text().map(str::trim).unwrap_or_default());
        said.push('\u{1e}');
    }
    sha256(said.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(number: &str, version: u32, measures: &[(&str, &str, &str)]) -> String {
        let each = |(number, who, title): &(&str, &str, &str)| {
            format!(
                "<measure><number>{number}</number><title>{title}</title><responsible>{who}</responsible></measure>"
            )
        };
        let measures: String = measures.iter().map(each).collect();
        format!(
            "<P><number>{number}</number><version>{version}</version><status>approved</status><measures>{measures}</measures></P>"
        )
    }

    fn in_force(text: &str) -> Programme {
        let document = roxmltree::Document::parse(text).unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2026, 5, 18).unwrap();
        let measures = BodyPath::parse("measures/measure").unwrap().all(document.root_element());
        let measure = |node: Node<'_, '_>| CaseMeasure {
            number: String::new(),
            kind: String::new(),
            responsible: BodyPath::parse("responsible").and_then(|path| path.text(node)).map(str::to_owned),
            begins_on: day,
            due_on: day,
            content: Some(content(node)),
        };
        Programme {
            number: "П-1".to_owned(),
            version: 1,
            approved_at: 0,
            begins_on: day,
            ends_on: day,
            measures: measures.into_iter().map(measure).collect(),
        }
    }

    fn amended(by: &str, known: &Programme) -> Option<[String; 3]> {
        let document = roxmltree::Document::parse(by).unwrap();
        let amendment = known.amended_by(document.root_element(), Timestamp::from_micros(known.approved_at + 1))?;
        let words = |ids: BTreeSet<String>| ids.into_iter().collect::<Vec<_>>().join(" ");
        Some([words(amendment.affected), words(amendment.untouched), words(amendment.removed)])
    }

    #[test]
    fn only_whose_own_measures_are_others_is_affected() {
        let first = [("1", "a", "one"), ("2", "b", "two"), ("3", "b", "three"), ("4", "c", "four")];
        let known = in_force(&body("П-1", 1, &first));
        let told = |number, version, measures: &[(&str, &str, &str)]| amended(&body(number, version, measures), &known);
        let some =
            |affected: &str, untouched: &str, removed: &str| Some([affected, untouched, removed].map(str::to_owned));
        assert_eq!(told("П-1", 1, &first), None, "a copy");
        assert_eq!(told("П-1", 2, &first), some("", "a b c", ""));
        // Another order changes nothing; a new measure, another text and a dropped measure do.
        let others =
            [("4", "c", "fourth"), ("3", "b", "three"), ("2", "b", "two"), ("1", "a", "one"), ("5", "d", "new")];
        assert_eq!(told("П-1", 2, &others), some("c d", "a b", ""));
        assert_eq!(told("П-1", 3, &[("1", "a", "one"), ("2", "b", "two")]), some("b", "a", "c"));
        // Handed from one to another, it is new for the one and gone for the other.
        assert_eq!(told("П-1", 2, &[("1", "c", "one"), ("4", "c", "four")]), some("c", "", "a b"));
        // Of a programme that was read before contents were kept, everybody is affected.
        let mut old = known.clone();
        old.measures[0].content = None;
        assert_eq!(amended(&body("П-1", 2, &first), &old), some("a", "b c", ""));
        let draft = body("П-1", 2, &first).replace("approved", "draft");
        assert_eq!(amended(&draft, &known), None);
        // What was approved before the one in force does not replace it, whatever its number says.
        let dated = |at: &str| {
            body("П-1", 3, &first[..1]).replace("<measures>", &format!("<approvedAt>{at}</approvedAt><measures>"))
        };
        let may =
            Programme { approved_at: Timestamp::parse("2026-05-01T00:00:00Z").unwrap().micros(), ..known.clone() };
        assert_eq!(amended(&dated("2026-04-30T12:00:00Z"), &may), None);
        assert_eq!(amended(&dated("2026-05-02T12:00:00Z"), &may), some("", "a", "b c"));
        let marked = body("П-1", 2, &first).replace("</responsible>", "</responsible><mark>done</mark>");
        assert_eq!(amended(&marked, &known), some("", "a b c", ""));
    }
}
