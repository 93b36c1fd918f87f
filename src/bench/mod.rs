//! How fast the whole is: a gateway, a load generator and receiving systems as processes of their own on loopback, with the floors of the
//! same minute beside them.

mod broker;
mod door;
mod figures;
mod floors;
mod home;
mod load;
mod play;
mod postgres;
mod protocol;
mod scenario;
mod sink;
mod stage;

use std::path::{Path, PathBuf};

use figures::Report;
use postgres::Postgres;
use scenario::Engine;
use stage::Places;

/// The hidden command under which a helper runs.
pub const PART_COMMAND: &str = "bench-part";

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// All scenarios, not only the two that say most.
    pub full: bool,
    /// Those whose name holds this text.
    pub only: Option<String>,
    /// Seconds of each of the two parts of a scenario.
    pub seconds: f64,
    /// A PostgreSQL server's database to use instead of a private one.
    pub postgres: Option<String>,
    /// The address of a RabbitMQ, for the scenarios that need one; its account must be an administrator's.
    pub amqp: Option<String>,
    /// Where the figures are written as JSON.
    pub json: Option<PathBuf>,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The gateway did not start; its log.
    #[error("шлюз не запустился / the gateway did not start:\n{0}")]
    Gateway(String),
    /// A message was refused.
    #[error("сообщение не принято / a message was not accepted: {0}")]
    Refused(String),
    /// What was accepted did not come.
    #[error("не пришло получателю за минуту: {missing} из {sent} / did not come to the recipient within a minute")]
    Lost {
        /// How many.
        missing: usize,
        /// Of how many.
        sent: usize,
    },
    /// A private PostgreSQL could not be started.
    #[error(
        "свой PostgreSQL не запустился ({0}); есть --postgres URL / a private PostgreSQL did not start; there is --postgres URL"
    )]
    Postgres(&'static str),
    /// One empty database, and several scenarios that need one.
    #[error(
        "--postgres: база одна, а сценариев на PostgreSQL {0}; выберите один, --only / one database, and so many scenarios; choose one by --only"
    )]
    OneDatabase(usize),
    /// A file of an earlier run.
    #[error("{0}: это не отчёт `mezhved bench --json` / this is no report of that command")]
    Report(PathBuf),
    /// No scenario has such a name.
    #[error("нет такого сценария / no such scenario: {0}")]
    NoScenario(String),
    /// Something of the system, or of ours.
    #[error("{0}")]
    Defect(String),
}

impl BenchError {
    fn defect(error: &dyn std::error::Error) -> Self {
        Self::Defect(crate::domain::chain(error))
    }
}

/// Microseconds since 1970, by the machine's clock, which the helpers share.
fn now_micros() -> i64 {
    crate::gateway::Clock::default().now().micros()
}

/// Runs a helper.
///
/// # Errors
/// When its home is not what it must be.
pub async fn part(name: &str, home: &Path) -> Result<(), BenchError> {
    match name {
        "load" => load::run(home).await,
        "sink" => sink::run(home).await,
        other => Err(BenchError::Defect(format!("{PART_COMMAND}: `{other}`; load or sink"))),
    }
}

/// Runs the scenarios, and says what each came to as soon as it is known.
///
/// # Errors
/// When a process does not start, a message is refused, or what was accepted does not arrive.
pub async fn run(options: &Options, mut say: impl FnMut(&str)) -> Result<(), BenchError> {
    let wanted = scenario::wanted(options.full, options.only.as_deref())?;
    let on_postgres = wanted.iter().filter(|s| s.engine == Engine::Postgres).count();
    if options.postgres.is_some() && on_postgres > 1 {
        return Err(BenchError::OneDatabase(on_postgres));
    }
    let private = if on_postgres > 0 && options.postgres.is_none() { Postgres::start().await? } else { None };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut report = Report { version: env!("CARGO_PKG_VERSION").to_owned(), processors, scenarios: Vec::new() };
    say(&format!("процессоров / processors: {processors}\n"));
    for (number, scenario) in wanted.iter().enumerate() {
        if scenario.needs_broker() && options.amqp.is_none() {
            say(&format!("{}: нужен брокер, --amqp URL / a broker is needed: --amqp URL\n", scenario.name));
            continue;
        }
        let database = match (scenario.engine, &private, &options.postgres) {
            (Engine::Sqlite, _, _) => None,
            (Engine::Postgres, _, Some(url)) => Some(url.clone()),
            (Engine::Postgres, Some(server), None) => Some(server.database(&format!("bench{number}")).await?),
            (Engine::Postgres, None, None) => {
                let why = "PostgreSQL не установлен, есть --postgres URL / is not installed; there is --postgres URL";
                say(&format!("{}: {why}\n", scenario.name));
                continue;
            }
        };
        say(&format!("{}\n", scenario.name));
        let places = Places { postgres: database.as_deref(), broker: options.amqp.as_deref() };
        let figures = play::play(scenario, places, options.seconds).await?;
        say(&figures::shown(&figures));
        report.scenarios.push(figures);
        if let (Some(server), Some(_)) = (&private, database) {
            server.forget(&format!("bench{number}")).await?;
        }
    }
    say(&figures::beside(&report));
    let Some(path) = &options.json else { return Ok(()) };
    let text = serde_json::to_vec_pretty(&report).map_err(|e| BenchError::defect(&e))?;
    std::fs::write(path, text).map_err(|e| BenchError::Defect(format!("{}: {e}", path.display())))
}

/// Ratios of a later run to an earlier one.
///
/// # Errors
/// When a file is no report.
pub fn compare(before: &Path, after: &Path) -> Result<String, BenchError> {
    let read = |path: &Path| -> Result<Report, BenchError> {
        let bytes = std::fs::read(path).map_err(|e| BenchError::Defect(format!("{}: {e}", path.display())))?;
        serde_json::from_slice(&bytes).map_err(|_| BenchError::Report(path.to_path_buf()))
    };
    Ok(figures::compared(&read(before)?, &read(after)?))
}
