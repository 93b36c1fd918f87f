//! `/conversations/{id}`: «Переписка», everything of one conversation in the order in which it happened.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;

use super::errors::Trouble;
use super::messages::light;
use super::routes::{Access, Route};
use super::shown::Light;
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::Right;
use crate::domain::{ConversationId, Timestamp};
use crate::store::{MessageFilter, ObligationFilter, ObligationRow};

/// Messages and obligations on the page.
pub(super) const PARTS_MAX: u32 = 200;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/conversations/{id}", Access::Right(Right::SeeMessages), get(page))]
}

#[derive(Template)]
#[template(path = "console/conversation.html")]
struct Page {
    frame: Frame,
    id: String,
    case_id: String,
    events: Vec<Event>,
    /// There is more than the page shows.
    more: bool,
}

struct Event {
    order: Timestamp,
    at: String,
    at_iso: String,
    title: String,
    href: String,
    detail: String,
    state: &'static str,
    state_text: String,
}

/// What happened, in the making.
struct Timeline<'a> {
    light: &'a Light<'a>,
    events: Vec<Event>,
}

impl Timeline<'_> {
    fn add(&mut self, at: Timestamp, title: String, href: String, detail: String, state: (&'static str, String)) {
        self.events.push(Event {
            order: at,
            at: words::instant(self.light.t, at, self.light.zone),
            at_iso: at.in_zone(self.light.zone),
            title,
            href,
            detail,
            state: state.0,
            state_text: state.1,
        });
    }

    /// The opening, the delay and the end of an obligation.
    fn obligation(&mut self, row: &ObligationRow) {
        let t = self.light.t;
        let (href, shown) = (format!("/obligations/{}", row.id), self.light.due(row, &[]));
        let what = format!("{}: {}", shown.debtor_name, shown.rule_title);
        let title = || t.a("event-owed-by", "what", what.as_str());
        let opened = t.a("event-opened", "what", what.as_str());
        let due = t.a("event-due", "due", shown.due.as_str());
        self.add(row.opened_at, opened, href.clone(), due, ("open", t.t("event-owed")));
        if let Some(at) = row.overdue_at {
            self.add(at, title(), href.clone(), String::new(), ("overdue", t.word("obligation", "overdue")));
        }
        if let Some(at) = row.settled_at {
            let how = row.settle_kind.map_or_else(String::new, |kind| t.word("settled", kind.as_str()));
            self.add(at, title(), href, how, (row.state.as_str(), shown.state_text));
        }
    }
}

async fn page(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let id = ConversationId::parse(&id).map_err(|_| Trouble::NotFound)?;
    let (store, snapshot, t) = (visit.gateway.store(), visit.gateway.snapshot(), visit.texts());
    let scope = visit.principal()?.scope().clone();
    let filter = MessageFilter { conversation_id: Some(id), within: scope.clone(), ..MessageFilter::default() };
    let messages = store.list_messages(&filter, None, PARTS_MAX).await?;
    let owed = ObligationFilter { conversation_id: Some(id), within: scope, ..ObligationFilter::default() };
    let owed = store.list_obligations(&owed, None, PARTS_MAX).await?;
    if messages.is_empty() && owed.is_empty() {
        return Err(Trouble::NotFound);
    }
    let light = light(&visit, &snapshot)?;
    let mut timeline = Timeline { light: &light, events: Vec::new() };
    // What happened by machine time is put where business time has it: only in a demonstration they differ.
    let shift = visit.gateway.clock().offset_micros();
    let business = |at: Timestamp| Timestamp::from_micros(at.micros().saturating_add(shift));
    let mut case_id = String::new();
    for row in &messages {
        if let Some(case) = row.case_id {
            case_id = case.to_string();
        }
        let href = format!("/messages/{}", row.record_id);
        let kind = t.word("type", &row.message_type.name);
        let way = t.a2("event-way", "from", light.name(&row.sender), "to", light.name(&row.recipient));
        let title = t.a("event-accepted", "type", kind.as_str());
        timeline.add(row.business_at, title, href.clone(), way, ("accepted", t.t("event-receipt")));
        for delivery in store.deliveries_of(row.record_id).await? {
            for tried in store.attempts(delivery.id).await? {
                let reason = tried.reason.map_or_else(String::new, |reason| t.word("reason", reason.as_str()));
                let title = t.a2("event-delivery", "type", kind.as_str(), "to", light.name(&delivery.recipient));
                let state = (tried.state.as_str(), t.word("delivery", tried.state.as_str()));
                timeline.add(business(tried.at), title, href.clone(), reason, state);
            }
        }
    }
    owed.iter().for_each(|row| timeline.obligation(row));
    let mut events = timeline.events;
    events.sort_by_key(|event| event.order);
    let limit = usize::try_from(PARTS_MAX).unwrap_or(usize::MAX);
    let page = Page {
        frame: visit.frame(&t.t("conversation-title"), "messages"),
        id: id.to_string(),
        case_id,
        events,
        more: messages.len() >= limit || owed.len() >= limit,
    };
    Ok(html(page.render()?))
}
