//! `mezhved partner`: participants and everything else that is the same on every node.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use similar::TextDiff;

use super::{ConfigDir, Failure, runtime, table};
use crate::app::{Folder, open_store, read_folder};
use crate::bundle::Files;
use crate::deadline::Severity;
use crate::domain::{Framing, Line, TransportKind};
use crate::gateway::snapshot::compile;
use crate::gateway::{Clock, differences};
use crate::settings::{Settings, folder, participants};
use crate::store::{RevisionKind, Store};
use crate::transport::amqp::{gateway_permissions, permissions};

/// Участники и правила обмена / participants, and the rules they exchange by
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Ввести папку в действие новой редакцией, целиком или никак / put the folder in force as a new revision, all or nothing
    ///
    /// Prints the broker permissions of participants that use RabbitMQ. All nodes work by the new revision within 2 seconds.
    Apply {
        #[command(flatten)]
        dir: ConfigDir,
        /// Зачем / why, for the history
        #[arg(long, default_value = "")]
        comment: String,
        /// Кто, для истории; без него — пользователь системы / who, for the history; the user of the system when left out
        #[arg(long, env = "USER", hide_env_values = true, default_value = "administrator", value_name = "WHO")]
        author: Line,
    },
    /// Показать отличия папки от действующей редакции, или двух редакций / show how the folder differs from the revision in force, or how
    /// two revisions differ
    Diff {
        #[command(flatten)]
        dir: ConfigDir,
        /// Две редакции: старая и новая / two revisions: the old and the new one
        #[arg(value_name = "REV", num_args = 2)]
        revisions: Vec<i64>,
        /// Только этого участника / only of this participant
        #[arg(long, value_name = "ID", requires = "revisions", conflicts_with = "bundle")]
        participant: Option<String>,
        /// Редакции правил, а не участников / revisions of the rules, not of the participants
        #[arg(long, requires = "revisions")]
        bundle: bool,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Записать действующую редакцию в папку / write the revision in force into a folder
    Export {
        #[command(flatten)]
        dir: ConfigDir,
        /// Куда / where to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Перечислить участников / list the participants in force
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Edit(super::partner_edit::Command),
    /// Проверить связь: подписанное сообщение тем же путём, что и доставки, по шагам / try the way: a signed message by the way of
    /// deliveries, step by step
    ///
    /// Ждёт подписанной квитанции участника. Код завершения 1, если какой-то шаг не удался.
    /// Waits for the participant's signed receipt. Exit status 1 if a step failed.
    Ping(super::partner_ping::PingArgs),
    /// Заменить систему участника, пока своей нет / stand in for a participant's system until its own is ready
    ///
    /// Говорит его ключом, формой и транспортом: квитирует, что приходит, отвечает на запросы вымышленными данными и делает то, о чём
    /// напоминает шлюз. Только для репетиций: нужен закрытый ключ участника. Печатает по строке JSON на событие; номера, без тел.
    ///
    /// Speaks with its key, in its form and over its transport: it receipts what comes, answers requests with invented data, and does
    /// what the gateway reminds it of. For rehearsals only: the participant's private key is needed. Prints a JSON line for each event,
    /// ids and no bodies.
    ///
    /// Пример / Example: mezhved partner simulate police --behaviour late --config DIR
    Simulate(super::partner_simulate::SimulateArgs),
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async move {
        match args.command {
            Command::Apply { dir, comment, author } => apply(&dir, &comment, author.as_str()).await,
            Command::Diff { dir, revisions, participant, bundle, json } => match revisions.as_slice() {
                [from, to] => {
                    let of = (participant.as_deref(), bundle);
                    super::partner_edit::diff(&dir, (*from, *to), of, json).await
                }
                _ => diff(&dir, json).await,
            },
            Command::Edit(command) => super::partner_edit::run(command).await,
            Command::Ping(args) => super::partner_ping::run(args).await,
            Command::Export { dir, out } => export(&dir, &out).await,
            Command::List { dir, json } => list(&dir, json).await,
            Command::Simulate(args) => super::partner_simulate::run(args).await,
        }
    });
    // A stand-in that was stopped may still wait for a line of its input or for the gateway.
    runtime.shutdown_background();
    ended
}

/// What is in force: the latest revision of each kind, empty where there is none.
async fn in_force(store: &Store) -> Result<(Folder, crate::store::Revisions), Failure> {
    let latest = store.revisions().await?;
    let people = store.revision(RevisionKind::Participants, latest.participants).await?;
    let bundle = store.revision(RevisionKind::Bundle, latest.bundle).await?;
    let files = |revision: Option<crate::store::Revision>| revision.map_or_else(Files::new, |r| r.files);
    Ok((Folder { participants: files(people), bundle: files(bundle) }, latest))
}

async fn apply(dir: &ConfigDir, comment: &str, author: &str) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&dir.config)?;
    let own = read_folder(&dir.config)?;
    let clock = Clock::default();
    let compiled = compile((1, &own.participants), (1, &own.bundle), &settings.gateway.id, clock.business_now());
    for finding in &compiled.findings {
        eprintln!("{finding}");
    }
    if compiled.findings.iter().any(|f| f.severity == Severity::Error) {
        return Err(Failure::new(
            "ничего не изменено: сначала исправьте ошибки / nothing was changed: mend the errors first",
        ));
    }
    let store = open_store(&settings).await?;
    let (old, latest) = in_force(&store).await?;
    let mut changes = Vec::new();
    for (kind, number, old, new) in [
        (RevisionKind::Bundle, latest.bundle, &old.bundle, &own.bundle),
        (RevisionKind::Participants, latest.participants, &old.participants, &own.participants),
    ] {
        if number == 0 || !differences(old, new).is_empty() {
            changes.push((kind, number, new));
        }
    }
    for made in store.append_revisions(&changes, author, comment, clock.now()).await? {
        say!("{:?}: редакция / revision {}", made.kind, made.number)?;
    }
    if changes.is_empty() {
        say!("отличий нет / nothing differs")?;
    }
    print_permissions(&own.participants, &settings.broker.url)?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The broker accounts that the configuration needs, as commands for the broker's administrator.
fn print_permissions(files: &Files, broker: &str) -> Result<(), Failure> {
    let people = participants::parse(files).map_err(problems)?;
    let users: Vec<_> = people.iter().filter(|p| p.transport == TransportKind::Amqp).collect();
    if users.is_empty() {
        return Ok(());
    }
    if broker.is_empty() {
        say!("внимание: broker.url не задан, а брокер нужен / note: broker.url is empty, but a broker is needed")?;
    }
    let vhost = vhost_of(broker);
    say!("# RabbitMQ: шлюз / the gateway")?;
    say!("{}", gateway_permissions().rabbitmqctl(&vhost))?;
    for participant in users {
        say!("# RabbitMQ: {}", participant.id)?;
        say!("{}", permissions(&participant.id).rabbitmqctl(&vhost))?;
    }
    Ok(())
}

/// The virtual host of a broker's URL; `/` when it names none.
fn vhost_of(broker: &str) -> String {
    let path = url::Url::parse(broker).map_or_else(|_| String::new(), |u| u.path().trim_start_matches('/').to_owned());
    match path.as_str() {
        "" | "%2f" | "%2F" => "/".to_owned(),
        other => other.to_owned(),
    }
}

pub(super) fn problems(problems: Vec<participants::FileProblem>) -> Failure {
    Failure::new(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

async fn diff(dir: &ConfigDir, as_json: bool) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&dir.config)?;
    let own = read_folder(&dir.config)?;
    let store = open_store(&settings).await?;
    let (old, latest) = in_force(&store).await?;
    let mut found = differences(&old.participants, &own.participants);
    found.extend(differences(&old.bundle, &own.bundle));
    if as_json {
        let paths: Vec<_> = found
            .iter()
            .map(|d| json!({ "path": d.path, "inForce": d.in_force.is_some(), "inFolder": d.in_folder.is_some() }))
            .collect();
        say!("{}", json!({ "inForce": latest, "differences": paths }))?;
    } else if latest.participants == 0 {
        say!(
            "в действии ещё ничего нет; `mezhved partner apply` или первый `mezhved serve` введут папку целиком, в ней участники:"
        )?;
        say!(
            "nothing is in force yet; `mezhved partner apply` or the first `mezhved serve` puts the whole folder in force, with the participants:"
        )?;
        for path in own.participants.keys().filter(|path| path.ends_with(".toml")) {
            say!("  {path}")?;
        }
    } else {
        for difference in &found {
            let text =
                |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
            let (before, after) = (text(&difference.in_force), text(&difference.in_folder));
            let diff = TextDiff::from_lines(&before, &after);
            let names = (format!("в действии/{}", difference.path), format!("в папке/{}", difference.path));
            say_part!("{}", diff.unified_diff().header(&names.0, &names.1))?;
        }
        if found.is_empty() {
            say!("отличий нет / nothing differs")?;
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn export(dir: &ConfigDir, out: &std::path::Path) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&dir.config)?;
    let store = open_store(&settings).await?;
    let (now, latest) = in_force(&store).await?;
    if latest.participants == 0 {
        return Err(Failure::new(
            "в базе ещё нет редакций / the database has no revision yet: `mezhved partner apply`",
        ));
    }
    let stripped =
        now.bundle.into_iter().map(|(path, b)| (path.strip_prefix("config/").map_or(path.clone(), str::to_owned), b));
    // Of the schemas those that the binary has anyway stay out.
    let built_in = crate::bundle::embedded();
    let is_own = |(path, bytes): &(String, Vec<u8>)| !path.starts_with("schemas/") || built_in.get(path) != Some(bytes);
    let files: Files = stripped.filter(is_own).chain(now.participants).collect();
    folder::write(out, &files)?;
    say!("{}: файлов / files {}", out.display(), files.len())?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(dir: &ConfigDir, as_json: bool) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&dir.config)?;
    let store = open_store(&settings).await?;
    let (now, latest) = in_force(&store).await?;
    let people = participants::parse(&now.participants).map_err(problems)?;
    let roles = |p: &crate::domain::Participant| p.roles.iter().map(|r| r.role.to_string()).collect::<Vec<_>>();
    if as_json {
        let rows: Vec<_> = people
            .iter()
            .map(|p| {
                json!({
                    "id": p.id, "name": p.name, "regulation": p.regulation, "roles": roles(p), "zone": p.zone,
                    "transport": p.transport.as_str(), "adapter": p.adapter, "versions": p.versions, "framing": p.framing.as_str(),
                    "certificates": p.certificates.len(),
                })
            })
            .collect();
        say!("{}", json!({ "revision": latest.participants, "participants": rows }))?;
    } else {
        let rows: Vec<Vec<String>> = people
            .iter()
            .map(|p| {
                let adapter = p.adapter.clone().unwrap_or_else(|| "canonical".to_owned());
                let way = match p.framing {
                    Framing::Envelope => p.transport.as_str().to_owned(),
                    Framing::Plain(_) => format!("{}, {}", p.transport.as_str(), p.framing.as_str()),
                };
                vec![p.id.to_string(), roles(p).join(","), way, adapter, p.name.clone()]
            })
            .collect();
        table::print(&["id", "роли / roles", "транспорт / transport", "адаптер / adapter", "имя / name"], &rows)?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
