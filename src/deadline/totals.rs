//! How many days of each kind a year has: as counted by a calendar's rows, and as published.

use std::str::SplitWhitespace;

use chrono::{Datelike, NaiveDate};

use super::{Calendar, DayKind, MissingYear};

/// The days of a year as a calendar's rows have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct YearTotals {
    /// Working days, shorter ones included.
    pub working: usize,
    /// Days off: weekend days and non-working ones.
    pub off: usize,
    /// Working days that are an hour shorter.
    pub short: usize,
    /// Working days of each quarter.
    pub quarters: [usize; 4],
}

impl Calendar {
    /// How many days of each kind the year has.
    ///
    /// # Errors
    /// When the year has no data.
    pub fn totals(&self, year: i32) -> Result<YearTotals, MissingYear> {
        self.covers(year)?;
        let mut totals = YearTotals::default();
        let days = NaiveDate::from_ymd_opt(year, 1, 1).into_iter().flat_map(|first| first.iter_days());
        for date in days.take_while(|d| d.year() == year) {
            let kind = self.day(date)?;
            if !kind.is_working() {
                totals.off += 1;
                continue;
            }
            totals.working += 1;
            totals.short += usize::from(kind == DayKind::Short);
            if let Some(quarter) = totals.quarters.get_mut(date.month0() as usize / 3) {
                *quarter += 1;
            }
        }
        Ok(totals)
    }
}

/// What a published table says of a year; `None`: not stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct PublishedTotals {
    /// Working days.
    pub working: usize,
    /// Days off.
    pub off: Option<usize>,
    /// Shorter days.
    pub short: Option<usize>,
    /// Working days of each quarter.
    pub quarters: Option<[usize; 4]>,
}

impl PublishedTotals {
    /// Parses `247` or `247 off 118 short 4 quarters 55 62 66 64`, each part once; `None` when the text has another form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut totals = Self { working: number(&mut words)?, ..Self::default() };
        while let Some(word) = words.next() {
            let twice = match word {
                "off" => totals.off.replace(number(&mut words)?).is_some(),
                "short" => totals.short.replace(number(&mut words)?).is_some(),
                "quarters" => {
                    let mut quarters = [0; 4];
                    for quarter in &mut quarters {
                        *quarter = number(&mut words)?;
                    }
                    totals.quarters.replace(quarters).is_some()
                }
                _ => return None,
            };
            if twice {
                return None;
            }
        }
        Some(totals)
    }

    /// Where the rows disagree with what is stated, in Russian and English; each names the year and both numbers.
    pub(super) fn differences(&self, year: i32, counted: &YearTotals) -> Vec<(String, String)> {
        let whole = |ru, en, stated, counted| (format!("в {year} году"), year.to_string(), ru, en, stated, counted);
        let mut pairs = vec![
            whole("рабочих дней", "working days", Some(self.working), counted.working),
            whole("выходных дней", "days off", self.off, counted.off),
            whole("сокращённых дней", "shorter days", self.short, counted.short),
        ];
        for (index, counted) in counted.quarters.iter().enumerate() {
            let (number, stated) = (index + 1, self.quarters.and_then(|q| q.get(index).copied()));
            let (ru, en) = (format!("в {number}-м квартале {year} года"), format!("quarter {number} of {year}"));
            pairs.push((ru, en, "рабочих дней", "working days", stated, *counted));
        }
        let mut differences = Vec::new();
        for (place_ru, place_en, what_ru, what_en, stated, counted) in pairs {
            let Some(stated) = stated.filter(|stated| *stated != counted) else { continue };
            differences.push((
                format!("{place_ru} по строкам {counted} {what_ru}, а заявлено {stated}; проверьте строки года"),
                format!(
                    "{place_en} has {counted} {what_en} by its rows, but {stated} are stated; check the year's rows"
                ),
            ));
        }
        differences
    }
}

fn number(words: &mut SplitWhitespace<'_>) -> Option<usize> {
    words.next()?.parse().ok()
}
