//! `deadline fulfil`, `waive`, `extend` and `note`, as operators and their scripts meet them.

use mezhved::crypto::sha256;
use mezhved::domain::{CaseId, Timestamp, Zone};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Finished, eventually};
use crate::world::{Backend, SOON, World, bodies, now};

const DAY: i64 = 86_400;
const DOCUMENT: [&str; 6] = ["--document", "Распоряжение", "--number", "17-р", "--date", "2024-05-06"];

/// An obligation of the register to ask health, of an application registered so many days ago: its id.
fn owed(world: &World, days_ago: i64) -> String {
    let register = world.agency("register");
    let body = bodies::application(now().plus_seconds(-days_ago * DAY), &[("medical-conclusion", "health")]);
    let mut draft = register.draft("register", "application", body);
    let case = CaseId::from_uuid(Uuid::now_v7());
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    let found = world.listed(&["deadline", "list", "--rule", "document-request", "--case", &case.to_string()]);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]["id"].as_str().unwrap().to_owned()
}

fn listed(world: &World, id: &str) -> Value {
    let rows = world.listed(&["deadline", "list"]);
    rows.into_iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id} is not listed"))
}

fn until(world: &World, id: &str, state: &str) -> Value {
    eventually(&format!("{id} {state}"), SOON, || Some(listed(world, id)).filter(|row| row["state"] == state))
}

fn explained(world: &World, id: &str) -> Value {
    world.mezhved(&["deadline", "explain", id, "--json"]).done().json()
}

fn local(at: Timestamp) -> String {
    at.in_zone(Zone::parse("Asia/Yekaterinburg").unwrap())
}

/// It ended with status 1, said why, and printed nothing else.
fn refused(finished: &Finished, parts: &[&str]) {
    assert_eq!((finished.status, finished.stdout.as_str()), (Some(1), ""), "{finished}");
    let missing: Vec<_> = parts.iter().filter(|part| !finished.stderr.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} not said: {finished}");
}

fn told(finished: &Finished, parts: &[&str]) {
    let missing: Vec<_> = parts.iter().filter(|part| !finished.stdout.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} not told: {finished}");
}

#[test]
fn an_operator_acts_on_obligations_on_sqlite() {
    acted(Backend::Sqlite);
}

#[test]
fn an_operator_acts_on_obligations_on_postgresql() {
    acted(Backend::Postgres);
}

fn acted(backend: Backend) {
    let world = World::on(backend).start();
    let (in_time, late, waived) = (owed(&world, 20), owed(&world, 20), owed(&world, 20));
    let due = until(&world, &in_time, "overdue")["due"].as_str().unwrap().to_owned();
    for id in [&late, &waived] {
        until(&world, id, "overdue");
    }

    // In time although it is entered late: the day of the due itself.
    let scan = world.file("letter.pdf");
    std::fs::write(&scan, b"%PDF").unwrap();
    let line = ["deadline", "fulfil", &in_time, "--by", "paper", "--at", &due[..10], "--number", "01-17/412"];
    let more = ["--whom", "УСЗН", "--scan", scan.to_str().unwrap(), "--author", "ivanova", "--json"];
    let entered = world.mezhved(&[&line[..], &more].concat()).done().json();
    assert_eq!((&entered["already"], &entered["obligation"]["state"]), (&false.into(), &"met".into()), "{entered}");
    let act = &entered["act"];
    assert_eq!(
        (&act["author"], &act["way"], &act["number"]),
        (&"ivanova".into(), &"paper".into(), &"01-17/412".into())
    );
    assert_eq!(act["scan"], sha256(b"%PDF").to_string());
    // Again the very same: nothing more is entered. Another: it has ended.
    let again = world.mezhved(&[&line[..], &more].concat()).done().json();
    assert_eq!((&again["already"], &again["act"]), (&true.into(), act));
    let other = world.mezhved(&["deadline", "fulfil", &in_time, "--by", "phone", "--at", &local(now())]);
    refused(&other, &["уже не открыто: исполнено в срок", "ended already: met"]);

    let at = local(now());
    let shown = world.mezhved(&["deadline", "fulfil", &late, "--by", "phone", "--at", &at, "--who", "Дежурная"]).done();
    told(&shown, &["внесено / entered", "исполнено вне шлюза / outside", "по телефону / phone", "кто / by: Дежурная"]);
    assert_eq!(listed(&world, &late)["state"], "met-late");

    let waive = ["deadline", "waive", &waived, "--ground", "citizen-refused"];
    told(
        &world.mezhved(&[&waive[..], &DOCUMENT, &["--note", "Заявление в деле"]].concat()).done(),
        &[
            &format!("срок остаётся / the due stays: {due}"),
            "отказ гражданина / the citizen refused",
            "Распоряжение № 17-р от / of 2024-05-06",
            "Заявление в деле",
        ],
    );
    let row = listed(&world, &waived);
    assert_eq!(
        (&row["state"], &row["due"], &row["settleKind"]),
        (&"waived".into(), &Value::from(due), &"waiver".into())
    );

    let ids = |filter: &[&str]| {
        let rows = world.listed(&[&["deadline", "list"], filter].concat());
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["--settled-by", "outside"]).len(), 2);
    assert_eq!(ids(&["--state", "waived"]), [waived.as_str()]);
    assert_eq!(ids(&["--state", "waived,met-late", "--participant", "health"]).len(), 2);
    assert_eq!(ids(&["--creditor", "health", "--regulation", "yugra"]).len(), 3);
    assert_eq!(ids(&["--debtor", "health"]).len(), 0);
    // In pages: each once, in the order of the whole listing.
    let (whole, mut paged) = (ids(&[]), ids(&["--limit", "1"]));
    while let Some(next) = ids(&["--limit", "1", "--after", paged.last().unwrap()]).pop() {
        paged.push(next);
    }
    assert_eq!(paged, whole);
    let page = world.mezhved(&["deadline", "list", "--limit", "2"]).done();
    assert!(page.stderr.contains(&format!("--after {}", whole[1])), "{page}");
    told(&page, &["первый срок / original due", "чем закрыто / settled by", "вне шлюза"]);
}

#[test]
fn an_extension_opens_again_what_was_overdue_until_the_new_due() {
    let world = World::on(Backend::Sqlite).start();
    let id = owed(&world, 20);
    let first = until(&world, &id, "overdue")["due"].clone();
    let extend = |to: &str| {
        let line = ["deadline", "extend", &id, "--to", to, "--ground", "agreed-extension"];
        world.mezhved(&[&line[..], &DOCUMENT, &["--author", "ivanova"]].concat())
    };
    refused(&extend("2020-01-01"), &["сократить срок нельзя", "not later", first.as_str().unwrap()]);
    let far = local(now().plus_seconds(30 * DAY));
    let shown = extend(&far[..10]).done();
    let end = format!("{}T23:59:59+05:00", &far[..10]);
    told(&shown, &[&format!("был срок / due before: {}", first.as_str().unwrap()), &format!("due after: {end}")]);
    assert!(!shown.stderr.contains("предупреждения"), "counted anew by the rule: {shown}");
    let row = listed(&world, &id);
    assert_eq!((&row["state"], &row["due"], &row["originalDue"]), (&"open".into(), &Value::from(end.clone()), &first));
    assert_eq!(explained(&world, &id)["overdueAt"], Value::Null);
    told(&extend(&far[..10]).done(), &["уже внесено раньше / entered before already"]);

    let shown = world.mezhved(&["deadline", "explain", &id]).done();
    told(
        &shown,
        &[
            &format!("кончается / due: {end}"),
            &format!("первый срок / original due: {}", first.as_str().unwrap()),
            "Что с ним делали / what was done to it",
            "срок продлён / extend",
            "основание / ground: продление согласовано сторонами / agreed by both sides",
            "документ / document: Распоряжение № 17-р от / of 2024-05-06",
            "состояние / state: просрочено → открыто / overdue → open",
            "внёс / entered by: ivanova, ",
        ],
    );
    // It counts on from what is: one more day is later than the present due.
    let near = world.mezhved(
        &[&["deadline", "extend", &id, "--to", &local(now()), "--ground", "court-or-law"], &DOCUMENT[..]].concat(),
    );
    refused(&near, &["not later", &end]);
}

#[test]
fn what_was_extended_is_overdue_again_at_the_new_due() {
    let world = World::on(Backend::Sqlite).start();
    let id = owed(&world, 20);
    until(&world, &id, "overdue");
    // Long enough for a busy machine to enter it before it comes.
    let soon = now().plus_seconds(6);
    let line = ["deadline", "extend", &id, "--to", &local(soon), "--ground", "court-or-law"];
    world.mezhved(&[&line[..], &DOCUMENT].concat()).done();
    let told = until(&world, &id, "overdue");
    assert_eq!(told["due"], local(soon));
    let overdue = Timestamp::parse(explained(&world, &id)["overdueAt"].as_str().unwrap()).unwrap();
    assert!(overdue > soon, "marked at the new due, not at the first");
    let journal = world.mezhved(&["journal", "export"]).done().stdout;
    let marks = journal.lines().filter(|line| line.contains(&id) && line.contains("obligation-overdue"));
    assert_eq!(marks.count(), 2, "once for each due: {journal}");
    // And late by it.
    world.mezhved(&["deadline", "fulfil", &id, "--by", "other", "--at", &local(now()), "--note", "В ГИС"]).done();
    assert_eq!(listed(&world, &id)["state"], "met-late");
}

#[test]
fn a_remark_is_shown_and_changes_nothing() {
    let world = World::on(Backend::Sqlite).start();
    let id = owed(&world, 0);
    let before = listed(&world, &id);
    world.mezhved(&["deadline", "note", &id, "--text", "Обещали к пятнице", "--author", "ivanova"]).done();
    assert_eq!(listed(&world, &id), before);
    told(&world.mezhved(&["deadline", "explain", &id]).done(), &["пометка / note: Обещали к пятнице"]);
    let act = &explained(&world, &id)["acts"][0];
    assert_eq!((&act["kind"], &act["author"]), (&"note".into(), &"ivanova".into()));
    let exported = world.mezhved(&["journal", "export"]).done().stdout;
    assert!(exported.contains("obligation-noted") && !exported.contains("Обещали"), "{exported}");
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let world = World::on(Backend::Sqlite).start();
    let id = owed(&world, 0);
    let absent = Uuid::now_v7().to_string();
    let ahead = local(now().plus_seconds(DAY));
    let before = local(now().plus_seconds(-DAY));
    let fulfil = |id: &str, at: &str| world.mezhved(&["deadline", "fulfil", id, "--by", "phone", "--at", at]);
    refused(&fulfil(&absent, &before), &[&format!("no obligation {absent}"), "deadline list"]);
    refused(&fulfil(&id, &ahead), &["в будущем", "ahead of now"]);
    refused(&fulfil(&id, &ahead[..10]), &["ahead of now"]);
    refused(&fulfil(&id, &before), &["раньше, чем обязательство началось", "it began: "]);
    let document = ["--document", "Приказ", "--number", "1", "--date", &ahead[..10]];
    let waive = ["deadline", "waive", &id, "--ground", "force-majeure"];
    refused(&world.mezhved(&[&waive[..], &document].concat()), &["--date", "ahead of today"]);
    let absent_file = ["--by", "paper", "--number", "1", "--at", &local(now()), "--scan", "absent.pdf"];
    refused(&world.mezhved(&[&["deadline", "fulfil", &id], &absent_file[..]].concat()), &["--scan", "absent.pdf"]);
    // A request that cannot be handed over: its answer's term does not run.
    let register = world.agency("register");
    world.partner("guardianship").behave(crate::world::Behaviour::Status(500));
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    let pending = world.listed(&["deadline", "list", "--state", "pending"])[0]["id"].as_str().unwrap().to_owned();
    let extend = ["deadline", "extend", &pending, "--to", &ahead[..10], "--ground", "court-or-law"];
    refused(&world.mezhved(&[&extend[..], &DOCUMENT].concat()), &["ещё не пошёл", "has not begun to run"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM obligation_acts"), 0);

    for wrong in [
        &["fulfil", &id, "--by", "fax", "--at", &before][..],
        &["fulfil", &id, "--by", "phone"],
        &["fulfil", &id, "--by", "paper", "--at", &before],
        &["fulfil", &id, "--by", "other", "--at", &before],
        &["fulfil", &id, "--by", "phone", "--at", "вчера"],
        &["waive", &id, "--ground", "agreed-extension", "--document", "x", "--number", "1", "--date", "2026-05-06"],
        &["waive", &id, "--ground", "tired", "--document", "x", "--number", "1", "--date", "2026-05-06"],
        &["waive", &id, "--ground", "force-majeure", "--number", "1", "--date", "2026-05-06"],
        &["waive", &id, &id, "--ground", "force-majeure", "--document", "x", "--number", "1", "--date", "2026-05-06"],
        &[
            "extend",
            &id,
            "--to",
            "2026-05",
            "--ground",
            "force-majeure",
            "--document",
            "x",
            "--number",
            "1",
            "--date",
            "2026-05-06",
        ],
        &[
            "extend",
            &id,
            "--to",
            "2026-05-06",
            "--ground",
            "citizen-refused",
            "--document",
            "x",
            "--number",
            "1",
            "--date",
            "2026-05-06",
        ],
        &["note", &id, "--text", " "],
        &["note", "17", "--text", "x"],
    ] {
        let finished = world.mezhved(&[&["deadline"], wrong].concat());
        assert_eq!(finished.status, Some(2), "{finished}");
    }
}

#[test]
fn the_page_tells_what_was_done() {
    let world = World::on(Backend::Sqlite).start();
    let (met, waived, extended) = (owed(&world, 20), owed(&world, 0), owed(&world, 0));
    until(&world, &met, "overdue");
    world
        .mezhved(&[
            "deadline",
            "fulfil",
            &met,
            "--by",
            "paper",
            "--at",
            &local(now()),
            "--number",
            "1",
            "--note",
            "Тайное",
        ])
        .done();
    let waive = ["deadline", "waive", &waived, "--ground", "citizen-moved"];
    world.mezhved(&[&waive[..], &DOCUMENT].concat()).done();
    let far = local(now().plus_seconds(30 * DAY));
    let extend = ["deadline", "extend", &extended, "--to", &far[..10], "--ground", "force-majeure"];
    world.mezhved(&[&extend[..], &DOCUMENT].concat()).done();
    let html = world.person("petrova", &["--role", "operator"]).get("/").text;
    let acts = html.split("id=\"h-acts\"").nth(1).unwrap().split("</section>").next().unwrap();
    for words in [
        "исполнено вне шлюза",
        "на бумаге",
        "исполнено с опозданием",
        "решено не требовать исполнения",
        "гражданин переехал",
        "срок продлён",
        "непреодолимая сила",
        "№ 17-р от 06.05.2024",
    ] {
        assert!(acts.contains(words), "no `{words}` in: {acts}");
    }
    assert!(!html.contains("Тайное") && !html.contains("Распоряжение"), "what people worded is not for the page");
    let soon = html.split("id=\"h-soon\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(soon.contains("перенесено; первый срок") && !soon.contains("исполнение не требуется"), "{soon}");
}
