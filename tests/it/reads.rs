//! Nothing is readable without proving who asks: the state of a message is told for a ticket, to its parties only.

use mezhved::domain::MessageId;
use mezhved::envelope::technical::{Resource, Ticket, TicketMethod, TicketRequest};

use crate::world::{Agency, Answer, Backend, RUNTIME, World, bodies, new_id, now};

fn ticket(world: &World, agency: &str, resource: Resource) -> Ticket {
    let agency = world.agency(agency);
    let request = agency.technical(&TicketRequest { method: TicketMethod::Get, resource });
    world.post(agency.sign(&request)).opened().technical()
}

fn get(world: &World, path: &str, ticket: Option<&str>) -> Answer {
    RUNTIME.block_on(world.wire().get(path, ticket)).unwrap()
}

fn sent(world: &World) -> MessageId {
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    request.header.message_id
}

#[test]
fn a_state_is_told_for_its_own_ticket_and_no_other() {
    let world = World::on(Backend::Sqlite).start();
    let (id, other) = (sent(&world), sent(&world));
    let path = format!("/v1/messages/{id}");
    let own = ticket(&world, "register", Resource::Message(id));
    let lives = own.expires_at.since(now()) / 1_000_000;
    assert!((0..=900).contains(&lives), "a ticket lives 15 minutes at most: {lives} s");

    let shown = get(&world, &path, Some(&own.token));
    assert_eq!((shown.status, shown.json()["messageId"].as_str()), (200, Some(id.to_string().as_str())));
    let recipients = ticket(&world, "guardianship", Resource::Message(id));
    assert_eq!(get(&world, &path, Some(&recipients.token)).status, 200, "the recipient may look too");

    let for_other = ticket(&world, "register", Resource::Message(other)).token;
    let for_a_file = ticket(&world, "register", Resource::Attachment(mezhved::crypto::sha256(b"file"))).token;
    let changed = format!("{}x", own.token);
    for (name, ticket) in [
        ("no ticket", None),
        ("an empty ticket", Some("")),
        ("an invented ticket", Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("a changed ticket", Some(changed.as_str())),
        ("a ticket for another message", Some(for_other.as_str())),
        ("a ticket for a file", Some(for_a_file.as_str())),
    ] {
        let refused = get(&world, &path, ticket);
        assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("ticket-invalid")), "{name}");
    }
}

#[test]
fn not_yours_and_not_there_are_one_answer() {
    let world = World::on(Backend::Sqlite).start();
    let (id, absent) = (sent(&world), new_id());
    let answers = [id, absent].map(|id| {
        let strangers = ticket(&world, "police", Resource::Message(id));
        let answer = get(&world, &format!("/v1/messages/{id}"), Some(&strangers.token));
        (answer.status, answer.text())
    });
    assert_eq!(answers[0].0, 404, "{answers:?}");
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_ticket_ends() {
    let world = World::on(Backend::Sqlite).setting("policy.ticket_seconds_max = 1").start();
    let id = sent(&world);
    let own = ticket(&world, "register", Resource::Message(id));
    let path = format!("/v1/messages/{id}");
    let status = crate::support::eventually("the ticket's end", crate::world::SOON, || {
        let status = get(&world, &path, Some(&own.token)).status;
        (status != 200).then_some(status)
    });
    assert_eq!(status, 401);
    assert!(now() >= own.expires_at, "it ended before its time");
}

#[test]
fn the_agencies_address_tells_nothing_but_schemas_and_health_without_a_ticket() {
    let world = World::on(Backend::Sqlite).start();
    let id = sent(&world);
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/schemas/", 200),
        ("/schemas/index.json", 200),
        ("/schemas/envelope/1/envelope.xsd", 200),
        ("/schemas/code-lists/categories.json", 200),
        ("/schemas/code-lists/none.json", 404),
        ("/schemas/../config/settings.toml", 404),
        ("/schemas/%2e%2e/config/settings.toml", 404),
        ("/v1/messages", 405),
        ("/v1/mailbox/pull", 405),
        ("/", 404),
        ("/style.css", 404),
    ] {
        let answer = get(&world, path, None);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(!answer.text().contains(&id.to_string()), "{path}");
    }
}

#[test]
fn code_lists_are_served_by_name_and_not_sent_twice() {
    let world = World::on(Backend::Sqlite).start();
    let index = get(&world, "/schemas/index.json", None).json();
    let lists = index["codeLists"].as_array().unwrap();
    for name in [
        "help-kinds",
        "help-measures",
        "categories",
        "levels",
        "decision-outcomes",
        "effectiveness-outcomes",
        "termination-reasons",
    ] {
        let list = lists.iter().find(|list| list["name"] == name).unwrap_or_else(|| panic!("{name} is not listed"));
        let csv = get(&world, list["csv"].as_str().unwrap(), None);
        assert!(csv.text().starts_with("code,ru,en"), "{name}: {}", csv.text());
        let codes = get(&world, list["json"].as_str().unwrap(), None).json();
        assert_eq!(codes.as_array().map(Vec::len).map(|n| n as u64), list["codes"].as_u64(), "{name}");
    }
    let path = "/schemas/code-lists/categories.json";
    let tag = get(&world, path, None).headers["etag"].clone();
    let again = RUNTIME.block_on(async {
        let request = world.wire().request(reqwest::Method::GET, path).header("if-none-match", &tag);
        request.send().await.unwrap()
    });
    assert_eq!((again.status().as_u16(), &again.headers()["etag"]), (304, &tag));
    assert_eq!(RUNTIME.block_on(again.bytes()).unwrap().len(), 0);
}

#[test]
fn a_gateway_whose_own_certificate_has_ended_is_not_ready() {
    let mut world = World::on(Backend::Sqlite).prepare();
    Agency::expired(&world.file("keys"), "gateway");
    world.serve();
    let answer = get(&world, "/readyz", None);
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("certificate"), "{}", answer.text());
}
