//! Lateness in working days, for many obligations at once.

use chrono::NaiveDate;

use crate::deadline::{Calendar, Start};
use crate::domain::{Timestamp, Zone};

/// The working days of a calendar, counted up once.
#[derive(Debug, Clone)]
pub struct WorkDays {
    zone: Zone,
    first: NaiveDate,
    /// How many working days there are from `first` up to and with each day.
    counted: Vec<u32>,
}

impl WorkDays {
    /// Those from the first to the last of these days; it ends sooner where the calendar has no data.
    pub fn new(calendar: Option<&Calendar>, zone: Zone, first: NaiveDate, last: NaiveDate) -> Self {
        let mut counted = Vec::new();
        let mut sum = 0_u32;
        if let Some(calendar) = calendar {
            for day in first.iter_days().take_while(|day| *day <= last) {
                let Ok(kind) = calendar.day(day) else { break };
                sum += u32::from(kind.is_working());
                counted.push(sum);
            }
        }
        Self { zone, first, counted }
    }

    /// How many working days have begun since the last day in time, up to and with the day of `until`. `None` when the calendar cannot
    /// say. `due` is the first instant that is too late.
    pub fn late(&self, due: Timestamp, until: Timestamp) -> Option<u32> {
        let last_in_time = Timestamp::from_micros(due.micros().saturating_sub(1));
        let (from, to) = (self.counted_to(last_in_time)?, self.counted_to(until)?);
        Some(to.saturating_sub(from))
    }

    fn counted_to(&self, at: Timestamp) -> Option<u32> {
        let day = Start::Instant(at).local_date(self.zone);
        let index = usize::try_from(day.signed_duration_since(self.first).num_days()).ok()?;
        self.counted.get(index).copied()
    }
}
