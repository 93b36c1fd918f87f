//! `mezhved simulate`.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;

use super::serve::start_log;
use super::{ConfigDir, Failure};
use crate::settings::{Log, LogFormat};
use crate::simulate::{self, Options};

const HELP: &str = "\
Один и тот же --seed при одной и той же версии программы и тех же файлах даёт один и тот же отчёт, байт в байт, на любой машине и в \
любой день. Код возврата 1, если нарушен хотя бы один инвариант: обязательство открыто дважды, срок прошёл, а не просрочено, журнал не \
сходится, принято не то, что послано.

The same --seed with the same version of the program and the same files gives the same report, byte for byte, on any machine and any \
day. Exit status 1 when an invariant does not hold: an obligation opened twice, a term over and not overdue, a journal that is not \
whole, another number accepted than sent.

Примеры / examples:
  mezhved simulate --regulation yugra --from 2026-01-01 --to 2026-12-31 --cases 1000 --seed 7
  mezhved simulate --regulation my-region --config /etc/mezhved --from 2026-01-01 --to 2026-03-31 --cases 50   # свой регламент
  mezhved simulate --regulation yugra --from 2026-01-01 --to 2026-03-31 --cases 20 --keep region               # и посмотреть:
  mezhved deadline list --config region";

/// Прожить год региона за минуту / live a year of a region in a minute
///
/// Honest, late and silent agencies on a fake clock, through the production code: signed messages, deliveries, deadlines, the journal.
/// At the end a report: obligations by rule and state, the share in time by participant, the worst delays. Nothing of a real person is
/// in it. To rehearse a regulation before it is put in force.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Регламент / the regulation, by its id
    #[arg(long, value_name = "ID")]
    regulation: String,
    /// Первый день / the first day
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// Последний день / the last day
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
    /// Сколько дел начнётся / how many cases begin
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    cases: u32,
    /// Из чего всё разыгрывается / what everything is drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Те же числа одним объектом JSON / the same figures as one JSON object
    #[arg(long)]
    json: bool,
    /// Пустая база данных вместо временной / an empty database instead of a temporary one, such as
    /// postgres://user:password@127.0.0.1/mezhved_simulate; one that holds anything is refused
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Оставить папку с настройками и базой / a folder (absent or empty) for the configuration and the database that stays
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Журнал шлюза на стандартный вывод ошибок / the gateway's log on standard error: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    log: String,
    #[command(flatten)]
    dir: ConfigDir,
}

/// Hundreds of cases go on at one instant, and all of it is computing: more threads than these only take turns.
fn threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).max_blocking_threads(4).enable_all().build()
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    start_log(&Log { format: LogFormat::Human, level: args.log })?;
    let files = args.dir.bundle()?;
    let options = Options {
        regulation: args.regulation,
        from: args.from,
        to: args.to,
        cases: usize::try_from(args.cases).unwrap_or(usize::MAX),
        seed: args.seed,
        database: args.database,
        keep: args.keep,
    };
    let figures = threads()?.block_on(simulate::run(&options, &files))?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&figures)?)?;
    } else {
        say_part!("{}", simulate::text(&figures))?;
    }
    Ok(if figures.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
