//! Counting a term from its start to its due instant, with every step explained.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::Serialize;

use super::calendar::{Calendar, DayKind, MissingYear};
use super::start::{Fields, Month, Roll, Start, show_due, start_of_day};
use super::term::{Span, Term, Unit};
use crate::domain::{Timestamp, Zone};

/// How many steps one computation may list; beyond that only the result is told.
const STEPS_MAX: usize = 500;

/// One step of a count, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// A stable word: `start`, `count`, `skip`, `end`, `clamp`, `roll`, `grace`, `least`, `doubt`, `version`.
    pub step: &'static str,
    /// The local day it is about, if one.
    pub date: Option<NaiveDate>,
    /// In Russian.
    pub ru: String,
    /// In English.
    pub en: String,
}

/// The result of a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The first instant that is too late: the start of the day after the last, or for terms in hours the microsecond after.
    pub due: Timestamp,
    /// The last day, when the term ends with a day.
    pub last_day: Option<NaiveDate>,
    /// How it was counted.
    pub steps: Vec<Step>,
}

/// Why a term cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The calendar has no data for a year that the count needs.
    #[error(transparent)]
    Year(#[from] MissingYear),
    /// Hours are counted from an instant only.
    #[error(
        "срок `{term}` считается от момента, а дана дата; укажите момент вида 2026-05-06T10:00:00+05:00 / the term `{term}` is counted from an instant, but a date was given; give one like 2026-05-06T10:00:00+05:00"
    )]
    NeedsInstant {
        /// The term.
        term: String,
    },
    /// The document does not give the field that the term names.
    #[error(
        "в документе нет даты `{field}`, от которой зависит срок / the document has no date `{field}`, on which the term depends"
    )]
    FieldMissing {
        /// The field.
        field: String,
    },
    /// The end lies outside of the years that can be reckoned with.
    #[error("срок `{term}` уходит за пределы летоисчисления / the term `{term}` ends outside of all years")]
    TooFar {
        /// The term.
        term: String,
    },
}

/// Counts a term as it is written: `immediately` ends at the event itself.
///
/// # Errors
/// See [`ComputeError`].
pub fn compute(
    term: &Term,
    roll: Roll,
    calendar: &Calendar,
    zone: Zone,
    start: &Start,
    fields: &Fields,
) -> Result<Computed, ComputeError> {
    compute_with_grace(term, roll, calendar, zone, start, fields, 0)
}

/// Counts a term for an obligation: what is due `immediately` is too late only when so many hours of grace have passed.
pub(super) fn compute_with_grace(
    term: &Term,
    roll: Roll,
    calendar: &Calendar,
    zone: Zone,
    start: &Start,
    fields: &Fields,
    grace_hours: u32,
) -> Result<Computed, ComputeError> {
    let mut count = Count { roll, calendar, zone, start, fields, grace_hours, steps: Vec::new() };
    count.tell_start();
    let end = count.end(term)?;
    let (due, last_day) = (count.due(end, term)?, end.day());
    let shown = show_due(due, zone);
    let (ru, en) = match end {
        End::Graced(_) => (
            format!("срок: сам момент события; просрочено после {shown}"),
            format!("due: the event itself; overdue after {shown}"),
        ),
        End::Day(_) | End::Instant(_) => {
            (format!("срок: до {shown} включительно"), format!("due: until {shown} inclusive"))
        }
    };
    count.step("end", last_day, ru, en);
    Ok(Computed { due, last_day, steps: count.steps })
}

/// Where a term ends before it becomes an exclusive instant.
#[derive(Debug, Clone, Copy)]
enum End {
    Day(NaiveDate),
    Instant(Timestamp),
    /// The last instant of the grace after an event at which the term itself ended.
    Graced(Timestamp),
}

impl End {
    fn day(self) -> Option<NaiveDate> {
        match self {
            Self::Day(date) => Some(date),
            Self::Instant(_) | Self::Graced(_) => None,
        }
    }
}

struct Count<'a> {
    roll: Roll,
    calendar: &'a Calendar,
    zone: Zone,
    start: &'a Start,
    fields: &'a Fields,
    grace_hours: u32,
    steps: Vec<Step>,
}

impl Count<'_> {
    fn step(&mut self, step: &'static str, date: Option<NaiveDate>, ru: String, en: String) {
        if self.steps.len() < STEPS_MAX || step == "end" {
            self.steps.push(Step { step, date, ru, en });
        }
    }

    fn tell_start(&mut self) {
        let (zone, date) = (self.zone, self.start.local_date(self.zone));
        let (ru, en) = match self.start {
            Start::Instant(t) => {
                let local = t.in_zone(zone);
                (
                    format!("событие {local}, местная дата {} ({zone})", ru(date)),
                    format!("event {local}, local date {} ({zone})", en(date)),
                )
            }
            Start::Date(_) => (format!("дата {}", ru(date)), format!("date {}", en(date))),
            Start::Month(month) => {
                (format!("месяц {month}, последний день {}", ru(date)), format!("month {month}, last day {}", en(date)))
            }
            Start::Quarter(month) => {
                let quarter = format!("{}-Q{}", month.first_day().year(), month.quarter());
                (
                    format!("квартал {quarter}, последний день {}", ru(date)),
                    format!("quarter {quarter}, last day {}", en(date)),
                )
            }
            Start::Year(month) => {
                let year = month.first_day().year();
                (format!("{year} год, последний день {}", ru(date)), format!("year {year}, last day {}", en(date)))
            }
        };
        self.step("start", Some(date), ru, en);
    }

    fn end(&mut self, term: &Term) -> Result<End, ComputeError> {
        let base = self.start.local_date(self.zone);
        let too_far = || ComputeError::TooFar { term: term.to_string() };
        let day = match term {
            Term::Immediately => return self.instant(term, Some(0)).map(|end| self.graced(end)),
            Term::After(Span { count, unit: Unit::Hour }) => return self.instant(term, Some(i64::from(*count))),
            Term::Before(Span { count, unit: Unit::Hour }) => return self.instant(term, Some(-i64::from(*count))),
            Term::LeastOf(terms) => return self.least(terms),
            Term::After(span) => self.after(base, *span, term)?,
            Term::Before(span) => self.before(base, *span, term)?,
            Term::NextMonth { day } => self.day_of(Month::of(base).plus(1), *day),
            Term::NextQuarter { day } => {
                let month = Month::of(base);
                self.day_of(month.plus(3 - month.first_day().month0() % 3), *day)
            }
            Term::NextYear { month, day } => {
                let january = NaiveDate::from_ymd_opt(base.year() + 1, 1, 1).ok_or_else(too_far)?;
                self.day_of(Month::of(january).plus(month.saturating_sub(1)), *day)
            }
            Term::On(field) => {
                let value =
                    self.fields.get(field).ok_or_else(|| ComputeError::FieldMissing { field: field.clone() })?;
                let date = value.local_date(self.zone);
                self.step(
                    "count",
                    Some(date),
                    format!("дата из документа (`{field}`): {}", ru(date)),
                    format!("the document's date (`{field}`): {}", en(date)),
                );
                date
            }
            Term::UntilAge(age) => {
                let date =
                    self.same_number(base, age.checked_mul(12).ok_or_else(too_far)?, false).ok_or_else(too_far)?;
                self.step(
                    "count",
                    Some(date),
                    format!("{age} лет исполняется {}", ru(date)),
                    format!("age {age} is reached on {}", en(date)),
                );
                date
            }
        };
        self.rolled(day).map(End::Day)
    }

    fn instant(&mut self, term: &Term, hours: Option<i64>) -> Result<End, ComputeError> {
        let Start::Instant(start) = self.start else {
            return Err(ComputeError::NeedsInstant { term: term.to_string() });
        };
        let end = start.plus_seconds(hours.unwrap_or(0).saturating_mul(3600));
        let local = end.in_zone(self.zone);
        let (ru, en) = match term {
            Term::Immediately => (
                format!("незамедлительно: сам момент события, {local}"),
                format!("immediately: the event itself, {local}"),
            ),
            Term::After(_)
            | Term::Before(_)
            | Term::NextMonth { .. }
            | Term::NextQuarter { .. }
            | Term::NextYear { .. }
            | Term::On(_)
            | Term::UntilAge(_)
            | Term::LeastOf(_) => (format!("по часам: {local}"), format!("by the clock: {local}")),
        };
        self.step("count", None, ru, en);
        if self.roll != Roll::None {
            let ru = "перенос не применяется: срок кончается моментом, а не днём".to_owned();
            self.step("roll", None, ru, "no roll: the term ends at an instant, not with a day".to_owned());
        }
        Ok(End::Instant(end))
    }

    /// The last instant at which what is due at once is not yet late.
    fn graced(&mut self, end: End) -> End {
        let End::Instant(event) = end else { return end };
        if self.grace_hours == 0 {
            return end;
        }
        let last = event.plus_seconds(i64::from(self.grace_hours) * 3600);
        let (local, hours) = (last.in_zone(self.zone), Span { count: self.grace_hours, unit: Unit::Hour });
        let term = Term::After(hours);
        self.step(
            "grace",
            None,
            format!("запас регламента, {}: просрочено лишь после {local}", term.ru()),
            format!("the regulation's grace, {term}: overdue only after {local}"),
        );
        End::Graced(last)
    }

    fn least(&mut self, terms: &[Term]) -> Result<End, ComputeError> {
        let mut best: Option<(Timestamp, End, &Term)> = None;
        for term in terms {
            self.step("least", None, format!("вариант `{term}`"), format!("option `{term}`"));
            let end = self.end(term)?;
            let due = self.due(end, term)?;
            if best.is_none_or(|(least, _, _)| due < least) {
                best = Some((due, end, term));
            }
        }
        let Some((_, end, term)) = best else { return Err(ComputeError::TooFar { term: "least of ()".to_owned() }) };
        self.step("least", end.day(), format!("наступает раньше: `{term}`"), format!("comes first: `{term}`"));
        Ok(end)
    }

    fn after(&mut self, base: NaiveDate, span: Span, term: &Term) -> Result<NaiveDate, ComputeError> {
        let too_far = || ComputeError::TooFar { term: term.to_string() };
        let days = match span.unit {
            Unit::WorkingDay => return self.working_days(base, span.count, true, term),
            Unit::Month => return self.same_number(base, span.count, false).ok_or_else(too_far),
            Unit::Year => return self.same_number(base, span.count.saturating_mul(12), false).ok_or_else(too_far),
            Unit::Week => u64::from(span.count) * 7,
            Unit::Day | Unit::Hour => u64::from(span.count),
        };
        let date = base.checked_add_days(Days::new(days)).ok_or_else(too_far)?;
        let (ru, en) = (
            format!("{days} календ. дн., считая со дня после {}: последний день {}", ru(base), ru(date)),
            format!("{days} calendar days, counted from the day after {}: last day {}", en(base), en(date)),
        );
        self.step("count", Some(date), ru, en);
        Ok(date)
    }

    fn before(&mut self, base: NaiveDate, span: Span, term: &Term) -> Result<NaiveDate, ComputeError> {
        let too_far = || ComputeError::TooFar { term: term.to_string() };
        let days = match span.unit {
            Unit::WorkingDay => return self.working_days(base, span.count, false, term),
            Unit::Month => return self.same_number(base, span.count, true).ok_or_else(too_far),
            Unit::Year => return self.same_number(base, span.count.saturating_mul(12), true).ok_or_else(too_far),
            Unit::Week => u64::from(span.count) * 7,
            Unit::Day | Unit::Hour => u64::from(span.count),
        };
        let date = base.checked_sub_days(Days::new(days)).ok_or_else(too_far)?;
        let (ru, en) = (
            format!("за {days} календ. дн. до {}: {}", ru(base), ru(date)),
            format!("{days} calendar days before {}: {}", en(base), en(date)),
        );
        self.step("count", Some(date), ru, en);
        Ok(date)
    }

    /// The same number so many months away; where the month has no such number, its last day (Civil Code, art. 192).
    fn same_number(&mut self, base: NaiveDate, months: u32, back: bool) -> Option<NaiveDate> {
        let months = Months::new(months);
        let date = if back { base.checked_sub_months(months) } else { base.checked_add_months(months) }?;
        self.step(
            "count",
            Some(date),
            format!("то же число: {}", ru(date)),
            format!("the same number of the month: {}", en(date)),
        );
        if date.day() != base.day() {
            self.tell_clamp(base.day(), date);
        }
        Some(date)
    }

    fn day_of(&mut self, month: Month, day: u32) -> NaiveDate {
        let date = month.first_day().with_day(day).unwrap_or_else(|| month.last_day());
        self.step(
            "count",
            Some(date),
            format!("{day}-е число, месяц {month}: {}", ru(date)),
            format!("day {day} of the month {month}: {}", en(date)),
        );
        if date.day() != day {
            self.tell_clamp(day, date);
        }
        date
    }

    fn tell_clamp(&mut self, day: u32, date: NaiveDate) {
        let (ru, en) = (
            format!("числа {day} в этом месяце нет; берётся последний день (ст. 192 ГК): {}", ru(date)),
            format!("the month has no day {day}; its last day is taken (Civil Code, art. 192): {}", en(date)),
        );
        self.step("clamp", Some(date), ru, en);
    }

    fn working_days(
        &mut self,
        base: NaiveDate,
        count: u32,
        forward: bool,
        term: &Term,
    ) -> Result<NaiveDate, ComputeError> {
        let (mut date, mut counted) = (base, 0);
        while counted < count {
            date = neighbour(date, forward).ok_or_else(|| ComputeError::TooFar { term: term.to_string() })?;
            if self.works(date)? {
                counted += 1;
                let short = if self.calendar.day(date)? == DayKind::Short {
                    (", сокращённый", ", shorter")
                } else {
                    ("", "")
                };
                self.step(
                    "count",
                    Some(date),
                    format!("{counted}-й рабочий день: {}{}", ru(date), short.0),
                    format!("working day {counted}: {}{}", en(date), short.1),
                );
            }
        }
        Ok(date)
    }

    fn rolled(&mut self, day: NaiveDate) -> Result<NaiveDate, ComputeError> {
        let forward = match self.roll {
            Roll::None => return Ok(day),
            Roll::Forward => true,
            Roll::Back => false,
        };
        let mut date = day;
        while !self.works(date)? {
            date = neighbour(date, forward).ok_or_else(|| ComputeError::TooFar { term: self.roll.to_string() })?;
        }
        if date != day {
            let (ru, en) = if forward {
                (
                    format!("перенос вперёд на рабочий день (ст. 193 ГК): {}", ru(date)),
                    format!("moved forward to a working day (Civil Code, art. 193): {}", en(date)),
                )
            } else {
                (
                    format!("перенос назад на рабочий день: {}", ru(date)),
                    format!("moved back to a working day: {}", en(date)),
                )
            };
            self.step("roll", Some(date), ru, en);
        }
        Ok(date)
    }

    /// Whether the day works; a day that does not is told as skipped, with the reason.
    fn works(&mut self, date: NaiveDate) -> Result<bool, ComputeError> {
        let kind = self.calendar.day(date)?;
        self.tell_doubt(date);
        let why = match kind {
            DayKind::Working | DayKind::Short => return Ok(true),
            DayKind::Weekend => ("выходной по дню недели", "a weekend day"),
            DayKind::Nonworking => ("нерабочий по календарю", "non-working by the calendar"),
        };
        let note = self.calendar.note(date);
        let note = if note.is_empty() || kind == DayKind::Weekend { String::new() } else { format!(": {note}") };
        self.step(
            "skip",
            Some(date),
            format!("{} — {}{note}", ru(date), why.0),
            format!("{}: {}{note}", en(date), why.1),
        );
        Ok(false)
    }

    fn tell_doubt(&mut self, date: NaiveDate) {
        let Some(doubt) = self.calendar.doubt(date.year()) else { return };
        let year = date.year();
        let told = self.steps.iter().any(|s| s.step == "doubt" && s.date.is_some_and(|d| d.year() == year));
        if !told {
            let (ru, en) = (
                format!("данные календаря за {year} год не подтверждены: {doubt}"),
                format!("the calendar's data for {year} are not confirmed: {doubt}"),
            );
            self.step("doubt", Some(date), ru, en);
        }
    }

    fn due(&self, end: End, term: &Term) -> Result<Timestamp, ComputeError> {
        match end {
            End::Day(day) => {
                let next = day.succ_opt().ok_or_else(|| ComputeError::TooFar { term: term.to_string() })?;
                Ok(start_of_day(next, self.zone))
            }
            End::Instant(last) | End::Graced(last) => Ok(Timestamp::from_micros(last.micros().saturating_add(1))),
        }
    }
}

fn neighbour(date: NaiveDate, forward: bool) -> Option<NaiveDate> {
    if forward { date.succ_opt() } else { date.pred_opt() }
}

/// `12.05.2026 (вт)`.
fn ru(date: NaiveDate) -> String {
    let weekday = match date.weekday() {
        chrono::Weekday::Mon => "пн",
        chrono::Weekday::Tue => "вт",
        chrono::Weekday::Wed => "ср",
        chrono::Weekday::Thu => "чт",
        chrono::Weekday::Fri => "пт",
        chrono::Weekday::Sat => "сб",
        chrono::Weekday::Sun => "вс",
    };
    format!("{} ({weekday})", date.format("%d.%m.%Y"))
}

/// `2026-05-12 (Tue)`.
fn en(date: NaiveDate) -> String {
    date.format("%Y-%m-%d (%a)").to_string()
}
