//! How one obligation is counted: its due, its warnings, its explanation.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Value, json};

use super::{PendingStart, StartError, Started};
use crate::deadline::compute::compute_with_grace;
use crate::deadline::start::at_local;
use crate::deadline::{
    Calendar, Calendars, Computed, Fields, Regulation, Roll, Rule, Source, Span, Start, Step, Term, TermVersion, Unit,
    Warn, compute, show_due,
};
use crate::domain::{Timestamp, Zone};

/// A term for what starts on or after a date.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DatedTerm {
    /// The first local date of the start, in the debtor's zone.
    pub valid_from: NaiveDate,
    /// The term.
    pub term: Term,
    /// Where it is written, for the explanation.
    pub source: Value,
}

/// Rule, source, steps of the count: everything that `explain` shows. Written as one JSON object.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Explanation {
    /// The head: regulation, rule, source, reading, term.
    #[serde(flatten)]
    pub about: Value,
    /// From when it counts, in the debtor's zone.
    pub started: String,
    /// The last second in time.
    pub due: String,
    /// The warnings.
    pub warns: Vec<String>,
    /// How long after an event that is due `immediately` it is not yet late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Term>,
    /// How it was counted.
    pub steps: Vec<Step>,
}

/// Everything needed to count an obligation, kept with it so that a later edition of the regulation does not change it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// The calendar's name.
    pub calendar: String,
    /// The debtor's zone.
    pub zone: Zone,
    /// The term, where there are no versions.
    pub term: Term,
    /// The versions of the term that were in force when it was opened, ascending: the start's date decides.
    #[serde(default)]
    pub versions: Vec<DatedTerm>,
    /// Its roll.
    pub roll: Roll,
    /// After how many hours what is due `immediately` is overdue.
    #[serde(default)]
    pub grace_hours: u32,
    /// When to warn.
    pub warns: Vec<Warn>,
    /// The local hour of warnings that are given by day.
    pub warn_at: NaiveTime,
    /// Dates of the document that the term names.
    pub fields: BTreeMap<String, String>,
    /// The head of the explanation: regulation, rule, source, reading.
    pub about: Value,
}

impl Plan {
    pub(super) fn new(
        regulation: &Regulation,
        rule: &Rule,
        (term, versions): (&Term, Vec<DatedTerm>),
        zone: Zone,
        fields: BTreeMap<String, String>,
    ) -> Self {
        let mut about = Self::about(regulation, rule, zone);
        if let Some(object) = about.as_object_mut() {
            object.insert("term".to_owned(), json!(term));
            object.insert("term_ru".to_owned(), term.ru().into());
            object.insert("roll".to_owned(), json!(rule.roll));
        }
        Self {
            calendar: regulation.calendar.clone(),
            zone,
            term: term.clone(),
            versions,
            roll: rule.roll,
            grace_hours: regulation.grace_hours,
            warns: rule.warns.clone(),
            warn_at: regulation.warn_at,
            fields,
            about,
        }
    }

    /// The head of an explanation: the rule and where it is written.
    pub(super) fn about(regulation: &Regulation, rule: &Rule, zone: Zone) -> Value {
        json!({
            "regulation": regulation.id,
            "rule": rule.id,
            "title": rule.title,
            "source": told(regulation, &rule.source),
            "reading": rule.reading,
            "calendar": regulation.calendar,
            "zone": zone,
        })
    }

    /// The term of what starts on this local date; before the first version it is that of the first.
    pub fn term_on(&self, start: NaiveDate) -> &Term {
        self.version_on(start).map_or(&self.term, |version| &version.term)
    }

    fn version_on(&self, start: NaiveDate) -> Option<&DatedTerm> {
        self.versions.iter().rev().find(|v| v.valid_from <= start).or_else(|| self.versions.first())
    }

    /// Counts from a start.
    pub(super) fn start(&self, calendars: &Calendars, start: &Start) -> Result<Started, StartError> {
        let calendar = calendars.get(&self.calendar).ok_or_else(|| StartError::Calendar(self.calendar.clone()))?;
        let fields: Fields =
            self.fields.iter().filter_map(|(name, text)| Some((name.clone(), Start::parse(text)?))).collect();
        let version = self.version_on(start.local_date(self.zone));
        let term = version.map_or(&self.term, |version| &version.term);
        let mut computed = compute_with_grace(term, self.roll, calendar, self.zone, start, &fields, self.grace_hours)?;
        let started_at = start.instant(self.zone);
        let warns = self.warn_instants(calendar, start, started_at, &computed, &fields)?;
        let mut about = self.about.clone();
        if let (Some(version), Some(object)) = (version, about.as_object_mut()) {
            object.insert("term".to_owned(), json!(term));
            object.insert("term_ru".to_owned(), term.ru().into());
            object.insert("term_source".to_owned(), version.source.clone());
            object.insert("term_valid_from".to_owned(), json!(version.valid_from));
            if self.versions.len() > 1 {
                computed.steps.insert(1.min(computed.steps.len()), version.step());
            }
        }
        let has_grace = self.grace_hours > 0 && term.has_immediately();
        let explanation = Explanation {
            about,
            started: started_at.in_zone(self.zone),
            due: show_due(computed.due, self.zone),
            warns: warns.iter().map(|w| w.in_zone(self.zone)).collect(),
            grace: has_grace.then_some(Term::After(Span { count: self.grace_hours, unit: Unit::Hour })),
            steps: computed.steps,
        };
        Ok(Started { term: term.clone(), started_at, due: computed.due, warns, explanation })
    }

    /// All warnings after the start and before the due, ascending, each once. A term that ends before what it is counted from, such as
    /// the end of a case, runs as soon as it is known.
    pub(super) fn warn_instants(
        &self,
        calendar: &Calendar,
        start: &Start,
        started_at: Timestamp,
        computed: &Computed,
        fields: &Fields,
    ) -> Result<Vec<Timestamp>, StartError> {
        let mut instants = Vec::new();
        for warn in &self.warns {
            let at = match &warn.term {
                Term::Before(Span { count, unit: Unit::Hour }) => computed.due.plus_seconds(-3600 * i64::from(*count)),
                before @ Term::Before(_) => {
                    let last = computed.last_day.unwrap_or_else(|| Start::Instant(computed.due).local_date(self.zone));
                    let back = compute(before, warn.roll, calendar, self.zone, &Start::Date(last), fields)?;
                    self.on_day(&back)
                }
                from_start @ (Term::Immediately
                | Term::After(_)
                | Term::NextMonth { .. }
                | Term::NextQuarter { .. }
                | Term::NextYear { .. }
                | Term::On(_)
                | Term::UntilAge(_)
                | Term::LeastOf(_)) => {
                    self.on_day(&compute(from_start, warn.roll, calendar, self.zone, start, fields)?)
                }
            };
            instants.push(at);
        }
        instants.retain(|at| (*at > started_at || started_at >= computed.due) && *at < computed.due);
        instants.sort_unstable();
        instants.dedup();
        Ok(instants)
    }

    /// The hour of warnings on the day that a count ended with, or the instant itself.
    fn on_day(&self, computed: &Computed) -> Timestamp {
        let instant = Timestamp::from_micros(computed.due.micros().saturating_sub(1));
        computed.last_day.map_or(instant, |day: NaiveDate| at_local(day, self.warn_at, self.zone))
    }
}

impl DatedTerm {
    pub(super) fn new(
        regulation: &Regulation,
        valid_from: NaiveDate,
        version: &TermVersion,
        key: Option<&str>,
    ) -> Self {
        Self { valid_from, term: version.term(key).clone(), source: told(regulation, &version.source) }
    }

    fn step(&self) -> Step {
        let (from, term) = (self.valid_from, &self.term);
        Step {
            step: "version",
            date: Some(from),
            ru: format!("по дате начала действует редакция срока с {}: {}", from.format("%d.%m.%Y"), term.ru()),
            en: format!("by the date of the start the term's version from {from} applies: {term}"),
        }
    }
}

/// A source with its document's title, edition and check, for the explanation.
fn told(regulation: &Regulation, source: &Source) -> Value {
    let document = regulation.documents.iter().find(|d| d.id == source.document);
    json!({
        "document": document.map_or(source.document.as_str(), |d| d.title.as_str()),
        "paragraph": source.paragraph,
        "quote": source.quote,
        "edition": document.and_then(|d| d.edition.as_deref()),
        "checked_on": document.and_then(|d| d.checked_on),
    })
}

/// Starts an obligation that waited for its message to be `sent` (or `delivered`) at `at`, in business time.
///
/// # Errors
/// When the calendar is not loaded or has no data for a year.
pub fn start_pending(pending: &PendingStart, calendars: &Calendars, at: Timestamp) -> Result<Started, StartError> {
    pending.plan.start(calendars, &Start::Instant(at))
}
