//! Over HTTP.

use mezhved::crypto::sha256;
use mezhved::domain::{Attachment, CaseId, MessageId};
use mezhved::envelope::technical::{Notice, NoticeState, Resource, Ticket, TicketMethod, TicketRequest};
use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, Behaviour, RUNTIME, SOON, World, bodies, now};

const KIND: &str = "medical-conclusion";

#[test]
fn a_request_goes_there_and_its_answer_back_on_sqlite() {
    there_and_back(Backend::Sqlite);
}

#[test]
fn a_request_goes_there_and_its_answer_back_on_postgresql() {
    there_and_back(Backend::Postgres);
}

fn there_and_back(backend: Backend) {
    let world = World::on(backend).start();
    let (register, health) = (world.agency("register"), world.agency("health"));
    let case = CaseId::from_uuid(Uuid::now_v7());

    // The application, to oneself: recorded and receipted, not dispatched; it opens the duty to ask.
    let mut application = register.draft("register", "application", bodies::application(now(), &[(KIND, "health")]));
    application.header.case_id = Some(case);
    let receipt = world.post(register.sign(&application)).receipt();
    assert_eq!((receipt.message_id, &receipt.sender), (application.header.message_id, &register.id));
    let owed = obligations(&world);
    assert_eq!(states(&owed), [("document-request", "register", "health", "open")]);
    assert_eq!(owed[0]["caseId"], case.to_string());
    let shown = world.mezhved(&["message", "show", &application.header.message_id.to_string(), "--json"]).done().json();
    assert_eq!(shown[0]["deliveries"], Value::Array(Vec::new()), "a message to oneself is not dispatched");

    // The request meets that duty at once, and opens the answer's when it is handed over.
    let mut request = register.draft("health", "document-request", bodies::request(KIND));
    request.header.case_id = Some(case);
    let sent = register.sign(&request);
    let answer = world.post(sent.clone());
    let receipt = answer.receipt();
    assert_eq!((receipt.message_id, &receipt.sender), (request.header.message_id, &register.id));
    assert_eq!(answer.opened().header.in_reply_to, Some(request.header.message_id));
    let came =
        eventually("the request at the health authority", SOON, || world.partner("health").first("document-request"));
    let via = came.opened.header.via.clone().expect("what is delivered carries Via");
    assert_eq!((via.gateway.as_str(), via.digest), ("mezhved", sha256(&sent)));
    assert_eq!(came.opened.header.message_id, request.header.message_id);
    assert_eq!(came.opened.header.sender, register.id);
    let form = came.opened.text();
    assert!(form.starts_with("<Bundle xmlns=\"http://hl7.org/fhir\">") && form.contains(KIND), "{form}");
    world.until(request.header.message_id, "delivered");
    let expected =
        [("document-answer", "health", "register", "open"), ("document-request", "register", "health", "met")];
    assert_eq!(states(&obligations(&world)), expected);

    // The sender is told.
    let notice = eventually("the notice to the register", SOON, || world.partner("register").first("notice"));
    let told: Notice = notice.opened.technical();
    assert_eq!((told.message_id, told.state), (request.header.message_id, NoticeState::Delivered));
    assert_eq!(notice.opened.header.conversation_id, request.header.conversation_id);

    // The answer, in the agency's own form, comes back in the canonical one and meets what was owed.
    let answer = health.answer(&came.opened.header, "document-response", bodies::health_response(KIND));
    assert_eq!(world.post(health.sign(&answer)).receipt().message_id, answer.header.message_id);
    let back = eventually("the answer at the register", SOON, || world.partner("register").first("document-response"));
    assert_eq!(back.opened.header.in_reply_to, Some(request.header.message_id));
    let form = back.opened.text();
    assert!(form.contains("<DocumentResponse xmlns=\"urn:mezhved:social:document-response:1\">"), "{form}");
    assert!(form.contains(&format!("<kind>{KIND}</kind>")) && form.contains("no-information"), "{form}");
    let expected =
        [("document-answer", "health", "register", "met"), ("document-request", "register", "health", "met")];
    assert_eq!(states(&obligations(&world)), expected);

    state_by_ticket(&world, request.header.message_id);
    journal_holds(&world);
}

/// The sender reads the state of its message with a ticket.
fn state_by_ticket(world: &World, id: MessageId) {
    let register = world.agency("register");
    let request = register.technical(&TicketRequest { method: TicketMethod::Get, resource: Resource::Message(id) });
    let ticket: Ticket = world.post(register.sign(&request)).opened().technical();
    let path = format!("/v1/messages/{id}");
    let state = RUNTIME.block_on(world.wire().get(&path, Some(&ticket.token))).unwrap();
    assert_eq!(state.status, 200, "{}", state.text());
    let state = state.json();
    assert_eq!(state["messageId"], id.to_string());
    assert_eq!(state["deliveries"][0]["state"], "delivered", "{state}");
    assert_eq!(state["deliveries"][0]["recipient"], "health");
}

/// Everything is sealed within a moment, and the chain is whole.
fn journal_holds(world: &World) {
    let found = eventually("a sealed journal", SOON, || {
        let found = world.mezhved(&["journal", "verify", "--json"]).done().json();
        (found["unsealed"] == 0).then_some(found)
    });
    assert!(found["rows"].as_u64() > Some(5) && found["problem"].is_null(), "{found}");
}

fn obligations(world: &World) -> Vec<Value> {
    let mut rows = world.listed(&["deadline", "list"]);
    // What the calendar opens by itself is not of this test.
    rows.retain(|row| row["rule"] != "progress-report");
    rows.sort_by_key(|row| row["rule"].to_string());
    rows
}

fn states(rows: &[Value]) -> Vec<(&str, &str, &str, &str)> {
    rows.iter().map(|r| (word(r, "rule"), word(r, "debtor"), word(r, "creditor"), word(r, "state"))).collect()
}

fn word<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

#[test]
fn a_partner_that_was_away_gets_the_message_once_it_is_back_and_once_by_id() {
    let world = World::on(Backend::Sqlite)
        .setting("delivery.retry_base_ms = 20")
        .setting("delivery.retry_ceiling_ms = 100")
        .start();
    let (register, partner) = (world.agency("register"), world.partner("guardianship"));
    partner.behave(Behaviour::Status(503));
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    let id = request.header.message_id;
    world.post(register.sign(&request)).receipt();
    eventually("some failed attempts", SOON, || {
        let shown = world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
        let tries = shown[0]["deliveries"][0]["tries"].as_array().unwrap();
        assert!(tries.iter().all(|t| t["reason"] == "partner-error"), "{shown}");
        (tries.len() >= 3).then_some(())
    });
    // Now it loses its first answer on the way, and takes the copy.
    partner.behave(Behaviour::LosesEvery(1));
    eventually("a kept copy", SOON, || (partner.counts().0 > 0).then_some(()));
    partner.behave(Behaviour::Receipt);
    world.until(id, "delivered");
    let (copies, ids) = partner.counts();
    assert!(copies >= 2 && ids == 1, "{copies} copies of {ids} messages");
    let all = partner.copies();
    assert!(all.iter().all(|copy| copy.bytes == all[0].bytes), "a retry sends identical bytes");
}

#[test]
fn what_a_partner_refuses_is_told_to_the_sender() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    world.partner("guardianship").behave(Behaviour::Fault("content-invalid".to_owned()));
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    let delivery = world.until(request.header.message_id, "refused");
    assert_eq!(delivery["faultCode"], "content-invalid");
    let notice = eventually("the notice", SOON, || world.partner("register").first("notice"));
    let told: Notice = notice.opened.technical();
    assert_eq!((told.state, told.reason.as_deref()), (NoticeState::Refused, Some("content-invalid")));
}

#[test]
fn an_answer_that_is_no_receipt_leaves_the_message_sent_until_the_receipt_is_posted() {
    let world = World::on(Backend::Sqlite).start();
    let (register, guardianship) = (world.agency("register"), world.agency("guardianship"));
    for behaviour in [Behaviour::Silent, Behaviour::Garbage] {
        world.partner("guardianship").behave(behaviour);
        let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
        let id = request.header.message_id;
        world.post(register.sign(&request)).receipt();
        world.until(id, "sent");
        let came = world.partner("guardianship").message(id).unwrap();
        let receipt = guardianship.receipt(&came.opened);
        world.post(receipt.clone()).receipt();
        world.until(id, "delivered");
        // Posted again it is answered again, and nothing changes.
        world.post(receipt).receipt();
        world.until(id, "delivered");
    }
}

#[test]
fn what_is_given_up_is_told_to_the_sender() {
    let fast =
        || World::on(Backend::Sqlite).setting("delivery.retry_base_ms = 20").setting("delivery.retry_ceiling_ms = 100");
    for (plan, expires, state, reason) in [
        (fast().setting("delivery.attempts_max = 3"), None, NoticeState::Parked, Some("attempts-exhausted")),
        (fast().setting("delivery.attempts_max = 10000"), Some(1), NoticeState::Expired, None),
    ] {
        let world = plan.start();
        let register = world.agency("register");
        world.partner("guardianship").behave(Behaviour::Status(500));
        let mut request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
        request.header.expires = expires.map(|seconds| now().plus_seconds(seconds));
        world.post(register.sign(&request)).receipt();
        let delivery = world.until(request.header.message_id, state.as_str());
        assert_eq!(delivery["attempts"] == 3, state == NoticeState::Parked, "{delivery}");
        let told = eventually("the notice", SOON, || notice_about(&world, request.header.message_id));
        assert_eq!((told.state, told.reason.as_deref()), (state, reason));
        // Nobody's fault, but seen; and no term of the recipient runs.
        world.undelivered(1);
        assert_eq!(states(&obligations(&world)), [("document-answer", "guardianship", "register", "pending")]);
    }
}

pub(crate) fn notice_about(world: &World, id: MessageId) -> Option<Notice> {
    let notices = world.partner("register").copies().into_iter().filter(|copy| copy.opened.kind() == "notice");
    notices.map(|copy| copy.opened.technical::<Notice>()).find(|notice| notice.message_id == id)
}

#[test]
fn a_file_inside_the_envelope_arrives_whole() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    // Not compressible and not the same throughout; in base64 it is five of the eight allowed megabytes.
    let file: Vec<u8> = (0..4_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    request.header.attachments = vec![Attachment {
        digest: sha256(&file),
        size_bytes: 4_000_000,
        media_type: "application/pdf".to_owned(),
        name: "Справка.pdf".to_owned(),
        inline: Some(file.clone()),
        signs: None,
    }];
    world.post(register.sign(&request)).receipt();
    let came = eventually("the request", SOON, || world.partner("guardianship").message(request.header.message_id));
    assert!(came.opened.header.attachments == request.header.attachments, "the file is another");
    world.until(request.header.message_id, "delivered");
}

#[test]
fn many_messages_of_one_case_at_once_are_all_accepted() {
    let world = World::on(Backend::Postgres).start();
    let register = world.agency("register");
    let case = CaseId::from_uuid(Uuid::now_v7());
    let signed = |body: String, to: &str, kind: &str| {
        let mut draft = register.draft(to, kind, body);
        draft.header.case_id = Some(case);
        register.sign(&draft)
    };
    let documents = [("guardianship-act", "guardianship"), (KIND, "health")];
    world.post(signed(bodies::application(now(), &documents), "register", "application")).receipt();
    let wire = world.wire();
    let posts = (0..32).map(|_| {
        let bytes = signed(bodies::request("guardianship-act"), "guardianship", "document-request");
        wire.post("/v1/messages", bytes)
    });
    let answers = RUNTIME.block_on(futures_util::future::join_all(posts));
    let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().status).collect();
    assert_eq!(statuses, [200; 32]);
    let owed = obligations(&world);
    let of_requests = owed.iter().filter(|row| row["rule"] == "document-request").map(|row| word(row, "state"));
    assert_eq!(of_requests.collect::<std::collections::BTreeSet<_>>(), ["met", "open"].into());
}
