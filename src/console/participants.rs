//! `/participants`: who takes part, and each one's card: fields, what it may send and get, certificates, tries of the way, history.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;

use super::errors::Trouble;
use super::routes::{Access, Route};
use super::texts::Texts;
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::Right;
use crate::domain::{Framing, Participant, ParticipantId, Timestamp, Zone};
use crate::gateway::administer::{CertificateState, EditError, Entry, FileChange, Listed, Traffic, Way};
use crate::gateway::dispatch::ping::PingReport;
use crate::settings::participants::Field;
use crate::store::{PingRow, RevisionKind};

/// How many revisions a card looks through.
const REVISIONS_MAX: u32 = 50;
/// How many tries of the way a card shows.
const PINGS_MAX: u32 = 5;

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeConfiguration);
    vec![
        Route::get("/participants", see, get(list)),
        Route::get("/participants/{id}", see, get(card)),
        Route::get("/participants/{id}/revisions/{number}", see, get(revision)),
    ]
}

impl From<EditError> for Trouble {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Store(error) => error.into(),
            EditError::NoSuch(_) | EditError::NoRevision(_) => Self::NotFound,
            other @ (EditError::Empty
            | EditError::Taken(_)
            | EditError::Conflict { .. }
            | EditError::Refused(_)
            | EditError::Certificate(_)
            | EditError::Unchanged
            | EditError::Comment
            | EditError::Busy
            | EditError::Panic) => Self::Defect(other.to_string()),
        }
    }
}

/// A participant in the list.
struct Row {
    id: String,
    name: String,
    roles: String,
    way: String,
    adapter: String,
    /// Until when it has a valid certificate; empty: it has none, or needs none.
    covered: String,
    cover: &'static str,
    cover_text: String,
    last_ping: String,
    ping: &'static str,
}

#[derive(Template)]
#[template(path = "console/participants.html")]
struct ListPage {
    frame: Frame,
    may_configure: bool,
    rows: Vec<Row>,
}

async fn list(visit: Visit) -> Result<Response, Trouble> {
    let (t, zone, snapshot) = (visit.texts(), visit.zone()?, visit.gateway.snapshot());
    let certificates = visit.gateway.editor().certificates(None, None).await?;
    let mut rows = Vec::new();
    for known in snapshot.participants() {
        let p = &known.participant;
        let own: Vec<&Listed> = certificates.iter().filter(|c| c.participant == p.id).collect();
        let (cover, covered) = cover(&own);
        let ping = visit.gateway.store().pings(&p.id, 1).await?.into_iter().next();
        rows.push(Row {
            id: p.id.to_string(),
            name: p.name.clone(),
            roles: roles(&visit, p),
            way: way(t, p),
            adapter: p.adapter.clone().unwrap_or_else(|| t.t("participants-canonical")),
            covered: covered.map_or_else(String::new, |at| words::date(t, at, zone)),
            cover,
            cover_text: if own.is_empty() { t.t("participants-unsigned") } else { t.word("certificate", cover) },
            last_ping: ping.as_ref().map_or_else(String::new, |row| pinged(t, row, zone)),
            ping: ping.as_ref().map_or("", outcome),
        });
    }
    let frame = visit.frame(&t.t("participants-title"), "participants");
    Ok(html(ListPage { frame, may_configure: visit.may(Right::ConfigureParticipants), rows }.render()?))
}

/// The word of how a participant is covered by certificates, and until when.
fn cover(own: &[&Listed]) -> (&'static str, Option<Timestamp>) {
    let until = own.first().and_then(|c| c.covered_until);
    let soon = own.iter().any(|c| c.state == CertificateState::Soon && Some(c.not_after) == c.covered_until);
    match until {
        None => ("ended", None),
        Some(until) if soon => ("soon", Some(until)),
        Some(until) => ("valid", Some(until)),
    }
}

fn roles(visit: &Visit, participant: &Participant) -> String {
    let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
    let regulation = snapshot.regulation(&participant.regulation).ok();
    let title = |holding: &crate::domain::RoleHolding| {
        let role = regulation.and_then(|r| r.role(&holding.role));
        let title = role.map_or_else(|| holding.role.to_string(), |r| t.pick(&r.title.ru, &r.title.en).to_owned());
        match holding.territories.as_slice() {
            [] => title,
            some => format!("{title} ({})", some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        }
    };
    participant.roles.iter().map(title).collect::<Vec<_>>().join("; ")
}

fn way(t: Texts, participant: &Participant) -> String {
    let way = t.word("transport", participant.transport.as_str());
    match participant.framing {
        Framing::Envelope => way,
        Framing::Plain(_) => format!("{way}, {}", t.t("participants-plain")),
    }
}

/// The word of what a try came to.
pub(super) fn outcome(row: &PingRow) -> &'static str {
    use crate::gateway::dispatch::ping::PingOutcome;
    row.outcome.as_deref().and_then(PingOutcome::parse).map_or("running", PingOutcome::as_str)
}

fn pinged(t: Texts, row: &PingRow, zone: Zone) -> String {
    format!("{}, {}", t.word("ping", outcome(row)), words::instant(t, row.started_at, zone))
}

/// A field of the card.
struct Shown {
    label: String,
    value: String,
}

/// A certificate as a row.
pub(super) struct CertificateRow {
    thumbprint: String,
    subject: String,
    issuer: String,
    key: &'static str,
    from: String,
    until: String,
    state: &'static str,
    state_text: String,
    left: String,
}

/// A message type that goes one way.
struct Going {
    title: String,
    code: String,
    others: String,
    note: String,
}

/// A revision as a row.
struct Change {
    number: i64,
    at: String,
    at_iso: String,
    author: String,
    comment: String,
}

/// A try of the way as a row.
struct Tried {
    id: String,
    outcome: &'static str,
    text: String,
    author: String,
}

#[derive(Template)]
#[template(path = "console/participant.html")]
struct CardPage {
    frame: Frame,
    id: String,
    revision: i64,
    may_configure: bool,
    error: String,
    fields: Vec<Shown>,
    is_plain: bool,
    certificates: Vec<CertificateRow>,
    /// Until when it always has a valid one, where others reach further: a gap; else empty.
    gap: String,
    sends: Vec<Going>,
    gets: Vec<Going>,
    pings: Vec<Tried>,
    changes: Vec<Change>,
}

async fn card(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    card_page(&visit, &id, String::new()).await
}

/// The card, with what the act before it came to.
pub(super) async fn card_page(visit: &Visit, id: &str, error: String) -> Result<Response, Trouble> {
    let (t, zone, snapshot) = (visit.texts(), visit.zone()?, visit.gateway.snapshot());
    let editor = visit.gateway.editor();
    let card = editor.card(id).await?;
    let participant = ParticipantId::parse(id).map_err(|_| Trouble::NotFound)?;
    let certificates = editor.certificates(Some(id), None).await?;
    let shown = Field::all().filter(|field| !card.form.get(*field).is_empty());
    let fields = shown.map(|field| Shown { label: label(t, field), value: card.form.get(field).to_owned() });
    let traffic = snapshot.traffic(&participant);
    let going = |way: Way| traffic.iter().filter(|g| g.way == way).map(|g| going(t, g)).collect();
    let last = certificates.iter().map(|c| c.not_after).max();
    let covered = certificates.first().and_then(|c| c.covered_until);
    let gap = covered.filter(|covered| last.is_some_and(|last| last > *covered));
    let pings = visit.gateway.store().pings(&participant, PINGS_MAX).await?;
    let changes = editor.history(RevisionKind::Participants, Some(id), REVISIONS_MAX).await?;
    let name = card.form.get(Field::Name).to_owned();
    let page = CardPage {
        frame: visit.frame(&name, "participants"),
        id: id.to_owned(),
        revision: card.revision,
        may_configure: visit.may(Right::ConfigureParticipants),
        error,
        fields: fields.collect(),
        is_plain: card.form.get(Field::Framing) == "plain",
        certificates: certificates.iter().map(|c| certificate(t, c, zone)).collect(),
        gap: gap.map_or_else(String::new, |at| words::instant(t, at, zone)),
        sends: going(Way::Sends),
        gets: going(Way::Gets),
        pings: pings.iter().map(|row| tried(t, row, zone)).collect(),
        changes: changes.iter().map(|entry| change(t, entry, zone)).collect(),
    };
    Ok(html(page.render()?))
}

/// What a field is called.
pub(super) fn label(t: Texts, field: Field) -> String {
    t.word("field", &word(field))
}

/// The word of a field in the texts.
pub(super) fn word(field: Field) -> String {
    field.id().replace(['.', '_'], "-")
}

fn certificate(t: Texts, c: &Listed, zone: Zone) -> CertificateRow {
    let state = match c.state {
        CertificateState::Future => "future",
        CertificateState::Valid => "valid",
        CertificateState::Soon => "soon",
        CertificateState::Ended => "ended",
    };
    CertificateRow {
        thumbprint: c.thumbprint.to_string(),
        subject: c.subject.clone(),
        issuer: c.issuer.clone(),
        key: c.key,
        from: words::instant(t, c.not_before, zone),
        until: words::instant(t, c.not_after, zone),
        state,
        state_text: t.word("certificate", state),
        left: if c.days_left >= 0 { t.n("span-days", c.days_left) } else { String::new() },
    }
}

fn going(t: Texts, traffic: &Traffic) -> Going {
    let mut notes = Vec::new();
    if traffic.on_consent {
        notes.push(t.t("traffic-on-consent"));
    }
    if traffic.translated == Some(false) {
        notes.push(t.t("traffic-untranslated"));
    }
    if let Some(classes) = &traffic.data_classes {
        notes.extend(classes.iter().map(|class| t.word("data-class", class.as_str())));
    }
    Going {
        title: t.word("type", &traffic.message),
        code: traffic.message.clone(),
        others: traffic.others.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        note: notes.join(", "),
    }
}

fn tried(t: Texts, row: &PingRow, zone: Zone) -> Tried {
    Tried { id: row.id.to_string(), outcome: outcome(row), text: pinged(t, row, zone), author: row.author.clone() }
}

fn change(t: Texts, entry: &Entry, zone: Zone) -> Change {
    let info = &entry.info;
    Change {
        number: info.number,
        at: words::instant(t, info.created_at, zone),
        at_iso: info.created_at.in_zone(zone),
        author: info.author.clone(),
        comment: info.comment.clone(),
    }
}

#[derive(Template)]
#[template(path = "console/participant_revision.html")]
struct RevisionPage {
    frame: Frame,
    id: String,
    number: i64,
    /// The one before; 0: there is none.
    before: i64,
    /// Whether there is one before.
    has_before: bool,
    /// The latest one: what an undo is based on.
    latest: i64,
    may_configure: bool,
    at: String,
    author: String,
    comment: String,
    changes: Vec<FileChange>,
}

async fn revision(visit: Visit, Path((id, number)): Path<(String, i64)>) -> Result<Response, Trouble> {
    let (t, zone) = (visit.texts(), visit.zone()?);
    let editor = visit.gateway.editor();
    let (info, mut changes) = editor.revision(RevisionKind::Participants, number).await?;
    if number > 1 {
        changes = editor.difference(RevisionKind::Participants, (number - 1, number), Some(&id)).await?;
    }
    let page = RevisionPage {
        frame: visit.frame(&t.a("revision-title", "number", number.to_string()), "participants"),
        id,
        number,
        before: number - 1,
        has_before: number > 1,
        latest: visit.gateway.store().revisions().await?.participants,
        may_configure: visit.may(Right::ConfigureParticipants),
        at: words::instant(t, info.created_at, zone),
        author: info.author,
        comment: info.comment,
        changes,
    };
    Ok(html(page.render()?))
}

/// A report of a try that is stored.
pub(super) fn report(row: PingRow) -> Result<PingReport, Trouble> {
    Ok(PingReport::of(row)?)
}
