//! The JSON API: who may, whose part it is, and whether it answers what it says that it answers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mezhved::access::Right;
use mezhved::console::{Access, openapi, table};
use mezhved::domain::CaseId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{eventually, mezhved};
use crate::world::{Backend, Behaviour, Page, Person, SOON, World, bodies, now};

/// The rights to look at what holds no personal data.
const LOOKS: [&str; 7] = [
    "see-overview",
    "see-obligations",
    "see-messages",
    "see-queues",
    "see-reports",
    "see-configuration",
    "see-journal",
];
const NOWHERE: &str = "01a22008-7f45-7525-8e8a-a82c5729c8d9";

/// The path with this in place of its parameters.
fn filled(path: &str, id: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { id.to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn ask(script: &mut Person, method: &str, path: &str) -> Page {
    if method == "GET" { script.get(path) } else { script.ask(path, &json!({})) }
}

/// A problem of RFC 9457 with this code, told in both languages.
pub(super) fn problem(page: &Page, status: u16, code: &str) {
    assert_eq!(page.status, status, "{}", page.text);
    assert_eq!(page.headers["content-type"], "application/problem+json", "{}", page.text);
    let said = page.json();
    assert_eq!((said["code"].as_str(), said["status"].as_u64()), (Some(code), Some(u64::from(status))), "{said}");
    assert_eq!(said["type"], format!("urn:mezhved:problem:{code}"));
    for text in ["title", "detail"] {
        let (ru, en) = said[text].as_str().unwrap().split_once(" / ").unwrap_or_else(|| panic!("{said}"));
        assert!(ru.chars().any(|c| ('а'..='я').contains(&c)) && !en.is_empty(), "{said}");
    }
    assert!(PROBLEM.is_valid(&said), "{said}");
}

static PROBLEM: LazyLock<jsonschema::Validator> = LazyLock::new(|| validator("Problem"));

fn validator(schema: &str) -> jsonschema::Validator {
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{schema}"),
        "components": openapi()["components"],
    });
    jsonschema::validator_for(&whole).unwrap()
}

/// The answer, which is as the document describes the answer of this operation.
pub(super) fn described(page: &Page, method: &str, path: &str) -> Value {
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    let answer = &openapi()["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"];
    let reference = answer["$ref"].as_str().unwrap_or_else(|| panic!("{path}: {answer}"));
    let (said, known) = (page.json(), validator(reference.rsplit('/').next().unwrap()));
    let wrong: Vec<String> = known.iter_errors(&said).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{path}: {wrong:#?}\n{said:#}");
    said
}

#[test]
fn each_route_of_the_api_is_shut_to_who_may_not() {
    let world = World::on(Backend::Sqlite).start();
    world.add_account("all", &["--role", "operator", "--role", "administrator", "--role", "auditor"]);
    // A token for each right, with no other right; and one that was revoked.
    let mut scripts: BTreeMap<&str, Person> = BTreeMap::new();
    for right in Right::ALL.iter().filter(|right| **right != Right::OwnAccess) {
        scripts.insert(right.as_str(), world.script("all", &[right.as_str()]));
    }
    let every: Vec<&str> = scripts.keys().copied().collect();
    world.add_account("gone", &["--role", "operator", "--role", "administrator", "--role", "auditor"]);
    let mut revoked = world.script("gone", &every);
    assert_eq!(revoked.get("/api/v1/access").status, 200);
    let row = world.listed(&["account", "token", "list", "gone"]).remove(0);
    world.mezhved(&["account", "token", "revoke", "gone", row["id"].as_str().unwrap()]).done();
    let mut nobody = Person::nobody(world.gateway().console());
    let mut browser = world.person("petrova", &["--role", "operator", "--role", "administrator"]);
    for route in table().iter().filter(|route| route.path.starts_with("/api/")) {
        let (method, path) = (route.method.as_str(), filled(route.path, NOWHERE));
        if route.access == Access::Open {
            assert_eq!(nobody.get(&path).status, 200, "{path}");
            continue;
        }
        for shut in [&mut nobody, &mut revoked] {
            let page = ask(shut, method, &path);
            problem(&page, 401, "unauthorized");
            assert_eq!(page.headers["www-authenticate"], "Bearer", "{path}");
        }
        let Access::Right(right) = route.access else { continue };
        for (own, script) in &mut scripts {
            let page = ask(script, method, &path);
            if *own == right.as_str() {
                assert!(![401, 403, 405].contains(&page.status) && page.status < 500, "{path}: {}", page.text);
            } else {
                problem(&page, 403, "forbidden");
            }
        }
        if method == "POST" {
            // A session changes nothing without its token, whatever site the form is on.
            problem(&browser.ask(&path, &json!({})), 403, "csrf");
        }
    }
    // What is nowhere is told to a script as to everybody.
    problem(&nobody.get("/api/v1/nothing"), 404, "not-found");
    // With its token a session may, but for another site.
    let csrf = browser.get("/api/v1/access").json()["csrf"].as_str().unwrap().to_owned();
    browser.headers = vec![("mezhved-csrf", csrf.clone())];
    let path = "/api/v1/queues/guardianship/pause";
    described(&browser.ask(path, &json!({ "reason": "Работы" })), "post", "/api/v1/queues/{id}/pause");
    browser.headers.push(("origin", "https://evil.example".to_owned()));
    problem(&browser.ask(path, &json!({ "reason": "Работы" })), 403, "csrf");
    browser.headers = vec![("mezhved-csrf", "0".repeat(csrf.len()))];
    problem(&browser.ask(path, &json!({ "reason": "Работы" })), 403, "csrf");
    // A token tells no such secret, for it needs none.
    assert_eq!(scripts.get_mut("see-queues").unwrap().get("/api/v1/access").json()["csrf"], Value::Null);
    // Until a password that somebody else gave is changed, nothing is shown.
    world.mezhved_told(&["account", "password", "petrova", "--must-change"], crate::world::PASSWORD).done();
    browser.headers.clear();
    browser.sign_in("petrova", crate::world::PASSWORD);
    problem(&browser.get("/api/v1/queues"), 403, "must-change");
}

/// A request that was delivered and whose answer is owed: its message, obligation and conversation.
pub(super) fn owed(world: &World) -> (String, String, String) {
    let register = world.agency("register");
    let draft = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&draft)).receipt();
    world.until(draft.header.message_id, "delivered");
    let owed = eventually("the answer is owed", SOON, || {
        let found = world.listed(&["deadline", "list", "--state", "open,warned"]);
        found.into_iter().find(|owed| owed["debtor"] == "guardianship")
    });
    let shown = world.mezhved(&["message", "show", &draft.header.message_id.to_string(), "--json"]).done().json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&shown[0]["recordId"]), text(&owed["id"]), text(&shown[0]["conversationId"]))
}

/// Bodies of acts that could be done.
fn acts() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("note", json!({ "note": "x" })),
        ("fulfil", json!({ "way": "phone", "at": "2026-01-12" })),
        (
            "waive",
            json!({ "ground": "citizen-refused", "document": { "name": "x", "number": "1", "date": "2026-01-12" } }),
        ),
        (
            "extend",
            json!({ "ground": "x", "until": "2026-01-12", "document": { "name": "x", "number": "1", "date": "2026-01-12" } }),
        ),
        ("replay", json!({ "reason": "x" })),
        ("discard", json!({ "reason": "x" })),
        ("pause", json!({ "reason": "x" })),
        ("resume", json!({ "reason": "x" })),
        ("stop", json!({ "reason": "x" })),
    ])
}

#[test]
fn another_agencys_part_is_not_there_for_a_script() {
    let world = World::on(Backend::Sqlite).start();
    let (record, obligation, conversation) = owed(&world);
    world.partner("guardianship").behave(Behaviour::Fault("content-invalid".to_owned()));
    let register = world.agency("register");
    let draft = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&draft)).receipt();
    world.until(draft.header.message_id, "refused");
    let rights =
        ["see-obligations", "see-messages", "see-personal-data", "see-queues", "act-on-obligations", "act-on-queues"];
    world.add_account("all", &["--role", "operator"]);
    let mut all = world.script("all", &rights);
    let dead = described(&all.get("/api/v1/dead"), "get", "/api/v1/dead");
    let dead = dead["items"][0]["delivery"]["id"].as_str().unwrap().to_owned();
    let of = |path: &str| match path.split('/').nth(3).unwrap() {
        "obligations" => filled(path, &obligation),
        "messages" => filled(path, &record),
        "conversations" => filled(path, &conversation),
        "queues" => filled(path, "guardianship"),
        _ => filled(path, &dead),
    };
    let divided = |path: &str| {
        ["obligations", "messages", "conversations", "queues", "dead"].contains(&path.split('/').nth(3).unwrap())
    };
    let acts = acts();
    for (login, options) in [("police", ["--participant", "police"]), ("far", ["--territory", "66"])] {
        world.add_account(login, &[&["--role", "operator"][..], &options].concat());
        let mut far = world.script(login, &rights);
        for route in table().iter().filter(|route| route.path.starts_with("/api/") && divided(route.path)) {
            let path = of(route.path);
            if !route.path.contains('{') {
                let listed = far.get(&path);
                assert_eq!(listed.status, 200, "{path}");
                for secret in [&record, &obligation, &conversation, &dead] {
                    assert!(!listed.text.contains(secret.as_str()), "{path} by {login}: {}", listed.text);
                }
            } else if route.method == "GET" {
                assert_ne!(all.get(&path).status, 404, "{path}");
                problem(&far.get(&path), 404, "not-found");
            } else {
                let act = route.path.rsplit('/').next().unwrap();
                problem(&far.ask(&path, acts.get(act).unwrap_or(&Value::Null)), 404, "not-found");
            }
        }
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM journal WHERE kind = 'personal-data-shown'"), 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM obligation_acts WHERE author LIKE 'account:%'"), 0);
    // Nobody lets himself off: the debtor sees it and may not waive it.
    world.add_account("debtor", &["--role", "operator", "--participant", "guardianship"]);
    let mut debtor = world.script("debtor", &rights);
    let shown = described(&debtor.get(&of("/api/v1/obligations/{id}")), "get", "/api/v1/obligations/{id}");
    assert_eq!(shown["mayRelease"], false);
    for act in ["waive", "extend"] {
        problem(&debtor.ask(&of(&format!("/api/v1/obligations/{{id}}/{act}")), &acts[act]), 403, "forbidden");
    }
}

#[test]
fn what_is_answered_is_what_is_described() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let (record, obligation, conversation) = owed(&world);
    let mut application = register.draft(
        "register",
        "application",
        bodies::application(now().plus_seconds(-60), &[("medical-conclusion", "health")]),
    );
    application.header.case_id = Some(CaseId::from_uuid(Uuid::now_v7()));
    world.post(register.sign(&application)).receipt();
    world.add_account("all", &["--role", "operator", "--role", "administrator"]);
    let mut script = world.script("all", &LOOKS);
    let mut seen = 0;
    for route in table().iter().filter(|r| r.path.starts_with("/api/") && r.method == "GET" && r.access != Access::Open)
    {
        let id: &str = match route.path.split('/').nth(3).unwrap() {
            "obligations" => &obligation,
            "messages" => &record,
            "conversations" => &conversation,
            "reports" => "register-applications",
            // There is none; another test has one.
            "dead" if route.path.contains('{') => continue,
            _ => "guardianship",
        };
        let path = filled(route.path, id);
        let page = script.get(&path);
        described(&page, "get", route.path);
        assert_eq!(bodies::PERSONAL.iter().find(|personal| page.text.contains(**personal)), None, "{path}");
        assert_eq!(page.headers["cache-control"], "private, no-cache");
        // Whoever has it already is told so, once nothing moves any more; and a mistyped filter is refused.
        eventually(&format!("{path} is told once"), SOON, || {
            let tag = script.get(&path).headers["etag"].to_str().unwrap().to_owned();
            script.headers.push(("if-none-match", tag));
            let same = script.get(&path);
            script.headers.pop();
            (same.status == 304 && same.text.is_empty()).then_some(())
        });
        let page = script.get(&format!("{path}?debtr=health"));
        problem(&page, 400, "bad-query");
        assert_eq!(page.json()["field"], "debtr", "{path}");
        seen += 1;
    }
    assert!(seen > 12, "{seen}");
    for kind in ["discipline", "summary", "indicators", "register-families"] {
        described(&script.get(&format!("/api/v1/reports/{kind}?period=2026")), "get", "/api/v1/reports/{report}");
    }
    let explained =
        described(&script.get(&format!("/api/v1/obligations/{obligation}")), "get", "/api/v1/obligations/{id}");
    assert!(explained["explanation"]["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{explained:#}");
    let followed = described(&script.get(&format!("/api/v1/messages/{record}")), "get", "/api/v1/messages/{id}");
    assert_eq!(
        (&followed["hasReceipt"], &followed["deliveries"][0]["hasAnswer"]),
        (&json!(true), &json!(true)),
        "{followed:#}"
    );
    assert!(followed["obligations"].as_array().unwrap().iter().any(|o| o["id"] == obligation.as_str()), "{followed:#}");

    filters_are_read(&mut script);
    pages_follow_each_other(&mut script, &obligation);

    // The command line prints what is served.
    let mut nobody = Person::nobody(world.gateway().console());
    let served = nobody.get("/api/v1/openapi.json").json();
    assert_eq!(served, mezhved(&["openapi"]).done().json());
}

/// The filters of the pages; one that cannot be read is named.
fn filters_are_read(script: &mut Person) {
    for (query, field) in [
        ("obligations?state=late", "state"),
        ("obligations?group=late", "group"),
        ("obligations?debtor=Здрав", "debtor"),
        ("obligations?after=x", "after"),
        ("obligations?sort=id", "sort"),
        ("obligations?limit=0", "limit"),
        ("obligations?limit=101", "limit"),
        ("messages?from=yesterday", "from"),
        ("messages?id=1", "id"),
        ("messages?before=1", "before"),
        ("messages?state=delivered&state=sent", "state"),
        ("dead?to=Здрав", "to"),
        ("dead?state=open", "state"),
        ("journal?to=2026-13-01", "to"),
        ("reports/discipline?period=2026-99", "period"),
        ("reports/discipline?from=2026-01-01", "to"),
    ] {
        let page = script.get(&format!("/api/v1/{query}"));
        problem(&page, 400, "bad-query");
        assert_eq!(page.json()["field"], field, "{query}: {}", page.text);
    }
}

fn pages_follow_each_other(script: &mut Person, obligation: &str) {
    let whole = script.get("/api/v1/messages").json();
    let (mut address, mut found) = ("/api/v1/messages?limit=1".to_owned(), Vec::new());
    loop {
        let page = described(&script.get(&address), "get", "/api/v1/messages");
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 1, "{page:#}");
        found.extend(items.iter().map(|m| m["recordId"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        address = next.to_owned();
    }
    let whole: Vec<&str> = whole["items"].as_array().unwrap().iter().map(|m| m["recordId"].as_str().unwrap()).collect();
    assert!(whole.len() > 1 && found.is_sorted_by(|a, b| a > b), "{found:?}");
    assert!(whole.iter().all(|id| found.iter().any(|own| own == id)), "{found:?} {whole:?}");
    let mine = script.get("/api/v1/obligations?debtor=guardianship&group=running").json();
    assert_eq!(mine["items"][0]["id"], obligation, "{mine:#}");
    assert_eq!(script.get("/api/v1/obligations?debtor=police").json()["items"], json!([]));
}
