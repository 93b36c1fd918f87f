//! The text form of participants: one TOML file each, with the certificates beside it or inside it.
//!
//! ```toml
//! id = "health"
//! name = "Департамент здравоохранения"
//! regulation = "yugra"
//! zone = "Asia/Yekaterinburg"
//! adapter = "health"            # absent: the canonical form
//! in_flight_max = 8
//! ordered = false
//! role = [{ role = "health", territories = ["718"] }]
//! transport = { kind = "http", url = "https://..." }     # or { kind = "amqp" }, { kind = "mailbox" }
//! certificate = [{ file = "health.crt" }]                 # or { pem = "-----BEGIN ..." }
//! ```

use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use crate::bundle::Files;
use crate::crypto::Certificate;
use crate::domain::{Framing, Oktmo, Participant, ParticipantId, RoleCode, RoleHolding, TransportKind, Zone};

/// Something wrong in a file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file, as named in [`Files`].
    pub file: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong and the way out.
    pub problem: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Spanned<String>,
    name: String,
    regulation: Spanned<String>,
    zone: Spanned<String>,
    adapter: Option<Spanned<String>>,
    #[serde(default = "in_flight_default")]
    in_flight_max: Spanned<u32>,
    #[serde(default)]
    ordered: bool,
    #[serde(default)]
    role: Vec<RawRole>,
    transport: Spanned<RawTransport>,
    #[serde(default)]
    certificate: Vec<Spanned<RawCertificate>>,
}

fn in_flight_default() -> Spanned<u32> {
    Spanned::new(0..0, 8)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRole {
    role: Spanned<String>,
    #[serde(default)]
    territories: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTransport {
    kind: Spanned<String>,
    url: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCertificate {
    file: Option<String>,
    pem: Option<String>,
}

struct Place<'t> {
    file: &'t str,
    text: &'t str,
    problems: Vec<FileProblem>,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1
    }

    fn say(&mut self, offset: usize, problem: impl Into<String>) {
        let line = self.line(offset);
        self.problems.push(FileProblem { file: self.file.to_owned(), line, problem: problem.into() });
    }

    fn parse<T>(&mut self, raw: &Spanned<String>, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match parse(raw.get_ref()) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.say(raw.span().start, problem);
                None
            }
        }
    }
}

/// Reads all participants of a revision.
///
/// # Errors
/// Every problem of every file, with file and line.
pub fn parse(files: &Files) -> Result<Vec<Participant>, Vec<FileProblem>> {
    let mut participants: Vec<Participant> = Vec::new();
    let mut problems = Vec::new();
    for (file, bytes) in files.iter().filter(|(f, _)| f.starts_with("participants/") && f.ends_with(".toml")) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            problems.push(FileProblem { file: file.clone(), line: 0, problem: "the file is not UTF-8".to_owned() });
            continue;
        };
        match parse_one(file, text, files) {
            Ok(p) => match participants.iter().find(|other| other.id == p.id) {
                Some(_) => problems.push(FileProblem {
                    file: file.clone(),
                    line: 1,
                    problem: format!("id `{}` is in another file already; ids must differ", p.id),
                }),
                None => participants.push(p),
            },
            Err(own) => problems.extend(own),
        }
    }
    if problems.is_empty() { Ok(participants) } else { Err(problems) }
}

fn parse_one(file: &str, text: &str, files: &Files) -> Result<Participant, Vec<FileProblem>> {
    let mut place = Place { file, text, problems: Vec::new() };
    let raw: Raw = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(e) => {
            place.say(e.span().map_or(0, |s| s.start), e.message().to_owned());
            return Err(place.problems);
        }
    };
    let id = place.parse(&raw.id, |t| ParticipantId::parse(t).map_err(|e| e.to_string()));
    let zone = place.parse(&raw.zone, |t| {
        Zone::parse(t).ok_or_else(|| format!("`{t}` is no IANA time zone; an example: Asia/Yekaterinburg"))
    });
    let regulation =
        place.parse(&raw.regulation, |t| RoleCode::parse(t).map(|r| r.as_str().to_owned()).map_err(|e| e.to_string()));
    let adapter = raw
        .adapter
        .as_ref()
        .and_then(|a| place.parse(a, |t| RoleCode::parse(t).map(|r| r.as_str().to_owned()).map_err(|e| e.to_string())));
    let roles = roles(&raw.role, &mut place);
    let transport = transport(&raw.transport, &mut place);
    let certificates = certificates(&raw.certificate, files, &mut place);
    if raw.certificate.is_empty() {
        place.say(0, "no certificate: add certificate = [{ file = \"NAME.crt\" }]");
    }
    if !(1..=1000).contains(raw.in_flight_max.get_ref()) {
        place.say(raw.in_flight_max.span().start, "in_flight_max: 1 to 1000 is allowed");
    }
    match (id, zone, regulation, transport, place.problems.is_empty()) {
        (Some(id), Some(zone), Some(regulation), Some(transport), true) => Ok(Participant {
            id,
            name: raw.name,
            regulation,
            roles,
            zone,
            transport,
            adapter,
            framing: Framing::Envelope,
            certificates,
            in_flight_max: *raw.in_flight_max.get_ref(),
            ordered: raw.ordered,
        }),
        _ => Err(place.problems),
    }
}

fn roles(raw: &[RawRole], place: &mut Place<'_>) -> Vec<RoleHolding> {
    let mut roles = Vec::new();
    for holding in raw {
        let role = place.parse(&holding.role, |t| RoleCode::parse(t).map_err(|e| e.to_string()));
        let territories: Vec<Oktmo> = holding
            .territories
            .iter()
            .filter_map(|t| place.parse(t, |t| Oktmo::parse(t).map_err(|e| e.to_string())))
            .collect();
        if let Some(role) = role {
            roles.push(RoleHolding { role, territories });
        }
    }
    roles
}

fn transport(raw: &Spanned<RawTransport>, place: &mut Place<'_>) -> Option<TransportKind> {
    let start = raw.span().start;
    let raw = raw.get_ref();
    match (raw.kind.get_ref().as_str(), &raw.url) {
        ("http", Some(url)) => place
            .parse(url, |t| match url::Url::parse(t) {
                Ok(u) if matches!(u.scheme(), "http" | "https") && u.has_host() => Ok(t.to_owned()),
                Ok(_) | Err(_) => Err("url: an absolute http:// or https:// address is needed".to_owned()),
            })
            .map(|url| TransportKind::Http { url }),
        ("http", None) => {
            place.say(start, "transport http needs url = \"https://...\"");
            None
        }
        ("amqp", None) => Some(TransportKind::Amqp),
        ("mailbox", None) => Some(TransportKind::Mailbox),
        ("amqp" | "mailbox", Some(url)) => {
            place.say(url.span().start, "only transport http has a url; take it out");
            None
        }
        (other, _) => {
            let problem = format!("transport kind `{other}`: http, amqp or mailbox is allowed");
            place.say(raw.kind.span().start, problem);
            None
        }
    }
}

fn certificates(raw: &[Spanned<RawCertificate>], files: &Files, place: &mut Place<'_>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in raw {
        let start = entry.span().start;
        let pem = match (&entry.get_ref().file, &entry.get_ref().pem) {
            (Some(file), None) => {
                let path = format!("participants/{file}");
                match files.get(&path) {
                    Some(bytes) => bytes.clone(),
                    None => {
                        place.say(start, format!("certificate file `{path}` is not there; put it beside this file"));
                        continue;
                    }
                }
            }
            (None, Some(pem)) => pem.clone().into_bytes(),
            (Some(_), Some(_)) | (None, None) => {
                place.say(start, "a certificate has either file = or pem =");
                continue;
            }
        };
        match Certificate::from_pem(&pem) {
            Ok(certificate) => found.push(certificate.der().to_vec()),
            Err(e) => place.say(start, format!("certificate: {e}")),
        }
    }
    found
}
