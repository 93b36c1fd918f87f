//! Rows Y-01 to Y-19.

use super::super::regions::{DECISION, INTERIM, last, notice, termination};
use super::*;

const REGISTER: (&str, &str, &str) = ("application", "uszn", "uszn");
const TERM: (&str, &str) = ("2026-05-20", "2026-11-19");

fn begun() -> (Life, Effects) {
    let mut life = roles("yugra");
    let body = application("2026-05-06T10:00:00+05:00", "2026-05-06T11:00:00+05:00", &[]);
    let effects = send(&mut life, REGISTER, "2026-05-06T12:00:00+05:00", &body);
    (life, effects)
}

fn programme(life: &mut Life, to: &str, body: &str) -> Effects {
    send(life, ("programme", "uszn", to), "2026-05-18T12:00:00+05:00", body)
}

#[test]
fn y_01_identification_notice() {
    // (found, due): a Wednesday, the third day is a holiday Saturday and Monday is a day off too; a Thursday; a Monday.
    let table = [
        ("2026-05-06T11:00:00+05:00", "2026-05-12T23:59:59+05:00"),
        ("2026-05-14T23:30:00+05:00", "2026-05-18T23:59:59+05:00"),
        ("2026-05-18T00:10:00+05:00", "2026-05-21T23:59:59+05:00"),
    ];
    for (found, due) in table {
        let body = notice("normal").replace("2026-05-06T11:00:00+05:00", found);
        let mut life = roles("yugra");
        let effects =
            send(&mut life, ("identification-notice", "education", "uszn"), "2026-05-19T10:00:00+05:00", &body);
        assert_eq!(owed(&life, &effects, "identification-notice"), [format!("education > uszn education: {due}")]);
        assert_eq!(met(&effects, "identification-notice", &effects), ["2026-05-19T10:00:00+05:00"], "it meets itself");
        assert_eq!(effects.open.len(), 1);
    }
}

#[test]
fn y_02_emergency_notice() {
    // In the night to a Sunday of the New Year holidays.
    let body = notice("emergency").replace("2026-05-06T11:00:00+05:00", "2026-01-04T03:20:00+05:00");
    let mut life = roles("yugra");
    let effects = send(&mut life, ("identification-notice", "health", "uszn"), "2026-01-04T03:45:00+05:00", &body);
    assert_eq!(owed(&life, &effects, "identification-emergency"), ["health > uszn health: 2026-01-04T04:20:00+05:00"]);
    let running = started(of(&effects, "identification-emergency")[0]);
    assert_eq!(local(running.started_at), "2026-01-04T03:20:00+05:00", "the term is the event; the hour is the grace");
    assert_eq!(met(&effects, "identification-emergency", &effects), ["2026-01-04T03:45:00+05:00"]);
    assert_eq!(effects.open.len(), 1, "not the three days too");
    let rule = life.regulation.rule(&RuleId::parse("identification-emergency").unwrap()).unwrap();
    assert!(rule.round_the_clock);
}

#[test]
fn y_03_document_request() {
    // (registered, due): a Friday before three days off; a Thursday.
    let table = [
        ("2026-05-08T11:00:00+05:00", "2026-05-12T23:59:59+05:00"),
        ("2026-05-07T11:00:00+05:00", "2026-05-08T23:59:59+05:00"),
    ];
    for (registered, due) in table {
        let mut life = roles("yugra");
        let body = application("2026-05-06T10:00:00+05:00", registered, &[]);
        let effects = send(&mut life, REGISTER, "2026-05-08T12:00:00+05:00", &body);
        // What the citizen brought is not asked for.
        assert_eq!(owed(&life, &effects, "document-request"), [format!("uszn > health health: {due}")]);
        let wanted = "<wanted><document><kind>extract</kind></document></wanted>";
        let other = send(&mut life, ("document-request", "uszn", "police"), "2026-05-08T13:00:00+05:00", wanted);
        assert_eq!(met(&effects, "document-request", &other), [""; 0]);
        let asked = send(&mut life, ("document-request", "uszn", "health"), "2026-05-08T14:00:00+05:00", wanted);
        assert_eq!(met(&effects, "document-request", &asked), ["2026-05-08T14:00:00+05:00"]);
    }
}

#[test]
fn y_04_referral() {
    // (submitted, due): a Wednesday; a Friday before three days off.
    let table = [
        ("2026-05-06T10:00:00+05:00", "2026-05-07T23:59:59+05:00"),
        ("2026-05-08T10:00:00+05:00", "2026-05-12T23:59:59+05:00"),
    ];
    for (submitted, due) in table {
        let mut life = roles("yugra");
        let body = application(submitted, submitted, &[]);
        let effects = send(&mut life, REGISTER, "2026-05-08T12:00:00+05:00", &body);
        assert_eq!(owed(&life, &effects, "referral"), [format!("uszn > provider: {due}")]);
        assert_eq!(met(&effects, "referral", &effects), [""; 0], "registering it passes it to nobody");
        let passed = send(&mut life, ("application", "uszn", "provider"), "2026-05-12T10:00:00+05:00", &body);
        assert_eq!(met(&effects, "referral", &passed), ["2026-05-12T10:00:00+05:00"]);
    }
}

#[test]
fn y_05_assessment() {
    let (mut life, registered) = begun();
    assert_eq!(owed(&life, &registered, "assessment"), [""; 0], "the provider knows nothing yet");
    let body = application("2026-05-06T10:00:00+05:00", "2026-05-06T11:00:00+05:00", &[]);
    let effects = send(&mut life, ("application", "uszn", "provider"), "2026-05-06T13:00:00+05:00", &body);
    assert_eq!(owed(&life, &effects, "assessment"), ["provider > uszn: from the handing over"]);
    // Handed over on a Wednesday: Thursday, Friday, and after three days off Tuesday. On a Friday: Tuesday to Thursday.
    let table = [
        ("2026-05-06T13:00:05+05:00", "2026-05-12T23:59:59+05:00"),
        ("2026-05-08T18:00:00+05:00", "2026-05-14T23:59:59+05:00"),
    ];
    for (handed, due) in table {
        assert_eq!(handed_over(&life, &effects, "assessment", handed), [format!("provider > uszn: {due}")]);
    }
    let acts = "<assessedAt>2026-05-08T10:00:00+05:00</assessedAt>";
    let sent = send(&mut life, ("needs-assessment", "provider", "uszn"), "2026-05-08T12:00:00+05:00", acts);
    assert_eq!(met(&effects, "assessment", &sent), ["2026-05-08T12:00:00+05:00"], "sent, not assessed");
}

#[test]
fn y_06_papers_have_no_term_of_their_own() {
    let (mut life, _) = begun();
    assert_eq!(rules(&life, "Y-06"), [("assessment", true)]);
    let acts = "<assessedAt>2026-05-08T10:00:00+05:00</assessedAt>";
    let sent = send(&mut life, ("needs-assessment", "provider", "uszn"), "2026-05-08T12:00:00+05:00", acts);
    assert_eq!(sent.open, []);
}

#[test]
fn y_07_decision() {
    let mut life = roles("yugra");
    // Submitted on a Wednesday: 7, 8, 12, 13, 14 May. The later registration does not matter.
    let body = application("2026-05-06T10:00:00+05:00", "2026-05-08T11:00:00+05:00", &[]);
    let effects = send(&mut life, REGISTER, "2026-05-08T12:00:00+05:00", &body);
    assert_eq!(owed(&life, &effects, "decision"), ["commission > citizen: 2026-05-14T23:59:59+05:00"]);
    let decided = send(&mut life, ("decision", "commission", "uszn"), "2026-05-12T12:00:00+05:00", DECISION);
    assert_eq!(met(&effects, "decision", &decided), ["2026-05-12T10:00:00+05:00"], "as of the decision");
}

#[test]
fn y_07_decision_notice() {
    let (mut life, effects) = begun();
    assert_eq!(owed(&life, &effects, "decision-notice"), ["commission > citizen: 2026-05-14T23:59:59+05:00"]);
    let way = ("decision", "commission", "uszn");
    let decided = send(&mut life, way, "2026-05-12T12:00:00+05:00", DECISION);
    assert_eq!(met(&effects, "decision-notice", &decided), [""; 0], "the citizen was told nothing yet");
    let informed = DECISION.replace("<urgency>", "<informedAt>2026-05-13T10:00:00+05:00</informedAt><urgency>");
    let told = send(&mut life, way, "2026-05-13T12:00:00+05:00", &informed);
    assert_eq!(met(&effects, "decision-notice", &told), ["2026-05-13T10:00:00+05:00"]);
}

#[test]
fn y_07_palliative_and_urgent_are_off() {
    let (life, effects) = begun();
    let expected =
        [("decision", true), ("decision-notice", true), ("decision-palliative", false), ("decision-urgent", false)];
    assert_eq!(rules(&life, "Y-07"), expected);
    // Two working days after a Wednesday; at once, with the hour of grace.
    let table = [
        ("decision-palliative", "palliative", "2026-05-08T23:59:59+05:00"),
        ("decision-urgent", "urgent", "2026-05-06T11:00:00+05:00"),
    ];
    for (rule, urgency, due) in table {
        assert_eq!(owed(&life, &effects, rule), [""; 0]);
        let mut on = with("yugra", rule);
        let body = application("2026-05-06T10:00:00+05:00", "2026-05-06T11:00:00+05:00", &[]);
        let opened = send(&mut on, REGISTER, "2026-05-06T12:00:00+05:00", &body);
        assert_eq!(owed(&on, &opened, rule), [format!("commission > citizen: {due}")]);
        let way = ("decision", "commission", "uszn");
        let ordinary = send(&mut on, way, "2026-05-12T12:00:00+05:00", DECISION);
        assert_eq!(met(&opened, rule, &ordinary), [""; 0]);
        let decided = send(&mut on, way, "2026-05-12T12:00:00+05:00", &DECISION.replace("ordinary", urgency));
        assert_eq!(met(&opened, rule, &decided), ["2026-05-12T10:00:00+05:00"]);
    }
}

#[test]
fn y_08_draft_programme() {
    let (mut life, _) = begun();
    // (decided, due): a Friday before three days off; a Tuesday.
    let table = [
        ("2026-05-08T10:00:00+05:00", "2026-05-12T23:59:59+05:00"),
        ("2026-05-12T10:00:00+05:00", "2026-05-13T23:59:59+05:00"),
    ];
    let way = ("decision", "commission", "uszn");
    for (decided, due) in table {
        let body = DECISION.replace("2026-05-12T10:00:00+05:00", decided);
        let effects = send(&mut life, way, "2026-05-12T12:00:00+05:00", &body);
        assert_eq!(owed(&life, &effects, "draft-programme"), [format!("uszn > working-group: {due}")]);
        let draft = regions::programme("draft", "");
        let sent = send(&mut life, ("programme", "uszn", "working-group"), "2026-05-12T13:00:00+05:00", &draft);
        assert_eq!(met(&effects, "draft-programme", &sent), ["2026-05-12T13:00:00+05:00"]);
    }
    for other in [DECISION.replace("recognised", "refused"), DECISION.replace(">true<", ">false<")] {
        let effects = send(&mut life, way, "2026-05-12T12:00:00+05:00", &other);
        assert_eq!(owed(&life, &effects, "draft-programme"), [""; 0]);
    }
}

#[test]
fn y_09_programme() {
    let (mut life, effects) = begun();
    // 7, 8, 12 to 15, 18 to 21 May.
    assert_eq!(owed(&life, &effects, "programme"), ["uszn > citizen: 2026-05-21T23:59:59+05:00"]);
    let refused = send(
        &mut life,
        ("decision", "uszn", "commission"),
        "2026-05-12T12:00:00+05:00",
        &DECISION.replace("recognised", "refused"),
    );
    let void =
        |c: &Cancel| matches!(c, Cancel::Key { rule, subject, .. } if rule.as_str() == "programme" && subject == CASE);
    assert!(refused.cancel.iter().any(void), "a refusal wants no programme: {:?}", refused.cancel);
    let draft = programme(&mut life, "working-group", &regions::programme("draft", ""));
    assert_eq!(met(&effects, "programme", &draft), [""; 0]);
    let body = approved(1, "2026-05-18T10:00:00+05:00", TERM, "");
    let done = programme(&mut life, "provider", &body);
    assert_eq!(met(&effects, "programme", &done), ["2026-05-18T10:00:00+05:00"]);
}

#[test]
fn y_10_programme_copies() {
    let (mut life, _) = begun();
    let body = approved(1, "2026-05-18T10:00:00+05:00", TERM, "");
    let effects = programme(&mut life, "provider", &body);
    // The measure of an organisation outside of the exchange opens nothing.
    assert_eq!(owed(&life, &effects, "programme-copies"), ["uszn > employment employment: no date"]);
    assert_eq!(met(&effects, "programme-copies", &effects), [""; 0]);
    let copy = programme(&mut life, "employment", &body);
    assert_eq!(met(&effects, "programme-copies", &copy), ["2026-05-18T12:00:00+05:00"]);
}

#[test]
fn y_11_contract() {
    let (mut life, _) = begun();
    let body = approved(1, "2026-05-08T10:00:00+05:00", TERM, "");
    let group = programme(&mut life, "working-group", &body);
    assert_eq!(owed(&life, &group, "contract"), [""; 0], "the provider has not got it yet");
    let effects = programme(&mut life, "provider", &body);
    // (handed over, due): a Friday before three days off; a Monday.
    let table = [
        ("2026-05-08T18:00:00+05:00", "2026-05-12T23:59:59+05:00"),
        ("2026-05-18T12:00:00+05:00", "2026-05-19T23:59:59+05:00"),
    ];
    for (handed, due) in table {
        assert_eq!(handed_over(&life, &effects, "contract", handed), [format!("provider > citizen: {due}")]);
    }
    let running =
        start_pending(pending(of(&effects, "contract")[0]), &calendars(), instant("2026-05-18T12:00:00+05:00"))
            .unwrap();
    assert_eq!(
        running.warns.iter().map(|at| local(*at)).collect::<Vec<_>>(),
        ["2026-05-19T12:00:00+05:00"],
        "24 hours warn"
    );
    let signed = contract("2026-05-19T10:00:00+05:00", TERM, false);
    let sent = send(&mut life, ("contract", "provider", "uszn"), "2026-05-19T12:00:00+05:00", &signed);
    assert_eq!(met(&effects, "contract", &sent), ["2026-05-19T10:00:00+05:00"]);
}

#[test]
fn y_12_progress_report() {
    let (mut life, _) = begun();
    let effects = programme(&mut life, "provider", &approved(1, "2026-05-18T10:00:00+05:00", TERM, ""));
    let months = scheduled(&life, &effects, "progress-report", "2026-07-01T10:00:00+05:00");
    // The 5th of June is a Friday, of July a Sunday, of August a Wednesday.
    let expected = [
        "employment > provider employment 2026-05: 2026-06-05T23:59:59+05:00",
        "employment > provider employment 2026-06: 2026-07-06T23:59:59+05:00",
        "employment > provider employment 2026-07: 2026-08-05T23:59:59+05:00",
    ];
    assert_eq!(owed(&life, &months, "progress-report"), expected);
    let june = ["2026-07-03T09:00:00+05:00", "2026-07-04T09:00:00+05:00"];
    assert!(june.iter().all(|at| warned(&months, "progress-report").iter().any(|w| w == at)));
    let body = format!("<period>2026-06</period><cases><case><caseId>{CASE}</caseId></case></cases>");
    let sent = send(&mut life, ("progress-report", "employment", "provider"), "2026-07-03T12:00:00+05:00", &body);
    assert_eq!(met(&months, "progress-report", &sent), ["2026-07-03T12:00:00+05:00"], "its month only");
    departments_of_activities();
}

/// Every department of activities owes its measure and its report like the others.
fn departments_of_activities() {
    for role in ["culture", "sport", "transport", "internal-policy", "information-technology", "public-relations"] {
        let (mut life, _) = begun();
        let body = approved(1, "2026-05-18T10:00:00+05:00", TERM, "").replace("employment", role);
        let effects = programme(&mut life, role, &body);
        assert_eq!(of(&effects, "measure").iter().map(|o| o.debtor.as_str()).collect::<Vec<_>>(), [role]);
        let copy = owed(&life, &effects, "programme-copies");
        assert_eq!(copy, [format!("uszn > {role} {role}: no date")]);
        assert_eq!(met(&effects, "programme-copies", &effects), ["2026-05-18T12:00:00+05:00"]);
        let months = scheduled(&life, &effects, "progress-report", "2026-06-01T10:00:00+05:00");
        let report = owed(&life, &months, "progress-report");
        assert_eq!(report[0], format!("{role} > provider {role} 2026-05: 2026-06-05T23:59:59+05:00"));
        let body = format!("<period>2026-05</period><cases><case><caseId>{CASE}</caseId></case></cases>");
        let sent = send(&mut life, ("progress-report", role, "provider"), "2026-06-03T12:00:00+05:00", &body);
        assert_eq!(met(&months, "progress-report", &sent), ["2026-06-03T12:00:00+05:00"]);
    }
}

#[test]
fn y_13_limit_of_six_months() {
    let (mut life, _) = begun();
    // From a Friday; the six months end on a Sunday and stay there.
    let body = contract("2026-05-19T10:00:00+05:00", ("2026-05-22", "2026-12-31"), false);
    let effects = send(&mut life, ("contract", "provider", "uszn"), "2026-05-19T12:00:00+05:00", &body);
    let facts = &life.case.as_ref().unwrap().facts;
    let day = |text: &str| text.parse().ok();
    assert_eq!((facts.ends_on, facts.stated_ends_on), (day("2026-11-22"), day("2026-12-31")));
    assert!(effects.flags.iter().any(|flag| flag.code == "beyond-limit"), "{:?}", effects.flags);
}

#[test]
fn y_14_extension_to_a_year() {
    let (mut life, _) = begun();
    let body = contract("2026-05-19T10:00:00+05:00", TERM, false);
    send(&mut life, ("contract", "provider", "uszn"), "2026-05-19T12:00:00+05:00", &body);
    let way = ("extension", "working-group", "uszn");
    let extension = |ends: &str, wish: &str| {
        format!(
            "<number>1</number><decidedAt>2026-11-02T10:00:00+05:00</decidedAt><endsOn>{ends}</endsOn>{wish}\
             <groupDecision><date>2026-11-02</date></groupDecision>"
        )
    };
    let day = |text: &str| text.parse::<chrono::NaiveDate>().ok();
    let ends = |life: &Life| life.case.as_ref().unwrap().facts.ends_on;
    let wish = "<wish><date>2026-10-30</date></wish>";
    // Without the written wish: told, and the limit of six months stays.
    let effects = send(&mut life, way, "2026-11-02T12:00:00+05:00", &extension("2027-05-19", ""));
    assert!(effects.flags.iter().any(|flag| flag.code == "extension-without-ground"));
    assert!(ends(&life) <= day("2026-11-20"), "{:?}", ends(&life));
    // A year in all, not a year more.
    let body = extension("2027-11-19", wish);
    let letter = Letter {
        message: way.0,
        from: way.1,
        to: way.2,
        body: &body,
        at: "2026-11-02T12:00:00+05:00",
        known: life.case.clone(),
        ..LETTER
    };
    let fault = letter.judge_among(&life.regulation, &calendars(), &life.people).unwrap_err();
    assert_eq!(fault.code, FaultCode::ContentInvalid, "{}", fault.detail);
    send(&mut life, way, "2026-11-02T12:00:00+05:00", &extension("2027-05-19", wish));
    assert_eq!(ends(&life), day("2027-05-19"));
}

#[test]
fn y_15_interim_assessment() {
    let (mut life, _) = begun();
    // (begins, due): a Thursday; a Saturday, so the Monday after.
    for (begins, due) in [("2026-05-20", "2026-08-20T23:59:59+05:00"), ("2026-05-22", "2026-08-24T23:59:59+05:00")] {
        let body = contract("2026-05-19T10:00:00+05:00", (begins, "2026-11-19"), false);
        let effects = send(&mut life, ("contract", "provider", "uszn"), "2026-05-19T12:00:00+05:00", &body);
        assert_eq!(owed(&life, &effects, "interim-assessment"), [format!("provider > working-group: {due}")]);
        let mut later =
            Life { regulation: life.regulation.clone(), people: life.people.clone(), case: life.case.clone() };
        let way = ("effectiveness-assessment", "provider", "working-group");
        let done = send(&mut later, way, "2026-08-19T12:00:00+05:00", INTERIM);
        assert_eq!(met(&effects, "interim-assessment", &done), ["2026-08-19T10:00:00+05:00"]);
        let done = send(&mut later, way, "2026-08-20T12:00:00+05:00", &last("2026-08-20"));
        assert_eq!(met(&effects, "interim-assessment", &done), [""; 0], "the last one is another");
    }
}

#[test]
fn y_15_after_an_extension_is_off() {
    let life = roles("yugra");
    assert_eq!(rules(&life, "Y-15"), [("interim-assessment", true), ("interim-assessment-extended", false)]);
    let body = contract("2026-05-19T10:00:00+05:00", TERM, false);
    // Decided on 2 November: the 2nd of February is a Tuesday.
    let expected = vec!["provider > working-group: 2027-02-02T23:59:59+05:00".to_owned()];
    for (mut life, expected) in [(life, Vec::new()), (with("yugra", "interim-assessment-extended"), expected)] {
        send(&mut life, ("contract", "provider", "uszn"), "2026-05-19T12:00:00+05:00", &body);
        let way = ("extension", "working-group", "provider");
        let effects = send(&mut life, way, "2026-11-02T12:00:00+05:00", regions::EXTENSION);
        assert_eq!(owed(&life, &effects, "interim-assessment-extended"), expected);
    }
}

#[test]
fn y_16_monitoring_before_the_end() {
    let rule = "monitoring-before-end";
    let (mut life, _) = begun();
    // (end, due): two weeks before is a Thursday; a holiday Wednesday, so the day before.
    for (ends, due) in [("2026-11-19", "2026-11-05T23:59:59+05:00"), ("2026-11-18", "2026-11-03T23:59:59+05:00")] {
        let body = contract("2026-05-19T10:00:00+05:00", ("2026-05-20", ends), false);
        let effects = send(&mut life, ("contract", "provider", "uszn"), "2026-05-19T12:00:00+05:00", &body);
        assert_eq!(owed(&life, &effects, rule), [format!("working-group > citizen: {due}")]);
    }
    let way = ("extension", "working-group", "provider");
    let moved = send(&mut life, way, "2026-11-02T12:00:00+05:00", regions::EXTENSION);
    assert_eq!(
        owed(&life, &moved, rule),
        ["working-group > citizen: 2027-05-05T23:59:59+05:00"],
        "it moves with the end"
    );
    let way = ("effectiveness-assessment", "working-group", "provider");
    let done = send(&mut life, way, "2027-04-19T12:00:00+05:00", &last("2027-04-19"));
    assert_eq!(met(&moved, rule, &done), ["2027-04-19T10:00:00+05:00"]);
    let way = ("termination", "working-group", "provider");
    let ended = send(&mut life, way, "2027-05-04T12:00:00+05:00", &termination("2027-05-04"));
    assert_eq!(met(&moved, rule, &ended), ["2027-05-04T10:00:00+05:00"]);
}

#[test]
fn y_17_revision() {
    let (mut life, _) = begun();
    let first = programme(&mut life, "provider", &approved(1, "2026-05-18T10:00:00+05:00", TERM, ""));
    assert_eq!(owed(&life, &first, "programme-revision"), ["uszn > citizen: 2029-05-18T23:59:59+05:00"]);
    assert_eq!(warned(&first, "programme-revision"), ["2029-03-18T09:00:00+05:00", "2029-05-04T09:00:00+05:00"]);
    // A new version is the revision; its third year ends on a Sunday and stays there.
    let body = approved(2, "2026-05-20T10:00:00+05:00", TERM, "");
    let second = send(&mut life, ("programme", "uszn", "provider"), "2026-05-20T12:00:00+05:00", &body);
    assert_eq!(owed(&life, &second, "programme-revision"), ["uszn > citizen: 2029-05-20T23:59:59+05:00"]);
    assert!(of(&second, "programme-revision")[0].retime);
}

#[test]
fn y_18_yearly_summary() {
    let mut life = roles("yugra");
    let year = periods(&life, "yearly-summary", "2026-03-01T10:00:00+05:00");
    assert_eq!(owed(&life, &year, "yearly-summary"), ["department > working-group 2026: no date"]);
    let way = ("yearly-summary", "department", "working-group");
    may(&life, way);
    let letter = Letter {
        message: way.0,
        from: way.1,
        to: way.2,
        body: "<year>2026</year>",
        at: "2027-02-01T10:00:00+05:00",
        case: false,
        ..LETTER
    };
    let sent = letter.judge_among(&life.regulation, &calendars(), &life.people).unwrap();
    assert_eq!(met(&year, "yearly-summary", &sent), ["2027-02-01T10:00:00+05:00"]);
    let before = life.send(way, "2027-02-01T10:00:00+05:00", "<year>2025</year>");
    assert_eq!(met(&year, "yearly-summary", &before), [""; 0], "another year");
}

#[test]
fn y_19_keeping_the_original() {
    let life = roles("yugra");
    assert_eq!(rules(&life, "Y-19"), [], "nobody owes a message");
    let kept = &life.regulation.retentions[0];
    assert_eq!(
        (kept.id.as_str(), kept.event.as_str(), kept.rows.as_slice()),
        ("programme-original", "case ends", &["Y-19".to_owned()][..])
    );
}
