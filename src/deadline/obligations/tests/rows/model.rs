//! Rows M-01 to M-14.

use super::super::regions::{DECISION, last, termination};
use super::*;

const TERM: (&str, &str) = ("2026-05-20", "2026-11-19");
const APPLICATION: (&str, &str, &str) = ("application", "provider", "uszn");

fn begun(life: Life) -> (Life, Effects) {
    with_children(life, &[])
}

fn with_children(mut life: Life, born: &[&str]) -> (Life, Effects) {
    let body = application("2026-05-06T09:00:00+03:00", "2026-05-06T10:00:00+03:00", born);
    let effects = send(&mut life, APPLICATION, "2026-05-06T12:00:00+03:00", &body);
    (life, effects)
}

fn programme(life: &mut Life, to: &str, more: &str) -> Effects {
    let body = approved(1, "2026-05-18T10:00:00+03:00", TERM, more);
    send(life, ("programme", "provider", to), "2026-05-18T12:00:00+03:00", &body)
}

fn level(level: &str, since: &str) -> String {
    format!("<level>{level}</level><levelSince>{since}</levelSince>")
}

fn contracted(life: &mut Life, to: &str, signed: &str, substitute: bool) -> Effects {
    let body = contract(signed, TERM, substitute);
    send(life, ("contract", "provider", to), "2026-05-20T12:00:00+03:00", &body)
}

#[test]
fn m_01_level() {
    // Twelve months, twelve, six, three; the three end on a Saturday and stay there.
    let table = [
        ("adaptation", "2026-05-20", "2027-05-20"),
        ("basic", "2026-05-20", "2027-05-20"),
        ("crisis", "2026-05-20", "2026-11-20"),
        ("emergency", "2026-05-22", "2026-08-22"),
    ];
    let (mut life, _) = begun(roles("model"));
    for (name, since, due) in table {
        let effects = programme(&mut life, "working-group", &level(name, since));
        let expected = format!("provider > working-group: {due}T23:59:59+03:00");
        assert_eq!(owed(&life, &effects, "level"), [expected], "{name}");
        assert!(of(&effects, "level")[0].retime, "another level begins anew");
    }
    contracted(&mut life, "provider", "2026-05-19T10:00:00+03:00", false);
    let ended = send(
        &mut life,
        ("termination", "provider", "provider"),
        "2026-08-22T12:00:00+03:00",
        &termination("2026-08-21"),
    );
    let kept =
        |c: &Cancel| matches!(c, Cancel::Closed { outlive, .. } if !outlive.iter().any(|r| r.as_str() == "level"));
    assert!(ended.cancel.iter().any(kept), "the end of the case is the end of the level: {:?}", ended.cancel);
}

#[test]
fn m_02_first_year_of_a_family() {
    let (mut life, _) = begun(roles("model"));
    // The child was placed on the 1st of March: the year is the family's, not the programme's.
    let effects = programme(&mut life, "working-group", &level("adaptation", "2026-03-01"));
    assert_eq!(owed(&life, &effects, "level"), ["provider > working-group: 2027-03-01T23:59:59+03:00"]);
    assert_eq!(warned(&effects, "level"), ["2027-02-15T09:00:00+03:00"]);
}

#[test]
fn m_03_quarterly_analysis() {
    let mut life = roles("model");
    // (now, quarter, due): a Friday; a Saturday, so Monday; the last one a Sunday after the New Year holidays.
    let table = [
        ("2026-02-20T10:00:00+03:00", "2026-Q1", "2026-04-10"),
        ("2026-08-20T10:00:00+03:00", "2026-Q3", "2026-10-12"),
        ("2026-11-20T10:00:00+03:00", "2026-Q4", "2027-01-11"),
    ];
    for (now, quarter, due) in table {
        let opened = periods(&life, "quarterly-analysis", now);
        let expected = format!("provider > department {quarter}: {due}T23:59:59+03:00");
        assert_eq!(owed(&life, &opened, "quarterly-analysis"), [expected]);
        let body = format!("<quarter>{quarter}</quarter>");
        let way = ("quarterly-analysis", "provider", "department");
        let sent = send(&mut life, way, "2027-01-11T10:00:00+03:00", &body);
        assert_eq!(met(&opened, "quarterly-analysis", &sent), ["2027-01-11T10:00:00+03:00"]);
    }
}

#[test]
fn m_04_rights_violation() {
    let (mut life, _) = begun(roles("model"));
    // A Sunday; the hour is the grace.
    let body = "<establishedAt>2026-06-21T10:00:00+03:00</establishedAt>";
    let way = ("rights-violation", "provider", "guardianship");
    let effects = send(&mut life, way, "2026-06-21T10:20:00+03:00", body);
    let key = "2026-06-21T10:00:00+03:00";
    assert_eq!(
        owed(&life, &effects, "rights-violation"),
        [format!("provider > guardianship {key}: 2026-06-21T11:00:00+03:00")]
    );
    assert_eq!(started(of(&effects, "rights-violation")[0]).started_at, instant(key));
    assert_eq!(met(&effects, "rights-violation", &effects), ["2026-06-21T10:20:00+03:00"], "the confirmation meets it");
    let rule = life.regulation.rule(&RuleId::parse("rights-violation").unwrap()).unwrap();
    assert!(rule.round_the_clock && rule.outlives_case);
}

#[test]
fn m_05_contract_copy() {
    let (mut life, _) = begun(roles("model"));
    // (signed, due): a Tuesday; a Friday before three days off.
    let table = [("2026-05-19T10:00:00+03:00", "2026-05-22"), ("2026-05-08T10:00:00+03:00", "2026-05-14")];
    for (signed, due) in table {
        let effects = contracted(&mut life, "provider", signed, true);
        let expected = format!("provider > guardianship: {due}T23:59:59+03:00");
        assert_eq!(owed(&life, &effects, "contract-copy"), [expected]);
        assert_eq!(met(&effects, "contract-copy", &effects), [""; 0], "the guardianship authority has not got it");
        let sent = contracted(&mut life, "guardianship", signed, true);
        assert_eq!(met(&effects, "contract-copy", &sent), ["2026-05-20T12:00:00+03:00"]);
    }
    let other = contracted(&mut life, "provider", "2026-05-19T10:00:00+03:00", false);
    assert_eq!(owed(&life, &other, "contract-copy"), [""; 0], "only of a substitute family");
}

#[test]
fn m_06_guardianship_report_is_off() {
    let (at, signed) = ("2026-05-25T10:00:00+03:00", "2026-05-19T10:00:00+03:00");
    let (mut life, _) = begun(roles("model"));
    assert_eq!(rules(&life, "M-06"), [("guardianship-report", false)]);
    let effects = contracted(&mut life, "provider", signed, false);
    assert_eq!(scheduled(&life, &effects, "guardianship-report", at).open, []);
    // The example's term, once it is on: the 10th of June is a Wednesday.
    let (mut on, _) = begun(with("model", "guardianship-report"));
    let effects = contracted(&mut on, "provider", signed, false);
    let month = scheduled(&on, &effects, "guardianship-report", at);
    assert_eq!(
        owed(&on, &month, "guardianship-report"),
        ["provider > guardianship 2026-05: 2026-06-10T23:59:59+03:00"]
    );
    let way = ("guardianship-report", "provider", "guardianship");
    let sent = send(&mut on, way, "2026-06-09T12:00:00+03:00", "<period>2026-05</period>");
    assert_eq!(met(&month, "guardianship-report", &sent), ["2026-06-09T12:00:00+03:00"]);
}

#[test]
fn m_07_curator_load() {
    let life = roles("model");
    assert_eq!(rules(&life, "M-07"), [], "no term");
    let load = &life.regulation.loads[0];
    assert_eq!((load.id.as_str(), &load.off), ("curator-load", &None));
    let exceeded = |families: &[(&str, u32)]| {
        let families: Vec<_> = families.iter().map(|(level, n)| ((*level).to_owned(), *n)).collect();
        load.exceeded("k-1", &families).is_some()
    };
    for (level, most) in [("emergency", 6), ("crisis", 12), ("adaptation", 24), ("basic", 24)] {
        assert_eq!((exceeded(&[(level, most)]), exceeded(&[(level, most + 1)])), (false, true), "{level}");
    }
    // Shares add up: 3/6 + 6/12 is one specialist.
    assert!(!exceeded(&[("emergency", 3), ("crisis", 6)]));
    assert!(exceeded(&[("emergency", 3), ("crisis", 6), ("basic", 1)]));
}

#[test]
fn m_08_before_the_contract() {
    // What the registration opens is what the law's chapter 5 gives a term, and no more.
    let (mut life, effects) = begun(roles("model"));
    assert_eq!(rules(&life, "M-08"), [("decision", true), ("programme", true), ("contract", true)]);
    let opened: Vec<_> = effects.open.iter().map(|o| o.rule.as_str()).collect();
    assert_eq!(opened, ["decision", "programme"]);
    let effects = programme(&mut life, "provider", "");
    assert_eq!(owed(&life, &effects, "contract"), ["provider > citizen: from the handing over"]);
}

#[test]
fn m_09_final_analysis() {
    let (mut life, _) = begun(roles("model"));
    let effects = programme(&mut life, "provider", "");
    assert_eq!(owed(&life, &effects, "final-analysis"), ["provider > working-group: no date"]);
    let Beginning::Task { started_at, .. } = &of(&effects, "final-analysis")[0].start else { panic!("a task") };
    // It begins with the programme's last day.
    assert_eq!(started_at.in_zone(life.regulation.zone).get(..10), Some("2026-11-19"));
    let way = ("effectiveness-assessment", "provider", "working-group");
    let interim = send(&mut life, way, "2026-08-19T12:00:00+03:00", regions::INTERIM);
    assert_eq!(met(&effects, "final-analysis", &interim), [""; 0]);
    let done = send(&mut life, way, "2026-11-19T12:00:00+03:00", &last("2026-11-19"));
    assert_eq!(met(&effects, "final-analysis", &done), ["2026-11-19T08:00:00+03:00"], "10:00 in Yekaterinburg");
}

#[test]
fn m_10_databank_after_contract() {
    let (mut life, _) = begun(roles("model"));
    let way = ("databank-entry", "provider", "databank");
    may(&life, way);
    let entry = |life: &Life| {
        let letter = Letter {
            message: way.0,
            from: way.1,
            to: way.2,
            at: "2026-05-21T12:00:00+03:00",
            known: life.case.clone(),
            ..LETTER
        };
        letter.judge_among(&life.regulation, &calendars(), &life.people)
    };
    let fault = entry(&life).unwrap_err();
    assert_eq!(fault.code, FaultCode::StepMissing, "{}", fault.detail);
    contracted(&mut life, "provider", "2026-05-19T10:00:00+03:00", false);
    assert!(entry(&life).is_ok());
    assert_eq!(rules(&life, "M-10"), [], "a condition, no term");
    assert_eq!(life.regulation.preconditions[0].id, "databank-after-contract");
}

#[test]
fn m_11_until_18_is_off() {
    // The eighteenth birthday is a Saturday and stays there; who is of age already is not told of.
    let born = ["2008-08-01", "2000-01-01"];
    let (life, effects) = with_children(roles("model"), &born);
    assert_eq!(rules(&life, "M-11"), [("until-18", false)]);
    assert_eq!(owed(&life, &effects, "until-18"), [""; 0]);
    let (on, effects) = with_children(with("model", "until-18"), &born);
    assert_eq!(owed(&on, &effects, "until-18"), ["provider > citizen 1: 2026-08-01T23:59:59+03:00"]);
}

#[test]
fn m_12_programme_copies() {
    let (mut life, _) = begun(roles("model"));
    let effects = programme(&mut life, "working-group", "");
    assert_eq!(owed(&life, &effects, "programme-copies"), ["provider > employment employment: no date"]);
    assert_eq!(met(&effects, "programme-copies", &effects), [""; 0]);
    let copy = programme(&mut life, "employment", "");
    assert_eq!(met(&effects, "programme-copies", &copy), ["2026-05-18T12:00:00+03:00"]);
}

#[test]
fn m_13_daily_inspection() {
    let life = roles("model");
    assert_eq!(rules(&life, "M-13"), [], "nothing is sent to anybody");
    let outside = &life.regulation.outside[0];
    assert_eq!((outside.id.as_str(), outside.rows.as_slice()), ("daily-inspection", &["M-13".to_owned()][..]));
}

#[test]
fn m_14_terms_of_the_law() {
    let (mut life, effects) = begun(roles("model"));
    // Submitted on a Wednesday: 7, 8, 12, 13, 14 May; and 15, 18 to 21 May.
    assert_eq!(owed(&life, &effects, "decision"), ["uszn > citizen: 2026-05-14T23:59:59+03:00"]);
    assert_eq!(owed(&life, &effects, "programme"), ["uszn > citizen: 2026-05-21T23:59:59+03:00"]);
    let way = ("decision", "uszn", "provider");
    let decided = send(&mut life, way, "2026-05-12T12:00:00+03:00", DECISION);
    assert_eq!(met(&effects, "decision", &decided), ["2026-05-12T08:00:00+03:00"], "10:00 in Yekaterinburg");
    let refused = send(&mut life, way, "2026-05-12T13:00:00+03:00", &DECISION.replace("recognised", "refused"));
    let void = |c: &Cancel| matches!(c, Cancel::Key { rule, .. } if rule.as_str() == "programme");
    assert!(refused.cancel.iter().any(void));
    let body = approved(1, "2026-05-18T10:00:00+03:00", TERM, "");
    let way = ("programme", "uszn", "provider");
    let handed = send(&mut life, way, "2026-05-18T12:00:00+03:00", &body);
    assert_eq!(met(&effects, "programme", &handed), ["2026-05-18T10:00:00+03:00"]);
    // (handed over, due): a Monday; a Friday before three days off.
    let table = [
        ("2026-05-18T12:00:00+03:00", "2026-05-19T23:59:59+03:00"),
        ("2026-05-08T18:00:00+03:00", "2026-05-12T23:59:59+03:00"),
    ];
    for (at, due) in table {
        assert_eq!(handed_over(&life, &handed, "contract", at), [format!("provider > citizen: {due}")]);
    }
    let sent = contracted(&mut life, "provider", "2026-05-19T10:00:00+03:00", false);
    assert_eq!(met(&handed, "contract", &sent), ["2026-05-19T10:00:00+03:00"]);
}

#[test]
fn m_14_palliative_and_urgent_are_off() {
    let (life, effects) = begun(roles("model"));
    let off: Vec<_> = rules(&life, "M-14").into_iter().filter(|(_, on)| !on).map(|(id, _)| id).collect();
    assert_eq!(off, ["decision-palliative", "decision-urgent"]);
    // Two working days after a Wednesday; at once, with the hour of grace.
    let table = [
        ("decision-palliative", "palliative", "2026-05-08T23:59:59+03:00"),
        ("decision-urgent", "urgent", "2026-05-06T10:00:00+03:00"),
    ];
    for (rule, urgency, due) in table {
        assert_eq!(owed(&life, &effects, rule), [""; 0]);
        let (mut on, opened) = begun(with("model", rule));
        assert_eq!(owed(&on, &opened, rule), [format!("uszn > citizen: {due}")]);
        let body = DECISION.replace("ordinary", urgency);
        let decided = send(&mut on, ("decision", "uszn", "provider"), "2026-05-12T12:00:00+03:00", &body);
        assert_eq!(met(&opened, rule, &decided), ["2026-05-12T08:00:00+03:00"]);
    }
}
