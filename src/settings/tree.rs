//! The tree itself. Every default stands in `config/settings.toml`, which is compiled in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::attachments::S3;
use super::check::{self, SettingsError};
use super::console::Console;
use super::notify::Notify;
use super::plain::PlainSettings;
use super::traces::Traces;
use crate::domain::ParticipantId;

/// The compiled-in defaults, with comments.
pub(super) const DEFAULTS: &str = include_str!("../../config/settings.toml");

/// Everything one node needs to know before it opens a port.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The folder that relative paths start from.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The gateway's own identity.
    pub gateway: Gateway,
    /// The database.
    pub database: Database,
    /// The face for agencies.
    pub agencies: Agencies,
    /// The face for operators.
    pub console: Console,
    /// The face for Prometheus.
    pub metrics: Metrics,
    /// RabbitMQ.
    pub broker: Broker,
    /// HTTP to partners.
    pub push: Push,
    /// Sizes and rates.
    pub limits: Limits,
    /// What is accepted.
    pub policy: Policy,
    /// How deliveries are made.
    pub delivery: Delivery,
    /// Pulls.
    pub mailbox: Mailbox,
    /// Files that messages list and do not carry.
    pub attachments: Attachments,
    /// Participants without envelopes.
    pub plain: PlainSettings,
    /// Who is told of deadlines, and how.
    pub notify: Notify,
    /// Logs.
    pub log: Log,
    /// What a collector is told of each message's way.
    pub traces: Traces,
}

/// The gateway's own identity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Its participant id.
    pub id: ParticipantId,
    /// Key file, PEM.
    pub key: PathBuf,
    /// Certificate file, PEM.
    pub certificate: PathBuf,
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:FILE` or `postgres://…`.
    pub url: String,
    /// Bytes of an embedded database; 0: as many as the disk has.
    pub bytes_max: u64,
}

/// The face for agencies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agencies {
    /// Address and port.
    pub listen: SocketAddr,
    /// Server certificate chain, PEM file; empty: no TLS.
    pub tls_certificate: PathBuf,
    /// Its key, PEM file.
    pub tls_key: PathBuf,
    /// Allows plain HTTP on an address that is not loopback.
    pub insecure: bool,
    /// Connections served at once.
    pub connections_max: usize,
}

/// The face for Prometheus.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port; `None` (an empty text): on the console's address only.
    #[serde(deserialize_with = "address_or_none")]
    pub listen: Option<SocketAddr>,
    /// Allows an address that is not loopback.
    pub insecure: bool,
}

fn address_or_none<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong =
        |_| serde::de::Error::custom(format!("`{text}`: an address with a port such as 127.0.0.1:9464, or empty"));
    text.parse().map(Some).map_err(wrong)
}

/// RabbitMQ.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// The broker's address; empty: none.
    pub url: String,
    /// More trusted authorities, PEM file; empty: none.
    pub ca_file: PathBuf,
    /// Allows `amqp://` to an address that is not loopback.
    pub insecure: bool,
    /// Unacknowledged messages at once.
    pub prefetch: u16,
}

/// HTTP to partners.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// More trusted authorities, PEM file; empty: none.
    pub ca_file: PathBuf,
    /// What is shown to partners that ask for a client certificate: its chain, PEM file; empty: none.
    pub tls_certificate: PathBuf,
    /// Its key, PEM file.
    pub tls_key: PathBuf,
    /// Milliseconds for one delivery.
    pub timeout_ms: u64,
    /// Bytes of a partner's answer.
    pub answer_bytes_max: usize,
    /// Allows `http://` to an address that is not loopback.
    pub insecure: bool,
}

/// Sizes and rates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one envelope.
    pub envelope_bytes_max: usize,
    /// Bytes of requests held at once, while they arrive and until they are answered.
    pub held_bytes_max: usize,
    /// Messages judged at once.
    pub judging_max: usize,
    /// Signed faults for unverified messages, per address and minute.
    pub refusals_per_minute_max: u32,
    /// Rows of the refusal record.
    pub refusals_kept_max: u32,
    /// Their age in days.
    pub refusals_age_days_max: u32,
}

/// What is accepted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Seconds that `Created` may lie ahead.
    pub created_future_seconds_max: u32,
    /// Days that `Created` may lie behind.
    pub created_age_days_max: u32,
    /// Seconds that a ticket lives at most.
    pub ticket_seconds_max: u32,
}

/// How deliveries are made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Deliveries at once.
    pub workers: usize,
    /// Milliseconds of a lease.
    pub lease_ms: u64,
    /// Seconds to wait for a partner's receipt.
    pub receipt_wait_seconds: u64,
    /// Milliseconds of the first pause.
    pub retry_base_ms: u64,
    /// Milliseconds of the longest pause.
    pub retry_ceiling_ms: u64,
    /// Attempts before parking.
    pub attempts_max: u32,
    /// Days of trying to reach a partner before parking.
    pub give_up_days: u32,
    /// Failures in a row after which a participant is held to be away.
    pub breaker_failures: u32,
    /// Seconds between probes of a participant that is away.
    pub breaker_probe_seconds: u32,
    /// Seconds that what is on its way may take to end when the node stops.
    pub stop_seconds: u32,
    /// Milliseconds between looks without a wake.
    pub poll_ms: u64,
}

/// Pulls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// Seconds of a pull's lease.
    pub lease_seconds: u32,
    /// Messages in one answer.
    pub batch_max: u32,
    /// Bytes in one answer.
    pub batch_bytes_max: usize,
}

/// Files that messages list and do not carry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachments {
    /// Where they lie.
    pub folder: PathBuf,
    /// Bytes of one.
    pub bytes_max: u64,
    /// Media types of a participant whose own file names none, without parameters.
    pub media_types: Vec<String>,
    /// Uploads at once by this node.
    pub uploads_max: u32,
    /// Of them by one participant.
    pub uploads_per_participant_max: u32,
    /// Bytes that one participant may have here that no message of its lists.
    pub unlisted_bytes_max: u64,
    /// Hours after which such files are forgotten.
    pub orphan_hours_max: u32,
    /// Seconds between looks for them.
    pub sweep_seconds: u32,
    /// Seconds without a byte before an upload is cut.
    pub idle_seconds_max: u32,
    /// Seconds of one upload.
    pub upload_seconds_max: u32,
    /// The program that looks at every file, with its arguments; empty: none.
    pub scanner: Vec<String>,
    /// Seconds that it may take.
    pub scanner_seconds_max: u32,
    /// Hours after its acceptance within which a message's files may come so that it settles as of then.
    pub grace_hours: u32,
    /// The bucket, in place of the folder.
    pub s3: S3,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Form.
    pub format: LogFormat,
    /// Level or directives.
    pub level: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person at a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Reads defaults, then `settings.toml` in `folder` if it is there, then the environment (`MEZHVED__A__B`).
    ///
    /// # Errors
    /// All problems at once, each with its key, where it was set and what is allowed.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        let mut settings = check::layers(folder)?;
        settings.folder = folder.to_path_buf();
        Ok(settings)
    }

    /// The compiled-in defaults as text with comments, the form of `settings.toml`.
    pub fn defaults() -> &'static str {
        DEFAULTS
    }

    /// A path of the settings made absolute by the folder.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The database address with a relative SQLite file made absolute by the folder.
    pub fn database_url(&self) -> String {
        match self.database.url.strip_prefix("sqlite:") {
            Some(file) if !file.starts_with(":memory:") => {
                let file = file.strip_prefix("//").unwrap_or(file);
                format!("sqlite:{}", self.folder.join(file).display())
            }
            Some(_) | None => self.database.url.clone(),
        }
    }
}
