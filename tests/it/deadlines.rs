//! Who owes what by when, as messages come and go: the three first rules, seen through `deadline list`.

use mezhved::domain::{CaseId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, SOON, THREE_RULES, World, bodies, now};

fn case() -> CaseId {
    CaseId::from_uuid(Uuid::now_v7())
}

fn apply(world: &World, registered_at: Timestamp, documents: &[(&str, &str)]) -> CaseId {
    let (register, case) = (world.agency("register"), case());
    let mut draft = register.draft("register", "application", bodies::application(registered_at, documents));
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    case
}

/// The obligations of one rule: debtor, creditor, state, due; by debtor.
fn owed(world: &World, rule: &str) -> Vec<[String; 4]> {
    let rows = world.listed(&["deadline", "list"]);
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let of_rule = rows.iter().filter(|row| row["rule"] == rule);
    let mut found: Vec<_> =
        of_rule.map(|row| ["debtor", "creditor", "state", "due"].map(|key| text(row, key))).collect();
    found.sort();
    found
}

#[test]
fn an_application_opens_one_duty_a_holder_by_the_next_working_day_and_is_late_after_it() {
    let world = World::on(Backend::Sqlite).start();
    let documents =
        [("medical-conclusion", "health"), ("child-health-record", "health"), ("criminal-record", "police")];
    // A Friday evening before a long weekend: 9 and 11 May 2026 are days off.
    let friday = Timestamp::parse("2026-05-08T17:00:00+05:00").unwrap();
    apply(&world, friday, &documents);
    let found = eventually("overdue duties", SOON, || {
        let found = owed(&world, "document-request");
        found.iter().all(|row| row[2] == "overdue").then_some(found)
    });
    let due = "2026-05-12T23:59:59+05:00";
    let expected = ["health", "police"].map(|holder| ["register", holder, "overdue", due].map(str::to_owned));
    assert_eq!(found, expected);
    assert_eq!(world.listed(&["deadline", "list", "--overdue"]).len(), 2);
}

#[test]
fn a_late_request_meets_its_duty_late_and_only_in_its_own_case() {
    let world = World::on(Backend::Sqlite).start();
    let long_ago = now().plus_seconds(-20 * 86_400);
    let (asked, _other) = (
        apply(&world, long_ago, &[("guardianship-act", "guardianship")]),
        apply(&world, long_ago, &[("guardianship-act", "guardianship")]),
    );
    eventually("overdue duties", SOON, || {
        owed(&world, "document-request").iter().all(|row| row[2] == "overdue").then_some(())
    });
    let register = world.agency("register");
    let mut request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    request.header.case_id = Some(asked);
    world.post(register.sign(&request)).receipt();
    let states: Vec<String> = owed(&world, "document-request").into_iter().map(|row| row[2].clone()).collect();
    assert_eq!(states, ["met-late", "overdue"]);
}

#[test]
fn a_partial_answer_leaves_the_rest_open_and_a_rehearsal_opens_nothing() {
    let world = World::on(Backend::Sqlite).start();
    let (register, guardianship) = (world.agency("register"), world.agency("guardianship"));
    let one = "<document><kind>guardianship-act</kind></document>";
    let wanted = format!("{one}<document><kind>orphan-status</kind></document>");
    let body = bodies::request("guardianship-act");
    let start = body.find("<wanted>").unwrap() + "<wanted>".len();
    let both = format!("{}{wanted}{}", &body[..start], &body[body.find("</wanted>").unwrap()..]);
    let request = register.draft("guardianship", "document-request", both);
    let mut rehearsal = register.draft("guardianship", "document-request", body);
    rehearsal.header.test = true;
    for draft in [&request, &rehearsal] {
        world.post(register.sign(draft)).receipt();
        world.until(draft.header.message_id, "delivered");
    }
    let states = || owed(&world, "document-answer").into_iter().map(|row| row[2].clone()).collect::<Vec<_>>();
    assert_eq!(states(), ["open", "open"]);
    for (kind, expected) in [("orphan-status", ["met", "open"]), ("guardianship-act", ["met", "met"])] {
        let answer = guardianship.answer(&request.header, "document-response", bodies::response(kind));
        world.post(guardianship.sign(&answer)).receipt();
        assert_eq!(states(), expected, "{kind}");
    }
}

#[test]
fn a_month_of_measures_opens_the_report_of_each_case_and_a_report_meets_only_those_it_names() {
    let mut world = World::on(Backend::Sqlite).prepare();
    let local = now().utc().with_timezone(&chrono_tz::Asia::Yekaterinburg);
    let (month, day) = (local.format("%Y-%m").to_string(), local.format("%Y-%m-%d").to_string());
    let cases = [case(), case()];
    let measure = |case: &CaseId| {
        format!(
            "[[measure]]\ncase = \"{case}\"\nterritory = \"71876000\"\nresponsible = \"guardianship\"\n\
             kind = \"Помощь\"\nfrom = \"{month}\"\nto = \"{month}\"\n"
        )
    };
    let text = format!("{THREE_RULES}\n{}{}", measure(&cases[0]), measure(&cases[1]));
    std::fs::write(world.file("regulations/yugra.toml"), text).unwrap();
    world.serve();

    let opened = eventually("the reports that are owed", SOON, || {
        let found = owed(&world, "progress-report");
        (found.len() == 2).then_some(found)
    });
    for [debtor, creditor, state, due] in &opened {
        assert_eq!((debtor.as_str(), creditor.as_str(), state.as_str()), ("guardianship", "register", "open"));
        // The 5th of the next month, or the next working day.
        let day: u32 = due[8..10].parse().unwrap();
        assert!(due[..7] > month[..] && (5..=12).contains(&day) && due.ends_with("T23:59:59+05:00"), "{due}");
    }
    let guardianship = world.agency("guardianship");
    let report = guardianship.draft("register", "progress-report", bodies::progress_report(cases[0], &month, &day));
    world.post(guardianship.sign(&report)).receipt();
    let rows = world.listed(&["deadline", "list"]);
    let state = |case: CaseId| rows.iter().find(|row| row["caseId"] == case.to_string()).unwrap()["state"].clone();
    assert_eq!((state(cases[0]), state(cases[1])), (Value::from("met"), Value::from("open")));
}
