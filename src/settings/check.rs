//! Layers of settings, and the checks that serde cannot make.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use config::{Config, Environment, File, FileFormat, Source, Value, ValueKind};

use super::tree::{DEFAULTS, Settings};
use super::{attachments, console, notify, traces};

/// One thing wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `delivery.workers`.
    pub key: String,
    /// Where it was set: a file, `environment` or `defaults`.
    pub origin: String,
    /// What is wrong and what is allowed.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.key, self.origin, self.problem)
    }
}

/// All that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[error("ошибка в настройках / bad settings:{}", .0.iter().map(|p| format!("\n  {p}")).collect::<String>())]
pub struct SettingsError(pub Vec<Problem>);

type Flat = BTreeMap<String, String>;

pub(super) fn layers(folder: &Path) -> Result<Settings, SettingsError> {
    let file = folder.join("settings.toml");
    let defaults = File::from_str(DEFAULTS, FileFormat::Toml);
    let environment = Environment::with_prefix("MEZHVED").prefix_separator("__").separator("__");
    let mut known = Flat::new();
    flatten("", &collect(&defaults, "defaults")?, "defaults", &mut known);
    let mut origins = known.clone();
    let mut problems = Vec::new();
    let mut builder = Config::builder().add_source(defaults);
    if file.exists() {
        let origin = file.display().to_string();
        let source = File::from(file).format(FileFormat::Toml);
        merge_origins(&collect(&source, &origin)?, &origin, &known, &mut origins, &mut problems);
        builder = builder.add_source(source);
    }
    let values = collect(&environment, "environment")?;
    merge_origins(&values, "environment", &known, &mut origins, &mut problems);
    builder = builder.add_source(environment.try_parsing(true));
    if !problems.is_empty() {
        return Err(SettingsError(problems));
    }
    let built = builder.build().map_err(|e| single("settings", "", &e.to_string()))?;
    let settings: Settings = built.try_deserialize().map_err(|e| from_config(&e, &origins))?;
    let own = checks(&settings).into_iter().map(|(key, problem)| (key.to_owned(), problem));
    let wrong: Vec<(String, String)> = own
        .chain(console::checks(&settings.console))
        .chain(notify::checks(&settings))
        .chain(attachments::checks(&settings))
        .chain(traces::checks(&settings.traces))
        .collect();
    if wrong.is_empty() {
        return Ok(settings);
    }
    Err(SettingsError(
        wrong.into_iter().map(|(key, problem)| Problem { origin: origin_of(&key, &origins), key, problem }).collect(),
    ))
}

/// Where a key was set, or a table's first key.
fn origin_of(key: &str, origins: &Flat) -> String {
    let inside = || origins.iter().find(|(k, _)| k.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')));
    origins.get(key).or_else(|| inside().map(|(_, origin)| origin)).cloned().unwrap_or_default()
}

fn single(key: &str, origin: &str, problem: &str) -> SettingsError {
    SettingsError(vec![Problem { key: key.to_owned(), origin: origin.to_owned(), problem: problem.to_owned() }])
}

fn from_config(error: &config::ConfigError, origins: &Flat) -> SettingsError {
    let text = error.to_string();
    let key = origins.keys().filter(|k| text.contains(&format!("`{k}`"))).max_by_key(|k| k.len());
    let origin = key.and_then(|k| origins.get(k)).map_or("settings", String::as_str);
    single(key.map_or("settings", String::as_str), origin, &text)
}

fn collect(source: &dyn Source, origin: &str) -> Result<Value, SettingsError> {
    let map = source.collect().map_err(|e| single("settings", origin, &e.to_string()))?;
    Ok(Value::new(None, ValueKind::Table(map)))
}

fn flatten(prefix: &str, value: &Value, origin: &str, out: &mut Flat) {
    if let ValueKind::Table(table) = &value.kind {
        for (key, inner) in table {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            flatten(&path, inner, origin, out);
        }
    } else {
        out.insert(prefix.to_owned(), origin.to_owned());
    }
}

fn merge_origins(values: &Value, origin: &str, known: &Flat, origins: &mut Flat, problems: &mut Vec<Problem>) {
    let mut own = Flat::new();
    flatten("", values, origin, &mut own);
    for (key, origin) in own {
        if known.contains_key(&key) || is_named_by_people(&key) {
            origins.insert(key, origin);
        } else {
            let problem = match nearest(&key, known) {
                Some(near) => format!("неизвестный ключ; возможно, {near} / unknown key; did you mean {near}?"),
                None => "неизвестный ключ; все ключи показывает `mezhved config defaults` / unknown key; \
                         `mezhved config defaults` prints them all"
                    .to_owned(),
            };
            problems.push(Problem { key, origin, problem });
        }
    }
}

/// The one table whose keys people choose: a group of `[notify.groups]` with its addresses.
fn is_named_by_people(key: &str) -> bool {
    let group = key.strip_prefix("notify.groups.").and_then(|rest| rest.split_once('.'));
    group.is_some_and(|(_, addresses)| matches!(addresses, "mail" | "webhook"))
}

fn nearest<'k>(key: &str, known: &'k Flat) -> Option<&'k str> {
    known
        .keys()
        .map(|k| (similar::TextDiff::from_chars(k.as_str(), key).ratio(), k.as_str()))
        .filter(|(ratio, _)| *ratio > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

fn checks(s: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong: Vec<(&'static str, String)> = Vec::new();
    let mut need = |ok: bool, key: &'static str, allowed: &str| {
        if !ok {
            wrong.push((key, format!("допускается / allowed: {allowed}")));
        }
    };
    let url = s.database.url.as_str();
    let known_url = ["sqlite:", "postgres://", "postgresql://"].iter().any(|p| url.starts_with(p));
    need(known_url, "database.url", "sqlite:FILE or postgres://user:password@host/database");
    let both = s.agencies.tls_certificate.as_os_str().is_empty() == s.agencies.tls_key.as_os_str().is_empty();
    need(both, "agencies.tls_key", "tls_certificate and tls_key together, or neither");
    let tls = !s.agencies.tls_certificate.as_os_str().is_empty();
    let safe = tls || s.agencies.insecure || s.agencies.listen.ip().is_loopback();
    need(safe, "agencies.listen", "a loopback address, or TLS, or insecure = true");
    let scraped = s.metrics.listen.is_none_or(|at| at.ip().is_loopback()) || s.metrics.insecure;
    need(scraped, "metrics.listen", "a loopback address such as 127.0.0.1:9464, or insecure = true");
    let broker = s.broker.url.is_empty() || s.broker.url.starts_with("amqp://") || s.broker.url.starts_with("amqps://");
    need(broker, "broker.url", "empty, amqp://... or amqps://...");
    need((1..=10_000).contains(&s.broker.prefetch), "broker.prefetch", "1 to 10000");
    need((1..=100_000).contains(&s.agencies.connections_max), "agencies.connections_max", "1 to 100000");
    let pair = s.push.tls_certificate.as_os_str().is_empty() == s.push.tls_key.as_os_str().is_empty();
    need(pair, "push.tls_key", "push.tls_certificate and push.tls_key together, or neither");
    need(!s.plain.secrets.as_os_str().is_empty(), "plain.secrets", "a folder of this node");
    need((100..=600_000).contains(&s.push.timeout_ms), "push.timeout_ms", "100 to 600000");
    need((1024..=67_108_864).contains(&s.push.answer_bytes_max), "push.answer_bytes_max", "1024 to 67108864");
    let envelope = s.limits.envelope_bytes_max;
    need((4096..=67_108_864).contains(&envelope), "limits.envelope_bytes_max", "4096 to 67108864");
    let held_ok = (envelope.saturating_mul(2)..=1 << 36).contains(&s.limits.held_bytes_max);
    need(held_ok, "limits.held_bytes_max", "at least twice envelope_bytes_max and at most 68719476736");
    need((1..=4096).contains(&s.limits.judging_max), "limits.judging_max", "1 to 4096");
    need(s.limits.refusals_kept_max <= 1_000_000, "limits.refusals_kept_max", "at most 1000000");
    let age = s.limits.refusals_age_days_max;
    need((1..=3650).contains(&age), "limits.refusals_age_days_max", "1 to 3650");
    let future = s.policy.created_future_seconds_max;
    need((1..=86_400).contains(&future), "policy.created_future_seconds_max", "1 to 86400");
    need((1..=365).contains(&s.policy.created_age_days_max), "policy.created_age_days_max", "1 to 365");
    need((1..=900).contains(&s.policy.ticket_seconds_max), "policy.ticket_seconds_max", "1 to 900");
    need((1..=1024).contains(&s.delivery.workers), "delivery.workers", "1 to 1024");
    // A worker must never still be sending when its lease ends.
    let lease = s.delivery.lease_ms;
    let lease_ok = lease >= s.push.timeout_ms.saturating_mul(2) && lease <= 3_600_000;
    need(lease_ok, "delivery.lease_ms", "at least twice push.timeout_ms and at most 3600000");
    let wait = s.delivery.receipt_wait_seconds;
    need((1..=2_592_000).contains(&wait), "delivery.receipt_wait_seconds", "1 to 2592000");
    need((1..=3_600_000).contains(&s.delivery.retry_base_ms), "delivery.retry_base_ms", "1 to 3600000");
    let ceiling = s.delivery.retry_ceiling_ms;
    let ceiling_ok = (s.delivery.retry_base_ms..=86_400_000).contains(&ceiling);
    need(ceiling_ok, "delivery.retry_ceiling_ms", "retry_base_ms to 86400000");
    need((1..=10_000).contains(&s.delivery.attempts_max), "delivery.attempts_max", "1 to 10000");
    need((1..=365).contains(&s.delivery.give_up_days), "delivery.give_up_days", "1 to 365");
    need((1..=1000).contains(&s.delivery.breaker_failures), "delivery.breaker_failures", "1 to 1000");
    let probe = s.delivery.breaker_probe_seconds;
    need((1..=3600).contains(&probe), "delivery.breaker_probe_seconds", "1 to 3600");
    need(s.delivery.stop_seconds <= 25, "delivery.stop_seconds", "at most 25");
    let bytes = s.database.bytes_max;
    need(bytes == 0 || (1_048_576..=1 << 46).contains(&bytes), "database.bytes_max", "0, or 1048576 to 70368744177664");
    need((10..=60_000).contains(&s.delivery.poll_ms), "delivery.poll_ms", "10 to 60000");
    need((1..=3600).contains(&s.mailbox.lease_seconds), "mailbox.lease_seconds", "1 to 3600");
    need((1..=100).contains(&s.mailbox.batch_max), "mailbox.batch_max", "1 to 100");
    let batch = s.mailbox.batch_bytes_max;
    need((4096..=67_108_864).contains(&batch), "mailbox.batch_bytes_max", "4096 to 67108864");
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str =
        "[attachments.s3]\nendpoint = \"https://s3.example.org\"\nbucket = \"files\"\naccess_key = \"K\"\n";

    fn load(text: &str) -> Result<Settings, SettingsError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("settings.toml"), text).unwrap();
        Settings::load(dir.path())
    }

    #[test]
    fn the_defaults_are_valid() {
        let settings = load("").unwrap();
        assert_eq!(settings.gateway.id.as_str(), "mezhved");
        assert!(settings.database_url().ends_with("data/mezhved.db"));
    }

    #[test]
    fn each_mistake_names_its_key_its_file_and_what_is_allowed() {
        for (text, key, says) in [
            ("[delivery]\nworker = 3", "delivery.worker", "delivery.workers"),
            ("[delivery]\nworkers = 0", "delivery.workers", "1 to 1024"),
            ("[console]\nlisten = \"0.0.0.0:8081\"", "console.listen", "loopback"),
            ("[console]\ntls_key = \"a.pem\"", "console.tls_key", "together"),
            ("[console]\npublic_url = \"mezhved.example.ru\"", "console.public_url", "https://host"),
            ("[console]\nsession_idle_minutes = 0", "console.session_idle_minutes", "1 to 1440"),
            ("[metrics]\nlisten = \"0.0.0.0:9464\"", "metrics.listen", "insecure = true"),
            ("[metrics]\nlisten = \"9464\"", "metrics.listen", "127.0.0.1:9464"),
            ("[agencies]\nlisten = \"0.0.0.0:8080\"", "agencies.listen", "insecure = true"),
            ("[agencies]\ntls_key = \"a.pem\"", "agencies.tls_key", "together"),
            ("[database]\nurl = \"mysql://x\"", "database.url", "postgres://"),
            ("[log]\nformat = \"xml\"", "log.format", "xml"),
            ("[notify.groups]\nhead = { mails = [\"a@b.ru\"] }", "notify.groups.head.mails", "unknown key"),
            ("[notify.groups]\nhead = { mail = [\"a b\"] }", "notify.groups.head.mail", "`a b` is none"),
            ("[notify.groups]\nHead = { mail = [] }", "notify.groups.Head", "lower-case Latin letters"),
            ("[notify.groups]\nhead = { mail = \"a@b.ru\" }", "notify.groups.head.mail", "sequence"),
            ("[notify.groups]\nhead = { webhook = [\"http://a.ru\"] }", "notify.groups.head.webhook", "https://"),
            ("[notify.smtp]\ntls = \"ssl\"", "notify.smtp.tls", "starttls"),
            ("[notify.smtp]\nuser = \"a\"", "notify.smtp.user", "together"),
            ("[notify.smtp]\npassword = \"a\"", "notify.smtp.password", "together"),
            (
                "[notify.smtp]\nuser = \"a\"\npassword = \"b\"\ntls = \"none\"\nhost = \"a.ru\"\nfrom = \"g@a.ru\"",
                "notify.smtp.tls",
                "open line",
            ),
            ("[notify.smtp]\nhost = \"a.ru\"\nfrom = \"a b\"", "notify.smtp.from", "Шлюз <"),
            ("[notify.webhook]\nsecret = \"whsec_YWJj\"", "notify.webhook.secret", "openssl rand"),
            ("[notify]\nwindow_mailings_max = 0", "notify.window_mailings_max", "1 to 1000"),
            ("[attachments]\nmedia_types = [\"pdf\"]", "attachments.media_types", "application/pdf"),
            ("[attachments]\nbytes_max = 0", "attachments.bytes_max", "1 to"),
            (
                "[attachments]\nuploads_per_participant_max = 33",
                "attachments.uploads_per_participant_max",
                "uploads_max",
            ),
            ("[attachments]\nscanner = [\"\"]", "attachments.scanner", "command"),
            ("[attachments]\ngrace_hours = 9000", "attachments.grace_hours", "8760"),
            ("[attachments.s3]\nbucket = \"files\"", "attachments.s3.bucket", "s3.endpoint"),
            ("[attachments.s3]\nendpoint = \"http://s3.example.org\"", "attachments.s3.endpoint", "insecure = true"),
            ("[attachments.s3]\nendpoint = \"https://a:b@s3.example.org\"", "attachments.s3.endpoint", "no account"),
            (&format!("{BUCKET}prefix = \"/a\""), "attachments.s3.prefix", "mezhved/"),
            (
                &format!("{BUCKET}secret_key = \"s\"\nsecret_key_file = \"s.txt\""),
                "attachments.s3.secret_key",
                "one of",
            ),
            (&format!("{BUCKET}secret_key = \"s\"\npart_bytes = 1"), "attachments.s3.part_bytes", "5242880"),
            (
                &format!(
                    "[attachments]\nbytes_max = 1000000000000\nunlisted_bytes_max = 1000000000000\n{BUCKET}secret_key = \"s\"\npart_bytes = 8388608"
                ),
                "attachments.s3.part_bytes",
                "ten-thousandth",
            ),
            ("[limits]\njudging_max = \"many\"", "limits.judging_max", "invalid type"),
            ("[traces]\notlp = \"http://collector.example:4318\"", "traces.otlp", "insecure = true"),
            ("[traces]\notlp = \"127.0.0.1:4318\"", "traces.otlp", "http://"),
            ("[traces]\notlp = \"https://a:b@collector.example\"", "traces.otlp", "no account"),
            ("[traces]\nratio = 1.5", "traces.ratio", "0 to 1"),
        ] {
            let error = load(text).unwrap_err();
            let problem = error.0.first().unwrap();
            assert_eq!(problem.key, key, "{error}");
            assert!(problem.origin.ends_with("settings.toml"), "{error}");
            assert!(problem.problem.contains(says), "{error}");
        }
    }

    #[test]
    fn a_group_has_names_of_its_own_and_secrets_are_not_shown() {
        let settings = load(
            "[notify.groups]\noperators = { mail = [\"a@example.org\"], webhook = [\"https://example.org/x\"] }\nhead = {}\n\
             [notify.smtp]\nhost = \"mail.example.org\"\nfrom = \"Шлюз <gate@example.org>\"\nuser = \"u\"\npassword = \"hidden\"\n\
             [notify.webhook]\nsecret = \"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\"\n\
             [attachments.s3]\nendpoint = \"http://[::1]:9000\"\nbucket = \"files\"\naccess_key = \"K\"\nsecret_key = \"hidden\"",
        );
        let settings = settings.unwrap();
        assert!(
            settings.notify.is_on()
                && settings.notify.knows("a@example.org")
                && !settings.notify.knows("b@example.org")
        );
        assert_eq!(settings.notify.webhook.key().unwrap(), b"01234567890123456789012345678901");
        assert!(settings.attachments.s3.is_on() && settings.attachments.s3.secret_key.reveal() == "hidden");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hidden") && !shown.contains("whsec_"), "{shown}");
        assert!(!load("").unwrap().notify.is_on());
        for (text, missing) in [
            ("[attachments.s3]\nendpoint = \"https://s3.example.org\"", "attachments.s3.bucket (defaults)"),
            (BUCKET, "attachments.s3.secret_key (defaults)"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(missing), "{error}");
        }
        let nowhere = load("[notify.groups]\noperators = { mail = [\"a@example.org\"] }").unwrap_err().to_string();
        assert!(nowhere.contains("notify.smtp.host"), "{nowhere}");
    }

    #[test]
    fn broken_toml_is_an_error_with_its_place() {
        assert!(load("[delivery\n").unwrap_err().to_string().contains("settings.toml"));
    }
}
