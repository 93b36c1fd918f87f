//! What `mezhved regulation show --json` prints: the words of the file under stable keys.

use serde_json::{Map, Value, json};

use super::regulation_order;
use super::regulation_words::{key_word, party_word, settle_word, start_word};
use crate::deadline::{Matching, Opens, Regulation, Rule, TermChoice, TermVersion};
use crate::domain::{Participant, RoleCode};

/// The whole regulation; `people` are all participants of the folder.
pub(super) fn as_json(r: &Regulation, people: &[Participant]) -> Value {
    let documents: Vec<Value> = r
        .documents
        .iter()
        .map(|d| json!({ "id": d.id, "title": d.title, "edition": d.edition, "checkedOn": d.checked_on }))
        .collect();
    let roles: Vec<Value> = r
        .roles
        .iter()
        .map(|role| json!({ "code": role.code, "title": role.title, "holders": holders(r, people, &role.code) }))
        .collect();
    let exchanges: Vec<Value> =
        r.exchanges.iter().map(|e| json!({ "message": e.message, "from": e.from, "to": e.to })).collect();
    let tables: Vec<Value> = r
        .term_tables
        .iter()
        .map(|(id, table)| {
            let version = |v: &TermVersion| {
                json!({ "validFrom": v.valid_from, "off": v.off, "default": v.default, "by": v.by, "source": v.source })
            };
            json!({ "id": id, "versions": table.versions.iter().map(version).collect::<Vec<_>>() })
        })
        .collect();
    let norms: Vec<Value> = r
        .norms
        .iter()
        .map(|n| {
            json!({
                "id": n.id, "title": n.title, "term": n.term, "roll": n.roll, "contains": n.contains, "source": n.source,
            })
        })
        .collect();
    let measures: Vec<Value> = r
        .measures
        .iter()
        .map(|m| {
            json!({
                "case": m.case, "territory": m.territory, "responsible": m.responsible, "kind": m.kind,
                "from": m.from.to_string(), "to": m.to.to_string(),
            })
        })
        .collect();
    json!({
        "id": r.id, "file": r.file, "title": r.title, "zone": r.zone, "calendar": r.calendar,
        "effectiveFrom": r.effective_from, "warnAt": r.warn_at.format("%H:%M").to_string(), "documents": documents,
        "roles": roles, "exchanges": exchanges,
        "case": r.case.as_ref().map(|c| json!({ "message": c.message, "territory": c.territory.to_string(), "kind": c.kind.to_string() })),
        "deadlines": r.rules.iter().map(rule).collect::<Vec<_>>(), "termTables": tables, "norms": norms, "measures": measures,
        "order": regulation_order::as_json(&r.order),
    })
}

fn holders(r: &Regulation, people: &[Participant], code: &RoleCode) -> Vec<Value> {
    let own = people.iter().filter(|p| p.regulation == r.id);
    let held = own.filter_map(|p| Some((p, p.roles.iter().find(|h| h.role == *code)?)));
    held.map(|(p, holding)| json!({ "participant": p.id, "territories": holding.territories })).collect()
}

fn rule(rule: &Rule) -> Value {
    let (term, table) = match &rule.term {
        TermChoice::Plain(term) => (Some(term), None),
        TermChoice::Table(id) => (None, Some(id)),
    };
    let met: Vec<Value> = rule
        .met
        .iter()
        .map(|meets| {
            let mut entry = matching(&meets.matching);
            entry.insert("debtor".to_owned(), party_word(&meets.debtor).into());
            entry.insert("at".to_owned(), settle_word(&meets.at).into());
            Value::Object(entry)
        })
        .collect();
    let opens = match &rule.opens {
        Opens::Message(opening) => Value::Object(matching(opening)),
        Opens::MonthOfMeasures => json!({ "every": "month", "of": "measure" }),
    };
    json!({
        "id": rule.id, "title": rule.title, "off": rule.off, "opens": opens, "start": start_word(&rule.start),
        "debtor": party_word(&rule.debtor), "creditor": party_word(&rule.creditor), "subject": rule.subject, "met": met,
        "term": term, "termRu": term.map(|t| t.ru()), "termTable": table, "roll": rule.roll, "warn": rule.warns,
        "wish": rule.wish.as_ref().map(ToString::to_string), "source": rule.source, "reading": rule.reading,
        "line": rule.line,
    })
}

/// Only what the file says of it.
fn matching(matching: &Matching) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("message".to_owned(), matching.message.clone().into());
    let paths = [("each", &matching.each), ("case", &matching.case), ("period", &matching.period)];
    for (name, path) in paths {
        if let Some(path) = path {
            object.insert(name.to_owned(), path.to_string().into());
        }
    }
    if !matching.filter.is_empty() {
        let filter = matching.filter.iter().map(|(path, values)| (path.to_string(), values.clone().into()));
        object.insert("where".to_owned(), Value::Object(filter.collect()));
    }
    if let Some(key) = &matching.key {
        object.insert("key".to_owned(), key_word(key).into());
    }
    object
}
