//! `mezhved demo`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::serve::{start_log, stopped};
use super::{Failure, runtime};
use crate::demo::{self, DemoError, Options};
use crate::settings::{Log, LogFormat};

/// Показать весь обмен на этой машине / show the whole exchange on this machine
///
/// A gateway, the register and five simulated agencies, each a process with its own keys, on loopback, with an embedded database in a
/// temporary folder. Prints the page's address and a line for each event, and goes on until stopped (Ctrl-C). Nothing of a real
/// person is in it. Business time begins on 6 May 2026 and jumps to the next deadline whenever nothing is in flight.
///
/// Beside them an invented district of 29 agencies lives by the model programme: nine weeks of its past are in the database when the pages
/// open, and it goes on with the time.
///
/// One agency, `police`, receipts what it gets and answers nothing: it shows up as overdue.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Один сценарий до конца (меньше минуты) и итог / one scenario to its end, within a minute, and a summary. Exit status 0 only if
    /// nothing is lost and exactly the silent agency is overdue
    #[arg(long)]
    once: bool,
    /// С --once: на стандартном выводе только итог, один объект JSON / with --once: standard output holds only the summary, one flat
    /// object of integers; the lines for people go to standard error
    #[arg(long, requires = "once")]
    json: bool,
    /// RabbitMQ для двух ведомств / a RabbitMQ for two agencies, such as amqp://guest:guest@127.0.0.1:5672/%2f; without it they use the
    /// mailbox. The account must be able to declare and to use the queues mezhved.*
    #[arg(long, value_name = "URL")]
    amqp: Option<String>,
    /// Пустая база данных вместо встроенной / an empty database instead of the embedded one, such as
    /// postgres://user:password@127.0.0.1/mezhved_demo; one that holds anything is refused
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Оставить папку с ключами, настройками и записями / a folder (absent or empty) for keys, settings and records that stays
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Сколько дел начнётся с марта по декабрь в вымышленном округе, у которого уже есть история; 0 — без него / how many cases begin from
    /// March to December in an invented district that has a past already; 0: without it. A single scenario never has it
    #[arg(long, value_name = "N", default_value_t = 150, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    cases: u32,
    /// Журнал шлюза на стандартный вывод ошибок / the gateway's log on standard error: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    log: String,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    start_log(&Log { format: LogFormat::Human, level: args.log })?;
    let options = Options {
        once: args.once,
        aside: args.json,
        broker: args.amqp,
        database: args.database,
        keep: args.keep,
        cases: usize::try_from(args.cases).unwrap_or(usize::MAX),
    };
    let runtime = runtime()?;
    // From the first moment: a signal while everything starts must not leave the folder behind.
    let stop = {
        let _inside = runtime.enter();
        stopped()?
    };
    let played = runtime.block_on(demo::run(options, stop));
    let tally = match &played {
        Ok(tally) => *tally,
        Err(DemoError::Wrong { tally, .. }) => Some(*tally),
        Err(_) => None,
    };
    if let Some(tally) = tally.filter(|_| args.json) {
        println!("{}", serde_json::to_string(&tally)?);
    }
    played?;
    Ok(ExitCode::SUCCESS)
}
