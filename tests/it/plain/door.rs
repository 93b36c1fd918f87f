//! What a participant without envelopes posts.

use base64::Engine as _;
use mezhved::crypto::sha256;
use mezhved::domain::MessageId;
use mezhved::envelope::technical::Receipt;

use super::{Bare, KIND, Said, TOKEN, bare, plan};
use crate::support::eventually;
use crate::world::{Backend, Opened, RUNTIME, SOON, bodies, new_id};

const PATH: &str = "/v1/plain/document-response/1";

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

/// Health answers a request.
fn answer(bare: &Bare, asked: MessageId, key: &str, body: &str, accept: &str) -> Said {
    let (bearer, asked) = (bearer(), asked.to_string());
    let headers = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", key),
        ("mezhved-in-reply-to", &asked),
        ("content-type", "application/xml; charset=utf-8"),
        ("accept", accept),
    ];
    bare.post(PATH, &headers, body)
}

#[test]
fn an_xml_partner_posts_its_answer_and_a_repeat_is_the_same_message() {
    let bare = bare(plan(Backend::Sqlite));
    let kind = "medical-conclusion";
    let asked = bare.ask("health", kind);
    bare.world.until(asked.message_id, "delivered");
    let request = bare.health.until(1).remove(0);
    assert_eq!(request.path, "/api");
    assert_eq!(request.header("content-type"), "application/xml; charset=utf-8");
    assert_eq!(request.header("authorization"), "Basic Z2F0ZXdheTpwYXNz");
    let form = String::from_utf8(request.body).unwrap();
    assert!(form.starts_with("<Bundle xmlns=\"http://hl7.org/fhir\">") && form.ends_with("</Bundle>"), "{form}");
    assert!(!form.contains("urn:mezhved:envelope"), "{form}");

    // A declaration and white space around the document are the partner's, and are not of the message.
    let body = format!("{}\n\n", bodies::health_response(kind));
    assert!(body.starts_with("<?xml "), "{body}");
    let first = answer(&bare, asked.message_id, "answer-1", &body, "application/json");
    assert_eq!(first.status, 200, "{}", String::from_utf8_lossy(&first.bytes));
    let told = first.json();
    assert_eq!(told["conversationId"], asked.conversation_id.to_string());
    let id = told["messageId"].as_str().unwrap().to_owned();
    let receipt = base64::engine::general_purpose::STANDARD.decode(told["receipt"].as_str().unwrap()).unwrap();
    let opened = Opened::read(&receipt, &bare.world.gateway_certificate).unwrap();
    let signed: Receipt = opened.technical();
    assert_eq!((signed.message_id.to_string(), signed.sender.as_str()), (id.clone(), "health"));
    assert_eq!(signed.digest.to_string(), told["digest"].as_str().unwrap());
    let came = eventually("the answer", SOON, || bare.world.partner("register").first("document-response"));
    assert_eq!((came.opened.header.message_id.to_string(), came.opened.header.sender.as_str()), (id.clone(), "health"));
    assert_eq!(came.opened.header.via.as_ref().unwrap().digest, sha256(body.as_bytes()));
    assert_eq!(bare.owed("health"), "met");

    // The same again: the same message. XML for who wants it is the receipt itself.
    let again = answer(&bare, asked.message_id, "answer-1", &body, "application/json");
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    let xml = answer(&bare, asked.message_id, "answer-1", &body, "application/xml");
    assert_eq!((xml.content_type.as_str(), &xml.bytes), ("application/xml; charset=utf-8", &receipt));
    assert_eq!(bare.world.number("SELECT COUNT(*) FROM messages WHERE sender = 'health'"), 1);
    let other =
        answer(&bare, asked.message_id, "answer-1", &body.replace("minimal", "other").replace("\n", " "), "*/*");
    assert_eq!((other.status, other.problem().as_str()), (409, "id-reused"));
    // A key that is an id is the message's id.
    let own = new_id();
    let second = answer(&bare, asked.message_id, &own.to_string(), &body, "application/json");
    assert_eq!(second.json()["messageId"], own.to_string());

    // Its state, for its own token only.
    let state = bare.state(&id, TOKEN);
    assert_eq!((state.status, &state.json()["signedOnBehalf"]), (200, &true.into()));
    eventually("the delivery", SOON, || {
        (bare.state(&id, TOKEN).json()["deliveries"][0]["state"] == "delivered").then_some(())
    });
    for unknown in [new_id().to_string(), "x".to_owned()] {
        let said = bare.state(&unknown, TOKEN);
        assert_eq!((said.status, said.problem().as_str()), (404, "not-found"));
    }
    assert_eq!(bare.state(&id, &TOKEN.replace("43", "44")).problem(), "token-invalid");
    // It named a path for notices.
    let notice = eventually("a notice", SOON, || bare.health.requests().into_iter().find(|r| r.path == "/api/notices"));
    assert!(String::from_utf8(notice.body).unwrap().contains("<messageId>"));
    let entries = bare.journal("signed-on-behalf");
    let posted = entries.iter().filter(|e| e["detail"]["how"] == "posted").count();
    assert_eq!(posted, 2, "{entries:?}");
    let counts = RUNTIME.block_on(async {
        let metrics = format!("{}/metrics", bare.world.gateway().console());
        reqwest::get(metrics).await.unwrap().text().await.unwrap()
    });
    for counted in [
        "mezhved_messages_accepted_total{channel=\"plain\",sender=\"health\"} 2",
        "mezhved_messages_repeated_total{channel=\"plain\"} 2",
        "mezhved_messages_refused_total{channel=\"plain\",code=\"id-reused\"} 1",
        "mezhved_messages_refused_total{channel=\"plain\",code=\"token-invalid\"} 1",
    ] {
        assert!(counts.lines().any(|line| line == counted), "{counted} in:\n{counts}");
    }
}

#[test]
fn what_is_refused_is_a_problem_with_its_place_and_is_recorded() {
    let bare = bare(plan(Backend::Sqlite).setting("limits.envelope_bytes_max = 20000"));
    let asked = bare.ask("health", "medical-conclusion");
    bare.world.until(asked.message_id, "delivered");
    let (asked, bearer) = (asked.message_id.to_string(), bearer());
    let good = bodies::health_response("medical-conclusion");
    let usual = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", "k"),
        ("mezhved-in-reply-to", asked.as_str()),
        ("content-type", "application/xml"),
    ];
    let large = good.replace("</Bundle>", &format!("{}</Bundle>", " ".repeat(20_000)));
    let stranger = new_id().to_string();
    // The header to change (an empty value takes it out), the path and the body; status, code and a part of the detail.
    for ((name, value), path, body, status, code, says) in [
        (("authorization", ""), PATH, &good, 401, "token-invalid", "токен"),
        (("authorization", "Bearer wrong-but-long-enough-to-be-a-token"), PATH, &good, 401, "token-invalid", "токен"),
        (("authorization", "Bearer the-token"), PATH, &good, 401, "token-invalid", "токен"),
        (("idempotency-key", ""), PATH, &good, 400, "header-invalid", "Idempotency-Key"),
        (("idempotency-key", "a b"), PATH, &good, 400, "header-invalid", "Idempotency-Key"),
        (("mezhved-in-reply-to", ""), PATH, &good, 400, "header-invalid", "Mezhved-Recipient"),
        (("mezhved-in-reply-to", "x"), PATH, &good, 400, "header-invalid", "mezhved-in-reply-to"),
        (("mezhved-in-reply-to", &stranger), PATH, &good, 422, "reference-unknown", "Mezhved-In-Reply-To"),
        (("mezhved-caseid", "x"), PATH, &good, 400, "header-invalid", "mezhved-caseid"),
        (("mezhved-recipient", "nobody"), PATH, &good, 422, "reference-unknown", "Mezhved-In-Reply-To"),
        (("content-type", "application/json"), PATH, &good, 415, "media-type-wrong", "application/xml"),
        (("content-type", ""), PATH, &good, 415, "media-type-wrong", "application/xml"),
        (("x-a", "b"), PATH, &large, 413, "too-large", "20000"),
        (("x-a", "b"), PATH, &"<a".to_owned(), 400, "not-xml", "line 1"),
        (("x-a", "b"), PATH, &"<!DOCTYPE a><a/>".to_owned(), 400, "dtd-forbidden", ""),
        (("x-a", "b"), PATH, &"<a xmlns=\"urn:a\"/></e:Body><e:Body>".to_owned(), 400, "not-xml", ""),
        (("x-a", "b"), PATH, &"<a/>".to_owned(), 422, "schema-invalid", ""),
        (
            ("x-a", "b"),
            PATH,
            &good.replace("<Communication>", "<Other>").replace("</Communication>", "</Other>"),
            422,
            "schema-invalid",
            "adapters/health",
        ),
        (("x-a", "b"), "/v1/plain/document-response/9", &good, 422, "type-unknown", ""),
        (("x-a", "b"), "/v1/plain/receipt/1", &good, 422, "type-unknown", "/v1/plain/document-response/1"),
        (("x-a", "b"), "/v1/plain/document-response/x", &good, 422, "type-unknown", "/v1/plain/document-response/1"),
    ] {
        let mut headers: Vec<(&str, &str)> = usual.iter().filter(|(own, _)| *own != name).copied().collect();
        if !value.is_empty() {
            headers.push((name, value));
        }
        let said = bare.post(path, &headers, body.as_str());
        let what = format!("{name}: {value} {path}: {}", String::from_utf8_lossy(&said.bytes));
        assert_eq!((said.status, said.problem().as_str()), (status, code), "{what}");
        assert!(said.json()["detail"].as_str().unwrap().contains(says), "{what}");
        assert_eq!(said.headers.contains_key("www-authenticate"), status == 401, "{what}");
    }
    assert_eq!(bare.world.number("SELECT COUNT(*) FROM messages WHERE sender = 'health'"), 0);
    let by_token = "SELECT COUNT(*) FROM refusals WHERE code = 'token-invalid' AND sender IS NULL";
    assert_eq!(bare.world.number(by_token), 3);
    assert!(bare.world.number("SELECT COUNT(*) FROM refusals WHERE sender = 'health'") >= 8);
    // What was refused has claimed no id.
    let said = bare.post(PATH, &usual, good.as_str());
    assert_eq!(said.status, 200, "{}", String::from_utf8_lossy(&said.bytes));
    // Of a message that may not go there.
    let headers = [usual[0], ("idempotency-key", "r"), ("mezhved-recipient", "police"), usual[3]];
    let refused = bare.post(PATH, &headers, good.as_str());
    assert_eq!((refused.status, refused.problem().as_str()), (403, "route-forbidden"));
    let log = bare.world.gateway().log();
    assert!(!log.contains(TOKEN) && bodies::PERSONAL.iter().all(|personal| !log.contains(personal)), "{log}");
}

#[test]
fn copies_that_come_at_once_are_one_message() {
    let bare = bare(plan(Backend::Postgres));
    let asked = bare.ask("health", "medical-conclusion");
    bare.world.until(asked.message_id, "delivered");
    let (asked, wire) = (asked.message_id.to_string(), bare.world.wire());
    let posts = (0..16).map(|_| {
        let request = wire.request(reqwest::Method::POST, PATH).bearer_auth(TOKEN).header("idempotency-key", "once");
        let request = request.header("mezhved-in-reply-to", &asked).header("content-type", "application/xml");
        request.body(bodies::health_response("medical-conclusion")).send()
    });
    let answers = RUNTIME.block_on(async {
        let responses = futures_util::future::join_all(posts).await;
        futures_util::future::join_all(responses.into_iter().map(|r| r.unwrap().text())).await
    });
    let answers: std::collections::BTreeSet<String> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.contains("messageId")), "{answers:?}");
    assert_eq!(bare.world.number("SELECT COUNT(*) FROM messages WHERE sender = 'health'"), 1);
    let signed = bare.journal("signed-on-behalf").into_iter().filter(|e| e["detail"]["what"] == "message").count();
    assert_eq!(signed, 1);
}

#[test]
fn whoever_guesses_tokens_is_slowed_down() {
    let bare = bare(plan(Backend::Sqlite).setting("limits.refusals_per_minute_max = 3"));
    let guess = || bare.post(PATH, &[("authorization", "Bearer guess-0123456789-0123456789-0123456789")], "<a/>");
    // The minute may end within the test, but not twice.
    let told = (0..7).map(|_| guess()).find(|said| said.status != 401).expect("a 429");
    assert_eq!((told.status, told.problem().as_str()), (429, "too-fast"));
    assert!(told.headers.contains_key("retry-after"), "{told:?}");
    let asked = bare.ask("health", KIND);
    bare.world.until(asked.message_id, "delivered");
    let said = answer(&bare, asked.message_id, "k", &bodies::health_response(KIND), "*/*");
    assert_eq!(said.status, 200, "who has a token is not held up: {}", String::from_utf8_lossy(&said.bytes));
}
