//! What is done about obligations: reminding, one or many; waiving, extending, what was met outside, notes: one at a time.

use axum::extract::Path;
use axum::response::Response;
use axum::routing::post;
use chrono::{NaiveDate, NaiveDateTime, TimeZone as _};

use super::errors::Trouble;
use super::fields::Fields;
use super::messages::light;
use super::obligation::{may_release, page, zone};
use super::routes::{Access, Route};
use super::texts::Texts;
use super::visit::{NoticeKind, Visit, own_address};
use super::{seen, words};
use crate::access::Right;
use crate::deadline::start_of_day;
use crate::domain::{ActGround, Line, OutsideWay, Remark, Timestamp, Zone};
use crate::gateway::acts::limit::{self, TooFar};
use crate::gateway::acts::{self, RemindError, When};
use crate::store::{Act, ActDocument, ActRefusal, Acted, NewAct, ObligationRow, Store, StoreError};

pub(super) fn routes() -> Vec<Route> {
    let act = Access::Right(Right::ActOnObligations);
    vec![
        Route::post("/obligations/remind", act, post(remind)),
        Route::post("/obligations/{id}/outside", act, post(outside)),
        Route::post("/obligations/{id}/waive", act, post(waive)),
        Route::post("/obligations/{id}/extend", act, post(extend)),
        Route::post("/obligations/{id}/note", act, post(note)),
    ]
}

/// Reminds the debtors of the chosen obligations; of those that are not the reader's, none.
async fn remind(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let back = own_address(fields.get("back")).to_owned();
    let back = if back == "/" { "/obligations".to_owned() } else { back };
    let mut chosen = Vec::new();
    for id in fields.all("id") {
        chosen.push(seen::obligation(&visit, id).await?.id);
    }
    let (t, actor) = (visit.texts(), visit.principal()?.actor());
    let (mut sent, mut why) = (0_usize, String::new());
    for id in &chosen {
        match visit.gateway.remind(*id, &actor).await {
            Ok(Ok(())) => sent += 1,
            Ok(Err(not)) => why = t.word("not-reminded", not.as_str()),
            Err(RemindError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(Trouble::Defect(error.to_string())),
        }
    }
    if chosen.is_empty() {
        return Ok(visit.done(&back, NoticeKind::Bad, "notice-none-chosen", ""));
    }
    let counted = format!("{sent}/{}", chosen.len());
    if sent == chosen.len() {
        return Ok(visit.done(&back, NoticeKind::Good, "notice-reminded", &counted));
    }
    Ok(visit.done(&back, NoticeKind::Bad, "notice-not-reminded", &format!("{counted}: {why}")))
}

/// What a form says, or what is wrong with it, in the reader's language.
type Read<T> = Result<T, String>;

/// One obligation that somebody acts on.
struct Subject {
    visit: Visit,
    row: ObligationRow,
    zone: Zone,
    fields: Fields,
}

impl Subject {
    async fn of(visit: Visit, id: &str, fields: Fields) -> Result<Self, Trouble> {
        let row = seen::obligation(&visit, id).await?;
        let snapshot = visit.gateway.snapshot();
        let zone = zone(&light(&visit, &snapshot)?, &row);
        Ok(Self { visit, row, zone, fields })
    }

    fn wrong(&self, field: &str) -> String {
        let t = self.visit.texts();
        t.a("field-unreadable", "field", t.word("field", field))
    }

    fn line(&self, field: &str) -> Read<Line> {
        Line::parse(self.fields.get(field)).map_err(|_| self.wrong(field))
    }

    fn optional_line(&self, field: &str) -> Read<Option<Line>> {
        if self.fields.get(field).is_empty() { Ok(None) } else { self.line(field).map(Some) }
    }

    fn remark(&self) -> Read<Option<Remark>> {
        let text = self.fields.get("note");
        if text.is_empty() { Ok(None) } else { Remark::parse(text).map(Some).map_err(|_| self.wrong("note")) }
    }

    fn sure(&self) -> Read<()> {
        if self.fields.get("sure") == "yes" { Ok(()) } else { Err(self.visit.texts().t("sure-needed")) }
    }

    fn ground(&self, fits: fn(ActGround) -> bool) -> Read<ActGround> {
        ActGround::parse(self.fields.get("ground")).filter(|g| fits(*g)).ok_or_else(|| self.wrong("ground"))
    }

    fn document(&self) -> Read<ActDocument> {
        let date: NaiveDate = self.fields.get("date").parse().map_err(|_| self.wrong("date"))?;
        if lies_ahead(&self.visit, date, self.zone) {
            return Err(self.visit.texts().t("date-ahead"));
        }
        Ok(ActDocument { name: self.line("document")?, number: self.line("number")?, date })
    }

    /// A day such as `2026-05-12`, or a day with its time in the obligation's zone.
    fn when(&self, field: &str) -> Read<When> {
        let text = self.fields.get(field);
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(When::Day(day));
        }
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok();
        let at = local.and_then(|local| self.zone.tz().from_local_datetime(&local).earliest());
        at.map(|at| When::Instant(Timestamp::from_micros(at.timestamp_micros()))).ok_or_else(|| self.wrong(field))
    }

    async fn refuse(self, why: String) -> Result<Response, Trouble> {
        page(&self.visit, &self.row, why, self.fields).await
    }

    async fn enter(self, act: Read<Act>, key: &'static str) -> Result<Response, Trouble> {
        let (act, note) = match act.and_then(|act| Ok((act, self.remark()?))) {
            Ok(read) => read,
            Err(why) => return self.refuse(why).await,
        };
        let new = NewAct {
            obligation_id: self.row.id,
            act,
            note,
            author: self.visit.principal()?.actor(),
            message: None,
            at: self.visit.business_now(),
            now: self.visit.gateway.clock().now(),
        };
        let address = format!("/obligations/{}", self.row.id);
        match self.visit.gateway.store().act(new).await? {
            Acted::Done(..) => Ok(self.visit.done(&address, NoticeKind::Good, key, "")),
            Acted::Already(..) => Ok(self.visit.done(&address, NoticeKind::Good, "notice-act-already", "")),
            Acted::NotFound => Err(Trouble::NotFound),
            Acted::Refused(refusal) => {
                let why = self.refusal(refusal);
                self.refuse(why).await
            }
        }
    }

    fn refusal(&self, why: ActRefusal) -> String {
        refusal(self.visit.texts(), self.zone, why)
    }
}

/// Why an act cannot be done, in the reader's language.
pub(super) fn refusal(t: Texts, zone: Zone, why: ActRefusal) -> String {
    match why {
        ActRefusal::Ended(state, _) => t.a("refusal-ended", "state", t.word("obligation", state.as_str())),
        ActRefusal::NotBegun => t.t("refusal-not-begun"),
        ActRefusal::Ahead => t.t("refusal-ahead"),
        ActRefusal::BeforeStart(at) => t.a("refusal-before-start", "when", words::instant(t, at, zone)),
        ActRefusal::NotLater(due) => t.a("refusal-not-later", "due", words::due(t, due, zone)),
        ActRefusal::DueMoved(_) | ActRefusal::IdReused => t.t("refusal-due-moved"),
    }
}

/// Whether a document's date lies ahead of today.
pub(super) fn lies_ahead(visit: &Visit, date: NaiveDate, zone: Zone) -> bool {
    start_of_day(date, zone) > visit.business_now()
}

/// The field that an outside act of this kind needs and has not.
pub(super) fn outside_lacks(way: OutsideWay, number: Option<&Line>, note: Option<&Remark>) -> Option<&'static str> {
    if way == OutsideWay::Paper && number.is_none() {
        return Some("number");
    }
    Some("note").filter(|_| way == OutsideWay::Other && note.is_none())
}

/// The act that moves a due from the one that was read to a later one, or why it may not go so far.
///
/// # Errors
/// When the database is away.
pub(super) async fn extension(
    store: &Store,
    (row, zone): (&ObligationRow, Zone),
    (ground, document): (ActGround, ActDocument),
    (expected_due, due_at): (Timestamp, Timestamp),
) -> Result<Result<Act, String>, StoreError> {
    if let Err(TooFar::Beyond(why) | TooFar::Uncounted(why)) = limit::check(store, row, zone, due_at).await? {
        return Ok(Err(why));
    }
    let (warns, _) = acts::warns(store, row, zone, due_at).await?;
    Ok(Ok(Act::Extend { ground, document, expected_due, due_at, warns }))
}

async fn outside(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let subject = Subject::of(visit, &id, fields).await?;
    let read = || -> Read<Act> {
        let way = OutsideWay::parse(subject.fields.get("way")).ok_or_else(|| subject.wrong("way"))?;
        let acted_at = acts::acted_at(subject.when("at")?, subject.zone, subject.visit.business_now());
        let number = subject.optional_line("number")?;
        if let Some(lacking) = outside_lacks(way, number.as_ref(), subject.remark()?.as_ref()) {
            return Err(subject.wrong(lacking));
        }
        let (by, to) = (subject.optional_line("by")?, subject.optional_line("to")?);
        subject.sure()?;
        Ok(Act::Outside { way, acted_at, by, to, number, scan: None })
    };
    let act = read();
    subject.enter(act, "notice-outside").await
}

async fn waive(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let subject = Subject::of(visit, &id, fields).await?;
    if !may_release(&subject.visit, &subject.row)? {
        return Err(Trouble::Forbidden);
    }
    let read = || -> Read<Act> {
        let (ground, document) = (subject.ground(ActGround::waives)?, subject.document()?);
        subject.sure()?;
        Ok(Act::Waive { ground, document })
    };
    let act = read();
    subject.enter(act, "notice-waived").await
}

async fn extend(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let subject = Subject::of(visit, &id, fields).await?;
    if !may_release(&subject.visit, &subject.row)? {
        return Err(Trouble::Forbidden);
    }
    let read = || -> Read<(ActGround, ActDocument, Timestamp, Timestamp)> {
        let (ground, document) = (subject.ground(ActGround::extends)?, subject.document()?);
        let due_at = acts::new_due(subject.when("until")?, subject.zone);
        let expected_due = subject.row.due_at.ok_or_else(|| subject.refusal(ActRefusal::NotBegun))?;
        Ok((ground, document, due_at, expected_due))
    };
    let (ground, document, due_at, expected_due) = match read() {
        Ok(read) => read,
        Err(why) => return subject.refuse(why).await,
    };
    let (store, of) = (subject.visit.gateway.store(), (&subject.row, subject.zone));
    let act = extension(store, of, (ground, document), (expected_due, due_at)).await?;
    subject.enter(act, "notice-extended").await
}

async fn note(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Trouble> {
    let subject = Subject::of(visit, &id, fields).await?;
    let act = if subject.fields.get("note").is_empty() { Err(subject.wrong("note")) } else { Ok(Act::Note) };
    subject.enter(act, "notice-noted").await
}
