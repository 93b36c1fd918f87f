//! Term tables and their versions: the law changes from a day, and what began before keeps its term.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;

use super::Source;
use super::parse::{date, plain, source};
use super::rules::Names;
use crate::deadline::Term;
use crate::deadline::reader::{Problem, Table};

/// Terms by a key, such as the answer's term by the kind of document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermTable {
    /// In the order of their dates. One is in force from the regulation's first day.
    pub versions: Vec<TermVersion>,
    /// Where it stands in the file.
    pub line: usize,
}

/// The terms of a table from a day on, until the next version in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermVersion {
    /// The first local date, in the debtor's zone, of a start that it applies to. `None` only of one that is off and whose date
    /// nobody has confirmed.
    pub valid_from: Option<NaiveDate>,
    /// Why it is not in force until an administrator confirms it.
    pub off: Option<String>,
    /// For keys that are not listed.
    pub default: Term,
    /// By key.
    pub by: BTreeMap<String, Term>,
    /// Where it is written.
    pub source: Source,
    /// Where it stands in the file.
    pub line: usize,
}

impl TermTable {
    /// The versions that are not off, each with its first date, ascending.
    pub fn in_force(&self) -> impl DoubleEndedIterator<Item = (NaiveDate, &TermVersion)> {
        self.versions.iter().filter(|v| v.off.is_none()).filter_map(|v| Some((v.valid_from?, v)))
    }

    /// The version for what starts on this date; before the first date it is the first version.
    pub fn on(&self, start: NaiveDate) -> Option<&TermVersion> {
        let found = self.in_force().rev().find(|(from, _)| *from <= start);
        found.or_else(|| self.in_force().next()).map(|(_, version)| version)
    }
}

impl TermVersion {
    /// The term of this key.
    pub fn term(&self, key: Option<&str>) -> &Term {
        key.and_then(|key| self.by.get(key)).unwrap_or(&self.default)
    }
}

/// Reads every `[[term_table]]`: its own keys are the first version, `[[term_table.version]]` the later ones.
pub(super) fn read(
    root: &Table<'_, '_>,
    names: &Names,
    effective_from: Option<NaiveDate>,
) -> BTreeMap<String, TermTable> {
    // Without the regulation's date, which is an error of its own, nothing can be a gap.
    let effective_from = effective_from.unwrap_or(NaiveDate::MAX);
    let mut tables = BTreeMap::new();
    for table in root.tables("term_table") {
        let (line, span) = (table.line(), table.span.clone());
        let table_id = table.need("id");
        let mut dated = vec![(version(&table, names, Some(effective_from)), span.clone())];
        for inner in table.tables("version") {
            let (read, span) = (version(&inner, names, None), inner.span.clone());
            dated.push((inner.finish().and(read), span));
        }
        let whole = table.finish();
        let versions: Option<Vec<(TermVersion, Range<usize>)>> =
            dated.into_iter().map(|(version, span)| Some((version?, span))).collect();
        let (Some(table_id), Some(versions), Some(())) = (table_id, versions, whole) else { continue };
        for (span, problem) in contradictions(&versions, effective_from) {
            root.error(&span, problem);
        }
        let versions = versions.into_iter().map(|(version, _)| version).collect();
        if tables.insert(table_id.value.clone(), TermTable { versions, line }).is_some() {
            let name = table_id.value;
            let problem = Problem::new(
                format!("вторая таблица сроков `{name}`; её редакции пишутся как [[term_table.version]]"),
                format!("a second term table `{name}`; its versions are written as [[term_table.version]]"),
            );
            root.error(&span, problem);
        }
    }
    tables
}

/// One version. `first_from` is the date of the first version where it states none.
fn version(table: &Table<'_, '_>, names: &Names, first_from: Option<NaiveDate>) -> Option<TermVersion> {
    let off = plain(table.text("off"));
    let valid_from = table.parsed("valid_from", date).or(first_from);
    if !table.has("valid_from") && valid_from.is_none() && off.is_none() {
        let problem = Problem::new(
            "редакции нужен `valid_from`: с какой даты она действует (или `off`, пока это не подтверждено)",
            "the version needs `valid_from`: from which date it applies (or `off` while that is not confirmed)",
        );
        table.error(&table.span, problem);
    }
    let (default, source) = (table.need_parsed("default", |t| names.term(t)), source(table, names));
    let mut by = BTreeMap::new();
    if let Some(entries) = table.table("by") {
        for (key, values) in entries.entries() {
            for text in values {
                if let Some(term) = table.convert(text, |t| names.term(t)) {
                    by.insert(key.value.clone(), term);
                }
            }
        }
    }
    Some(TermVersion { valid_from, off, default: default?, by, source: source?, line: table.line() })
}

/// Versions that overlap, and days on which none is in force.
fn contradictions(versions: &[(TermVersion, Range<usize>)], effective_from: NaiveDate) -> Vec<(Range<usize>, Problem)> {
    let mut problems = Vec::new();
    let mut last: Option<NaiveDate> = None;
    for (version, span) in versions {
        let Some(from) = version.valid_from else { continue };
        match last {
            Some(before) if from == before => problems.push((
                span.clone(),
                Problem::new(
                    format!("две редакции с одной датой {from}; оставьте одну"),
                    format!("two versions with one date, {from}; keep one"),
                ),
            )),
            Some(before) if from < before => problems.push((
                span.clone(),
                Problem::new(
                    format!("редакция с {from} перекрывает предыдущую, с {before}; расставьте их по датам"),
                    format!("the version from {from} overlaps the one before it, from {before}; put them in the order of their dates"),
                ),
            )),
            Some(_) | None => last = Some(from),
        }
    }
    let in_force = versions.iter().filter(|(version, _)| version.off.is_none());
    let first = in_force.filter_map(|(version, span)| Some((version.valid_from?, span))).min_by_key(|(from, _)| *from);
    match first {
        Some((from, span)) if from > effective_from => problems.push((
            span.clone(),
            Problem::new(
                format!("с {effective_from} (effective_from регламента) до {from} не действует ни одна редакция; нужна ещё одна"),
                format!("from {effective_from} (the regulation's effective_from) to {from} no version is in force; another is needed"),
            ),
        )),
        Some(_) => {}
        None => problems.extend(versions.first().map(|(_, span)| {
            let problem = Problem::new(
                "все редакции таблицы сроков выключены; одна должна действовать",
                "every version of the term table is off; one must be in force",
            );
            (span.clone(), problem)
        })),
    }
    problems
}
