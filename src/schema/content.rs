//! The rules of the canonical messages that an XSD cannot say.
//!
//! They run after the XSD, so the structure is known to be right. Persons, families and documents are recognised by the shared
//! types' elements wherever they stand, so a later message that uses these types is checked without a line here.

mod cases;
mod coded;
mod course;
mod inquiry;

use std::collections::BTreeSet;

use roxmltree::Node;

use super::codes::CodeLists;
use super::snils::snils_is_valid;
use super::{ViolatedRule, Violation};
use crate::domain::Timestamp;

/// The namespace of the shared types.
const COMMON: &str = "urn:mezhved:common:1";

/// Checks one body by its root element, which fits its XSD. Lines are those of the document in which it stands.
pub(super) fn check(root: Node<'_, '_>, codes: &CodeLists) -> Vec<Violation> {
    let mut found = Found { root, violations: Vec::new() };
    for node in root.descendants().filter(Node::is_element) {
        edges(node, &mut found);
        if node.tag_name().namespace() == Some(COMMON) {
            match node.tag_name().name() {
                "snils" => snils(node, &mut found),
                "birthDate" => person(node, &mut found),
                "identityDocument" => identity_document(node, codes, &mut found),
                "authority" => authority(node, &mut found),
                "members" => members(node, &mut found),
                "represents" => member_exists(node, &mut found),
                _ => {}
            }
        }
    }
    coded::check(root, codes, &mut found);
    match root.tag_name().name() {
        "Application" => application(root, &mut found),
        "DocumentResponse" => response(root, &mut found),
        _ => {
            cases::check(root, &mut found);
            course::check(root, codes, &mut found);
            inquiry::check(root, &mut found);
        }
    }
    found.violations.sort_by_key(|violation| violation.line);
    found.violations.truncate(Violation::REPORTED_MAX);
    found.violations
}

struct Found<'a, 'i> {
    root: Node<'a, 'i>,
    violations: Vec<Violation>,
}

impl Found<'_, '_> {
    fn add(&mut self, node: Node<'_, '_>, rule: ViolatedRule, ru: &str, en: &str) {
        if self.violations.len() < Violation::REPORTED_MAX {
            let line = node.document().text_pos_at(node.range().start).row;
            self.violations.push(Violation::new(Some(line), node.tag_name().name(), rule, ru, en));
        }
    }
}

/// The child with this name, in whichever of our namespaces.
fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|c| c.tag_name().name() == name)
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |c| c.tag_name().name() == name)
}

fn value<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name).and_then(|c| c.text())
}

/// XSD trims dates, numbers and the like before it looks at them; readers would have to as well. So nothing may be trimmed.
/// White space alone is let be: no value may be that by the XSD, so it lies in an empty list such as `<figures>`.
fn edges(node: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let Some(text) = node.text().filter(|_| node.first_element_child().is_none()) else { return };
    if text.trim() != text && !text.trim_matches([' ', '\t', '\n', '\r']).is_empty() {
        let en = "white space before or after the value is not allowed";
        found.add(node, ViolatedRule::SpaceAtTheEdge, "пробелы по краям значения не допускаются", en);
    }
}

fn snils(node: Node<'_, '_>, found: &mut Found<'_, '_>) {
    if !node.text().is_some_and(snils_is_valid) {
        let en = "the check digits of the SNILS are wrong";
        found.add(node, ViolatedRule::SnilsCheckDigit, "контрольное число СНИЛС не сходится", en);
    }
}

/// A СНИЛС, or an identity document, or the birth date (which the XSD requires) with an address. Called on the birth date,
/// which only a person has.
fn person(birth_date: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let Some(person) = birth_date.parent_element() else { return };
    let enough = ["snils", "identityDocument", "residenceAddress", "stayAddress"];
    if !enough.iter().any(|name| child(person, name).is_some()) {
        found.add(
            person,
            ViolatedRule::PersonNotIdentified,
            "гражданина нельзя определить: нужен СНИЛС, или документ, удостоверяющий личность, или адрес при дате рождения",
            "the person cannot be identified: a SNILS, or an identity document, or an address with the birth date is needed",
        );
    }
}

fn identity_document(node: Node<'_, '_>, codes: &CodeLists, found: &mut Found<'_, '_>) {
    let Some(kind) = value(node, "kind").and_then(|code| codes.identity_document_kind(code)) else { return };
    let parts = [("series", &kind.series_mask), ("number", &kind.number_mask)];
    for (name, mask) in parts.into_iter().filter_map(|(name, mask)| mask.as_ref().map(|mask| (name, mask))) {
        let part = child(node, name);
        let fits = |text: &str| text.len() == mask.len() && text.bytes().all(|b| b.is_ascii_digit());
        if !part.and_then(|p| p.text()).is_some_and(fits) {
            found.add(
                part.unwrap_or(node),
                ViolatedRule::DocumentNumberForm,
                &format!("у документа «{}» здесь {} цифр(ы): {name}", kind.ru, mask.len()),
                &format!("`{name}` of this kind of document has {} digits", mask.len()),
            );
        }
    }
}

fn authority(node: Node<'_, '_>, found: &mut Found<'_, '_>) {
    // Dates without zones in one spelling: their order is that of their texts.
    let (Some(from), Some(until)) = (value(node, "issuedAt"), child(node, "validUntil")) else { return };
    if until.text().is_some_and(|until| until.trim() < from.trim()) {
        let (ru, en) = ("срок действия кончается раньше даты выдачи", "it ends before it was issued");
        found.add(until, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

fn members(node: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let mut seen = BTreeSet::new();
    for number in children(node, "member").filter_map(|member| child(member, "number")) {
        if !seen.insert(number.text().unwrap_or_default().trim()) {
            let (ru, en) = ("такой номер члена семьи уже есть", "another family member has this number");
            found.add(number, ViolatedRule::MemberNumberTwice, ru, en);
        }
    }
}

/// Whether the number that the node holds belongs to a member of the document's family.
fn member_exists(node: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let wanted = node.text().unwrap_or_default().trim();
    let known = found
        .root
        .descendants()
        .filter(|n| n.has_tag_name((COMMON, "member")))
        .any(|member| value(member, "number").is_some_and(|number| number.trim() == wanted));
    if !known {
        let (ru, en) = ("члена семьи с таким номером нет", "no family member has this number");
        found.add(node, ViolatedRule::MemberUnknown, ru, en);
    }
}

fn application(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let instant = |name| value(root, name).and_then(|text| Timestamp::parse(text.trim()));
    if let (Some(submitted), Some(registered), Some(node)) =
        (instant("submittedAt"), instant("registeredAt"), child(root, "registeredAt"))
        && registered < submitted
    {
        let (ru, en) = ("зарегистрировано раньше, чем подано", "registered before it was submitted");
        found.add(node, ViolatedRule::DatesOutOfOrder, ru, en);
    }
    let kind = child(root, "kind");
    match (kind.and_then(|k| k.text()), kind, child(root, "family")) {
        (Some("group"), Some(kind), None) => {
            let (ru, en) = ("у группового дела должна быть указана семья (family)", "a group's case needs its family");
            found.add(kind, ViolatedRule::FamilyMissing, ru, en);
        }
        (Some("individual"), _, Some(family)) => {
            let (ru, en) = ("у индивидуального дела семья не указывается", "an individual case has no family");
            found.add(family, ViolatedRule::FamilyUnexpected, ru, en);
        }
        _ => {}
    }
    for document in child(root, "requiredDocuments").into_iter().flat_map(|list| children(list, "document")) {
        if let Some(member) = child(document, "member") {
            member_exists(member, found);
        }
    }
}

/// The outcome decides what an answer must have and what it must not have.
fn response(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    for answer in child(root, "answers").into_iter().flat_map(|answers| children(answers, "answer")) {
        let outcome = value(answer, "outcome");
        let parts = [
            ("provided", "provided", "документ (provided)", "the document (provided)"),
            ("ground", "refused", "основание отказа (ground)", "the ground of the refusal (ground)"),
        ];
        for (part, needed_by, ru, en) in parts {
            match (child(answer, part), outcome == Some(needed_by)) {
                (None, true) => found.add(
                    answer,
                    ViolatedRule::AnswerIncomplete,
                    &format!("при итоге {needed_by} нужно указать {ru}"),
                    &format!("the outcome `{needed_by}` needs {en}"),
                ),
                (Some(node), false) => found.add(
                    node,
                    ViolatedRule::AnswerContradictory,
                    &format!("{ru}: только при итоге {needed_by}"),
                    &format!("{en} goes with the outcome `{needed_by}` only"),
                ),
                (None, false) | (Some(_), true) => {}
            }
        }
    }
}
