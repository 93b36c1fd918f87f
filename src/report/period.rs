//! The days that a report is about.

use std::fmt;

use chrono::{Datelike as _, Days, NaiveDate};

use super::table::words;
use crate::deadline::{Month, Start, Title, start_of_day};
use crate::domain::{Timestamp, Zone};

/// The longest time that one report is about, in days: five years.
const DAYS_MAX: i64 = 1_830;

/// What a period is called after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodKind {
    /// `2026-11`.
    Month,
    /// `2026-Q3`.
    Quarter,
    /// `2026`.
    Year,
    /// From one day to another.
    Days,
}

/// Days in a row in the region's zone, the first and the last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    kind: PeriodKind,
    first: NaiveDate,
    last: NaiveDate,
}

/// Why a period cannot be reported on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The end lies before the beginning.
    #[error("конец {last} раньше начала {first} / the end {last} lies before the beginning {first}")]
    Backwards {
        /// The first day.
        first: NaiveDate,
        /// The last day.
        last: NaiveDate,
    },
    /// It is too long.
    #[error(
        "от {first} до {last}: отчёт — не больше чем за пять лет / from {first} to {last}: a report covers five years at most"
    )]
    TooLong {
        /// The first day.
        first: NaiveDate,
        /// The last day.
        last: NaiveDate,
    },
    /// It is no period.
    #[error("`{0}` — не период: 2026-11, 2026-Q3 или 2026 / `{0}` is no period: 2026-11, 2026-Q3 or 2026")]
    Form(String),
}

impl Period {
    /// The month of this day.
    pub fn month(day: NaiveDate) -> Self {
        let month = Month::of(day);
        Self { kind: PeriodKind::Month, first: month.first_day(), last: month.last_day() }
    }

    /// From one day to another, both included.
    ///
    /// # Errors
    /// When the end lies before the beginning, or the period is longer than five years.
    pub fn days(first: NaiveDate, last: NaiveDate) -> Result<Self, PeriodError> {
        if last < first {
            return Err(PeriodError::Backwards { first, last });
        }
        if last.signed_duration_since(first).num_days() >= DAYS_MAX {
            return Err(PeriodError::TooLong { first, last });
        }
        Ok(Self { kind: PeriodKind::Days, first, last })
    }

    /// Reads `2026-11`, `2026-Q3` or `2026`.
    ///
    /// # Errors
    /// [`PeriodError::Form`] for anything else.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        match Start::parse(text) {
            Some(Start::Month(month)) => Ok(Self::month(month.first_day())),
            Some(Start::Quarter(last)) => Ok(Self::until(PeriodKind::Quarter, last, 2)),
            Some(Start::Year(last)) => Ok(Self::until(PeriodKind::Year, last, 11)),
            Some(Start::Instant(_) | Start::Date(_)) | None => Err(PeriodError::Form(text.to_owned())),
        }
    }

    fn until(kind: PeriodKind, last: Month, months_before: u32) -> Self {
        Self { kind, first: last.minus(months_before).first_day(), last: last.last_day() }
    }

    /// What it is called after.
    pub fn kind(&self) -> PeriodKind {
        self.kind
    }

    /// The first day.
    pub fn first(&self) -> NaiveDate {
        self.first
    }

    /// The last day.
    pub fn last(&self) -> NaiveDate {
        self.last
    }

    /// Its first instant, and the first instant after it.
    pub fn instants(&self, zone: Zone) -> (Timestamp, Timestamp) {
        let after = self.last.checked_add_days(Days::new(1)).unwrap_or(self.last);
        (start_of_day(self.first, zone), start_of_day(after, zone))
    }

    /// The period of the same kind right before it; before some days as many days.
    #[must_use]
    pub fn before(&self) -> Self {
        let month = Month::of(self.last);
        match self.kind {
            PeriodKind::Month => Self::month(month.minus(1).first_day()),
            PeriodKind::Quarter => Self::until(PeriodKind::Quarter, month.minus(3), 2),
            PeriodKind::Year => Self::until(PeriodKind::Year, month.minus(12), 11),
            PeriodKind::Days => {
                let length = self.last.signed_duration_since(self.first).num_days().unsigned_abs() + 1;
                let back = |day: NaiveDate| day.checked_sub_days(Days::new(length)).unwrap_or(day);
                Self { kind: PeriodKind::Days, first: back(self.first), last: back(self.last) }
            }
        }
    }

    /// The months that it touches, each cut to it: how a summary shows the course of a longer time.
    pub fn months(&self) -> Vec<Self> {
        let mut months = Vec::new();
        let mut month = Month::of(self.first);
        while month.first_day() <= self.last {
            let (first, last) = (month.first_day().max(self.first), month.last_day().min(self.last));
            let whole = (first, last) == (month.first_day(), month.last_day());
            let kind = if whole { PeriodKind::Month } else { PeriodKind::Days };
            months.push(Self { kind, first, last });
            month = month.plus(1);
        }
        months
    }

    /// For people: `ноябрь 2026`, `III квартал 2026`, `2026 год`, `01.11.2026–15.11.2026`.
    pub fn title(&self) -> Title {
        let year = self.first.year();
        match self.kind {
            PeriodKind::Month => {
                let month = self.first.month0();
                let name = |names: [&'static str; 12]| names.into_iter().nth(month as usize).unwrap_or_default();
                words(&format!("{} {year}", name(MONTHS_RU)), &format!("{} {year}", name(MONTHS_EN)))
            }
            PeriodKind::Quarter => {
                let quarter = Month::of(self.first).quarter();
                let roman = ["I", "II", "III", "IV"].into_iter().nth(quarter.saturating_sub(1) as usize);
                words(&format!("{} квартал {year}", roman.unwrap_or_default()), &format!("Q{quarter} {year}"))
            }
            PeriodKind::Year => words(&format!("{year} год"), &format!("year {year}")),
            PeriodKind::Days => {
                let day = |d: NaiveDate| d.format("%d.%m.%Y").to_string();
                words(&format!("{}–{}", day(self.first), day(self.last)), &format!("{} to {}", self.first, self.last))
            }
        }
    }
}

/// As it is written on a command line: `2026-11`, `2026-Q3`, `2026`, `2026-11-01..2026-11-15`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = Month::of(self.first);
        match self.kind {
            PeriodKind::Month => write!(f, "{month}"),
            PeriodKind::Quarter => write!(f, "{}-Q{}", self.first.year(), month.quarter()),
            PeriodKind::Year => write!(f, "{}", self.first.year()),
            PeriodKind::Days => write!(f, "{}..{}", self.first, self.last),
        }
    }
}

const MONTHS_RU: [&str; 12] = [
    "январь",
    "февраль",
    "март",
    "апрель",
    "май",
    "июнь",
    "июль",
    "август",
    "сентябрь",
    "октябрь",
    "ноябрь",
    "декабрь",
];

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_told_and_have_one_before() {
        for (text, first, last, ru, en, before) in [
            ("2026-01", "2026-01-01", "2026-01-31", "январь 2026", "January 2026", "2025-12"),
            ("2024-03", "2024-03-01", "2024-03-31", "март 2024", "March 2024", "2024-02"),
            ("2026-Q1", "2026-01-01", "2026-03-31", "I квартал 2026", "Q1 2026", "2025-Q4"),
            ("2026-Q3", "2026-07-01", "2026-09-30", "III квартал 2026", "Q3 2026", "2026-Q2"),
            ("2026", "2026-01-01", "2026-12-31", "2026 год", "year 2026", "2025"),
        ] {
            let period = Period::parse(text).unwrap();
            let days = [period.first(), period.last()].map(|d| d.to_string());
            assert_eq!(days, [first, last]);
            assert_eq!((period.title().ru.as_str(), period.title().en.as_str()), (ru, en));
            assert_eq!((period.to_string().as_str(), period.before().to_string().as_str()), (text, before));
        }
        for bad in ["", "2026-13", "2026-Q5", "26", "2026-11-01", "ноябрь"] {
            assert!(matches!(Period::parse(bad), Err(PeriodError::Form(_))), "{bad}");
        }
    }

    #[test]
    fn days_have_as_many_days_before_them() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let period = Period::days(day("2026-03-01"), day("2026-03-10")).unwrap();
        assert_eq!(period.before().to_string(), "2026-02-19..2026-02-28");
        let shown = (period.title().ru, period.title().en);
        assert_eq!(shown, ("01.03.2026–10.03.2026".to_owned(), "2026-03-01 to 2026-03-10".to_owned()));
        assert!(matches!(Period::days(day("2026-03-02"), day("2026-03-01")), Err(PeriodError::Backwards { .. })));
        assert!(matches!(Period::days(day("2020-01-01"), day("2026-01-01")), Err(PeriodError::TooLong { .. })));
        let months = Period::days(day("2026-01-15"), day("2026-03-31")).unwrap().months();
        let shown: Vec<String> = months.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["2026-01-15..2026-01-31", "2026-02", "2026-03"]);
    }

    #[test]
    fn a_period_begins_at_local_midnight() {
        let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
        let (from, to) = Period::parse("2026-11").unwrap().instants(zone);
        assert_eq!(
            (from.to_string().as_str(), to.to_string().as_str()),
            ("2026-10-31T19:00:00.000Z", "2026-11-30T19:00:00.000Z")
        );
    }
}
