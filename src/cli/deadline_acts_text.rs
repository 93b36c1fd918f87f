//! Acts on obligations in words and as JSON, for the commands that enter them and for `deadline explain`.

use serde_json::{Value, json};

use super::deadline_explain::local;
use crate::deadline::show_due;
use crate::domain::{ActKind, Timestamp, Zone};
use crate::store::ActRow;

/// An act for machines; instants in UTC, dues as their last second in the obligation's zone.
pub(super) fn as_json(act: &ActRow, zone: Option<Zone>) -> Value {
    let due = |at: Option<Timestamp>| at.map(|at| shown_due(at, zone));
    let document = act.document.as_ref().map(|d| json!({ "name": d.name, "number": d.number, "date": d.date }));
    json!({
        "id": act.id, "kind": act.kind, "at": act.at, "enteredAt": act.entered_at, "author": act.author, "actor": act.actor,
        "recordId": act.record_id, "ground": act.ground, "document": document, "way": act.way, "actedAt": act.acted_at,
        "by": act.acted_by, "to": act.acted_to, "number": act.number, "scan": act.scan, "note": act.note,
        "dueBefore": due(act.due_before), "dueAfter": due(act.due_after),
        "stateBefore": act.state_before, "stateAfter": act.state_after,
    })
}

/// An act for people: what it was, then what it says, line by line.
pub(super) fn lines(act: &ActRow, zone: Option<Zone>) -> Vec<String> {
    let mut lines = vec![format!("  {}  {} / {}", local(act.at, zone), act.kind.ru(), act.kind)];
    let document = act.document.as_ref().map(|d| format!("{} № {} от / of {}", d.name, d.number, d.date));
    let due = |at: Timestamp| shown_due(at, zone);
    let moved = act.due_before.zip(act.due_after).filter(|(before, after)| before != after);
    let kept = act.due_before.filter(|_| act.kind == ActKind::Waive);
    let pairs = [
        ("как / way", act.way.map(|way| format!("{} / {way}", way.ru()))),
        ("когда исполнено / done at", act.acted_at.map(|at| local(at, zone))),
        ("кто / by", act.acted_by.as_ref().map(ToString::to_string)),
        ("кому / to", act.acted_to.as_ref().map(ToString::to_string)),
        ("номер / number", act.number.as_ref().map(ToString::to_string)),
        ("SHA-256 скана / of the scan", act.scan.map(|scan| scan.to_string())),
        ("был срок / due before", moved.map(|(before, _)| due(before))),
        ("стал срок / due after", moved.map(|(_, after)| due(after))),
        ("срок остаётся / the due stays", kept.map(due)),
        ("основание / ground", act.ground.map(|ground| format!("{} / {}", ground.ru(), ground.en()))),
        ("документ / document", document),
        ("пометка / note", act.note.as_ref().map(|note| note.as_str().replace('\n', "\n        "))),
        ("сообщение / message", act.record_id.map(|id| id.to_string())),
        ("состояние / state", changed(act)),
        ("внёс / entered by", Some(format!("{}, {}", act.entered_by(), local(act.entered_at, zone)))),
    ];
    let said = pairs.into_iter().filter_map(|(name, value)| value.map(|value| format!("      {name}: {value}")));
    lines.extend(said);
    lines
}

fn changed(act: &ActRow) -> Option<String> {
    let (before, after) = (act.state_before, act.state_after);
    (before != after).then(|| format!("{} → {} / {before} → {after}", before.ru(), after.ru()))
}

fn shown_due(at: Timestamp, zone: Option<Zone>) -> String {
    zone.map_or_else(|| Timestamp::from_micros(at.micros().saturating_sub(1)).to_string(), |zone| show_due(at, zone))
}
