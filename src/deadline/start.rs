//! From where a term is counted, and the local clock.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{Datelike, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};

use crate::domain::{Timestamp, Zone};

/// What happens when the last day is not a working day (Civil Code, art. 193: it moves forward).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Roll {
    /// It stays.
    None,
    /// It moves to the next working day.
    Forward,
    /// It moves to the working day before.
    Back,
}

impl Roll {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Forward => "forward",
            Self::Back => "back",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Forward, Self::Back].into_iter().find(|r| r.as_str() == word)
    }
}

impl fmt::Display for Roll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Roll {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        Self::parse(word).ok_or_else(|| format!("`{word}`: можно none, forward, back / allowed: none, forward, back"))
    }
}

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    first: NaiveDate,
}

impl Month {
    /// The month of a date.
    pub fn of(date: NaiveDate) -> Self {
        Self { first: date.with_day(1).unwrap_or(date) }
    }

    /// Parses `2026-05`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 7
            && text.bytes().enumerate().all(|(i, b)| if i == 4 { b == b'-' } else { b.is_ascii_digit() });
        digits
            .then(|| NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok())
            .flatten()
            .map(|first| Self { first })
    }

    /// Its first day.
    pub fn first_day(self) -> NaiveDate {
        self.first
    }

    /// Its last day.
    pub fn last_day(self) -> NaiveDate {
        self.first.checked_add_months(Months::new(1)).and_then(|d| d.pred_opt()).unwrap_or(self.first)
    }

    /// The month so many months later.
    #[must_use]
    pub fn plus(self, months: u32) -> Self {
        Self { first: self.first.checked_add_months(Months::new(months)).unwrap_or(self.first) }
    }

    /// The month so many months earlier.
    #[must_use]
    pub fn minus(self, months: u32) -> Self {
        Self { first: self.first.checked_sub_months(Months::new(months)).unwrap_or(self.first) }
    }

    /// The quarter that it lies in, 1 to 4.
    pub fn quarter(self) -> u32 {
        self.first.month0() / 3 + 1
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

/// From where a term is counted. A period stands for its last day where a date is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// An event.
    Instant(Timestamp),
    /// A local date.
    Date(NaiveDate),
    /// A month, such as a reported one.
    Month(Month),
    /// The quarter that ends with this month.
    Quarter(Month),
    /// The year that ends with this month.
    Year(Month),
}

impl Start {
    /// Parses `2026-05-06T10:00:00+05:00`, `2026-05-23`, `2026-06`, `2026-Q4` or `2026`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Month::parse(&format!("{text}-12")).map(Self::Year);
        }
        if let Some(month) = Month::parse(text) {
            return Some(Self::Month(month));
        }
        if let Some((year, quarter)) = text.split_once("-Q") {
            let last = match quarter {
                "1" => "03",
                "2" => "06",
                "3" => "09",
                "4" => "12",
                _ => return None,
            };
            return Month::parse(&format!("{year}-{last}")).map(Self::Quarter);
        }
        if text.len() == 10 {
            return NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self::Date);
        }
        Timestamp::parse(text).map(Self::Instant)
    }

    /// The local date from which days are counted.
    pub fn local_date(&self, zone: Zone) -> NaiveDate {
        match self {
            Self::Instant(t) => t.utc().with_timezone(&zone.tz()).date_naive(),
            Self::Date(date) => *date,
            Self::Month(month) | Self::Quarter(month) | Self::Year(month) => month.last_day(),
        }
    }

    /// The instant at which it begins: of an event itself, of a date or period its first local midnight.
    pub fn instant(&self, zone: Zone) -> Timestamp {
        match self {
            Self::Instant(t) => *t,
            Self::Date(date) => start_of_day(*date, zone),
            Self::Month(month) => start_of_day(month.first_day(), zone),
            Self::Quarter(last) => start_of_day(last.minus(2).first_day(), zone),
            Self::Year(last) => start_of_day(last.minus(11).first_day(), zone),
        }
    }
}

/// Dates that the document itself gives, by the names of its fields; for terms such as `on measureTo`.
pub type Fields = BTreeMap<String, Start>;

/// A due instant for people: its last second, in the debtor's zone (`2026-05-12T23:59:59+05:00`).
pub fn show_due(due: Timestamp, zone: Zone) -> String {
    Timestamp::from_micros(due.micros().saturating_sub(1)).in_zone(zone)
}

/// The first instant of a local day. Where the clock skips midnight, the first instant that exists.
pub fn start_of_day(date: NaiveDate, zone: Zone) -> Timestamp {
    at_local(date, NaiveTime::MIN, zone)
}

/// The first instant at which the local clock shows this time or, where the clock skips it, the first after.
pub(super) fn at_local(date: NaiveDate, time: NaiveTime, zone: Zone) -> Timestamp {
    let wanted = date.and_time(time);
    (0..=2 * 24 * 60)
        .filter_map(|minutes| wanted.checked_add_signed(TimeDelta::minutes(minutes)))
        .find_map(|local| zone.tz().from_local_datetime(&local).earliest())
        .map_or_else(|| wanted.and_utc().into(), |t| t.to_utc().into())
}
