//! What a message does to its case, and what follows from that: holders that change, months of measures, the end.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::dates::content;
use super::message::start_fault;
use super::parties::{Item, Parties};
use super::periodic::{Periodic, ScheduleRow};
use super::{Cancel, CaseUpsert, Effects, MessageEvent, Note, Period, Rebind, ScheduleSet};
use crate::deadline::cases::{self, CaseFacts, ConsentState, Ended, Flag};
use crate::deadline::regulation::{CaseSource, Every, Of, Opens, Party, Regulation, Rule};
use crate::deadline::{BodyPath, Calendars, Month, Start};
use crate::domain::{CaseId, Fault, FaultCode, Oktmo, Participant, ParticipantId, RoleCode};

/// What a case is called whose kind no message has said yet.
const KIND_UNKNOWN: &str = "individual";
/// The messages that say something of a consent.
const CONSENT: &str = "consent";
const APPLICATION: &str = "application";

/// The case after a message: begun, changed or as it was. `None`: the message is about no case that the gateway keeps.
pub(super) fn after(
    regulation: &Regulation,
    calendars: &Calendars,
    event: &MessageEvent<'_>,
) -> Result<Option<CaseUpsert>, Fault> {
    let name = event.header.message_type.name.as_str();
    let source = regulation.case.as_ref();
    let begins = source.filter(|c| c.messages.iter().any(|m| m == name));
    let (Some(id), None | Some(_)) = (event.header.case_id, begins) else {
        return match begins {
            Some(_) => Err(Fault::new(FaultCode::HeaderInvalid, format!("CaseId is needed: `{name}` begins a case"))),
            // A word that stops something must be about something.
            None if name == CONSENT && ends_something(event) => Err(no_case()),
            None => Ok(None),
        };
    };
    let mut facts = event.case.map(|c| c.facts.clone()).unwrap_or_default();
    let (territory, kind) = match (begins, event.case) {
        (Some(source), _) => {
            let (territory, kind) = said(source, event)?;
            let moves = event.case.is_some_and(|case| case.territory != territory);
            if moves && !regulation.serves_there(name, event.recipient, &territory) {
                let path = &source.territory;
                return Err(content(format!("`{path}`: the recipient serves another territory than the case goes to")));
            }
            (territory, kind)
        }
        (None, Some(case)) => (case.territory.clone(), case.kind.clone()),
        // A case that began on paper is kept from the first step, and the first word on consent, that the gateway sees.
        (None, None) if name == CONSENT || regulation.steps.iter().any(|s| s.message == name) => {
            match only_territory(event) {
                Some(territory) => (territory, KIND_UNKNOWN.to_owned()),
                None if name == CONSENT => return Err(no_case()),
                None => return Ok(None),
            }
        }
        (None, None) => return Ok(None),
    };
    cases::apply(regulation, calendars, &mut facts, event)?;
    Ok(Some(CaseUpsert { id, territory, kind, regulation: regulation.id.clone(), facts }))
}

fn ends_something(event: &MessageEvent<'_>) -> bool {
    let state = BodyPath::parse("state").and_then(|path| path.text(event.body)).and_then(ConsentState::parse);
    state.is_some_and(|state| state != ConsentState::Given)
}

fn no_case() -> Fault {
    let detail = "Header/CaseId: a consent is kept with its case; name a case that the gateway knows (its application begins it)";
    Fault::new(FaultCode::ReferenceUnknown, detail)
}

/// To whom nothing of which classes may go, after what this message says.
fn stopped(regulation: &Regulation, event: &MessageEvent<'_>, facts: &CaseFacts) -> Ended {
    let today = Start::Instant(event.accepted_at).local_date(regulation.zone);
    let named =
        BodyPath::parse("recipients/recipient/participant").map(|path| path.all(event.body)).unwrap_or_default();
    let mut recipients: BTreeSet<ParticipantId> =
        named.into_iter().filter_map(|node| ParticipantId::parse(node.text()?.trim()).ok()).collect();
    if event.header.message_type.name == APPLICATION {
        // The consent in its form is about everybody.
        let all = regulation.roles.iter().flat_map(|role| event.directory.holders(&regulation.id, &role.code));
        recipients.extend(all.map(|participant| participant.id.clone()));
    }
    facts.ended(recipients.iter(), today)
}

/// Territory and kind as the body says them.
fn said(source: &CaseSource, event: &MessageEvent<'_>) -> Result<(Oktmo, String), Fault> {
    let need =
        |path: &BodyPath| path.text(event.body).ok_or_else(|| content(format!("`{path}` is missing; a case needs it")));
    let territory = Oktmo::parse(need(&source.territory)?)
        .map_err(|_| content(format!("`{}` is no OKTMO code of 2 to 11 digits", source.territory)))?;
    Ok((territory, need(&source.kind)?.to_owned()))
}

/// The one territory that the sender, or else the recipient, serves.
fn only_territory(event: &MessageEvent<'_>) -> Option<Oktmo> {
    [event.sender, event.recipient].into_iter().find_map(|who| {
        let mut served: Vec<&Oktmo> = who.roles.iter().flat_map(|holding| &holding.territories).collect();
        served.sort();
        served.dedup();
        match served.as_slice() {
            [one] => Some((*one).clone()),
            _ => None,
        }
    })
}

/// What follows from the case as it is now.
pub(super) fn follow(
    regulation: &Regulation,
    calendars: &Calendars,
    event: &MessageEvent<'_>,
    case: CaseUpsert,
    effects: &mut Effects,
) -> Result<(), Fault> {
    let before = event.case.map(|c| c.facts.clone()).unwrap_or_default();
    effects.flags.extend(case.facts.flags.iter().filter(|flag| !before.flags.contains(flag)).cloned());
    effects
        .flags
        .extend(case.facts.unseen.iter().filter(|id| !before.unseen.contains(id)).map(|id| unseen(regulation, id)));
    if case.facts.is_closed() && !before.is_closed() {
        let outlive = regulation.rules.iter().filter(|r| r.outlives_case).map(|r| r.id.clone()).collect();
        effects.cancel.push(Cancel::Closed { case: case.id, outlive });
        effects.cancel.extend(after_the_end(regulation, calendars, event, &case, &before));
    }
    let moved_from = event.case.map(|known| &known.territory).filter(|territory| **territory != case.territory);
    if let Some(old) = moved_from {
        effects.rebind.extend(rebind(regulation, event, case.id, old, &case.territory));
    }
    if [CONSENT, APPLICATION].contains(&event.header.message_type.name.as_str()) {
        let new = case.facts.consents.iter().filter(|said| !before.consents.contains(said));
        effects.said = new.cloned().collect();
        effects.stop = stopped(regulation, event, &case.facts);
    }
    let planned = |facts: &CaseFacts| (facts.programme.clone(), facts.contract.clone(), facts.ends_on, facts.closed_at);
    // The months to come are owed where the case is conducted now.
    if moved_from.is_some() || planned(&before) != planned(&case.facts) {
        for rule in regulation.rules.iter().filter(|r| r.off.is_none()) {
            if let Opens::Every { of: of @ (Of::Measure | Of::Case), .. } = &rule.opens {
                let seen = Seen { regulation, calendars, event, case: &case };
                effects.schedules.push(seen.schedule(rule, of, &mut effects.notes)?);
            }
        }
    }
    effects.case = Some(case);
    Ok(())
}

/// What is owed for a month outlives the case where its rule says so, but for months that began after the end.
fn after_the_end(
    regulation: &Regulation,
    calendars: &Calendars,
    event: &MessageEvent<'_>,
    case: &CaseUpsert,
    before: &CaseFacts,
) -> Vec<Cancel> {
    let Some(first) = case.facts.ends_on.map(|ends| Month::of(ends).plus(1)) else { return Vec::new() };
    let planned = CaseUpsert { facts: before.clone(), ..case.clone() };
    let seen = Seen { regulation, calendars, event, case: &planned };
    let mut cancels = Vec::new();
    for rule in regulation.rules.iter().filter(|rule| rule.off.is_none() && rule.outlives_case) {
        let Opens::Every { of: of @ (Of::Measure | Of::Case), .. } = &rule.opens else { continue };
        // Whoever is not found was not found when the month began.
        for (debtor, spans) in seen.months(rule, of, &mut Vec::new()).unwrap_or_default() {
            let now = Month::of(Start::Instant(event.accepted_at).local_date(debtor.zone));
            let begun = spans
                .into_iter()
                .filter_map(|(from, to)| (from.max(first) <= to.min(now)).then_some((from.max(first), to.min(now))));
            let months =
                begun.flat_map(|(from, to)| std::iter::successors(Some(from), move |m| (*m < to).then(|| m.plus(1))));
            cancels.extend(months.filter_map(|month| seen.month(rule, debtor, month)));
        }
    }
    cancels
}

fn unseen(regulation: &Regulation, id: &str) -> Flag {
    let title = regulation.steps.iter().find(|s| s.id == id).map(|s| s.title.clone()).unwrap_or_default();
    Flag {
        code: "step-unseen".to_owned(),
        ru: format!("шаг не виден шлюзу: {}", title.ru),
        en: format!("the gateway did not see the step: {}", title.en),
    }
}

/// Roles that somebody else holds in the new territory.
fn rebind(regulation: &Regulation, event: &MessageEvent<'_>, case: CaseId, old: &Oktmo, new: &Oktmo) -> Vec<Rebind> {
    let holder = |role: &RoleCode, place: &Oktmo| {
        event.directory.holder(&regulation.id, role, Some(place)).ok().map(|holder| holder.id.clone())
    };
    let moved = regulation.roles.iter().filter_map(|role| {
        let now = holder(&role.code, new)?;
        (holder(&role.code, old).as_ref() != Some(&now)).then(|| Rebind { case, role: role.code.clone(), holder: now })
    });
    moved.collect()
}

/// Who owes for which months.
type Owing<'s> = Vec<(&'s Participant, Vec<(Month, Month)>)>;

struct Seen<'a> {
    regulation: &'a Regulation,
    calendars: &'a Calendars,
    event: &'a MessageEvent<'a>,
    case: &'a CaseUpsert,
}

impl Seen<'_> {
    /// The months of a rule in this case.
    fn schedule(&self, rule: &Rule, of: &Of, notes: &mut Vec<Note>) -> Result<ScheduleSet, Fault> {
        let mut rows = Vec::new();
        if !self.case.facts.is_closed() {
            for (debtor, spans) in self.months(rule, of, notes)? {
                rows.extend(self.row(rule, debtor, spans)?);
            }
        }
        Ok(ScheduleSet { rule: rule.id.clone(), case: self.case.id, rows })
    }

    /// Who owes for which months, each from the first to the last.
    fn months<'s>(&'s self, rule: &Rule, of: &Of, notes: &mut Vec<Note>) -> Result<Owing<'s>, Fault> {
        let facts = &self.case.facts;
        let mut found: Owing<'s> = Vec::new();
        let mut add = |who: &'s Participant, from: NaiveDate, to: NaiveDate| {
            let to = facts.ends_on.map_or(to, |ends| ends.min(to));
            let span = (Month::of(from), Month::of(to));
            if span.0 > span.1 {
                return;
            }
            match found.iter_mut().find(|(known, _)| known.id == who.id) {
                Some((_, spans)) => spans.push(span),
                None => found.push((who, vec![span])),
            }
        };
        match of {
            Of::Measure => {
                for measure in facts.programme.iter().flat_map(|p| &p.measures) {
                    match self.participant(measure.responsible.as_deref()) {
                        Some(who) if self.is_owed_to(rule, who) => notes.push(own(rule)),
                        Some(who) => add(who, measure.begins_on, measure.due_on),
                        None => notes.push(outside(rule)),
                    }
                }
            }
            Of::Case => {
                if let Some(contract) = &facts.contract {
                    let parties = Parties {
                        regulation: self.regulation,
                        event: self.event,
                        territory: Some(self.case.territory.clone()),
                    };
                    let item = Item { node: self.event.body, key: None, case: Some(self.case.id) };
                    add(
                        parties.debtor(&rule.debtor, &item)?,
                        contract.begins_on,
                        facts.ends_on.unwrap_or(contract.ends_on),
                    );
                }
            }
            Of::Role(_) => {}
        }
        notes.dedup();
        Ok(found)
    }

    /// Whether it is this participant to whom the rule has it owed: what one does oneself one reports to nobody.
    fn is_owed_to(&self, rule: &Rule, who: &Participant) -> bool {
        matches!(&rule.creditor, Party::Role(role) if who.holds(role, Some(&self.case.territory)))
    }

    /// The name of what is owed for a month.
    fn month(&self, rule: &Rule, debtor: &Participant, month: Month) -> Option<Cancel> {
        let periodic =
            Periodic { regulation: self.regulation, calendars: self.calendars, directory: self.event.directory };
        let creditor = periodic.creditor(rule, Some(&self.case.territory), rule.line).ok()?;
        let period = Period::of(Every::Month, month);
        let owed = periodic.obligation(rule, Some(self.case.id), debtor, creditor, period).ok()??;
        Some(Cancel::Key { rule: owed.rule, subject: owed.subject, period: owed.period })
    }

    fn participant(&self, id: Option<&str>) -> Option<&Participant> {
        let found = self.event.directory.participant(&ParticipantId::parse(id?).ok()?)?;
        (found.regulation == self.regulation.id).then_some(found)
    }

    /// The row from the first month whose report is not due yet: nothing is born overdue.
    fn row(
        &self,
        rule: &Rule,
        debtor: &Participant,
        mut spans: Vec<(Month, Month)>,
    ) -> Result<Option<ScheduleRow>, Fault> {
        spans.sort_unstable();
        let row = ScheduleRow { debtor: debtor.id.clone(), territory: self.case.territory.clone(), spans, next: None };
        let periodic =
            Periodic { regulation: self.regulation, calendars: self.calendars, directory: self.event.directory };
        let row = periodic.first(rule, row, self.case.id, self.event.accepted_at).map_err(|e| start_fault(&e))?;
        Ok(row.next.is_some().then_some(row))
    }
}

fn own(rule: &Rule) -> Note {
    Note {
        rule: rule.id.clone(),
        ru: "мероприятие выполняет тот, кому отчитываются: самому себе не отчитываются".to_owned(),
        en: "the measure is carried out by the one who is reported to: nobody reports to itself".to_owned(),
    }
}

fn outside(rule: &Rule) -> Note {
    Note {
        rule: rule.id.clone(),
        ru: "ответственная организация не участник: отчитывается вне шлюза".to_owned(),
        en: "the responsible organisation is no participant: it reports outside of the gateway".to_owned(),
    }
}
