//! The rules of the messages that change a case or say something beside its course: curator, level, refusal, consent and the like.

use roxmltree::Node;

use super::cases::{begins_after, ends_before, instant, text};
use super::{Found, child, children, identity_document, snils, value};
use crate::schema::ViolatedRule;
use crate::schema::codes::CodeLists;

/// Checks what the body's type asks for. Bodies of other types pass.
pub(super) fn check(root: Node<'_, '_>, codes: &CodeLists, found: &mut Found<'_, '_>) {
    match root.tag_name().name() {
        "Curator" => curator(root, found),
        "ProgrammeRemarks" => {
            let words = ("исправить просят раньше, чем отклонили", "the mended draft is wished before the rejection");
            not_before(root, "resubmitBy", "decidedAt", words, found);
        }
        "FamilyRefusal" => refusal(root, found),
        "PersonalDataChange" => change(root, codes, found),
        "GroupConclusion" => conclusion(root, found),
        "CaseHandover" => handover(root, found),
        "Consent" => consent(root, found),
        "TerminationRequest" => termination_request(root, found),
        _ => {}
    }
}

fn curator(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let replaced = child(root, "replaced");
    if let (Some(until), Some(since)) = (replaced.and_then(|r| child(r, "untilOn")), value(root, "sinceOn"))
        && text(until) > since
    {
        let (ru, en) =
            ("прежний куратор дольше, чем с первого дня нового", "the former one stays after the new one began");
        found.add(until, ViolatedRule::DatesOutOfOrder, ru, en);
    }
    if let (Some(reason), None) = (child(root, "reason"), replaced) {
        let (ru, en) =
            ("причину смены (reason) указывают только при смене (replaced)", "`reason` goes with `replaced` only");
        found.add(reason, ViolatedRule::FieldExcluded, ru, en);
    }
}

fn refusal(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let words = ("зарегистрирован раньше, чем подписан", "registered before it was signed");
    not_earlier(root, "signedOn", "registeredAt", words, found);
    needed_by(root, ("scope", &["measures"]), "measures", found);
}

fn change(root: Node<'_, '_>, codes: &CodeLists, found: &mut Found<'_, '_>) {
    let words = ("сведения приняты раньше, чем данные изменились", "the word was taken before the data changed");
    not_earlier(root, "changedOn", "registeredAt", words, found);
    citizen(root, "registeredAt", found);
    let Some(changes) = child(root, "changes") else { return };
    // They are named `old` and `new` here, so the shared types' rules do not see them.
    let values = |what| child(changes, what).into_iter().flat_map(|c| c.children()).filter(Node::is_element);
    values("snils").for_each(|number| snils(number, found));
    values("identityDocument").for_each(|document| identity_document(document, codes, found));
    let changed = || changes.children().filter(Node::is_element).map(|c| c.tag_name().name());
    if changed().next().is_none() {
        let (ru, en) = ("не сказано, что изменилось", "it is not said what has changed");
        found.add(changes, ViolatedRule::FieldNeeded, ru, en);
    } else if changed().any(|what| what != "contacts") && child(root, "document").is_none() {
        let (ru, en) =
            ("нужен документ, который подтверждает изменение (document)", "`document` is needed: what confirms it");
        found.add(changes, ViolatedRule::FieldNeeded, ru, en);
    }
}

fn conclusion(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    for part in ["changes", "level", "nextOn"] {
        only_with(root, ("conclusion", &["continue"]), part, found);
    }
    let words = ("рассмотрят раньше, чем принято заключение", "the next session is before the conclusion");
    not_before(root, "nextOn", "decidedAt", words, found);
}

fn handover(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let words = ("передано раньше, чем решено", "handed over before it was decided");
    not_before(root, "handedOn", "decidedAt", words, found);
    for content in child(root, "contents").into_iter().flat_map(|list| children(list, "content")) {
        if let (Some(item), None) = (child(content, "item"), child(content, "title"))
            && text(item) == "other"
        {
            let (ru, en) = ("у иного нужно наименование (title)", "another thing needs its name (title)");
            found.add(item, ViolatedRule::FieldNeeded, ru, en);
        }
    }
}

fn consent(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let words = ("зарегистрировано раньше, чем подписано", "registered before it was signed");
    not_earlier(root, "signedOn", "registeredAt", words, found);
    citizen(root, "registeredAt", found);
    only_with(root, ("state", &["given"]), "validUntil", found);
    needed_by(root, ("state", &["withdrawn"]), "withdrawn", found);
    ordered(root, ("signedOn", "validUntil"), found);
}

fn termination_request(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    ordered(root, ("contractOn", "filledOn"), found);
    ordered(root, ("filledOn", "endsOn"), found);
    if let (Some(filled), Some(taken)) =
        (value(root, "filledOn"), child(root, "acceptedBy").and_then(|by| child(by, "date")))
        && text(taken) < filled
    {
        let (ru, en) = ("принято раньше, чем заполнено", "taken before it was filled in");
        found.add(taken, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

/// A citizen with a name and a birth date of the message's own, which the shared types' rules do not see.
pub(super) fn citizen(root: Node<'_, '_>, known_at: &str, found: &mut Found<'_, '_>) {
    let Some(person) = child(root, "person") else { return };
    if let Some(number) = child(person, "snils") {
        snils(number, found);
    }
    if let (Some(birth), Some(at)) = (child(person, "birthDate"), instant(root, known_at))
        && begins_after(text(birth), at)
    {
        let (ru, en) = ("родился позже, чем об этом сказано", "born after the message on the citizen was written");
        found.add(birth, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

/// Two days of one element, of which the second must not be earlier.
pub(super) fn ordered(node: Node<'_, '_>, (first, second): (&str, &str), found: &mut Found<'_, '_>) {
    // Dates without zones in one spelling: their order is that of their texts.
    if let (Some(begins), Some(ends)) = (value(node, first), child(node, second))
        && text(ends) < begins
    {
        found.add(ends, ViolatedRule::DatesOutOfOrder, "конец раньше начала", "it ends before it begins");
    }
}

/// A part that only some values of another field allow.
pub(super) fn only_with(root: Node<'_, '_>, (field, values): (&str, &[&str]), part: &str, found: &mut Found<'_, '_>) {
    if let (Some(said), Some(there)) = (value(root, field), child(root, part))
        && !values.contains(&said)
    {
        let ru = format!("{part} указывают только при {field} {}", values.join(", "));
        found.add(
            there,
            ViolatedRule::FieldExcluded,
            &ru,
            &format!("`{part}` goes with `{field}` {} only", values.join(", ")),
        );
    }
}

/// A part that a value of another field makes necessary, and that all its other values exclude.
pub(super) fn needed_by(root: Node<'_, '_>, (field, values): (&str, &[&str]), part: &str, found: &mut Found<'_, '_>) {
    if let (Some(decides), None) = (child(root, field), child(root, part))
        && values.contains(&text(decides))
    {
        let ru = format!("при таком значении {field} нужно указать {part}");
        found.add(decides, ViolatedRule::FieldNeeded, &ru, &format!("this value of `{field}` needs `{part}`"));
    }
    only_with(root, (field, values), part, found);
}

/// A day that must not be over before an instant.
pub(super) fn not_before(
    root: Node<'_, '_>,
    day: &str,
    since: &str,
    (ru, en): (&str, &str),
    found: &mut Found<'_, '_>,
) {
    if let (Some(node), Some(at)) = (child(root, day), instant(root, since))
        && ends_before(text(node), at)
    {
        found.add(node, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

/// An instant that must not be earlier than a day.
pub(super) fn not_earlier(root: Node<'_, '_>, day: &str, at: &str, (ru, en): (&str, &str), found: &mut Found<'_, '_>) {
    if let (Some(date), Some(instant), Some(node)) = (value(root, day), instant(root, at), child(root, at))
        && begins_after(date, instant)
    {
        found.add(node, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}
