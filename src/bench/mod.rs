//! How fast the whole is: a gateway, a load generator and receiving systems as processes of their own on loopback, with the floors of the
//! same minute beside them.

mod figures;
mod floors;
mod home;
mod load;
mod postgres;
mod protocol;
mod sink;
mod stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use figures::{Figures, Quantiles, Report};
use postgres::Postgres;
use protocol::{Order, Said, Sent};
use stage::Stage;

use crate::crypto::KeyKind;

/// The hidden command under which a helper runs.
pub const PART_COMMAND: &str = "bench-part";

/// For what was accepted to come to its recipient.
const DRAIN_MAX: Duration = Duration::from_secs(60);
/// Requests under way while the highest rate is looked for.
const AT_ONCE: usize = 32;
/// Messages that warm connections, plans and caches.
const WARM: usize = 400;

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

/// The store of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// One way in which messages go.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    name: &'static str,
    engine: Engine,
    /// Of the sender and of the partners; the gateway signs with ECDSA P-256.
    key: KeyKind,
    /// Receiving systems, to which messages go in turn.
    partners: usize,
    /// The first of them does not answer.
    dead: bool,
    /// They fetch for themselves, and here nobody does.
    mailbox: bool,
    /// The partners' adapter.
    adapter: Option<&'static str>,
    /// Bytes of a file in each envelope.
    file_bytes: usize,
}

impl Scenario {
    const fn plain(name: &'static str, engine: Engine) -> Self {
        Self {
            name,
            engine,
            key: KeyKind::P256,
            partners: 1,
            dead: false,
            mailbox: false,
            adapter: None,
            file_bytes: 0,
        }
    }

    /// Those that get anything, as a part of those that are sent to.
    fn reaches(&self) -> bool {
        !self.mailbox
    }
}

/// The scenarios; the first two are those of a run without options.
fn scenarios() -> Vec<Scenario> {
    use Engine::{Postgres, Sqlite};
    let plain = Scenario::plain;
    vec![
        plain("HTTP-HTTP, SQLite", Sqlite),
        plain("HTTP-HTTP, PostgreSQL", Postgres),
        Scenario { key: KeyKind::Rsa, ..plain("HTTP-HTTP, RSA-2048, SQLite", Sqlite) },
        Scenario { file_bytes: 190_000, ..plain("HTTP-HTTP, 256 KB, SQLite", Sqlite) },
        Scenario { file_bytes: 190_000, ..plain("HTTP-HTTP, 256 KB, PostgreSQL", Postgres) },
        Scenario { adapter: Some("health"), ..plain("HTTP-HTTP, translated, SQLite", Sqlite) },
        Scenario { mailbox: true, ..plain("HTTP-mailbox, SQLite", Sqlite) },
        Scenario { mailbox: true, ..plain("HTTP-mailbox, PostgreSQL", Postgres) },
        Scenario { partners: 8, ..plain("HTTP-HTTP, 8 partners, SQLite", Sqlite) },
        Scenario { partners: 8, dead: true, ..plain("HTTP-HTTP, 8 partners, 1 dead, SQLite", Sqlite) },
        Scenario { partners: 8, ..plain("HTTP-HTTP, 8 partners, PostgreSQL", Postgres) },
        Scenario { partners: 8, dead: true, ..plain("HTTP-HTTP, 8 partners, 1 dead, PostgreSQL", Postgres) },
    ]
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
    let wanted: Vec<Scenario> = match &options.only {
        Some(text) => scenarios().into_iter().filter(|s| s.name.contains(text.as_str())).collect(),
        None if options.full => scenarios(),
        None => scenarios().into_iter().take(2).collect(),
    };
    if wanted.is_empty() {
        return Err(BenchError::NoScenario(options.only.clone().unwrap_or_default()));
    }
    let on_postgres = wanted.iter().filter(|s| s.engine == Engine::Postgres).count();
    if options.postgres.is_some() && on_postgres > 1 {
        return Err(BenchError::OneDatabase(on_postgres));
    }
    let private = if on_postgres > 0 && options.postgres.is_none() { Postgres::start().await? } else { None };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut report = Report { version: env!("CARGO_PKG_VERSION").to_owned(), processors, scenarios: Vec::new() };
    say(&format!("процессоров / processors: {processors}\n"));
    for (number, scenario) in wanted.iter().enumerate() {
        let database = match (scenario.engine, &private, &options.postgres) {
            (Engine::Sqlite, _, _) => "sqlite:data/mezhved.db".to_owned(),
            (Engine::Postgres, _, Some(url)) => url.clone(),
            (Engine::Postgres, Some(server), None) => server.database(&format!("bench{number}")).await?,
            (Engine::Postgres, None, None) => {
                let why = "PostgreSQL не установлен, есть --postgres URL / is not installed; there is --postgres URL";
                say(&format!("{}: {why}\n", scenario.name));
                continue;
            }
        };
        say(&format!("{}\n", scenario.name));
        let figures = play(scenario, &database, options.seconds).await?;
        say(&figures::shown(&figures));
        report.scenarios.push(figures);
    }
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

/// What arrived, by message.
type Arrivals = BTreeMap<uuid::Uuid, i64>;

async fn send(stage: &mut Stage, order: &Order) -> Result<Vec<Sent>, BenchError> {
    let Said::Done { sent, trouble } = stage.load.ask(order).await? else {
        return Err(BenchError::Defect("the load generator said something else".to_owned()));
    };
    match trouble {
        Some(trouble) => Err(BenchError::Refused(trouble)),
        None => Ok(sent),
    }
}

async fn sign(stage: &mut Stage, messages: usize) -> Result<(), BenchError> {
    stage.load.ask(&Order::Sign { messages }).await.map(drop)
}

/// Waits until everything that was sent to a living partner has come; returns how many came more than once.
async fn drain(stage: &mut Stage, scenario: &Scenario, sent: &[Sent], come: &mut Arrivals) -> Result<u64, BenchError> {
    if !scenario.reaches() {
        return Ok(0);
    }
    let ends = Instant::now() + DRAIN_MAX;
    // Messages go to the partners in turn, so of a dead one is its part.
    let living = scenario.partners.saturating_sub(usize::from(scenario.dead));
    let wanted = sent.len().saturating_mul(living) / scenario.partners.max(1);
    loop {
        let Said::Arrived { messages, repeated } = stage.sink.ask(&"what has come").await? else {
            return Err(BenchError::Defect("the sink said something else".to_owned()));
        };
        come.extend(messages);
        let there = sent.iter().filter(|one| come.contains_key(&one.id)).count();
        // A dead partner's part is not exact where the time ran out in the middle of a round.
        if there.saturating_add(scenario.partners) > wanted && (scenario.dead || there == sent.len()) {
            return Ok(repeated);
        }
        if Instant::now() > ends {
            return Err(BenchError::Lost { missing: sent.len().saturating_sub(there), sent: sent.len() });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn span_seconds(from: impl Iterator<Item = i64>, to: impl Iterator<Item = i64>) -> f64 {
    let (from, to) = (from.min().unwrap_or_default(), to.max().unwrap_or_default());
    (to.saturating_sub(from) as f64 / 1e6).max(1e-6)
}

async fn play(scenario: &Scenario, database: &str, seconds: f64) -> Result<Figures, BenchError> {
    let mut stage = Stage::set(scenario, database).await?;
    let mut come = Arrivals::new();
    sign(&mut stage, WARM).await?;
    let warm = send(&mut stage, &Order::Push { at_once: AT_ONCE, seconds: 30.0 }).await?;
    drain(&mut stage, scenario, &warm, &mut come).await?;
    let warm_rate =
        warm.len() as f64 / span_seconds(warm.iter().map(|s| s.at), warm.iter().filter_map(|s| s.receipt_at));

    // The highest rate, and what a message costs there.
    sign(&mut stage, (warm_rate * seconds * 2.5) as usize).await?;
    let before = stage.used().await?;
    let pushed = send(&mut stage, &Order::Push { at_once: AT_ONCE, seconds }).await?;
    let mut repeated = drain(&mut stage, scenario, &pushed, &mut come).await?;
    let after = stage.used().await?;
    let count = pushed.len().max(1) as f64;
    let receipts = || pushed.iter().filter_map(|s| s.receipt_at);
    let accepted_per_second = count / span_seconds(pushed.iter().map(|s| s.at), receipts());
    let arrivals = || pushed.iter().filter_map(|s| come.get(&s.id).copied());
    let delivered_per_second =
        scenario.reaches().then(|| arrivals().count() as f64 / span_seconds(pushed.iter().map(|s| s.at), arrivals()));

    // The times at half of it.
    let sustained = delivered_per_second.unwrap_or(accepted_per_second).min(accepted_per_second);
    let rate = sustained / 2.0;
    sign(&mut stage, (rate * seconds) as usize).await?;
    let paced = send(&mut stage, &Order::Pace { rate, seconds }).await?;
    repeated = drain(&mut stage, scenario, &paced, &mut come).await?.max(repeated);
    let accept = paced.iter().filter_map(|s| Some(s.receipt_at?.saturating_sub(s.at))).collect();
    let end_to_end = paced.iter().filter_map(|s| Some(come.get(&s.id)?.saturating_sub(s.at))).collect();

    let floors = floors::measure(&stage.signer, &stage.certificate, &stage.sample, stage.folder.path())?;
    let own = floors.cryptography_us();
    let figures = Figures {
        scenario: scenario.name.to_owned(),
        envelope_bytes: stage.sample.len(),
        messages: pushed.len(),
        accepted_per_second,
        delivered_per_second,
        accept_ms: Quantiles::of(accept),
        end_to_end_ms: scenario.reaches().then(|| Quantiles::of(end_to_end)),
        cpu_us: (after.cpu_seconds - before.cpu_seconds) * 1e6 / count,
        commits: (after.commits - before.commits) / count,
        peak_mib: stage.peak_mib().unwrap_or_default(),
        floors,
        // A message that is fetched needs one verification and one signature until it lies there.
        cryptography_us: if scenario.reaches() { own } else { own / 2.0 },
        repeated,
    };
    stage.strike().await;
    Ok(figures)
}
