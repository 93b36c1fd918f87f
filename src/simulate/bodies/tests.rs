use super::*;
use crate::bundle;
use crate::deadline::Month;
use crate::domain::{MessageId, ParticipantId};
use crate::schema::Catalogue;

fn card(child: bool) -> Card {
    let mut draw = Draw::new(1, "test", 1);
    Card {
        number: 17,
        id: CaseId::parse("01931f6e-7a00-7000-8000-00000000ca5e").unwrap(),
        territory: "99100000",
        category: "family-large",
        person: Person::draw(&mut draw, 34, (1950, 1990)),
        child: child.then(|| Person::draw(&mut draw, 35, (2007, 2022))),
    }
}

fn programme_of(approved: Option<Timestamp>, today: NaiveDate) -> Programme {
    let id = ParticipantId::parse("health-1").unwrap();
    let measure = |number, responsible| Measure { number, help: "medical", responsible, begins: today, due: today };
    Programme {
        version: 1,
        approved,
        begins: today,
        ends: today,
        level: Level { code: "crisis", since: today },
        curator: ("kurator-1".to_owned(), id.clone()),
        substitute: true,
        measures: vec![measure(1, Some(id)), measure(2, None)],
    }
}

/// Every body that is ever sent fits its schema and what a schema cannot say.
#[test]
fn every_body_fits_its_schema() {
    let catalogue = Catalogue::from_files(&bundle::embedded()).unwrap();
    let now = Timestamp::parse("2026-05-06T09:00:00+05:00").unwrap();
    let (today, month) = (NaiveDate::from_ymd_opt(2026, 5, 6).unwrap(), Month::parse("2026-05").unwrap());
    let (one, family) = (card(false), card(true));
    let documents = [("study-certificate".to_owned(), "education".to_owned(), true)];
    let kinds = ["study-certificate".to_owned()];
    let request_id = MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap();
    let decided = |recognised| Decision { at: now, urgency: "urgent", recognised };
    let signed = Contract { signed: now, begins: today, ends: today, substitute: true };
    let longer = |grounds| Extension { decided: now, ends: today, grounds };
    let ended = Termination { decided: now, ends: today, ground: "citizen-wish" };
    let bodies = [
        ("identification-notice", identification(&one, now, true, "О")),
        ("application", application(&one, (now, now), today, "О", &documents)),
        ("application", application(&family, (now, now), today, "О", &[])),
        ("document-request", request(&one, today, ("О", "Б"), &kinds)),
        ("document-response", response(&one, today, &kinds)),
        ("request-withdrawal", withdrawal(request_id)),
        ("needs-assessment", needs_assessment(&one, now, today, true)),
        ("needs-assessment", needs_assessment(&one, now, today, false)),
        ("decision", decision(&one, &decided(true))),
        ("decision", decision(&one, &decided(false))),
        ("programme", programme(&one, &programme_of(None, today))),
        ("programme", programme(&one, &programme_of(Some(now), today))),
        ("contract", contract(&one, &signed, "О")),
        ("databank-entry", databank_entry(&one, now)),
        ("measure-mark", measure_mark(&one, 1, now)),
        ("effectiveness-assessment", effectiveness(&one, now, Assessed::Interim)),
        ("effectiveness-assessment", effectiveness(&one, now, Assessed::Final)),
        ("extension", extension(&one, &longer(Some(today)))),
        ("extension", extension(&one, &longer(None))),
        ("termination", termination(&one, &ended)),
        ("rights-violation", rights_violation(now, now, ("О", "Б"))),
        ("progress-report", progress_report(month, "О", today, &[one.id])),
        ("quarterly-analysis", quarterly_analysis("2026-Q1", "О", 5)),
        ("yearly-summary", yearly_summary(2026, "О", 5)),
        ("ministry-report", ministry_report(month, "О", 5)),
        ("provision-act", provision_act(&one, month, now)),
        ("guardianship-report", guardianship_report(month)),
    ];
    for (name, body) in bodies {
        let body = body.unwrap();
        let checked = catalogue.validate(&kind(name), &body);
        assert!(checked.is_ok(), "{name}: {checked:?}\n{}", String::from_utf8_lossy(&body));
    }
}
