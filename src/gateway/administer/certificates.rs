//! Participants' certificates: uploaded with checks, ended, and looked at over time.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Value, value};

use super::edit::{drop_strays, id_of, named_certificates, path_of};
use super::{Change, EditError, Editor, Note, Saved};
use crate::bundle::Files;
use crate::crypto::Certificate;
use crate::domain::{Digest, ParticipantId, Timestamp};
use crate::settings::participants::{self, FieldProblem};

/// The largest file of a certificate, in bytes.
const BYTES_MAX: usize = 64 * 1024;

/// A certificate that ends within so many days is about to end, unless told otherwise.
pub(super) const SOON_DAYS: u32 = 30;

/// Why a certificate is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// It is no certificate.
    #[error("это не сертификат X.509 в PEM или DER ({0}) / this is no X.509 certificate in PEM or DER ({0})")]
    Unreadable(String),
    /// It holds a private key.
    #[error(
        "в файле закрытый ключ; участник держит его у себя, сюда загружается только сертификат / there is a private key in the file; the \
         participant keeps it, only the certificate is uploaded"
    )]
    PrivateKey,
    /// The key's kind or size is not allowed.
    #[error(
        "ключ не из списка: {0}; допускаются RSA от 2048 бит, P-256, P-384, Ed25519 / the key is not on the list: {0}; allowed are RSA of 2048 bits and more, P-256, P-384, Ed25519"
    )]
    Key(String),
    /// It has ended.
    #[error("срок сертификата уже истёк: {0} / the certificate has ended: {0}")]
    Ended(Timestamp),
    /// It ends before it begins.
    #[error("срок сертификата пуст: кончается раньше, чем начинается / the certificate ends before it begins")]
    Empty,
    /// The gateway's own key.
    #[error("это ключ самого шлюза / this is the gateway's own key")]
    Own,
    /// Somebody else's key.
    #[error(
        "этот ключ уже у участника `{0}`; у каждого участника свой / participant `{0}` has this key; each has its own"
    )]
    Others(String),
    /// It is registered.
    #[error("этот сертификат уже зарегистрирован у участника / the participant has this certificate already")]
    There,
    /// The participant has no such certificate.
    #[error("такого сертификата у участника нет / the participant has no such certificate")]
    NotThere,
    /// Who signs nothing has none.
    #[error(
        "участник без конвертов ничего не подписывает, сертификат ему не нужен / a participant without envelopes signs nothing and needs no certificate"
    )]
    Plain,
}

/// A certificate to register.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// Whose.
    pub participant: &'a str,
    /// The file: PEM or DER.
    pub bytes: &'a [u8],
    /// The revision that whoever uploads it has seen; `None`: the latest.
    pub based_on: Option<i64>,
}

/// A certificate to end.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Whose.
    pub participant: &'a str,
    /// Which.
    pub thumbprint: Digest,
    /// The revision that whoever ends it has seen; `None`: the latest.
    pub based_on: Option<i64>,
}

/// Where a certificate is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateState {
    /// It is not valid yet.
    Future,
    /// It is valid.
    Valid,
    /// It is valid and ends soon.
    Soon,
    /// It has ended.
    Ended,
}

/// A registered certificate.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Whose; the gateway's own id for its own.
    pub participant: ParticipantId,
    /// SHA-256 of its bytes.
    pub thumbprint: Digest,
    /// Its subject.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The kind of its key.
    pub key: &'static str,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// Where it is in its life.
    pub state: CertificateState,
    /// Whole days until it ends; negative after.
    pub days_left: i64,
    /// Until when the participant always has a valid certificate, this and others together; `None`: it has none now. When this is before
    /// the last one's end, there is a gap.
    pub covered_until: Option<Timestamp>,
}

impl Listed {
    fn of(
        participant: &ParticipantId,
        certificate: &Certificate,
        all: &[Certificate],
        (now, days): (Timestamp, u32),
    ) -> Self {
        let soon = now.plus_seconds(i64::from(days) * 86_400);
        let state = if certificate.not_before() > now {
            CertificateState::Future
        } else if !certificate.is_valid_at(now) {
            CertificateState::Ended
        } else if certificate.not_after() <= soon {
            CertificateState::Soon
        } else {
            CertificateState::Valid
        };
        Self {
            participant: participant.clone(),
            thumbprint: certificate.thumbprint(),
            subject: certificate.subject().to_owned(),
            issuer: certificate.issuer().to_owned(),
            key: certificate.key_kind().map_or("?", crate::crypto::KeyKind::as_str),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            state,
            days_left: certificate.not_after().since(now).div_euclid(86_400_000_000),
            covered_until: covered_until(all, now),
        }
    }
}

/// Until when one of these is valid at every instant from `now` on.
fn covered_until(all: &[Certificate], now: Timestamp) -> Option<Timestamp> {
    let mut until = None;
    loop {
        let at = until.map_or(now, |until: Timestamp| until.plus_seconds(1));
        let next = all.iter().filter(|c| c.is_valid_at(at)).map(Certificate::not_after).max();
        match next {
            Some(next) if until.is_none_or(|until| next > until) => until = Some(next),
            Some(_) | None => return until,
        }
    }
}

impl Editor<'_> {
    /// Every registered certificate, the gateway's own first, then by participant and beginning. `soon_days` says from when on one is about
    /// to end; `None`: 30.
    ///
    /// # Errors
    /// When the database is away or the participants in force cannot be read.
    pub async fn certificates(
        &self,
        participant: Option<&str>,
        soon_days: Option<u32>,
    ) -> Result<Vec<Listed>, EditError> {
        let now = self.in_force().await?;
        let people = participants::parse(&now.people).map_err(|problems| {
            let field = |p: participants::FileProblem| FieldProblem { field: None, ru: p.ru, en: p.en };
            let fields = problems.into_iter().map(field).collect();
            EditError::Refused(super::Refused { fields, others: Vec::new() })
        })?;
        let when = (self.clock.now(), soon_days.unwrap_or(SOON_DAYS));
        let mut listed = Vec::new();
        if let Some(own) = self.own.filter(|_| participant.is_none_or(|id| id == self.gateway.as_str())) {
            listed.push(Listed::of(self.gateway, own, std::slice::from_ref(own), when));
        }
        for one in people.iter().filter(|p| participant.is_none_or(|id| p.id.as_str() == id)) {
            let mut all: Vec<Certificate> =
                one.certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
            all.sort_by_key(|certificate| (certificate.not_before(), certificate.not_after()));
            listed.extend(all.iter().map(|certificate| Listed::of(&one.id, certificate, &all, when)));
        }
        Ok(listed)
    }

    /// Registers a certificate for a participant, beside those that it has.
    ///
    /// # Errors
    /// [`CertificateProblem`], and as [`Editor::edit_participant`].
    pub async fn add_certificate(&self, upload: &Upload<'_>, note: &Note<'_>) -> Result<Saved, EditError> {
        let id = upload.participant;
        let make = |files: &Files| {
            let (path, text) = own_text(files, id)?;
            if crate::settings::participants::Form::read(&text)
                .is_ok_and(|form| form.get(crate::settings::participants::Field::Framing) == "plain")
            {
                return Err(CertificateProblem::Plain.into());
            }
            let (certificate, place) = self.checked(files, id, upload.bytes)?;
            let mut new = files.clone();
            new.insert(path, with_entry(&text, &place)?.into_bytes());
            new.insert(place, certificate);
            Ok(new)
        };
        self.save(&Change { participant: Some(id), based_on: upload.based_on, make: &make }, note).await
    }

    /// Ends a certificate at once: what it signs is refused from the new revision on.
    ///
    /// # Errors
    /// [`CertificateProblem::NotThere`], and as [`Editor::edit_participant`]: the last one of a participant with envelopes stays.
    pub async fn end_certificate(&self, ending: &Ending<'_>, note: &Note<'_>) -> Result<Saved, EditError> {
        let id = ending.participant;
        let make = |files: &Files| {
            let (path, text) = own_text(files, id)?;
            let mut new = files.clone();
            new.insert(path, without_entry(files, &text, ending.thumbprint)?.into_bytes());
            drop_strays(files, &mut new);
            Ok(new)
        };
        self.save(&Change { participant: Some(id), based_on: ending.based_on, make: &make }, note).await
    }

    /// A certificate that may be registered for a participant, in PEM, and the file it goes into.
    pub(super) fn checked(&self, files: &Files, id: &str, bytes: &[u8]) -> Result<(Vec<u8>, String), EditError> {
        let certificate = readable(bytes)?;
        let key = certificate.key_kind().map_err(|e| CertificateProblem::Key(e.to_string()))?;
        if certificate.not_before() > certificate.not_after() {
            return Err(CertificateProblem::Empty.into());
        }
        if certificate.not_after().plus_seconds(1) <= self.clock.now() {
            return Err(CertificateProblem::Ended(certificate.not_after()).into());
        }
        if self.own.is_some_and(|own| own.has_key_of(&certificate)) {
            return Err(CertificateProblem::Own.into());
        }
        for (holder, other) in registered(files) {
            if holder == id && other == certificate {
                return Err(CertificateProblem::There.into());
            }
            // A participant may have its own key certified anew; nobody else may.
            if holder != id && other.has_key_of(&certificate) {
                return Err(CertificateProblem::Others(holder).into());
            }
        }
        let print = certificate.thumbprint().to_string();
        let path = format!("participants/{id}-{}.crt", print.get(..12).unwrap_or(&print));
        tracing::debug!(participant = id, key = key.as_str(), thumbprint = print, "a certificate is registered");
        let pem = certificate.to_pem().map_err(|e| CertificateProblem::Unreadable(e.to_string()))?;
        Ok((pem, path))
    }
}

fn readable(bytes: &[u8]) -> Result<Certificate, CertificateProblem> {
    if bytes.len() > BYTES_MAX {
        return Err(CertificateProblem::Unreadable(format!("> {BYTES_MAX} bytes")));
    }
    if bytes.windows(b"PRIVATE KEY-----".len()).any(|w| w == b"PRIVATE KEY-----") {
        return Err(CertificateProblem::PrivateKey);
    }
    let is_pem = bytes.windows(5).any(|w| w == b"-----");
    let read = if is_pem { Certificate::from_pem(bytes) } else { Certificate::from_der(bytes) };
    read.map_err(|e| CertificateProblem::Unreadable(e.to_string()))
}

/// Every participant's certificates as they stand in these files.
fn registered(files: &Files) -> Vec<(String, Certificate)> {
    let mut found = Vec::new();
    for (_, text) in files.iter().filter(|(path, _)| path.ends_with(".toml")) {
        let Some(id) = id_of(text) else { continue };
        found.extend(entries(files, text).into_iter().flatten().map(|certificate| (id.clone(), certificate)));
    }
    found
}

/// The certificates that a file names, in its order; `None` for one that cannot be read.
fn entries(files: &Files, text: &[u8]) -> Vec<Option<Certificate>> {
    let table: Option<toml::Table> = std::str::from_utf8(text).ok().and_then(|text| toml::from_str(text).ok());
    let entries = table.as_ref().and_then(|table| table.get("certificate")).and_then(toml::Value::as_array);
    let mut named = named_certificates(text).into_iter();
    let read = |entry: &toml::Value| match entry.get("pem").and_then(toml::Value::as_str) {
        Some(pem) => Certificate::from_pem(pem.as_bytes()).ok(),
        None => named.next().and_then(|path| Certificate::from_pem(files.get(&path)?).ok()),
    };
    entries.into_iter().flatten().map(read).collect()
}

fn own_text(files: &Files, participant: &str) -> Result<(String, String), EditError> {
    let path = path_of(files, participant).ok_or_else(|| EditError::NoSuch(participant.to_owned()))?;
    let text = files.get(&path).map_or(&[][..], Vec::as_slice);
    let text = String::from_utf8_lossy(text).into_owned();
    Ok((path, text))
}

fn document(text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|e: toml_edit::TomlError| CertificateProblem::Unreadable(e.message().to_owned()).into())
}

/// A participant's file that names one certificate more.
pub(super) fn with_entry(text: &str, path: &str) -> Result<String, EditError> {
    let mut document = document(text)?;
    let file = path.strip_prefix("participants/").unwrap_or(path);
    let item = document.as_table_mut().entry("certificate").or_insert_with(|| value(Array::new()));
    match item {
        Item::ArrayOfTables(tables) => {
            let mut table = toml_edit::Table::new();
            table.insert("file", value(file));
            tables.push(table);
        }
        Item::None | Item::Value(_) | Item::Table(_) => {
            let mut entry = InlineTable::new();
            entry.insert("file", Value::from(file));
            let array = item.as_array_mut().ok_or(CertificateProblem::NotThere)?;
            array.push(Value::InlineTable(entry));
        }
    }
    Ok(document.to_string())
}

/// A participant's file without one of its certificates.
fn without_entry(files: &Files, text: &str, thumbprint: Digest) -> Result<String, EditError> {
    let all = entries(files, text.as_bytes());
    let is_it = |entry: &Option<Certificate>| entry.as_ref().is_some_and(|c| c.thumbprint() == thumbprint);
    let at = all.iter().position(is_it).ok_or(CertificateProblem::NotThere)?;
    let mut document = document(text)?;
    match document.as_table_mut().get_mut("certificate") {
        Some(Item::ArrayOfTables(tables)) => drop(tables.remove(at)),
        Some(item) => drop(item.as_array_mut().map(|array| array.remove(at))),
        None => return Err(CertificateProblem::NotThere.into()),
    }
    if all.len() == 1 {
        document.as_table_mut().remove("certificate");
    }
    Ok(document.to_string())
}
