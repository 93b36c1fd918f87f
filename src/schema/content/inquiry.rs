//! The rules of the messages that ask, answer and propose beside a case: databank, information, proposals, statistics.

use roxmltree::Node;

use super::cases::{begins_after, instant, term, text};
use super::course::{citizen, needed_by, not_before, only_with};
use super::{Found, child, value};
use crate::schema::ViolatedRule;

/// Checks what the body's type asks for. Bodies of other types pass.
pub(super) fn check(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    match root.tag_name().name() {
        "DatabankQuery" => query(root, found),
        "DatabankAnswer" => answer(root, found),
        "InformationRequest" => request(root, found),
        "InformationResponse" => response(root, found),
        "Proposal" => proposal(root, found),
        "Statistics" => statistics(root, found),
        _ => {}
    }
}

/// Whoever asks the databank must name one citizen, so that nobody reads there about another.
fn query(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    citizen(root, "askedAt", found);
    let Some(person) = child(root, "person") else { return };
    if !["snils", "address"].iter().any(|name| child(person, name).is_some()) {
        let ru = "гражданина нельзя определить: кроме имени и даты рождения нужен СНИЛС или адрес";
        let en = "the citizen cannot be identified: besides name and birth date a SNILS or an address is needed";
        found.add(person, ViolatedRule::PersonNotIdentified, ru, en);
    }
}

fn answer(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    needed_by(root, ("outcome", &["accompanied"]), "accompaniment", found);
    needed_by(root, ("outcome", &["refused"]), "ground", found);
    let since = child(root, "accompaniment").and_then(|part| child(part, "sinceOn"));
    if let (Some(since), Some(answered)) = (since, instant(root, "answeredAt"))
        && begins_after(text(since), answered)
    {
        let (ru, en) = ("сопровождение началось позже ответа", "the accompaniment begins after the answer");
        found.add(since, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

fn request(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    if let Some(period) = child(root, "period") {
        term(period, "endsOn", found);
    }
    let words = ("ответ желателен раньше самого запроса", "the answer is wished before the request");
    not_before(root, "answerBy", "askedAt", words, found);
}

/// What is answered in part may say why the rest is not.
fn response(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    needed_by(root, ("outcome", &["provided", "partly-provided"]), "information", found);
    only_with(root, ("outcome", &["partly-provided", "no-information", "refused"]), "ground", found);
    if let (Some(outcome), None) = (child(root, "outcome"), child(root, "ground"))
        && text(outcome) == "refused"
    {
        let (ru, en) = ("при отказе нужно основание (ground)", "a refusal needs its ground (ground)");
        found.add(outcome, ViolatedRule::FieldNeeded, ru, en);
    }
}

fn proposal(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    only_with(root, ("kind", &["joint-activity"]), "activity", found);
    if let Some(activity) = child(root, "activity") {
        term(activity, "endsOn", found);
    }
    let words = ("ответ желателен раньше самого предложения", "the answer is wished before the proposal");
    not_before(root, "answerBy", "proposedAt", words, found);
}

fn statistics(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    term(root, "endsOn", found);
    if let (Some("analysis"), Some(kind), None) = (value(root, "kind"), child(root, "kind"), child(root, "findings")) {
        let (ru, en) = ("у анализа должны быть выводы (findings)", "an analysis needs its findings (findings)");
        found.add(kind, ViolatedRule::FieldNeeded, ru, en);
    }
    if let (Some(begins), Some(made)) = (child(root, "beginsOn"), instant(root, "preparedAt"))
        && begins_after(text(begins), made)
    {
        let (ru, en) =
            ("составлено раньше, чем началось время, о котором сведения", "made before the time that it is about");
        found.add(begins, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}
