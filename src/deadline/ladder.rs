//! When people are told of a term: working hours of the participant that owes, and how late something is.
//!
//! A state changes at its exact instant. What a person is to read may wait: a notice that falls on a day off waits for the next
//! working day, unless the rule runs round the clock.

use chrono::{Days, NaiveDate, NaiveTime};

use super::calendar::Calendar;
use super::compute::compute;
use super::start::{Fields, Roll, Start, at_local, start_of_day};
use super::term::{Span, Term, Unit};
use crate::domain::{Timestamp, Zone};

/// How many days in a row may be off before a calendar is not believed.
const DAYS_OFF_MAX: usize = 60;
/// Beyond so many days lateness is not counted any more.
const LATE_DAYS_MAX: usize = 3_700;

/// The hours in which the ladder of one obligation runs.
#[derive(Debug, Clone, Copy)]
pub struct NoticeHours<'a> {
    /// The production calendar; `None`: not loaded, and then nothing waits.
    pub calendar: Option<&'a Calendar>,
    /// The zone in which the term was counted.
    pub zone: Zone,
    /// The local hour of what is given by day.
    pub warn_at: NaiveTime,
    /// Whether days off count like all others.
    pub round_the_clock: bool,
}

impl NoticeHours<'_> {
    /// When people are told of what happened at `event`, as seen at `now`. What happens as a day begins (a term that ended with the day
    /// before) is told at the warning hour; what happens on a day off waits for the warning hour of the next working day. A year without
    /// data delays nothing: a notice in the night is better than none.
    pub fn told_at(&self, event: Timestamp, now: Timestamp) -> Timestamp {
        let planned = self.planned(event);
        // Whoever wakes late wakes on a day off, too.
        if planned >= now { planned } else { self.planned(now) }
    }

    fn planned(&self, event: Timestamp) -> Timestamp {
        if self.round_the_clock {
            return event;
        }
        let day = Start::Instant(event).local_date(self.zone);
        let by_day = event == start_of_day(day, self.zone);
        match self.working_day_from(day) {
            Some(working) if working == day && !by_day => event,
            Some(working) => at_local(working, self.warn_at, self.zone).max(event),
            None => event,
        }
    }

    /// The instant of a step so long after the exclusive due instant. Days are counted from the last day in time and the step falls on
    /// the warning hour; hours are counted from the due instant. Neither falls on a day off, unless the rule runs round the clock. Where
    /// the calendar cannot say, working days are taken for days: told too early is better than never.
    pub fn after(&self, due: Timestamp, span: Span) -> Timestamp {
        if span.unit == Unit::Hour {
            return self.planned(due.plus_seconds(3600 * i64::from(span.count)));
        }
        let day = last_day(due, self.zone);
        let reached = self.counted(day, span).unwrap_or_else(|| {
            let days = match span.unit {
                Unit::Hour => 0,
                Unit::WorkingDay | Unit::Day => 1,
                Unit::Week => 7,
                Unit::Month => 30,
                Unit::Year => 365,
            };
            day.checked_add_days(Days::new(days * u64::from(span.count))).unwrap_or(day)
        });
        let reached = if self.round_the_clock { reached } else { self.working_day_from(reached).unwrap_or(reached) };
        at_local(reached, self.warn_at, self.zone).max(due)
    }

    fn counted(&self, from: NaiveDate, span: Span) -> Option<NaiveDate> {
        let (term, start) = (Term::After(span), Start::Date(from));
        compute(&term, Roll::None, self.calendar?, self.zone, &start, &Fields::new()).ok()?.last_day
    }

    /// How many working days have begun since the last day in time, up to and with the day of `now`. `None` when the calendar cannot
    /// say.
    pub fn working_days_late(&self, due: Timestamp, now: Timestamp) -> Option<u32> {
        let calendar = self.calendar?;
        let last = last_day(due, self.zone);
        let today = Start::Instant(now).local_date(self.zone);
        let mut late = 0_u32;
        for day in last.iter_days().skip(1).take_while(|day| *day <= today).take(LATE_DAYS_MAX) {
            late += u32::from(calendar.day(day).ok()?.is_working());
        }
        Some(late)
    }

    /// The day itself or the first working one after it.
    fn working_day_from(&self, day: NaiveDate) -> Option<NaiveDate> {
        let calendar = self.calendar?;
        let mut next = Some(day);
        for _ in 0..DAYS_OFF_MAX {
            let day = next?;
            if calendar.day(day).ok()?.is_working() {
                return Some(day);
            }
            next = day.checked_add_days(Days::new(1));
        }
        None
    }
}

/// The last local day in time of an exclusive due instant.
fn last_day(due: Timestamp, zone: Zone) -> NaiveDate {
    Start::Instant(Timestamp::from_micros(due.micros().saturating_sub(1))).local_date(zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::obligations::fixtures::calendars;

    fn zone() -> Zone {
        Zone::parse("Asia/Yekaterinburg").unwrap()
    }

    fn told(round_the_clock: bool, event: &str, now: &str) -> String {
        let calendars = calendars();
        hours(calendars.get("ru"), round_the_clock).told_at(at(event), at(now)).in_zone(zone())
    }

    fn hours(calendar: Option<&Calendar>, round_the_clock: bool) -> NoticeHours<'_> {
        NoticeHours { calendar, zone: zone(), warn_at: NaiveTime::from_hms_opt(9, 0, 0).unwrap(), round_the_clock }
    }

    fn at(text: &str) -> Timestamp {
        let text = if text.len() > 19 { text.to_owned() } else { format!("{text}:00+05:00") };
        Timestamp::parse(&text).unwrap()
    }

    #[test]
    fn a_notice_waits_for_a_working_day_and_its_hour() {
        for (event, now, expected) in [
            // Due until the end of Tuesday 12 May: told on Wednesday morning.
            ("2026-05-13T00:00", "2026-05-13T00:00", "2026-05-13T09:00:00+05:00"),
            // In hours, on a working day: at once, at night too.
            ("2026-05-13T03:10", "2026-05-13T03:10", "2026-05-13T03:10:00+05:00"),
            // The May holidays: from Saturday the 9th to Monday the 11th.
            ("2026-05-09T00:00", "2026-05-09T00:00", "2026-05-12T09:00:00+05:00"),
            ("2026-05-10T15:00", "2026-05-10T15:00", "2026-05-12T09:00:00+05:00"),
            // The new year's holidays.
            ("2026-01-01T00:00", "2026-01-01T00:00", "2026-01-12T09:00:00+05:00"),
            // Who wakes late: on a working day at once, on a day off not before the next working one.
            ("2026-05-13T00:00", "2026-05-13T17:30", "2026-05-13T17:30:00+05:00"),
            ("2026-05-08T00:00", "2026-05-09T12:00", "2026-05-12T09:00:00+05:00"),
            // A year that the calendar does not have delays nothing.
            ("2031-01-01T00:00", "2031-01-01T00:00", "2031-01-01T00:00:00+05:00"),
        ] {
            assert_eq!(told(false, event, now), expected, "{event} {now}");
        }
        assert_eq!(told(true, "2026-05-09T00:00", "2026-05-09T00:00"), "2026-05-09T00:00:00+05:00");
        assert_eq!(told(true, "2026-05-09T00:00", "2026-05-10T01:00"), "2026-05-10T01:00:00+05:00");
    }

    #[test]
    fn steps_after_the_due_are_counted_in_the_zone_and_keep_off_days_off() {
        let calendars = calendars();
        for (round_the_clock, due, count, unit, expected) in [
            // Until the end of Thursday 7 May: Friday, then Tuesday and Wednesday after the holidays.
            (false, "2026-05-08T00:00", 3, Unit::WorkingDay, "2026-05-13T09:00:00+05:00"),
            (false, "2026-05-08T00:00", 2, Unit::Day, "2026-05-12T09:00:00+05:00"),
            (true, "2026-05-08T00:00", 2, Unit::Day, "2026-05-09T09:00:00+05:00"),
            (false, "2026-05-07T10:00", 48, Unit::Hour, "2026-05-12T09:00:00+05:00"),
            (true, "2026-05-07T10:00", 48, Unit::Hour, "2026-05-09T10:00:00+05:00"),
            (false, "2026-05-08T00:00", 1, Unit::Week, "2026-05-14T09:00:00+05:00"),
            // No such year: working days are taken for days.
            (false, "2031-05-08T00:00", 3, Unit::WorkingDay, "2031-05-10T09:00:00+05:00"),
        ] {
            let found = hours(calendars.get("ru"), round_the_clock).after(at(due), Span { count, unit });
            assert_eq!(found.in_zone(zone()), expected, "{due} {count} {unit:?}");
        }
        let none = hours(None, false).after(at("2026-05-08T00:00"), Span { count: 1, unit: Unit::WorkingDay });
        assert_eq!(none.in_zone(zone()), "2026-05-08T09:00:00+05:00");
    }

    #[test]
    fn lateness_is_told_in_working_days() {
        let calendars = calendars();
        let hours = hours(calendars.get("ru"), false);
        for (due, now, late) in [
            ("2026-05-08T00:00", "2026-05-08T00:00", 1),
            ("2026-05-08T00:00", "2026-05-11T23:00", 1),
            ("2026-05-08T00:00", "2026-05-13T09:00", 3),
            ("2026-05-07T10:00", "2026-05-07T15:00", 0),
            ("2026-05-08T00:00", "2026-05-07T15:00", 0),
        ] {
            assert_eq!(hours.working_days_late(at(due), at(now)), Some(late), "{due} {now}");
        }
        assert_eq!(hours.working_days_late(at("2031-05-08T00:00"), at("2031-05-12T00:00")), None);
    }
}
