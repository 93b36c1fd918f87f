//! `[notify]`: who is told of deadlines, and how.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use serde::Deserialize;

use super::tree::Settings;
use crate::domain::RoleCode;

/// Before a webhook's secret in base64, by the convention of Standard Webhooks.
const SECRET_PREFIX: &str = "whsec_";

/// Who is told of deadlines, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// Addresses by the name of the group that the regulation's ladder names. Empty: nobody is told.
    pub groups: BTreeMap<String, Group>,
    /// The mail server.
    pub smtp: Smtp,
    /// Signed calls.
    pub webhook: Webhook,
    /// Seconds that a notification waits for company.
    pub gather_seconds: u32,
    /// Mailings to one address within the window.
    pub window_mailings_max: u32,
    /// Seconds of the window.
    pub window_seconds: u32,
    /// Obligations that a digest lists by id.
    pub digest_ids_max: u32,
    /// Mailings sent at once.
    pub workers: usize,
    /// Milliseconds of the first pause after a failure.
    pub retry_base_ms: u64,
    /// Milliseconds of the longest pause.
    pub retry_ceiling_ms: u64,
    /// Attempts before parking.
    pub attempts_max: u32,
}

/// The addresses of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// E-mail addresses.
    #[serde(default)]
    pub mail: Vec<String>,
    /// Addresses of webhooks.
    #[serde(default)]
    pub webhook: Vec<String>,
}

/// The mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name or address; empty: none.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// More trusted authorities, PEM file; empty: none.
    pub ca_file: PathBuf,
    /// The account; empty: no login.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The sender of the mails: `a@b` or `Name <a@b>`.
    pub from: String,
    /// Milliseconds for one mail.
    pub timeout_ms: u64,
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all.
    None,
    /// By STARTTLS, which must succeed.
    Starttls,
    /// By TLS from the first byte.
    Tls,
}

impl<'de> Deserialize<'de> for SmtpTls {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match String::deserialize(d)?.as_str() {
            "none" => Ok(Self::None),
            "starttls" => Ok(Self::Starttls),
            "tls" => Ok(Self::Tls),
            other => {
                let problem = format!("`{other}`: допускается / allowed: none, starttls, tls");
                Err(serde::de::Error::custom(problem))
            }
        }
    }
}

/// Signed calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// `whsec_` and base64 of 24 to 64 bytes; empty: none.
    pub secret: Secret,
}

/// A text that no log may show.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, for whoever needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(empty)" } else { "Secret(..)" })
    }
}

impl Notify {
    /// Whether anybody is told.
    pub fn is_on(&self) -> bool {
        self.groups.values().any(|g| !g.mail.is_empty() || !g.webhook.is_empty())
    }

    /// Whether anybody is told by e-mail.
    pub fn has_mail(&self) -> bool {
        self.groups.values().any(|g| !g.mail.is_empty())
    }

    /// Whether an address (of a mail or a webhook) is still that of a group.
    pub fn knows(&self, target: &str) -> bool {
        self.groups.values().any(|g| g.mail.iter().chain(&g.webhook).any(|own| own == target))
    }
}

impl Webhook {
    /// The key of the signatures. `None` when the secret has another form or there is none.
    pub fn key(&self) -> Option<Vec<u8>> {
        let encoded = self.secret.reveal().strip_prefix(SECRET_PREFIX)?;
        let key = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
        (24..=64).contains(&key.len()).then_some(key)
    }
}

/// What is wrong with `[notify]`: keys, and what is allowed.
pub(super) fn checks(settings: &Settings) -> Vec<(String, String)> {
    let notify = &settings.notify;
    let mut wrong: Vec<(String, String)> = Vec::new();
    let mut need = |ok: bool, key: &str, allowed: &str| {
        if !ok {
            wrong.push((format!("notify.{key}"), format!("допускается / allowed: {allowed}")));
        }
    };
    for (name, group) in &notify.groups {
        let code = RoleCode::parse(name).is_ok();
        need(
            code,
            &format!("groups.{name}"),
            "lower-case Latin letters, digits and hyphens, as in the regulation's ladder",
        );
        for address in &group.mail {
            let good = address.parse::<lettre::Address>().is_ok();
            need(
                good,
                &format!("groups.{name}.mail"),
                &format!("addresses such as dispatch@example.org; `{address}` is none"),
            );
        }
        for address in &group.webhook {
            let good = is_open_address(address, settings.push.insecure);
            let allowed =
                "https://..., without a user name; http:// only to a loopback address, unless push.insecure = true";
            need(good, &format!("groups.{name}.webhook"), allowed);
        }
    }
    let smtp = &notify.smtp;
    need(!notify.has_mail() || !smtp.host.is_empty(), "smtp.host", "the mail server, for a group has e-mail addresses");
    let from = smtp.from.parse::<lettre::message::Mailbox>().is_ok();
    let from = from || smtp.host.is_empty();
    need(from, "smtp.from", "an address such as \"Шлюз <gateway@example.org>\"");
    need(smtp.port != 0, "smtp.port", "1 to 65535");
    need((100..=600_000).contains(&smtp.timeout_ms), "smtp.timeout_ms", "100 to 600000");
    let (no_user, no_password) = (smtp.user.is_empty(), smtp.password.reveal().is_empty());
    // Named by the half that is given, for that is the one with a place in a file.
    let given = if no_user { "smtp.password" } else { "smtp.user" };
    need(no_user == no_password, given, "user and password together, or neither");
    let open = smtp.tls == SmtpTls::None && !smtp.user.is_empty();
    need(!open || is_loopback(&smtp.host), "smtp.tls", "starttls or tls: a password does not go over an open line");
    let has_webhook = notify.groups.values().any(|g| !g.webhook.is_empty());
    let secret = notify.webhook.secret.reveal();
    let good = notify.webhook.key().is_some() || (secret.is_empty() && !has_webhook);
    need(
        good,
        "webhook.secret",
        "whsec_ and base64 of 24 to 64 random bytes, such as the output of `openssl rand -base64 32`",
    );
    need(notify.gather_seconds <= 3600, "gather_seconds", "0 to 3600");
    need((1..=1000).contains(&notify.window_mailings_max), "window_mailings_max", "1 to 1000");
    need((1..=86_400).contains(&notify.window_seconds), "window_seconds", "1 to 86400");
    need((1..=1000).contains(&notify.digest_ids_max), "digest_ids_max", "1 to 1000");
    need((1..=64).contains(&notify.workers), "workers", "1 to 64");
    need((1..=3_600_000).contains(&notify.retry_base_ms), "retry_base_ms", "1 to 3600000");
    let ceiling = (notify.retry_base_ms..=86_400_000).contains(&notify.retry_ceiling_ms);
    need(ceiling, "retry_ceiling_ms", "retry_base_ms to 86400000");
    need((1..=10_000).contains(&notify.attempts_max), "attempts_max", "1 to 10000");
    wrong
}

/// Whether bytes may be sent to this address: https, or http to a loopback address or where that was asked for; no account in it.
pub(super) fn is_open_address(address: &str, insecure: bool) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let plain = insecure || url.host_str().is_some_and(is_loopback);
    let open = url.username().is_empty() && url.password().is_none();
    open && (url.scheme() == "https" || (url.scheme() == "http" && plain))
}

fn is_loopback(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}
