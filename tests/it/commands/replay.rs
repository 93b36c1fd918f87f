//! `message` and `journal`: a parked delivery is found, mended and sent again; the journal shows if it was touched.

use super::{copy_folder, edit, project};
use crate::support::eventually;
use crate::world::{Backend, Behaviour, RUNTIME, SOON, World, bodies};

#[test]
fn a_delivery_parked_by_a_broken_adapter_is_delivered_once_it_is_mended_and_replayed() {
    let mut world = World::on(Backend::Sqlite).prepare();
    copy_folder(&project("adapters/health"), &world.file("adapters/health"));
    let template = world.file("adapters/health/templates/request.out.xml");
    edit(&template, "body.legalAct)", "body.legalActs)");
    world.serve();
    let register = world.agency("register");
    let request = register.draft("health", "document-request", bodies::request("medical-conclusion"));
    let id = request.header.message_id.to_string();
    world.post(register.sign(&request)).receipt();
    let parked = world.until(request.header.message_id, "parked");
    assert_eq!(parked["reason"], "translation-failed", "{parked}");
    let detail = parked["detail"].as_str().unwrap();
    let text = std::fs::read_to_string(&template).unwrap();
    let line = text.lines().position(|line| line.contains("legalActs")).unwrap() + 1;
    let place = format!("adapters/health/templates/request.out.xml:{line}:");
    assert!(detail.contains(&place) && detail.contains("legalActs"), "file, line and reason: {detail}");

    assert_eq!(world.undelivered(1)[0]["message"]["messageId"], id.as_str());
    for shown in [world.mezhved(&["message", "show", &id]).done(), world.mezhved(&["message", "list"]).done()] {
        let personal = bodies::PERSONAL.iter().find(|personal| shown.stdout.contains(**personal));
        assert_eq!(personal, None, "{shown}");
    }

    edit(&template, "body.legalActs)", "body.legalAct)");
    world.mezhved(&["partner", "apply"]).done();
    eventually("the gateway by the mended adapter", SOON, || {
        let ready = RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().json();
        (ready["revisions"]["bundle"] == 2).then_some(())
    });
    let replayed = world.mezhved(&["message", "replay", &id, "--retranslate"]).done();
    assert!(replayed.stdout.contains("queued again: 1"), "{replayed}");
    world.until(request.header.message_id, "delivered");
    assert_eq!(world.partner("health").counts(), (1, 1));
    world.undelivered(0);

    // Harmless to repeat.
    let again = world.mezhved(&["message", "replay", &id, "--retranslate"]).done();
    assert!(again.stdout.contains("queued again: 0"), "{again}");
}

#[test]
fn messages_are_listed_by_party_and_type_and_an_unknown_one_is_status_1() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    world.partner("guardianship").behave(Behaviour::Silent);
    for (to, kind) in
        [("guardianship", "guardianship-act"), ("health", "medical-conclusion"), ("police", "criminal-record")]
    {
        let draft = register.draft(to, "document-request", bodies::request(kind));
        world.post(register.sign(&draft)).receipt();
        world.until(draft.header.message_id, if to == "health" { "delivered" } else { "sent" });
    }
    let count = |arguments: &[&str]| {
        world.listed(&[&["message", "list", "--type", "document-request"], arguments].concat()).len()
    };
    assert_eq!(
        (count(&[]), count(&["--party", "police"]), count(&["--party", "register"]), count(&["--limit", "2"])),
        (3, 1, 3, 2)
    );
    assert_eq!(world.listed(&["message", "list", "--party", "employment"]).len(), 0);
    let absent = crate::world::new_id().to_string();
    for command in [&["message", "show", absent.as_str()][..], &["message", "replay", absent.as_str()]] {
        let refused = world.mezhved(command);
        assert!(refused.status == Some(1) && refused.stderr.contains(&absent), "{refused}");
    }
    let owed = world.listed(&["deadline", "list", "--debtor", "health"]);
    assert!(owed.iter().any(|row| row["rule"] == "document-answer" && row["state"] == "open"), "{owed:?}");
    assert!(world.listed(&["deadline", "list", "--overdue"]).is_empty());
}

#[test]
fn a_journal_that_was_touched_is_found_out() {
    let mut world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    world.until(request.header.message_id, "delivered");
    assert_eq!(world.process().stop(), Some(0));
    let whole = world.mezhved(&["journal", "verify", "--json"]).done().json();
    assert!(whole["unsealed"] == 0 && whole["rows"].as_u64() > Some(3), "a clean stop seals: {whole}");
    let exported = world.mezhved(&["journal", "export"]).done().stdout;
    assert_eq!(exported.lines().count(), usize::try_from(whole["rows"].as_u64().unwrap()).unwrap());
    for line in exported.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    world.change("UPDATE journal SET actor = 'nobody' WHERE seq = 2");
    let found = world.mezhved(&["journal", "verify"]);
    assert!(found.status == Some(1) && found.stderr.contains('2'), "{found}");
    world.change("DELETE FROM journal WHERE seq = 2");
    assert_eq!(world.mezhved(&["journal", "verify"]).status, Some(1), "a row taken out");
}
