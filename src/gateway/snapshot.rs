//! The configuration in force, compiled once from numbered revisions and shared by everything that judges or delivers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plain::check as plain;
use crate::adapter::{Adapter, AdapterSet, ConversionSet, Direction};
use crate::bundle::Files;
use crate::crypto::Certificate;
use crate::deadline::obligations::{Directory, HolderError};
use crate::deadline::{Calendars, CheckInput, Finding, Regulation, Regulations, Severity, check};
use crate::domain::{Fault, FaultCode, Oktmo, Participant, ParticipantId, RoleCode, Timestamp};
use crate::schema::Catalogue;
use crate::settings::participants;

use super::carriers::never_carried;
use super::versions;

/// A participant with its certificates parsed.
pub struct Known {
    /// The participant.
    pub participant: Participant,
    /// Its certificates.
    pub certificates: Vec<Certificate>,
}

/// Everything that must be the same on every node, ready for use.
pub struct Snapshot {
    /// The number of the participants' revision.
    pub participants_revision: i64,
    /// The number of the bundle's revision.
    pub bundle_revision: i64,
    participants: BTreeMap<ParticipantId, Known>,
    regulations: Regulations,
    /// Production calendars.
    pub calendars: Calendars,
    /// Schemas.
    pub catalogue: Catalogue,
    adapters: AdapterSet,
    /// Conversions between versions of message types.
    pub conversions: ConversionSet,
}

/// What a folder or a revision looks like once it is compiled and checked.
pub struct Compiled {
    /// The snapshot, if nothing is wrong.
    pub snapshot: Option<Snapshot>,
    /// Everything that was found, errors first.
    pub findings: Vec<Finding>,
}

fn error(file: &str, line: usize, problem: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        file: file.to_owned(),
        line,
        column: 0,
        ru: problem.to_owned(),
        en: problem.to_owned(),
    }
}

fn line_of(line: Option<u32>) -> usize {
    line.and_then(|l| usize::try_from(l).ok()).unwrap_or(0)
}

/// What is wrong with a participant's file, as a finding.
fn unread(problem: &participants::FileProblem) -> Finding {
    let column = problem.column;
    Finding { ru: problem.ru.clone(), column, ..error(&problem.file, problem.line, &problem.en) }
}

/// Compiles and checks two revisions. `business_now` says from when on the calendars must have data.
pub fn compile(
    people: (i64, &Files),
    bundle: (i64, &Files),
    gateway: &ParticipantId,
    business_now: Timestamp,
) -> Compiled {
    let mut findings = Vec::new();
    let parsed = participants::parse(people.1).unwrap_or_else(|problems| {
        findings.extend(problems.iter().map(unread));
        Vec::new()
    });
    let catalogue = Catalogue::from_files(bundle.1)
        .map_err(|errors| findings.extend(errors.iter().map(|e| error(&e.file, line_of(e.line), &e.message))))
        .ok();
    let adapters = AdapterSet::from_files(bundle.1)
        .map_err(|errors| findings.extend(errors.iter().map(|e| error(&e.file, e.line.unwrap_or(0), &e.reason))))
        .ok();
    let conversions = catalogue.as_ref().and_then(|catalogue| {
        let read = ConversionSet::from_files(bundle.1, catalogue);
        read.map_err(|errors| findings.extend(errors.iter().map(|e| error(&e.file, e.line.unwrap_or(0), &e.reason))))
            .ok()
    });
    let calendars = Calendars::from_files(bundle.1).map_err(|f| findings.extend(f)).ok();
    let regulations = Regulations::from_files(bundle.1).map_err(|f| findings.extend(f)).ok();
    let mut known = BTreeMap::new();
    for participant in &parsed {
        match know(participant, gateway, adapters.as_ref(), regulations.as_ref()) {
            Ok(k) => {
                known.insert(participant.id.clone(), k);
            }
            Err(problem) => findings.push(problem.finding(&participant.id, people.1)),
        }
    }
    if let (Some(adapters), Some(regulations)) = (&adapters, &regulations) {
        findings.extend(parsed.iter().filter_map(|p| untranslated(p, adapters, regulations)));
        let never = |p, catalogue| never_carried(p, adapters, regulations, catalogue);
        findings.extend(catalogue.iter().flat_map(|catalogue| parsed.iter().flat_map(move |p| never(p, catalogue))));
    }
    if let (Some(catalogue), Some(adapters), Some(conversions), Some(regulations)) =
        (&catalogue, &adapters, &conversions, &regulations)
    {
        let of = |p: &Participant| {
            regulations.get(&p.regulation).map(|r| versions::findings(p, r, catalogue, adapters, conversions))
        };
        findings.extend(parsed.iter().filter_map(of).flatten());
    }
    if let (Some(adapters), Some(catalogue)) = (&adapters, &catalogue) {
        findings.extend(parsed.iter().flat_map(|p| plain::findings(p, people.1, adapters, catalogue)));
    }
    findings.extend(plain::shared_tokens(&parsed, people.1));
    if let (Some(calendars), Some(regulations)) = (&calendars, &regulations) {
        let input = CheckInput { participants: &parsed, calendars, files: bundle.1, now: business_now };
        // Of a regulation in which nobody takes part while others are in use only errors matter.
        let is_used = |r: &Regulation| parsed.is_empty() || parsed.iter().any(|p| p.regulation == r.id);
        let told = regulations.iter().flat_map(|r| check(r, &input).into_iter().map(move |f| (is_used(r), f)));
        findings.extend(told.filter(|(used, f)| *used || f.severity == Severity::Error).map(|(_, f)| f));
    }
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.file.cmp(&b.file)).then(a.line.cmp(&b.line)));
    let broken = findings.iter().any(|f| f.severity == Severity::Error);
    let snapshot = match (catalogue, adapters, conversions, calendars, regulations) {
        (Some(catalogue), Some(adapters), Some(conversions), Some(calendars), Some(regulations)) if !broken => {
            Some(Snapshot {
                participants_revision: people.0,
                bundle_revision: bundle.0,
                participants: known,
                regulations,
                calendars,
                catalogue,
                adapters,
                conversions,
            })
        }
        _ => None,
    };
    Compiled { snapshot, findings }
}

/// Messages that the regulation lets others send to a participant and its adapter has no template for: such a delivery would be
/// parked as `translation-failed`.
fn untranslated(participant: &Participant, adapters: &AdapterSet, regulations: &Regulations) -> Option<Finding> {
    let adapter = adapters.get(participant.adapter.as_deref()?)?;
    let regulation = regulations.get(&participant.regulation)?;
    let is_carried =
        |message: &str| adapter.message_types().any(|t| t.name == message && adapter.carries(t, Direction::ToPartner));
    let mut missing: Vec<&str> = regulation
        .exchanges
        .iter()
        .filter(|e| e.to.iter().any(|role| participant.holds(role, None)) && !is_carried(&e.message))
        .map(|e| e.message.as_str())
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if adapter.is_canonical() || missing.is_empty() {
        return None;
    }
    let (id, name, types) = (&participant.id, adapter.name(), missing.join(", "));
    Some(Finding {
        severity: Severity::Warning,
        file: format!("participants/{id}.toml"),
        line: 0,
        column: 0,
        ru: format!(
            "адаптер `{name}` не переводит для участника `{id}`: {types}; такие сообщения будут отложены (translation-failed), \
             пока в adapters/{name} нет для них шаблонов"
        ),
        en: format!(
            "adapter `{name}` does not translate for participant `{id}`: {types}; such messages will be parked \
             (translation-failed) until adapters/{name} has templates for them"
        ),
    })
}

/// Why a participant cannot be known, and at which key of its file.
struct Unknown {
    key: &'static str,
    ru: String,
    en: String,
}

impl Unknown {
    fn finding(self, participant: &ParticipantId, people: &Files) -> Finding {
        let file = format!("participants/{participant}.toml");
        let text = people.get(&file).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        Finding { ru: self.ru, ..error(&file, plain::line_of(&text, self.key), &self.en) }
    }
}

fn know(
    participant: &Participant,
    gateway: &ParticipantId,
    adapters: Option<&AdapterSet>,
    regulations: Option<&Regulations>,
) -> Result<Known, Unknown> {
    if participant.id == *gateway {
        return Err(Unknown {
            key: "id",
            ru: format!("id `{gateway}` — самого шлюза; дайте участнику другой"),
            en: format!("id `{gateway}` is the gateway's own; give the participant another"),
        });
    }
    if let (Some(name), Some(adapters)) = (&participant.adapter, adapters)
        && adapters.get(name).is_none()
    {
        return Err(Unknown {
            key: "adapter",
            ru: format!("адаптера `{name}` нет; добавьте папку adapters/{name} или уберите строку"),
            en: format!("adapter `{name}` is not there; add the folder adapters/{name} or take the line out"),
        });
    }
    if let Some(regulations) = regulations
        && regulations.get(&participant.regulation).is_none()
    {
        let id = &participant.regulation;
        return Err(Unknown {
            key: "regulation",
            ru: format!("регламента `{id}` нет; добавьте regulations/*.toml с этим id"),
            en: format!("regulation `{id}` is not there; add regulations/*.toml with this id"),
        });
    }
    let wrong = |text: String| Unknown {
        key: "certificate",
        ru: format!("сертификат {text}"),
        en: format!("certificate {text}"),
    };
    let certificates: Result<Vec<_>, _> =
        participant.certificates.iter().map(|der| Certificate::from_der(der)).collect();
    let certificates = certificates.map_err(|e| wrong(e.to_string()))?;
    for certificate in &certificates {
        certificate.key_kind().map_err(|e| wrong(format!("{}: {e}", certificate.thumbprint())))?;
    }
    Ok(Known { participant: participant.clone(), certificates })
}

impl Snapshot {
    /// The participant with its certificates.
    pub fn known(&self, id: &ParticipantId) -> Option<&Known> {
        self.participants.get(id)
    }

    /// The participant.
    pub fn participant(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participants.get(id).map(|k| &k.participant)
    }

    /// All participants, by id.
    pub fn participants(&self) -> impl Iterator<Item = &Known> {
        self.participants.values()
    }

    /// The regulation with this id.
    ///
    /// # Errors
    /// `not-now` when the configuration has none: it was checked, so this is a fault of ours.
    pub fn regulation(&self, id: &str) -> Result<&Regulation, Fault> {
        let missing = || Fault::new(FaultCode::NotNow, format!("regulation `{id}` is not loaded"));
        self.regulations.get(id).ok_or_else(missing)
    }

    /// All regulations.
    pub fn regulations(&self) -> impl Iterator<Item = &Regulation> {
        self.regulations.iter()
    }

    /// All adapters.
    pub fn adapters(&self) -> &AdapterSet {
        &self.adapters
    }

    /// The adapter with this name.
    ///
    /// # Errors
    /// `not-now` when the configuration has none: it was checked, so this is a fault of ours.
    pub fn adapter(&self, name: &str) -> Result<&Arc<Adapter>, Fault> {
        let missing = || Fault::new(FaultCode::NotNow, format!("adapter `{name}` is not loaded"));
        self.adapters.get(name).ok_or_else(missing)
    }
}

impl Directory for Snapshot {
    fn holder(
        &self,
        regulation: &str,
        role: &RoleCode,
        territory: Option<&Oktmo>,
    ) -> Result<&Participant, HolderError> {
        let mut holders = self
            .participants
            .values()
            .map(|k| &k.participant)
            .filter(|p| p.regulation == regulation && p.holds(role, territory));
        match (holders.next(), holders.next()) {
            (None, _) => Err(HolderError::Vacant),
            (Some(one), None) => Ok(one),
            (Some(first), Some(second)) => {
                let mut all = vec![first.id.clone(), second.id.clone()];
                all.extend(holders.map(|p| p.id.clone()));
                Err(HolderError::Several(all))
            }
        }
    }

    fn participant(&self, id: &ParticipantId) -> Option<&Participant> {
        Self::participant(self, id)
    }

    fn holders(&self, regulation: &str, role: &RoleCode) -> Vec<&Participant> {
        let all = self.participants.values().map(|k| &k.participant);
        all.filter(|p| p.regulation == regulation && p.roles.iter().any(|h| h.role == *role)).collect()
    }
}
