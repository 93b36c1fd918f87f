//! What `mezhved regulation show` prints of the descriptive parts: who takes part, forms, requirements, mechanism, control.

use serde_json::{Value, json};

use super::regulation_words::{both, source};
use crate::deadline::{Body, Order, Regulation, Section};

/// The parts in their order, each with its heading; empty ones are left to the caller.
pub(super) fn as_text(r: &Regulation) -> [(&'static str, Vec<String>); 5] {
    let all = |sections: &[Section]| sections.iter().flat_map(|s| section(r, s)).collect();
    [
        (
            "Участники, основания и виды деятельности / who takes part, on what basis, doing what",
            r.order.bodies.iter().flat_map(|b| body(r, b)).collect(),
        ),
        ("Порядок и формы взаимодействия / order and forms of interaction", all(&r.order.forms)),
        (
            "Требования к информации и обмену ею / requirements to information and its exchange",
            all(&r.order.requirements),
        ),
        ("Механизм реализации мероприятий / how measures are carried out", all(&r.order.mechanisms)),
        ("Контроль и оценка / control and evaluation", all(&r.order.controls)),
    ]
}

fn body(r: &Regulation, body: &Body) -> Vec<String> {
    let mut lines = vec![format!("  {}: {}", body.id, both(&body.title.ru, &body.title.en))];
    let mut tell = |name: &str, value: &str| lines.push(format!("    {name}: {value}"));
    tell("что это / kind", &both(body.kind.ru(), body.kind.as_str()));
    if let Some(parent) = &body.parent {
        let title = r.order.bodies.iter().find(|b| b.id == *parent).map_or(parent.as_str(), |b| b.title.ru.as_str());
        tell("подведомственность / belongs to", &format!("{title} ({parent})"));
    }
    if let Some(role) = &body.role {
        tell("роль в обмене / role", role.as_str());
    }
    let note = body.basis_note.as_ref().map_or_else(String::new, |n| format!("; {}", both(&n.ru, &n.en)));
    tell("основание участия / basis", &format!("{}{note}", both(body.basis.ru(), body.basis.as_str())));
    for activity in &body.activities {
        let words = activity.en.as_ref().map_or_else(|| activity.ru.clone(), |en| both(&activity.ru, en));
        tell("деятельность / activity", &format!("{words} ({})", activity.paragraph));
    }
    lines.push("    источник / source:".to_owned());
    lines.extend(source(r, &body.source).iter().map(|line| format!("      {line}")));
    lines
}

fn section(r: &Regulation, section: &Section) -> Vec<String> {
    let mut lines = vec![
        format!("  {}: {}", section.id, both(&section.title.ru, &section.title.en)),
        format!("    {}", both(&section.text.ru, &section.text.en)),
        "    источник / source:".to_owned(),
    ];
    lines.extend(source(r, &section.source).iter().map(|line| format!("      {line}")));
    lines
}

/// The same under stable keys.
pub(super) fn as_json(order: &Order) -> Value {
    let bodies: Vec<Value> = order
        .bodies
        .iter()
        .map(|b| {
            let activities: Vec<Value> =
                b.activities.iter().map(|a| json!({ "ru": a.ru, "en": a.en, "paragraph": a.paragraph })).collect();
            json!({
                "id": b.id, "title": b.title, "kind": b.kind.as_str(), "parent": b.parent, "role": b.role,
                "basis": b.basis.as_str(), "basisNote": b.basis_note, "activities": activities, "source": b.source,
            })
        })
        .collect();
    let all = |sections: &[Section]| -> Vec<Value> {
        sections.iter().map(|s| json!({ "id": s.id, "title": s.title, "text": s.text, "source": s.source })).collect()
    };
    json!({
        "bodies": bodies, "exchangeForms": all(&order.forms), "requirements": all(&order.requirements),
        "mechanisms": all(&order.mechanisms), "controls": all(&order.controls),
    })
}
