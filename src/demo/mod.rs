//! Floor 8: the demonstration. A gateway in this process, and the register with five agencies as processes of their own, on
//! loopback, in a folder that is removed at the end.
//!
//! | room | what it does |
//! |---|---|
//! | `home` | keys, the systems' folders, the gateway's configuration |
//! | `company` | the systems as child processes, each a `mezhved partner simulate` |
//! | `district` | further agencies with some weeks of history, in this process |
//! | `scenario` | what happens, and when business time jumps |
//! | `tally` | the systems' own records against the gateway's store |
//! | `voice` | the lines that people read |
//!
//! Business time begins on 6 May 2026: the holidays of May lie ahead, and the calendar covers the whole year.

mod company;
mod district;
mod home;
mod scenario;
mod tally;
mod voice;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::access::{Role, Scope};
use crate::app::{Node, StartError};
use crate::crypto::{CryptoError, generate};
use crate::domain::{CaseId, Line, Login, MessageId, ParticipantId, Zone};
use crate::gateway::Clock;
use crate::gateway::people::{hash_password, new_account_id};
use crate::settings::{Settings, SettingsError};
use crate::simulate::SimulateError;
use crate::store::{NewAccount, Store, StoreError, StoreOptions};

use company::Company;
use home::{Home, Plan};
use scenario::Stage;
pub use tally::Tally;
use voice::Voice;

/// Who signs in to the demonstration's pages.
const LOGIN: &str = "demo";
/// Letters and digits of the password, which is another one in each run.
const PASSWORD_CHARS: usize = 16;

/// What to show.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// One scripted scenario to its end instead of going on until stopped.
    pub once: bool,
    /// Lines for people go to standard error: standard output belongs to the caller.
    pub aside: bool,
    /// A RabbitMQ that two agencies use; `None`: they use the mailbox.
    pub broker: Option<String>,
    /// An empty database to use; `None`: an embedded one in the folder.
    pub database: Option<String>,
    /// A folder, absent or empty, that stays; `None`: a temporary one.
    pub keep: Option<PathBuf>,
    /// How many cases begin in ten months of the district whose past is there already; 0: there is no such district. A scripted
    /// scenario has none: it counts everything.
    pub cases: usize,
}

/// Why a demonstration did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file or folder.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder of `--keep` has something in it.
    #[error("папка {0} не пуста; укажите новую / the folder {0} is not empty: name a new one")]
    FolderNotEmpty(PathBuf),
    /// The database was used before.
    #[error(
        "база данных не пуста, а демонстрации нужна пустая: создайте новую (createdb mezhved_demo) и назовите её в --database / \
         the database is not empty and the demonstration needs an empty one: create a new one (createdb mezhved_demo) and name it \
         with --database"
    )]
    DatabaseNotEmpty,
    /// A key could not be made.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The demonstration's settings, or the environment over them.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The gateway did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database.
    #[error("база данных / the database")]
    Store(#[from] StoreError),
    /// The district with a past.
    #[error("округ с историей / the district with a past")]
    Simulate(#[from] SimulateError),
    /// A simulated system could not be started.
    #[error("система {id} не запускается / system {id} does not start")]
    Spawn {
        /// Which.
        id: ParticipantId,
        /// Why.
        source: std::io::Error,
    },
    /// A simulated system is gone.
    #[error("система {0} завершилась раньше времени / system {0} ended before its time")]
    SystemEnded(ParticipantId),
    /// Systems could not connect.
    #[error("не подключились / not connected: {0}")]
    NotConnected(String),
    /// The exchange did not come to rest.
    #[error("за {seconds} с обмен не завершился / the exchange did not come to rest within {seconds} s")]
    NotQuiet {
        /// The limit.
        seconds: u64,
    },
    /// The gateway refused a message of the scenario.
    #[error("шлюз отказал / the gateway refused: {sender} {id}: {code}")]
    Refused {
        /// Whose.
        sender: ParticipantId,
        /// Which.
        id: MessageId,
        /// Why.
        code: String,
    },
    /// It was stopped before its end.
    #[error("остановлено до конца сценария / stopped before the scenario's end")]
    Stopped,
    /// The scenario's end is not as it must be.
    #[error("итог не тот / the end is not as it must be:{}", .problems.iter().map(|p| format!("\n  {p}")).collect::<String>())]
    Wrong {
        /// The numbers.
        tally: Tally,
        /// What is wrong.
        problems: Vec<String>,
    },
    /// A defect of the program.
    #[error("ошибка программы / a defect: {0}")]
    Defect(String),
}

impl DemoError {
    fn not_connected(systems: &BTreeSet<ParticipantId>) -> Self {
        let ids: Vec<&str> = systems.iter().map(ParticipantId::as_str).collect();
        Self::NotConnected(ids.join(", "))
    }
}

/// Runs the demonstration. `stop` ends one that goes on; then, and only then, there is no tally.
///
/// # Errors
/// When something could not be started, the exchange did not come to rest, or the scenario's end is not as it must be.
pub async fn run(options: Options, stop: impl Future<Output = ()>) -> Result<Option<Tally>, DemoError> {
    let zone = Zone::parse(home::ZONE).ok_or_else(|| DemoError::Defect("the zone".to_owned()))?;
    let voice = Voice { aside: options.aside, zone };
    let database = options.database.as_deref().map(database_url).transpose()?;
    if let Some(url) = &database {
        empty(url).await?;
    }
    let clock = clock()?;
    let home = Home::make(options.keep.as_deref(), clock.now())?;
    let cases = [(); 3].map(|()| CaseId::from_uuid(uuid::Uuid::now_v7()));
    let plan = Plan {
        database: database.as_deref(),
        broker: options.broker.as_deref(),
        measures: &scenario::measures(&cases),
        measures_to: if options.once { "2026-05" } else { "2026-11" },
    };
    let config = home.write_gateway(&plan)?;
    if !options.once {
        let (agency, kind) = scenario::GAP;
        home.write_gap(agency, kind)?;
    }
    let mut district = district::settle(&options, &home, &config, clock.now())?;
    let mut company = Company::start(&config, home.seats())?;
    home.write_addresses(&plan, &company.addresses().await?)?;
    if let Some(district) = &mut district {
        district::past(voice, district, &config).await?;
    }
    let settings = Settings::load(&config)?;
    let node = Node::start(settings, "demo".to_owned(), Arc::new(clock)).await?;
    let password = add_person(&node).await?;
    introduce(voice, &node, &options, &home, &password);
    let mut stage = Stage::new(&node, company, voice, district);
    let played = async {
        stage.begin().await?;
        if options.once { stage.once(&cases).await } else { stage.on_and_on(&cases).await }
    };
    let ended = tokio::select! {
        played = played => played.map(|()| true),
        () = stop => if options.once { Err(DemoError::Stopped) } else { Ok(false) },
    };
    stage.end().await;
    let verdict = match ended {
        Ok(true) => tally::count(node.gateway().store(), &home.systems()).await.map(Some),
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    node.stop().await;
    if home.is_kept() {
        voice.line(&format!("папка / folder: {}", home.dir().display()));
    }
    conclude(voice, verdict?)
}

fn conclude(voice: Voice, verdict: Option<tally::Verdict>) -> Result<Option<Tally>, DemoError> {
    let Some(tally::Verdict { tally, problems }) = verdict else {
        voice.line("\nостановлено / stopped");
        return Ok(None);
    };
    if !voice.aside {
        voice.table(&tally);
    }
    if problems.is_empty() { Ok(Some(tally)) } else { Err(DemoError::Wrong { tally, problems }) }
}

/// A clock whose business time begins where the demonstration does.
fn clock() -> Result<Clock, DemoError> {
    let begin = scenario::instant(scenario::BEGINS_AT)?;
    Ok(Clock::with_offset(begin.since(Clock::default().now())))
}

/// Makes an account with every role and a password of this run, and answers the password.
async fn add_person(node: &Node) -> Result<String, DemoError> {
    let letters = generate::token()?.to_lowercase();
    let letters: Vec<char> = letters.chars().filter(char::is_ascii_alphanumeric).take(PASSWORD_CHARS).collect();
    let password = letters.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-");
    let hashed = password.clone();
    let hash = tokio::task::spawn_blocking(move || hash_password(&hashed)).await;
    let hash = hash.map_err(|e| DemoError::Defect(e.to_string()))?.map_err(DemoError::Defect)?;
    let defect = |e: crate::domain::IdError| DemoError::Defect(e.to_string());
    let new = NewAccount {
        id: new_account_id(),
        login: Login::parse(LOGIN).map_err(defect)?,
        name: Line::parse("Демонстрация").map_err(defect)?,
        password: Some(hash),
        must_change: false,
        roles: Role::ALL.iter().copied().collect(),
        scope: Scope::whole(),
        data_classes: None,
    };
    node.gateway().store().add_account(new, "demo", node.gateway().clock().now()).await?;
    Ok(password)
}

fn introduce(voice: Voice, node: &Node, options: &Options, home: &Home, password: &str) {
    voice.line(&format!("страница / page: {}/", node.pages()));
    voice.line(&format!("вход / sign in:  {LOGIN}  пароль / password: {password}"));
    voice.line(&format!("шлюз / gateway:  http://{}", node.agencies()));
    voice.line(match options.broker {
        Some(_) => "education и police обмениваются через RabbitMQ / use RabbitMQ",
        None => "брокера нет: education и police забирают почту из ящика (--amqp URL даёт им RabbitMQ) / no broker: they use the mailbox",
    });
    voice.line(match options.database {
        Some(_) => "база данных задана в --database / the database is the one given",
        None => "база данных: SQLite в папке демонстрации / the database is SQLite in the demonstration's folder",
    });
    if home.is_kept() {
        voice.line(&format!("папка / folder: {}", home.dir().display()));
    }
    voice.line("");
}

/// A relative file of SQLite is meant from where the program was started, not from the demonstration's folder.
fn database_url(url: &str) -> Result<String, DemoError> {
    match url.strip_prefix("sqlite:") {
        Some(file) if !file.starts_with("//") => {
            let path = Path::new(file);
            let absolute =
                std::path::absolute(path).map_err(|source| DemoError::File { path: path.to_path_buf(), source })?;
            Ok(format!("sqlite:{}", absolute.display()))
        }
        Some(_) | None => Ok(url.to_owned()),
    }
}

/// Refuses a database that holds anything: the demonstration counts everything in it.
async fn empty(url: &str) -> Result<(), DemoError> {
    if Store::is_empty(&StoreOptions::new(url)).await? { Ok(()) } else { Err(DemoError::DatabaseNotEmpty) }
}
