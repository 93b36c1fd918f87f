//! One scenario's processes: the gateway as `mezhved serve`, the load generator, the receiving systems.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::home::{self, GATEWAY_ID, give_broker, id, make, write};
use super::load::Cargo;
use super::protocol::{Ask, Said};
use super::scenario::{Engine, Scenario, Way};
use super::{BenchError, PART_COMMAND};
use crate::bundle;
use crate::crypto::{Certificate, FileSigner, KeyKind, generate};
use crate::domain::Timestamp;
use crate::store::{Store, StoreOptions};

const START_MAX: Duration = Duration::from_secs(30);
/// For any answer of a helper: an order to send takes as long as it says, and then its answers may be slow.
const ANSWER_MAX: Duration = Duration::from_secs(180);
const SENDER: &str = "register";
/// All roles of the regulation but that of the partners.
const REGISTER_ROLES: [&str; 9] = [
    "uszn",
    "provider",
    "commission",
    "working-group",
    "department",
    "education",
    "police",
    "guardianship",
    "employment",
];

/// A helper process and the lines that it writes.
pub(super) struct Helper {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    fn start(part: &str, home: &Path) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(|e| BenchError::defect(&e))?;
        let mut child = Command::new(program)
            .args([PART_COMMAND, part, "--home"])
            .arg(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| BenchError::defect(&e))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(BenchError::Defect("a child without pipes".to_owned()));
        };
        Ok(Self { child, input, lines: BufReader::new(output).lines() })
    }

    /// Says something and hears the answer.
    pub(super) async fn ask(&mut self, order: &impl Serialize) -> Result<Said, BenchError> {
        let mut line = serde_json::to_vec(order).map_err(|e| BenchError::defect(&e))?;
        line.push(b'\n');
        self.input.write_all(&line).await.map_err(|e| BenchError::defect(&e))?;
        self.input.flush().await.map_err(|e| BenchError::defect(&e))?;
        self.hear().await
    }

    async fn hear<T: DeserializeOwned>(&mut self) -> Result<T, BenchError> {
        let line = timeout(ANSWER_MAX, self.lines.next_line()).await;
        let line = line.map_err(|e| BenchError::defect(&e))?.map_err(|e| BenchError::defect(&e))?;
        let line = line.ok_or_else(|| BenchError::Defect("a helper ended".to_owned()))?;
        serde_json::from_str(&line).map_err(|e| BenchError::defect(&e))
    }
}

/// Where a scenario finds what it does not start itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    /// The address of an empty database of PostgreSQL; `None`: SQLite.
    pub(super) postgres: Option<&'a str>,
    /// RabbitMQ's address.
    pub(super) broker: Option<&'a str>,
}

/// A scenario that is set up.
pub(super) struct Stage {
    pub(super) load: Helper,
    pub(super) sink: Helper,
    gateway: Child,
    metrics: String,
    /// What measures the floors: the sender's key, of the same kind as all others.
    pub(super) signer: FileSigner,
    pub(super) certificate: Certificate,
    /// An envelope like those that are sent.
    pub(super) sample: Vec<u8>,
    /// The folder of everything.
    pub(super) folder: tempfile::TempDir,
}

impl Stage {
    /// Makes keys and folders, fills the database, starts the three, and waits until each of them works.
    pub(super) async fn set(scenario: &Scenario, places: Places<'_>) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("mezhved-bench-").tempdir().map_err(|e| BenchError::defect(&e))?;
        let now = crate::gateway::Clock::default().now();
        let gateway = generated(scenario.key, GATEWAY_ID, now)?;
        let config = folder.path().join("gateway");
        write(&config.join("keys/gateway.key.pem"), &gateway.key_pem)?;
        write(&config.join("keys/gateway.cert.pem"), &gateway.certificate_pem)?;
        let sender = generated(scenario.key, SENDER, now)?;
        let loader = folder.path().join(SENDER);
        make(&loader, &sender, &gateway.certificate_pem)?;
        let partners: Vec<String> = (1..=scenario.partners).map(|n| format!("partner-{n}")).collect();
        let sinks = folder.path().join("sinks");
        for partner in &partners {
            let keys = generated(scenario.key, partner, now)?;
            make(&sinks.join(partner), &keys, &gateway.certificate_pem)?;
            write(&config.join(format!("participants/{partner}.crt")), &keys.certificate_pem)?;
        }
        for (home, way) in [(&loader, scenario.from), (&sinks, scenario.to)] {
            if let (Way::Amqp, Some(url)) = (way, places.broker) {
                give_broker(home, url)?;
            }
        }
        let mut sink = Helper::start("sink", &sinks)?;
        let Said::Ready { address: Some(address) } = sink.hear().await? else {
            return Err(BenchError::Defect("the sink said something else".to_owned()));
        };
        let database = database(scenario, places.postgres, &config)?;
        let broker = places.broker.filter(|_| scenario.needs_broker()).unwrap_or_default();
        write(&config.join("settings.toml"), settings(&database, broker).as_bytes())?;
        write(&config.join(format!("participants/{SENDER}.crt")), &sender.certificate_pem)?;
        let told = transport(scenario.from, scenario.notices.then(|| format!("http://{address}/{SENDER}")));
        let register = Party { id: SENDER, roles: &REGISTER_ROLES, territory: "718", adapter: None, transport: told };
        write(&config.join(format!("participants/{SENDER}.toml")), register.text(scenario.notices).as_bytes())?;
        for (number, partner) in partners.iter().enumerate() {
            let url = match (scenario.dead, number) {
                (true, 0) => format!("http://127.0.0.1:{}/", closed_port()?),
                (true | false, _) => format!("http://{address}/{partner}"),
            };
            let party = Party {
                id: partner,
                roles: &["health"],
                territory: &format!("718710{number:02}"),
                adapter: scenario.adapter,
                transport: transport(scenario.to, Some(url)),
            };
            write(&config.join(format!("participants/{partner}.toml")), party.text(false).as_bytes())?;
        }
        if scenario.stored > 0 {
            let options = StoreOptions { durable: false, ..StoreOptions::new(database) };
            Store::stock(options, scenario.stored).await.map_err(|e| BenchError::defect(&e))?;
        }
        let (gateway, agencies, metrics) = serve(&config).await?;
        let _: Said = sink.ask(&Ask::Attach).await?;
        let cargo = Cargo {
            gateway: agencies,
            recipients: partners.iter().map(|p| id(p)).collect::<Result<_, _>>()?,
            kind: "document-request".to_owned(),
            body: body()?,
            file_bytes: scenario.file_bytes,
        };
        let to = cargo.recipients.first().ok_or_else(|| BenchError::Defect("nobody to send to".to_owned()))?;
        let sample = cargo.signed(&home::load(&loader)?, to)?.bytes;
        write(&loader.join("cargo.json"), &serde_json::to_vec(&cargo).map_err(|e| BenchError::defect(&e))?)?;
        let mut load = Helper::start("load", &loader)?;
        let _: Said = load.hear().await?;
        let signer =
            FileSigner::from_pem(&sender.key_pem, &sender.certificate_pem).map_err(|e| BenchError::defect(&e))?;
        let certificate = Certificate::from_pem(&sender.certificate_pem).map_err(|e| BenchError::defect(&e))?;
        Ok(Self { load, sink, gateway, metrics, signer, certificate, sample, folder })
    }

    /// Processor seconds of the gateway's process so far, as the system counts them. The process itself is not asked: its answer would
    /// count the database.
    pub(super) fn cpu_seconds(&self) -> Result<f64, BenchError> {
        let stat = self.process()?.stat().map_err(|e| BenchError::defect(&e))?;
        Ok(stat.utime.saturating_add(stat.stime) as f64 / procfs::ticks_per_second() as f64)
    }

    fn process(&self) -> Result<procfs::process::Process, BenchError> {
        let id = self.gateway.id().and_then(|id| i32::try_from(id).ok());
        let id = id.ok_or_else(|| BenchError::Defect("the gateway has ended".to_owned()))?;
        procfs::process::Process::new(id).map_err(|e| BenchError::defect(&e))
    }

    /// Transactions that the gateway has committed so far.
    pub(super) async fn commits(&self) -> Result<f64, BenchError> {
        let text = reqwest::get(&self.metrics).await.map_err(|e| BenchError::defect(&e))?;
        let text = text.text().await.map_err(|e| BenchError::defect(&e))?;
        let name = "mezhved_store_commits_total ";
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        found.ok_or_else(|| BenchError::Defect(format!("/metrics has no {name}")))
    }

    /// What the gateway's process holds, and the most that it has held, in MiB.
    pub(super) fn memory_mib(&self) -> Result<(f64, f64), BenchError> {
        let status = self.process()?.status().map_err(|e| BenchError::defect(&e))?;
        let mib = |kib: Option<u64>| kib.unwrap_or_default() as f64 / 1024.0;
        Ok((mib(status.vmrss), mib(status.vmhwm)))
    }

    /// Ends the processes.
    pub(super) async fn strike(mut self) {
        for child in [&mut self.gateway, &mut self.load.child, &mut self.sink.child] {
            drop(child.kill().await);
        }
    }
}

fn generated(kind: KeyKind, name: &str, now: Timestamp) -> Result<generate::Generated, BenchError> {
    generate::key_and_certificate(kind, name, 2, now).map_err(|e| BenchError::defect(&e))
}

fn closed_port() -> Result<u16, BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| BenchError::defect(&e))?;
    Ok(listener.local_addr().map_err(|e| BenchError::defect(&e))?.port())
}

/// The body that is sent: the largest ready sample of a request for documents, about 3 KB.
fn body() -> Result<String, BenchError> {
    let file = "schemas/social/document-request/1/samples/health-rich.xml";
    let bytes =
        bundle::embedded().remove(file).ok_or_else(|| BenchError::Defect(format!("{file} is not in the binary")))?;
    String::from_utf8(bytes).map_err(|e| BenchError::defect(&e))
}

/// The database's address.
fn database(scenario: &Scenario, postgres: Option<&str>, config: &Path) -> Result<String, BenchError> {
    match (scenario.engine, postgres) {
        (Engine::Sqlite, _) => {
            let folder = config.join("data");
            std::fs::create_dir_all(&folder).map_err(|e| BenchError::defect(&e))?;
            Ok(format!("sqlite:{}/mezhved.db", folder.display()))
        }
        (Engine::Postgres, Some(url)) => Ok(url.to_owned()),
        (Engine::Postgres, None) => Err(BenchError::Defect("no database".to_owned())),
    }
}

/// The defaults, but for free ports, the database and the broker.
fn settings(database: &str, broker: &str) -> String {
    format!(
        "[gateway]\nid = \"{GATEWAY_ID}\"\nkey = \"keys/gateway.key.pem\"\ncertificate = \"keys/gateway.cert.pem\"\n\n\
         [database]\nurl = \"{database}\"\n\n[broker]\nurl = \"{broker}\"\n\n[agencies]\nlisten = \"127.0.0.1:0\"\n\n\
         [console]\nlisten = \"127.0.0.1:0\"\n\n[metrics]\nlisten = \"127.0.0.1:0\"\n"
    )
}

/// How a participant is reached, as its file says it.
fn transport(way: Way, url: Option<String>) -> String {
    match (way, url) {
        (Way::Amqp, _) => "{ kind = \"amqp\" }".to_owned(),
        (Way::Http, Some(url)) => format!("{{ kind = \"http\", url = \"{url}\" }}"),
        // A sender that is told nothing needs no address.
        (Way::Http, None) | (Way::Mailbox, _) => "{ kind = \"mailbox\" }".to_owned(),
    }
}

/// A participant to be.
struct Party<'a> {
    id: &'a str,
    roles: &'a [&'a str],
    territory: &'a str,
    adapter: Option<&'a str>,
    transport: String,
}

impl Party<'_> {
    /// Its file. The flight is wide enough for one partner to take all.
    fn text(&self, notices: bool) -> String {
        let Self { id, roles, territory, adapter, transport } = self;
        let adapter = adapter.map_or_else(String::new, |name| format!("adapter = \"{name}\"\n"));
        let held = roles.iter().map(|role| format!("{{ role = \"{role}\", territories = [\"{territory}\"] }}"));
        let roles = held.collect::<Vec<_>>().join(", ");
        let notices = if notices { "all" } else { "failures" };
        format!(
            "id = \"{id}\"\nname = \"{id}\"\nregulation = \"yugra\"\nzone = \"Asia/Yekaterinburg\"\n\
             notices = \"{notices}\"\nin_flight_max = 64\n{adapter}role = [{roles}]\ntransport = {transport}\n\
             certificate = [{{ file = \"{id}.crt\" }}]\n"
        )
    }
}

/// Starts the gateway; returns it, where agencies connect, and the address of its metrics.
async fn serve(config: &Path) -> Result<(Child, String, String), BenchError> {
    let program = std::env::current_exe().map_err(|e| BenchError::defect(&e))?;
    let log: PathBuf = config.join("log");
    let file = std::fs::File::create(&log).map_err(|e| BenchError::defect(&e))?;
    let mut child = Command::new(program)
        .args(["serve", "--config"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| BenchError::defect(&e))?;
    let output = child.stdout.take().ok_or_else(|| BenchError::Defect("a child without pipes".to_owned()))?;
    let line = timeout(START_MAX, BufReader::new(output).lines().next_line()).await;
    let line = line.map_err(|e| BenchError::defect(&e))?.map_err(|e| BenchError::defect(&e))?.unwrap_or_default();
    let word = |name: &str| line.split(' ').find_map(|word| word.strip_prefix(name)).map(str::to_owned);
    match (word("agencies="), word("metrics=")) {
        (Some(agencies), Some(metrics)) => Ok((child, agencies, format!("{metrics}/metrics"))),
        (_, _) => Err(BenchError::Gateway(std::fs::read_to_string(&log).unwrap_or_default())),
    }
}
