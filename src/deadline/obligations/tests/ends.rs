//! What hangs on the end of a case: warnings before it, copies of an extension, what is owed after it.

use chrono::NaiveDate;

use super::cases::{Life, of};
use super::*;
use crate::deadline::Start;
use crate::deadline::regulation::TermChoice;

const DECISION: &str = "<groupDecision><date>2026-04-20</date><number>3</number></groupDecision>";

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

fn codes(life: &Life) -> Vec<&str> {
    life.facts().flags.iter().map(|flag| flag.code.as_str()).collect()
}

/// A case with a contract of three months, to the end of April.
fn three_months() -> Life {
    let mut life = Life::begun();
    life.programme("2026-01-30T10:00:00+05:00", "2026-04-30", &[("1", "employment", "2026-02-02", "2026-03-20")]);
    life.contract("2026-02-02T10:00:00+05:00", "2026-04-30");
    life
}

#[test]
fn what_is_due_before_the_end_is_warned_of_though_the_end_lies_ahead() {
    let region = Regulation::parse(fixtures::FILE, include_str!("../../../../config/regulations/yugra.toml")).unwrap();
    let rule = region.rule(&RuleId::parse("monitoring-before-end").unwrap()).unwrap();
    let TermChoice::Plain(term) = &rule.term else { panic!("a plain term") };
    let plan = Plan::new(&region, rule, (term, Vec::new()), region.zone, std::collections::BTreeMap::new());
    let started = plan.start(&calendars(), &Start::Date(day("2026-07-31").unwrap())).unwrap();
    assert_eq!(due(&started), "2026-07-17T23:59:59+05:00");
    let warned: Vec<_> = started.warns.iter().map(|at| local(*at)).collect();
    assert_eq!(warned, ["2026-07-14T09:00:00+05:00"]);
    // And what is moved by a decision is warned of anew.
    let moved = warns_until(
        (&region, rule),
        &calendars(),
        region.zone,
        started.started_at,
        instant("2026-07-22T00:00:00+05:00"),
    );
    let warned: Vec<_> = moved.unwrap().into_iter().map(local).collect();
    assert_eq!(warned, ["2026-07-16T09:00:00+05:00"]);
}

#[test]
fn a_second_copy_of_an_extension_gives_it_no_ground() {
    // The wish came after the end: within six months it counts, and is told to be without ground.
    let late = format!("<wish><date>2026-05-20</date></wish>{DECISION}");
    let mut life = three_months();
    for _ in 0..2 {
        life.extension("2026-05-21T10:00:00+05:00", "2026-07-31", &late).unwrap();
        assert_eq!((life.facts().ends_on, codes(&life)), (day("2026-07-31"), vec!["extension-without-ground"]));
        assert!(!life.facts().extension.as_ref().unwrap().grounded);
    }
    // One with a ground keeps it however often its copies come.
    let mut life = three_months();
    let grounds = format!("<wish><date>2026-04-21</date></wish>{DECISION}");
    for _ in 0..2 {
        life.extension("2026-04-22T10:00:00+05:00", "2026-12-30", &grounds).unwrap();
        assert_eq!((life.facts().ends_on, codes(&life)), (day("2026-12-30"), vec![]));
    }
}

#[test]
fn a_grounded_extension_is_not_undone_by_an_older_or_an_ungrounded_one() {
    let mut life = three_months();
    let grounds = format!("<wish><date>2026-04-21</date></wish>{DECISION}");
    life.extension("2026-04-22T10:00:00+05:00", "2026-10-30", &grounds).unwrap();
    // A copy of an older decision comes late.
    life.extension("2026-04-20T10:00:00+05:00", "2026-06-30", DECISION).unwrap();
    assert_eq!((life.facts().ends_on, codes(&life)), (day("2026-10-30"), vec![]));
    // Another one without the citizen's wish: it is told, and the end that was granted stays.
    life.extension("2026-09-20T10:00:00+05:00", "2026-12-30", DECISION).unwrap();
    assert_eq!((life.facts().ends_on, codes(&life)), (day("2026-10-30"), vec!["extension-without-ground"]));
}

#[test]
fn what_comes_after_the_end_moves_it_no_more() {
    let mut life = three_months();
    let end = "<number>1</number><decidedAt>2026-03-10T10:00:00+05:00</decidedAt><endsOn>2026-03-10</endsOn>";
    life.send(Letter { message: "termination", body: end, at: "2026-03-10T12:00:00+05:00", ..LETTER });
    assert_eq!(life.facts().ends_on, day("2026-03-10"));
    let last = "<assessedAt>2026-03-12T10:00:00+05:00</assessedAt><stage>final</stage>";
    life.send(Letter { message: "effectiveness-assessment", body: last, at: "2026-03-12T12:00:00+05:00", ..LETTER });
    assert_eq!(life.facts().ends_on, day("2026-03-10"));
}

#[test]
fn a_case_that_moves_takes_its_months_along() {
    let mut life = three_months();
    let mut people = participants();
    let mut other = participant("other-register", &["uszn", "provider"], "Asia/Yekaterinburg");
    other.roles.iter_mut().for_each(|held| held.territories = vec![Oktmo::parse("71875000").unwrap()]);
    people.push(other);
    let body = application("2026-03-12T10:00:00+05:00", &[])
        .replace("2026-05-06T04", "2026-03-12T04")
        .replace("71876000", "71875000");
    let letter = Letter { body: &body, at: "2026-03-12T12:00:00+05:00", known: life.known.take(), ..LETTER };
    let effects = letter.judge_among(&life.region, &calendars(), &people).unwrap();
    let places: Vec<_> =
        effects.schedules.iter().flat_map(|set| &set.rows).map(|row| row.territory.to_string()).collect();
    assert_eq!(places, ["71875000"], "the months to come are owed in the new territory");
    assert!(of(&effects, "end-review").is_empty());
}

#[test]
fn the_month_in_which_a_case_ends_is_still_reported_and_no_later_one() {
    let shipped = Regulation::parse(fixtures::FILE, include_str!("../../../../config/regulations/yugra.toml")).unwrap();
    let report = RuleId::parse("progress-report").unwrap();
    assert!(shipped.rule(&report).unwrap().outlives_case);
    let mut life = Life::begun();
    life.region.rules.iter_mut().filter(|rule| rule.id == report).for_each(|rule| rule.outlives_case = true);
    let measures = [("1", "employment", "2026-02-02", "2026-07-20"), ("2", "health", "2026-05-02", "2026-07-20")];
    life.programme("2026-01-30T10:00:00+05:00", "2026-07-31", &measures);
    life.contract("2026-02-02T10:00:00+05:00", "2026-07-31");
    // It ended in March; that is told in May, when April and May were opened.
    let end = "<number>1</number><decidedAt>2026-05-10T10:00:00+05:00</decidedAt><endsOn>2026-03-20</endsOn>";
    let effects = life.send(Letter { message: "termination", body: end, at: "2026-05-10T12:00:00+05:00", ..LETTER });
    let outlive = |cancel: &Cancel| matches!(cancel, Cancel::Closed { outlive, .. } if outlive.contains(&report));
    assert!(effects.cancel.iter().any(outlive), "{:?}", effects.cancel);
    let months: Vec<_> = effects
        .cancel
        .iter()
        .filter_map(|cancel| match cancel {
            Cancel::Key { rule, subject, period } if *rule == report => Some((subject.clone(), period.clone())),
            Cancel::Key { .. } | Cancel::OpenedBy { .. } | Cancel::Others { .. } | Cancel::Closed { .. } => None,
        })
        .collect();
    let of = |who: &str, month: &str| (format!("{CASE} {who}"), month.to_owned());
    assert_eq!(months, [of("employment", "2026-04"), of("employment", "2026-05"), of("health", "2026-05")]);
}

#[test]
fn the_months_of_a_debtor_who_is_gone_wait_for_it() {
    let mut life = Life::begun();
    let effects =
        life.programme("2026-01-30T10:00:00+05:00", "2026-07-31", &[("1", "health", "2026-02-02", "2026-04-20")]);
    let row = effects.schedules[0].rows[0].clone();
    let (rule, case) = (RuleId::parse("progress-report").unwrap(), CaseId::parse(CASE).unwrap());
    let ask = |people: Vec<Participant>, at: &str| {
        schedule(&life.region, &calendars(), &people.as_slice(), (&rule, case, row.clone()), instant(at))
    };
    let without = participants().into_iter().filter(|p| p.id != row.debtor).collect();
    let error = ask(without, "2026-02-10T00:00:00+05:00").unwrap_err().to_string();
    assert!(error.contains("there is no participant `health`"), "{error}");
    let (opened, _) = ask(participants(), "2026-03-10T00:00:00+05:00").unwrap();
    assert_eq!(opened.len(), 2, "nothing was lost meanwhile");
}

#[test]
fn nobody_reports_its_own_measures_to_itself() {
    let mut life = Life::begun();
    let measures = [("1", "register", "2026-02-02", "2026-04-20"), ("2", "health", "2026-02-02", "2026-04-20")];
    let effects = life.programme("2026-01-30T10:00:00+05:00", "2026-07-31", &measures);
    assert_eq!(of(&effects, "measure").len(), 2, "the measure itself is owed");
    let debtors: Vec<_> = effects.schedules[0].rows.iter().map(|row| row.debtor.as_str()).collect();
    assert_eq!(debtors, ["health"]);
    assert!(effects.notes.iter().any(|note| note.en.contains("nobody reports to itself")), "{:?}", effects.notes);
}
