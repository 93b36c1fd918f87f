//! Overlays: a calendar that begins with `#! extends ru` and lists only the days that differ from its base.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Weekday};

use super::{CALENDAR_FOLDER, Calendar, Calendars, DayKind, Reading, ranges};
use crate::bundle::Files;
use crate::deadline::{Finding, Severity};

/// The base that a calendar's text names, with the line that names it.
pub(super) fn extends(text: &str) -> Option<(&str, usize)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().zip(1..).find_map(|(line, number)| {
        let base = line.strip_prefix("#!")?.trim().strip_prefix("extends ")?;
        Some((base.trim(), number))
    })
}

fn finding(file: &str, line: usize, ru: String, en: String) -> Finding {
    Finding { severity: Severity::Error, file: file.to_owned(), line, column: 0, ru, en }
}

/// Reads every calendar of a bundle, each base before what extends it.
pub(super) fn read_all(files: &Files) -> (Calendars, Vec<Finding>) {
    let (mut texts, mut errors) = (BTreeMap::new(), Vec::new());
    for (path, bytes) in files {
        let Some(name) = path.strip_prefix(CALENDAR_FOLDER).and_then(|p| p.strip_suffix(".csv")) else { continue };
        // A text that cannot be read stays among the names, so that no overlay is told that its base is not there.
        let text = std::str::from_utf8(bytes).ok();
        texts.insert(name, (path.as_str(), text));
        if text.is_none() {
            let ru = "файл не в UTF-8; сохраните его в UTF-8".to_owned();
            errors.push(finding(path, 0, ru, "the file is not UTF-8; save it as UTF-8".to_owned()));
        }
    }
    let bases: BTreeMap<&str, (&str, usize)> =
        texts.iter().filter_map(|(name, (_, text))| Some((*name, extends((*text)?)?))).collect();
    let mut calendars = Calendars::default();
    let mut left: BTreeSet<&str> = texts.keys().copied().collect();
    while let Some(name) = next(&left, &bases) {
        left.remove(name);
        let Some((path, Some(text))) = texts.get(name) else { continue };
        let base_failed = |(base, _): &(&str, usize)| texts.contains_key(base) && calendars.get(base).is_none();
        if bases.get(name).is_some_and(base_failed) {
            continue;
        }
        match Calendar::parse_over(name, path, text, &calendars) {
            Ok(calendar) => calendars.insert(calendar),
            Err(mut found) => errors.append(&mut found),
        }
    }
    for name in left {
        let (Some((base, line)), Some((path, _))) = (bases.get(name), texts.get(name)) else { continue };
        if leads_back(name, &bases) {
            let ru = format!(
                "календарь `{name}` через `{base}` дополняет сам себя; уберите `#! extends` в одном из календарей круга"
            );
            let en = format!(
                "the calendar `{name}` extends itself by way of `{base}`; drop `#! extends` from one calendar of the circle"
            );
            errors.push(finding(path, *line, ru, en));
        }
    }
    (calendars, errors)
}

/// A calendar whose base, if it has one, does not wait to be read.
fn next<'a>(left: &BTreeSet<&'a str>, bases: &BTreeMap<&str, (&str, usize)>) -> Option<&'a str> {
    left.iter().copied().find(|name| bases.get(name).is_none_or(|(base, _)| !left.contains(base)))
}

fn leads_back(name: &str, bases: &BTreeMap<&str, (&str, usize)>) -> bool {
    let mut at = name;
    for _ in bases {
        match bases.get(at) {
            Some((base, _)) => at = base,
            None => return false,
        }
        if at == name {
            return true;
        }
    }
    false
}

impl Reading<'_> {
    /// `#! extends base`.
    pub(super) fn extend(&mut self, base: &str, line: usize) {
        self.calendar.base = Some(base.to_owned());
        self.base = self.bases.get(base).cloned();
        if self.base.is_none() {
            let known = self.bases.names().collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "-" } else { &known };
            self.error(
                line,
                format!("основы `{base}` среди календарей нет (есть: {known}); добавьте её или исправьте имя"),
                format!("the base `{base}` is not among the calendars (there are: {known}); add it or mend the name"),
            );
        }
    }

    /// Lays the rows over those of the base. A row that changes nothing would only look like a difference.
    pub(super) fn lay_over(&mut self, base: &Calendar) {
        if self.stated.take().is_some() {
            self.error(
                self.years_line,
                format!("годы берутся у основы `{}`; уберите `#! years` здесь", base.name),
                format!("the years are those of the base `{}`; drop `#! years` here", base.name),
            );
        }
        self.calendar.root.clone_from(&base.root);
        self.calendar.years.clone_from(&base.years);
        for (year, doubt) in &base.doubts {
            let own = self.calendar.doubts.get(year).map_or_else(String::new, |own| format!("; {own}"));
            self.calendar.doubts.insert(*year, format!("{doubt}{own}"));
        }
        let rows = std::mem::replace(&mut self.calendar.rows, base.rows.clone());
        let differs: BTreeSet<i32> = rows.keys().map(Datelike::year).collect();
        for (year, totals) in base.published.iter().filter(|(year, _)| !differs.contains(year)) {
            self.calendar.published.entry(*year).or_insert(*totals);
        }
        for (date, line) in std::mem::take(&mut self.lines) {
            let mut row = rows.get(&date).cloned().unwrap_or_default();
            let name = &base.name;
            let Ok(before) = base.day(date) else {
                let years = ranges(&base.years);
                self.error(
                    line,
                    format!("{date} вне лет основы `{name}` ({years}); добавьте год в неё или уберите строку"),
                    format!("{date} is outside of the years of the base `{name}` ({years}); add the year there or drop the line"),
                );
                continue;
            };
            if row.short && !row.working && !before.is_working() {
                self.error(
                    line,
                    format!("{date} по основе `{name}` нерабочий, сокращённым быть не может; добавьте строку working"),
                    format!("{date} is off by the base `{name}` and cannot be short; add a line with working"),
                );
                continue;
            }
            row.working |= row.short && matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            self.calendar.rows.insert(date, row);
            let after = self.calendar.day(date);
            if after.is_ok_and(|after| hours(after) == hours(before)) {
                self.error(
                    line,
                    format!("{date} таков же и по основе `{name}`; уберите строку"),
                    format!("{date} is the same by the base `{name}`; drop the line"),
                );
            }
        }
    }
}

/// What differs for people: days off are alike, whatever made them so.
fn hours(kind: DayKind) -> u8 {
    match kind {
        DayKind::Weekend | DayKind::Nonworking => 0,
        DayKind::Short => 1,
        DayKind::Working => 2,
    }
}
