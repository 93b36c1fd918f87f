//! Settings of the pages for people.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// The face for people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Address and port.
    pub listen: SocketAddr,
    /// Server certificate chain, PEM file; empty: no TLS.
    pub tls_certificate: PathBuf,
    /// Its key, PEM file.
    pub tls_key: PathBuf,
    /// Allows plain HTTP on an address that is not loopback.
    pub insecure: bool,
    /// Where people find it, such as `https://mezhved.example.ru`, when it stands behind a proxy; empty: as it is bound.
    pub public_url: String,
    /// Minutes without a request after which a session ends.
    pub session_idle_minutes: u32,
    /// Hours after which a session ends in any case.
    pub session_hours_max: u32,
    /// Hours that a one-time link for setting a password is good for.
    pub password_link_hours: u32,
}

impl Console {
    /// Whether browsers reach it by TLS: its own, or that of a proxy before it.
    pub fn is_https(&self) -> bool {
        !self.tls_certificate.as_os_str().is_empty() || self.public_url.starts_with("https://")
    }

    /// Whether only this machine comes to it: by loopback, and no proxy hands others on.
    pub fn is_local(&self) -> bool {
        self.listen.ip().is_loopback() && self.public_url.is_empty()
    }

    /// Whether a proxy stands before it, whose address all requests have.
    pub fn is_behind_a_proxy(&self) -> bool {
        !self.public_url.is_empty() && self.tls_certificate.as_os_str().is_empty()
    }
}

/// What is wrong with them, by key.
pub(super) fn checks(own: &Console) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let mut need = |ok: bool, key: &str, allowed: &str| {
        if !ok {
            wrong.push((format!("console.{key}"), format!("допускается / allowed: {allowed}")));
        }
    };
    let has_tls = !own.tls_certificate.as_os_str().is_empty();
    need(has_tls != own.tls_key.as_os_str().is_empty(), "tls_key", "tls_certificate and tls_key together, or neither");
    let safe = has_tls || own.insecure || own.listen.ip().is_loopback();
    need(safe, "listen", "a loopback address such as 127.0.0.1:8081, or TLS, or insecure = true");
    let public = url::Url::parse(&own.public_url).is_ok_and(|u| {
        matches!(u.scheme(), "https" | "http") && u.path() == "/" && u.query().is_none() && u.has_host()
    });
    need(own.public_url.is_empty() || public, "public_url", "https://host without a path, or empty");
    need((1..=1_440).contains(&own.session_idle_minutes), "session_idle_minutes", "1 to 1440");
    need((1..=168).contains(&own.session_hours_max), "session_hours_max", "1 to 168");
    need((1..=168).contains(&own.password_link_hours), "password_link_hours", "1 to 168");
    wrong
}
