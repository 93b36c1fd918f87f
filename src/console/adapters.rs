//! `/adapters`: which there are and who uses them, whether their golden samples pass, and a pasted sample taken through one.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::errors::Trouble;
use super::fields::Fields;
use super::routes::{Access, Route};
use super::visit::{Frame, Visit, html};
use crate::access::Right;
use crate::adapter::{
    Direction, GoldenOutcome, GoldenResult, PreviewStep, PreviewStepKind, check_golden, preview, side,
};
use crate::domain::MessageType;
use crate::store::RevisionKind;

pub(super) fn routes() -> Vec<Route> {
    let see = Access::Right(Right::SeeConfiguration);
    vec![
        Route::get("/adapters", see, get(list)),
        Route::get("/adapters/{name}", see, get(show)),
        Route::post("/adapters/{name}/preview", see, post(try_sample)),
    ]
}

struct Row {
    name: String,
    title: String,
    form: String,
    types: usize,
    used_by: String,
}

#[derive(Template)]
#[template(path = "console/adapters.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
}

async fn list(visit: Visit) -> Result<Response, Trouble> {
    let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
    let rows = snapshot.adapters().iter().map(|adapter| {
        let own = snapshot.participants().filter(|k| k.participant.adapter.as_deref() == Some(adapter.name()));
        Row {
            name: adapter.name().to_owned(),
            title: t.pick(adapter.title(), adapter.title_en()).to_owned(),
            form: if adapter.is_canonical() { t.t("adapter-canonical") } else { adapter.media_type().to_owned() },
            types: adapter.message_types().count(),
            used_by: own.map(|k| k.participant.id.to_string()).collect::<Vec<_>>().join(", "),
        }
    });
    Ok(html(ListPage { frame: visit.frame(&t.t("adapters-title"), "adapters"), rows: rows.collect() }.render()?))
}

/// A message type that an adapter carries.
struct Carried {
    title: String,
    code: String,
    to_partner: bool,
    to_canonical: bool,
    chosen: bool,
}

/// A golden sample.
struct Sample {
    name: String,
    passed: bool,
    reason: String,
}

/// A step of a preview.
struct Step {
    title: String,
    file: String,
    result: String,
    problem: String,
}

#[derive(Template)]
#[template(path = "console/adapter.html")]
struct AdapterPage {
    frame: Frame,
    name: String,
    types: Vec<Carried>,
    samples: Vec<Sample>,
    passed: usize,
    failed: usize,
    body: String,
    error: String,
    steps: Vec<Step>,
}

async fn show(visit: Visit, Path(name): Path<String>) -> Result<Response, Trouble> {
    page(&visit, &name, ("", ""), (Vec::new(), String::new())).await
}

async fn page(
    visit: &Visit,
    name: &str,
    (chosen, body): (&str, &str),
    (steps, error): (Vec<PreviewStep>, String),
) -> Result<Response, Trouble> {
    let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
    let adapter = snapshot.adapters().get(name).cloned().ok_or(Trouble::NotFound)?;
    let number = snapshot.bundle_revision;
    let bundle = visit.gateway.store().revision(RevisionKind::Bundle, number).await?.ok_or(Trouble::NotFound)?;
    let tried = {
        let (adapter, snapshot) = (adapter.clone(), snapshot.clone());
        tokio::task::spawn_blocking(move || check_golden(&adapter, &bundle.files, &snapshot.catalogue))
    };
    let tried: Vec<GoldenResult> = tried.await.map_err(|e| Trouble::Defect(e.to_string()))?;
    let samples: Vec<Sample> = tried.iter().map(sample).collect();
    let types = adapter.message_types().map(|kind| Carried {
        title: t.word("type", &kind.name),
        code: kind.to_string(),
        to_partner: adapter.carries(kind, Direction::ToPartner),
        to_canonical: adapter.carries(kind, Direction::ToCanonical),
        chosen: kind.to_string() == chosen,
    });
    let shown = AdapterPage {
        frame: visit.frame(t.pick(adapter.title(), adapter.title_en()), "adapters"),
        name: name.to_owned(),
        types: types.collect(),
        passed: samples.iter().filter(|s| s.passed).count(),
        failed: samples.iter().filter(|s| !s.passed).count(),
        samples,
        body: body.to_owned(),
        error,
        steps: steps
            .into_iter()
            .map(|step| Step {
                title: t.word("preview", word(step.step)),
                file: step.file,
                result: step.result.unwrap_or_default(),
                problem: step.problem.unwrap_or_default(),
            })
            .collect(),
    };
    Ok(html(shown.render()?))
}

fn word(step: PreviewStepKind) -> &'static str {
    match step {
        PreviewStepKind::Input => "input",
        PreviewStepKind::Conversion => "conversion",
        PreviewStepKind::Translation => "translation",
        PreviewStepKind::Back => "back",
        PreviewStepKind::Comparison => "comparison",
    }
}

fn sample(result: &GoldenResult) -> Sample {
    let direction = result.direction.map_or("", Direction::as_str);
    let reason = match &result.outcome {
        GoldenOutcome::Passed => String::new(),
        GoldenOutcome::Failed { reason, .. } => reason.clone(),
    };
    let name = [result.message_type.as_str(), result.case.as_str(), direction];
    let name = name.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    Sample { name, passed: result.passed(), reason }
}

async fn try_sample(visit: Visit, Path(name): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let (kind, body) = (fields.get("type").to_owned(), fields.get("body").to_owned());
    let parsed = kind.split_once('/').and_then(|(name, version)| MessageType::new(name, version.parse().ok()?).ok());
    let snapshot = visit.gateway.snapshot();
    let adapter = snapshot.adapters().get(&name).cloned().ok_or(Trouble::NotFound)?;
    let (Some(message_type), false) = (parsed, body.is_empty()) else {
        let said = visit.texts().t("say-paste-a-sample");
        return page(&visit, &name, (&kind, &body), (Vec::new(), said)).await;
    };
    let bytes = body.clone().into_bytes();
    let steps = tokio::task::spawn_blocking(move || {
        let with = (&snapshot.catalogue, &snapshot.conversions);
        preview(&adapter, with, &message_type, side(&message_type, &bytes), &bytes)
    });
    let steps = steps.await.map_err(|e| Trouble::Defect(e.to_string()))?;
    page(&visit, &name, (&kind, &body), (steps, String::new())).await
}
