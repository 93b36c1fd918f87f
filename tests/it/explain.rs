//! What the read-only commands about deadlines tell: an obligation explained, the listing's filters, the calendar, the regulation.

use mezhved::domain::{CaseId, Timestamp, Zone};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Finished, eventually, mezhved};
use crate::world::{Backend, Behaviour, SOON, World, bodies, now};

const HEALTH_KIND: &str = "medical-conclusion";

/// Its standard output has all of these.
fn told(finished: &Finished, parts: &[&str]) {
    let missing: Vec<_> = parts.iter().filter(|part| !finished.stdout.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} not told: {finished}");
}

/// It ended with status 1, said why, and printed nothing else.
fn refused(finished: &Finished, parts: &[&str]) {
    assert_eq!((finished.status, finished.stdout.as_str()), (Some(1), ""), "{finished}");
    let missing: Vec<_> = parts.iter().filter(|part| !finished.stderr.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} not said: {finished}");
}

/// An application of a new case, registered so many days ago.
fn apply(world: &World, days_ago: i64, role: &str) -> CaseId {
    let register = world.agency("register");
    let registered = now().plus_seconds(-days_ago * 86_400);
    let body = bodies::application(registered, &[(HEALTH_KIND, role)]);
    let mut draft = register.draft("register", "application", body);
    let case = CaseId::from_uuid(Uuid::now_v7());
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    case
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_obligation_is_explained_as_it_was_counted_on_sqlite() {
    explained(Backend::Sqlite);
}

#[test]
fn an_obligation_is_explained_as_it_was_counted_on_postgresql() {
    explained(Backend::Postgres);
}

fn explained(backend: Backend) {
    let world = World::on(backend).setting("delivery.attempts_max = 1").start();
    let case = apply(&world, 20, "health");
    eventually("the overdue obligation", SOON, || {
        (!world.listed(&["deadline", "list", "--overdue"]).is_empty()).then_some(())
    });
    let row = &world.listed(&["deadline", "list", "--overdue"])[0];
    let shown = world.mezhved(&["deadline", "explain", &id(row)]).done();
    told(
        &shown,
        &[
            "Межведомственный запрос документов / Interagency request for documents",
            "состояние / state: просрочено / overdue",
            &format!("дело / case: {case}"),
            "срок / term: 1 рабочий день / 1 working day",
            "\n   1. событие 20",
            "\n      event 20",
            "1-й рабочий день: ",
            "working day 1: ",
            "(п. 4.4 Регламента 394-п)",
            "«в течение 1 рабочего дня со дня регистрации заявления»",
            "редакция не проверена / the edition was not checked",
            "Прочтение / reading\n  Фраза начинается с извещения",
            "отмечено просроченным / marked overdue: 20",
        ],
    );
    for personal in bodies::PERSONAL {
        assert!(!shown.stdout.contains(personal), "{personal}: {shown}");
    }
    let json = world.mezhved(&["deadline", "explain", &id(row), "--json"]).done().json();
    assert_eq!((&json["due"], &json["caseId"], &json["rule"]), (&row["due"], &row["caseId"], &row["rule"]));
    assert_eq!(json["openedBy"]["type"], "application");
    let steps = json["explanation"]["steps"].as_array().unwrap();
    assert_eq!((steps[0]["step"].as_str(), steps.last().unwrap()["step"].as_str()), (Some("start"), Some("end")));

    // A request that cannot be handed over: the answer's term waits, and says for what.
    world.partner("guardianship").behave(Behaviour::Status(500));
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    world.until(request.header.message_id, "parked");
    let pending = world.listed(&["deadline", "list", "--state", "pending"]);
    assert_eq!((pending.len(), pending[0]["rule"].as_str()), (1, Some("document-answer")));
    let shown = world.mezhved(&["deadline", "explain", &id(&pending[0])]).done();
    told(
        &shown,
        &[
            "Счёт ещё не начат / the count has not begun",
            "срок пойдёт, когда шлюз передаст",
            &format!("mezhved message show {}", request.header.message_id),
            "срок / term: 5 рабочих дней / 5 working days",
            "ст. 7.2",
        ],
    );
    let json = world.mezhved(&["deadline", "explain", &id(&pending[0]), "--json"]).done().json();
    assert_eq!((json["waitsFor"]["on"].as_str(), &json["due"]), (Some("sent"), &Value::Null));

    let absent = Uuid::now_v7().to_string();
    refused(&world.mezhved(&["deadline", "explain", &absent]), &[&format!("no obligation {absent}"), "deadline list"]);
    assert_eq!(world.mezhved(&["deadline", "explain", "17"]).status, Some(2), "a wrong id is wrong usage");
}

#[test]
fn the_listing_is_filtered() {
    let world = World::on(Backend::Sqlite).whole_region().start();
    let (late, fresh) = (apply(&world, 20, "health"), apply(&world, 0, "education"));
    eventually("the overdue obligation", SOON, || {
        (!world.listed(&["deadline", "list", "--overdue"]).is_empty()).then_some(())
    });
    let request = world.agency("register").draft("health", "document-request", bodies::request(HEALTH_KIND));
    world.post(world.agency("register").sign(&request)).receipt();
    eventually("the answer's term", SOON, || {
        (!world.listed(&["deadline", "list", "--rule", "document-answer"]).is_empty()).then_some(())
    });

    let listed = |filter: &[&str]| {
        let rows = world.listed(&[&["deadline", "list"], filter].concat());
        rows.iter().map(|row| row["caseId"].as_str().unwrap_or("none").to_owned()).collect::<Vec<_>>()
    };
    // An application opens more than this; the rule says what is looked at.
    let cases = |filter: &[&str]| listed(&[&["--rule", "document-request"], filter].concat());
    let (late, fresh) = (late.to_string(), fresh.to_string());
    assert_eq!(cases(&["--case", &late]), [late.as_str()]);
    assert_eq!(cases(&["--state", "overdue"]), [late.as_str()]);
    assert_eq!(cases(&["--state", "overdue,open"]), [late.clone(), fresh.clone()]);
    assert_eq!(cases(&[]), [late.clone(), fresh.clone()]);
    assert_eq!(cases(&["--case", &fresh]), [fresh.as_str()]);
    assert!(listed(&["--case", &fresh]).iter().all(|case| *case == fresh));
    assert_eq!(listed(&["--debtor", "health"]), ["none"]);
    assert_eq!(listed(&["--rule", "no-such-rule"]), [""; 0]);

    // By the last day in time: before that day it is not, before the next it is. A day is one of the regulation's zone.
    let rows = world.listed(&["deadline", "list", "--rule", "document-request", "--case", &late]);
    let last = rows[0]["due"].as_str().unwrap().to_owned();
    let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
    let next = Timestamp::parse(&last).unwrap().plus_seconds(1).in_zone(zone);
    let of_yugra = |before: &str| cases(&["--regulation", "yugra", "--due-before", before]);
    assert_eq!(of_yugra(&last[..10]), [""; 0]);
    assert_eq!(of_yugra(&next[..10]), [late.as_str()]);
    assert_eq!(cases(&["--due-before", &last]), [""; 0]);
    assert_eq!(cases(&["--due-before", &next]), [late]);
    refused(&world.mezhved(&["deadline", "list", "--due-before", &last[..10]]), &["--due-before", "several zones"]);

    for wrong in
        [&["--state", "late"][..], &["--due-before", "завтра"], &["--case", "1"], &["--overdue", "--state", "met"]]
    {
        let finished = world.mezhved(&[&["deadline", "list"], wrong].concat());
        assert_eq!(finished.status, Some(2), "{finished}");
    }
}

#[test]
fn the_calendar_is_compared_with_what_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../../config/calendars/ru.csv");
    let file = folder.path().join("own.csv");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();

    write(text);
    let fine = mezhved(&["calendar", "check", path]).done();
    told(
        &fine,
        &["2026        247", "55 62 66 64", "сходятся / agree", "сомнение / doubt: 2027: ", "ошибок / errors: 0"],
    );
    let built_in = mezhved(&["calendar", "check", "--json"]).done().json();
    let years = built_in["calendars"][0]["years"].as_array().unwrap();
    assert_eq!((years.len(), &years[11]["counted"]["short"]), (13, &Value::from(4)));
    assert_eq!(years[11]["counted"], years[11]["published"]);

    // A day off moved from May to August: the year's number holds, its quarters do not.
    write(&bodies::replaced(text, "2026-05-11,nonworking", "2026-08-10,nonworking"));
    let wrong = mezhved(&["calendar", "check", path]);
    assert_eq!(wrong.status, Some(1), "{wrong}");
    told(
        &wrong,
        &["own.csv:28:", "quarter 2 of 2026 has 63 working days by its rows, but 62 are stated", "ошибок / errors: 2"],
    );
    // And one left out.
    let without: String = text.lines().filter(|l| !l.starts_with("2026-05-11")).map(|l| format!("{l}\n")).collect();
    write(&without);
    let wrong = mezhved(&["calendar", "check", path, "--json"]);
    let json = wrong.json();
    assert_eq!((wrong.status, &json["ok"]), (Some(1), &Value::Bool(false)), "{wrong}");
    let en: Vec<&str> = json["findings"].as_array().unwrap().iter().map(|f| f["en"].as_str().unwrap()).collect();
    assert!(en.iter().any(|f| f.contains("2026 has 248 working days by its rows, but 247 are stated")), "{wrong}");
    refused(&mezhved(&["calendar", "check", "absent.csv"]), &["absent.csv не читается"]);
    let absent = folder.path().join("absent");
    refused(&mezhved(&["calendar", "check", "--config", absent.to_str().unwrap()]), &["there is no folder"]);
}

#[test]
fn a_year_is_shown_by_months() {
    let shown = mezhved(&["calendar", "show", "2026"]).done();
    told(
        &shown,
        &["Май / May: 19", " 11x", "  8-", "12+  рабочая суббота", "12.06.2026 пт x", "2026: рабочих / working 247"],
    );
    let json = mezhved(&["calendar", "show", "2025", "--json"]).done().json();
    let days = json["days"].as_array().unwrap();
    let saturday = days.iter().find(|d| d["date"] == "2025-11-01").unwrap();
    assert_eq!((days.len(), &saturday["kind"], &saturday["weekday"]), (365, &"short".into(), &"sat".into()));
    refused(&mezhved(&["calendar", "show", "2040"]), &["no data for 2040", "2015-2027"]);
}

#[test]
fn the_regulation_is_listed_shown_and_checked() {
    let world = World::on(Backend::Sqlite).whole_region().prepare();
    let listed = world.listed(&["regulation", "list"]);
    let off = listed.iter().map(|row| (row["id"].as_str().unwrap(), row["off"].as_u64().unwrap()));
    assert_eq!(off.collect::<Vec<_>>(), [("model", 4), ("smolensk", 2), ("yugra", 4)]);
    told(
        &world.mezhved(&["regulation", "list"]).done(),
        &["Регламент Югры", "редакция не проверена / edition unchecked: ", "встроено / built in"],
    );
    let shown = world.mezhved(&["regulation", "show", "yugra"]).done();
    told(
        &shown,
        &[
            "health: Здравоохранение / Health — health\n",
            "  depsoc: Департамент социального развития",
            "  commission: Комиссия по признанию граждан нуждающимися / Commission on recognition — register\n",
            "Шаги дела / steps of a case\n",
            "срок / term: 1 рабочий день / 1 working day",
            "редакция не проверена / the edition was not checked",
            "прочтение / reading: ",
        ],
    );
    let json = world.mezhved(&["regulation", "show", "yugra", "--json"]).done().json();
    assert_eq!(json["roles"][0]["holders"][0]["participant"], "register");
    refused(&world.mezhved(&["regulation", "show", "tomsk"]), &["no regulation `tomsk`", "yugra"]);

    let fine = world.mezhved(&["regulation", "check"]).done();
    told(
        &fine,
        &[
            "замечание / warning: config/regulations/yugra.toml:",
            "longer than the norm `decision`",
            "the rule `guardianship-report` is off: ",
            "ошибок / errors: 0",
        ],
    );

    // A role without a holder, then a rule that names a message that is not there: each with its line.
    std::fs::remove_file(world.file("participants/education.toml")).unwrap();
    let vacant = world.mezhved(&["regulation", "check", "--json"]);
    let found = &vacant.json()["findings"][0];
    assert_eq!((vacant.status, &found["severity"]), (Some(1), &"error".into()), "{vacant}");
    assert!(found["en"].as_str().unwrap().contains("nobody holds the role `education`"), "{vacant}");
    std::fs::create_dir(world.file("regulations")).unwrap();
    let text = include_str!("../../config/regulations/yugra.toml");
    let text = bodies::replaced(text, "message = \"document-request\"\nkey", "message = \"telegram\"\nkey");
    std::fs::write(world.file("regulations/yugra.toml"), text).unwrap();
    let wrong = world.mezhved(&["regulation", "check"]);
    assert_eq!(wrong.status, Some(1), "{wrong}");
    told(&wrong, &["config/regulations/yugra.toml:", "`telegram`"]);
    refused(&world.mezhved(&["regulation", "list"]), &["`telegram`"]);
}
