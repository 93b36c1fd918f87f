//! `partner`: the folder comes in force by `apply` only, whole or not at all, and can be written back.

use serde_json::Value;

use super::{copy_folder, edit};
use crate::support::eventually;
use crate::world::{Agency, Backend, RUNTIME, SOON, World, bodies};

fn name_of(world: &World, id: &str) -> Value {
    let listed = world.mezhved(&["partner", "list", "--json"]).done().json();
    let found = listed["participants"].as_array().unwrap().iter().find(|p| p["id"] == id);
    found.unwrap_or_else(|| panic!("no {id}: {listed}"))["name"].clone()
}

fn differences(world: &World) -> Vec<String> {
    let diff = world.mezhved(&["partner", "diff", "--json"]).done().json();
    diff["differences"].as_array().unwrap().iter().map(|d| d["path"].as_str().unwrap().to_owned()).collect()
}

/// The numbers of the revisions by which the running gateway works.
fn revisions(world: &World) -> (i64, i64) {
    let ready = RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().json();
    (ready["revisions"]["participants"].as_i64().unwrap(), ready["revisions"]["bundle"].as_i64().unwrap())
}

#[test]
fn a_change_comes_in_force_by_apply_and_a_bad_one_not_at_all() {
    let world = World::on(Backend::Sqlite).start();
    assert_eq!((revisions(&world), differences(&world)), ((1, 1), Vec::new()));

    let file = world.file("participants/police.toml");
    edit(&file, "Участник police", "Полиция города");
    assert_eq!(differences(&world), ["participants/police.toml"]);
    let diff = world.mezhved(&["partner", "diff"]).done().stdout;
    assert!(diff.contains("-name = \"Участник police\"") && diff.contains("+name = \"Полиция города\""), "{diff}");
    assert_eq!(name_of(&world, "police"), "Участник police", "nothing is applied silently");

    world.mezhved(&["partner", "apply", "--comment", "new name"]).done();
    assert_eq!(name_of(&world, "police"), "Полиция города");
    eventually("the gateway by the new revision", SOON, || (revisions(&world) == (2, 1)).then_some(()));
    assert_eq!(differences(&world), Vec::<String>::new());
    world.mezhved(&["partner", "apply"]).done();
    assert_eq!(revisions(&world), (2, 1), "nothing differs, nothing is new");

    edit(&file, "Asia/Yekaterinburg", "Asia/Surgut");
    let refused = world.mezhved(&["partner", "apply"]);
    assert!(refused.status == Some(1) && refused.stderr.contains("participants/police.toml:4"), "{refused}");
    assert_eq!(name_of(&world, "police"), "Полиция города");
    // The gateway goes on as it was.
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    assert_eq!(revisions(&world), (2, 1));
}

#[test]
fn what_is_in_force_is_written_into_a_folder_that_is_the_same() {
    let world = World::on(Backend::Sqlite).start();
    let out = world.file("exported");
    world.mezhved(&["partner", "export", "--out", out.to_str().unwrap()]).done();
    // The written folder in place of the own one: nothing differs.
    for part in ["participants", "regulations", "calendars", "adapters"] {
        assert!(out.join(part).is_dir(), "{part}");
        if part == "participants" {
            std::fs::remove_dir_all(world.file(part)).unwrap();
        }
        copy_folder(&out.join(part), &world.file(part));
    }
    assert_eq!(differences(&world), Vec::<String>::new());
    assert!(!out.join("schemas").exists(), "schemas belong to the binary");
}

#[test]
fn apply_prints_what_the_broker_must_allow() {
    // The broker itself is not needed to say so.
    let world = World::on(Backend::Sqlite).broker("amqp://nobody:secret@127.0.0.1:1/x", &["police"]).prepare();
    let applied = world.mezhved(&["partner", "apply"]).done();
    let lines = || applied.stdout.lines().filter(|line| line.contains("set_permissions"));
    let line = lines().find(|line| line.contains(" mezhved-police ")).unwrap_or_else(|| panic!("{applied}"));
    for right in ["mezhved\\.from\\.police", "mezhved\\.to\\.police", "mezhved\\.receipts\\.police"] {
        assert!(line.contains(right), "no {right} in {line}");
    }
    assert!(lines().any(|line| line.contains(" mezhved ")), "the gateway's own account: {applied}");
    assert!(!applied.stdout.contains("guardianship") && !applied.to_string().contains("secret"), "{applied}");
}

#[test]
fn a_new_address_works_without_a_restart() {
    let world = World::on(Backend::Sqlite).start();
    // From now on the guardianship authority listens where the health authority does.
    let (old, new) = (world.partner("guardianship").url(), world.partner("health").url());
    edit(&world.file("participants/guardianship.toml"), old, new);
    apply(&world, 2);
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    eventually("the request at the new address", SOON, || world.partner("health").message(request.header.message_id));
}

#[test]
fn keys_change_with_both_in_force_for_a_while_and_without_a_restart() {
    let world = World::on(Backend::Sqlite).start();
    let (old, new) = (world.agency("guardianship"), Agency::generate(&world.file("new"), "guardianship"));
    std::fs::copy(&new.certificate_file, world.file("participants/guardianship-2.crt")).unwrap();
    let file = world.file("participants/guardianship.toml");
    let signed_by = |agency: &Agency| {
        let draft = agency.draft("register", "document-request", bodies::request("study-certificate"));
        world.post(agency.sign(&draft)).status
    };
    assert_eq!((signed_by(old), signed_by(&new)), (200, 401));
    edit(
        &file,
        "{ file = \"guardianship.crt\" }",
        "{ file = \"guardianship.crt\" }, { file = \"guardianship-2.crt\" }",
    );
    apply(&world, 2);
    assert_eq!((signed_by(old), signed_by(&new)), (200, 200));
    edit(&file, "{ file = \"guardianship.crt\" }, ", "");
    apply(&world, 3);
    assert_eq!((signed_by(old), signed_by(&new)), (401, 200));
}

/// Puts the folder in force and waits until the gateway works by that revision of the participants.
fn apply(world: &World, revision: i64) {
    world.mezhved(&["partner", "apply"]).done();
    eventually("the gateway by the new revision", SOON, || (revisions(world) == (revision, 1)).then_some(()));
}
