//! Counting against the vectors of the fixtures and against a second, naive implementation.

mod calendar;
mod check;
mod naive;
mod overlay;
mod term;
mod vectors;

use chrono::{Datelike as _, NaiveDate};

use super::*;
use crate::domain::{Timestamp, Zone};

const VECTORS: &str = include_str!("../../../tests/fixtures/deadlines.csv");
const RU: &str = include_str!("../../../config/calendars/ru.csv");

fn ru() -> Calendar {
    Calendar::parse("ru", "config/calendars/ru.csv", RU).unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn due(calendar: &Calendar, zone_name: &str, term: &str, roll: &str, from: &str) -> String {
    let (term, roll) = (Term::parse(term).unwrap(), Roll::parse(roll).unwrap());
    let computed = compute(&term, roll, calendar, zone(zone_name), &Start::parse(from).unwrap(), &Fields::new());
    computed.map_or_else(|e| e.to_string(), |c| show_due(c.due, zone(zone_name)))
}

#[test]
fn every_vector_holds() {
    let calendar = ru();
    let mut csv = csv::Reader::from_reader(VECTORS.as_bytes());
    let mut count = 0;
    for record in csv.records() {
        let r = record.unwrap();
        assert_eq!(due(&calendar, &r[1], &r[2], &r[3], &r[4]), &r[5], "{}: {}", &r[0], &r[6]);
        count += 1;
    }
    assert_eq!(count, 24);
}

#[test]
fn own_cases() {
    let (calendar, yek, msk) = (ru(), "Asia/Yekaterinburg", "Europe/Moscow");
    let table = [
        // The last day of a month, and of a leap February.
        (yek, "1 month", "none", "2024-01-31", "2024-02-29T23:59:59+05:00"),
        (yek, "1 year", "none", "2024-02-29", "2025-02-28T23:59:59+05:00"),
        (yek, "1 month before", "none", "2026-03-31", "2026-02-28T23:59:59+05:00"),
        (yek, "day 31 of next month", "none", "2026-01", "2026-02-28T23:59:59+05:00"),
        // A period stands for its last day.
        (yek, "3 working days", "none", "2026-06", "2026-07-03T23:59:59+05:00"),
        (yek, "day 5 of next month", "none", "2026-05-31T23:00:00+05:00", "2026-06-05T23:59:59+05:00"),
        // The event's local date decides the month.
        (yek, "day 5 of next month", "none", "2026-05-31T19:00:00Z", "2026-07-05T23:59:59+05:00"),
        (msk, "day 5 of next month", "none", "2026-05-31T19:00:00Z", "2026-06-05T23:59:59+03:00"),
        (yek, "day 10 of next quarter", "none", "2026-02-10", "2026-04-10T23:59:59+05:00"),
        (yek, "day 10 of next quarter", "none", "2026-03", "2026-04-10T23:59:59+05:00"),
        (yek, "day 10 of next quarter", "none", "2026-Q4", "2027-01-10T23:59:59+05:00"),
        (yek, "day 1 of month 3 next year", "back", "2026-06-01", "2027-03-01T23:59:59+05:00"),
        (yek, "day 29 of month 2 next year", "none", "2026-06-01", "2027-02-28T23:59:59+05:00"),
        (yek, "2 weeks", "none", "2026-05-06T10:00:00+05:00", "2026-05-20T23:59:59+05:00"),
        (yek, "until age 18", "none", "2008-02-29", "2026-02-28T23:59:59+05:00"),
        // Before, in working days, over the May holidays; and hours.
        (yek, "1 working day before", "none", "2026-05-12", "2026-05-08T23:59:59+05:00"),
        (yek, "3 working days before", "none", "2026-01-12", "2025-12-26T23:59:59+05:00"),
        (yek, "2 hours before", "none", "2026-05-12T01:00:00+05:00", "2026-05-11T23:00:00+05:00"),
        (yek, "48 hours", "forward", "2026-05-08T10:00:00+05:00", "2026-05-10T10:00:00+05:00"),
        // The least, each with its roll.
        (yek, "least of (3 days, 3 working days)", "none", "2026-05-06T10:00:00+05:00", "2026-05-09T23:59:59+05:00"),
        (yek, "least of (3 days, 3 working days)", "forward", "2026-05-06T10:00:00+05:00", "2026-05-12T23:59:59+05:00"),
        (
            yek,
            "least of (12 months, least of (6 months, 48 hours))",
            "none",
            "2026-05-06T10:00:00+05:00",
            "2026-05-08T10:00:00+05:00",
        ),
        // A working Saturday is a day like any other, also for the roll.
        (msk, "2 days", "forward", "2025-10-30", "2025-11-01T23:59:59+03:00"),
    ];
    for (zone_name, term, roll, from, expected) in table {
        assert_eq!(due(&calendar, zone_name, term, roll, from), expected, "{term} {roll} from {from}");
    }
}

#[test]
fn days_end_at_midnight_whatever_the_clock_does() {
    let calendar = Calendar::parse("t", "t.csv", "#! years 2011-2026\ndate,kind,note\n").unwrap();
    let table = [
        // The clock goes forward at midnight: the next day begins at 01:00, the last second is still 23:59:59.
        ("America/Santiago", "1 day", "2024-09-06T12:00:00-04:00", "2024-09-07T23:59:59-04:00"),
        ("Africa/Cairo", "1 day", "2024-04-24T12:00:00+02:00", "2024-04-25T23:59:59+02:00"),
        // The clock goes back: the day has 25 hours and ends with its second 23:59:59.
        ("Europe/Berlin", "1 day", "2025-10-25T12:00:00+02:00", "2025-10-26T23:59:59+01:00"),
        ("Europe/Moscow", "1 day", "2014-10-25T12:00:00+04:00", "2014-10-26T23:59:59+03:00"),
        // A day that did not exist: 30 December 2011 in Samoa. The day before it ends at its own midnight.
        ("Pacific/Apia", "1 day", "2011-12-28T12:00:00-10:00", "2011-12-29T23:59:59-10:00"),
        // Hours are hours.
        ("Europe/Berlin", "24 hours", "2025-10-25T12:00:00+02:00", "2025-10-26T11:00:00+01:00"),
    ];
    for (zone_name, term, from, expected) in table {
        assert_eq!(due(&calendar, zone_name, term, "none", from), expected, "{zone_name} {term} from {from}");
    }
}

#[test]
fn a_year_without_data_is_named() {
    let (calendar, yek) = (ru(), "Asia/Yekaterinburg");
    let found = due(&calendar, yek, "1 working day", "none", "2027-12-31T10:00:00+05:00");
    assert!(found.contains("2028") && found.contains("2015-2027"), "{found}");
    let found = due(&calendar, yek, "1 year", "forward", "2027-06-01");
    assert!(found.contains("2028"), "{found}");
    // Without working days and roll no calendar is needed.
    assert_eq!(due(&calendar, yek, "3 years", "none", "2040-02-29"), "2043-02-28T23:59:59+05:00");
}

#[test]
fn what_cannot_be_counted_says_why() {
    let (calendar, yek) = (ru(), "Asia/Yekaterinburg");
    assert!(due(&calendar, yek, "48 hours", "none", "2026-05-06").contains("counted from an instant"));
    assert!(due(&calendar, yek, "immediately", "none", "2026-05").contains("counted from an instant"));
    assert!(due(&calendar, yek, "on measureTo", "none", "2026-05-06").contains("`measureTo`"));
}

#[test]
fn a_field_of_the_document_gives_the_day() {
    let fields: Fields = [("measureTo", "2026-05-09"), ("month", "2026-06"), ("at", "2026-05-31T19:30:00Z")]
        .map(|(name, text)| (name.to_owned(), Start::parse(text).unwrap()))
        .into();
    for (term, roll, expected) in [
        ("on measureTo", Roll::Back, "2026-05-08T23:59:59+05:00"),
        ("on month", Roll::None, "2026-06-30T23:59:59+05:00"),
        ("on at", Roll::None, "2026-06-01T23:59:59+05:00"),
        ("least of (on measureTo, 1 day)", Roll::None, "2026-05-07T23:59:59+05:00"),
    ] {
        let start = Start::parse("2026-05-06T10:00:00+05:00").unwrap();
        let zone = zone("Asia/Yekaterinburg");
        let computed = compute(&Term::parse(term).unwrap(), roll, &ru(), zone, &start, &fields).unwrap();
        assert_eq!(show_due(computed.due, zone), expected, "{term}");
    }
}

#[test]
fn steps_tell_every_day_that_is_skipped_and_why() {
    let zone = zone("Asia/Yekaterinburg");
    let start = Start::parse("2026-05-06T10:00:00+05:00").unwrap();
    let computed =
        compute(&Term::parse("3 working days").unwrap(), Roll::None, &ru(), zone, &start, &Fields::new()).unwrap();
    let told: Vec<String> = computed.steps.iter().map(|s| format!("{}: {}", s.step, s.en)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    start: event 2026-05-06T10:00:00+05:00, local date 2026-05-06 (Wed) (Asia/Yekaterinburg)
    count: working day 1: 2026-05-07 (Thu)
    count: working day 2: 2026-05-08 (Fri), shorter
    skip: 2026-05-09 (Sat): a weekend day
    skip: 2026-05-10 (Sun): a weekend day
    skip: 2026-05-11 (Mon): non-working by the calendar: выходной, автоматический перенос (ч. 2 ст. 112 ТК): День Победы
    count: working day 3: 2026-05-12 (Tue)
    end: due: until 2026-05-12T23:59:59+05:00 inclusive
    ");
    let told: Vec<String> = computed.steps.iter().map(|s| s.ru.clone()).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    событие 2026-05-06T10:00:00+05:00, местная дата 06.05.2026 (ср) (Asia/Yekaterinburg)
    1-й рабочий день: 07.05.2026 (чт)
    2-й рабочий день: 08.05.2026 (пт), сокращённый
    09.05.2026 (сб) — выходной по дню недели
    10.05.2026 (вс) — выходной по дню недели
    11.05.2026 (пн) — нерабочий по календарю: выходной, автоматический перенос (ч. 2 ст. 112 ТК): День Победы
    3-й рабочий день: 12.05.2026 (вт)
    срок: до 2026-05-12T23:59:59+05:00 включительно
    ");
    let doubtful = compute(
        &Term::parse("1 working day").unwrap(),
        Roll::None,
        &ru(),
        zone,
        &Start::parse("2027-02-19").unwrap(),
        &Fields::new(),
    );
    assert_eq!(doubtful.unwrap().steps.iter().filter(|s| s.step == "doubt").count(), 1);
}
