//! The rules of the messages on the course of a case: notice, assessment, programme, decision, contract, extension, end.

use roxmltree::Node;

use super::{Found, child, children, snils, value};
use crate::domain::Timestamp;
use crate::schema::ViolatedRule;

/// Checks what the body's type asks for. Bodies of other types pass.
pub(super) fn check(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    match root.tag_name().name() {
        "IdentificationNotice" => notice(root, found),
        "NeedsAssessment" => assessment(root, found),
        "Decision" => decision(root, found),
        "Programme" => programme(root, found),
        "Contract" => term(root, "endsOn", found),
        "Extension" => extension(root, found),
        "Termination" => termination(root, found),
        "RightsViolation" => violation(root, found),
        "ProvisionAct" => act(root, found),
        _ => {}
    }
}

/// A citizen of whom little is known: something must be known, or nobody can be found.
fn notice(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let Some(person) = child(root, "person") else { return };
    if let Some(number) = child(person, "snils") {
        snils(number, found);
    }
    if !["name", "snils", "address"].iter().any(|name| child(person, name).is_some()) {
        let ru = "гражданина нельзя найти: нужны имя, СНИЛС или адрес";
        let en = "the citizen cannot be found: a name, a SNILS or an address is needed";
        found.add(person, ViolatedRule::PersonNotIdentified, ru, en);
    }
    if let (Some(birth), Some(identified)) = (child(person, "birthDate"), instant(root, "identifiedAt"))
        && begins_after(text(birth), identified)
    {
        let (ru, en) = ("родился позже, чем выявлен", "born after having been identified");
        found.add(birth, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

fn assessment(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let inspected = child(root, "inspectionAct").and_then(|act| child(act, "date"));
    if let (Some(inspected), Some(assessed)) = (inspected, instant(root, "assessedAt"))
        && begins_after(text(inspected), assessed)
    {
        let (ru, en) = ("обследование позже оценки", "the inspection is later than the assessment");
        found.add(inspected, ViolatedRule::DatesOutOfOrder, ru, en);
    }
    if let (Some("refuse"), Some(level)) = (value(root, "draftDecision"), child(root, "level")) {
        let (ru, en) = ("при проекте отказа уровень не указывается", "a draft refusal has no level");
        found.add(level, ViolatedRule::FieldExcluded, ru, en);
    }
}

fn decision(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    if let (Some(outcome), None) = (child(root, "outcome"), child(root, "ground"))
        && outcome.text() == Some("refused")
    {
        let (ru, en) = ("при отказе нужно основание (ground)", "a refusal needs its ground (ground)");
        found.add(outcome, ViolatedRule::FieldNeeded, ru, en);
    }
    let (ru, en) = ("гражданину сообщили раньше, чем решили", "the citizen was told before the decision");
    instants(root, "decidedAt", "informedAt", (ru, en), found);
}

fn programme(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    match (child(root, "status"), child(root, "approvedAt")) {
        (Some(status), None) if status.text() == Some("approved") => {
            let (ru, en) = ("у утверждённой программы нужно approvedAt", "an approved programme needs approvedAt");
            found.add(status, ViolatedRule::FieldNeeded, ru, en);
        }
        (Some(status), Some(approved)) if status.text() == Some("draft") => {
            let (ru, en) = ("у проекта нет времени утверждения", "a draft has no time of approval");
            found.add(approved, ViolatedRule::FieldExcluded, ru, en);
        }
        _ => {}
    }
    let (ru, en) = ("представлена поставщику раньше, чем утверждена", "handed to the provider before it was approved");
    instants(root, "approvedAt", "handedAt", (ru, en), found);
    term(root, "endsOn", found);
    if let (Some(since), None) = (child(root, "levelSince"), child(root, "level")) {
        let (ru, en) = ("levelSince указывают только вместе с уровнем (level)", "levelSince goes with the level only");
        found.add(since, ViolatedRule::FieldExcluded, ru, en);
    }
    for measure in child(root, "measures").into_iter().flat_map(|list| children(list, "measure")) {
        term(measure, "dueOn", found);
    }
}

fn extension(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let date = |name| child(root, name).and_then(|part| child(part, "date"));
    let (wish, group) = (date("wish"), date("groupDecision"));
    if let (Some(wish), Some(group)) = (wish, group)
        && text(group) < text(wish)
    {
        let ru = "рабочая группа решила раньше, чем гражданин выразил пожелание";
        let en = "the working group decided before the citizen wished it";
        found.add(group, ViolatedRule::DatesOutOfOrder, ru, en);
    }
    let Some(decided) = instant(root, "decidedAt") else { return };
    // The group's date is told first: a wish after it is told already.
    if let Some(date) = [group, wish].into_iter().flatten().find(|date| begins_after(text(*date), decided)) {
        let (ru, en) = ("позже самого решения о продлении", "later than the decision to extend");
        found.add(date, ViolatedRule::DatesOutOfOrder, ru, en);
    }
    if let Some(ends) = child(root, "endsOn").filter(|ends| ends_before(text(*ends), decided)) {
        let (ru, en) =
            ("новый срок кончился раньше решения о продлении", "the new term ends before the decision to extend");
        found.add(ends, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

fn termination(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    if let (Some(ground), None) = (child(root, "ground"), child(root, "groundText"))
        && ground.text() == Some("other")
    {
        let (ru, en) = ("при ином основании нужно пояснение (groundText)", "another ground needs words (groundText)");
        found.add(ground, ViolatedRule::FieldNeeded, ru, en);
    }
    let Some(until) = child(root, "observationUntil") else { return };
    if value(root, "observation") != Some("true") {
        let (ru, en) = (
            "день окончания наблюдения указывают, только если наблюдать нужно",
            "it goes with `observation` true only",
        );
        found.add(until, ViolatedRule::FieldExcluded, ru, en);
    }
    if value(root, "endsOn").is_some_and(|ends| text(until) < ends) {
        let (ru, en) = ("наблюдение кончается раньше сопровождения", "observation ends before the accompaniment");
        found.add(until, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

fn violation(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    let called = child(root, "call").and_then(|call| child(call, "at"));
    if let (Some(called), Some(established)) = (called, instant(root, "establishedAt"))
        && Timestamp::parse(text(called)).is_some_and(|at| at < established)
    {
        let (ru, en) = ("звонили раньше, чем установили факт", "the call was made before the fact was established");
        found.add(called, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

fn act(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    if let (Some(month), Some(signed), Some(node)) =
        (value(root, "period"), instant(root, "signedAt"), child(root, "signedAt"))
        && begins_after(&format!("{month}-01"), signed)
    {
        let (ru, en) = ("подписан раньше, чем начался месяц", "signed before the month began");
        found.add(node, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

/// `beginsOn` and the day that ends the same term.
pub(super) fn term(node: Node<'_, '_>, end: &str, found: &mut Found<'_, '_>) {
    // Dates without zones in one spelling: their order is that of their texts.
    if let (Some(begins), Some(ends)) = (value(node, "beginsOn"), child(node, end))
        && text(ends) < begins
    {
        found.add(ends, ViolatedRule::DatesOutOfOrder, "конец раньше начала", "it ends before it begins");
    }
}

/// Two instants of one element, of which the second must not be earlier.
fn instants(node: Node<'_, '_>, first: &str, second: &str, (ru, en): (&str, &str), found: &mut Found<'_, '_>) {
    if let (Some(before), Some(after), Some(place)) = (instant(node, first), instant(node, second), child(node, second))
        && after < before
    {
        found.add(place, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

pub(super) fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}

pub(super) fn instant(node: Node<'_, '_>, name: &str) -> Option<Timestamp> {
    value(node, name).and_then(Timestamp::parse)
}

/// Whether the day begins after the instant wherever on Earth it is meant. A date has no zone here, and the instant may be written
/// in another one than the date was lived in; so only what is wrong everywhere counts.
pub(super) fn begins_after(date: &str, instant: Timestamp) -> bool {
    Timestamp::parse(&format!("{date}T00:00:00+14:00")).is_some_and(|begin| begin > instant)
}

/// Whether the day is over before the instant wherever on Earth it is meant.
pub(super) fn ends_before(date: &str, instant: Timestamp) -> bool {
    Timestamp::parse(&format!("{date}T23:59:59-12:00")).is_some_and(|end| end < instant)
}
