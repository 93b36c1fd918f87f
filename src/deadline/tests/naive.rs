//! A second implementation, as plain as can be: a list of all days with a tick beside each that works, and a finger that moves
//! one day at a time. It shares the words of a term with the first one and nothing else; both must agree on everything. Then
//! the laws that any counting must keep.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::deadline::compute::compute_with_grace;

/// The list begins with 1 January 1975, the 1,826th day after 1 January 1970.
const FIRST_YEAR: i32 = 1975;
const FIRST_DAY_SINCE_1970: i64 = 1_826;
const LAST_YEAR: i32 = 2075;
/// 1975 began with a Wednesday.
const FIRST_WEEKDAY: usize = 2;
/// From this day on the two zones keep one offset.
const ONE_OFFSET_SINCE: (i32, u32, u32) = (2014, 10, 27);

#[derive(Debug, Clone, Copy)]
struct Line {
    year: i32,
    month: u32,
    day: u32,
    works: bool,
}

impl Line {
    fn date(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, self.day).unwrap()
    }
}

/// All days in order. `extra_off` are the days off that only the region has.
fn list(extra_off: &[&str]) -> Vec<Line> {
    let marked = |text: &str, kind: &str| RU.lines().any(|line| line.starts_with(&format!("{text},{kind}")));
    let mut lines = Vec::new();
    let mut weekday = FIRST_WEEKDAY;
    for year in FIRST_YEAR..=LAST_YEAR {
        for month in 1..=12 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            for day in 1..=length {
                let text = format!("{year:04}-{month:02}-{day:02}");
                let known = (2015..=2027).contains(&year);
                let works = known
                    && !extra_off.contains(&text.as_str())
                    && !marked(&text, "nonworking")
                    && (weekday < 5 || marked(&text, "working"));
                lines.push(Line { year, month, day, works });
                weekday = (weekday + 1) % 7;
            }
        }
    }
    lines
}

static COUNTRY: LazyLock<Vec<Line>> = LazyLock::new(|| list(&[]));
static REGION: LazyLock<Vec<Line>> = LazyLock::new(|| list(&["2026-03-20", "2026-05-27"]));
static CALENDARS: LazyLock<Calendars> = LazyLock::new(super::vectors::calendars);

/// How a count ends: with a day of the list, or at a microsecond since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
enum NaiveEnd {
    Day(usize),
    Micros(i64),
}

/// Why there is no end.
#[derive(Debug, Clone, PartialEq)]
enum Cannot {
    Year(i32),
    NeedsInstant,
    NoField,
}

struct Naive<'a> {
    days: &'a [Line],
    offset_hours: i64,
    roll: Roll,
    grace_hours: i64,
    start: Start,
    fields: &'a Fields,
}

impl Naive<'_> {
    /// The microsecond at which a day of the list begins there.
    fn begins(&self, at: usize) -> i64 {
        ((FIRST_DAY_SINCE_1970 + at as i64) * 24 - self.offset_hours) * 3_600_000_000
    }

    fn find(&self, date: NaiveDate) -> usize {
        self.days.iter().position(|line| line.date() == date).unwrap()
    }

    fn local_day(&self, start: &Start) -> usize {
        match start {
            Start::Instant(t) => (0..self.days.len()).position(|at| self.begins(at + 1) > t.micros()).unwrap(),
            Start::Date(date) => self.find(*date),
            Start::Month(month) | Start::Quarter(month) | Start::Year(month) => {
                let mut at = self.find(month.first_day());
                while self.days[at + 1].day != 1 {
                    at += 1;
                }
                at
            }
        }
    }

    /// Whether the day works, if the year is known.
    fn works(&self, at: usize) -> Result<bool, Cannot> {
        let line = self.days[at];
        if (2015..=2027).contains(&line.year) { Ok(line.works) } else { Err(Cannot::Year(line.year)) }
    }

    fn rolled(&self, mut at: usize) -> Result<NaiveEnd, Cannot> {
        match self.roll {
            Roll::None => {}
            Roll::Forward => {
                while !self.works(at)? {
                    at += 1;
                }
            }
            Roll::Back => {
                while !self.works(at)? {
                    at -= 1;
                }
            }
        }
        Ok(NaiveEnd::Day(at))
    }

    /// The day with this number in the month that the finger is in, or the month's last.
    fn numbered(&self, mut at: usize, number: u32) -> usize {
        while self.days[at].day != 1 {
            at -= 1;
        }
        while self.days[at].day < number && self.days[at + 1].day != 1 {
            at += 1;
        }
        at
    }

    fn months(&self, from: usize, count: u32, back: bool) -> usize {
        let mut at = self.numbered(from, 1);
        for _ in 0..count {
            // Onto the first day of the month beside.
            at = if back { self.numbered(at - 1, 1) } else { self.numbered(at, 31) + 1 };
        }
        self.numbered(at, self.days[from].day)
    }

    fn hours(&self, count: i64) -> Result<NaiveEnd, Cannot> {
        let Start::Instant(t) = self.start else { return Err(Cannot::NeedsInstant) };
        Ok(NaiveEnd::Micros(t.micros() + count * 3_600_000_000))
    }

    fn span(&self, from: usize, span: Span, back: bool) -> Result<NaiveEnd, Cannot> {
        let step = |at: usize| if back { at - 1 } else { at + 1 };
        let walk = |count: u32| (0..count).fold(from, |at, _| step(at));
        match span.unit {
            Unit::Hour => self.hours(if back { -i64::from(span.count) } else { i64::from(span.count) }),
            Unit::Day => self.rolled(walk(span.count)),
            Unit::Week => self.rolled(walk(span.count * 7)),
            Unit::Month => self.rolled(self.months(from, span.count, back)),
            Unit::Year => self.rolled(self.months(from, span.count * 12, back)),
            Unit::WorkingDay => {
                let (mut at, mut left) = (from, span.count);
                while left > 0 {
                    at = step(at);
                    left -= u32::from(self.works(at)?);
                }
                self.rolled(at)
            }
        }
    }

    fn end(&self, term: &Term) -> Result<NaiveEnd, Cannot> {
        let from = self.local_day(&self.start);
        // The first day of the next month for which the condition holds.
        let month_after = |wanted: fn(&Line) -> bool| {
            let mut at = from + 1;
            while !(self.days[at].day == 1 && wanted(&self.days[at])) {
                at += 1;
            }
            at
        };
        match term {
            Term::Immediately => self.hours(self.grace_hours),
            Term::After(span) => self.span(from, *span, false),
            Term::Before(span) => self.span(from, *span, true),
            Term::NextMonth { day } => self.rolled(self.numbered(month_after(|_| true), *day)),
            Term::NextQuarter { day } => {
                self.rolled(self.numbered(month_after(|line| [1, 4, 7, 10].contains(&line.month)), *day))
            }
            Term::NextYear { month, day } => {
                let mut at = month_after(|line| line.month == 1);
                while self.days[at].month != *month {
                    at += 1;
                }
                self.rolled(self.numbered(at, *day))
            }
            Term::On(field) => {
                let start = self.fields.get(field).ok_or(Cannot::NoField)?;
                self.rolled(self.local_day(start))
            }
            Term::UntilAge(age) => self.rolled(self.months(from, age * 12, false)),
            Term::LeastOf(terms) => {
                let mut ends = terms.iter().map(|term| self.end(term)).collect::<Result<Vec<_>, _>>()?;
                ends.sort_by_key(|end| self.too_late(*end));
                Ok(ends[0])
            }
        }
    }

    /// The first microsecond that is too late.
    fn too_late(&self, end: NaiveEnd) -> i64 {
        match end {
            NaiveEnd::Day(at) => self.begins(at + 1),
            NaiveEnd::Micros(last) => last + 1,
        }
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days_between(from: &str, to: &str) -> impl Strategy<Value = NaiveDate> + use<> {
    let (from, to) = (date(from), date(to));
    (0..=to.signed_duration_since(from).num_days()).prop_map(move |n| from + chrono::TimeDelta::days(n))
}

fn any_month() -> impl Strategy<Value = Month> {
    days_between("2014-11-01", "2028-01-31").prop_map(Month::of)
}

fn any_instant() -> impl Strategy<Value = Start> {
    // 1 January 2015 to the last days of 2027; beside any microsecond the seconds around midnight in both zones.
    let anywhere = 1_420_100_000_000_000i64..1_830_200_000_000_000;
    let at_midnight = (1_420_100_000i64 / 86_400..1_830_200_000 / 86_400, select(vec![19i64, 21]), -1i64..=1)
        .prop_map(|(day, hour, second)| (day * 86_400 + hour * 3_600 + second) * 1_000_000);
    prop_oneof![anywhere, at_midnight].prop_map(|micros| Start::Instant(Timestamp::from_micros(micros)))
}

fn any_start() -> impl Strategy<Value = Start> {
    prop_oneof![
        4 => any_instant(),
        2 => days_between("2014-12-01", "2028-01-15").prop_map(Start::Date),
        // Birth dates.
        1 => days_between("1992-01-01", "2014-12-31").prop_map(Start::Date),
        1 => any_month().prop_map(Start::Month),
        1 => (2014..=2027i32).prop_map(|year| Start::parse(&year.to_string()).unwrap()),
        1 => any_month().prop_map(|month| Start::Quarter(month.plus(3 - (month.first_day().month0() % 3) - 1))),
    ]
}

fn any_span() -> impl Strategy<Value = Span> {
    let most = |unit| match unit {
        Unit::Hour => 500u32,
        Unit::WorkingDay => 80,
        Unit::Day => 400,
        Unit::Week => 60,
        Unit::Month => 40,
        Unit::Year => 6,
    };
    let units = vec![Unit::Hour, Unit::WorkingDay, Unit::WorkingDay, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
    select(units)
        .prop_flat_map(move |unit| prop_oneof![1..=12u32, 1..=most(unit)].prop_map(move |count| Span { count, unit }))
}

/// A day that the month may have.
fn day_of_year() -> impl Strategy<Value = (u32, u32)> {
    (1..=12u32, 1..=31u32).prop_filter("the month has the day in a leap year", |(month, day)| {
        NaiveDate::from_ymd_opt(2024, *month, *day).is_some()
    })
}

fn any_term() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        1 => Just(Term::Immediately),
        5 => any_span().prop_map(Term::After),
        3 => any_span().prop_map(Term::Before),
        2 => (1..=31u32).prop_map(|day| Term::NextMonth { day }),
        2 => (1..=31u32).prop_map(|day| Term::NextQuarter { day }),
        1 => day_of_year().prop_map(|(month, day)| Term::NextYear { month, day }),
        1 => select(vec!["endsOn", "absentOn"]).prop_map(|field| Term::On(field.to_owned())),
        1 => (1..=30u32).prop_map(Term::UntilAge),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| prop::collection::vec(inner, 1..=4).prop_map(Term::LeastOf))
}

/// A term that ends with a day after its start, counted forward.
fn forward_term() -> impl Strategy<Value = Term> {
    prop_oneof![
        5 => any_span().prop_filter("a day", |span| span.unit != Unit::Hour).prop_map(Term::After),
        1 => (1..=31u32).prop_map(|day| Term::NextMonth { day }),
        1 => (1..=31u32).prop_map(|day| Term::NextQuarter { day }),
        1 => day_of_year().prop_map(|(month, day)| Term::NextYear { month, day }),
    ]
}

fn any_roll() -> impl Strategy<Value = Roll> {
    select(vec![Roll::None, Roll::Forward, Roll::Back])
}

fn any_zone() -> impl Strategy<Value = (Zone, i64)> {
    select(vec![("Asia/Yekaterinburg", 5), ("Europe/Moscow", 3)]).prop_map(|(name, offset)| (zone(name), offset))
}

fn counted(term: &Term, roll: Roll, in_region: bool, zone: Zone, start: &Start) -> Result<Computed, ComputeError> {
    let calendar = CALENDARS.get(if in_region { "region" } else { "ru" }).unwrap();
    compute(term, roll, calendar, zone, start, &Fields::new())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn both_implementations_agree(
        term in any_term(),
        roll in any_roll(),
        in_region in any::<bool>(),
        (zone, offset_hours) in any_zone(),
        start in any_start(),
        ends_on in any_start(),
        grace in select(vec![0u32, 0, 1, 24]),
    ) {
        let fields: Fields = [("endsOn".to_owned(), ends_on)].into();
        let calendar = CALENDARS.get(if in_region { "region" } else { "ru" }).unwrap();
        let found = compute_with_grace(&term, roll, calendar, zone, &start, &fields, grace);
        let days: &[Line] = if in_region { &REGION } else { &COUNTRY };
        let naive = Naive { days, offset_hours, roll, grace_hours: i64::from(grace), start, fields: &fields };
        match (found, naive.end(&term)) {
            (Ok(found), Ok(expected)) => {
                let last = match expected {
                    NaiveEnd::Day(at) => Some(days[at]),
                    NaiveEnd::Micros(_) => None,
                };
                prop_assert_eq!(found.last_day, last.map(Line::date));
                // Before that day the zones had other offsets, which the plain list does not know.
                if last.is_none_or(|line| (line.year, line.month, line.day) >= ONE_OFFSET_SINCE) {
                    prop_assert_eq!(found.due.micros(), naive.too_late(expected));
                }
            }
            (Err(ComputeError::Year(missing)), Err(Cannot::Year(year))) => {
                prop_assert_eq!(missing.year, year);
                prop_assert_eq!(missing.calendar, "ru");
            }
            (Err(ComputeError::NeedsInstant { .. }), Err(Cannot::NeedsInstant))
            | (Err(ComputeError::FieldMissing { .. }), Err(Cannot::NoField)) => {}
            (found, expected) => prop_assert!(false, "{found:?}, but naively {expected:?}"),
        }
    }

    #[test]
    fn a_roll_lands_on_the_nearest_working_day(term in forward_term(), in_region in any::<bool>(), (zone, _) in any_zone(), start in any_start()) {
        let Ok(plain) = counted(&term, Roll::None, in_region, zone, &start) else { return Ok(()) };
        let calendar = CALENDARS.get(if in_region { "region" } else { "ru" }).unwrap();
        let plain = plain.last_day.unwrap();
        for roll in [Roll::Forward, Roll::Back] {
            let Ok(rolled) = counted(&term, roll, in_region, zone, &start) else { continue };
            let rolled = rolled.last_day.unwrap();
            prop_assert!(calendar.day(rolled).unwrap().is_working());
            prop_assert!((roll == Roll::Forward && rolled >= plain) || (roll == Roll::Back && rolled <= plain));
            let (from, to) = (plain.min(rolled), plain.max(rolled));
            let working = from.iter_days().take_while(|day| *day <= to).filter(|day| calendar.day(*day).unwrap().is_working());
            prop_assert_eq!(working.collect::<Vec<_>>(), [rolled], "the only working day on the way");
        }
    }

    #[test]
    fn more_is_later(count in 1u32..60, more in 1u32..20, roll in any_roll(), unit in select(vec![Unit::WorkingDay, Unit::Day, Unit::Week, Unit::Month, Unit::Year]), (zone, _) in any_zone(), start in any_start()) {
        let due = |count| counted(&Term::After(Span { count, unit }), roll, false, zone, &start).map(|c| c.due);
        if let (Ok(less), Ok(more)) = (due(count), due(count + more)) {
            prop_assert!(less <= more);
            prop_assert!(unit != Unit::WorkingDay || less < more, "each working day is a day");
        }
    }

    #[test]
    fn whoever_starts_later_is_not_due_earlier(term in forward_term(), roll in any_roll(), (zone, _) in any_zone(), first in any_instant(), second in any_instant()) {
        let due = |start| counted(&term, roll, false, zone, start).map(|c| c.due);
        let (first, second) = if first.instant(zone) <= second.instant(zone) { (first, second) } else { (second, first) };
        if let (Ok(first_due), Ok(second_due)) = (due(&first), due(&second)) {
            prop_assert!(first_due <= second_due);
            prop_assert!(roll == Roll::Back || first.instant(zone) < first_due, "due after the event");
        }
    }

    #[test]
    fn a_day_ends_with_its_last_second(term in forward_term(), roll in any_roll(), (zone, offset) in any_zone(), start in any_instant()) {
        let Ok(computed) = counted(&term, roll, true, zone, &start) else { return Ok(()) };
        prop_assert_eq!(show_due(computed.due, zone), format!("{}T23:59:59+0{offset}:00", computed.last_day.unwrap()));
    }

    #[test]
    fn a_further_holiday_makes_nothing_due_earlier(count in 1u32..60, roll in select(vec![Roll::None, Roll::Forward]), unit in select(vec![Unit::WorkingDay, Unit::Day, Unit::Month]), (zone, _) in any_zone(), start in any_start()) {
        let term = Term::After(Span { count, unit });
        if let (Ok(country), Ok(region)) = (counted(&term, roll, false, zone, &start), counted(&term, roll, true, zone, &start)) {
            prop_assert!(country.due <= region.due);
        }
    }

    #[test]
    fn the_least_is_the_least(terms in prop::collection::vec(any_term(), 1..=8), roll in any_roll(), (zone, _) in any_zone(), start in any_start()) {
        let each: Result<Vec<_>, _> = terms.iter().map(|term| counted(term, roll, false, zone, &start).map(|c| c.due)).collect();
        let least = counted(&Term::LeastOf(terms), roll, false, zone, &start).map(|c| c.due);
        match each {
            Ok(dues) => prop_assert_eq!(least.unwrap(), dues.into_iter().min().unwrap()),
            Err(_) => prop_assert!(least.is_err(), "a choice is not made among what cannot be counted"),
        }
    }

    #[test]
    fn the_steps_end_with_the_result(term in any_term(), roll in any_roll(), (zone, _) in any_zone(), start in any_start()) {
        let Ok(computed) = counted(&term, roll, false, zone, &start) else { return Ok(()) };
        let (first, last) = (computed.steps.first().unwrap(), computed.steps.last().unwrap());
        prop_assert_eq!((first.step, last.step, last.date), ("start", "end", computed.last_day));
        prop_assert!(last.en.contains(&show_due(computed.due, zone)), "{}", last.en);
        prop_assert!(computed.steps.iter().all(|step| !step.ru.is_empty() && !step.en.is_empty()));
    }

    #[test]
    fn what_is_written_is_read_back(term in any_term()) {
        prop_assert_eq!(Term::parse(&term.to_string()), Ok(term.clone()));
        let json = serde_json::to_string(&term).unwrap();
        prop_assert_eq!(serde_json::from_str::<Term>(&json).unwrap(), term);
    }

    #[test]
    fn an_error_points_into_the_text(text in "[a-z0-9 (),]{0,40}|\\PC{0,20}", term in any_term(), at in any::<prop::sample::Index>()) {
        // Any text, and a term with one word spoilt.
        let written = term.to_string();
        let words: Vec<&str> = written.split(' ').collect();
        let spoilt = at.index(words.len());
        let broken = words.iter().enumerate().map(|(i, word)| if i == spoilt { "?" } else { word }).collect::<Vec<_>>().join(" ");
        let begins = words[..spoilt].iter().map(|word| word.chars().count() + 1).sum::<usize>() + 1;
        let error = Term::parse(&broken).unwrap_err();
        prop_assert_eq!((error.position, error.word.as_str()), (begins, "?"), "{}", broken);
        match Term::parse(&text) {
            Ok(term) => prop_assert_eq!(Term::parse(&term.to_string()).unwrap(), term),
            Err(error) => {
                let from: String = text.chars().skip(error.position - 1).collect();
                prop_assert!(from.starts_with(&error.word), "{}: {}", text, error);
            }
        }
    }
}
