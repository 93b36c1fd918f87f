//! What a message settles whose files come after it: both instants are told, wherever people look.

use mezhved::domain::{CaseId, MessageId};
use serde_json::Value;

use super::{bytes, put, request};
use crate::support::eventually;
use crate::world::{Backend, Person, SOON, World, bodies, now};

const KIND: &str = "guardianship-act";

/// The register's duty to ask, as `deadline explain --json` tells of it.
fn explained(world: &World) -> Value {
    let rows = world.listed(&["deadline", "list"]);
    let row = rows.iter().find(|row| row["rule"] == "document-request").unwrap_or_else(|| panic!("{rows:?}"));
    world.mezhved(&["deadline", "explain", row["id"].as_str().unwrap(), "--json"]).done().json()
}

fn explained_in_words(world: &World) -> String {
    let id = explained(world)["id"].as_str().unwrap().to_owned();
    world.mezhved(&["deadline", "explain", &id]).done().stdout
}

/// What `message show` says that a message settles.
fn settles(world: &World, id: MessageId) -> Value {
    world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json()[0]["settles"][0].clone()
}

/// The application that makes the register owe a request, and the request, whose file is missing.
fn asked(world: &World, file: &[u8]) -> MessageId {
    let register = world.agency("register");
    let case = CaseId::from_uuid(uuid::Uuid::now_v7());
    let mut application =
        register.draft("register", "application", bodies::application(now(), &[(KIND, "guardianship")]));
    application.header.case_id = Some(case);
    world.post(register.sign(&application)).receipt();
    let mut draft = request(world, &[file]);
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    draft.header.message_id
}

fn page(person: &mut Person) -> String {
    person.get("/").text
}

#[test]
fn files_within_the_grace_settle_as_of_the_acceptance_and_both_instants_are_shown_on_sqlite() {
    within(Backend::Sqlite);
}

#[test]
fn files_within_the_grace_settle_as_of_the_acceptance_and_both_instants_are_shown_on_postgresql() {
    within(Backend::Postgres);
}

fn within(backend: Backend) {
    let world = World::on(backend).start();
    let file = bytes(20, 5_000);
    let id = asked(&world, &file);
    let waits = explained(&world);
    assert_eq!((&waits["state"], &waits["settledAt"]), (&Value::from("open"), &Value::Null), "{waits}");
    let late = settles(&world, id);
    assert_eq!(
        (&late["rule"], &late["wholeAt"], &late["countsAt"]),
        (&"document-request".into(), &Value::Null, &Value::Null)
    );
    assert_eq!(waits["lateFiles"][0]["acceptedAs"], late["acceptedAs"]);
    assert!(explained_in_words(&world).contains("файлов ещё нет"), "{}", explained_in_words(&world));
    let mut petrova = world.person("petrova", &["--role", "operator"]);
    let shown = page(&mut petrova);
    assert!(shown.contains("файлы ещё не пришли"), "{shown}");

    assert_eq!(put(&world, "register", &file).status, 201);
    let met = explained(&world);
    assert_eq!((&met["state"], &met["settledAt"]), (&Value::from("met"), &late["acceptedAs"]), "{met}");
    let whole = settles(&world, id);
    assert_eq!((&whole["countsAt"], whole["wholeAt"].is_string()), (&late["acceptedAs"], true));
    assert!(explained_in_words(&world).contains("засчитано"), "{}", explained_in_words(&world));
    assert!(!page(&mut petrova).contains("файлы ещё не пришли"));
    world.until(id, "delivered");
}

#[test]
fn files_after_the_grace_settle_as_of_their_coming() {
    let world = World::on(Backend::Sqlite).setting("attachments.grace_hours = 0").start();
    let file = bytes(21, 5_000);
    let id = asked(&world, &file);
    // At least a millisecond later, as people are told.
    let accepted = settles(&world, id)["acceptedAs"].clone();
    eventually("a later instant", SOON, || (accepted != now().to_string().as_str()).then_some(()));
    assert_eq!(put(&world, "register", &file).status, 201);
    let (met, late) = (explained(&world), settles(&world, id));
    assert_eq!((&met["state"], &met["settledAt"]), (&Value::from("met"), &late["wholeAt"]), "{met}");
    assert_eq!((&late["countsAt"], &late["acceptedAs"]), (&late["wholeAt"], &accepted));
    assert_ne!(late["wholeAt"], accepted);
}
