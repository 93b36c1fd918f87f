//! Messages are found by the numbers of their documents, and by the people whom they are about: by whom, in whose part, and what is kept.

use mezhved::domain::MessageId;
use serde_json::{Value, json};

use super::api::{described, problem};
use crate::world::{Backend, Page, Person, World, bodies};

const SEARCH: &str = "/api/v1/messages/search";
const NAME: [(&str, &str); 3] = [("family", "ОБРАЗЦОВ"), ("given", "Петр"), ("birth-date", "1948-01-09")];

fn request(world: &World, body: &str) -> MessageId {
    let register = world.agency("register");
    let draft = register.draft("guardianship", "document-request", body);
    world.post(register.sign(&draft)).receipt();
    draft.header.message_id
}

fn shows(page: &Page, id: MessageId) -> bool {
    assert_eq!(page.status, 200, "{}", page.text);
    page.text.contains(&id.to_string())
}

#[test]
fn a_message_is_found_by_the_number_of_its_document() {
    let world = World::on(Backend::Sqlite).start();
    let first = request(&world, &bodies::request("guardianship-act"));
    let other = bodies::replaced(&bodies::request("guardianship-act"), ">452<", ">01–17/АМ<");
    let second = request(&world, &other);
    let mut petrova = world.person("petrova", &["--role", "operator"]);
    // The second as it may be typed: another dash, Latin letters.
    for (query, found) in [
        ("number=452", [true, false]),
        ("number=452&number-kind=outgoing&participant=guardianship", [true, false]),
        ("number=452&number-kind=incoming", [false, false]),
        ("number=01-17%2FAM", [false, true]),
        ("number=45", [false, false]),
    ] {
        let page = petrova.get(&format!("/messages?{query}"));
        assert_eq!([first, second].map(|id| shows(&page, id)), found, "{query}");
    }
    for wrong in ["number-kind=outgoing", "number=%E2%84%96", "number=1&number-kind=x"] {
        let page = petrova.get(&format!("/messages?{wrong}"));
        assert!(page.text.contains("role=\"alert\"") && !shows(&page, first), "{wrong}: {}", page.text);
    }
    let mut police = world.person("police", &["--role", "operator", "--participant", "police"]);
    assert!(!shows(&police.get("/messages?number=452"), first));

    world.add_account("night", &["--role", "operator"]);
    let mut script = world.script("night", &["see-messages"]);
    let listed = |page: &Page| described(page, "get", "/api/v1/messages");
    let found = listed(&script.get("/api/v1/messages?number=452&number-kind=outgoing"));
    assert_eq!(ids(&found), [first.to_string()], "{found:#}");
    assert_eq!(ids(&listed(&script.get("/api/v1/messages?number=452&number-kind=registration"))), [""; 0]);
    problem(&script.get("/api/v1/messages?number=1&number-kind=x"), 400, "bad-query");
}

fn ids(listed: &Value) -> Vec<&str> {
    listed["items"].as_array().unwrap().iter().map(|item| item["messageId"].as_str().unwrap()).collect()
}

/// Somebody whose page with the form was opened, for its token.
fn opened(world: &World, login: &str, options: &[&str]) -> Person {
    let mut person = world.person(login, &[&["--role", "operator"], options].concat());
    assert_eq!(person.get("/messages/search").status, 200);
    person
}

#[test]
fn messages_about_somebody_are_found_by_who_may_and_the_journal_knows_no_name() {
    found_by_person(Backend::Sqlite);
}

#[test]
fn messages_about_somebody_are_found_on_postgresql() {
    found_by_person(Backend::Postgres);
}

fn found_by_person(backend: Backend) {
    let world = World::on(backend).start();
    let first = request(&world, &bodies::request("guardianship-act"));
    let other = bodies::replaced(&bodies::request("guardianship-act"), "Образцов", "Иванова-Петрова");
    let other = bodies::replaced(&other, "<c:snils>999-000-202 22</c:snils>", "<c:snils>112-233-445 95</c:snils>");
    let second = request(&world, &other);
    let searched =
        || world.number("SELECT COUNT(*) FROM journal WHERE kind = 'person-searched' AND actor LIKE 'account:%'");

    let mut petrova = opened(&world, "petrova", &[]);
    for (asked, found) in [
        (&NAME[..], [true, false]),
        (&[("snils", "99900020222")], [true, false]),
        (&[("snils", "112 233 445 95")], [false, true]),
        (&[("family", "иванова петрова"), ("given", "Пётр"), ("birth-date", "1948-01-09")], [false, true]),
        (&[("family", "Образцов"), ("given", "Пётр"), ("birth-date", "1948-01-10")], [false, false]),
    ] {
        let page = petrova.post("/messages/search", asked);
        assert_eq!([first, second].map(|id| shows(&page, id)), found, "{asked:?}");
    }
    assert_eq!(searched(), 5);
    let wrong = petrova.post("/messages/search", &[("snils", "999-000-202 21")]);
    assert!(wrong.text.contains("Не заполнено или не читается: СНИЛС"), "{}", wrong.text);
    assert_eq!(petrova.post_bare("/messages/search", &NAME).status, 403, "without the form's token");
    // Who has not the right, and another agency's part.
    let mut auditor = world.person("auditor", &["--role", "auditor"]);
    auditor.get("/own/password");
    assert!(!auditor.get("/messages").text.contains("/messages/search"));
    assert_eq!((auditor.get("/messages/search").status, auditor.post("/messages/search", &NAME).status), (403, 403));
    assert_eq!(searched(), 5);
    for (login, options) in [
        ("police", ["--participant", "police"]),
        ("far", ["--territory", "66"]),
        ("narrow", ["--data-class", "health"]),
    ] {
        let page = opened(&world, login, &options).post("/messages/search", &NAME);
        assert!(page.text.contains("сообщений об этом человеке нет") && !shows(&page, first), "{login}: {}", page.text);
    }
    let own = opened(&world, "own", &["--participant", "guardianship"]).post("/messages/search", &NAME);
    assert!(shows(&own, first), "{}", own.text);
    assert_eq!(searched(), 9);

    // A script: the same, and no more than its token may.
    let mut script = world.script("petrova", &["see-messages", "see-personal-data"]);
    let name = json!({ "family": "Образцов", "given": "Пётр", "birthDate": "1948-01-09" });
    let found = described(&script.ask(SEARCH, &name), "post", SEARCH);
    assert_eq!((ids(&found), &found["next"]), (vec![first.to_string().as_str()], &Value::Null));
    problem(&script.ask(SEARCH, &json!({ "snils": "1" })), 400, "bad-body");
    problem(&script.ask(SEARCH, &json!({ "snils": "99900020222", "limit": 101 })), 400, "bad-body");
    problem(&script.ask(&format!("{SEARCH}?family=x"), &name), 400, "bad-query");
    problem(&world.script("petrova", &["see-personal-data"]).ask(SEARCH, &name), 403, "forbidden");
    assert_eq!(searched(), 10);

    // What is kept: rows with hashes, and the name nowhere but in the contents.
    assert_eq!(world.number("SELECT COUNT(*) FROM message_people"), 4);
    assert_eq!(world.number("SELECT COUNT(*) FROM message_people WHERE LENGTH(hash) = 32"), 4);
    let details = "SELECT COUNT(*) FROM journal WHERE kind = 'person-searched' AND detail LIKE '%\"hash\":\"%' \
                   AND LOWER(detail) NOT LIKE '%бразцов%' AND detail NOT LIKE '%1948%' AND detail NOT LIKE '%99900020222%'";
    assert_eq!(world.number(details), 10);
}

#[test]
fn messages_of_before_the_index_are_found_once_they_were_indexed() {
    let world = World::on(Backend::Sqlite).start();
    let id = request(&world, &bodies::request("guardianship-act"));
    world.until(id, "delivered");
    // As if an older node had taken it.
    world.change("DELETE FROM message_people");
    world.change("DELETE FROM message_numbers");
    let mut petrova = opened(&world, "petrova", &[]);
    assert!(!shows(&petrova.post("/messages/search", &NAME), id));
    let done = world.mezhved(&["message", "index"]).done();
    assert!(done.stdout.contains("indexed: 1;") && done.stdout.contains("not readable: 0"), "{done}");
    assert!(shows(&petrova.post("/messages/search", &NAME), id));
    assert!(shows(&petrova.get("/messages?number=452"), id));
    let again = world.mezhved(&["message", "index"]).done();
    assert!(again.stdout.contains("looked at: 0;"), "{again}");
    let all = world.mezhved(&["message", "index", "--from-start"]).done();
    assert!(all.stdout.contains("indexed: 1;"), "{all}");
    assert_eq!(world.number("SELECT COUNT(*) FROM message_people"), 2);
}
