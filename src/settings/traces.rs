//! `[traces]`: the collector that is told of each message's way.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;
use url::{Host, Url};

/// What a collector is told of each message's way.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// The collector's base address for OTLP over HTTP; empty: nobody is told anything.
    pub otlp: String,
    /// Of traces that begin here, the part that is told of; those that a sender began are told of when it says so.
    pub ratio: f64,
    /// More trusted authorities, PEM file; empty: none.
    pub ca_file: PathBuf,
    /// Allows `http://` to an address that is not loopback.
    pub insecure: bool,
}

impl Traces {
    /// Where spans go, if anywhere.
    pub fn endpoint(&self) -> Option<String> {
        (!self.otlp.is_empty()).then(|| format!("{}/v1/traces", self.otlp.trim_end_matches('/')))
    }

    fn is_reachable(&self) -> bool {
        let Ok(url) = Url::parse(&self.otlp) else { return false };
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => return false,
        };
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        bare && (url.scheme() == "https" || url.scheme() == "http" && (loopback || self.insecure))
    }
}

/// What is wrong, by key.
pub(super) fn checks(own: &Traces) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let mut need = |ok: bool, key: &str, allowed: &str| {
        if !ok {
            wrong.push((format!("traces.{key}"), format!("допускается / allowed: {allowed}")));
        }
    };
    let reachable =
        "empty, or https://host:port; http:// to a loopback address, or with insecure = true; no account in it";
    need(own.otlp.is_empty() || own.is_reachable(), "otlp", reachable);
    need((0.0..=1.0).contains(&own.ratio), "ratio", "0 to 1");
    wrong
}
