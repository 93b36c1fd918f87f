//! A case ends on a ground that its region's regulation knows.

use super::regions::{Life, termination};
use super::*;
use crate::bundle::Files;
use crate::deadline::{CheckInput, Severity, check};

const ENDED: &str = "2026-06-16T12:00:00+05:00";

fn refused(life: &Life, body: &str) -> Option<Fault> {
    let letter = Letter { message: "termination", body, at: ENDED, known: life.case.clone(), ..LETTER };
    letter.judge_among(&life.regulation, &calendars(), &life.people).err()
}

#[test]
fn a_ground_that_the_regulation_does_not_know_is_refused_with_those_that_it_does() {
    for (id, known, unknown, told) in [
        (
            "yugra",
            &["result-reached", "result-impossible", "citizen-wish", "death"][..],
            "moved",
            "result-reached (Социальное",
        ),
        ("smolensk", &["citizen-wish", "programme-done", "moved", "no-need"], "family-refusal", "п. 4.14"),
        ("model", &["family-refusal", "breach-by-family", "breach-by-provider", "breach"], "other", "п. 9.8.5"),
    ] {
        let mut life = Life::of(id);
        let begun = super::application("2026-05-06T10:00:00+05:00", &[("passport", "police", "citizen")]);
        life.send(("application", "register", "register"), "2026-05-06T12:00:00+05:00", &begun);
        let body = termination("2026-06-16");
        let on = |ground: &str| body.replace("citizen-wish", ground);
        for ground in known {
            assert_eq!(refused(&life, &on(ground)), None, "{id} {ground}");
        }
        for wrong in [on(unknown), body.replace("<ground>citizen-wish</ground>", "")] {
            let fault = refused(&life, &wrong).unwrap_or_else(|| panic!("{id}: {wrong}"));
            assert_eq!(fault.code, FaultCode::ContentInvalid);
            let all = life.regulation.case.as_ref().unwrap().grounds.iter().all(|g| fault.detail.contains(&g.code));
            assert!(all && fault.detail.starts_with("Body/ground: by the regulation"), "{fault}");
            assert!(fault.detail.contains(told) && !fault.detail.contains(unknown), "{fault}");
        }
        life.regulation.case.as_mut().unwrap().grounds.clear();
        assert_eq!(refused(&life, &on(unknown)), None, "{id}: without a list every ground is taken");
    }
}

#[test]
fn the_grounds_of_a_file_are_codes_of_the_list_and_stand_once() {
    let files = crate::bundle::embedded();
    let text = String::from_utf8(files["config/regulations/smolensk.toml"].clone()).unwrap();
    let read = |text: &str| Regulation::parse("config/regulations/smolensk.toml", text);
    let line = text.lines().position(|line| line == "code = \"moved\"").unwrap() + 1;
    let twice = read(&text.replace("code = \"moved\"", "code = \"citizen-wish\"")).unwrap_err();
    assert!(twice[0].line == line && twice[0].en.contains("`citizen-wish` is named twice"), "{twice:?}");
    let found = |regulation: &Regulation, files: &Files| {
        let calendars = calendars();
        let input = CheckInput { participants: &[], calendars: &calendars, files, now: instant(ENDED) };
        check(regulation, &input).into_iter().filter(|f| f.severity == Severity::Error).collect::<Vec<_>>()
    };
    assert_eq!(found(&read(&text).unwrap(), &files), []);
    let other = read(&text.replace("code = \"moved\"", "code = \"gone\"")).unwrap();
    let errors = found(&other, &files);
    // The head of the entry tells the place.
    assert!(errors.len() == 1 && errors[0].line + 1 == line, "{errors:?}");
    assert!(
        errors[0].en.contains("`gone` is not in the list termination-reasons; allowed are programme-done"),
        "{errors:?}"
    );
}
