//! The TOML form of a regulation.

use std::fmt::Display;

use chrono::{NaiveDate, NaiveTime};

use super::rules::{Names, rule};
use super::{
    Document, Exchange, Measure, Norm, Regulation, Role, Rule, Source, Title, case, escalation, exchange, order,
    term_tables,
};
use crate::deadline::path::BodyPath;
use crate::deadline::reader::{Problem, Reader, Table, Text};
use crate::deadline::{Finding, Month, Roll, Span, Term, Unit};
use crate::domain::{CaseId, IdError, Oktmo, ParticipantId, RoleCode, RuleId, Zone};

/// Reads the whole file. Every part is read even when another is wrong, so that all errors come at once.
pub(super) fn parse(file: &str, text: &str) -> Result<Regulation, Vec<Finding>> {
    let reader = Reader::new(file, text);
    let document = reader.document();
    let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or("");
    let root = Table::new(&reader, document.get_ref(), 0..0, "regulation");
    let regulation = read(&root, file, stem);
    root.finish();
    let findings = reader.into_findings();
    match regulation {
        Some(regulation) if findings.is_empty() => Ok(regulation),
        Some(_) | None => Err(findings),
    }
}

fn read(root: &Table<'_, '_>, file: &str, stem: &str) -> Option<Regulation> {
    let id = root.need_parsed("id", |text| {
        if text == stem {
            return Ok(text.to_owned());
        }
        Err(Problem::new(
            format!("id `{text}` не совпадает с именем файла `{stem}.toml`"),
            format!("the id `{text}` differs from the file's name `{stem}.toml`"),
        ))
    });
    let title = title(root, "title");
    let zone = root.need_parsed("zone", zone);
    let calendar = root.need("calendar").map(|t| t.value);
    let effective_from = root.need_parsed("effective_from", date);
    let warn_at = root.need_parsed("warn_at", |text| {
        NaiveTime::parse_from_str(text, "%H:%M")
            .map_err(|_| Problem::new("нужно время вида 09:00", "a time like 09:00 is needed"))
    });
    let grace_hours = root.parsed("grace", grace);
    let documents: Vec<Document> = root.tables("document").into_iter().filter_map(read_document).collect();
    let roles: Vec<Role> = root.tables("role").into_iter().filter_map(read_role).collect();
    let mut names = Names {
        documents: documents.iter().map(|d| d.id.clone()).collect(),
        roles: roles.iter().map(|r| r.code.clone()).collect(),
        messages: Vec::new(),
        tables: Vec::new(),
        grace: root.has("grace"),
    };
    let exchanges: Vec<Exchange> =
        root.tables("exchange").into_iter().filter_map(|t| exchange::read(t, &names)).collect();
    names.messages = exchanges.iter().map(|e| e.message.clone()).collect();
    let case = root.table("case").and_then(|t| case::read_case(t, &names));
    let steps = case::read_steps(root, &names);
    let term_tables = term_tables::read(root, &names, effective_from);
    names.tables = term_tables.keys().cloned().collect();
    let (rules, rule_ids) = read_rules(root, &names);
    let preconditions = case::read_preconditions(root, &names, &steps);
    let (loads, retentions) = (case::read_loads(root, &names), case::read_retentions(root, &names));
    let outside = case::read_outside(root, &names);
    let norms = root.tables("norm").into_iter().filter_map(|t| read_norm(t, &names, &rule_ids)).collect();
    let measures = root.tables("measure").into_iter().filter_map(read_measure).collect();
    let order = order::read(root, &names);
    Some(Regulation {
        id: id?,
        file: file.to_owned(),
        title: title?,
        zone: zone?,
        calendar: calendar?,
        calendar_line: root.line_of("calendar"),
        effective_from: effective_from?,
        warn_at: warn_at?,
        grace_hours: grace_hours.unwrap_or(0),
        documents,
        roles,
        exchanges,
        case,
        preconditions,
        steps,
        loads,
        retentions,
        outside,
        term_tables,
        norms,
        rules,
        measures,
        escalation: escalation::read(root, &rule_ids),
        order,
    })
}

/// The rules, and the ids also of those that are broken, so that one mistake does not show as two.
fn read_rules(root: &Table<'_, '_>, names: &Names) -> (Vec<Rule>, Vec<RuleId>) {
    let (mut rules, mut ids) = (Vec::new(), Vec::<(RuleId, usize)>::new());
    let tables = root.tables("deadline").into_iter().map(|t| (t, false));
    for (table, is_task) in tables.chain(root.tables("task").into_iter().map(|t| (t, true))) {
        if let Some(text) = table.text("id")
            && let Ok(id) = RuleId::parse(&text.value)
        {
            if let Some((_, first)) = ids.iter().find(|(known, _)| *known == id) {
                let problem = Problem::new(
                    format!("второе правило с id `{id}`, первое - в строке {first}; дайте другой"),
                    format!("a second rule with the id `{id}`, the first is on line {first}; give it another"),
                );
                table.error(&text.span, problem);
            }
            ids.push((id, table.line()));
        }
        rules.extend(rule(table, names, is_task));
    }
    (rules, ids.into_iter().map(|(id, _)| id).collect())
}

fn read_document(table: Table<'_, '_>) -> Option<Document> {
    let (id, title) = (table.need("id"), table.need("title"));
    let (edition, checked_on) = (table.text("edition"), table.parsed("checked_on", date));
    table.finish()?;
    Some(Document { id: id?.value, title: title?.value, edition: edition.map(|t| t.value), checked_on })
}

fn read_role(table: Table<'_, '_>) -> Option<Role> {
    let (code, title, line) = (table.need_parsed("code", id(RoleCode::parse)), title(&table, "title"), table.line());
    table.finish()?;
    Some(Role { code: code?, title: title?, line })
}

fn read_norm(table: Table<'_, '_>, names: &Names, rules: &[RuleId]) -> Option<Norm> {
    let line = table.line();
    let (norm_id, title, term) = (table.need("id"), title(&table, "title"), table.need_parsed("term", term));
    let (roll, source) = (table.need_parsed("roll", roll), source(&table, names));
    let rule = |text: &str| {
        let known = rules.iter().find(|r| r.as_str() == text).cloned();
        known.ok_or_else(|| unknown("правило", "rule", text, rules.iter()))
    };
    let contains = table.texts("contains").into_iter().filter_map(|text| table.convert(text, rule)).collect();
    table.finish()?;
    Some(Norm { id: norm_id?.value, title: title?, term: term?, roll: roll?, contains, source: source?, line })
}

fn read_measure(table: Table<'_, '_>) -> Option<Measure> {
    let line = table.line();
    let case = table.need_parsed("case", id(CaseId::parse));
    let territory = table.need_parsed("territory", id(Oktmo::parse));
    let responsible = table.need_parsed("responsible", id(ParticipantId::parse));
    let kind = table.need("kind");
    let (from, named) = (table.need_parsed("from", month), table.need("to"));
    let span = named.as_ref().map_or_else(|| table.span.clone(), |text| text.span.clone());
    let to = named.and_then(|text| table.convert(text, month));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let problem = Problem::new(
            format!("конец {to} раньше начала {from}; поменяйте их местами"),
            format!("the end {to} is before the start {from}; exchange them"),
        );
        table.error(&span, problem);
    }
    table.finish()?;
    Some(Measure {
        case: case?,
        territory: territory?,
        responsible: responsible?,
        kind: kind?.value,
        from: from?,
        to: to?,
        line,
    })
}

pub(super) fn title(table: &Table<'_, '_>, key: &'static str) -> Option<Title> {
    let inner = table.need_table(key)?;
    let (ru, en) = (inner.need("ru"), inner.need("en"));
    inner.finish()?;
    Some(Title { ru: ru?.value, en: en?.value })
}

pub(super) fn source(table: &Table<'_, '_>, names: &Names) -> Option<Source> {
    let inner = table.need_table("source")?;
    let document = inner.need_parsed("document", |text| {
        let known = names.documents.iter().find(|d| *d == text).cloned();
        known.ok_or_else(|| unknown("документ", "document", text, names.documents.iter()))
    });
    let (paragraph, quote) = (inner.need("paragraph"), inner.text("quote"));
    inner.finish()?;
    Some(Source {
        document: document?,
        paragraph: paragraph?.value,
        quote: quote.map_or_else(String::new, |t| t.value),
    })
}

/// A name that is not among those that the file defines.
pub(super) fn unknown(ru: &str, en: &str, found: &str, known: impl Iterator<Item = impl Display>) -> Problem {
    let mut names: Vec<String> = known.map(|k| k.to_string()).collect();
    names.sort();
    names.dedup();
    let names = if names.is_empty() { "-".to_owned() } else { names.join(", ") };
    Problem::new(
        format!("{ru} `{found}`: такого нет в этом файле; есть: {names}"),
        format!("{en} `{found}`: not in this file; there are: {names}"),
    )
}

pub(super) fn id<T>(parse: impl FnOnce(&str) -> Result<T, IdError>) -> impl FnOnce(&str) -> Result<T, Problem> {
    |text| parse(text).map_err(|e| Problem::new(format!("неверное значение: {e}"), e.to_string()))
}

pub(super) fn term(text: &str) -> Result<Term, Problem> {
    Term::parse(text).map_err(|e| Problem::new(e.ru(), e.en()))
}

fn grace(text: &str) -> Result<u32, Problem> {
    match Term::parse(text) {
        Ok(Term::After(Span { count, unit: Unit::Hour })) => Ok(count),
        Ok(_) | Err(_) => Err(Problem::new(
            format!("запас `{text}`: нужны часы, например 1 hour"),
            format!("grace `{text}`: hours are needed, such as 1 hour"),
        )),
    }
}

pub(super) fn roll(text: &str) -> Result<Roll, Problem> {
    let problem = || {
        Problem::new(
            format!("перенос `{text}`: можно none, forward, back"),
            format!("roll `{text}`: allowed are none, forward, back"),
        )
    };
    Roll::parse(text).ok_or_else(problem)
}

pub(super) fn path(text: &str) -> Result<BodyPath, Problem> {
    let problem = || {
        Problem::new(
            format!("путь `{text}`: нужны имена элементов через `/`, например wanted/document"),
            format!("path `{text}`: names of elements with `/` between them are needed, such as wanted/document"),
        )
    };
    BodyPath::parse(text).ok_or_else(problem)
}

fn zone(text: &str) -> Result<Zone, Problem> {
    let problem = || {
        Problem::new(
            format!("`{text}`: нет такого часового пояса IANA; пример: Asia/Yekaterinburg"),
            format!("`{text}` is no IANA time zone; an example: Asia/Yekaterinburg"),
        )
    };
    Zone::parse(text).ok_or_else(problem)
}

pub(super) fn date(text: &str) -> Result<NaiveDate, Problem> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        Problem::new(
            format!("`{text}`: нужна дата вида 2026-05-11"),
            format!("`{text}`: a date like 2026-05-11 is needed"),
        )
    })
}

fn month(text: &str) -> Result<Month, Problem> {
    let problem = || {
        Problem::new(format!("`{text}`: нужен месяц вида 2026-05"), format!("`{text}`: a month like 2026-05 is needed"))
    };
    Month::parse(text).ok_or_else(problem)
}

/// The value of a text, without its place.
pub(super) fn plain(text: Option<Text>) -> Option<String> {
    text.map(|t| t.value)
}
