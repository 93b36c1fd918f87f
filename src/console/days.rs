//! The small calendar picture of a count: months as tables, each day with what the count made of it.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};
use serde_json::Value;

use super::texts::Texts;

/// How many months are drawn: of a longer span the first and the last ones.
const MONTHS_MAX: i32 = 4;

/// A month of the picture.
pub(super) struct Month {
    pub(super) title: String,
    pub(super) weeks: Vec<Vec<Day>>,
}

/// A day; one that belongs to another month has no number.
#[derive(Clone)]
pub(super) struct Day {
    pub(super) number: String,
    /// What the count made of it, also how it looks: `start`, `count`, `skip`, `end`; empty: nothing.
    pub(super) kind: &'static str,
    /// The same in words.
    pub(super) says: String,
}

/// The steps of a stored explanation, each with its day.
pub(super) fn stored(steps: &[Value]) -> impl Iterator<Item = (&str, Option<NaiveDate>)> {
    steps.iter().map(|step| {
        let word = step.get("step").and_then(Value::as_str).unwrap_or_default();
        (word, step.get("date").and_then(Value::as_str).and_then(|text| text.parse().ok()))
    })
}

/// The picture of the steps of a count; `last` is the last day in time. Empty where no step is about a day.
pub(super) fn months<'s>(
    t: Texts,
    steps: impl IntoIterator<Item = (&'s str, Option<NaiveDate>)>,
    last: Option<NaiveDate>,
) -> Vec<Month> {
    let mut days: BTreeMap<NaiveDate, &'static str> = BTreeMap::new();
    for (word, date) in steps {
        let kind = match word {
            "start" => "start",
            "count" => "count",
            "skip" | "roll" => "skip",
            _ => continue,
        };
        if let Some(date) = date {
            days.entry(date).or_insert(kind);
        }
    }
    if let Some(last) = last {
        days.insert(last, "end");
    }
    let (Some(first), Some(end)) = (days.keys().next().copied(), days.keys().next_back().copied()) else {
        return Vec::new();
    };
    let number = |day: NaiveDate| day.year() * 12 + day.month0().cast_signed();
    let (from, to) = (number(first), number(end));
    // A term of centuries is not walked through for its two ends.
    let drawn: Vec<i32> = match to - from < MONTHS_MAX {
        true => (from..=to).collect(),
        false => (from..from + MONTHS_MAX / 2).chain(to - MONTHS_MAX / 2 + 1..=to).collect(),
    };
    let start = |number: i32| {
        let month = u32::try_from(number.rem_euclid(12)).ok()?;
        NaiveDate::from_ymd_opt(number.div_euclid(12), month + 1, 1)
    };
    drawn.into_iter().filter_map(start).map(|start| draw(t, start, &days)).collect()
}

fn draw(t: Texts, start: NaiveDate, days: &BTreeMap<NaiveDate, &'static str>) -> Month {
    let none = || Day { number: String::new(), kind: "", says: String::new() };
    let before = usize::try_from(start.weekday().num_days_from_monday()).unwrap_or(0);
    let mut cells = vec![none(); before];
    let mut day = start;
    while day.month() == start.month() {
        let kind = days.get(&day).copied().unwrap_or_default();
        let says = if kind.is_empty() { String::new() } else { t.word("day", kind) };
        cells.push(Day { number: day.day().to_string(), kind, says });
        let Some(next) = day.checked_add_days(Days::new(1)) else { break };
        day = next;
    }
    while cells.len() % 7 != 0 {
        cells.push(none());
    }
    let title = format!("{}, {}", t.word("month-name", &start.month().to_string()), start.year());
    Month { title, weeks: cells.chunks(7).map(<[Day]>::to_vec).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::console::texts::Lang;

    #[test]
    fn a_month_begins_on_its_weekday_and_marks_what_was_counted() {
        let steps = [
            json!({ "step": "start", "date": "2026-05-08" }),
            json!({ "step": "skip", "date": "2026-05-11" }),
            json!({ "step": "least", "date": "2026-05-01" }),
        ];
        let drawn = months(Texts::of(Lang::Ru), stored(&steps), "2026-05-12".parse().ok());
        assert_eq!(drawn.len(), 1);
        let days: Vec<&Day> = drawn[0].weeks.iter().flatten().collect();
        assert_eq!(days.iter().position(|day| day.number == "1"), Some(4), "1 May 2026 is a Friday");
        let marked: Vec<_> = days.iter().filter(|d| !d.kind.is_empty()).map(|d| (d.number.as_str(), d.kind)).collect();
        assert_eq!(marked, [("8", "start"), ("11", "skip"), ("12", "end")]);
        assert!(drawn[0].weeks.iter().all(|week| week.len() == 7));
        assert!(months(Texts::of(Lang::Ru), [], None).is_empty());
    }

    #[test]
    fn of_years_the_first_and_the_last_months_are_drawn() {
        let steps = [json!({ "step": "start", "date": "2026-01-31" })];
        let drawn = months(Texts::of(Lang::En), stored(&steps), "2029-02-28".parse().ok());
        let titles: Vec<_> = drawn.iter().map(|month| month.title.as_str()).collect();
        assert_eq!(titles, ["January, 2026", "February, 2026", "January, 2029", "February, 2029"]);
    }
}
