//! Rows S-01 to S-07.

use super::super::regions::{last, termination};
use super::*;

const TERM: (&str, &str) = ("2026-05-20", "2026-11-15");

fn begun(mut life: Life) -> Life {
    let body = application("2026-05-06T09:00:00+03:00", "2026-05-06T10:00:00+03:00", &[]);
    let effects = send(&mut life, ("application", "provider", "provider"), "2026-05-06T12:00:00+03:00", &body);
    assert_eq!(effects.open, []);
    life
}

fn programme(life: &mut Life, to: &str) -> Effects {
    let body = approved(1, "2026-05-18T10:00:00+03:00", TERM, "");
    send(life, ("programme", "provider", to), "2026-05-18T12:00:00+03:00", &body)
}

fn contracted(life: &mut Life, ends: &str) -> Effects {
    let body = contract("2026-05-19T10:00:00+03:00", (TERM.0, ends), false);
    send(life, ("contract", "provider", "provider"), "2026-05-19T12:00:00+03:00", &body)
}

#[test]
fn s_01_in_force() {
    let life = roles("smolensk");
    // The whole day of signing, in Moscow's time.
    assert!(!life.regulation.in_force(instant("2024-11-28T23:59:59+03:00")));
    assert!(life.regulation.in_force(instant("2024-11-29T00:00:00+03:00")));
    assert_eq!(rules(&life, "S-01"), [], "nobody owes a message");
    let kept = life.regulation.outside.iter().find(|o| o.rows.iter().any(|row| row == "S-01")).unwrap();
    assert_eq!(kept.id, "in-force");
}

#[test]
fn s_02_accompaniment_end() {
    let mut life = begun(roles("smolensk"));
    // A Sunday: a duration does not roll. Two weeks before, the day being a Sunday too.
    let effects = programme(&mut life, "provider");
    assert_eq!(owed(&life, &effects, "accompaniment-end"), ["provider > citizen: 2026-11-15T23:59:59+03:00"]);
    assert_eq!(warned(&effects, "accompaniment-end"), ["2026-11-01T09:00:00+03:00"]);
    // The contract's day is the later word, and no limit cuts it.
    let moved = contracted(&mut life, "2027-12-31");
    assert_eq!(owed(&life, &moved, "accompaniment-end"), ["provider > citizen: 2027-12-31T23:59:59+03:00"]);
    assert!(of(&moved, "accompaniment-end")[0].retime);
    let ended = send(
        &mut life,
        ("termination", "provider", "provider"),
        "2027-12-30T12:00:00+03:00",
        &termination("2027-12-30"),
    );
    assert_eq!(met(&moved, "accompaniment-end", &ended), ["2027-12-30T08:00:00+03:00"], "10:00 in Yekaterinburg");
}

#[test]
fn s_03_ministry_report_is_off() {
    let at = "2026-05-15T10:00:00+03:00";
    let life = roles("smolensk");
    assert_eq!(rules(&life, "S-03"), [("ministry-report", false)]);
    assert_eq!(periods(&life, "ministry-report", at).open, []);
    // The example's term, once it is on: the 10th of June is a Wednesday; May is not due yet, April is.
    let mut on = with("smolensk", "ministry-report");
    let may_ = periods(&on, "ministry-report", at);
    assert_eq!(owed(&on, &may_, "ministry-report"), ["provider > ministry 2026-05: 2026-06-10T23:59:59+03:00"]);
    let body = "<period>2026-05</period>";
    let sent = send(&mut on, ("ministry-report", "provider", "ministry"), "2026-06-09T10:00:00+03:00", body);
    assert_eq!(met(&may_, "ministry-report", &sent), ["2026-06-09T10:00:00+03:00"]);
}

#[test]
fn s_04_measure() {
    let mut life = begun(roles("smolensk"));
    let effects = programme(&mut life, "employment");
    // A measure of an organisation outside of the exchange opens nothing.
    assert_eq!(owed(&life, &effects, "measure"), ["employment > provider 1: 2026-08-31T23:59:59+03:00"]);
    // Three working days before a Monday: Wednesday.
    assert_eq!(warned(&effects, "measure"), ["2026-08-26T09:00:00+03:00"]);
    let mark = "<measure>1</measure><doneAt>2026-08-20T10:00:00+03:00</doneAt>";
    let done = send(&mut life, ("measure-mark", "employment", "provider"), "2026-08-20T12:00:00+03:00", mark);
    assert_eq!(met(&effects, "measure", &done), ["2026-08-20T10:00:00+03:00"]);
    // A new version moves the day to a Saturday, where it stays.
    let body = approved(2, "2026-06-18T10:00:00+03:00", TERM, "").replace("2026-08-31", "2026-08-29");
    let way = ("programme", "provider", "employment");
    let moved = send(&mut life, way, "2026-06-18T12:00:00+03:00", &body);
    assert_eq!(owed(&life, &moved, "measure"), ["employment > provider 1: 2026-08-29T23:59:59+03:00"]);
    let others =
        |c: &Cancel| matches!(c, Cancel::Others { rule, keep, .. } if rule.as_str() == "measure" && keep.len() == 1);
    assert!(moved.cancel.iter().any(others), "{:?}", moved.cancel);
}

#[test]
fn s_05_provision_act_is_off() {
    let at = "2026-05-25T10:00:00+03:00";
    let mut life = begun(roles("smolensk"));
    assert_eq!(rules(&life, "S-05"), [("provision-act", false)]);
    let effects = contracted(&mut life, TERM.1);
    assert_eq!(scheduled(&life, &effects, "provision-act", at).open, []);
    // The example's term, once it is on: the 5th of June is a Friday.
    let mut on = begun(with("smolensk", "provision-act"));
    let effects = contracted(&mut on, TERM.1);
    let may_ = scheduled(&on, &effects, "provision-act", at);
    assert_eq!(owed(&on, &may_, "provision-act"), ["provider > citizen 2026-05: 2026-06-05T23:59:59+03:00"]);
    let act = "<period>2026-05</period>";
    let sent = send(&mut on, ("provision-act", "provider", "provider"), "2026-06-02T12:00:00+03:00", act);
    assert_eq!(met(&may_, "provision-act", &sent), ["2026-06-02T12:00:00+03:00"]);
}

#[test]
fn s_06_evaluation() {
    let mut life = begun(roles("smolensk"));
    contracted(&mut life, TERM.1);
    let way = ("termination", "provider", "provider");
    let ended = send(&mut life, way, "2026-11-16T12:00:00+03:00", &termination("2026-11-15"));
    assert_eq!(owed(&life, &ended, "evaluation"), ["provider > ministry: no date"]);
    let outlives =
        |c: &Cancel| matches!(c, Cancel::Closed { outlive, .. } if outlive.iter().any(|r| r.as_str() == "evaluation"));
    assert!(ended.cancel.iter().any(outlives), "the end does not take it away: {:?}", ended.cancel);
    let way = ("effectiveness-assessment", "provider", "ministry");
    let done = send(&mut life, way, "2026-11-20T12:00:00+03:00", &last("2026-11-20"));
    assert_eq!(met(&ended, "evaluation", &done), ["2026-11-20T08:00:00+03:00"]);
}

#[test]
fn s_07_inform_participants() {
    let mut life = begun(roles("smolensk"));
    contracted(&mut life, TERM.1);
    let body = termination("2026-11-15");
    let ended = send(&mut life, ("termination", "provider", "provider"), "2026-11-16T12:00:00+03:00", &body);
    assert_eq!(owed(&life, &ended, "inform-participants"), ["provider > provider: no date"]);
    assert_eq!(met(&ended, "inform-participants", &ended), [""; 0], "to itself tells nobody");
    let ministry = send(&mut life, ("termination", "provider", "ministry"), "2026-11-16T12:01:00+03:00", &body);
    assert_eq!(met(&ended, "inform-participants", &ministry), [""; 0], "the ministry accompanies nobody");
    let told = send(&mut life, ("termination", "provider", "health"), "2026-11-16T12:02:00+03:00", &body);
    assert_eq!(met(&ended, "inform-participants", &told), ["2026-11-16T12:02:00+03:00"]);
}
