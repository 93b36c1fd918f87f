//! What `mezhved regulation show --json` prints: the words of the file under stable keys.

use serde_json::{Map, Value, json};

use super::regulation_order;
use super::regulation_words::{key_word, of_word, party_word, settle_word, start_word};
use crate::deadline::{
    CaseSource, CaseStep, Exchange, Matching, Meets, Opens, OwnPart, Regulation, Rule, Rung, Source, TermChoice,
    TermVersion, Title,
};
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
    let exchange = |e: &Exchange| {
        let own = e.own.as_ref().map(own);
        json!({ "message": e.message, "from": e.from, "to": e.to, "own": own, "elsewhere": e.elsewhere,
                "basis": e.basis, "source": e.source, "dataClasses": e.data_classes })
    };
    let exchanges: Vec<Value> = r.exchanges.iter().map(exchange).collect();
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
    let [preconditions, loads, retention, outside] = entries(r);
    json!({
        "id": r.id, "file": r.file, "title": r.title, "zone": r.zone, "calendar": r.calendar,
        "effectiveFrom": r.effective_from, "warnAt": r.warn_at.format("%H:%M").to_string(), "documents": documents,
        "roles": roles, "exchanges": exchanges,
        "case": r.case.as_ref().map(case),
        "steps": r.steps.iter().map(step).collect::<Vec<_>>(), "preconditions": preconditions, "loads": loads,
        "retention": retention, "outside": outside,
        "deadlines": r.rules.iter().map(rule).collect::<Vec<_>>(), "termTables": tables, "norms": norms, "measures": measures,
        "escalation": r.escalation.iter().map(rung).collect::<Vec<_>>(),
        "order": regulation_order::as_json(&r.order),
    })
}

fn rung(rung: &Rung) -> Value {
    json!({ "at": rung.at.to_string(), "to": rung.to, "rules": rung.rules, "line": rung.line })
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
        TermChoice::None => (None, None),
    };
    let ends = |meets: &[Meets]| -> Vec<Value> { meets.iter().map(ending).collect() };
    let opens = match &rule.opens {
        Opens::Messages(openings) => openings.iter().map(|m| Value::Object(matching(m))).collect(),
        Opens::Every { every, of } => json!([{ "every": every.as_str(), "of": of_word(of) }]),
    };
    json!({
        "id": rule.id, "rows": rule.rows, "task": rule.is_task(), "again": rule.again.as_str(),
        "outlivesCase": rule.outlives_case, "roundTheClock": rule.round_the_clock, "cancelled": ends(&rule.cancelled),
        "termKey": rule.term_key.as_ref().map(ToString::to_string),
        "title": rule.title, "off": rule.off, "opens": opens, "start": start_word(&rule.start),
        "debtor": party_word(&rule.debtor), "creditor": party_word(&rule.creditor), "subject": rule.subject, "met": ends(&rule.met),
        "term": term, "termRu": term.map(|t| t.ru()), "termTable": table, "roll": rule.roll, "warn": rule.warns,
        "wish": rule.wish.as_ref().map(ToString::to_string), "source": rule.source, "reading": rule.reading,
        "line": rule.line,
    })
}

/// The entries that are no deadlines: preconditions, loads, retention, what is outside.
fn entries(r: &Regulation) -> [Vec<Value>; 4] {
    let entry = |id: &str, title: &Title, source: &Source, rows: &[String]| {
        let mut object = Map::new();
        object.insert("id".to_owned(), id.into());
        object.insert("title".to_owned(), json!(title));
        object.insert("source".to_owned(), json!(source));
        object.insert("rows".to_owned(), json!(rows));
        object
    };
    let with = |mut object: Map<String, Value>, more: &[(&str, Value)]| {
        object.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Value::Object(object)
    };
    let preconditions: Vec<Value> = r
        .preconditions
        .iter()
        .map(|p| {
            let more = [("message", json!(p.message)), ("needs", json!(p.needs)), ("off", json!(p.off))];
            with(entry(&p.id, &p.title, &p.source, &p.rows), &more)
        })
        .collect();
    let loads: Vec<Value> = r
        .loads
        .iter()
        .map(|l| {
            let limits: Map<String, Value> = l.limits.iter().map(|(level, n)| (level.clone(), json!(n))).collect();
            with(entry(&l.id, &l.title, &l.source, &l.rows), &[("limits", limits.into()), ("off", json!(l.off))])
        })
        .collect();
    let retention: Vec<Value> = r
        .retentions
        .iter()
        .map(|k| {
            with(entry(&k.id, &k.title, &k.source, &k.rows), &[("event", json!(k.event)), ("text", json!(k.text))])
        })
        .collect();
    let outside: Vec<Value> =
        r.outside.iter().map(|o| with(entry(&o.id, &o.title, &o.source, &o.rows), &[("why", json!(o.why))])).collect();
    [preconditions, loads, retention, outside]
}

fn ending(meets: &Meets) -> Value {
    let mut entry = matching(&meets.matching);
    entry.insert("debtor".to_owned(), party_word(&meets.debtor).into());
    entry.insert("at".to_owned(), settle_word(&meets.at).into());
    Value::Object(entry)
}

fn case(case: &CaseSource) -> Value {
    let limit = case
        .limit
        .as_ref()
        .map(|l| json!({ "term": l.term, "extended": l.extended, "source": l.source, "rows": l.rows }));
    json!({
        "messages": case.messages, "territory": case.territory.to_string(), "kind": case.kind.to_string(),
        "closes": case.closes, "afterClose": case.after_close, "limit": limit,
        "grounds": case.grounds,
    })
}

fn step(step: &CaseStep) -> Value {
    json!({
        "id": step.id, "title": step.title, "message": step.message, "presence": step.presence.as_str(),
        "after": step.after,
    })
}

/// Only what the file says of it.
fn matching(matching: &Matching) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("message".to_owned(), matching.message.clone().into());
    for (name, roles) in [("from", &matching.from), ("to", &matching.to)] {
        if !roles.is_empty() {
            object.insert(name.to_owned(), json!(roles));
        }
    }
    let paths =
        [("each", &matching.each), ("case", &matching.case), ("period", &matching.period), ("about", &matching.about)];
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

fn own(own: &OwnPart) -> Value {
    json!({ "each": own.each.to_string(), "by": own.by.to_string(), "whole": own.whole })
}
