//! `mezhved report` as people run it: figures against a history counted by hand, every form, what is hidden, and what cannot be asked.

use calamine::Reader as _;
use mezhved::domain::{CaseId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, SOON, World, bodies};

const FRIDAY: &str = "2026-05-08T17:00:00+05:00";

fn apply(world: &World, documents: &[(&str, &str)]) -> CaseId {
    let (register, case) = (world.agency("register"), CaseId::from_uuid(Uuid::now_v7()));
    let body = bodies::application(Timestamp::parse(FRIDAY).unwrap(), documents);
    let mut draft = register.draft("register", "application", body);
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    case
}

/// Two applications registered on Friday 8 May: three requests are due by the end of Tuesday the 12th. One is sent now, two are not.
fn history(world: &World) -> CaseId {
    let asked = apply(world, &[("guardianship-act", "guardianship")]);
    apply(world, &[("medical-conclusion", "health"), ("criminal-record", "police")]);
    eventually("overdue duties", SOON, || {
        let rows = world.listed(&["deadline", "list", "--rule", "document-request"]);
        (rows.len() == 3 && rows.iter().all(|row| row["state"] == "overdue")).then_some(())
    });
    let register = world.agency("register");
    let mut request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    request.header.case_id = Some(asked);
    world.post(register.sign(&request)).receipt();
    asked
}

fn report(world: &World, arguments: &[&str]) -> Value {
    world.mezhved(&[&["report"], arguments, &["--format", "json"]].concat()).done().json()
}

fn row<'r>(report: &'r Value, table: &str, key: &str, value: &str) -> &'r Value {
    let tables = report["tables"].as_array().unwrap();
    let table = tables.iter().find(|t| t["key"] == table).unwrap_or_else(|| panic!("no {table}: {report:#}"));
    let rows = table["rows"].as_array().unwrap();
    rows.iter().find(|row| row[key] == value).unwrap_or_else(|| panic!("no {value}: {table:#}"))
}

fn counted_by_hand(backend: Backend) {
    let world = World::on(backend).start();
    let asked = history(&world);
    // By the end of the term: in May.
    let may = report(&world, &["discipline", "--month", "2026-05"]);
    let duty = row(&may, "rules", "rule", "document-request");
    let figures = ["opened", "due", "inTime", "late", "overdue"].map(|key| duty[key].as_u64().unwrap());
    assert_eq!(figures, [0, 3, 0, 1, 2], "{duty:#}");
    assert_eq!(duty["share"], 0.0);
    assert!(duty["lateMax"].as_u64().unwrap() > 0, "{duty:#}");
    assert_eq!(may["zone"], "Asia/Yekaterinburg");
    // The quarter and the year hold it, the days before and after do not.
    for (period, due) in [
        (&["--quarter", "2026-Q2", "--rule", "document-request"][..], 3),
        (&["--year", "2026", "--rule", "document-request"], 3),
        (&["--from", "2026-05-12", "--to", "2026-05-12"], 3),
        (&["--from", "2026-05-01", "--to", "2026-05-11"], 0),
        (&["--from", "2026-05-13", "--to", "2026-05-31"], 0),
        (&["--month", "2026-05", "--participant", "health"], 0),
        (&["--month", "2026-05", "--participant", "register"], 3),
        (&["--month", "2026-05", "--rule", "document-answer"], 0),
    ] {
        let found = report(&world, &[&["discipline"], period].concat());
        let total = &found["tables"][0]["total"];
        assert_eq!(total["due"], due, "{period:?}");
    }
    // They were opened today, and the applications came today.
    let today = report(&world, &["summary"]);
    assert_eq!(row(&today, "rules", "rule", "document-request")["opened"], 3);
    for (code, value) in [("applications", 2), ("requests", 1), ("casesOpened", 2), ("casesOpen", 2)] {
        assert_eq!(row(&today, "figures", "code", code)["value"], value, "{code}");
    }
    registers(&world, asked);
}

fn registers(world: &World, asked: CaseId) {
    let masked = report(world, &["register", "applications", "--author", "Иванова"]);
    let first = row(&masked, "applications", "case", &asked.to_string());
    assert_eq!((&first["no"], &first["person"]["hidden"]), (&1.into(), &true.into()), "{first:#}");
    let shown = report(world, &["register", "applications", "--personal-data", "--author", "Иванова"]);
    let first = row(&shown, "applications", "case", &asked.to_string());
    let name = first["person"].as_str().unwrap();
    assert!(name.split(' ').count() >= 2, "{first:#}");
    assert!(!masked.to_string().contains(name), "{masked}");
    let journal = world.mezhved(&["journal", "export"]).done().stdout;
    let entries: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let read: Vec<&Value> = entries.iter().filter(|e| e["kind"] == "register-read").collect();
    assert_eq!(read.len(), 2, "{journal}");
    let personal: Vec<&Value> = read.iter().map(|e| &e["detail"]["personal"]).collect();
    assert!(personal.contains(&&true.into()) && personal.contains(&&false.into()), "{read:?}");
    assert!(read.iter().all(|e| e["actor"] == "Иванова") && !journal.contains(name), "{read:?}");
}

#[test]
fn figures_are_those_counted_by_hand_on_sqlite() {
    counted_by_hand(Backend::Sqlite);
}

#[test]
fn figures_are_those_counted_by_hand_on_postgres() {
    counted_by_hand(Backend::Postgres);
}

#[test]
fn every_form_is_written_whole_and_what_cannot_be_asked_is_told() {
    let world = World::on(Backend::Sqlite).start();
    history(&world);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let may = ["report", "discipline", "--month", "2026-05"];
    let text = world.mezhved(&may).done().stdout;
    for said in ["Исполнительская дисциплина", "Период: май 2026", "document-request", "Доля в срок"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    let en = world.mezhved(&[&may[..], &["--lang", "en"]].concat()).done().stdout;
    assert!(en.contains("Execution discipline") && en.contains("May 2026"), "{en}");
    let csv = file("may.csv");
    world.mezhved(&[&may[..], &["--format", "csv", "--out", &csv]].concat()).done();
    let csv = std::fs::read_to_string(csv).unwrap();
    assert!(csv.starts_with('\u{feff}') && csv.contains("\r\nУчастник;Название;Открыто;"), "{csv}");
    let book = file("may.xlsx");
    world.mezhved(&[&may[..], &["--format", "xlsx", "--out", &book]].concat()).done();
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(book).unwrap();
    let sheet = book.worksheet_range("По правилам").unwrap();
    let rules: Vec<String> = sheet.rows().map(|row| row[0].to_string()).collect();
    assert!(rules.contains(&"document-request".to_owned()), "{rules:?}");
    let listed = crate::support::mezhved(&["report", "list"]).done().stdout;
    assert!(listed.contains("register families") || listed.contains("register-families"), "{listed}");
    let indicators = report(&world, &["indicators", "--year", "2026"]);
    assert_eq!(row(&indicators, "indicators", "code", "volunteers")["value"]["unknown"], true);
    for (arguments, says) in [
        (&["report", "discipline", "--month", "2026-13"][..], "2026-Q3"),
        (&["report", "discipline", "--month", "2026-Q1"], "--quarter"),
        (&["report", "discipline", "--from", "2026-05-02", "--to", "2026-05-01"], "раньше"),
        (&["report", "discipline", "--from", "2026-05-02"], "--to"),
        (&["report", "discipline", "--format", "xlsx"], "--out"),
        (&["report", "discipline", "--rule", "no-such-rule"], "regulation show"),
        (&["report", "discipline", "--regulation", "yamal"], "yugra"),
        (&["report", "register", "people"], "applications, families"),
        (&["report", "discipline", "--format", "csv", "--out", "/no/such/folder/x.csv"], "/no/such/folder"),
    ] {
        let finished = world.mezhved(arguments);
        assert!(matches!(finished.status, Some(1 | 2)) && finished.stderr.contains(says), "{says}: {finished}");
        assert_eq!(finished.stdout, "", "{finished}");
    }
}
