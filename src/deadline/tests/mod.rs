//! Counting against the fixture's vectors, own cases, and a second, naive implementation.

mod calendar;
mod check;
mod overlay;
mod term;

use chrono::{Datelike, NaiveDate, Weekday};
use proptest::prelude::*;

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

/// The slow and plain way: a list of non-working dates read from the CSV text by hand, and a walk day by day.
mod naive {
    use super::*;

    pub(super) fn off(date: NaiveDate) -> bool {
        let text = date.to_string();
        let has = |kind: &str| RU.lines().any(|line| line.starts_with(&format!("{text},{kind}")));
        has("nonworking") || (matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !has("working"))
    }

    pub(super) fn working_days(from: NaiveDate, count: u32) -> NaiveDate {
        let mut left = count;
        let mut date = from;
        loop {
            date = date.succ_opt().unwrap();
            if !off(date) {
                left -= 1;
                if left == 0 {
                    return date;
                }
            }
        }
    }

    pub(super) fn months(from: NaiveDate, count: u32) -> NaiveDate {
        let (mut year, mut month) = (from.year(), from.month());
        for _ in 0..count {
            month += 1;
            if month == 13 {
                (year, month) = (year + 1, 1);
            }
        }
        (1..=from.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap()
    }

    pub(super) fn rolled(mut date: NaiveDate, roll: Roll) -> NaiveDate {
        while roll != Roll::None && off(date) {
            date = if roll == Roll::Forward { date.succ_opt().unwrap() } else { date.pred_opt().unwrap() };
        }
        date
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_second_implementation_agrees(
        second in 1_430_000_000i64..1_750_000_000,
        count in 1u32..25,
        what in 0u8..4,
        roll in prop::sample::select(vec![Roll::None, Roll::Forward, Roll::Back]),
        moscow in any::<bool>(),
    ) {
        // Both zones have had one offset since 2014, so a fixed one will do here.
        let (zone_name, offset) = if moscow { ("Europe/Moscow", 3) } else { ("Asia/Yekaterinburg", 5) };
        let local = chrono::DateTime::from_timestamp(second + offset * 3600, 0).unwrap().date_naive();
        let (term, last) = match what {
            0 => (format!("{count} working days"), naive::working_days(local, count)),
            1 => (format!("{count} days"), (0..count).fold(local, |d, _| d.succ_opt().unwrap())),
            2 => (format!("{count} months"), naive::months(local, count)),
            _ => (format!("{count} weeks"), (0..count * 7).fold(local, |d, _| d.succ_opt().unwrap())),
        };
        let last = naive::rolled(last, roll);
        let start = Start::Instant(Timestamp::from_micros(second * 1_000_000));
        let computed = compute(&Term::parse(&term).unwrap(), roll, &CALENDAR, zone(zone_name), &start, &Fields::new()).unwrap();
        prop_assert_eq!(computed.last_day, Some(last));
        prop_assert_eq!(show_due(computed.due, zone(zone_name)), format!("{last}T23:59:59+0{offset}:00"));
        let midnight = last.succ_opt().unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp() - offset * 3600;
        prop_assert_eq!(computed.due, Timestamp::from_micros(midnight * 1_000_000));
    }

    #[test]
    fn a_term_is_read_back_as_it_is_written(count in 1u32..9999, unit in 0usize..6, before in any::<bool>(), day in 1u32..31) {
        let unit = [Unit::Hour, Unit::WorkingDay, Unit::Day, Unit::Week, Unit::Month, Unit::Year][unit];
        let span = Span { count, unit };
        let term = Term::LeastOf(vec![if before { Term::Before(span) } else { Term::After(span) }, Term::NextQuarter { day }, Term::On("measureTo".to_owned())]);
        prop_assert_eq!(Term::parse(&term.to_string()).unwrap(), term);
    }

    #[test]
    fn no_text_makes_the_parser_fall(text in "[a-z0-9 (),]{0,40}|\\PC{0,20}") {
        if let Ok(term) = Term::parse(&text) {
            prop_assert_eq!(Term::parse(&term.to_string()).unwrap(), term);
        }
    }
}

static CALENDAR: std::sync::LazyLock<Calendar> = std::sync::LazyLock::new(ru);
