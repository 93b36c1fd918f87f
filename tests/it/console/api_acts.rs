//! What scripts do: the acts of the pages, harmless to repeat, and in the journal under the account.

use mezhved::domain::MessageId;
use serde_json::{Value, json};

use super::api::{described, owed, problem};
use crate::world::{Backend, Behaviour, Person, World, bodies};

const RIGHTS: [&str; 6] =
    ["see-obligations", "see-messages", "see-personal-data", "see-queues", "act-on-obligations", "act-on-queues"];

fn one(act: &str) -> String {
    format!("/api/v1/obligations/{{id}}/{act}")
}

/// What is wrong is told by its field, and nothing is entered.
fn mistakes_are_told(script: &mut Person, id: &str) {
    let address = |act: &str| format!("/api/v1/obligations/{id}/{act}");
    let document = json!({ "name": "Решение-17б", "number": "17", "date": "2026-01-12" });
    for (act, body, field) in [
        ("note", json!({ "note": " " }), json!("note")),
        ("note", json!({ "text": "x" }), Value::Null),
        ("fulfil", json!({ "way": "pigeon", "at": "2026-01-12" }), json!("way")),
        ("fulfil", json!({ "way": "paper", "at": "2026-01-12" }), json!("number")),
        ("fulfil", json!({ "way": "phone", "at": "вчера" }), json!("at")),
        ("waive", json!({ "ground": "x", "document": document }), json!("ground")),
        (
            "waive",
            json!({ "ground": "citizen-refused", "document": { "name": "x", "number": "1", "date": "2999-01-01" } }),
            json!("document.date"),
        ),
        ("waive", json!({ "ground": "citizen-refused" }), Value::Null),
    ] {
        let page = script.ask(&address(act), &body);
        problem(&page, 400, "bad-body");
        assert_eq!(page.json()["field"], field, "{body}: {}", page.text);
    }
    problem(&script.post_bare(&address("note"), &[("note", "x")]), 415, "media-type");
    let long = json!({ "note": "я".repeat(64 * 1024) });
    problem(&script.ask(&address("note"), &long), 413, "too-large");
    problem(&script.ask(&address("fulfil"), &json!({ "way": "phone", "at": "2999-01-01" })), 409, "conflict");
}

#[test]
fn a_script_reminds_notes_extends_and_waives_and_repeating_is_harmless() {
    let world = World::on(Backend::Sqlite).start();
    let (_, id, _) = owed(&world);
    world.add_account("night", &["--role", "operator"]);
    let mut script = world.script("night", &RIGHTS);
    let address = |act: &str| format!("/api/v1/obligations/{id}/{act}");

    described(&script.ask(&address("remind"), &Value::Null), "post", &one("remind"));
    problem(&script.ask(&address("remind"), &Value::Null), 409, "conflict");
    let note = json!({ "note": "звонили" });
    for already in [false, true] {
        let done = described(&script.ask(&address("note"), &note), "post", &one("note"));
        assert_eq!(
            (&done["already"], &done["act"]["worded"]["note"]),
            (&json!(already), &json!("звонили")),
            "{done:#}"
        );
    }
    assert_eq!(
        world.number("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-noted' AND actor LIKE 'account:%'"),
        1
    );

    mistakes_are_told(&mut script, &id);
    let document = json!({ "name": "Решение-17б", "number": "17", "date": "2026-01-12" });
    let shown = script.get(&format!("/api/v1/obligations/{id}")).json();
    let due = shown["due"].as_str().unwrap().to_owned();
    let until = "2999-12-31";
    let extend = |expected: &str| json!({ "ground": "agreed-extension", "document": document, "until": until, "expectedDue": expected });
    let stale = script.ask(&address("extend"), &extend("2026-01-12"));
    problem(&stale, 409, "conflict");
    let done = described(&script.ask(&address("extend"), &extend(&due)), "post", &one("extend"));
    assert_eq!(done["act"]["dueBefore"], due.as_str(), "{done:#}");
    assert!(done["obligation"]["due"].as_str().unwrap().starts_with("2999-12-31T23:59:59"), "{done:#}");
    assert_eq!(done["obligation"]["originalDue"], due.as_str(), "{done:#}");
    let again = described(&script.ask(&address("extend"), &extend(&due)), "post", &one("extend"));
    assert_eq!(again["already"], true, "a repetition is told as such: {again:#}");

    let waive = json!({ "ground": "citizen-refused", "document": document, "note": "особое мнение" });
    for already in [false, true] {
        let done = described(&script.ask(&address("waive"), &waive), "post", &one("waive"));
        assert_eq!((&done["already"], &done["obligation"]["state"]), (&json!(already), &json!("waived")), "{done:#}");
    }
    let late = script.ask(&address("fulfil"), &json!({ "way": "phone", "at": "2026-01-12" }));
    problem(&late, 409, "conflict");
    assert!(late.json()["detail"].as_str().unwrap().contains("уже закрыто"), "{}", late.text);

    // Without the right to personal data what people worded is not told.
    let mut masked = world.script("night", &["see-obligations", "act-on-obligations"]);
    let page = masked.get(&format!("/api/v1/obligations/{id}"));
    let shown = described(&page, "get", "/api/v1/obligations/{id}");
    assert_eq!(shown["acts"].as_array().unwrap().len(), 4, "{shown:#}");
    for word in ["звонили", "Решение-17б", "особое мнение"] {
        assert!(!page.text.contains(word), "{word}: {shown:#}");
    }
}

#[test]
fn what_was_met_outside_is_entered_by_a_script() {
    let world = World::on(Backend::Sqlite).start();
    let (_, id, _) = owed(&world);
    world.add_account("night", &["--role", "operator"]);
    let mut script = world.script("night", &RIGHTS);
    let address = format!("/api/v1/obligations/{id}/fulfil");
    let now = crate::world::now().to_string();
    let wish = json!({ "way": "paper", "at": now, "number": "17-исх", "actedBy": "Архив", "scan": "0".repeat(64) });
    for already in [false, true] {
        let done = described(&script.ask(&address, &wish), "post", &one("fulfil"));
        assert_eq!((&done["already"], &done["obligation"]["state"]), (&json!(already), &json!("met")), "{done:#}");
        assert_eq!(done["obligation"]["settleKind"], "outside", "{done:#}");
    }
}

/// A request that its recipient refused.
fn refused(world: &World) -> MessageId {
    let register = world.agency("register");
    let draft = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&draft)).receipt();
    world.until(draft.header.message_id, "refused");
    draft.header.message_id
}

#[test]
fn a_script_holds_a_queue_and_decides_about_what_was_not_delivered() {
    let world = World::on(Backend::Sqlite).start();
    world.add_account("night", &["--role", "operator"]);
    let mut script = world.script("night", &RIGHTS);
    world.partner("guardianship").behave(Behaviour::Fault("content-invalid".to_owned()));
    let sent = [refused(&world), refused(&world), refused(&world)];
    let mut address = "/api/v1/dead?state=refused&to=guardianship&limit=1".to_owned();
    let mut ids = Vec::new();
    loop {
        let page = described(&script.get(&address), "get", "/api/v1/dead");
        ids.extend(page["items"].as_array().unwrap().iter().map(|d| d["delivery"]["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        address = next.to_owned();
    }
    assert_eq!(ids.len(), 3, "{ids:?}");
    let dead = |n: usize, act: &str| format!("/api/v1/dead/{}/{act}", ids[n]);
    let shown = described(&script.get(&format!("/api/v1/dead/{}", ids[0])), "get", "/api/v1/dead/{id}");
    assert_eq!(shown["message"]["messageId"], sent[0].to_string(), "the oldest first: {shown:#}");

    let why = json!({ "reason": "Система исправлена" });
    world.partner("guardianship").behave(Behaviour::Receipt);
    described(&script.ask(&dead(0, "replay"), &why), "post", "/api/v1/dead/{id}/replay");
    world.until(sent[0], "delivered");
    problem(&script.ask(&dead(0, "discard"), &why), 409, "conflict");
    problem(&script.ask(&dead(1, "discard"), &json!({ "reason": " " })), 400, "bad-body");
    described(&script.ask(&dead(1, "discard"), &why), "post", "/api/v1/dead/{id}/discard");
    world.until(sent[1], "discarded");
    problem(&script.ask(&dead(1, "replay"), &why), 409, "conflict");

    let queue = |act: &str| format!("/api/v1/queues/guardianship/{act}");
    problem(&script.ask(&queue("stop"), &json!({ "reason": "" })), 400, "bad-body");
    problem(&script.ask("/api/v1/queues/nobody-here/stop", &why), 404, "not-found");
    for changed in [true, false] {
        let said = described(&script.ask(&queue("stop"), &why), "post", "/api/v1/queues/{id}/stop");
        assert_eq!((&said["state"], &said["changed"]), (&json!("stopped"), &json!(changed)), "{said}");
    }
    let stopped = script.ask(&dead(2, "replay"), &why);
    problem(&stopped, 409, "conflict");
    assert!(stopped.json()["detail"].as_str().unwrap().contains("guardianship"), "{}", stopped.text);
    described(&script.ask(&queue("pause"), &why), "post", "/api/v1/queues/{id}/pause");
    described(&script.ask(&queue("resume"), &why), "post", "/api/v1/queues/{id}/resume");
    let one = described(&script.get("/api/v1/queues/guardianship"), "get", "/api/v1/queues/{id}");
    assert_eq!((&one["state"], one["history"].as_array().unwrap().len()), (&json!("running"), 3), "{one:#}");
    let by = "SELECT COUNT(*) FROM journal WHERE kind IN ('delivery-replayed', 'delivery-discarded') AND actor LIKE 'account:%'";
    assert_eq!(world.number(by), 2);
}

#[test]
fn a_body_is_shown_to_a_script_that_may_and_the_journal_knows() {
    let world = World::on(Backend::Sqlite).start();
    let (record, ..) = owed(&world);
    let address = |act: &str| format!("/api/v1/messages/{record}/{act}");
    let shown = |kind: &'static str| match kind {
        "body" => {
            world.number("SELECT COUNT(*) FROM journal WHERE kind = 'personal-data-shown' AND actor LIKE 'account:%'")
        }
        _ => world.number("SELECT COUNT(*) FROM journal WHERE kind = 'envelope-downloaded' AND actor LIKE 'account:%'"),
    };
    world.add_account("narrow", &["--role", "operator", "--data-class", "health"]);
    let mut narrow = world.script("narrow", &RIGHTS);
    problem(&narrow.ask(&address("body"), &Value::Null), 403, "forbidden");
    problem(&narrow.ask(&address("envelope"), &Value::Null), 403, "forbidden");
    assert_eq!((shown("body"), shown("envelope")), (0, 0));
    world.add_account("night", &["--role", "operator"]);
    let mut script = world.script("night", &RIGHTS);
    let body = described(&script.ask(&address("body"), &Value::Null), "post", "/api/v1/messages/{id}/body");
    assert!(body["canonical"].as_str().unwrap().contains(bodies::PERSONAL[0]), "{body:#}");
    let file = script.ask(&address("envelope"), &Value::Null);
    assert_eq!(
        (file.status, &file.headers["content-type"]),
        (200, &"application/xml".parse().unwrap()),
        "{}",
        file.text
    );
    assert!(file.text.contains("Signature"), "{}", file.text);
    assert_eq!((shown("body"), shown("envelope")), (1, 1));
}
