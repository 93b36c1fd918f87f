//! Periods of the calendar: a month, a quarter, a year.

use std::fmt;

use chrono::Datelike as _;

use crate::deadline::regulation::Every;
use crate::deadline::{Month, Start};
use crate::domain::{Timestamp, Zone};

/// A period that an obligation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    last: Month,
    months: u32,
}

impl Period {
    /// The period of this length in which a month lies.
    pub fn of(every: Every, month: Month) -> Self {
        let first = month.first_day();
        match every {
            Every::Month => Self { last: month, months: 1 },
            Every::Quarter => Self { last: month.plus(2 - first.month0() % 3), months: 3 },
            Every::Year => Self { last: month.plus(11 - first.month0()), months: 12 },
        }
    }

    /// Parses `2026-05`, `2026-Q2` or `2026`.
    pub fn parse(text: &str) -> Option<Self> {
        match Start::parse(text)? {
            Start::Month(last) => Some(Self { last, months: 1 }),
            Start::Quarter(last) => Some(Self { last, months: 3 }),
            Start::Year(last) => Some(Self { last, months: 12 }),
            Start::Instant(_) | Start::Date(_) => None,
        }
    }

    /// What a term is counted from.
    pub fn start(self) -> Start {
        match self.months {
            3 => Start::Quarter(self.last),
            12 => Start::Year(self.last),
            _ => Start::Month(self.last),
        }
    }

    /// Its last month.
    pub fn last_month(self) -> Month {
        self.last
    }

    /// Its first instant in a zone.
    pub fn begins(self, zone: Zone) -> Timestamp {
        self.start().instant(zone)
    }

    /// The one that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self { last: self.last.plus(self.months), ..self }
    }

    /// The one before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self { last: self.last.minus(self.months), ..self }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.months {
            3 => write!(f, "{:04}-Q{}", self.last.first_day().year(), self.last.quarter()),
            12 => write!(f, "{:04}", self.last.first_day().year()),
            _ => self.last.fmt(f),
        }
    }
}
