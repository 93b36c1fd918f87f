//! What `mezhved calendar show` prints: a year as grids of months, and the days that differ from the plain week.

use chrono::{Datelike, NaiveDate, Weekday};
use serde_json::{Value, json};

use crate::deadline::{Calendar, DayKind, MissingYear, Month, YearTotals};

const MONTHS: [&str; 12] = [
    "Январь / January",
    "Февраль / February",
    "Март / March",
    "Апрель / April",
    "Май / May",
    "Июнь / June",
    "Июль / July",
    "Август / August",
    "Сентябрь / September",
    "Октябрь / October",
    "Ноябрь / November",
    "Декабрь / December",
];
const WEEKDAYS: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];

/// A day is its number and a mark, in four characters.
const CELL: usize = 4;
const MONTH_WIDTH: usize = CELL * 7;
const MONTHS_ABREAST: usize = 3;
/// A month touches at most six weeks.
const WEEKS: usize = 6;

const LEGEND: &str = "\
У месяца — число рабочих дней / beside a month, its working days
  12   рабочий день / a working day
  12.  выходной по дню недели / a weekend day
  12x  нерабочий по календарю / non-working by the calendar
  12-  рабочий, короче на час / working, an hour shorter
  12+  рабочая суббота или воскресенье / a working Saturday or Sunday
  12±  то же, короче на час / the same, an hour shorter
";

/// A day as the calendar has it.
struct Day<'c> {
    date: NaiveDate,
    kind: DayKind,
    note: &'c str,
}

impl Day<'_> {
    fn on_weekend(&self) -> bool {
        matches!(self.date.weekday(), Weekday::Sat | Weekday::Sun)
    }

    fn mark(&self) -> char {
        match (self.kind, self.on_weekend()) {
            (DayKind::Working, false) => ' ',
            (DayKind::Working, true) => '+',
            (DayKind::Short, false) => '-',
            (DayKind::Short, true) => '±',
            (DayKind::Weekend, _) => '.',
            (DayKind::Nonworking, _) => 'x',
        }
    }

    /// Whether the week alone does not tell it.
    fn differs(&self) -> bool {
        !matches!(self.mark(), ' ' | '.')
    }
}

/// Every day of the year in order.
fn days(calendar: &Calendar, year: i32) -> Result<Vec<Day<'_>>, MissingYear> {
    calendar.covers(year)?;
    let first = NaiveDate::from_ymd_opt(year, 1, 1);
    let all = first.into_iter().flat_map(|first| first.iter_days()).take_while(|day| day.year() == year);
    all.map(|date| Ok(Day { date, kind: calendar.day(date)?, note: calendar.note(date) })).collect()
}

/// The whole year for people.
pub(super) fn as_text(calendar: &Calendar, year: i32) -> Result<String, MissingYear> {
    let days = days(calendar, year)?;
    let months: Vec<Vec<String>> = days.chunk_by(|a, b| a.date.month() == b.date.month()).map(month).collect();
    let mut text = String::new();
    for abreast in months.chunks(MONTHS_ABREAST) {
        for index in 0..WEEKS + 2 {
            let line: Vec<&str> = abreast.iter().filter_map(|m| m.get(index).map(String::as_str)).collect();
            let line = line.join("  ");
            // Where none of the months touches a sixth week there is no line for it.
            if !line.trim().is_empty() {
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        text.push('\n');
    }
    text.push_str(LEGEND);
    let YearTotals { working, off, short, quarters } = calendar.totals(year)?;
    let quarters = quarters.map(|n| n.to_string()).join(", ");
    text.push_str(&format!(
        "\n{year}: рабочих / working {working} (по кварталам / by quarter {quarters}), выходных / off {off}, \
         сокращённых / shorter {short}\n"
    ));
    if let Some(doubt) = calendar.doubt(year) {
        text.push_str(&format!("сомнение / doubt: {doubt}\n"));
    }
    text.push_str("\nОтличия от обычной недели / what differs from the plain week\n");
    for day in days.iter().filter(|day| day.differs()) {
        let (date, mark, note) = (day.date.format("%d.%m.%Y"), day.mark(), day.note);
        let weekday = weekday_ru(day.date);
        text.push_str(format!("  {date} {weekday} {mark}  {note}").trim_end());
        text.push('\n');
    }
    Ok(text)
}

fn weekday_ru(date: NaiveDate) -> &'static str {
    WEEKDAYS.iter().copied().nth(date.weekday().num_days_from_monday() as usize).unwrap_or("")
}

/// The lines of one month, all of one width: its name with the number of working days, the weekdays, six weeks.
fn month(days: &[Day<'_>]) -> Vec<String> {
    let Some(first) = days.first() else { return Vec::new() };
    let name = MONTHS.iter().copied().nth(first.date.month0() as usize).unwrap_or("");
    let working = days.iter().filter(|day| day.kind.is_working()).count();
    let mut lines = vec![format!("{name}: {working}"), WEEKDAYS.map(|d| format!(" {d} ")).concat()];
    let mut cells = vec![" ".repeat(CELL); first.date.weekday().num_days_from_monday() as usize];
    cells.extend(days.iter().map(|day| format!("{:>3}{}", day.date.day(), day.mark())));
    let mut weeks: Vec<String> = cells.chunks(7).map(<[String]>::concat).collect();
    weeks.resize(WEEKS, String::new());
    lines.extend(weeks);
    lines.iter().map(|line| format!("{line:<MONTH_WIDTH$}")).collect()
}

/// The whole year for programs: every day.
pub(super) fn as_json(file: &str, calendar: &Calendar, year: i32) -> Result<Value, MissingYear> {
    let days: Vec<Value> = days(calendar, year)?
        .iter()
        .map(|day| {
            let weekday = day.date.format("%a").to_string().to_lowercase();
            json!({
                "date": day.date, "weekday": weekday, "kind": day.kind.as_str(), "working": day.kind.is_working(),
                "month": Month::of(day.date).to_string(), "note": day.note,
            })
        })
        .collect();
    Ok(json!({
        "calendar": calendar.name(), "file": file, "year": year, "totals": calendar.totals(year)?,
        "doubt": calendar.doubt(year), "days": days,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ru() -> Calendar {
        Calendar::parse("ru", "ru.csv", include_str!("../../config/calendars/ru.csv")).unwrap()
    }

    #[test]
    fn months_are_grids_with_marks() {
        let text = as_text(&ru(), 2026).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("Январь / January: 15 "), "{text}");
        assert_eq!(lines[1].split_whitespace().count(), 21, "three months abreast");
        // January 2026 begins on a Thursday; May's 9th is a Saturday and moved to Monday the 11th.
        assert!(lines[2].starts_with(&format!("{}  1x  2x  3.  4.", " ".repeat(12))), "{text}");
        for expected in [
            "  4   5   6   7   8-  9. 10.",
            " 11x 12  13 ",
            "11.05.2026 пн x",
            "08.05.2026 пт -",
            "2026: рабочих / working 247",
        ] {
            assert!(text.contains(expected), "no `{expected}` in:\n{text}");
        }
        assert!(!text.contains("сомнение / doubt"), "{text}");
        assert!(as_text(&ru(), 2027).unwrap().contains("сомнение / doubt: постановление"));
    }

    #[test]
    fn each_mark_has_its_day_and_its_legend() {
        let days_of =
            |year| days(&ru(), year).unwrap().iter().map(|d| (d.date.to_string(), d.mark())).collect::<Vec<_>>();
        for (date, mark) in [
            ("2026-05-06", ' '),
            ("2026-05-09", '.'),
            ("2026-05-11", 'x'),
            ("2026-05-08", '-'),
            ("2024-04-27", '+'),
            ("2025-11-01", '±'),
        ] {
            let year = date[..4].parse().unwrap();
            assert!(days_of(year).contains(&(date.to_owned(), mark)), "{date} {mark}");
            assert!(LEGEND.contains(&format!("  12{mark}  ")), "{mark}");
        }
    }

    #[test]
    fn json_has_every_day() {
        let told = as_json("ru.csv", &ru(), 2024).unwrap();
        let days = told["days"].as_array().unwrap();
        assert_eq!((days.len(), told["totals"]["working"].as_u64()), (366, Some(248)));
        let saturday = days.iter().find(|d| d["date"] == "2024-04-27").unwrap();
        assert_eq!(
            (&saturday["weekday"], &saturday["kind"], &saturday["working"]),
            (&json!("sat"), &json!("working"), &json!(true))
        );
        assert_eq!(as_json("ru.csv", &ru(), 2028).unwrap_err().year, 2028);
    }
}
