//! What the calendar opens by itself: months of measures, months of cases, quarters and years of a role's holders.

use std::collections::BTreeMap;

use super::{Beginning, Directory, HolderError, NewObligation, Period, Plan, StartError};
use crate::deadline::regulation::{Every, Measure, Of, Opens, Party, Regulation, Rule, TermChoice};
use crate::deadline::{Calendars, Month, Start, start_of_day};
use crate::domain::{CaseId, Oktmo, Participant, ParticipantId, RuleId, Timestamp, Zone};

/// For which months somebody owes in a case, and which month is opened next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Who owes.
    pub debtor: ParticipantId,
    /// Where the case is conducted.
    pub territory: Oktmo,
    /// First and last months, ascending; they may overlap.
    pub spans: Vec<(Month, Month)>,
    /// The month to open next, and the instant at which it begins; `None`: none is left.
    pub next: Option<(Month, Timestamp)>,
}

impl ScheduleRow {
    /// The first month of the spans at or after this one.
    fn month_from(&self, month: Month) -> Option<Month> {
        let candidates = self.spans.iter().filter(|(_, to)| *to >= month).map(|(from, _)| (*from).max(month));
        candidates.min()
    }
}

/// The obligations that rules of periods have opened by `business_now`, but for those of the cases' own schedules (see
/// [`schedule`]): of every period that has begun and whose due lies after `since` (when this was last asked; `None`: never, then
/// only what is not yet due, so that nothing is born overdue). Asking again gives the same keys. Errors stand beside the
/// results: one bad entry stops none of the others.
pub fn periodic(
    regulation: &Regulation,
    calendars: &Calendars,
    directory: &dyn Directory,
    since: Option<Timestamp>,
    business_now: Timestamp,
) -> (Vec<NewObligation>, Vec<StartError>) {
    let (mut opened, mut errors) = (Vec::new(), Vec::new());
    let asked = Asked {
        periodic: Periodic { regulation, calendars, directory },
        since: since.unwrap_or(business_now),
        now: business_now,
    };
    for rule in regulation.rules.iter().filter(|r| r.off.is_none()) {
        match &rule.opens {
            Opens::Every { of: Of::Measure, .. } => {
                for measures in by_case_and_responsible(&regulation.measures).values() {
                    asked.months(rule, measures, &mut opened, &mut errors);
                }
            }
            Opens::Every { every, of: Of::Role(role) } => {
                for debtor in directory.holders(&regulation.id, role) {
                    asked.of_holder(rule, *every, debtor, &mut opened, &mut errors);
                }
            }
            Opens::Every { of: Of::Case, .. } | Opens::Messages(_) => {}
        }
    }
    (opened, errors)
}

/// The next instant at which [`periodic`] will have more to open; `None`: nothing goes on or begins later.
pub fn next_period_at(
    regulation: &Regulation,
    directory: &dyn Directory,
    business_now: Timestamp,
) -> Option<Timestamp> {
    let of_measure = |measure: &Measure| {
        let zone = directory.participant(&measure.responsible).map_or(regulation.zone, |p| p.zone);
        let month = current_month(business_now, zone).plus(1).max(first_month(regulation, measure));
        (month <= measure.to).then(|| start_of_day(month.first_day(), zone))
    };
    let of_rule = |rule: &Rule| match &rule.opens {
        Opens::Every { of: Of::Measure, .. } => regulation.measures.iter().filter_map(of_measure).min(),
        Opens::Every { every, of: Of::Role(role) } => {
            let next = |p: &Participant| Period::of(*every, current_month(business_now, p.zone)).next().begins(p.zone);
            directory.holders(&regulation.id, role).into_iter().map(next).min()
        }
        Opens::Every { of: Of::Case, .. } | Opens::Messages(_) => None,
    };
    regulation.rules.iter().filter(|r| r.off.is_none()).filter_map(of_rule).min()
}

/// The obligations of a case's schedule that have begun by `business_now`, and the row as it is then. A rule that is gone or off
/// opens nothing more.
///
/// # Errors
/// When the calendar lacks a year, the debtor is no participant any more, or a role has not exactly one holder; the row is to be asked
/// again later.
pub fn schedule(
    regulation: &Regulation,
    calendars: &Calendars,
    directory: &dyn Directory,
    (rule, case, mut row): (&RuleId, CaseId, ScheduleRow),
    business_now: Timestamp,
) -> Result<(Vec<NewObligation>, ScheduleRow), StartError> {
    let mut opened = Vec::new();
    let Some(rule) = regulation.rule(rule).filter(|r| r.off.is_none()) else {
        return Ok((opened, ScheduleRow { next: None, ..row }));
    };
    let Some(debtor) = directory.participant(&row.debtor) else {
        let (file, line) = (regulation.file.clone(), rule.line);
        return Err(StartError::Participant { file, line, id: row.debtor });
    };
    let periodic = Periodic { regulation, calendars, directory };
    while let Some((month, at)) = row.next {
        if at > business_now {
            break;
        }
        let creditor = periodic.creditor(rule, Some(&row.territory), rule.line)?;
        let period = Period::of(Every::Month, month);
        opened.extend(periodic.obligation(rule, Some(case), debtor, creditor, period)?);
        row.next = row.month_from(month.plus(1)).map(|next| (next, start_of_day(next.first_day(), debtor.zone)));
    }
    Ok((opened, row))
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

/// What every question about periods needs.
pub(super) struct Periodic<'a> {
    pub(super) regulation: &'a Regulation,
    pub(super) calendars: &'a Calendars,
    pub(super) directory: &'a dyn Directory,
}

impl<'a> Periodic<'a> {
    /// The row with its first month whose due lies after `now`.
    pub(super) fn first(
        &self,
        rule: &Rule,
        mut row: ScheduleRow,
        case: CaseId,
        now: Timestamp,
    ) -> Result<ScheduleRow, StartError> {
        let Some(debtor) = self.directory.participant(&row.debtor) else { return Ok(row) };
        let earliest = Month::of(self.regulation.effective_from);
        let mut month = row.month_from(earliest);
        while let Some(candidate) = month {
            let period = Period::of(Every::Month, candidate);
            let opened = self.obligation(rule, Some(case), debtor, None, period)?;
            let due = opened.as_ref().and_then(|o| match &o.start {
                Beginning::Started(started) => Some(started.due),
                Beginning::Task { .. } | Beginning::Pending(_) => None,
            });
            if due.is_none_or(|due| due > now) {
                row.next = Some((candidate, start_of_day(candidate.first_day(), debtor.zone)));
                break;
            }
            month = row.month_from(candidate.plus(1));
        }
        Ok(row)
    }

    pub(super) fn creditor(
        &self,
        rule: &Rule,
        territory: Option<&Oktmo>,
        line: usize,
    ) -> Result<Option<&'a Participant>, StartError> {
        match &rule.creditor {
            Party::Role(role) => self.holder(role, territory, line).map(Some),
            Party::Citizen | Party::Responsible | Party::RoleOfKey | Party::Sender | Party::Recipient => Ok(None),
        }
    }

    fn holder(
        &self,
        role: &crate::domain::RoleCode,
        territory: Option<&Oktmo>,
        line: usize,
    ) -> Result<&'a Participant, StartError> {
        self.directory.holder(&self.regulation.id, role, territory).map_err(|problem| StartError::Holder {
            file: self.regulation.file.clone(),
            line,
            role: role.clone(),
            problem,
        })
    }

    /// The obligation of one period; `None` for a rule without a term of its own.
    pub(super) fn obligation(
        &self,
        rule: &Rule,
        case: Option<CaseId>,
        debtor: &Participant,
        creditor: Option<&Participant>,
        period: Period,
    ) -> Result<Option<NewObligation>, StartError> {
        let (start, term) = match &rule.term {
            TermChoice::Plain(term) => {
                let plan = Plan::new(self.regulation, rule, (term, Vec::new()), debtor.zone, BTreeMap::new());
                (Beginning::Started(plan.start(self.calendars, &period.start())?), term.to_string())
            }
            TermChoice::None => {
                let explanation = Plan::about(self.regulation, rule, debtor.zone);
                (Beginning::Task { started_at: period.begins(debtor.zone), explanation }, String::new())
            }
            TermChoice::Table(_) => return Ok(None),
        };
        let creditor = creditor.map(|c| c.id.clone());
        let named = creditor.clone().unwrap_or_else(ParticipantId::citizen);
        let subject = rule
            .subject
            .replace("{case}", &case.map_or_else(String::new, |c| c.to_string()))
            .replace("{debtor}", debtor.id.as_str())
            .replace("{creditor}", named.as_str());
        let role = |party: &Party| match party {
            Party::Role(role) => Some(role.clone()),
            Party::RoleOfKey | Party::Sender | Party::Recipient | Party::Responsible | Party::Citizen => None,
        };
        Ok(Some(NewObligation {
            regulation: self.regulation.id.clone(),
            rule: rule.id.clone(),
            subject,
            period: period.to_string(),
            case,
            conversation: None,
            debtor: debtor.id.clone(),
            creditor,
            debtor_role: role(&rule.debtor),
            creditor_role: role(&rule.creditor),
            retime: false,
            zone: debtor.zone,
            term,
            wish: None,
            start,
        }))
    }
}

struct Asked<'a> {
    periodic: Periodic<'a>,
    since: Timestamp,
    now: Timestamp,
}

impl Asked<'_> {
    /// The months of one responsible organisation in one case of the regulation's own table, oldest first.
    fn months(
        &self,
        rule: &Rule,
        measures: &[&Measure],
        opened: &mut Vec<NewObligation>,
        errors: &mut Vec<StartError>,
    ) {
        let Some(first) = measures.first() else { return };
        let regulation = self.periodic.regulation;
        let Some(responsible) = self.periodic.directory.participant(&first.responsible) else {
            let (file, line) = (regulation.file.clone(), first.line);
            errors.push(StartError::Participant { file, line, id: first.responsible.clone() });
            return;
        };
        let now = current_month(self.now, responsible.zone);
        let mut months: BTreeMap<Month, &Measure> = BTreeMap::new();
        for measure in measures {
            let mut month = first_month(regulation, measure);
            while month <= measure.to.min(now) {
                months.entry(month).or_insert(measure);
                month = month.plus(1);
            }
        }
        let months = months.into_iter().rev();
        self.newest_first(
            months.map(|(month, measure)| {
                let creditor = self.periodic.creditor(rule, Some(&measure.territory), measure.line)?;
                let period = Period::of(Every::Month, month);
                self.periodic.obligation(rule, Some(measure.case), responsible, creditor, period)
            }),
            opened,
            errors,
        );
    }

    /// The periods of one holder of a role, oldest first.
    fn of_holder(
        &self,
        rule: &Rule,
        every: Every,
        debtor: &Participant,
        opened: &mut Vec<NewObligation>,
        errors: &mut Vec<StartError>,
    ) {
        let earliest = Month::of(self.periodic.regulation.effective_from);
        let current = Period::of(every, current_month(self.now, debtor.zone));
        let periods = std::iter::successors(Some(current), |period| {
            let before = period.previous();
            (before.last_month() >= earliest).then_some(before)
        });
        let territory = debtor.roles.iter().flat_map(|holding| &holding.territories).next();
        self.newest_first(
            periods.map(|period| {
                let creditor = match self.periodic.creditor(rule, territory, rule.line) {
                    // Who acts for the whole region owes it to all holders alike, and so to none of them by name.
                    Err(StartError::Holder { problem: HolderError::Several(_), .. }) if territory.is_none() => None,
                    found => found?,
                };
                self.periodic.obligation(rule, None, debtor, creditor, period)
            }),
            opened,
            errors,
        );
    }

    /// Takes obligations from the newest on, until one was due before this was last asked.
    fn newest_first(
        &self,
        periods: impl Iterator<Item = Result<Option<NewObligation>, StartError>>,
        opened: &mut Vec<NewObligation>,
        errors: &mut Vec<StartError>,
    ) {
        let mut newest_first = Vec::new();
        for result in periods {
            match result {
                Ok(Some(obligation)) => {
                    let past = match &obligation.start {
                        Beginning::Started(started) => started.due <= self.since,
                        // A task has no due: only that of the present period is opened.
                        Beginning::Task { .. } | Beginning::Pending(_) => !newest_first.is_empty(),
                    };
                    if past {
                        break;
                    }
                    newest_first.push(obligation);
                }
                Ok(None) => break,
                Err(error) => {
                    errors.push(error);
                    break;
                }
            }
        }
        opened.extend(newest_first.into_iter().rev());
    }
}
