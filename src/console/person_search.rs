//! `/messages/search`: messages that are about somebody, by name with date of birth or by СНИЛС.
//!
//! What is asked is posted, so that it is in no address and no log; the journal keeps who asked, and the keyed hash of what.

use askama::Template;
use axum::response::Response;
use axum::routing::get;
use chrono::NaiveDate;
use serde_json::json;

use super::errors::Trouble;
use super::fields::Fields;
use super::message_view;
use super::messages::{Row, light, lines};
use super::pick::one;
use super::routes::{Access, Route};
use super::visit::{Frame, Visit, html};
use crate::access::Right;
use crate::domain::{DataClass, RecordId};
use crate::search::Person;
use crate::store::{JournalEntry, MessageFilter, MessageRow, Sought};

const ROWS_MAX: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    let personal = Access::Right(Right::SeePersonalData);
    vec![
        Route::get("/messages/search", personal, get(form)),
        Route::post("/messages/search", personal, axum::routing::post(found)),
    ]
}

/// Somebody who is asked for: either by name and date of birth, or by СНИЛС.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked<'a> {
    pub(super) family: &'a str,
    pub(super) given: &'a str,
    pub(super) patronymic: &'a str,
    /// Such as `1948-01-09`.
    pub(super) birth_date: &'a str,
    pub(super) snils: &'a str,
}

impl Asked<'_> {
    /// Reads it.
    ///
    /// # Errors
    /// The label of the first field that is missing, cannot be read, or does not go with another one.
    pub(super) fn person(&self) -> Result<Person, &'static str> {
        if !self.snils.is_empty() {
            let alone = [self.family, self.given, self.patronymic, self.birth_date].iter().all(|own| own.is_empty());
            return Person::by_snils(self.snils).filter(|_| alone).ok_or("say-snils");
        }
        // A part that nothing is left of when it is folded is as good as none.
        let some_day = NaiveDate::default();
        for (own, label) in [(self.family, "say-family"), (self.given, "say-given")] {
            Person::by_name(own, own, None, some_day).ok_or(label)?;
        }
        let birth: NaiveDate = self.birth_date.parse().map_err(|_| "say-birth-date")?;
        let patronymic = Some(self.patronymic).filter(|own| !own.is_empty());
        Person::by_name(self.family, self.given, patronymic, birth).ok_or("say-family")
    }
}

/// One page of what was found.
pub(super) struct Found {
    pub(super) rows: Vec<MessageRow>,
    /// Below which message the next page begins, if there is one.
    pub(super) next: Option<RecordId>,
}

/// Looks for somebody in the reader's part, among the messages whose classes of personal data the reader may see; the journal knows it
/// before the reader does.
pub(super) async fn search(
    visit: &Visit,
    person: &Person,
    before: Option<RecordId>,
    limit: u32,
) -> Result<Found, Trouble> {
    let (principal, store, snapshot) = (visit.principal()?, visit.gateway.store(), visit.gateway.snapshot());
    if !principal.may(Right::SeeMessages) || !principal.may(Right::SeePersonalData) {
        return Err(Trouble::Forbidden);
    }
    let mark = store.search_key().mark(person).map_err(|e| Trouble::Defect(e.to_string()))?;
    let filter = MessageFilter {
        sought: Some(Sought::Person(mark.clone())),
        within: principal.scope().clone(),
        ..MessageFilter::default()
    };
    let mut all = store.list_messages(&filter, before, limit.saturating_add(1)).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = all.get(limit.saturating_sub(1)).filter(|_| all.len() > limit).map(|row| row.record_id);
    all.truncate(limit);
    let sees_all = principal.sees_personal_data(&DataClass::ALL);
    let mut rows = Vec::new();
    for row in all {
        let of_type = snapshot.catalogue.message(&row.message_type.name).map(|info| &info.data_classes);
        let seen = sees_all
            || of_type.is_some_and(|classes| principal.sees_personal_data(classes))
            || principal.sees_personal_data(&message_view::classes(visit, &row).await?);
        if seen {
            rows.push(row);
        }
    }
    let entry = JournalEntry {
        kind: "person-searched".to_owned(),
        actor: principal.actor(),
        detail: json!({ "by": mark.kind.as_str(), "hash": mark.hash, "found": rows.len(), "more": next.is_some() }),
        ..JournalEntry::default()
    };
    store.append_journal(vec![entry], visit.gateway.clock().now()).await?;
    Ok(Found { rows, next })
}

#[derive(Template)]
#[template(path = "console/person_search.html")]
struct Page {
    frame: Frame,
    family: String,
    given: String,
    patronymic: String,
    birth_date: String,
    snils: String,
    error: String,
    /// `None`: nothing was asked yet.
    rows: Option<Vec<Row>>,
    /// Below which message the next page begins; empty: this is the last.
    next: String,
}

fn page(visit: &Visit, asked: &Asked<'_>) -> Page {
    Page {
        frame: visit.frame(&visit.texts().t("person-search-title"), "messages"),
        family: asked.family.to_owned(),
        given: asked.given.to_owned(),
        patronymic: asked.patronymic.to_owned(),
        birth_date: asked.birth_date.to_owned(),
        snils: asked.snils.to_owned(),
        error: String::new(),
        rows: None,
        next: String::new(),
    }
}

async fn form(visit: Visit) -> Result<Response, Trouble> {
    Ok(html(page(&visit, &Asked::default()).render()?))
}

async fn found(visit: Visit, fields: Fields) -> Result<Response, Trouble> {
    let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
    let asked = Asked {
        family: fields.get("family"),
        given: fields.get("given"),
        patronymic: fields.get("patronymic"),
        birth_date: fields.get("birth-date"),
        snils: fields.get("snils"),
    };
    let mut page = page(&visit, &asked);
    let before = one(fields.get("before"), |t| RecordId::parse(t).ok(), "say-page");
    match asked.person().and_then(|person| Ok((person, before?))) {
        Ok((person, before)) => {
            let found = search(&visit, &person, before, ROWS_MAX).await?;
            page.rows = Some(lines(&visit, &light(&visit, &snapshot)?, &found.rows).await?);
            page.next = found.next.map_or_else(String::new, |id| id.to_string());
        }
        Err(label) => page.error = t.a("field-unreadable", "field", t.t(label)),
    }
    Ok(html(page.render()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_asked_for_by_name_and_date_or_by_snils() {
        let name =
            Asked { family: "Образцов", given: "Пётр", birth_date: "1948-01-09", ..Asked::default() };
        let snils = Asked { snils: "112-233-445 95", ..Asked::default() };
        for (asked, said) in [
            (name, Ok(())),
            (Asked { patronymic: "Ильич", ..name }, Ok(())),
            (snils, Ok(())),
            (Asked { snils: "112-233-445 95", ..name }, Err("say-snils")),
            (Asked { snils: "112-233-445 94", ..Asked::default() }, Err("say-snils")),
            (Asked::default(), Err("say-family")),
            (Asked { family: " - ", ..name }, Err("say-family")),
            (Asked { given: "", ..name }, Err("say-given")),
            (Asked { birth_date: "", ..name }, Err("say-birth-date")),
            (Asked { birth_date: "09.01.1948", ..name }, Err("say-birth-date")),
        ] {
            assert_eq!(asked.person().map(drop), said);
        }
    }
}
