//! `mezhved deadline compute`: counts one term and explains each step.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bundle::Files;
use crate::deadline::{Calendar, Calendars, Fields, Finding, Roll, Start, Term, compute, show_due};
use crate::domain::{Timestamp, Zone};

/// The embedded calendar that is used unless `--calendar` names a file.
const EMBEDDED_CALENDAR: &str = "ru";

const HELP: &str = "\
Счёт — по статьям 190-194 Гражданского кодекса (по аналогии): со дня после местной даты события, до 24:00 последнего дня.
Counting follows articles 190-194 of the Civil Code: from the day after the event's local date, until 24:00 of the last day.

Сроки / terms:
  immediately                  48 hours                 3 working days
  3 days                       2 weeks                  6 months
  3 years                      day 5 of next month      day 10 of next quarter
  2 weeks before               day 1 of month 3 next year
  on measureTo                 until age 18             least of (6 months, on measureTo)

Примеры / examples:
  mezhved deadline compute --term \"3 working days\" --zone Asia/Yekaterinburg --from 2026-05-06T10:00:00+05:00
  mezhved deadline compute --term \"day 5 of next month\" --roll forward --zone Asia/Yekaterinburg --from 2026-06
  mezhved deadline compute --term \"on measureTo\" --field measureTo=2026-05-09 --roll back --zone Europe/Moscow --from 2026-04-01";

/// Посчитать срок и показать каждый шаг / Count a term and show every step.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Срок словами / The term in words, such as "3 working days"
    #[arg(long)]
    pub term: String,
    /// Перенос с нерабочего дня: none, forward, back / The roll from a non-working day
    #[arg(long, default_value = "none")]
    pub roll: Roll,
    /// Часовой пояс того, кто должен / The zone of whoever owes, such as Asia/Yekaterinburg
    #[arg(long)]
    pub zone: String,
    /// Событие, дата, месяц или квартал / An event, date, month or quarter: 2026-05-06T10:00:00+05:00, 2026-05-23, 2026-06, 2026-Q4
    #[arg(long)]
    pub from: String,
    /// Календарь CSV вместо встроенного / A CSV calendar in place of the embedded one
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
    /// Дата из документа для срока «on ...» / A date of the document for an `on` term: NAME=DATE; may be repeated
    #[arg(long = "field", value_name = "NAME=DATE")]
    pub fields: Vec<String>,
}

/// Why nothing was counted; the text says what and the way out, in Russian and English.
#[derive(Debug)]
struct Failure(String);

/// Counts one term. `out` gets one JSON object whose first key is `due`, or else `err` the reason. Returns whether it was
/// counted: exit status 0, else 1.
///
/// # Errors
/// When `out` or `err` cannot be written.
pub(crate) fn run(args: &Args, files: &Files, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    match count(args, files) {
        Ok(object) => {
            serde_json::to_writer_pretty(&mut *out, &object)?;
            writeln!(out)?;
            Ok(true)
        }
        Err(Failure(reason)) => {
            writeln!(err, "{reason}")?;
            Ok(false)
        }
    }
}

fn count(args: &Args, files: &Files) -> Result<Value, Failure> {
    let term = Term::parse(&args.term).map_err(|e| {
        let pointer = " ".repeat(e.position.saturating_sub(1));
        Failure(format!("--term: {e}\n  {}\n  {pointer}^", args.term))
    })?;
    let zone = Zone::parse(&args.zone).ok_or_else(|| {
        let zone = &args.zone;
        Failure(format!("--zone: нет часового пояса IANA `{zone}` / there is no IANA time zone `{zone}`; пример / example: Asia/Yekaterinburg"))
    })?;
    let start = parse_start("--from", &args.from)?;
    let fields = parse_fields(&args.fields)?;
    let calendar = calendar(args, files)?;
    let computed = compute(&term, args.roll, &calendar, zone, &start, &fields).map_err(|e| Failure(e.to_string()))?;
    Ok(json!({
        "due": show_due(computed.due, zone),
        "due_exclusive": exclusive(computed.due, zone),
        "term": term,
        "roll": args.roll,
        "zone": zone,
        "from": args.from,
        "calendar": calendar.name(),
        "steps": computed.steps,
    }))
}

/// The first instant that is too late, to the microsecond where it has a fraction.
fn exclusive(due: Timestamp, zone: Zone) -> String {
    due.utc().with_timezone(&zone.tz()).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
}

fn parse_start(option: &str, text: &str) -> Result<Start, Failure> {
    Start::parse(text).ok_or_else(|| {
        let forms = "2026-05-06T10:00:00+05:00, 2026-05-23, 2026-06, 2026-Q4";
        Failure(format!("{option}: `{text}` не читается; можно: {forms} / `{text}` cannot be read; allowed: {forms}"))
    })
}

fn parse_fields(pairs: &[String]) -> Result<Fields, Failure> {
    let mut fields = Fields::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Failure(format!("--field: `{pair}`; нужно ИМЯ=ДАТА / NAME=DATE is needed, such as measureTo=2026-05-09"))
        })?;
        fields.insert(name.to_owned(), parse_start("--field", value)?);
    }
    Ok(fields)
}

fn calendar(args: &Args, files: &Files) -> Result<Calendar, Failure> {
    let Some(path) = &args.calendar else {
        let calendars = Calendars::from_files(files).map_err(listed)?;
        return calendars
            .get(EMBEDDED_CALENDAR)
            .cloned()
            .ok_or_else(|| Failure(format!("нет встроенного календаря `{EMBEDDED_CALENDAR}` / no embedded calendar")));
    };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure(format!("--calendar: {shown} не читается / cannot be read: {e}")))?;
    let name = path.file_stem().map_or_else(|| shown.clone(), |stem| stem.to_string_lossy().into_owned());
    // An overlay may extend what is embedded.
    Calendar::parse_over(&name, &shown, &text, &Calendars::read(files).0).map_err(listed)
}

fn listed(findings: Vec<Finding>) -> Failure {
    Failure(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn compute_line(line: &[&str]) -> Result<serde_json::Value, String> {
        let parsed = Line::try_parse_from([&["compute"], line].concat()).map_err(|e| e.to_string())?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let counted = run(&parsed.args, &crate::bundle::embedded(), &mut out, &mut err).unwrap();
        assert_eq!((counted, counted), (err.is_empty(), !out.is_empty()), "one of the two is written");
        if counted { Ok(serde_json::from_slice(&out).unwrap()) } else { Err(String::from_utf8(err).unwrap()) }
    }

    const GOOD: [&str; 8] = [
        "--term",
        "3 working days",
        "--roll",
        "forward",
        "--zone",
        "Asia/Yekaterinburg",
        "--from",
        "2026-05-06T10:00:00+05:00",
    ];

    fn with(index: usize, value: &'static str) -> Vec<&'static str> {
        let mut line = GOOD.to_vec();
        line[index] = value;
        line
    }

    #[test]
    fn the_due_stands_first_and_the_steps_beside_it() {
        let object = compute_line(&GOOD).unwrap();
        assert_eq!(object.as_object().unwrap().keys().next().unwrap(), "due");
        assert_eq!(object["due"], "2026-05-12T23:59:59+05:00");
        assert_eq!(object["due_exclusive"], "2026-05-13T00:00:00+05:00");
        assert_eq!(object["steps"].as_array().unwrap().len(), 8);
        let field =
            compute_line(&[&with(1, "on measureTo")[..], &["--field", "measureTo=2026-05-09"]].concat()).unwrap();
        assert_eq!(field["due"], "2026-05-12T23:59:59+05:00");
    }

    #[test]
    fn bad_arguments_name_the_place_and_the_way_out() {
        let table = [
            (with(1, "3 workin days"), "  3 workin days\n    ^"),
            (with(3, "onward"), "allowed: none, forward, back"),
            (with(5, "Asia/Surgut"), "there is no IANA time zone `Asia/Surgut`"),
            (with(7, "6 мая"), "--from: `6 мая` не читается"),
            (with(7, "2026-05-06T10:00:00"), "cannot be read"),
            (with(7, "2027-12-31"), "no data for 2028"),
            ([&GOOD[..], &["--field", "x"]].concat(), "NAME=DATE is needed"),
            ([&GOOD[..], &["--calendar", "no-such-file.csv"]].concat(), "no-such-file.csv не читается"),
        ];
        for (line, expected) in table {
            let failure = compute_line(&line).unwrap_err();
            assert!(failure.contains(expected), "{line:?}: {failure}");
        }
    }

    #[test]
    fn a_calendar_of_ones_own_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.csv");
        std::fs::write(&path, "date,kind,note\n2026-05-07,nonworking,own\n").unwrap();
        let object = compute_line(&[&GOOD[..], &["--calendar", path.to_str().unwrap()]].concat()).unwrap();
        assert_eq!(
            (object["due"].as_str().unwrap(), object["calendar"].as_str().unwrap()),
            ("2026-05-12T23:59:59+05:00", "own")
        );
        std::fs::write(&path, "date,kind,note\n2026-05-07,holiday,own\n").unwrap();
        let failure = compute_line(&[&GOOD[..], &["--calendar", path.to_str().unwrap()]].concat()).unwrap_err();
        assert!(failure.contains("own.csv:2: "), "{failure}");
    }
}
