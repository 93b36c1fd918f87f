//! The production calendar: which days are working days.
//!
//! The file is CSV with the columns `date,kind,note`, a line a row. Saturdays and Sundays need no row: they are non-working unless a row says
//! `working`. Lines that begin with `#` are for people; lines that begin with `#!` say something about the file:
//!
//! - `#! years 2015-2027`: the years that are complete here. A row outside of them is an error, and a date outside of them is
//!   never guessed. Without this line the years are those that have at least one row.
//! - `#! doubt 2027 <text>`: the year's data are not confirmed; every count that touches the year says so.
//! - `#! total 2026 247 off 118 short 4 quarters 55 62 66 64`: how many working days, days off, shorter days and working days a
//!   quarter the year has by a published table; another count is an error. All but the first number may be left out.
//! - `#! extends ru`: an overlay. Its rows are only the days that differ from the calendar `ru`; years and doubts are those of
//!   `ru`, and so are the totals of years without a row here. Doubts and totals of its own may be added.

mod overlay;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};

use super::totals::PublishedTotals;
use super::{Finding, Severity};
use crate::bundle::Files;

const CALENDAR_FOLDER: &str = "config/calendars/";

/// The first and the last year that a calendar may cover.
const YEARS_ALLOWED: std::ops::RangeInclusive<i32> = 1990..=2200;

/// What a calendar says about a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DayKind {
    /// A working day, perhaps a Saturday.
    Working,
    /// A working day that is an hour shorter.
    Short,
    /// Saturday or Sunday, by the week alone.
    Weekend,
    /// A day that the calendar lists as non-working.
    Nonworking,
}

impl DayKind {
    /// The stable word: `working`, `short`, `weekend` or `nonworking`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Short => "short",
            Self::Weekend => "weekend",
            Self::Nonworking => "nonworking",
        }
    }

    /// Whether people work on it.
    pub fn is_working(self) -> bool {
        matches!(self, Self::Working | Self::Short)
    }
}

/// A calendar has no data for a year.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "в календаре `{calendar}` нет данных за {year} год (есть {loaded}); добавьте их в config/calendars/{calendar}.csv / calendar `{calendar}` has no data for {year} (it has {loaded}); \
     add them to config/calendars/{calendar}.csv"
)]
pub struct MissingYear {
    /// The name of the calendar in which the year would be added: of an overlay, the one that it ends on.
    pub calendar: String,
    /// The year.
    pub year: i32,
    /// The years that it has, such as `2015-2027`.
    pub loaded: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    nonworking: bool,
    working: bool,
    short: bool,
    note: String,
}

/// The working days of some years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    name: String,
    /// What it extends, if it is an overlay.
    base: Option<String>,
    /// The calendar whose years it has: its own name, or that at the end of what it extends.
    root: String,
    years: BTreeSet<i32>,
    doubts: BTreeMap<i32, String>,
    published: BTreeMap<i32, PublishedTotals>,
    rows: BTreeMap<NaiveDate, Row>,
}

impl Calendar {
    /// Reads a calendar. `name` is how regulations call it, `file` stands in the errors.
    ///
    /// # Errors
    /// All that is wrong with the file, each with its line. An overlay is an error here: see [`Calendar::parse_over`].
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, Vec<Finding>> {
        Self::parse_over(name, file, text, &Calendars::default())
    }

    /// Reads a calendar that may extend one of `bases`.
    ///
    /// # Errors
    /// All that is wrong with the file, each with its line.
    pub fn parse_over(name: &str, file: &str, text: &str, bases: &Calendars) -> Result<Self, Vec<Finding>> {
        let mut reading = Reading {
            file,
            bases,
            base: None,
            errors: Vec::new(),
            stated: None,
            years_line: 0,
            totals: BTreeMap::new(),
            lines: BTreeMap::new(),
            calendar: Self {
                name: name.to_owned(),
                base: None,
                root: name.to_owned(),
                years: BTreeSet::new(),
                doubts: BTreeMap::new(),
                published: BTreeMap::new(),
                rows: BTreeMap::new(),
            },
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        reading.directives(text);
        reading.rows(text);
        reading.finish()
    }

    /// How regulations call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the calendar that it extends, if it is an overlay.
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// The years with data.
    pub fn years(&self) -> &BTreeSet<i32> {
        &self.years
    }

    /// Whether the year has data.
    ///
    /// # Errors
    /// When it has none; the error names the year.
    pub fn covers(&self, year: i32) -> Result<(), MissingYear> {
        if self.years.contains(&year) {
            return Ok(());
        }
        Err(MissingYear { calendar: self.root.clone(), year, loaded: ranges(&self.years) })
    }

    /// What kind of day this is.
    ///
    /// # Errors
    /// When the year has no data.
    pub fn day(&self, date: NaiveDate) -> Result<DayKind, MissingYear> {
        self.covers(date.year())?;
        let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        Ok(match self.rows.get(&date) {
            Some(row) if row.nonworking => DayKind::Nonworking,
            Some(row) if weekend && !row.working => DayKind::Weekend,
            Some(row) if row.short => DayKind::Short,
            Some(_) => DayKind::Working,
            None if weekend => DayKind::Weekend,
            None => DayKind::Working,
        })
    }

    /// What the calendar notes about the day: a holiday's name, or from where a day off was moved. Empty when nothing.
    pub fn note(&self, date: NaiveDate) -> &str {
        self.rows.get(&date).map_or("", |row| row.note.as_str())
    }

    /// Why the year's data are not certain, if they are not.
    pub fn doubt(&self, year: i32) -> Option<&str> {
        self.doubts.get(&year).map(String::as_str)
    }

    /// What a published table says of the year, if the file states it.
    pub fn published(&self, year: i32) -> Option<&PublishedTotals> {
        self.published.get(&year)
    }

    /// How many working days the year has.
    ///
    /// # Errors
    /// When the year has no data.
    pub fn working_days(&self, year: i32) -> Result<usize, MissingYear> {
        self.totals(year).map(|totals| totals.working)
    }
}

/// Calendars by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendars(BTreeMap<String, Calendar>);

impl Calendars {
    /// Reads every `config/calendars/<name>.csv`, each base before what extends it.
    ///
    /// # Errors
    /// All that is wrong with any of them, also a base that is not there and overlays that extend each other in a circle.
    pub fn from_files(files: &Files) -> Result<Self, Vec<Finding>> {
        let (calendars, errors) = overlay::read_all(files);
        if errors.is_empty() { Ok(calendars) } else { Err(errors) }
    }

    /// The same, but keeps the calendars that can be read beside what is wrong with the others.
    pub fn read(files: &Files) -> (Self, Vec<Finding>) {
        overlay::read_all(files)
    }

    /// Adds a calendar under its name, in place of one that had it.
    pub fn insert(&mut self, calendar: Calendar) {
        self.0.insert(calendar.name.clone(), calendar);
    }

    /// The calendar with this name.
    pub fn get(&self, name: &str) -> Option<&Calendar> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Calendar> {
        self.0.values()
    }

    /// The names, for messages.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// `2015-2024, 2026` for people.
fn ranges(years: &BTreeSet<i32>) -> String {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for &year in years {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == year => *last = year,
            Some(_) | None => runs.push((year, year)),
        }
    }
    let words: Vec<String> =
        runs.into_iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

struct Reading<'a> {
    file: &'a str,
    bases: &'a Calendars,
    base: Option<Calendar>,
    errors: Vec<Finding>,
    stated: Option<BTreeSet<i32>>,
    years_line: usize,
    /// The lines of `#! total`, by year.
    totals: BTreeMap<i32, usize>,
    lines: BTreeMap<NaiveDate, usize>,
    calendar: Calendar,
}

impl Reading<'_> {
    fn error(&mut self, line: usize, ru: String, en: String) {
        self.errors.push(Finding { severity: Severity::Error, file: self.file.to_owned(), line, column: 0, ru, en });
    }

    fn directives(&mut self, text: &str) {
        for (index, line) in text.lines().enumerate() {
            if let Some(directive) = line.strip_prefix("#!")
                && self.directive(directive.trim(), index + 1).is_none()
            {
                self.error(
                    index + 1,
                    "непонятная строка `#!`; можно: `#! years 2015-2027`, `#! doubt 2027 текст`, `#! extends ru`, `#! total 2026 247 off 118 short 4 quarters 55 62 66 64`".to_owned(),
                    "this `#!` line is not understood; allowed: `#! years 2015-2027`, `#! doubt 2027 text`, `#! extends ru`, `#! total 2026 247 off 118 short 4 quarters 55 62 66 64`".to_owned(),
                );
            }
        }
    }

    fn directive(&mut self, directive: &str, line: usize) -> Option<()> {
        let (word, rest) = directive.split_once(' ')?;
        let (first, rest) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        match word {
            "extends" if self.calendar.base.is_none() => self.extend(format!("{first} {rest}").trim(), line),
            "years" if rest.is_empty() => {
                let stated = self.stated.get_or_insert_default();
                let (from, to) = first.split_once('-').unwrap_or((first, first));
                let (from, to) = (year(from)?, year(to)?);
                if from > to {
                    return None;
                }
                stated.extend(from..=to);
                self.years_line = line;
            }
            "doubt" if !rest.is_empty() => {
                self.calendar.doubts.insert(year(first)?, rest.trim().to_owned());
            }
            "total" => {
                let year = year(first)?;
                self.calendar.published.insert(year, PublishedTotals::parse(rest)?);
                self.totals.insert(year, line);
            }
            _ => return None,
        }
        Some(())
    }

    /// Each row stands in one line, so that an error names exactly that line.
    fn rows(&mut self, text: &str) {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let mut rows = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let header = rows.next().unwrap_or((0, ""));
        if !["date,kind,note", "date,kind"].contains(&header.1.trim()) {
            return self.error(
                header.0,
                "первая строка таблицы должна быть `date,kind,note`".to_owned(),
                "the table's first line must be `date,kind,note`".to_owned(),
            );
        }
        for (number, line) in rows {
            let mut csv = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .trim(csv::Trim::All)
                .from_reader(line.as_bytes());
            for record in csv.records() {
                match record {
                    Ok(record) => self.row(&record, number),
                    Err(problem) => self.error(
                        number,
                        format!("строка CSV не читается: {problem}"),
                        format!("the CSV line cannot be read: {problem}"),
                    ),
                }
            }
        }
    }

    fn row(&mut self, record: &csv::StringRecord, line: usize) {
        let (date, kind, note) =
            (record.get(0).unwrap_or(""), record.get(1).unwrap_or(""), record.get(2).unwrap_or(""));
        if record.len() > 3 {
            return self.error(
                line,
                "в строке больше трёх полей; заключите примечание с запятыми в кавычки".to_owned(),
                "the line has more than three fields; put a note with commas in quotes".to_owned(),
            );
        }
        let Some(date) = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|d| YEARS_ALLOWED.contains(&d.year()))
        else {
            return self.error(
                line,
                format!("`{date}` — не дата; нужна вида 2026-05-11"),
                format!("`{date}` is not a date; one like 2026-05-11 is needed"),
            );
        };
        let row = self.calendar.rows.entry(date).or_default();
        let flag = match kind {
            "nonworking" => &mut row.nonworking,
            "working" => &mut row.working,
            "short" => &mut row.short,
            _ => {
                return self.error(
                    line,
                    format!("вид дня `{kind}` неизвестен; можно: nonworking, working, short"),
                    format!("the kind of day `{kind}` is not known; allowed: nonworking, working, short"),
                );
            }
        };
        let twice = std::mem::replace(flag, true);
        if row.note.is_empty() || kind != "short" {
            row.note = note.to_owned();
        }
        let clash = row.nonworking && (row.working || row.short);
        self.lines.insert(date, line);
        if twice {
            self.error(
                line,
                format!("{date} указана дважды с видом `{kind}`; оставьте одну строку"),
                format!("{date} is there twice as `{kind}`; keep one line"),
            );
        }
        if clash {
            self.error(
                line,
                format!("{date} указана и нерабочей, и рабочей; оставьте одно"),
                format!("{date} is both non-working and working; keep one of them"),
            );
        }
    }

    fn finish(mut self) -> Result<Calendar, Vec<Finding>> {
        match (self.base.take(), self.calendar.base.is_some()) {
            (Some(base), _) => self.lay_over(&base),
            // The base is not there, which is said; without it nothing else can be judged.
            (None, true) => return Err(self.errors),
            (None, false) => {
                let with_rows: BTreeSet<i32> = self.calendar.rows.keys().map(Datelike::year).collect();
                self.calendar.years = self.stated.take().unwrap_or(with_rows);
                self.check_rows();
            }
        }
        self.check_totals();
        if self.calendar.years.is_empty() {
            self.error(
                0,
                "в календаре нет ни одного года; добавьте строки или `#! years 2026-2026`".to_owned(),
                "the calendar has no year; add rows or `#! years 2026-2026`".to_owned(),
            );
        }
        self.errors.sort_by_key(|e| e.line);
        if self.errors.is_empty() { Ok(self.calendar) } else { Err(self.errors) }
    }

    fn check_totals(&mut self) {
        for (year, line) in std::mem::take(&mut self.totals) {
            let published = self.calendar.published.get(&year).copied().unwrap_or_default();
            match self.calendar.totals(year) {
                Ok(counted) => {
                    for (ru, en) in published.differences(year, &counted) {
                        self.error(line, ru, en);
                    }
                }
                Err(missing) => self.error(
                    line,
                    format!("год {} не входит в `#! years`", missing.year),
                    format!("the year {} is not among `#! years`", missing.year),
                ),
            }
        }
    }

    fn check_rows(&mut self) {
        for (date, line) in std::mem::take(&mut self.lines) {
            let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            let row = self.calendar.rows.get(&date).cloned().unwrap_or_default();
            if !self.calendar.years.contains(&date.year()) {
                self.error(
                    line,
                    format!("{date} вне лет, заявленных строкой `#! years`; добавьте год или уберите строку"),
                    format!("{date} is outside of the years stated by `#! years`; add the year or drop the line"),
                );
            }
            if row.working && !weekend {
                self.error(
                    line,
                    format!("{date} — будний день и без того рабочий; проверьте дату"),
                    format!("{date} is a weekday and works anyway; check the date"),
                );
            }
            if row.short && weekend && !row.working {
                self.error(
                    line,
                    format!("{date} — выходной, сокращённым быть не может; добавьте строку working"),
                    format!("{date} is a weekend day and cannot be short; add a line with working"),
                );
            }
        }
    }
}

fn year(text: &str) -> Option<i32> {
    text.trim().parse().ok().filter(|y| YEARS_ALLOWED.contains(y))
}
