//! What follows from a due that was moved by a decision, not by a count.

use std::collections::BTreeMap;

use super::{Plan, StartError};
use crate::deadline::{Calendars, Computed, Fields, Regulation, Rule, Start, Term};
use crate::domain::{Timestamp, Zone};

/// The warnings of a rule for an obligation that began at `started_at` and whose due was moved to `due`: those before the due move with
/// it, those after the start stay. Ascending, all between the two.
///
/// # Errors
/// When the calendar is not loaded or has no data for a year, or a warning counts from a date of the document.
pub fn warns_until(
    (regulation, rule): (&Regulation, &Rule),
    calendars: &Calendars,
    zone: Zone,
    started_at: Timestamp,
    due: Timestamp,
) -> Result<Vec<Timestamp>, StartError> {
    let name = &regulation.calendar;
    let calendar = calendars.get(name).ok_or_else(|| StartError::Calendar(name.clone()))?;
    // The term is not counted any more; the plan is made for its warnings alone.
    let plan = Plan::new(regulation, rule, (&Term::Immediately, Vec::new()), zone, BTreeMap::new());
    let last = Start::Instant(Timestamp::from_micros(due.micros().saturating_sub(1))).local_date(zone);
    let moved = Computed { due, last_day: Some(last), steps: Vec::new() };
    plan.warn_instants(calendar, &Start::Instant(started_at), started_at, &moved, &Fields::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::obligations::fixtures::{calendars, yugra};
    use crate::deadline::{Roll, Warn};
    use crate::domain::RuleId;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn warned(terms: &[(&str, Roll)], due: &str) -> Vec<String> {
        let (regulation, zone) = (yugra(""), Zone::parse("Asia/Yekaterinburg").unwrap());
        let mut rule = regulation.rule(&RuleId::parse("document-answer").unwrap()).unwrap().clone();
        rule.warns = terms.iter().map(|(term, roll)| Warn { term: Term::parse(term).unwrap(), roll: *roll }).collect();
        let begun = at("2026-04-30T10:00:00+05:00");
        let found = warns_until((&regulation, &rule), &calendars(), zone, begun, at(due)).unwrap();
        found.into_iter().map(|at| at.in_zone(zone)).collect()
    }

    #[test]
    fn warnings_before_the_due_move_with_it_and_those_after_the_start_stay() {
        let warns = [("1 working day before", Roll::None), ("8 hours before", Roll::None), ("2 days", Roll::None)];
        // To the end of Tuesday 12 May, before which lie three days off.
        assert_eq!(
            warned(&warns, "2026-05-13T00:00:00+05:00"),
            ["2026-05-02T09:00:00+05:00", "2026-05-08T09:00:00+05:00", "2026-05-12T16:00:00+05:00"]
        );
        // To an instant within a day.
        assert_eq!(
            warned(&warns, "2026-05-20T12:00:00+05:00"),
            ["2026-05-02T09:00:00+05:00", "2026-05-19T09:00:00+05:00", "2026-05-20T04:00:00+05:00"]
        );
    }

    #[test]
    fn a_warning_that_cannot_be_counted_is_an_error() {
        let (regulation, zone) = (yugra(""), Zone::parse("Asia/Yekaterinburg").unwrap());
        let mut rule = regulation.rule(&RuleId::parse("document-answer").unwrap()).unwrap().clone();
        rule.warns = vec![Warn { term: Term::parse("3 working days before").unwrap(), roll: Roll::None }];
        let begun = at("2026-04-30T10:00:00+05:00");
        let until = |due: &str| warns_until((&regulation, &rule), &calendars(), zone, begun, at(due));
        assert!(until("2040-05-13T00:00:00+05:00").unwrap_err().to_string().contains("2040"));
    }
}
