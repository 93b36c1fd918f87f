//! The text form of participants: one TOML file each, with the certificates beside it or inside it.
//!
//! ```toml
//! id = "health"
//! name = "Департамент здравоохранения"
//! regulation = "yugra"
//! zone = "Asia/Yekaterinburg"
//! adapter = "health"            # absent: the canonical form
//! versions = { termination = 1, programme = [1, 2] }   # the versions it takes; absent: see docs/administrators
//! in_flight_max = 8
//! notices = "all"               # or "failures"
//! data_classes = ["general"]    # the classes of personal data that may go to it; without the line all
//! media_types = ["application/pdf"]   # absent: those of the settings
//! ordered = false
//! role = [{ role = "health", territories = ["718"] }]
//! transport = { kind = "http", url = "https://..." }     # or { kind = "amqp" }, { kind = "mailbox" }
//! certificate = [{ file = "health.crt" }]                 # or { pem = "-----BEGIN ..." }
//! contact = [{ name = "...", post = "...", phone = "...", mail = "...", hours = "..." }]   # for people; only the name must be there
//! ```
//!
//! `framing = "plain"` with a table `[plain]`, for who has no envelopes: see `settings::plain`.

mod contacts;
mod form;
mod form_text;
mod versions;

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::plain::{self, RawPlain};
use crate::bundle::Files;
use crate::crypto::Certificate;
use crate::domain::{
    DataClass, Framing, IdError, NoticesWanted, Oktmo, Participant, ParticipantId, RoleCode, RoleHolding,
    TransportKind, Zone,
};

use contacts::{RawContact, contacts};
pub use form::{Field, FieldProblem, Form};
use versions::{RawVersions, versions};

/// Something wrong in a file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file, as named in [`Files`].
    pub file: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The column, from 1, in characters; 0 when the whole line is meant.
    pub column: usize,
    /// What is wrong and the way out, in Russian.
    pub ru: String,
    /// The same in English.
    pub en: String,
}

/// A text in both languages.
pub(super) type Said = (String, String);

pub(super) fn said(ru: impl Into<String>, en: impl Into<String>) -> Said {
    (ru.into(), en.into())
}

/// A wrong identifier: the rule for its form stands in the error itself.
fn not_an_id(error: &IdError) -> Said {
    said(format!("недопустимое значение `{}`: {}", error.value, error.problem), error.to_string())
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} / {}", self.file, self.line, self.ru, self.en)
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
    #[serde(default)]
    versions: RawVersions,
    #[serde(default = "in_flight_default")]
    in_flight_max: Spanned<u32>,
    notices: Option<Spanned<String>>,
    data_classes: Option<Vec<Spanned<String>>>,
    media_types: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    ordered: bool,
    #[serde(default)]
    role: Vec<RawRole>,
    transport: Spanned<RawTransport>,
    framing: Option<Spanned<String>>,
    plain: Option<Spanned<RawPlain>>,
    #[serde(default)]
    certificate: Vec<Spanned<RawCertificate>>,
    #[serde(default)]
    contact: Vec<Spanned<RawContact>>,
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

pub(super) struct Place<'t> {
    file: &'t str,
    text: &'t str,
    problems: Vec<FileProblem>,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1
    }

    fn column(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or_default();
        before.rsplit('\n').next().map_or(0, |line| line.chars().count() + 1)
    }

    pub(super) fn say(&mut self, offset: usize, (ru, en): Said) {
        let (line, column) = (self.line(offset), self.column(offset));
        self.problems.push(FileProblem { file: self.file.to_owned(), line, column, ru, en });
    }

    pub(super) fn parse<T>(&mut self, raw: &Spanned<String>, parse: impl Fn(&str) -> Result<T, Said>) -> Option<T> {
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
            let (ru, en) = said("файл не в UTF-8", "the file is not UTF-8");
            problems.push(FileProblem { file: file.clone(), line: 0, column: 0, ru, en });
            continue;
        };
        match parse_one(file, text, files) {
            Ok(p) => match participants.iter().find(|other| other.id == p.id) {
                Some(_) => problems.push(FileProblem {
                    file: file.clone(),
                    line: 1,
                    column: 0,
                    ru: format!("id `{}` уже есть в другом файле; нужны разные", p.id),
                    en: format!("id `{}` is in another file already; ids must differ", p.id),
                }),
                None => participants.push(p),
            },
            Err(own) => problems.extend(own),
        }
    }
    if problems.is_empty() { Ok(participants) } else { Err(problems) }
}

/// The field of a participant's form that stands at this place of its file.
pub fn field_at(text: &str, line: usize, column: usize) -> Option<Field> {
    form::field_at(text, line, column)
}

fn parse_one(file: &str, text: &str, files: &Files) -> Result<Participant, Vec<FileProblem>> {
    let mut place = Place { file, text, problems: Vec::new() };
    let raw: Raw = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(e) => {
            let text = said(format!("не читается: {}", e.message()), e.message());
            place.say(e.span().map_or(0, |s| s.start), text);
            return Err(place.problems);
        }
    };
    let id = place.parse(&raw.id, |t| match ParticipantId::parse(t) {
        Ok(id) if id == ParticipantId::citizen() => Err(said(
            format!("id `{t}` занят: так назван гражданин"),
            format!("the id `{t}` is taken: it stands for the citizen"),
        )),
        Ok(id) => Ok(id),
        Err(error) => Err(not_an_id(&error)),
    });
    let zone = place.parse(&raw.zone, |t| {
        Zone::parse(t).ok_or_else(|| {
            said(
                format!("`{t}` — не часовой пояс IANA; пример: Asia/Yekaterinburg"),
                format!("`{t}` is no IANA time zone; an example: Asia/Yekaterinburg"),
            )
        })
    });
    let regulation =
        place.parse(&raw.regulation, |t| RoleCode::parse(t).map(|r| r.as_str().to_owned()).map_err(|e| not_an_id(&e)));
    let adapter = raw
        .adapter
        .as_ref()
        .and_then(|a| place.parse(a, |t| RoleCode::parse(t).map(|r| r.as_str().to_owned()).map_err(|e| not_an_id(&e))));
    let (versions, roles) = (versions(&raw.versions, &mut place), roles(&raw.role, &mut place));
    let transport = transport(&raw.transport, &mut place);
    let certificates = certificates(&raw.certificate, files, &mut place);
    let contacts = contacts(&raw.contact, &mut place);
    let framing = framed(&raw, transport.as_ref(), &mut place);
    if !(1..=1000).contains(raw.in_flight_max.get_ref()) {
        let text = said("in_flight_max: допускается от 1 до 1000", "in_flight_max: 1 to 1000 is allowed");
        place.say(raw.in_flight_max.span().start, text);
    }
    let notices = raw.notices.as_ref().map_or(Some(NoticesWanted::All), |word| place.parse(word, notices));
    let Some(notices) = notices else { return Err(place.problems) };
    let data_classes = raw
        .data_classes
        .as_ref()
        .map(|words| words.iter().filter_map(|word| place.parse(word, data_class)).collect::<BTreeSet<DataClass>>());
    let media_types: Option<Vec<String>> =
        raw.media_types.as_ref().map(|list| list.iter().filter_map(|one| place.parse(one, media_type)).collect());
    let Some(framing) = framing else { return Err(place.problems) };
    match (id, zone, regulation, transport, place.problems.is_empty()) {
        (Some(id), Some(zone), Some(regulation), Some(transport), true) => Ok(Participant {
            id,
            name: raw.name,
            regulation,
            roles,
            zone,
            transport,
            adapter,
            versions,
            framing,
            certificates,
            in_flight_max: *raw.in_flight_max.get_ref(),
            notices,
            data_classes,
            media_types,
            ordered: raw.ordered,
            contacts,
        }),
        _ => Err(place.problems),
    }
}

/// The framing. Who has envelopes of its own signs them, and needs a certificate.
fn framed(raw: &Raw, transport: Option<&TransportKind>, place: &mut Place<'_>) -> Option<Framing> {
    let first = raw.certificate.first().map(|certificate| certificate.span().start);
    let framing = plain::framing(raw.framing.as_ref(), raw.plain.as_ref(), transport, first, place);
    if first.is_none() && framing == Some(Framing::Envelope) {
        let line = "certificate = [{ file = \"NAME.crt\" }]";
        place.say(0, said(format!("нет сертификата: добавьте {line}"), format!("no certificate: add {line}")));
    }
    framing
}

fn data_class(word: &str) -> Result<DataClass, Said> {
    DataClass::parse(word).ok_or_else(|| {
        let allowed = DataClass::ALL.map(DataClass::as_str).join(", ");
        said(
            format!("data_classes: `{word}` — допускается {allowed}"),
            format!("data_classes: `{word}`; allowed are {allowed}"),
        )
    })
}

fn notices(word: &str) -> Result<NoticesWanted, Said> {
    match word {
        "all" => Ok(NoticesWanted::All),
        "failures" => Ok(NoticesWanted::Failures),
        other => Err(said(
            format!("notices: `{other}` — допускается all (обо всех) или failures (только о неврученных)"),
            format!("notices: `{other}`; allowed are all, or failures for those not delivered"),
        )),
    }
}

fn media_type(text: &str) -> Result<String, Said> {
    if super::is_media_type(text) {
        return Ok(text.to_owned());
    }
    Err(said(
        format!("media_types: `{text}` — не тип файла; пример: application/pdf, без параметров"),
        format!("media_types: `{text}` is no media type; an example: application/pdf, without parameters"),
    ))
}

fn roles(raw: &[RawRole], place: &mut Place<'_>) -> Vec<RoleHolding> {
    let mut roles = Vec::new();
    for holding in raw {
        let role = place.parse(&holding.role, |t| RoleCode::parse(t).map_err(|e| not_an_id(&e)));
        let territories: Vec<Oktmo> = holding
            .territories
            .iter()
            .filter_map(|t| place.parse(t, |t| Oktmo::parse(t).map_err(|e| not_an_id(&e))))
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
                Ok(_) | Err(_) => Err(said(
                    "url: нужен полный адрес http:// или https://",
                    "url: an absolute http:// or https:// address is needed",
                )),
            })
            .map(|url| TransportKind::Http { url }),
        ("http", None) => {
            let line = "url = \"https://...\"";
            place.say(start, said(format!("для http нужен {line}"), format!("transport http needs {line}")));
            None
        }
        ("amqp", None) => Some(TransportKind::Amqp),
        ("mailbox", None) => Some(TransportKind::Mailbox),
        ("amqp" | "mailbox", Some(url)) => {
            let text = said("url бывает только у http; уберите", "only transport http has a url; take it out");
            place.say(url.span().start, text);
            None
        }
        (other, _) => {
            let text = said(
                format!("kind `{other}`: допускается http, amqp или mailbox"),
                format!("transport kind `{other}`: http, amqp or mailbox is allowed"),
            );
            place.say(raw.kind.span().start, text);
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
                        let text = said(
                            format!("файла сертификата `{path}` нет; положите его рядом"),
                            format!("certificate file `{path}` is not there; put it beside this file"),
                        );
                        place.say(start, text);
                        continue;
                    }
                }
            }
            (None, Some(pem)) => pem.clone().into_bytes(),
            (Some(_), Some(_)) | (None, None) => {
                let text = said("у сертификата либо file =, либо pem =", "a certificate has either file = or pem =");
                place.say(start, text);
                continue;
            }
        };
        match Certificate::from_pem(&pem) {
            Ok(certificate) => found.push(certificate.der().to_vec()),
            Err(e) => place.say(start, said(format!("сертификат: {e}"), format!("certificate: {e}"))),
        }
    }
    found
}
