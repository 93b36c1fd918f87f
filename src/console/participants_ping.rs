//! «Проверить связь»: begins a try of the way to a participant, and shows its steps while it runs.

use std::time::Duration;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use tracing::warn;

use super::errors::Trouble;
use super::participants::{outcome, report};
use super::routes::{Access, Route};
use super::texts::Texts;
use super::visit::{Frame, Visit, html};
use super::words;
use crate::access::Right;
use crate::domain::{ParticipantId, RecordId};
use crate::gateway::dispatch::ping::{PingError, PingStep, Pinger, StepReport, StepState};

/// How long a receipt is waited for that does not come in the answer.
const WAIT: Duration = Duration::from_secs(20);
/// A try that has not ended after this time never will: its node died. In microseconds.
const RUNS_MAX: i64 = 180_000_000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/participants/{id}/ping", Access::Right(Right::ConfigureParticipants), post(begin)),
        Route::get("/participants/{id}/pings/{ping}", Access::Right(Right::SeeConfiguration), get(show)),
    ]
}

async fn begin(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let participant = ParticipantId::parse(&id).map_err(|_| Trouble::NotFound)?;
    let ways = visit.gateway.ways().ok_or(Trouble::Status(StatusCode::SERVICE_UNAVAILABLE))?;
    let author = visit.principal()?.login().to_string();
    let pinger = match Pinger::begin(&visit.gateway, ways, &participant, &author, WAIT).await {
        Ok(pinger) => pinger,
        Err(PingError::NoSuch(_)) => return Err(Trouble::NotFound),
        Err(PingError::Store(error)) => return Err(error.into()),
    };
    let to = format!("/participants/{id}/pings/{}", pinger.id());
    tokio::spawn(async move {
        if let Err(error) = pinger.run().await {
            warn!(%error, "a try of the way to a participant could not be noted");
        }
    });
    Ok(Redirect::to(&to).into_response())
}

/// A step as the page shows it.
struct Step {
    title: String,
    state: &'static str,
    state_text: String,
    millis: u64,
    facts: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "console/participant_ping.html")]
struct PingPage {
    frame: Frame,
    id: String,
    at: String,
    author: String,
    node: String,
    outcome: &'static str,
    outcome_text: String,
    running: bool,
    may_configure: bool,
    steps: Vec<Step>,
}

async fn show(visit: Visit, Path((id, ping)): Path<(String, String)>) -> Result<Response, Trouble> {
    let (t, zone) = (visit.texts(), visit.zone()?);
    let ping = RecordId::parse(&ping).map_err(|_| Trouble::NotFound)?;
    let row = visit.gateway.store().ping_of(ping).await?.filter(|row| row.participant.as_str() == id);
    let report = report(row.ok_or(Trouble::NotFound)?)?;
    let age = visit.gateway.clock().now().since(report.row.started_at);
    let word = outcome(&report.row);
    let page = PingPage {
        frame: visit.frame(&t.a("ping-title", "id", id.as_str()), "participants"),
        id,
        at: words::instant(t, report.row.started_at, zone),
        author: report.row.author.clone(),
        node: report.row.node.clone(),
        outcome: word,
        outcome_text: t.word("ping-said", word),
        running: report.row.ended_at.is_none() && age < RUNS_MAX,
        may_configure: visit.may(Right::ConfigureParticipants),
        steps: report.steps.iter().map(|one| step(t, one)).collect(),
    };
    Ok(html(page.render()?))
}

fn step(t: Texts, report: &StepReport) -> Step {
    let word = match report.step {
        PingStep::Name => "name",
        PingStep::Tcp => "tcp",
        PingStep::Tls => "tls",
        PingStep::Broker => "broker",
        PingStep::Queue => "queue",
        PingStep::Secret => "secret",
        PingStep::Sign => "sign",
        PingStep::Send => "send",
        PingStep::Receipt => "receipt",
    };
    let state = match report.state {
        StepState::Done => "done",
        StepState::Failed => "failed",
        StepState::Open => "open",
    };
    Step {
        title: t.word("step", word),
        state,
        state_text: t.word("step-state", state),
        millis: report.millis,
        facts: report.facts.iter().map(|(name, value)| (t.word("fact", name), value.clone())).collect(),
    }
}
