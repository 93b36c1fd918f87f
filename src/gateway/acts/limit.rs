//! How far an operator may extend what is owed in a case: not beyond the case's own end, which a regulation limits.

use chrono::NaiveDate;

use crate::deadline::cases::{CaseEnd, CaseFacts, case_end};
use crate::deadline::{Calendars, Regulation, Regulations, Start};
use crate::domain::{Timestamp, Zone};
use crate::store::{ObligationRow, RevisionKind, Store, StoreError};

/// Why a due may not be moved so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TooFar {
    /// It lies beyond the case's end; why, in Russian and English, beginning with the day that was named.
    Beyond(String),
    /// The case's end cannot be counted.
    Uncounted(String),
}

/// Refuses a due beyond the last day to which the regulation in force lets the case go. What was due beyond it before is not the case's
/// to limit, such as the report of its last month, nor is what outlives the case.
///
/// # Errors
/// When the database is away.
pub async fn check(
    store: &Store,
    row: &ObligationRow,
    zone: Zone,
    due: Timestamp,
) -> Result<Result<(), TooFar>, StoreError> {
    let (Some(case), Some(present)) = (row.case_id, row.due_at) else { return Ok(Ok(())) };
    let Some(case) = store.case(case).await? else { return Ok(Ok(())) };
    let latest = store.revisions().await?;
    let Some(bundle) = store.revision(RevisionKind::Bundle, latest.bundle).await? else { return Ok(Ok(())) };
    let Ok(regulations) = Regulations::from_files(&bundle.files) else { return Ok(Ok(())) };
    let Some(regulation) = regulations.iter().find(|regulation| regulation.id == row.regulation) else {
        return Ok(Ok(()));
    };
    if regulation.rule(&row.rule).is_some_and(|rule| rule.outlives_case) {
        return Ok(Ok(()));
    }
    let (calendars, _) = Calendars::read(&bundle.files);
    match beyond(regulation, &calendars, &case.facts, [last_day(present, zone), last_day(due, zone)]) {
        Ok(None) => Ok(Ok(())),
        Ok(Some(why)) => Ok(Err(TooFar::Beyond(why))),
        Err(why) => Ok(Err(TooFar::Uncounted(why))),
    }
}

/// The day of the last instant in time.
fn last_day(due: Timestamp, zone: Zone) -> NaiveDate {
    Start::Instant(Timestamp::from_micros(due.micros().saturating_sub(1))).local_date(zone)
}

/// Why the new day lies too far; `None`: it does not.
fn beyond(
    regulation: &Regulation,
    calendars: &Calendars,
    facts: &CaseFacts,
    [present, new]: [NaiveDate; 2],
) -> Result<Option<String>, String> {
    let end = case_end(regulation, calendars, facts).map_err(|fault| fault.to_string())?;
    Ok(end.filter(|end| new > end.last_day && present <= end.last_day).map(|end| worded(regulation, &end, new)))
}

fn worded(regulation: &Regulation, end: &CaseEnd<'_>, new: NaiveDate) -> String {
    let (last, begins, limit) = (end.last_day, end.begins_on, end.limit);
    let (document, paragraph) = regulation.written(&limit.source);
    let (term, most) = (if end.is_extended { &limit.extended } else { &limit.term }, &limit.extended);
    let (way_ru, way_en) = if end.is_extended {
        (
            "дольше сопровождение не продлевается: назовите день не позже или снимите обязательство (`mezhved deadline waive`)".to_owned(),
            "the accompaniment goes no further: name a day that is not later, or waive it (`mezhved deadline waive`)".to_owned(),
        )
    } else {
        (
            format!(
                "назовите день не позже или сначала продлите само дело сообщением `extension` (всего не дольше: {})",
                most.ru()
            ),
            format!(
                "name a day that is not later, or first extend the case itself by an `extension` message (at most {most} in all)"
            ),
        )
    };
    format!(
        "{new}: позже конца дела {last}; предел - {} с {begins} ({document}, {paragraph}); {way_ru} / beyond the end of the case, \
         {last}; the limit is {term} from {begins} ({document}, {paragraph}); {way_en}",
        term.ru()
    )
}
