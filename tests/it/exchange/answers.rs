//! What partners answer, early, late and at odds, and what follows from it.

use mezhved::envelope::technical::{Notice, NoticeState};

use crate::support::eventually;
use crate::world::{Backend, Behaviour, SOON, THREE_RULES, World, bodies, now};

const KIND: &str = "guardianship-act";
const EDUCATION_REQUEST: &str =
    include_str!("../../../adapters/education/samples/document-request/minimal.partner.xml");

/// Where the guardianship authority's duty to answer stands.
fn answer_owed(world: &World) -> String {
    let rows = world.listed(&["deadline", "list"]);
    let of_answer: Vec<_> = rows.iter().filter(|row| row["rule"] == "document-answer").collect();
    assert_eq!(of_answer.len(), 1, "{rows:?}");
    of_answer[0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_term_that_counts_from_the_receipt_does_not_run_before_it() {
    let mut world = World::on(Backend::Sqlite).prepare();
    let from_receipt = bodies::replaced(THREE_RULES, "start = \"sent\"", "start = \"delivered\"");
    std::fs::write(world.file("regulations/yugra.toml"), from_receipt).unwrap();
    world.serve();
    let (register, guardianship) = (world.agency("register"), world.agency("guardianship"));
    world.partner("guardianship").behave(Behaviour::Silent);
    let request = register.draft("guardianship", "document-request", bodies::request(KIND));
    let id = request.header.message_id;
    world.post(register.sign(&request)).receipt();
    world.until(id, "sent");
    assert_eq!(answer_owed(&world), "pending");
    let came = world.partner("guardianship").message(id).unwrap();
    world.post(guardianship.receipt(&came.opened)).receipt();
    world.until(id, "delivered");
    assert_eq!(answer_owed(&world), "open");
}

#[test]
fn of_two_messages_with_one_id_a_fault_refuses_the_one_whose_digest_it_names() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    world.partner("register").behave(Behaviour::Silent);
    let first = world.agency("guardianship").draft("register", "document-request", bodies::request(KIND));
    let id = first.header.message_id;
    let mut second = world.agency("education").draft("register", "document-request", EDUCATION_REQUEST);
    second.header.message_id = id;
    for (agency, draft) in [("guardianship", &first), ("education", &second)] {
        world.post(world.agency(agency).sign(draft)).receipt();
    }
    let states = || {
        let shown = world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
        let of = |sender: &str| {
            let message = shown.as_array().unwrap().iter().find(|m| m["sender"] == sender).unwrap();
            message["deliveries"][0]["state"].as_str().unwrap().to_owned()
        };
        (of("guardianship"), of("education"))
    };
    let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    eventually("both handed over", SOON, || (states() == both("sent", "sent")).then_some(()));
    let meant = world.partner("register").copies();
    let meant = meant.iter().find(|copy| copy.opened.header.sender.as_str() == "guardianship").unwrap();
    world.post(register.refusal(&meant.opened, "content-invalid")).receipt();
    assert_eq!(states(), both("refused", "sent"));
}

#[test]
fn a_fault_that_asks_for_patience_does_not_end_a_delivery() {
    let world = World::on(Backend::Sqlite).start();
    let (register, guardianship) = (world.agency("register"), world.agency("guardianship"));
    world.partner("guardianship").behave(Behaviour::Silent);
    let request = register.draft("guardianship", "document-request", bodies::request(KIND));
    let id = request.header.message_id;
    world.post(register.sign(&request)).receipt();
    world.until(id, "sent");
    let came = world.partner("guardianship").message(id).unwrap();
    world.post(guardianship.refusal(&came.opened, "not-now")).receipt();
    world.until(id, "sent");
    world.post(guardianship.receipt(&came.opened)).receipt();
    world.until(id, "delivered");
}

#[test]
fn the_sender_is_told_at_expires_and_not_at_the_attempt_after_it() {
    let world = World::on(Backend::Sqlite).setting("delivery.retry_base_ms = 600000").start();
    let register = world.agency("register");
    world.partner("guardianship").behave(Behaviour::Status(503));
    let mut request = register.draft("guardianship", "document-request", bodies::request(KIND));
    request.header.expires = Some(now().plus_seconds(3));
    world.post(register.sign(&request)).receipt();
    world.until(request.header.message_id, "expired");
    let notice = eventually("the notice", SOON, || world.partner("register").first("notice"));
    assert_eq!(notice.opened.technical::<Notice>().state, NoticeState::Expired);
}

#[test]
fn what_waits_for_a_participant_that_left_is_parked_and_its_sender_told() {
    let world = World::on(Backend::Sqlite).setting("delivery.retry_base_ms = 100").start();
    let register = world.agency("register");
    world.partner("guardianship").behave(Behaviour::Status(503));
    let request = register.draft("guardianship", "document-request", bodies::request(KIND));
    world.post(register.sign(&request)).receipt();
    std::fs::remove_file(world.file("participants/guardianship.toml")).unwrap();
    let heir = world.file("participants/register.toml");
    let roles =
        bodies::replaced(&std::fs::read_to_string(&heir).unwrap(), "role = [", "role = [{ role = \"guardianship\" }, ");
    std::fs::write(heir, roles).unwrap();
    world.mezhved(&["partner", "apply"]).done();
    let parked = world.until(request.header.message_id, "parked");
    assert_eq!(parked["reason"], "route-missing");
    let notice = eventually("the notice", SOON, || world.partner("register").first("notice"));
    assert_eq!(notice.opened.technical::<Notice>().state, NoticeState::Parked);
}

#[test]
fn who_asks_for_failures_only_is_not_told_what_was_delivered() {
    for (wanted, told) in [("all", 2), ("failures", 1)] {
        let mut world = World::on(Backend::Sqlite).prepare();
        let own = world.file("participants/register.toml");
        let text = format!("notices = \"{wanted}\"\n{}", std::fs::read_to_string(&own).unwrap());
        std::fs::write(own, text).unwrap();
        world.serve();
        let register = world.agency("register");
        for (behaviour, state) in
            [(Behaviour::Receipt, "delivered"), (Behaviour::Fault("content-invalid".to_owned()), "refused")]
        {
            world.partner("guardianship").behave(behaviour);
            let request = register.draft("guardianship", "document-request", bodies::request(KIND));
            world.post(register.sign(&request)).receipt();
            world.until(request.header.message_id, state);
        }
        // A notice is queued in the transaction that settles the delivery: there is nothing to wait for.
        let notices = world.number("SELECT COUNT(*) FROM messages WHERE type_name = 'notice'");
        assert_eq!(notices, told, "{wanted}");
    }
}
