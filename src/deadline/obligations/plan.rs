//! How one obligation is counted: its due, its warnings, its explanation.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Value, json};

use super::{PendingStart, StartError, Started};
use crate::deadline::compute::compute_with_grace;
use crate::deadline::start::at_local;
use crate::deadline::{
    Calendar, Calendars, Computed, Fields, Regulation, Roll, Rule, Span, Start, Term, Unit, Warn, compute, show_due,
};
use crate::domain::{Timestamp, Zone};

/// Everything needed to count an obligation, kept with it so that a later edition of the regulation does not change it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// The calendar's name.
    pub calendar: String,
    /// The debtor's zone.
    pub zone: Zone,
    /// The term.
    pub term: Term,
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
        term: &Term,
        zone: Zone,
        fields: BTreeMap<String, String>,
    ) -> Self {
        let document = regulation.documents.iter().find(|d| d.id == rule.source.document);
        let about = json!({
            "regulation": regulation.id,
            "rule": rule.id,
            "title": rule.title,
            "source": {
                "document": document.map_or(rule.source.document.as_str(), |d| d.title.as_str()),
                "paragraph": rule.source.paragraph,
                "quote": rule.source.quote,
                "edition": document.and_then(|d| d.edition.as_deref()),
                "checked_on": document.and_then(|d| d.checked_on),
            },
            "reading": rule.reading,
            "calendar": regulation.calendar,
            "zone": zone,
            "term": term,
            "term_ru": term.ru(),
            "roll": rule.roll,
        });
        Self {
            calendar: regulation.calendar.clone(),
            zone,
            term: term.clone(),
            roll: rule.roll,
            grace_hours: regulation.grace_hours,
            warns: rule.warns.clone(),
            warn_at: regulation.warn_at,
            fields,
            about,
        }
    }

    /// Counts from a start.
    pub(super) fn start(&self, calendars: &Calendars, start: &Start) -> Result<Started, StartError> {
        let calendar = calendars.get(&self.calendar).ok_or_else(|| StartError::Calendar(self.calendar.clone()))?;
        let fields: Fields =
            self.fields.iter().filter_map(|(name, text)| Some((name.clone(), Start::parse(text)?))).collect();
        let computed =
            compute_with_grace(&self.term, self.roll, calendar, self.zone, start, &fields, self.grace_hours)?;
        let started_at = start.instant(self.zone);
        let warns = self.warn_instants(calendar, start, started_at, &computed, &fields)?;
        let mut explanation = self.about.clone();
        if let Some(object) = explanation.as_object_mut() {
            let warned: Vec<String> = warns.iter().map(|w| w.in_zone(self.zone)).collect();
            object.insert("started".to_owned(), started_at.in_zone(self.zone).into());
            object.insert("due".to_owned(), show_due(computed.due, self.zone).into());
            object.insert("warns".to_owned(), warned.into());
            if self.grace_hours > 0 && self.term.has_immediately() {
                let grace = Span { count: self.grace_hours, unit: Unit::Hour };
                object.insert("grace".to_owned(), json!(Term::After(grace)));
            }
            object.insert("steps".to_owned(), json!(computed.steps));
        }
        Ok(Started { started_at, due: computed.due, warns, explanation })
    }

    /// All warnings after the start and before the due, ascending, each once.
    fn warn_instants(
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
        instants.retain(|at| *at > started_at && *at < computed.due);
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

/// Starts an obligation that waited for its message to be `sent` (or `delivered`) at `at`, in business time.
///
/// # Errors
/// When the calendar is not loaded or has no data for a year.
pub fn start_pending(pending: &PendingStart, calendars: &Calendars, at: Timestamp) -> Result<Started, StartError> {
    pending.plan.start(calendars, &Start::Instant(at))
}
