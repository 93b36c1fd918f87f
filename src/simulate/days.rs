//! When people of an office act: on working days, at full hours.

use chrono::{Days, NaiveDate};

use crate::deadline::{Calendar, MissingYear, Month, start_of_day};
use crate::domain::{Timestamp, Zone};

use super::draw::Draw;

/// The first and the last full hour at which an office sends something. Full hours, so that what happens together shares its commit, as it
/// does in a busy region.
const HOURS: (u32, u32) = (9, 16);
/// The hour at which an agency's system looks into its mailbox, once a working day.
const MAIL_HOUR: u32 = 11;

/// The working days of the simulated time, in its zone.
#[derive(Debug)]
pub(super) struct Workdays {
    working: Vec<NaiveDate>,
    from: NaiveDate,
    to: NaiveDate,
    zone: Zone,
}

impl Workdays {
    /// The days from `from` to `to`, both included.
    ///
    /// # Errors
    /// When the calendar has no data for a year.
    pub(super) fn new(calendar: &Calendar, from: NaiveDate, to: NaiveDate, zone: Zone) -> Result<Self, MissingYear> {
        let mut working = Vec::new();
        for date in from.iter_days().take_while(|date| *date <= to) {
            if calendar.day(date)?.is_working() {
                working.push(date);
            }
        }
        Ok(Self { working, from, to, zone })
    }

    /// The instant at which the time begins.
    pub(super) fn begins_at(&self) -> Timestamp {
        start_of_day(self.from, self.zone)
    }

    /// The instant at which it is over.
    pub(super) fn ends_at(&self) -> Timestamp {
        start_of_day(self.to.checked_add_days(Days::new(1)).unwrap_or(self.to), self.zone)
    }

    /// The last day.
    pub(super) fn last_day(&self) -> NaiveDate {
        self.to
    }

    /// The months that end within the time.
    pub(super) fn months(&self) -> Vec<Month> {
        let mut months = vec![Month::of(self.from)];
        while let Some(next) = months.last().map(|m| m.plus(1)).filter(|m| m.first_day() <= self.to) {
            months.push(next);
        }
        months
    }

    /// The local date of an instant.
    pub(super) fn date(&self, at: Timestamp) -> NaiveDate {
        at.utc().with_timezone(&self.zone.tz()).date_naive()
    }

    fn hour(&self, date: NaiveDate, hour: u32) -> Timestamp {
        start_of_day(date, self.zone).plus_seconds(i64::from(hour) * 3600)
    }

    /// The place of the first working day on or after a date; past the end when there is none.
    fn place(&self, date: NaiveDate) -> usize {
        self.working.partition_point(|day| *day < date)
    }

    /// A drawn working day.
    pub(super) fn any(&self, draw: &mut Draw) -> Option<NaiveDate> {
        draw.pick(&self.working).copied()
    }

    /// A drawn office hour of a day.
    pub(super) fn some_hour(&self, date: NaiveDate, draw: &mut Draw) -> Timestamp {
        self.hour(date, draw.between(HOURS.0, HOURS.1))
    }

    /// An office hour `days` working days after an instant; with 0 a later hour of the same day, or the first of the next working day.
    /// `None`: it lies beyond the time.
    pub(super) fn after(&self, at: Timestamp, days: u32, draw: &mut Draw) -> Option<Timestamp> {
        let date = self.date(at);
        let place = self.place(date);
        let is_working = self.working.get(place) == Some(&date);
        if days == 0 {
            let later = (HOURS.0..=HOURS.1).map(|hour| self.hour(date, hour)).find(|hour| *hour > at);
            return match later.filter(|_| is_working) {
                Some(hour) => Some(hour),
                None => self.working.get(place + usize::from(is_working)).map(|day| self.hour(*day, HOURS.0)),
            };
        }
        // The day of the event does not count, whether it is a working one or not.
        let steps = usize::try_from(days).unwrap_or(usize::MAX).saturating_sub(usize::from(!is_working));
        self.working.get(place.saturating_add(steps)).map(|day| self.some_hour(*day, draw))
    }

    /// An office hour of the first working day on or after a date. `None`: it lies beyond the time.
    pub(super) fn on_or_after(&self, date: NaiveDate, draw: &mut Draw) -> Option<Timestamp> {
        self.working.get(self.place(date)).map(|day| self.some_hour(*day, draw))
    }

    /// An office hour of the last working day on or before a date. `None`: it lies before the time.
    pub(super) fn on_or_before(&self, date: NaiveDate, draw: &mut Draw) -> Option<Timestamp> {
        let after = self.working.partition_point(|day| *day <= date);
        self.working.get(after.checked_sub(1)?).map(|day| self.some_hour(*day, draw))
    }

    /// When systems look into their mailboxes.
    pub(super) fn mail_times(&self) -> impl Iterator<Item = Timestamp> {
        self.working.iter().map(|day| self.hour(*day, MAIL_HOUR))
    }

    /// The next time after an instant at which a system has looked into its mailbox. `None`: it lies beyond the time.
    pub(super) fn mail_after(&self, at: Timestamp) -> Option<Timestamp> {
        let first = self.place(self.date(at));
        let days = self.working.get(first..).unwrap_or_default();
        days.iter().map(|day| self.hour(*day, MAIL_HOUR)).find(|mail| *mail > at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle;
    use crate::deadline::Calendars;

    fn days() -> Workdays {
        let calendars = Calendars::from_files(&bundle::embedded()).unwrap();
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
        Workdays::new(calendars.get("ru").unwrap(), date("2026-04-20"), date("2026-05-20"), zone).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn offices_act_on_working_days_only() {
        let (days, mut draw) = (days(), Draw::new(1, "test", 1));
        let table = [
            // The day, its number of working days, and the day that comes out: May holidays lie between.
            ("2026-04-30T10:00:00+05:00", 1, "2026-05-04"),
            ("2026-05-08T10:00:00+05:00", 1, "2026-05-12"),
            ("2026-05-09T10:00:00+05:00", 1, "2026-05-12"),
            ("2026-04-30T16:00:00+05:00", 0, "2026-05-04"),
            ("2026-04-30T10:30:00+05:00", 0, "2026-04-30"),
            ("2026-05-09T10:00:00+05:00", 0, "2026-05-12"),
        ];
        for (from, count, day) in table {
            let found = days.after(at(from), count, &mut draw).unwrap();
            assert_eq!(days.date(found).to_string(), day, "{from} {count}");
            assert!(found > at(from), "{from} {count}");
        }
        assert_eq!(days.after(at("2026-05-20T10:00:00+05:00"), 1, &mut draw), None);
        assert_eq!(days.mail_after(at("2026-04-30T15:00:00+05:00")), Some(at("2026-05-04T11:00:00+05:00")));
        assert_eq!(days.ends_at(), at("2026-05-21T00:00:00+05:00"));
    }
}
