//! `mezhved report`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::{ConfigDir, Failure, findings, runtime, table};
use crate::access::Scope;
use crate::app::open_store;
use crate::deadline::{Calendars, Regulation, Regulations, Start};
use crate::domain::{Line, Oktmo, ParticipantId, RuleId};
use crate::gateway::{Clock, ReportBase, ReportKind, ReportRequest, make_report};
use crate::report::{self, Language, Period, PeriodKind, RegisterKind, Report};
use crate::schema::codes::CodeLists;
use crate::settings::{Settings, folder, participants};
use crate::store::{ReportFilter, RevisionKind, Store};

const HELP: &str = "\
Период — месяц, квартал, год или дни, обе даты включительно, по поясу региона; без периода — текущий месяц. Состояния — на момент отчёта.
CSV: UTF-8 с BOM, поля через «;», числа с запятой — так его открывает Excel с русскими настройками. XLSX пишется только в файл.

The period is a month, a quarter, a year or days, both included, in the region's zone; without one it is the present month. States are \
those of the moment of the report. CSV: UTF-8 with a BOM, `;` between fields and decimal commas, as Excel with Russian settings opens it. \
XLSX is written to a file only.

Примеры / examples:
  mezhved report list
  mezhved report discipline --month 2026-11
  mezhved report discipline --quarter 2026-Q3 --participant health --format xlsx --out health.xlsx
  mezhved report summary --year 2026 --format json
  mezhved report indicators --from 2026-01-01 --to 2026-06-30 --format csv --out indicators.csv
  mezhved report register applications --month 2026-11                     # персональные данные скрыты / personal data are hidden
  mezhved report register families --month 2026-11 --personal-data --format xlsx --out families.xlsx";

/// Отчёты: дисциплина, сводки, показатели, журналы / reports: discipline, summaries, indicators, registers
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Какие отчёты есть / which reports there are
    List {
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Как соблюдены сроки: по участникам и правилам / how terms were kept: by participant and rule
    #[command(after_help = HELP)]
    Discipline {
        #[command(flatten)]
        common: Common,
    },
    /// Сводка за месяц, квартал, год: отчёты, дела, обмен, сроки / a month's, quarter's or year's summary: reports, cases, exchange, terms
    #[command(after_help = HELP)]
    Summary {
        #[command(flatten)]
        common: Common,
    },
    /// Показатели раздела XV модельной программы / the indicators of section XV of the model programme
    #[command(after_help = HELP)]
    Indicators {
        #[command(flatten)]
        common: Common,
    },
    /// Журнал учёта обращений или первичного учёта семей; кто его открыл, пишется в журнал шлюза / a register; who opened it is journaled
    #[command(after_help = HELP)]
    Register {
        /// applications — обращения, families — семьи / which
        #[arg(value_name = "WHICH", value_parser = register_kind)]
        which: RegisterKind,
        #[command(flatten)]
        common: Common,
        /// Показать персональные данные / show personal data
        #[arg(long)]
        personal_data: bool,
        /// Кто смотрит, для журнала; без него — пользователь системы / who looks, for the journal; the user of the system when left out
        #[arg(long, env = "USER", hide_env_values = true, default_value = "operator", value_name = "WHO")]
        author: Line,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Common {
    #[command(flatten)]
    dir: ConfigDir,
    /// Регламент, если их несколько / the regulation, where there are several
    #[arg(long, value_name = "ID")]
    regulation: Option<String>,
    /// Месяц / the month
    #[arg(long, value_name = "2026-11", value_parser = |t: &str| of_kind(t, PeriodKind::Month), group = "period")]
    month: Option<Period>,
    /// Квартал / the quarter
    #[arg(long, value_name = "2026-Q3", value_parser = |t: &str| of_kind(t, PeriodKind::Quarter), group = "period")]
    quarter: Option<Period>,
    /// Год / the year
    #[arg(long, value_name = "2026", value_parser = |t: &str| of_kind(t, PeriodKind::Year), group = "period")]
    year: Option<Period>,
    /// Первый день / the first day
    #[arg(long, value_name = "DATE", requires = "to", conflicts_with = "period")]
    from: Option<NaiveDate>,
    /// Последний день / the last day
    #[arg(long, value_name = "DATE", requires = "from", conflicts_with = "period")]
    to: Option<NaiveDate>,
    /// Только этот участник: что он должен и шлёт / only this participant: what it owes and sends
    #[arg(long, value_name = "ID")]
    participant: Option<ParticipantId>,
    /// Только это правило / only this rule
    #[arg(long, value_name = "RULE")]
    rule: Option<RuleId>,
    /// Только дела этой территории (начало кода ОКТМО) / only cases of this territory (the beginning of an OKTMO code)
    #[arg(long, value_name = "OKTMO")]
    territory: Vec<Oktmo>,
    /// В каком виде / in which form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Язык / the language; JSON has both
    #[arg(long, value_enum, default_value_t = Lang::Ru)]
    lang: Lang,
    /// В файл / to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Таблица для терминала / a table for the terminal
    Text,
    /// JSON
    Json,
    /// CSV
    Csv,
    /// XLSX
    Xlsx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// По-русски
    Ru,
    /// In English
    En,
}

fn register_kind(text: &str) -> Result<RegisterKind, String> {
    RegisterKind::parse(text).ok_or_else(|| {
        let known: Vec<&str> = RegisterKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("есть / there are: {}", known.join(", "))
    })
}

/// A period of this kind only.
fn of_kind(text: &str, kind: PeriodKind) -> Result<Period, String> {
    let period = Period::parse(text).map_err(|error| error.to_string())?;
    if period.kind() == kind {
        Ok(period)
    } else {
        Err(format!("`{text}`: --month 2026-11, --quarter 2026-Q3, --year 2026"))
    }
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let nobody = (false, None);
    match args.command {
        Command::List { json } => list(json),
        Command::Discipline { common } => asked(ReportKind::Discipline, common, nobody),
        Command::Summary { common } => asked(ReportKind::Summary, common, nobody),
        Command::Indicators { common } => asked(ReportKind::Indicators, common, nobody),
        Command::Register { which, common, personal_data, author } => {
            asked(ReportKind::Register(which), common, (personal_data, Some(author)))
        }
    }
}

fn list(as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        let listed = ReportKind::ALL
            .iter()
            .map(|kind| json!({ "report": kind.as_str(), "title": kind.title(), "purpose": kind.purpose() }));
        say!("{}", Value::from(listed.collect::<Vec<_>>()))?;
    } else {
        let command = |kind: &ReportKind| kind.as_str().replace("register-", "register ");
        let cells: Vec<Vec<String>> = ReportKind::ALL
            .iter()
            .map(|kind| vec![command(kind), kind.title().ru, kind.purpose().ru, kind.title().en])
            .collect();
        table::print(&["команда / command", "отчёт", "что в нём", "report"], &cells)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn asked(kind: ReportKind, common: Common, (personal, author): (bool, Option<Line>)) -> Result<ExitCode, Failure> {
    if common.format == Format::Xlsx && common.out.is_none() {
        return Err(Failure::new("--format xlsx: назовите файл: --out ОТЧЁТ.xlsx / name a file: --out REPORT.xlsx"));
    }
    runtime()?.block_on(async move {
        let store = open_store(&Settings::load(&common.dir.config)?).await?;
        let made = make(&store, kind, &common, personal, author).await;
        store.close().await;
        put(&made?, &common)
    })
}

async fn make(
    store: &Store,
    kind: ReportKind,
    common: &Common,
    personal: bool,
    author: Option<Line>,
) -> Result<Report, Failure> {
    let latest = store.revisions().await?;
    let files = match store.revision(RevisionKind::Bundle, latest.bundle).await? {
        Some(revision) => revision.files,
        None => folder::bundle(&common.dir.config)?,
    };
    let people = match store.revision(RevisionKind::Participants, latest.participants).await? {
        Some(revision) => participants::parse(&revision.files).unwrap_or_default(),
        None => Vec::new(),
    };
    let regulations = Regulations::from_files(&files).map_err(|found| findings::refused(&found))?;
    let calendars = Calendars::from_files(&files).map_err(|found| findings::refused(&found))?;
    let in_use = |r: &&Regulation| people.iter().any(|p| p.regulation == r.id);
    let regulation = one_regulation(&regulations, common.regulation.as_deref(), in_use)?;
    let codes = CodeLists::from_files(&files).map_err(|errors| {
        Failure::new(errors.iter().map(|e| format!("{}: {}", e.file, e.message)).collect::<Vec<_>>().join("\n"))
    })?;
    let clock = Clock::default();
    let period = match (common.month.or(common.quarter).or(common.year), common.from, common.to) {
        (Some(period), ..) => period,
        (None, Some(from), Some(to)) => Period::days(from, to)?,
        (None, ..) => Period::month(Start::Instant(clock.business_now()).local_date(regulation.zone)),
    };
    let request = ReportRequest {
        kind,
        period,
        filter: ReportFilter {
            regulation: regulation.id.clone(),
            within: Scope { territories: common.territory.iter().cloned().collect(), ..Scope::whole() },
            debtor: common.participant.clone(),
            rule: common.rule.clone(),
        },
        personal,
        actor: author.map(|author| author.to_string()).unwrap_or_default(),
        at: clock.business_now(),
        now: clock.now(),
    };
    if let Some(rule) = &common.rule
        && regulation.rule(rule).is_none()
    {
        return Err(Failure::new(format!(
            "--rule {rule}: в регламенте `{id}` такого правила нет; список — mezhved regulation show {id} / the regulation has no such rule",
            id = regulation.id
        )));
    }
    let base =
        ReportBase { regulation, calendar: calendars.get(&regulation.calendar), participants: &people, codes: &codes };
    Ok(make_report(store, base, &request).await?)
}

/// The one that is named, or the only one in which somebody takes part.
fn one_regulation<'r>(
    regulations: &'r Regulations,
    named: Option<&str>,
    in_use: impl Fn(&&'r Regulation) -> bool,
) -> Result<&'r Regulation, Failure> {
    let list = |of: &[&Regulation]| of.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(", ");
    let all: Vec<&Regulation> = regulations.iter().collect();
    if let Some(id) = named {
        return regulations.get(id).ok_or_else(|| {
            let known = list(&all);
            Failure::new(format!("--regulation {id}: нет такого; есть {known} / there is none; there are {known}"))
        });
    }
    let used: Vec<&Regulation> = all.iter().copied().filter(in_use).collect();
    let one = if used.is_empty() { all } else { used };
    match one.as_slice() {
        [only] => Ok(only),
        several => {
            let known = list(several);
            Err(Failure::new(format!(
                "регламентов несколько ({known}): назовите один, --regulation / there are several regulations: name one"
            )))
        }
    }
}

fn put(made: &Report, common: &Common) -> Result<ExitCode, Failure> {
    let language = match common.lang {
        Lang::Ru => Language::Ru,
        Lang::En => Language::En,
    };
    let bytes = match common.format {
        Format::Text => report::text(made, language).into_bytes(),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&report::json(made))?).into_bytes(),
        Format::Csv => report::csv(made, language).into_bytes(),
        Format::Xlsx => report::xlsx(made, language)?,
    };
    match &common.out {
        Some(path) => write(path, &bytes)?,
        None => std::io::stdout().lock().write_all(&bytes)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Whole or not at all; readable by its owner only, for a register may hold personal data.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| Failure::of(&format!("--out {}", path.display()), &error);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
