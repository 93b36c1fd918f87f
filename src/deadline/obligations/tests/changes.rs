//! What the messages that change a case do to it, each by its published sample: curator, level, another territory.

use super::regions::{Life, programme};
use super::*;

const BEGUN: &str = "2026-05-18T12:00:00+03:00";

pub(super) fn sample(message: &str, name: &str) -> String {
    let files = crate::bundle::embedded();
    String::from_utf8(files[&format!("schemas/social/{message}/1/samples/{name}.xml")].clone()).unwrap()
}

/// What stands between the tags of the root element.
pub(super) fn inside(sample: &str) -> String {
    let (_, rest) = sample.split_once("\">\n").unwrap();
    rest.rsplit_once("</").unwrap().0.replace("c:", "")
}

fn level(level: &str, since: &str) -> String {
    format!(
        "<approvedAt>2026-05-18T09:00:00+03:00</approvedAt><level>{level}</level><levelSince>{since}</levelSince>\
         <curator><id>c-17</id><organisation>provider</organisation></curator>"
    )
}

fn dues(effects: &Effects, rule: &str) -> Vec<String> {
    let of = effects.open.iter().filter(|o| o.rule.as_str() == rule);
    of.map(|o| show_due(started(o).due, o.zone).get(..10).unwrap().to_owned()).collect()
}

/// A case of the model programme, on the crisis level since the 20th of May, with the curator c-17.
fn begun() -> (Life, String) {
    let mut life = Life::of("model");
    let application = application("2026-05-06T10:00:00+05:00", &[]);
    life.send(("application", "register", "register"), "2026-05-06T12:00:00+03:00", &application);
    let body = programme("approved", &level("crisis", "2026-05-20"));
    let effects = life.send(("programme", "register", "register"), BEGUN, &body);
    assert_eq!(dues(&effects, "level"), ["2026-11-20"]);
    (life, body)
}

#[test]
fn another_level_counts_from_its_own_day() {
    let (mut life, programme) = begun();
    let way = ("level-change", "register", "register");
    let effects = life.send(way, "2026-08-12T12:00:00+05:00", &inside(&sample("level-change", "minimal")));
    let facts = || life.case.as_ref().unwrap().facts.clone();
    assert_eq!(
        (facts().level.as_deref(), facts().level_since.unwrap().to_string()),
        (Some("basic"), "2026-08-13".into())
    );
    assert_eq!(dues(&effects, "level"), ["2027-08-13"]);

    // A copy of the programme that goes out later neither brings the old level back nor counts it.
    let effects = life.send(("programme", "register", "guardianship"), "2026-08-14T12:00:00+05:00", &programme);
    assert_eq!(life.case.as_ref().unwrap().facts.level.as_deref(), Some("basic"));
    assert_eq!(dues(&effects, "level"), [""; 0]);

    // Nor does a decision that was taken before this one.
    let older = inside(&sample("level-change", "to-emergency-rich"));
    let effects = life.send(way, "2026-08-15T12:00:00+05:00", &older);
    assert_eq!(life.case.as_ref().unwrap().facts.level.as_deref(), Some("basic"));
    assert_eq!(dues(&effects, "level"), [""; 0]);
}

#[test]
fn the_curator_is_whom_the_latest_order_names() {
    let (mut life, programme) = begun();
    let way = ("curator", "register", "register");
    life.send(way, "2026-08-17T09:00:00+05:00", &inside(&sample("curator", "changed-rich")));
    let curator = |life: &Life| life.case.as_ref().unwrap().facts.curator.clone();
    assert_eq!(curator(&life).as_deref(), Some("c-21"));
    assert!(life.case.as_ref().unwrap().facts.steps.contains_key("curator"));
    life.send(way, "2026-08-18T09:00:00+05:00", &inside(&sample("curator", "minimal")));
    assert_eq!(curator(&life).as_deref(), Some("c-21"), "an older order that comes late");
    life.send(("programme", "register", "guardianship"), "2026-08-19T12:00:00+05:00", &programme);
    assert_eq!(curator(&life).as_deref(), Some("c-21"), "a copy of the programme");
    let next = programme.replace("<version>1<", "<version>2<").replace("2026-05-18T09", "2026-08-20T09");
    life.send(("programme", "register", "register"), "2026-08-20T12:00:00+05:00", &next);
    assert_eq!(curator(&life).as_deref(), Some("c-17"), "a newer programme names another again");
}

#[test]
fn a_case_is_handed_over_to_who_serves_the_other_territory() {
    for (id, rule) in [("yugra", "document-answer"), ("model", "document-answer"), ("smolensk", "accompaniment-end")] {
        let mut life = Life::of(id);
        assert!(life.regulation.rules.iter().any(|r| r.id.as_str() == rule), "{id}");
        life.people.iter_mut().for_each(|p| {
            p.roles.iter_mut().for_each(|held| held.territories = vec![Oktmo::parse("71876000").unwrap()]);
        });
        let zone = life.regulation.zone.to_string();
        let mut other = participant("other", &["provider"], &zone);
        other.regulation = id.to_owned();
        other.roles.iter_mut().for_each(|held| held.territories = vec![Oktmo::parse("71874000").unwrap()]);
        life.people.push(other);
        let begin = application("2026-05-06T10:00:00+05:00", &[]);
        life.send(("application", "register", "register"), "2026-05-06T12:00:00+05:00", &begin);

        // The regulation lets it pass, although the other serves no territory of the case; of nothing else it does.
        let who = |who: &str| life.people.iter().find(|p| p.id.as_str() == who).unwrap().clone();
        let (from, to) = (who("register"), who("other"));
        let passes = |message: &str, from: &Participant, to: &Participant| {
            let here = Oktmo::parse("71876000").unwrap();
            life.regulation.allows(&MessageType::new(message, 1).unwrap(), from, to, Some(&here))
        };
        assert!(passes("case-handover", &from, &to) && !passes("application", &from, &to), "{id}");
        assert!(!passes("case-handover", &to, &from), "{id}: a case is not taken, it is given");

        let body = inside(&sample("case-handover", "minimal"));
        let letter = Letter { message: "case-handover", body: &body, at: "2026-09-02T15:00:00+05:00", ..LETTER };
        let back = Letter { from: "register", to: "register", known: life.case.clone(), ..letter };
        let fault = back.judge_among(&life.regulation, &calendars(), &life.people).unwrap_err();
        assert_eq!(fault.code, FaultCode::ContentInvalid, "{id}: to somebody who does not serve it");
        assert!(fault.detail.contains("another territory"), "{fault}");

        let effects = life.send(("case-handover", "register", "other"), "2026-09-02T15:00:00+05:00", &body);
        assert_eq!(life.case.as_ref().unwrap().territory.as_str(), "71874000", "{id}");
        let moved: Vec<_> = effects.rebind.iter().map(|r| (r.role.as_str(), r.holder.as_str())).collect();
        assert_eq!(moved, [("provider", "other")], "{id}");
    }
}

/// Which of a rule's obligations a letter opens, and which it meets, as debtor, creditor and subject.
fn of(effects: &Effects, rule: &str) -> (Vec<String>, Vec<String>) {
    let to = |o: &NewObligation| o.creditor.as_ref().map_or("citizen".to_owned(), ToString::to_string);
    let opened = effects.open.iter().filter(|o| o.rule.as_str() == rule);
    let met = effects.settle.iter().filter(|s| s.rule.as_str() == rule);
    (
        opened.map(|o| format!("{} > {} {}", o.debtor, to(o), o.subject)).collect(),
        met.map(|s| format!("{} {}", s.debtor, s.subject)).collect(),
    )
}

#[test]
fn a_question_without_a_case_is_a_task_of_the_one_who_is_asked() {
    for (id, rule, asked, (question, body), answer) in [
        ("yugra", "information-answer", "education", ("information-request", "minimal"), "information-response"),
        ("model", "databank-answer", "databank", ("databank-query", "minimal"), "databank-answer"),
    ] {
        let life = Life::of(id);
        let asked =
            life.people.iter().find(|p| p.roles.iter().any(|r| r.role.as_str() == asked)).unwrap().id.to_string();
        let judge = |letter: Letter<'_>| letter.judge_among(&life.regulation, &calendars(), &life.people).unwrap();
        let at = "2026-06-08T12:00:00+05:00";
        let body = inside(&sample(question, body));
        let effects = judge(Letter { message: question, to: &asked, body: &body, at, case: false, ..LETTER });
        let (opened, _) = of(&effects, rule);
        assert_eq!(opened, [format!("{asked} > register register/{REQUEST}")], "{id}");
        let body = inside(&sample(answer, "minimal"));
        let at = "2026-06-12T12:00:00+05:00";
        let reply = Letter { message: answer, from: &asked, to: "register", body: &body, at, ..LETTER };
        let effects = judge(Letter { case: false, reply: true, ..reply });
        assert_eq!(of(&effects, rule).1, [format!("{asked} register/{REQUEST}")], "{id}");
    }
}

#[test]
fn what_the_citizen_asks_to_end_waits_for_a_decision() {
    for (id, rule, message, body) in [
        ("smolensk", "termination-answer", "termination-request", "minimal"),
        ("model", "refusal-decision", "family-refusal", "minimal"),
    ] {
        let mut life = Life::of(id);
        let begin = application("2026-04-30T10:00:00+05:00", &[]).replace("2026-05-06T04", "2026-04-30T04");
        life.send(("application", "register", "register"), "2026-05-06T12:00:00+05:00", &begin);
        let (way, at) = ((message, "register", "register"), "2026-08-18T12:00:00+05:00");
        let effects = life.send(way, at, &inside(&sample(message, body)));
        let (opened, _) = of(&effects, rule);
        assert_eq!(opened, [format!("register > citizen {CASE}")], "{id}");
        let ended = super::regions::termination("2026-08-20");
        let effects = life.send(("termination", "register", "register"), "2026-08-20T12:00:00+05:00", &ended);
        assert_eq!(of(&effects, rule).1, [format!("register {CASE}")], "{id}");
    }
    // Single measures may be refused without an end of the accompaniment.
    let (mut life, _) = begun();
    let body = inside(&sample("family-refusal", "of-measures-rich"));
    let effects = life.send(("family-refusal", "register", "register"), "2026-07-02T12:00:00+05:00", &body);
    assert_eq!(of(&effects, "refusal-decision").0, [""; 0]);
}

#[test]
fn nothing_is_asked_or_filled_in_in_the_future() {
    for (id, message, field) in [
        ("model", "databank-query", "askedAt"),
        ("model", "databank-answer", "answeredAt"),
        ("model", "consent", "registeredAt"),
        ("yugra", "proposal", "proposedAt"),
        ("yugra", "statistics", "preparedAt"),
        ("smolensk", "termination-request", "filledOn"),
    ] {
        let (life, body) = (Life::of(id), inside(&sample(message, "minimal")));
        let letter = Letter { message, body: &body, at: "2026-05-01T12:00:00+05:00", ..LETTER };
        let fault = letter.judge_among(&life.regulation, &calendars(), &life.people).unwrap_err();
        assert_eq!(fault.code, FaultCode::ContentInvalid, "{message}");
        assert!(fault.detail.contains(&format!("`{field}` lies in the future")), "{message}: {fault}");
    }
}

#[test]
fn consent_is_withdrawn_after_the_end_too() {
    for id in ["yugra", "model", "smolensk"] {
        let mut life = Life::of(id);
        let begin = application("2026-05-06T10:00:00+05:00", &[]);
        life.send(("application", "register", "register"), "2026-05-06T12:00:00+05:00", &begin);
        let ended = super::regions::termination("2026-06-20");
        life.send(("termination", "register", "register"), "2026-06-20T12:00:00+05:00", &ended);
        assert!(life.case.as_ref().unwrap().facts.is_closed(), "{id}");
        let body = inside(&sample("consent", "withdrawn"));
        life.send(("consent", "register", "health"), "2026-07-01T12:00:00+05:00", &body);
    }
}
