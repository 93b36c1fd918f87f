//! A case as the gateway sees it: what the messages that passed say of a family's accompaniment, folded one after the other.
//!
//! Only what deadlines and operators need is kept, no names. Much happens on paper: a step that was not seen is shown, not
//! refused; what a regulation's text forbids is a fault.

mod consent;
mod grounds;
mod read;
mod steps;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::compute::compute;
use super::regulation::{CaseDate, CaseLimit, Load, Regulation};
use super::{Calendars, Fields, Roll, Start, Term};
use crate::domain::{Fault, FaultCode, Timestamp, Zone};

pub use consent::{Consent, ConsentState, Ended};
pub(in crate::deadline) use read::{ProgrammeCopy, apply, programme_of};

/// What is known of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseFacts {
    /// The steps that were seen, by their ids in the regulation, each with the instant of its act in microseconds.
    pub steps: BTreeMap<String, i64>,
    /// Steps that were expected before one that was seen, and were not seen themselves.
    pub unseen: Vec<String>,
    /// The first day of the accompaniment.
    pub begins_on: Option<NaiveDate>,
    /// Its last day, within the limit.
    pub ends_on: Option<NaiveDate>,
    /// The last day as the documents say it, where it lies beyond the limit.
    pub stated_ends_on: Option<NaiveDate>,
    /// The programme in force.
    pub programme: Option<Programme>,
    /// The contract.
    pub contract: Option<Contract>,
    /// The latest extension.
    pub extension: Option<Extension>,
    /// The level: `adaptation`, `basic`, `crisis` or `emergency`.
    pub level: Option<String>,
    /// Since which day.
    pub level_since: Option<NaiveDate>,
    /// When the latest change of the level was decided, in microseconds.
    pub level_decided_at: Option<i64>,
    /// The code of the curator, no name.
    pub curator: Option<String>,
    /// When the latest appointment of a curator was decided, in microseconds.
    pub curator_decided_at: Option<i64>,
    /// The assessments of how the programme works.
    pub assessments: Vec<Assessment>,
    /// What somebody should look at.
    pub flags: Vec<Flag>,
    /// What the citizens said about passing their data on, the earliest first.
    pub consents: Vec<Consent>,
    /// The case was closed by an act of this instant, in microseconds.
    pub closed_at: Option<i64>,
}

/// An approved programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programme {
    /// Its number.
    pub number: String,
    /// Its version, from 1.
    pub version: u32,
    /// When it was approved, in microseconds.
    pub approved_at: i64,
    /// Its first day.
    pub begins_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
    /// Section 14: who does what by when.
    pub measures: Vec<CaseMeasure>,
}

impl Programme {
    /// Whether both are copies of one version.
    pub(in crate::deadline) fn is_same_version(&self, other: &Self) -> bool {
        (&self.number, self.version) == (&other.number, other.version)
    }
}

/// A measure of a programme (section 14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseMeasure {
    /// Its number.
    pub number: String,
    /// The kind of help.
    pub kind: String,
    /// The participant who is responsible; `None`: an organisation that is no participant.
    pub responsible: Option<String>,
    /// Its first day.
    pub begins_on: NaiveDate,
    /// By when it is due.
    pub due_on: NaiveDate,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// When the last party signed it, in microseconds.
    pub signed_at: i64,
    /// Its first day.
    pub begins_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
}

/// An extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// When it was decided, in microseconds.
    pub decided_at: i64,
    /// The new last day that it names.
    pub ends_on: NaiveDate,
    /// Whether the citizen's written wish and the working group's decision are both dated before the end.
    pub grounded: bool,
    /// The last day that it moves: another copy of it is judged by the same one.
    #[serde(default)]
    pub end_before: Option<NaiveDate>,
}

/// An interim or final assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// `interim` or `final`.
    pub stage: String,
    /// When, in microseconds.
    pub assessed_at: i64,
}

/// Something about a case that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// A stable word: `extension-without-ground`, `beyond-limit`, `step-unseen`, `curator-load`.
    pub code: String,
    /// In Russian.
    pub ru: String,
    /// In English.
    pub en: String,
}

impl CaseFacts {
    /// A date of the case, for a rule that counts from it.
    pub(in crate::deadline) fn date(&self, date: CaseDate) -> Option<Start> {
        let instant = |micros: i64| Start::Instant(Timestamp::from_micros(micros));
        match date {
            CaseDate::Begins => self.begins_on.map(Start::Date),
            CaseDate::Ends => self.ends_on.map(Start::Date),
            CaseDate::Level => self.level_since.map(Start::Date),
            CaseDate::Approved => self.programme.as_ref().map(|p| instant(p.approved_at)),
            CaseDate::Signed => self.contract.as_ref().map(|c| instant(c.signed_at)),
        }
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed_at.is_some()
    }

    fn flag(&mut self, code: &str, ru: String, en: String) {
        let flag = Flag { code: code.to_owned(), ru, en };
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    fn unflag(&mut self, code: &str) {
        self.flags.retain(|flag| flag.code != code);
    }

    /// The first and last day, from whichever of the programme and the contract is newer, within the limit.
    fn settle_dates(&mut self, limits: &Limits<'_>) -> Result<(), Fault> {
        let programme = self.programme.as_ref().map(|p| (p.approved_at, p.begins_on, p.ends_on));
        let contract = self.contract.as_ref().map(|c| (c.signed_at, c.begins_on, c.ends_on));
        self.begins_on = contract.or(programme).map(|(_, begins, _)| begins);
        let mut stated =
            programme.into_iter().chain(contract).max_by_key(|(at, ..)| *at).map(|(at, _, ends)| (at, ends));
        let extension = self.extension.as_ref().filter(|e| stated.is_none_or(|(at, _)| e.decided_at >= at));
        if let Some(extension) = extension {
            stated = Some((extension.decided_at, extension.ends_on));
        }
        let grounded = self.extension.as_ref().is_some_and(|e| e.grounded);
        self.unflag("beyond-limit");
        self.stated_ends_on = None;
        self.ends_on = stated.map(|(_, ends)| ends);
        let (Some(ends), Some(begins)) = (self.ends_on, self.begins_on) else { return Ok(()) };
        let Some(last) = limits.last_day(begins, grounded)? else { return Ok(()) };
        if ends > last {
            self.ends_on = Some(last);
            self.stated_ends_on = Some(ends);
            self.flag(
                "beyond-limit",
                "срок в документе длиннее предела; считается по предел".to_owned(),
                "the end that the document names lies beyond the limit; the limit counts".to_owned(),
            );
        }
        Ok(())
    }
}

/// How far an accompaniment may go under a regulation.
struct Limits<'a> {
    limit: Option<&'a CaseLimit>,
    regulation: &'a Regulation,
    calendars: &'a Calendars,
    zone: Zone,
}

impl Limits<'_> {
    /// The last day that is allowed; `None`: the regulation has no limit.
    fn last_day(&self, begins: NaiveDate, extended: bool) -> Result<Option<NaiveDate>, Fault> {
        let Some(limit) = self.limit else { return Ok(None) };
        let term: &Term = if extended { &limit.extended } else { &limit.term };
        let calendar = self.calendars.get(&self.regulation.calendar).ok_or_else(|| {
            Fault::new(FaultCode::NotNow, format!("the calendar `{}` is not loaded", self.regulation.calendar))
        })?;
        compute(term, Roll::None, calendar, self.zone, &Start::Date(begins), &Fields::new())
            .map(|computed| computed.last_day)
            .map_err(|error| Fault::new(FaultCode::NotNow, error.to_string()))
    }
}

/// Until when a case may go, and by which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseEnd<'r> {
    /// Its last day: as its documents say, within the limit, or that of the limit.
    pub last_day: NaiveDate,
    /// The first day of the accompaniment.
    pub begins_on: NaiveDate,
    /// The limit.
    pub limit: &'r CaseLimit,
    /// Whether it was extended with a ground.
    pub is_extended: bool,
}

/// Until when a case may go; `None` where the regulation has no limit, or the accompaniment has not begun.
///
/// # Errors
/// `not-now` when the limit cannot be counted.
pub fn case_end<'r>(
    regulation: &'r Regulation,
    calendars: &Calendars,
    facts: &CaseFacts,
) -> Result<Option<CaseEnd<'r>>, Fault> {
    let limit = regulation.case.as_ref().and_then(|case| case.limit.as_ref());
    let (Some(limit), Some(begins_on)) = (limit, facts.begins_on) else { return Ok(None) };
    let is_extended = facts.extension.as_ref().is_some_and(|e| e.grounded);
    let limits = Limits { limit: Some(limit), regulation, calendars, zone: regulation.zone };
    let last = limits.last_day(begins_on, is_extended)?;
    let last_day = facts.ends_on.or(last);
    Ok(last_day.map(|last_day| CaseEnd { last_day, begins_on, limit, is_extended }))
}

impl Load {
    /// Whether the families of one curator are too many: their shares by level add up to more than one. `families` holds each
    /// level with its number of open cases; a level without a limit does not count.
    pub fn exceeded(&self, curator: &str, families: &[(String, u32)]) -> Option<Flag> {
        // In parts of the product of all limits, so that thirds and sixths add up exactly.
        let whole: u64 = self.limits.iter().map(|(_, limit)| u64::from(*limit)).product();
        let share = |(level, count): &(String, u32)| {
            let limit = self.limits.iter().find(|(known, _)| known == level).map(|(_, limit)| u64::from(*limit))?;
            whole.checked_div(limit).map(|part| part.saturating_mul(u64::from(*count)))
        };
        let sum: u64 = families.iter().filter_map(share).fold(0, u64::saturating_add);
        let told = families.iter().map(|(level, count)| format!("{level}: {count}")).collect::<Vec<_>>().join(", ");
        (sum > whole).then(|| Flag {
            code: "curator-load".to_owned(),
            ru: format!("нагрузка куратора `{curator}` выше рекомендуемой: {told}"),
            en: format!("the load of the curator `{curator}` is above the recommended one: {told}"),
        })
    }
}
