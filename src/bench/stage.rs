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

use super::home::{self, GATEWAY_ID, id, make, write};
use super::load::Cargo;
use super::protocol::Said;
use super::{BenchError, PART_COMMAND, Scenario};
use crate::bundle;
use crate::crypto::{Certificate, FileSigner, KeyKind, generate};
use crate::domain::Timestamp;

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

/// A scenario that is set up.
pub(super) struct Stage {
    pub(super) load: Helper,
    pub(super) sink: Helper,
    gateway: Child,
    metrics: String,
    /// What measures the floors: the sender's key.
    pub(super) signer: FileSigner,
    pub(super) certificate: Certificate,
    /// An envelope like those that are sent.
    pub(super) sample: Vec<u8>,
    /// The folder of everything.
    pub(super) folder: tempfile::TempDir,
}

impl Stage {
    /// Makes keys and folders, starts the three, and waits until each of them works.
    pub(super) async fn set(scenario: &Scenario, database: &str) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("mezhved-bench-").tempdir().map_err(|e| BenchError::defect(&e))?;
        let now = crate::gateway::Clock::default().now();
        let gateway = generated(KeyKind::P256, GATEWAY_ID, now)?;
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
        let mut sink = Helper::start("sink", &sinks)?;
        let Said::Ready { address: Some(address) } = sink.hear().await? else {
            return Err(BenchError::Defect("the sink said something else".to_owned()));
        };
        write(&config.join("settings.toml"), settings(database).as_bytes())?;
        write(&config.join(format!("participants/{SENDER}.crt")), &sender.certificate_pem)?;
        let register = participant(SENDER, &REGISTER_ROLES, "718", None, "{ kind = \"mailbox\" }");
        write(&config.join(format!("participants/{SENDER}.toml")), register.as_bytes())?;
        for (number, partner) in partners.iter().enumerate() {
            let url = match (scenario.dead, number) {
                (true, 0) => format!("http://127.0.0.1:{}/", closed_port()?),
                (true | false, _) => format!("http://{address}/{partner}"),
            };
            let transport = if scenario.mailbox {
                "{ kind = \"mailbox\" }".to_owned()
            } else {
                format!("{{ kind = \"http\", url = \"{url}\" }}")
            };
            let territory = format!("718710{number:02}");
            let text = participant(partner, &["health"], &territory, scenario.adapter, &transport);
            write(&config.join(format!("participants/{partner}.toml")), text.as_bytes())?;
        }
        let (gateway, agencies, metrics) = serve(&config).await?;
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

    /// What the gateway's process has used so far.
    pub(super) async fn used(&self) -> Result<Used, BenchError> {
        let text = reqwest::get(&self.metrics).await.map_err(|e| BenchError::defect(&e))?;
        let text = text.text().await.map_err(|e| BenchError::defect(&e))?;
        let value = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
            found.ok_or_else(|| BenchError::Defect(format!("/metrics has no {name}")))
        };
        Ok(Used { cpu_seconds: value("process_cpu_seconds_total ")?, commits: value("mezhved_store_commits_total ")? })
    }

    /// The most memory that the gateway's process has held, in MiB.
    pub(super) fn peak_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.gateway.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Ends the processes.
    pub(super) async fn strike(mut self) {
        for child in [&mut self.gateway, &mut self.load.child, &mut self.sink.child] {
            drop(child.kill().await);
        }
    }
}

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub(super) cpu_seconds: f64,
    pub(super) commits: f64,
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

/// The defaults, but for free ports, the database, and a flight that is wide enough for one partner to take all.
fn settings(database: &str) -> String {
    format!(
        "[gateway]\nid = \"{GATEWAY_ID}\"\nkey = \"keys/gateway.key.pem\"\ncertificate = \"keys/gateway.cert.pem\"\n\n\
         [database]\nurl = \"{database}\"\n\n[agencies]\nlisten = \"127.0.0.1:0\"\n\n[console]\nlisten = \"127.0.0.1:0\"\n\n\
         [metrics]\nlisten = \"127.0.0.1:0\"\n"
    )
}

fn participant(id: &str, roles: &[&str], territory: &str, adapter: Option<&str>, transport: &str) -> String {
    let adapter = adapter.map_or_else(String::new, |name| format!("adapter = \"{name}\"\n"));
    let held = roles.iter().map(|role| format!("{{ role = \"{role}\", territories = [\"{territory}\"] }}"));
    let roles = held.collect::<Vec<_>>().join(", ");
    format!(
        "id = \"{id}\"\nname = \"{id}\"\nregulation = \"yugra\"\nzone = \"Asia/Yekaterinburg\"\nnotices = \"failures\"\n\
         in_flight_max = 64\n{adapter}role = [{roles}]\n\
         transport = {transport}\ncertificate = [{{ file = \"{id}.crt\" }}]\n"
    )
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
