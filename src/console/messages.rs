//! `/messages`: messages, newest first, found by what is known of them; `/messages/{id}`: one of them.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::errors::Trouble;
use super::message_view::{Bodies, Passed, Tried, bodies};
use super::pick::{Choice, day_begin, one, participants, types};
use super::routes::{Access, Route};
use super::shown::Light;
use super::visit::{Frame, Visit, html};
use super::{download, seen, words};
use crate::access::Right;
use crate::domain::{CaseId, ConversationId, DeliveryState, MessageId, ParticipantId, RecordId};
use crate::gateway::is_signed_on_behalf;
use crate::store::{Channel, JournalEntry, MessageFilter, MessageRow, ObligationFilter};

const ROWS_MAX: u32 = 50;
/// Deliveries and obligations that a page lists at most.
const PARTS_MAX: u32 = 100;

pub(super) fn routes() -> Vec<Route> {
    let (see, personal) = (Access::Right(Right::SeeMessages), Access::Right(Right::SeePersonalData));
    vec![
        Route::get("/messages", see, get(list)),
        Route::get("/messages/{id}", see, get(one_message)),
        Route::post("/messages/{id}/body", personal, post(reveal)),
        Route::post("/messages/{id}/envelope", personal, post(envelope)),
    ]
}

/// The states that can be asked for; their words are those of the address.
pub(super) const STATES: [(&str, &[DeliveryState]); 6] = [
    ("waiting", &[DeliveryState::Queued, DeliveryState::Leased]),
    ("sent", &[DeliveryState::Sent]),
    ("delivered", &[DeliveryState::Delivered]),
    ("parked", &[DeliveryState::Parked]),
    ("refused", &[DeliveryState::Refused]),
    ("ended", &[DeliveryState::Expired, DeliveryState::Stopped, DeliveryState::Discarded]),
];

/// The words of [`STATES`], for the test of texts.
#[cfg(test)]
pub(super) const STATE_WORDS: [&str; 6] = ["waiting", "sent", "delivered", "parked", "refused", "ended"];

#[derive(Template)]
#[template(path = "console/messages.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    error: String,
    filtered: bool,
    rows: Vec<Row>,
    next_href: String,
    first_href: String,
}

struct Form {
    id: String,
    case_id: String,
    conversation: String,
    participant: Vec<Choice>,
    kind: Vec<Choice>,
    state: Vec<Choice>,
    from: String,
    to: String,
}

/// A message as a row.
pub(super) struct Row {
    pub(super) href: String,
    pub(super) type_title: String,
    pub(super) message_id: String,
    pub(super) sender: String,
    pub(super) recipient: String,
    pub(super) accepted: String,
    pub(super) accepted_iso: String,
    pub(super) conversation: String,
    pub(super) case_id: String,
    pub(super) state: &'static str,
    pub(super) state_text: String,
}

async fn list(visit: Visit) -> Result<Response, Trouble> {
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let t = visit.texts();
    let (rows, error) = match filter(&visit) {
        Ok((filter, before)) => (store.list_messages(&filter, before, ROWS_MAX + 1).await?, String::new()),
        Err(field) => (Vec::new(), t.a("filter-unreadable", "field", t.t(field))),
    };
    let light = light(&visit, &snapshot)?;
    let limit = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let next_href = last.map_or_else(String::new, |row| visit.with(&[("before", &row.record_id.to_string())]));
    let mut shown = Vec::new();
    for row in rows.iter().take(limit) {
        let states: Vec<DeliveryState> =
            store.deliveries_of(row.record_id).await?.iter().map(|delivery| delivery.state).collect();
        shown.push(light.message(row, &states));
    }
    let scope = visit.principal()?.scope();
    let state = visit.query("state");
    let form = Form {
        id: visit.query("id").to_owned(),
        case_id: visit.query("case").to_owned(),
        conversation: visit.query("conversation").to_owned(),
        participant: participants(&snapshot, scope, visit.query("participant")),
        kind: types(t, &snapshot, visit.query("type")),
        state: STATES
            .iter()
            .map(|(word, _)| Choice {
                value: (*word).to_owned(),
                label: t.word("message-state", word),
                chosen: *word == state,
            })
            .collect(),
        from: visit.query("from").to_owned(),
        to: visit.query("to").to_owned(),
    };
    let filters = ["id", "participant", "type", "case", "conversation", "state", "from", "to"];
    let page = ListPage {
        frame: visit.frame(&t.t("messages-title"), "messages"),
        form,
        error,
        filtered: filters.iter().any(|name| !visit.query(name).is_empty()),
        rows: shown,
        next_href,
        first_href: if visit.query("before").is_empty() { String::new() } else { visit.with(&[("before", "")]) },
    };
    Ok(html(page.render()?))
}

/// The filter of the address.
///
/// # Errors
/// The label of the first field that cannot be read.
pub(super) fn filter(visit: &Visit) -> Result<(MessageFilter, Option<RecordId>), &'static str> {
    let zone = visit.zone().map_err(|_| "say-from")?;
    let scope = visit.principal().map_err(|_| "say-participant")?.scope().clone();
    let states = one(
        visit.query("state"),
        |t| STATES.iter().find(|(word, _)| *word == t).map(|(_, states)| states.to_vec()),
        "say-state",
    )?;
    let filter = MessageFilter {
        message_id: one(visit.query("id"), |t| MessageId::parse(t).ok(), "say-message")?,
        party: one(visit.query("participant"), |t| ParticipantId::parse(t).ok(), "say-participant")?,
        type_name: Some(visit.query("type").to_owned()).filter(|name| !name.is_empty()),
        case_id: one(visit.query("case"), |t| CaseId::parse(t).ok(), "say-case")?,
        conversation_id: one(visit.query("conversation"), |t| ConversationId::parse(t).ok(), "say-conversation")?,
        accepted_from: one(visit.query("from"), |t| day_begin(t, zone, 0), "say-from")?,
        accepted_before: one(visit.query("to"), |t| day_begin(t, zone, 1), "say-to")?,
        states: states.unwrap_or_default(),
        within: scope,
        ..MessageFilter::default()
    };
    Ok((filter, one(visit.query("before"), |t| RecordId::parse(t).ok(), "say-page")?))
}

/// What rows are shown with.
pub(super) fn light<'a>(visit: &Visit, snapshot: &'a crate::gateway::Snapshot) -> Result<Light<'a>, Trouble> {
    let (now, business_now) = (visit.gateway.clock().now(), visit.business_now());
    Ok(Light { t: visit.texts(), snapshot, zone: visit.zone()?, business_now, now })
}

impl Light<'_> {
    /// A message as a row, with the states of its deliveries: what needs somebody is shown before what does not.
    pub(super) fn message(&self, row: &MessageRow, states: &[DeliveryState]) -> Row {
        let order = [
            DeliveryState::Parked,
            DeliveryState::Refused,
            DeliveryState::Expired,
            DeliveryState::Queued,
            DeliveryState::Leased,
            DeliveryState::Sent,
            DeliveryState::Stopped,
            DeliveryState::Discarded,
            DeliveryState::Delivered,
        ];
        let state = order.into_iter().find(|state| states.contains(state));
        Row {
            href: format!("/messages/{}", row.record_id),
            type_title: self.t.word("type", &row.message_type.name),
            message_id: row.message_id.to_string(),
            sender: self.name(&row.sender),
            recipient: self.name(&row.recipient),
            accepted: words::instant(self.t, row.accepted_at, self.zone),
            accepted_iso: row.accepted_at.in_zone(self.zone),
            conversation: row.conversation_id.to_string(),
            case_id: row.case_id.map_or_else(String::new, |id| id.to_string()),
            state: state.map_or("", DeliveryState::as_str),
            state_text: state.map_or_else(|| self.t.t("message-no-delivery"), |s| self.t.word("delivery", s.as_str())),
        }
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct MessagePage {
    frame: Frame,
    row: Row,
    version: u32,
    sender_id: String,
    recipient_id: String,
    created: String,
    expires: String,
    digest: String,
    certificate: String,
    /// The certificate's subject and its end; empty: it is not registered any more.
    subject: String,
    on_behalf: bool,
    channel: String,
    in_reply_to: String,
    derived_from: String,
    has_receipt: bool,
    test: bool,
    revisions: String,
    attachments: Vec<(String, String)>,
    deliveries: Vec<Passed>,
    obligations: Vec<super::shown::Due>,
    more_obligations: bool,
    may_see_body: bool,
    may_act: bool,
    /// The bodies, once they were asked for.
    bodies: Option<Bodies>,
    href: String,
}

async fn one_message(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = seen::message(&visit, &id).await?;
    page(&visit, &row, None).await
}

async fn page(visit: &Visit, row: &MessageRow, bodies: Option<Bodies>) -> Result<Response, Trouble> {
    let (store, snapshot, t) = (visit.gateway.store(), visit.gateway.snapshot(), visit.texts());
    let light = light(visit, &snapshot)?;
    let (mut deliveries, mut states) = (Vec::new(), Vec::new());
    for delivery in store.deliveries_of(row.record_id).await? {
        let tries = store.attempts(delivery.id).await?;
        let answer = store.partner_answer(delivery.id).await?;
        let behalf = answer.as_deref().is_some_and(is_signed_on_behalf);
        states.push(delivery.state);
        let mut passed = light.passed(&delivery, (answer.is_some(), behalf));
        passed.tries = tries.iter().map(|tried| Tried::of(&light, tried)).collect();
        deliveries.push(passed);
    }
    let filter = ObligationFilter {
        conversation_id: Some(row.conversation_id),
        within: visit.principal()?.scope().clone(),
        ..ObligationFilter::default()
    };
    let all = store.list_obligations(&filter, None, PARTS_MAX).await?;
    let own = |due: &&crate::store::ObligationRow| {
        due.record_id == Some(row.record_id) || due.settled_record == Some(row.record_id)
    };
    let obligations = all.iter().filter(own).map(|due| light.due(due, &[])).collect();
    let known = row.certificate.and_then(|digest| {
        let all = snapshot.participants().flat_map(|known| &known.certificates);
        let mut all = all.chain([visit.gateway.certificate()]);
        let found = all.find(|certificate| certificate.thumbprint() == digest)?;
        let until = words::instant(t, found.not_after(), light.zone);
        Some(t.a2("certificate-of", "subject", found.subject(), "until", until))
    });
    let instant = |at| words::instant(t, at, light.zone);
    let id = |id: Option<MessageId>| id.map_or_else(String::new, |id| id.to_string());
    let listed = store.listed_attachments(row.record_id).await?;
    let content = store.content(row.record_id).await?;
    let page = MessagePage {
        frame: visit.frame(&t.word("type", &row.message_type.name), "messages"),
        row: light.message(row, &states),
        version: row.message_type.version,
        sender_id: row.sender.to_string(),
        recipient_id: row.recipient.to_string(),
        created: instant(row.created),
        expires: row.expires.map(instant).unwrap_or_default(),
        digest: row.digest.to_string(),
        certificate: row.certificate.map_or_else(String::new, |digest| digest.to_string()),
        subject: known.unwrap_or_default(),
        on_behalf: row.channel == Channel::Plain,
        channel: t.word("channel", row.channel.as_str()),
        in_reply_to: id(row.in_reply_to),
        derived_from: id(row.derived_from),
        has_receipt: content.is_some_and(|content| content.receipt.is_some()),
        test: row.test,
        revisions: format!("{} / {}", row.revisions.participants, row.revisions.bundle),
        attachments: listed
            .iter()
            .map(|file| (file.digest.to_string(), t.word("attachment", file.state.as_str())))
            .collect(),
        deliveries,
        obligations,
        more_obligations: all.len() >= usize::try_from(PARTS_MAX).unwrap_or(usize::MAX),
        may_see_body: visit.may(Right::SeePersonalData),
        may_act: visit.may(Right::ActOnQueues),
        bodies,
        href: format!("/messages/{}", row.record_id),
    };
    Ok(html(page.render()?))
}

/// Notes who looks at what, before it is shown.
pub(super) async fn note(visit: &Visit, row: &MessageRow, kind: &str, bodies: &Bodies) -> Result<(), Trouble> {
    let principal = visit.principal()?;
    if !principal.sees_personal_data(&bodies.classes) {
        return Err(Trouble::Forbidden);
    }
    let classes: Vec<&str> = bodies.classes.iter().map(|class| class.as_str()).collect();
    let entry = JournalEntry {
        kind: kind.to_owned(),
        actor: principal.actor(),
        record_id: Some(row.record_id),
        detail: json!({ "classes": classes }),
        ..JournalEntry::default()
    };
    Ok(visit.gateway.store().append_journal(vec![entry], visit.gateway.clock().now()).await?)
}

async fn reveal(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = seen::message(&visit, &id).await?;
    let shown = bodies(&visit, &row).await?;
    note(&visit, &row, "personal-data-shown", &shown).await?;
    page(&visit, &row, Some(shown)).await
}

pub(super) async fn envelope(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let row = seen::message(&visit, &id).await?;
    let content = visit.gateway.store().content(row.record_id).await?.ok_or(Trouble::NotFound)?;
    let shown = bodies(&visit, &row).await?;
    note(&visit, &row, "envelope-downloaded", &shown).await?;
    Ok(download::xml(&format!("{}.xml", row.message_id), content.bytes))
}
