//! The rules of the messages that change a case or say something beside its course: curator, level, refusal, consent and the like.

use roxmltree::Node;

use super::cases::{begins_after, ends_before, instant, text};
use super::{Found, child, value};
use crate::schema::ViolatedRule;

/// Checks what the body's type asks for. Bodies of other types pass.
pub(super) fn check(root: Node<'_, '_>, found: &mut Found<'_, '_>) {
    match root.tag_name().name() {
        "Curator" => curator(root, found),
        "ProgrammeRemarks" => {
            let words = ("исправить просят раньше, чем отклонили", "the mended draft is wished before the rejection");
            not_before(root, "resubmitBy", "decidedAt", words, found);
        }
        "FamilyRefusal" => refusal(root, found),
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

/// A part that a value of another field makes necessary, and that all its other values exclude.
fn needed_by(root: Node<'_, '_>, (field, values): (&str, &[&str]), part: &str, found: &mut Found<'_, '_>) {
    let Some(decides) = child(root, field) else { return };
    match (values.contains(&text(decides)), child(root, part)) {
        (true, None) => found.add(
            decides,
            ViolatedRule::FieldNeeded,
            &format!("при таком значении {field} нужно указать {part}"),
            &format!("this value of `{field}` needs `{part}`"),
        ),
        (false, Some(there)) => found.add(
            there,
            ViolatedRule::FieldExcluded,
            &format!("{part} указывают только при {field} {}", values.join(", ")),
            &format!("`{part}` goes with `{field}` {} only", values.join(", ")),
        ),
        (true, Some(_)) | (false, None) => {}
    }
}

/// A day that must not be over before an instant.
fn not_before(root: Node<'_, '_>, day: &str, since: &str, (ru, en): (&str, &str), found: &mut Found<'_, '_>) {
    if let (Some(node), Some(at)) = (child(root, day), instant(root, since))
        && ends_before(text(node), at)
    {
        found.add(node, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}

/// An instant that must not be earlier than a day.
fn not_earlier(root: Node<'_, '_>, day: &str, at: &str, (ru, en): (&str, &str), found: &mut Found<'_, '_>) {
    if let (Some(date), Some(instant), Some(node)) = (value(root, day), instant(root, at), child(root, at))
        && begins_after(date, instant)
    {
        found.add(node, ViolatedRule::DatesOutOfOrder, ru, en);
    }
}
