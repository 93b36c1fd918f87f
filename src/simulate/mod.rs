//! Floor 8: a year of a region on a clock that is stepped. Honest, late and silent agencies exchange signed messages through the
//! production code, in this process and without sockets; at the end a report says what became of every term.
//!
//! | room | what it does |
//! |---|---|
//! | `draw`, `days` | drawn numbers that never change, office hours |
//! | `region` | the agencies with their keys, the gateway's folder |
//! | `life`, `bodies` | the script: what everybody sends and when, drawn before it begins |
//! | `post` | the simulated systems' side of the exchange |
//! | `stage` | steps the clock from instant to instant |
//! | `living` | the same region inside of another gateway: the demonstration's past, and how it goes on |
//! | `figures`, `paper` | counts and invariants out of the store, the report for people |
//!
//! The same seed gives the same report, byte for byte: the script depends on the seed alone, business time stands still between its
//! steps, messages of one case go one after the other, and nothing in the report shows a key, an id made on the way or the machine's time.

mod bodies;
mod days;
mod draw;
mod figures;
mod life;
mod living;
mod paper;
mod post;
mod region;
mod stage;
mod truth;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};

use crate::app::{self, StartError};
use crate::bundle::Files;
use crate::deadline::{Calendars, Finding, MissingYear, Regulation, Regulations};
use crate::gateway::dispatch::Ways;
use crate::gateway::{Clock, ConfigureError, Gateway, first_revisions};
use crate::settings::{Settings, SettingsError};
use crate::store::{Store, StoreError, StoreOptions};
use crate::transport::http::{HttpError, HttpOptions, Push};
use crate::vault::Vault;

use days::Workdays;
use life::Scene;
use region::Folder;
use stage::Stage;

pub use figures::{Broken, Figures};
pub(crate) use living::Living;
pub use paper::text;
pub use region::{RegionError, Temper};

/// The longest time that is simulated, in years.
const YEARS_MAX: i32 = 5;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// The id of the regulation.
    pub regulation: String,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// How many cases begin.
    pub cases: usize,
    /// What everything is drawn from.
    pub seed: u64,
    /// An empty database to use; `None`: an embedded one in the folder.
    pub database: Option<String>,
    /// A folder, absent or empty, that stays; `None`: a temporary one.
    pub keep: Option<PathBuf>,
}

/// Why a simulation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// There is no such regulation.
    #[error("регламента `{id}` нет; есть: {known} / there is no regulation `{id}`; there are: {known}")]
    Regulation {
        /// The one that was asked for.
        id: String,
        /// Those that there are.
        known: String,
    },
    /// The end lies before the beginning.
    #[error("--to {to} раньше --from {from} / --to {to} lies before --from {from}")]
    Backwards {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// The time is too long.
    #[error("от {from} до {to}: моделируется не больше {max} лет / from {from} to {to}: at most {max} years are simulated", max = YEARS_MAX)]
    TooLong {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// The regulation is not in force yet.
    #[error(
        "регламент `{id}` действует с {since}; начните моделирование не раньше / the regulation `{id}` is in force from {since}; \
         begin no earlier"
    )]
    NotInForce {
        /// The regulation.
        id: String,
        /// From which day it is.
        since: NaiveDate,
    },
    /// No case can begin under the regulation.
    #[error(
        "в регламенте `{0}` нет обмена `application`: дела не начинаются / the regulation `{0}` has no exchange `application`: no case can begin"
    )]
    NoCases(String),
    /// The regulation's calendar is not there.
    #[error("календаря `{0}` нет; добавьте calendars/{0}.csv / there is no calendar `{0}`; add calendars/{0}.csv")]
    Calendar(String),
    /// The calendar has no data for a year.
    #[error(transparent)]
    Year(#[from] MissingYear),
    /// Regulations or calendars cannot be read.
    #[error("ошибка в конфигурации / the configuration has errors:{}", .0.iter().map(|f| format!("\n  {f}")).collect::<String>())]
    Findings(Vec<Finding>),
    /// The database was used before.
    #[error(
        "база данных не пуста, а моделированию нужна пустая: создайте новую и назовите её в --database / the database is not empty \
         and a simulation needs an empty one: create a new one and name it with --database"
    )]
    DatabaseNotEmpty,
    /// The region could not be made.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// The gateway's settings, or the environment over them.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The gateway did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The configuration cannot be worked by.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
    /// HTTP, which nothing here uses, could not be prepared.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The database.
    #[error("база данных / the database")]
    Store(#[from] StoreError),
    /// A simulated system and the gateway did not understand each other.
    #[error("обмен / the exchange: {0}")]
    Exchange(String),
    /// A defect of the program.
    #[error("ошибка программы / a defect: {0}")]
    Defect(String),
}

impl From<crate::settings::folder::FolderError> for SimulateError {
    fn from(error: crate::settings::folder::FolderError) -> Self {
        Self::Start(StartError::Folder(error))
    }
}

/// Runs a simulation by the regulations and calendars of a bundle and returns its figures, broken invariants among them.
///
/// # Errors
/// When something asked for is not there, or the simulation did not come to its end.
pub async fn run(options: &Options, files: &Files) -> Result<Figures, SimulateError> {
    let regulations = Regulations::from_files(files).map_err(SimulateError::Findings)?;
    let regulation = regulation(options, &regulations)?;
    let days = days(options, regulation, files)?;
    if let Some(url) = &options.database
        && !Store::is_empty(&StoreOptions::new(url.clone())).await?
    {
        return Err(SimulateError::DatabaseNotEmpty);
    }
    let folder = Folder::make(options.keep.as_deref())?;
    let clock = Clock::standing_at(days.begins_at());
    let database = options.database.as_deref().map(absolute).transpose()?;
    let region = region::make(&folder, regulation, files, database.as_deref(), (options.seed, clock.now()))?;
    let gateway = gateway(folder.path(), clock).await?;
    let ways = Ways { push: Arc::new(Push::new(HttpOptions::default())?), amqp: None };
    let scene = Scene { regulation, region: &region, days: &days, seed: options.seed };
    let script = life::script(&scene, options.cases);
    let played = Stage::new(&gateway, &ways, (&region, &days), script).play().await;
    let figures = match played {
        Ok(tally) => figures::gather(&gateway, &scene, options, tally).await,
        Err(error) => Err(error),
    };
    gateway.store().close().await;
    figures
}

fn regulation<'r>(options: &Options, regulations: &'r Regulations) -> Result<&'r Regulation, SimulateError> {
    let found = regulations.get(&options.regulation).ok_or_else(|| SimulateError::Regulation {
        id: options.regulation.clone(),
        known: regulations.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    if !found.exchanges.iter().any(|e| e.message == "application") {
        return Err(SimulateError::NoCases(found.id.clone()));
    }
    Ok(found)
}

fn days(options: &Options, regulation: &Regulation, files: &Files) -> Result<Workdays, SimulateError> {
    let calendars = Calendars::from_files(files).map_err(SimulateError::Findings)?;
    let calendar = calendars.get(&regulation.calendar);
    let calendar = calendar.ok_or_else(|| SimulateError::Calendar(regulation.calendar.clone()))?;
    let (from, to) = (options.from, options.to);
    if to < from {
        return Err(SimulateError::Backwards { from, to });
    }
    for year in [from.year(), to.year()] {
        calendar.covers(year)?;
    }
    if to.year() - from.year() >= YEARS_MAX {
        return Err(SimulateError::TooLong { from, to });
    }
    if from < regulation.effective_from {
        return Err(SimulateError::NotInForce { id: regulation.id.clone(), since: regulation.effective_from });
    }
    Ok(Workdays::new(calendar, from, to, regulation.zone)?)
}

/// A relative file of SQLite is meant from where the program was started, not from the simulation's folder.
fn absolute(url: &str) -> Result<String, SimulateError> {
    match url.strip_prefix("sqlite:").filter(|file| !file.starts_with("//")) {
        Some(file) => {
            let path = Path::new(file);
            let absolute =
                std::path::absolute(path).map_err(|source| RegionError::File { path: path.to_path_buf(), source })?;
            Ok(format!("sqlite:{}", absolute.display()))
        }
        None => Ok(url.to_owned()),
    }
}

/// The gateway of a folder, without ports and loops: the stage steps it.
async fn gateway(folder: &Path, clock: Clock) -> Result<Gateway, SimulateError> {
    let settings = Settings::load(folder)?;
    let signer = app::signer(&settings)?;
    let own = app::read_folder(folder)?;
    let store = app::open_store_with(&settings, false).await?;
    let snapshot = first_revisions(&store, &own.participants, &own.bundle, &settings.gateway.id, &clock).await?;
    let vault = Vault::folder(settings.path(&settings.attachments.folder));
    Ok(Gateway::new(settings, "simulate".to_owned(), store, Arc::new(signer), Arc::new(clock), snapshot, vault))
}
