//! `mezhved calendar`: do the calendars fit what is published, and what does a year look like?

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, calendar_show, findings, table};
use crate::deadline::{Calendar, Calendars, Finding, PublishedTotals, YearTotals};

/// Where the calendars of a folder stand among its files.
const FOLDER: &str = "config/calendars/";

/// Производственный календарь / the production calendar
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

const CHECK_HELP: &str = "\
Итоги заявляет сам файл: `#! total 2026 247 off 118 short 4 quarters 55 62 66 64` — рабочих дней, выходных, сокращённых и рабочих по \
кварталам, из опубликованной таблицы; обязательно только первое число. Сравнивается всё, что заявлено; расхождение — код возврата 1.

The file itself states the totals, out of a published table: working days, days off, shorter days, working days by quarter; only the \
first number is required. All that is stated is compared; a difference is exit status 1.

Примеры / examples:
  mezhved calendar check                # папки настроек или встроенный / the folder's or built-in
  mezhved calendar check ru-2028.csv    # файл до ввода / a file before it is put in force";

const SHOW_HELP: &str = "\
Примеры / examples:
  mezhved calendar show 2026
  mezhved calendar show 2028 ru-2028.csv --json";

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Сравнить дни каждого года с заявленными итогами, показать сомнения / compare each year's days with the published totals and
    /// tell the doubts
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        from: From,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Показать год по месяцам: нерабочие дни, рабочие субботы, сокращённые дни / show a year by months: non-working days, working
    /// Saturdays, shorter days
    #[command(after_help = SHOW_HELP)]
    Show {
        /// Год / the year
        year: i32,
        #[command(flatten)]
        from: From,
        /// Имя календаря, если их несколько / the calendar's name, when there are several
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Machine-readable: every day of the year
        #[arg(long)]
        json: bool,
    },
}

/// Which calendars.
#[derive(Debug, Clone, clap::Args)]
struct From {
    /// Файл CSV вместо календарей папки / a CSV file in place of the folder's calendars
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    dir: ConfigDir,
}

/// What was read: calendars with the files they stand in, and what is wrong with the others.
struct Read {
    calendars: Vec<(String, Calendar)>,
    findings: Vec<Finding>,
    origin: &'static str,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Check { from, json } => check(&from.read()?, *json),
        Command::Show { year, from, name, json } => {
            let read = from.read()?;
            if !read.findings.is_empty() {
                return Err(findings::refused(&read.findings));
            }
            let (file, calendar) = one(&read.calendars, name.as_deref())?;
            if *json {
                say!("{}", calendar_show::as_json(file, calendar, *year)?)?;
            } else {
                let shown = calendar_show::as_text(calendar, *year)?;
                say!("{} ({file}, {})\n\n{}", calendar.name(), read.origin, shown.trim_end())?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl From {
    fn read(&self) -> Result<Read, Failure> {
        let (folder, found) = Calendars::read(&self.dir.bundle()?);
        let Some(path) = &self.file else {
            let in_folder = |c: &Calendar| (format!("{FOLDER}{}.csv", c.name()), c.clone());
            let calendars: Vec<(String, Calendar)> = folder.iter().map(in_folder).collect();
            if calendars.is_empty() && found.is_empty() {
                return Err(Failure::new(
                    "календарей нет / there are no calendars; add calendars/ru.csv to the folder",
                ));
            }
            return Ok(Read { calendars, findings: found, origin: self.dir.origin("calendars") });
        };
        let shown = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|e| Failure::new(format!("{shown} не читается / cannot be read: {e}")))?;
        let name = path.file_stem().map_or_else(|| shown.clone(), |stem| stem.to_string_lossy().into_owned());
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::new(format!("{shown}: файл не в UTF-8 / the file is not UTF-8")))?;
        let mut read = Read { calendars: Vec::new(), findings: Vec::new(), origin: "файл / a file" };
        // An overlay may extend what is in the folder.
        match Calendar::parse_over(&name, &shown, &text, &folder) {
            Ok(calendar) => read.calendars.push((shown, calendar)),
            Err(found) => read.findings.extend(found),
        }
        Ok(read)
    }
}

/// The calendar that is meant.
fn one<'c>(calendars: &'c [(String, Calendar)], name: Option<&str>) -> Result<(&'c str, &'c Calendar), Failure> {
    let found = match (name, calendars) {
        (None, [only]) => Some(only),
        (None, several) => several.iter().find(|(_, c)| c.name() == "ru"),
        (Some(name), all) => all.iter().find(|(_, c)| c.name() == name),
    };
    let names = || calendars.iter().map(|(_, c)| c.name()).collect::<Vec<_>>().join(", ");
    found
        .map(|(file, calendar)| (file.as_str(), calendar))
        .ok_or_else(|| Failure::new(format!("--name: назовите один из / name one of: {}", names())))
}

fn check(read: &Read, as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        let calendars: Result<Vec<Value>, Failure> = read.calendars.iter().map(|(file, c)| told(file, c)).collect();
        let ok = read.findings.is_empty();
        say!("{}", json!({ "ok": ok, "findings": read.findings, "calendars": calendars? }))?;
        return Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for (file, calendar) in &read.calendars {
        say!("{} ({file}, {})", calendar.name(), read.origin)?;
        table::print(&HEADS, &rows(calendar)?)?;
        for (year, doubt) in calendar.years().iter().filter_map(|y| Some((y, calendar.doubt(*y)?))) {
            say!("сомнение / doubt: {year}: {doubt}")?;
        }
        say!("")?;
    }
    findings::report(&read.findings, false)
}

const HEADS: [&str; 6] = [
    "год / year",
    "рабочих / working",
    "выходных / off",
    "сокращённых / shorter",
    "рабочих по кварталам / working by quarter",
    "заявленные итоги / published totals",
];

/// A row a year. A calendar that could be read agrees with all that it states, so what is left to say is how much that is.
fn rows(calendar: &Calendar) -> Result<Vec<Vec<String>>, Failure> {
    let mut rows = Vec::new();
    for year in calendar.years() {
        let YearTotals { working, off, short, quarters } = calendar.totals(*year)?;
        let stated = match calendar.published(*year) {
            None => "не заявлены: не с чем сравнить / not stated: nothing to compare with",
            Some(PublishedTotals { off: Some(_), short: Some(_), quarters: Some(_), .. }) => "сходятся / agree",
            Some(_) => "сходятся, заявлены не все / agree, not all are stated",
        };
        let mut row: Vec<String> = [i64::from(*year)].iter().map(ToString::to_string).collect();
        row.extend([working, off, short].map(|n| n.to_string()));
        row.push(quarters.map(|n| n.to_string()).join(" "));
        row.push(stated.to_owned());
        rows.push(row);
    }
    Ok(rows)
}

fn told(file: &str, calendar: &Calendar) -> Result<Value, Failure> {
    let mut years = Vec::new();
    for year in calendar.years() {
        let (counted, published) = (calendar.totals(*year)?, calendar.published(*year));
        years.push(json!({ "year": year, "counted": counted, "published": published, "doubt": calendar.doubt(*year) }));
    }
    Ok(json!({ "name": calendar.name(), "file": file, "years": years }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Calendar {
        Calendar::parse("t", "t.csv", text).unwrap()
    }

    #[test]
    fn a_year_says_how_much_of_it_was_compared() {
        let calendar = parse(
            "#! years 2025-2027\n#! total 2026 261\n#! total 2027 261 off 104 short 0 quarters 64 65 66 66\ndate,kind,note\n",
        );
        let rows = rows(&calendar).unwrap();
        let last: Vec<&str> = rows.iter().map(|row| row.last().unwrap().rsplit(" / ").next().unwrap()).collect();
        assert_eq!(last, ["not stated: nothing to compare with", "agree, not all are stated", "agree"]);
        assert_eq!(rows[2][..5], ["2027", "261", "104", "0", "64 65 66 66"]);
    }

    #[test]
    fn one_of_several_is_named() {
        let both = [("a.csv".to_owned(), parse("date,kind\n2026-01-01,nonworking\n"))];
        assert_eq!(one(&both, None).unwrap().0, "a.csv");
        let other = Calendar::parse("u", "u.csv", "date,kind\n2026-01-01,nonworking\n").unwrap();
        let several = [both[0].clone(), ("u.csv".to_owned(), other)];
        assert_eq!(one(&several, Some("u")).unwrap().0, "u.csv");
        for name in [None, Some("x")] {
            assert!(one(&several, name).unwrap_err().to_string().contains("t, u"));
        }
    }
}
