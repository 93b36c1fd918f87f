//! What is done about an obligation: the acts of the page, each by the same functions. To repeat one is harmless: what stands already is
//! told as such and not entered twice.

use axum::extract::Path;
use axum::routing::post;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::obligations::{Act as Shown, Obligation, Shower};
use super::problem::{Code, Problem, both};
use super::sent::{Sent, line, optional_line, remark};
use super::{Answer, json};
use crate::access::Right;
use crate::console::obligation::may_release;
use crate::console::obligation_acts::{extension, lies_ahead, outside_lacks, refusal};
use crate::console::routes::{Access, Route};
use crate::console::seen;
use crate::console::visit::Visit;
use crate::deadline::Start;
use crate::domain::{ActGround, Digest, ObligationId, OutsideWay, Remark, Zone};
use crate::gateway::acts::{self, RemindError, When};
use crate::store::{Act, ActDocument, ActRefusal, Acted, NewAct, ObligationRow};

pub(super) fn routes() -> Vec<Route> {
    let act = Access::Right(Right::ActOnObligations);
    vec![
        Route::post("/api/v1/obligations/{id}/remind", act, post(remind)),
        Route::post("/api/v1/obligations/{id}/note", act, post(note)),
        Route::post("/api/v1/obligations/{id}/fulfil", act, post(fulfil)),
        Route::post("/api/v1/obligations/{id}/waive", act, post(waive)),
        Route::post("/api/v1/obligations/{id}/extend", act, post(extend)),
    ]
}

/// What an act came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActResult)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entered {
    /// Whether the very same stood already; nothing was changed then.
    already: bool,
    act: Shown,
    obligation: Obligation,
}

/// That the debtor was reminded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reminded {
    reminded: bool,
}

/// A remark.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteWish {
    /// The remark.
    note: String,
}

/// What was done outside of the gateway.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FulfilWish {
    /// How.
    #[schema(value_type = OutsideWay)]
    way: String,
    /// When: an instant with its zone, or a day.
    at: String,
    /// The number of the letter or the entry; by `paper` it is needed.
    #[serde(default)]
    number: Option<String>,
    /// Who did it; left out: the debtor.
    #[serde(default)]
    acted_by: Option<String>,
    /// Towards whom; left out: the creditor.
    #[serde(default)]
    acted_to: Option<String>,
    /// SHA-256 of the scan, in lower-case hexadecimal digits.
    #[serde(default)]
    scan: Option<String>,
    /// A remark; by `other` it is needed.
    #[serde(default)]
    note: Option<String>,
}

/// The document that a decision rests on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentWish {
    /// Its name.
    name: String,
    /// Its number.
    number: String,
    /// Its date; not ahead of today.
    #[schema(value_type = String, format = Date)]
    date: NaiveDate,
}

/// That it need not be met any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WaiveWish {
    /// Why: a ground on which can be waived.
    #[schema(value_type = ActGround)]
    ground: String,
    document: DocumentWish,
    #[serde(default)]
    note: Option<String>,
}

/// A later due.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExtendWish {
    /// Why: a ground on which can be extended.
    #[schema(value_type = ActGround)]
    ground: String,
    document: DocumentWish,
    /// The new due: an instant with its zone (the last second in time), or a day (to its end).
    until: String,
    /// The due that was read, as `due` tells it: another one by now is refused. Left out: whatever it is.
    #[serde(default)]
    expected_due: Option<String>,
    #[serde(default)]
    note: Option<String>,
}

/// One obligation that somebody acts on.
struct Subject {
    visit: Visit,
    row: ObligationRow,
    zone: Zone,
}

fn when(text: &str, field: &str) -> Result<When, Problem> {
    match Start::parse(text) {
        Some(Start::Instant(at)) => Ok(When::Instant(at)),
        Some(Start::Date(day)) => Ok(When::Day(day)),
        Some(Start::Month(_) | Start::Quarter(_) | Start::Year(_)) | None => Err(Problem::field(field)),
    }
}

fn optional_remark(text: Option<&str>) -> Result<Option<Remark>, Problem> {
    text.map(|text| remark(text, "note")).transpose()
}

impl Subject {
    async fn of(visit: Visit, id: &str) -> Result<Self, Problem> {
        let row = seen::obligation(&visit, id).await?;
        let zone = Shower::new(&visit).zone(&row)?;
        Ok(Self { visit, row, zone })
    }

    /// One that the asker may waive or extend.
    async fn to_release(visit: Visit, id: &str) -> Result<Self, Problem> {
        let subject = Self::of(visit, id).await?;
        if may_release(&subject.visit, &subject.row)? { Ok(subject) } else { Err(Problem::of(Code::Forbidden)) }
    }

    fn ground(word: &str, fits: fn(ActGround) -> bool) -> Result<ActGround, Problem> {
        ActGround::parse(word).filter(|ground| fits(*ground)).ok_or_else(|| Problem::field("ground"))
    }

    fn document(&self, wish: &DocumentWish) -> Result<ActDocument, Problem> {
        if lies_ahead(&self.visit, wish.date, self.zone) {
            return Err(Problem::said(Code::BadBody, both(|t| t.t("date-ahead"))).at("document.date"));
        }
        let (name, number) = (line(&wish.name, "document.name")?, line(&wish.number, "document.number")?);
        Ok(ActDocument { name, number, date: wish.date })
    }

    fn refused(&self, why: ActRefusal) -> Problem {
        Problem::said(Code::Conflict, both(|t| refusal(t, self.zone, why)))
    }

    async fn enter(self, act: Act, note: Option<Remark>) -> Answer {
        let new = NewAct {
            obligation_id: self.row.id,
            act,
            note,
            author: self.visit.principal()?.actor(),
            message: None,
            at: self.visit.business_now(),
            now: self.visit.gateway.clock().now(),
        };
        let (already, act, row) = match self.visit.gateway.store().act(new).await? {
            Acted::Done(act, row) => (false, act, row),
            Acted::Already(act, row) => (true, act, row),
            Acted::NotFound => return Err(Problem::of(Code::NotFound)),
            Acted::Refused(why) => return Err(self.refused(why)),
        };
        let sees_words = self.visit.may(Right::SeePersonalData);
        let shown = Shown::of(&act, self.zone, sees_words);
        json(Entered { already, act: shown, obligation: Shower::new(&self.visit).obligation(&row)? })
    }
}

#[utoipa::path(
    post, path = "/api/v1/obligations/{id}/remind", tag = "obligations", operation_id = "remindOfObligation",
    summary = "Напомнить должнику / remind the debtor",
    description = "Подписанное напоминание, не чаще раза в час / a signed reminder, at most once an hour.",
    params(("id" = ObligationId, Path, description = "Номер обязательства / the obligation's id")),
    responses(
        (status = 200, description = "Напоминание отправлено / the reminder is on its way", body = Reminded),
        (status = 409, description = "Напоминать некому или рано / nobody to remind, or too early", body = super::problem::Said,
         content_type = "application/problem+json")
    )
)]
pub(super) async fn remind(visit: Visit, Path(id): Path<String>) -> Answer {
    let id = seen::obligation(&visit, &id).await?.id;
    match visit.gateway.remind(id, &visit.principal()?.actor()).await {
        Ok(Ok(())) => json(Reminded { reminded: true }),
        Ok(Err(not)) => Err(Problem::said(Code::Conflict, both(|t| t.word("not-reminded", not.as_str())))),
        Err(RemindError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::defect(&error)),
    }
}

#[utoipa::path(
    post, path = "/api/v1/obligations/{id}/note", tag = "obligations", operation_id = "noteObligation",
    summary = "Оставить пометку / leave a remark",
    params(("id" = ObligationId, Path, description = "Номер обязательства / the obligation's id")),
    request_body = NoteWish,
    responses((status = 200, description = "Пометка внесена / the remark is entered", body = Entered))
)]
pub(super) async fn note(visit: Visit, Path(id): Path<String>, Sent(wish): Sent<NoteWish>) -> Answer {
    let note = remark(&wish.note, "note")?;
    Subject::of(visit, &id).await?.enter(Act::Note, Some(note)).await
}

#[utoipa::path(
    post, path = "/api/v1/obligations/{id}/fulfil", tag = "obligations", operation_id = "fulfilObligation",
    summary = "Внести исполненное вне шлюза / enter what was done outside of the gateway",
    description = "Этого не отменить / this cannot be undone.",
    params(("id" = ObligationId, Path, description = "Номер обязательства / the obligation's id")),
    request_body = FulfilWish,
    responses(
        (status = 200, description = "Внесено / entered", body = Entered),
        (status = 409, description = "Уже закрыто или дата не подходит / it has ended, or the date does not fit",
         body = super::problem::Said, content_type = "application/problem+json")
    )
)]
pub(super) async fn fulfil(visit: Visit, Path(id): Path<String>, Sent(wish): Sent<FulfilWish>) -> Answer {
    let subject = Subject::of(visit, &id).await?;
    let way = OutsideWay::parse(&wish.way).ok_or_else(|| Problem::field("way"))?;
    let acted_at = acts::acted_at(when(&wish.at, "at")?, subject.zone, subject.visit.business_now());
    let number = optional_line(wish.number.as_deref(), "number")?;
    let note = optional_remark(wish.note.as_deref())?;
    if let Some(lacking) = outside_lacks(way, number.as_ref(), note.as_ref()) {
        return Err(Problem::field(lacking));
    }
    let by = optional_line(wish.acted_by.as_deref(), "actedBy")?;
    let to = optional_line(wish.acted_to.as_deref(), "actedTo")?;
    let scan = wish.scan.as_deref().map(Digest::parse_hex).transpose().map_err(|_| Problem::field("scan"))?;
    subject.enter(Act::Outside { way, acted_at, by, to, number, scan }, note).await
}

#[utoipa::path(
    post, path = "/api/v1/obligations/{id}/waive", tag = "obligations", operation_id = "waiveObligation",
    summary = "Решить, что исполнять не нужно / decide that it need not be met",
    description = "Только тот, кто видит весь регион или часть того, кому должны. Этого не отменить / only who sees the whole region, or \
                   the part of the one to whom it is owed. This cannot be undone.",
    params(("id" = ObligationId, Path, description = "Номер обязательства / the obligation's id")),
    request_body = WaiveWish,
    responses(
        (status = 200, description = "Внесено / entered", body = Entered),
        (status = 409, description = "Уже закрыто / it has ended", body = super::problem::Said,
         content_type = "application/problem+json")
    )
)]
pub(super) async fn waive(visit: Visit, Path(id): Path<String>, Sent(wish): Sent<WaiveWish>) -> Answer {
    let subject = Subject::to_release(visit, &id).await?;
    let (ground, document) = (Subject::ground(&wish.ground, ActGround::waives)?, subject.document(&wish.document)?);
    let note = optional_remark(wish.note.as_deref())?;
    subject.enter(Act::Waive { ground, document }, note).await
}

#[utoipa::path(
    post, path = "/api/v1/obligations/{id}/extend", tag = "obligations", operation_id = "extendObligation",
    summary = "Продлить срок / move the due later",
    description = "Только тот, кто видит весь регион или часть того, кому должны / only who sees the whole region, or the part of the one \
                   to whom it is owed.",
    params(("id" = ObligationId, Path, description = "Номер обязательства / the obligation's id")),
    request_body = ExtendWish,
    responses(
        (status = 200, description = "Внесено / entered", body = Entered),
        (status = 409, description = "Срок не может быть таким / the due cannot be that", body = super::problem::Said,
         content_type = "application/problem+json")
    )
)]
pub(super) async fn extend(visit: Visit, Path(id): Path<String>, Sent(wish): Sent<ExtendWish>) -> Answer {
    let subject = Subject::to_release(visit, &id).await?;
    let (ground, document) = (Subject::ground(&wish.ground, ActGround::extends)?, subject.document(&wish.document)?);
    let due_at = acts::new_due(when(&wish.until, "until")?, subject.zone);
    let note = optional_remark(wish.note.as_deref())?;
    let expected = match wish.expected_due.as_deref() {
        Some(text) => acts::new_due(when(text, "expectedDue")?, subject.zone),
        None => subject.row.due_at.ok_or_else(|| subject.refused(ActRefusal::NotBegun))?,
    };
    let store = subject.visit.gateway.store();
    match extension(store, (&subject.row, subject.zone), (ground, document), (expected, due_at)).await? {
        Ok(act) => subject.enter(act, note).await,
        Err(why) => Err(Problem::said(Code::Conflict, why).at("until")),
    }
}
