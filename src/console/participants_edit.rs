//! The forms that change a participant: its fields, its certificates, and the way back to an older state.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use super::errors::Trouble;
use super::fields::Fields;
use super::participants::{card_page, label, word};
use super::routes::{Access, Route};
use super::texts::Texts;
use super::visit::{Frame, NoticeKind, Visit, html};
use crate::access::Right;
use crate::domain::Digest;
use crate::gateway::administer::{EditError, Editing, Ending, Note, Refused, Undo, Upload};
use crate::settings::participants::{Field, Form};
use crate::store::RevisionKind;

pub(super) fn routes() -> Vec<Route> {
    let may = Access::Right(Right::ConfigureParticipants);
    vec![
        Route::get("/participants/new", may, get(show_new)),
        Route::post("/participants/new", may, post(add)),
        Route::get("/participants/{id}/edit", may, get(show_edit)),
        Route::post("/participants/{id}/edit", may, post(save)),
        Route::post("/participants/{id}/certificates", may, post(upload)),
        Route::post("/participants/{id}/certificates/end", may, post(end)),
        Route::post("/participants/{id}/undo", may, post(undo)),
    ]
}

/// A field as the form shows it.
struct Typed {
    id: String,
    label: String,
    hint: String,
    value: String,
    lines: bool,
    required: bool,
    fixed: bool,
    problem: String,
}

#[derive(Template)]
#[template(path = "console/participant_form.html")]
struct FormPage {
    frame: Frame,
    /// Empty: a new one.
    id: String,
    revision: i64,
    comment: String,
    /// What is wrong with the whole.
    problems: Vec<String>,
    fields: Vec<Typed>,
}

/// What a form is shown with.
struct Shown<'s> {
    /// Empty: a new participant.
    id: &'s str,
    revision: i64,
    form: &'s Form,
    comment: &'s str,
    refused: Refused,
    /// What else was said.
    said: String,
}

fn form_page(visit: &Visit, shown: Shown<'_>) -> Result<Response, Trouble> {
    let t = visit.texts();
    let title = if shown.id.is_empty() { t.t("participant-new") } else { t.a("participant-edit", "id", shown.id) };
    let of = |field: Field| {
        let own = shown.refused.fields.iter().filter(|p| p.field == Some(field));
        own.map(|p| t.pick(&p.ru, &p.en)).collect::<Vec<_>>().join("; ")
    };
    let fields: Vec<Typed> = Field::all()
        .map(|field| Typed {
            id: field.id(),
            label: label(t, field),
            hint: t.word("hint", &word(field)),
            value: shown.form.get(field).to_owned(),
            lines: field.is_list(),
            required: field.is_required(),
            fixed: field == Field::Id && !shown.id.is_empty(),
            problem: of(field),
        })
        .collect();
    let whole = shown.refused.fields.iter().filter(|p| p.field.is_none_or(|f| f == Field::Certificate));
    let mut problems: Vec<String> = whole.map(|p| t.pick(&p.ru, &p.en).to_owned()).collect();
    problems.extend(shown.refused.others.iter().map(|f| format!("{}: {}", f.file, t.pick(&f.ru, &f.en))));
    problems.extend(Some(shown.said).filter(|said| !said.is_empty()));
    let bad = !problems.is_empty() || fields.iter().any(|f| !f.problem.is_empty());
    let page = FormPage {
        frame: visit.frame(&title, "participants"),
        id: shown.id.to_owned(),
        revision: shown.revision,
        comment: shown.comment.to_owned(),
        problems,
        fields,
    };
    let status = if bad { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, html(page.render()?)).into_response())
}

/// The reader's half of a text that is in both languages.
fn half(t: Texts, error: &EditError) -> String {
    let text = error.to_string();
    let middle = text.match_indices(" / ").map(|(at, _)| at).min_by_key(|at| at.abs_diff(text.len() / 2));
    let halves = middle.and_then(|at| Some((text.get(..at)?, text.get(at + 3..)?)));
    halves.map_or_else(|| text.clone(), |(ru, en)| t.pick(ru, en).to_owned())
}

async fn show_new(visit: Visit) -> Result<Response, Trouble> {
    let revision = visit.gateway.store().revisions().await?.participants;
    let mut form = Form::default();
    form.set(Field::Zone, visit.zone()?.name());
    if let Some(regulation) = visit.gateway.snapshot().regulations().next() {
        form.set(Field::Regulation, regulation.id.clone());
    }
    let (refused, said) = (Refused::default(), String::new());
    form_page(&visit, Shown { id: "", revision, form: &form, comment: "", refused, said })
}

async fn show_edit(visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let card = visit.gateway.editor().card(&id).await?;
    let (refused, said) = (Refused::default(), String::new());
    form_page(&visit, Shown { id: &id, revision: card.revision, form: &card.form, comment: "", refused, said })
}

fn typed(fields: &Fields) -> Form {
    let mut form = Form::default();
    for field in Field::all() {
        form.set(field, fields.get(&field.id()).replace("\r\n", "\n"));
    }
    form
}

async fn add(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    keep(&visit, None, &typed(&fields), &fields).await
}

async fn save(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let mut form = typed(&fields);
    form.set(Field::Id, id.clone());
    keep(&visit, Some(&id), &form, &fields).await
}

async fn keep(visit: &Visit, id: Option<&str>, form: &Form, fields: &Fields) -> Result<Response, Trouble> {
    let (author, comment) = (visit.principal()?.login().to_string(), fields.get("comment"));
    let based_on: Option<i64> = fields.get("revision").parse().ok();
    let certificate = fields.file("certificate").filter(|_| id.is_none());
    let editing = Editing { participant: id, based_on, form, certificate };
    let note = Note { author: &author, comment };
    let error = match visit.gateway.editor().edit_participant(&editing, &note).await {
        Ok(saved) => {
            let to = format!("/participants/{}", form.get(Field::Id).trim());
            let number = saved.revision.number.to_string();
            return Ok(visit.done(&to, NoticeKind::Good, "notice-participant-saved", &number));
        }
        Err(error) => error,
    };
    let (refused, said) = match error {
        EditError::Store(error) => return Err(error.into()),
        EditError::NoSuch(_) => return Err(Trouble::NotFound),
        EditError::Refused(refused) => (refused, String::new()),
        other @ (EditError::Empty
        | EditError::Taken(_)
        | EditError::NoRevision(_)
        | EditError::Conflict { .. }
        | EditError::Certificate(_)
        | EditError::Unchanged
        | EditError::Comment
        | EditError::Busy
        | EditError::Panic) => (Refused::default(), half(visit.texts(), &other)),
    };
    let revision = based_on.unwrap_or_default();
    form_page(visit, Shown { id: id.unwrap_or_default(), revision, form, comment, refused, said })
}

/// Back to the card, with what an act came to.
async fn acted(
    visit: &Visit,
    id: &str,
    saved: Result<crate::gateway::administer::Saved, EditError>,
) -> Result<Response, Trouble> {
    let t = visit.texts();
    let said = match saved {
        Ok(saved) => {
            let number = saved.revision.number.to_string();
            let to = format!("/participants/{id}");
            return Ok(visit.done(&to, NoticeKind::Good, "notice-participant-saved", &number));
        }
        Err(EditError::Store(error)) => return Err(error.into()),
        Err(EditError::NoSuch(_) | EditError::NoRevision(_)) => return Err(Trouble::NotFound),
        Err(EditError::Refused(refused)) => {
            let fields = refused.fields.iter().map(|p| t.pick(&p.ru, &p.en).to_owned());
            let others = refused.others.iter().map(|f| t.pick(&f.ru, &f.en).to_owned());
            fields.chain(others).collect::<Vec<_>>().join("; ")
        }
        Err(other) => half(t, &other),
    };
    let response = card_page(visit, id, said).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, response).into_response())
}

async fn upload(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let author = visit.principal()?.login().to_string();
    let Some(bytes) = fields.file("certificate") else {
        return card_page(&visit, &id, visit.texts().t("say-no-file")).await;
    };
    let upload = Upload { participant: &id, bytes, based_on: fields.get("revision").parse().ok() };
    let note = Note { author: &author, comment: fields.get("comment") };
    let saved = visit.gateway.editor().add_certificate(&upload, &note).await;
    acted(&visit, &id, saved).await
}

async fn end(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let author = visit.principal()?.login().to_string();
    let thumbprint = Digest::parse_hex(fields.get("thumbprint")).map_err(|_| Trouble::NotFound)?;
    let ending = Ending { participant: &id, thumbprint, based_on: fields.get("revision").parse().ok() };
    let note = Note { author: &author, comment: fields.get("comment") };
    let saved = visit.gateway.editor().end_certificate(&ending, &note).await;
    acted(&visit, &id, saved).await
}

async fn undo(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let author = visit.principal()?.login().to_string();
    let revision: i64 = fields.get("to").parse().map_err(|_| Trouble::NotFound)?;
    let based_on = fields.get("revision").parse().ok();
    let undo = Undo { kind: RevisionKind::Participants, revision, participant: Some(&id), based_on };
    let note = Note { author: &author, comment: fields.get("comment") };
    let saved = visit.gateway.editor().undo(&undo, &note).await;
    acted(&visit, &id, saved).await
}
