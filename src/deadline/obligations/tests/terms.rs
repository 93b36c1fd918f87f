//! What is due at once, and terms that have versions.

use super::*;

#[test]
fn what_is_due_at_once_is_overdue_only_after_the_grace() {
    let graced = |term: &str| {
        let text = YUGRA
            .replace("# grace = \"1 hour\"", "grace = \"1 hour\"")
            .replace("term = \"1 working day\"", &format!("term = \"{term}\""));
        Regulation::parse(fixtures::FILE, &text).unwrap()
    };
    // A Sunday night: neither the hour nor the day matters to what is due at once.
    let table = [
        ("immediately", "2026-01-04T04:20:00+05:00"),
        ("least of (immediately, 3 working days)", "2026-01-04T04:20:00+05:00"),
        ("48 hours", "2026-01-06T03:20:00+05:00"),
        ("1 day", "2026-01-05T23:59:59+05:00"),
    ];
    let body = application("2026-01-04T03:20:00+05:00", &[("x", "health", "request")])
        .replace("2026-05-06T04", "2026-01-03T04");
    for (term, expected) in table {
        let letter = Letter { body: &body, at: "2026-01-04T03:20:00+05:00", ..LETTER };
        let opened = letter.judge(&graced(term)).unwrap().open;
        let running = started(&opened[0]);
        assert_eq!(running.due, show(expected), "{term}");
        assert_eq!(running.started_at, instant(letter.at), "{term}: the event stays beside it");
        assert_eq!(running.explanation.grace.is_some(), term.contains("immediately"), "{term}");
    }
    let letter = Letter { body: &body, at: "2026-01-04T03:20:00+05:00", ..LETTER };
    let opened = letter.judge(&graced("immediately")).unwrap().open;
    let steps: Vec<String> = told(started(&opened[0]))["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| format!("{} / {}", s["ru"].as_str().unwrap(), s["en"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!(steps.join("\n"), @r"
    событие 2026-01-04T03:20:00+05:00, местная дата 04.01.2026 (вс) (Asia/Yekaterinburg) / event 2026-01-04T03:20:00+05:00, local date 2026-01-04 (Sun) (Asia/Yekaterinburg)
    незамедлительно: сам момент события, 2026-01-04T03:20:00+05:00 / immediately: the event itself, 2026-01-04T03:20:00+05:00
    запас регламента, 1 час: просрочено лишь после 2026-01-04T04:20:00+05:00 / the regulation's grace, 1 hour: overdue only after 2026-01-04T04:20:00+05:00
    срок: сам момент события; просрочено после 2026-01-04T04:20:00+05:00 / due: the event itself; overdue after 2026-01-04T04:20:00+05:00
    ");
}

/// The first instant that is too late, from the last second as it is shown; by the clock it is the microsecond after.
fn show(last: &str) -> Timestamp {
    let last = instant(last);
    let step = if last.in_zone(Zone::parse(YEK).unwrap()).contains("23:59:59") { 1_000_000 } else { 1 };
    Timestamp::from_micros(last.micros() + step)
}

/// Yugra with the 48 hours confirmed from a date.
fn confirmed(from: &str) -> Regulation {
    let at = YUGRA.find("off = \"48").unwrap();
    let line = YUGRA[at..].lines().next().unwrap();
    Regulation::parse(fixtures::FILE, &YUGRA.replace(line, &format!("valid_from = \"{from}\""))).unwrap()
}

#[test]
fn the_start_date_decides_the_version_of_the_term() {
    let body = "<wanted><document><kind>a</kind></document></wanted>";
    let request = Letter { message: "document-request", to: "health", body, ..LETTER };
    // (confirmed from, handed over, term, due); midnight is the debtor's.
    let table = [
        ("2026-05-07", "2026-05-06T23:59:59+05:00", "5 working days", "2026-05-14T23:59:59+05:00"),
        ("2026-05-07", "2026-05-07T00:00:00+05:00", "48 hours", "2026-05-09T00:00:00+05:00"),
        ("2026-05-07", "2026-05-06T23:59:59+03:00", "48 hours", "2026-05-09T01:59:59+05:00"),
        ("2015-08-01", "2014-01-09T10:00:00+05:00", "5 working days", ""),
    ];
    for (from, handed_over, term, expected) in table {
        let opened = request.judge(&confirmed(from)).unwrap().open;
        assert_eq!(opened[0].term, if from > "2026" { "5 working days" } else { "48 hours" }, "as of the opening");
        // What was opened keeps the versions it was opened under, across a store.
        let stored = serde_json::to_string(pending(&opened[0])).unwrap();
        let restored: PendingStart = serde_json::from_str(&stored).unwrap();
        let begun = start_pending(&restored, &calendars(), instant(handed_over));
        let Ok(begun) = begun else {
            assert_eq!(expected, "", "{handed_over}: the calendar has no 2014");
            assert_eq!(restored.plan.term_on("2014-01-09".parse().unwrap()).to_string(), term);
            continue;
        };
        assert_eq!((begun.term.to_string().as_str(), begun.due), (term, show(expected)), "{from}, {handed_over}");
        assert_eq!(told(&begun)["term"], term);
        assert!(told(&begun)["term_source"]["paragraph"].as_str().unwrap().contains("7.2"));
        let step = &told(&begun)["steps"][1];
        assert_eq!(step["step"], "version");
        assert!(
            step["en"].as_str().unwrap().ends_with(term) && step["ru"].as_str().unwrap().contains("редакция срока с")
        );
    }
}

#[test]
fn a_version_that_is_off_changes_nothing() {
    let body = "<wanted><document><kind>a</kind></document></wanted>";
    let opened = Letter { message: "document-request", to: "health", body, ..LETTER }.judge(&yugra("")).unwrap().open;
    let begun = start_pending(pending(&opened[0]), &calendars(), instant("2099-05-06T10:00:00+05:00"));
    assert!(begun.is_err(), "no calendar for 2099");
    let begun = start_pending(pending(&opened[0]), &calendars(), instant("2026-05-06T10:00:00+05:00")).unwrap();
    assert_eq!(begun.term.to_string(), "5 working days");
    assert!(told(&begun)["steps"].as_array().unwrap().iter().all(|s| s["step"] != "version"));
}

#[test]
fn what_was_kept_before_there_were_versions_starts_as_it_did() {
    let body = "<wanted><document><kind>a</kind></document></wanted>";
    let opened = Letter { message: "document-request", to: "health", body, ..LETTER }.judge(&yugra("")).unwrap().open;
    let mut stored = serde_json::to_value(pending(&opened[0])).unwrap();
    let plan = stored["plan"].as_object_mut().unwrap();
    assert!(plan.remove("versions").is_some() && plan.remove("grace_hours").is_some());
    let restored: PendingStart = serde_json::from_value(stored).unwrap();
    let begun = start_pending(&restored, &calendars(), instant("2026-05-06T10:00:00+05:00")).unwrap();
    assert_eq!(
        (begun.term.to_string().as_str(), due(&begun).as_str()),
        ("5 working days", "2026-05-14T23:59:59+05:00")
    );
}
