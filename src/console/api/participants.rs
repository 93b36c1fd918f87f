//! `/api/v1/participants`: who takes part, as it is in force.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::Path;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{Code, Problem};
use super::{Answer, json};
use crate::access::Right;
use crate::console::routes::{Access, Route};
use crate::console::visit::Visit;
use crate::domain::{DataClass, Digest, Framing, Oktmo, Participant as Known, ParticipantId, Timestamp};
use crate::gateway::administer::{CertificateState, Listed, Traffic, Way};
use crate::settings::participants::Field;

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeConfiguration);
    vec![Route::get("/api/v1/participants", see, get(list)), Route::get("/api/v1/participants/{id}", see, get(one))]
}

/// A participant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participant {
    id: ParticipantId,
    name: String,
    regulation: String,
    roles: Vec<Holding>,
    /// The zone of its working days.
    zone: String,
    /// `http`, `amqp` or `mailbox`.
    transport: &'static str,
    /// It is spoken to without envelopes.
    plain: bool,
    /// The adapter that translates for it; `null`: it speaks the canonical form.
    adapter: Option<String>,
    /// Until when it always has a valid certificate; `null`: it has none, or needs none.
    covered_until: Option<Timestamp>,
}

/// A role that a participant holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleHolding)]
pub(super) struct Holding {
    role: String,
    /// Empty: everywhere.
    territories: Vec<Oktmo>,
}

/// A certificate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificate {
    /// SHA-256 of its bytes.
    thumbprint: Digest,
    subject: String,
    issuer: String,
    key: &'static str,
    not_before: Timestamp,
    not_after: Timestamp,
    /// `future`, `valid`, `soon` (about to end) or `ended`.
    state: &'static str,
}

/// A type of messages that goes one way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Traffic)]
#[serde(rename_all = "camelCase")]
pub(super) struct Going {
    #[serde(rename = "type")]
    kind: String,
    /// The roles on the other side.
    others: Vec<String>,
    /// Only with the citizen's consent.
    on_consent: bool,
    /// The classes of personal data that may go; `null`: all.
    data_classes: Option<BTreeSet<DataClass>>,
    /// Whether its adapter translates it; `null`: it goes as it is.
    translated: Option<bool>,
}

/// A participant with its file, certificates and what it may send and get.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParticipantDetail)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    #[serde(flatten)]
    participant: Participant,
    /// The revision that is in force.
    revision: i64,
    /// What its file says, by the names of the file.
    fields: BTreeMap<String, String>,
    certificates: Vec<Certificate>,
    sends: Vec<Going>,
    gets: Vec<Going>,
}

/// The participants.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Participants {
    items: Vec<Participant>,
}

impl Participant {
    fn of(known: &Known, certificates: &[Listed]) -> Self {
        let own = certificates.iter().find(|c| c.participant == known.id);
        let roles = known.roles.iter();
        Self {
            id: known.id.clone(),
            name: known.name.clone(),
            regulation: known.regulation.clone(),
            roles: roles
                .map(|held| Holding { role: held.role.to_string(), territories: held.territories.clone() })
                .collect(),
            zone: known.zone.name().to_owned(),
            transport: known.transport.as_str(),
            plain: !matches!(known.framing, Framing::Envelope),
            adapter: known.adapter.clone(),
            covered_until: own.and_then(|c| c.covered_until),
        }
    }
}

impl From<&Listed> for Certificate {
    fn from(own: &Listed) -> Self {
        Self {
            thumbprint: own.thumbprint,
            subject: own.subject.clone(),
            issuer: own.issuer.clone(),
            key: own.key,
            not_before: own.not_before,
            not_after: own.not_after,
            state: match own.state {
                CertificateState::Future => "future",
                CertificateState::Valid => "valid",
                CertificateState::Soon => "soon",
                CertificateState::Ended => "ended",
            },
        }
    }
}

impl From<&Traffic> for Going {
    fn from(own: &Traffic) -> Self {
        Self {
            kind: own.message.clone(),
            others: own.others.iter().map(ToString::to_string).collect(),
            on_consent: own.on_consent,
            data_classes: own.data_classes.clone(),
            translated: own.translated,
        }
    }
}

#[utoipa::path(
    get, path = "/api/v1/participants", tag = "configuration", operation_id = "listParticipants",
    summary = "Участники / participants",
    responses((status = 200, description = "Все участники / all participants", body = Participants))
)]
pub(super) async fn list(visit: Visit) -> Answer {
    let snapshot = visit.gateway.snapshot();
    let certificates = visit.gateway.editor().certificates(None, None).await.map_err(Problem::from_edit)?;
    let all = snapshot.participants().map(|known| Participant::of(&known.participant, &certificates));
    json(Participants { items: all.collect() })
}

#[utoipa::path(
    get, path = "/api/v1/participants/{id}", tag = "configuration", operation_id = "getParticipant",
    summary = "Участник: настройки, сертификаты, что шлёт и получает / a participant: settings, certificates, what it sends and gets",
    params(("id" = ParticipantId, Path, description = "Участник / the participant")),
    responses((status = 200, description = "Участник / the participant", body = Card))
)]
pub(super) async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let (snapshot, editor) = (visit.gateway.snapshot(), visit.gateway.editor());
    let participant = ParticipantId::parse(&id).map_err(|_| Problem::of(Code::NotFound))?;
    let known = snapshot.participant(&participant).ok_or_else(|| Problem::of(Code::NotFound))?;
    let card = editor.card(&id).await.map_err(Problem::from_edit)?;
    let certificates = editor.certificates(Some(&id), None).await.map_err(Problem::from_edit)?;
    let traffic = snapshot.traffic(&participant);
    let going = |way: Way| traffic.iter().filter(|own| own.way == way).map(Going::from).collect();
    let fields = Field::all().map(|field| (field.id(), card.form.get(field).to_owned()));
    json(Card {
        participant: Participant::of(known, &certificates),
        revision: card.revision,
        fields: fields.filter(|(_, value)| !value.is_empty()).collect(),
        certificates: certificates.iter().map(Certificate::from).collect(),
        sends: going(Way::Sends),
        gets: going(Way::Gets),
    })
}
