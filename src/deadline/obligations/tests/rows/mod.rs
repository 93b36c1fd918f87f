//! Every row of the table of terms, one test a row or more, by the shipped regulations: who owes whom by when, and what meets it.
//!
//! `docs/deadlines.en.md` names the test of each row. Every role is held by a participant of its own that has the role's name, and
//! every letter must be one that the regulation lets pass. The instants are counted by hand from the documents' words.

mod model;
mod smolensk;
mod yugra;

use super::regions::{self, Life};
use super::*;
use crate::deadline::regulation::Party;

/// A region in which each role is a participant of its own.
fn roles(id: &str) -> Life {
    let mut life = Life::of(id);
    let zone = life.regulation.zone.to_string();
    let codes: Vec<&str> = life.regulation.roles.iter().map(|role| role.code.as_str()).collect();
    life.people = codes.into_iter().map(|code| participant(code, &[code], &zone)).collect();
    life.people.iter_mut().for_each(|p| id.clone_into(&mut p.regulation));
    life
}

/// The same with a rule on that is shipped off.
fn with(id: &str, rule: &str) -> Life {
    let mut life = roles(id);
    let rule = life.regulation.rules.iter_mut().find(|r| r.id.as_str() == rule).unwrap();
    assert!(rule.off.take().is_some(), "{} is on", rule.id);
    life
}

/// A letter that the regulation lets pass, and what it does.
fn send(life: &mut Life, way: (&str, &str, &str), at: &str, body: &str) -> Effects {
    may(life, way);
    life.send(way, at, body)
}

/// Fails unless the regulation lets this letter pass.
fn may(life: &Life, (message, from, to): (&str, &str, &str)) {
    let who = |id: &str| life.people.iter().find(|p| p.id.as_str() == id).unwrap();
    let message = MessageType::new(message, 1).unwrap();
    assert!(life.regulation.allows(&message, who(from), who(to), None), "{message} from {from} to {to}");
}

/// Who owes whom by when, as `debtor > creditor key period: due`; without what is missing.
fn told(life: &Life, owed: &NewObligation, due: &str) -> String {
    let citizen = life.regulation.rule(&owed.rule).unwrap().creditor == Party::Citizen;
    let creditor = owed.creditor.as_ref().map_or(if citizen { "citizen" } else { "nobody" }, |c| c.as_str());
    let key = owed.subject.split_once(' ').map_or(String::new(), |(_, key)| format!(" {key}"));
    let period = if owed.period.is_empty() { String::new() } else { format!(" {}", owed.period) };
    format!("{} > {creditor}{key}{period}: {due}", owed.debtor)
}

fn shown(life: &Life, owed: &NewObligation) -> String {
    match &owed.start {
        Beginning::Started(started) => told(life, owed, &show_due(started.due, owed.zone)),
        Beginning::Pending(_) => told(life, owed, "from the handing over"),
        Beginning::Task { .. } => told(life, owed, "no date"),
    }
}

/// What of this rule a letter opened.
fn owed(life: &Life, effects: &Effects, rule: &str) -> Vec<String> {
    of(effects, rule).into_iter().map(|owed| shown(life, owed)).collect()
}

fn of<'e>(effects: &'e Effects, rule: &str) -> Vec<&'e NewObligation> {
    effects.open.iter().filter(|o| o.rule.as_str() == rule).collect()
}

/// The same, for what is counted from the handing over, when it happens at this instant.
fn handed_over(life: &Life, effects: &Effects, rule: &str, at: &str) -> Vec<String> {
    let begun = |owed: &&NewObligation| {
        assert_eq!(pending(owed).on, StartOn::Sent);
        let started = start_pending(pending(owed), &calendars(), instant(at)).unwrap();
        told(life, owed, &show_due(started.due, owed.zone))
    };
    of(effects, rule).iter().map(begun).collect()
}

/// As of when the second letter meets what the first opened of this rule: the same key and the same debtor.
fn met(opened: &Effects, rule: &str, by: &Effects) -> Vec<String> {
    let meets = |o: &&NewObligation, s: &Settlement| {
        (&s.rule, &s.subject, &s.period, &s.debtor) == (&o.rule, &o.subject, &o.period, &o.debtor)
    };
    let at = |o: &NewObligation| by.settle.iter().find(|s| meets(&o, s)).map(|s| s.at.in_zone(o.zone));
    of(opened, rule).into_iter().filter_map(at).collect()
}

/// When it warns.
fn warned(effects: &Effects, rule: &str) -> Vec<String> {
    let warns = |o: &&NewObligation| started(o).warns.iter().map(|at| at.in_zone(o.zone)).collect::<Vec<_>>();
    of(effects, rule).iter().flat_map(warns).collect()
}

/// Which rules of this row there are, and which of them are off.
fn rules<'l>(life: &'l Life, row: &str) -> Vec<(&'l str, bool)> {
    let of_row = life.regulation.rules.iter().filter(|rule| rule.rows.iter().any(|r| r == row));
    of_row.map(|rule| (rule.id.as_str(), rule.off.is_none())).collect()
}

/// What the calendar opened of this rule by this instant.
fn periods(life: &Life, rule: &str, at: &str) -> Effects {
    let (open, errors) = periodic(&life.regulation, &calendars(), &life.people.as_slice(), None, instant(at));
    assert_eq!(errors, []);
    Effects { open: open.into_iter().filter(|o| o.rule.as_str() == rule).collect(), ..Effects::default() }
}

/// What the schedule that a letter made opens of this rule by this instant.
fn scheduled(life: &Life, effects: &Effects, rule: &str, at: &str) -> Effects {
    let id = RuleId::parse(rule).unwrap();
    let mut all = Effects::default();
    for set in effects.schedules.iter().filter(|set| set.rule == id) {
        for row in &set.rows {
            let asked = (&id, set.case, row.clone());
            all.open.extend(
                schedule(&life.regulation, &calendars(), &life.people.as_slice(), asked, instant(at)).unwrap().0,
            );
        }
    }
    all
}

/// An application that was submitted and registered then, with these children by their birth dates.
fn application(submitted: &str, registered: &str, children: &[&str]) -> String {
    let members: String = children
        .iter()
        .zip(1..)
        .map(|(born, number)| {
            format!(
                "<member><number>{number}</number><role>child</role><person><birthDate>{born}</birthDate></person></member>"
            )
        })
        .collect();
    super::application(registered, &[("extract", "health", "request"), ("passport", "police", "citizen")])
        .replace("2026-05-06T04:00:00Z", submitted)
        + &format!("<family><members>{members}</members></family>")
}

/// An approved programme of three months or so with one measure of employment.
fn approved(version: u32, approved_at: &str, (begins, ends): (&str, &str), more: &str) -> String {
    regions::programme("approved", &format!("<approvedAt>{approved_at}</approvedAt>{more}"))
        .replace("<version>1<", &format!("<version>{version}<"))
        .replace(
            "<beginsOn>2026-05-20</beginsOn><endsOn>2026-11-19</endsOn>",
            &format!("<beginsOn>{begins}</beginsOn><endsOn>{ends}</endsOn>"),
        )
}

fn contract(signed_at: &str, (begins, ends): (&str, &str), substitute: bool) -> String {
    format!(
        "<number>1</number><signedAt>{signed_at}</signedAt><beginsOn>{begins}</beginsOn><endsOn>{ends}</endsOn>\
         <substituteFamily>{substitute}</substituteFamily>"
    )
}
