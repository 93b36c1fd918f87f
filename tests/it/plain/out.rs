//! What goes to a participant without envelopes, and the answer in the response.

use mezhved::crypto::sha256;
use mezhved::domain::{FaultCode, Header};
use mezhved::envelope::technical::{FaultReport, NoticeState, Receipt};
use serde_json::Value;

use super::rest::Reply;
use super::{Bare, JSON_RESPONSE, KIND, SECRET, bare, plan};
use crate::support::eventually;
use crate::world::{Backend, Opened, SOON, World, bodies};

#[test]
fn a_request_goes_out_bare_and_the_answer_in_the_response_comes_back_signed_on_sqlite() {
    there_and_back(Backend::Sqlite);
}

#[test]
fn a_request_goes_out_bare_and_the_answer_in_the_response_comes_back_signed_on_postgresql() {
    there_and_back(Backend::Postgres);
}

fn there_and_back(backend: Backend) {
    let bare = bare(plan(backend));
    bare.employment.reply([Reply::status(500), Reply::json(JSON_RESPONSE)]);
    let asked = bare.ask("employment", KIND);
    let delivery = bare.world.until(asked.message_id, "delivered");
    assert_eq!(delivery["attempts"], 2, "{delivery}");

    // The same bytes twice, by the same key, with what an envelope would say in headers.
    let requests = bare.employment.until(2);
    let id = asked.message_id.to_string();
    for request in &requests {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/requests?from=register"));
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("accept"), "application/json");
        assert_eq!(request.header("authorization"), format!("Bearer {SECRET}"));
        assert_eq!((request.header("idempotency-key"), request.header("mezhved-message-id")), (&*id, &*id));
        assert_eq!(request.header("mezhved-type"), "document-request/1");
        assert_eq!(request.header("mezhved-sender"), "register");
        assert_eq!(request.header("mezhved-conversation-id"), asked.conversation_id.to_string());
    }
    assert_eq!((requests.len(), &requests[0].body), (2, &requests[1].body));
    let form: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!((&form["format"], &form["documents"][0]["code"]), (&"czn.request.1".into(), &"MVD-01".into()));

    // The register gets the answer as from anybody: canonical, in the conversation, signed by the gateway for employment.
    let came = eventually("the answer", SOON, || bare.world.partner("register").first("document-response"));
    let header = &came.opened.header;
    assert_eq!((header.sender.as_str(), header.in_reply_to), ("employment", Some(asked.message_id)));
    assert_eq!(header.conversation_id, asked.conversation_id);
    let via = header.via.as_ref().unwrap();
    assert_eq!((via.gateway.as_str(), via.digest), ("mezhved", sha256(JSON_RESPONSE.as_bytes())));
    assert!(came.opened.text().contains(&format!("<kind>{KIND}</kind>")), "{}", came.opened.text());
    assert_eq!(bare.told(asked.message_id), (NoticeState::Delivered, None));
    assert_eq!(bare.owed("employment"), "met");
    said_by_whom(&bare, &asked, header);
    forged(&bare, &came.bytes, header);
    // What employment is not told: it has named no path for it.
    assert_eq!(bare.employment.requests().len(), 2);
    let log = bare.world.gateway().log();
    assert!(!log.contains(SECRET) && bodies::PERSONAL.iter().all(|personal| !log.contains(personal)), "{log}");
}

/// The message, the receipt and the journal say who signed for whom.
fn said_by_whom(bare: &Bare, asked: &Header, answer: &Header) {
    let shown = bare.shown(&answer.message_id.to_string());
    assert_eq!((&shown["signedOnBehalf"], &shown["channel"]), (&true.into(), &"plain".into()), "{shown}");
    let request = bare.shown(&asked.message_id.to_string());
    assert_eq!((&request["signedOnBehalf"], &request["channel"]), (&false.into(), &"http".into()), "{request}");
    let entries = bare.journal("signed-on-behalf");
    let mut what: Vec<(&str, &str)> =
        entries.iter().map(|e| (e["detail"]["what"].as_str().unwrap(), e["participant"].as_str().unwrap())).collect();
    what.sort_unstable();
    assert_eq!(what, [("message", "employment"), ("receipt", "employment")], "{entries:?}");
    for entry in &entries {
        assert_eq!(entry["actor"], "mezhved", "{entry}");
        assert_eq!(entry["detail"]["source"], sha256(JSON_RESPONSE.as_bytes()).to_string(), "{entry}");
    }
    let receipt = partner_answer(&bare.world);
    assert_eq!((receipt.header.sender.as_str(), receipt.header.recipient.as_str()), ("employment", "mezhved"));
    assert_eq!(receipt.header.via.as_ref().unwrap().gateway.as_str(), "mezhved");
    let receipt: Receipt = receipt.technical();
    assert_eq!((receipt.message_id, receipt.sender.as_str()), (asked.message_id, "register"));
    eventually("a sealed journal", SOON, || {
        let found = bare.world.mezhved(&["journal", "verify", "--json"]).done().json();
        assert!(found["problem"].is_null(), "{found}");
        (found["unsealed"] == 0).then_some(())
    });
}

/// Nothing from outside passes for it.
fn forged(bare: &Bare, bytes: &[u8], header: &Header) {
    let register = bare.world.agency("register");
    assert_eq!(bare.world.post(bytes).opened().kind(), "fault");
    let fault = bare.world.post(bytes).fault();
    assert_eq!(fault.code, FaultCode::HeaderInvalid.code(), "{fault:?}");
    let mut draft = register.draft("register", "document-response", bodies::response(KIND));
    draft.header = Header { via: None, message_id: crate::world::new_id(), ..header.clone() };
    let fault = bare.world.post(register.sign(&draft)).fault();
    assert_eq!(fault.code, FaultCode::CertificateUnknown.code(), "{fault:?}");
    draft.header = Header { sender: register.id.clone(), ..draft.header };
    draft.header.via = header.via.clone();
    assert_eq!(bare.world.post(register.sign(&draft)).fault().code, FaultCode::HeaderInvalid.code());
}

/// The one stored word of a partner about a delivery of the register's message, verified by the gateway's certificate.
fn partner_answer(world: &World) -> Opened {
    let bytes = world.bytes(
        "SELECT a.bytes FROM partner_answers a JOIN deliveries d ON d.id = a.delivery_id \
         JOIN messages m ON m.record_id = d.record_id WHERE m.type_name = 'document-request'",
    );
    Opened::read(&bytes, &world.gateway_certificate).unwrap()
}

#[test]
fn a_refusal_by_status_is_the_partners_and_its_missing_secret_is_not() {
    let bare = bare(plan(Backend::Sqlite));
    // Our own secret is not taken: that says nothing of the message.
    bare.employment.reply([Reply::status(401), Reply::status(429), Reply::status(422)]);
    let asked = bare.ask("employment", KIND);
    let delivery = bare.world.until(asked.message_id, "refused");
    assert_eq!((&delivery["faultCode"], &delivery["attempts"]), (&"http-422".into(), &3.into()), "{delivery}");
    assert!(delivery["tries"][0]["detail"].as_str().unwrap().contains("HTTP 401"), "{delivery}");
    assert_eq!(bare.told(asked.message_id), (NoticeState::Refused, Some("http-422".to_owned())));
    let entries = bare.journal("signed-on-behalf");
    assert_eq!((entries.len(), &entries[0]["detail"]["what"]), (1, &"fault".into()), "{entries:?}");
    assert_eq!(entries[0]["detail"]["status"], 422);
    let fault = partner_answer(&bare.world);
    assert_eq!(fault.header.sender.as_str(), "employment");
    assert_eq!(fault.technical::<FaultReport>().code, "http-422");
    // The partner was handed it all the same: its term runs.
    assert_eq!(bare.owed("employment"), "open");
    // Without the secret nothing goes out, and the operator reads which file to put where.
    std::fs::remove_file(bare.world.file("secrets/employment.bearer")).unwrap();
    let asked = bare.ask("employment", KIND);
    let delivery = bare.world.until(asked.message_id, "parked");
    assert_eq!(delivery["reason"], "route-missing", "{delivery}");
    assert!(delivery["detail"].as_str().unwrap().contains("secrets/employment.bearer"), "{delivery}");
    assert_eq!(bare.employment.requests().len(), 3);
}

#[test]
fn an_answer_that_cannot_be_taken_is_asked_for_again_after_it_was_mended() {
    let bare = bare(plan(Backend::Sqlite));
    bare.employment.reply([
        Reply::json(JSON_RESPONSE.replace("NO_DATA", "SOMETHING")),
        Reply { content_type: "text/html", ..Reply::json("<html>Образцов</html>") },
        Reply::json(JSON_RESPONSE),
    ]);
    let asked = bare.ask("employment", KIND);
    for code in ["schema-invalid", "media-type-wrong"] {
        let delivery = bare.world.until(asked.message_id, "parked");
        assert_eq!(delivery["reason"], "answer-refused", "{delivery}");
        assert!(delivery["detail"].as_str().unwrap().contains(code), "{delivery}");
        assert!(delivery["sentAt"].is_string(), "it was handed over: {delivery}");
        // It has the request, so its term runs, and nothing is lost: the same request brings the answer again.
        assert_eq!(bare.owed("employment"), "open");
        bare.world.mezhved(&["message", "replay", &asked.message_id.to_string()]).done();
        eventually("the attempt", SOON, || {
            let state = bare.shown(&asked.message_id.to_string())["deliveries"][0].clone();
            let other = if code == "schema-invalid" { "media-type-wrong" } else { "" };
            let parked_anew = state["state"] == "parked" && state["detail"].as_str().unwrap().contains(other);
            (state["state"] == "delivered" || (!other.is_empty() && parked_anew)).then_some(())
        });
    }
    bare.world.until(asked.message_id, "delivered");
    assert_eq!(bare.owed("employment"), "met");
    let codes: Vec<Value> = bare.journal("answer-refused").iter().map(|e| e["detail"]["code"].clone()).collect();
    assert_eq!(codes, ["schema-invalid", "media-type-wrong"]);
    let requests = bare.employment.requests();
    assert!(
        requests
            .iter()
            .all(|r| r.body == requests[0].body
                && r.headers["idempotency-key"] == requests[0].headers["idempotency-key"])
    );
}

#[test]
fn an_answer_that_comes_later_is_not_waited_for_in_the_response() {
    let bare = bare(plan(Backend::Sqlite).setting("push.answer_bytes_max = 4096"));
    // What could not be read to its end may have been the answer. 202 says that there is none, whatever is beside it.
    bare.employment.reply([
        Reply::status(302),
        Reply::json(format!("{JSON_RESPONSE}{}", " ".repeat(5_000))),
        Reply { status: 202, ..Reply::json("{\"ticket\": 7}") },
    ]);
    let asked = bare.ask("employment", KIND);
    let delivery = bare.world.until(asked.message_id, "delivered");
    let tries: Vec<&str> = delivery["tries"].as_array().unwrap().iter().filter_map(|t| t["detail"].as_str()).collect();
    assert!(tries[0].contains("redirects are not followed") && tries[1].contains("more than 4096"), "{delivery}");
    assert_eq!((&delivery["attempts"], tries.len()), (&3.into(), 2), "{delivery}");
    assert_eq!(bare.owed("employment"), "open");
    assert_eq!(bare.world.number("SELECT COUNT(*) FROM messages WHERE sender = 'employment'"), 0);
}
