//! What the calendar opens by itself: a month of measures.

use std::collections::BTreeMap;

use super::{Beginning, Directory, NewObligation, Plan, StartError};
use crate::deadline::regulation::{Measure, Opens, Party, Regulation, Rule, TermChoice};
use crate::deadline::{Calendars, Month, Start, start_of_day};
use crate::domain::{CaseId, Participant, ParticipantId, Timestamp, Zone};

/// The obligations that periodic rules have opened by `business_now`: of every month that has begun and whose due lies after
/// `since` (when this was last asked; `None`: never, then only what is not yet due, so that nothing is born overdue). Asking
/// again gives the same keys. Errors stand beside the results: one bad measure stops none of the others.
pub fn periodic(
    regulation: &Regulation,
    calendars: &Calendars,
    directory: &dyn Directory,
    since: Option<Timestamp>,
    business_now: Timestamp,
) -> (Vec<NewObligation>, Vec<StartError>) {
    let (mut opened, mut errors) = (Vec::new(), Vec::new());
    let asked = Asked { regulation, calendars, directory, since: since.unwrap_or(business_now), now: business_now };
    for rule in regulation.rules.iter().filter(|r| r.off.is_none() && r.opens == Opens::MonthOfMeasures) {
        for measures in by_case_and_responsible(&regulation.measures).values() {
            asked.months(rule, measures, &mut opened, &mut errors);
        }
    }
    (opened, errors)
}

/// The next instant at which [`periodic`] will have more to open; `None`: no measure goes on or begins later.
pub fn next_period_at(
    regulation: &Regulation,
    directory: &dyn Directory,
    business_now: Timestamp,
) -> Option<Timestamp> {
    if !regulation.rules.iter().any(|r| r.off.is_none() && r.opens == Opens::MonthOfMeasures) {
        return None;
    }
    let next = |measure: &Measure| {
        let zone = directory.participant(&measure.responsible).map_or(regulation.zone, |p| p.zone);
        let month = current_month(business_now, zone).plus(1).max(first_month(regulation, measure));
        (month <= measure.to).then(|| start_of_day(month.first_day(), zone))
    };
    regulation.measures.iter().filter_map(next).min()
}

fn by_case_and_responsible(measures: &[Measure]) -> BTreeMap<(CaseId, &ParticipantId), Vec<&Measure>> {
    let mut groups: BTreeMap<_, Vec<&Measure>> = BTreeMap::new();
    for measure in measures {
        groups.entry((measure.case, &measure.responsible)).or_default().push(measure);
    }
    groups
}

fn current_month(now: Timestamp, zone: Zone) -> Month {
    Month::of(Start::Instant(now).local_date(zone))
}

/// A measure's first month under the regulation.
fn first_month(regulation: &Regulation, measure: &Measure) -> Month {
    measure.from.max(Month::of(regulation.effective_from))
}

struct Asked<'a> {
    regulation: &'a Regulation,
    calendars: &'a Calendars,
    directory: &'a dyn Directory,
    since: Timestamp,
    now: Timestamp,
}

impl Asked<'_> {
    /// The months of one responsible organisation in one case, oldest first.
    fn months(
        &self,
        rule: &Rule,
        measures: &[&Measure],
        opened: &mut Vec<NewObligation>,
        errors: &mut Vec<StartError>,
    ) {
        let Some(first) = measures.first() else { return };
        let Some(responsible) = self.directory.participant(&first.responsible) else {
            let (file, line) = (self.regulation.file.clone(), first.line);
            errors.push(StartError::Participant { file, line, id: first.responsible.clone() });
            return;
        };
        let now = current_month(self.now, responsible.zone);
        let mut months: BTreeMap<Month, &Measure> = BTreeMap::new();
        for measure in measures {
            let mut month = first_month(self.regulation, measure);
            while month <= measure.to.min(now) {
                months.entry(month).or_insert(measure);
                month = month.plus(1);
            }
        }
        let mut newest_first = Vec::new();
        for (month, measure) in months.into_iter().rev() {
            match self.obligation(rule, measure, month) {
                Ok(None) => break,
                Ok(Some(obligation)) => newest_first.push(obligation),
                Err(error) => {
                    errors.push(error);
                    break;
                }
            }
        }
        opened.extend(newest_first.into_iter().rev());
    }

    /// `None`: it was due before this was last asked.
    fn obligation(&self, rule: &Rule, measure: &Measure, month: Month) -> Result<Option<NewObligation>, StartError> {
        let debtor = self.party(&rule.debtor, measure)?;
        let creditor = self.party(&rule.creditor, measure)?;
        let TermChoice::Plain(term) = &rule.term else { return Ok(None) };
        let plan = Plan::new(self.regulation, rule, (term, Vec::new()), debtor.zone, BTreeMap::new());
        let started = plan.start(self.calendars, &Start::Month(month))?;
        if started.due <= self.since {
            return Ok(None);
        }
        let subject = rule
            .subject
            .replace("{case}", &measure.case.to_string())
            .replace("{debtor}", debtor.id.as_str())
            .replace("{creditor}", creditor.id.as_str());
        Ok(Some(NewObligation {
            regulation: self.regulation.id.clone(),
            rule: rule.id.clone(),
            subject,
            period: month.to_string(),
            case: Some(measure.case),
            conversation: None,
            debtor: debtor.id.clone(),
            creditor: Some(creditor.id.clone()),
            zone: debtor.zone,
            term: term.to_string(),
            wish: None,
            start: Beginning::Started(started),
        }))
    }

    fn party(&self, party: &Party, measure: &Measure) -> Result<&Participant, StartError> {
        let (file, line) = (self.regulation.file.clone(), measure.line);
        match party {
            Party::Role(role) => self
                .directory
                .holder(&self.regulation.id, role, Some(&measure.territory))
                .map_err(|problem| StartError::Holder { file, line, role: role.clone(), problem }),
            Party::Responsible | Party::RoleOfKey | Party::Sender | Party::Recipient => {
                let id = measure.responsible.clone();
                self.directory.participant(&measure.responsible).ok_or(StartError::Participant { file, line, id })
            }
        }
    }
}
