//! A stand-in for a participant without envelopes.

use mezhved::domain::MessageId;
use serde_json::Value;

use super::{StandIn, answered, applied, ask};
use crate::plain::{plan, without_envelopes};
use crate::support::{eventually, mezhved};
use crate::world::{Backend, SOON, World};

const SECRET: &str = "the-gateways-secret-at-the-agency-01234567";
const TOKEN: &str = "the-token-by-which-the-agency-posts-0123456";
const IN_RESPONSE: &str = "auth = \"bearer\"\nmethod = \"PUT\"\npath = \"/{type}\"\n[plain.paths]\n\
                           document-request = \"/requests/{message-id}?from={sender}\"\n[plain.responses]\n\
                           document-request = \"document-response/1\"\n";

/// A running gateway whose `id` has no envelopes, and what stands in for it at an address of its own.
fn stood_in(id: &str, plain: &str, more: &[&str]) -> (World, StandIn) {
    let mut world = plan(Backend::Sqlite).prepare();
    std::fs::create_dir(world.file("secrets")).unwrap();
    std::fs::write(world.file(&format!("secrets/{id}.bearer")), format!("{SECRET}\n")).unwrap();
    std::fs::write(world.file("token"), format!("{TOKEN}\n")).unwrap();
    without_envelopes(&world, id, "http://127.0.0.1:1/api", plain);
    world.serve();
    let stand_in = StandIn::run(&world, id, &[&["--listen", "127.0.0.1:0"], more].concat());
    let address = eventually("its address", SOON, || {
        let events = stand_in.events.lock().unwrap();
        events.iter().find_map(|e| Some(e["address"].as_str()?.to_owned()))
    });
    without_envelopes(&world, id, &format!("http://{address}/api"), plain);
    world.mezhved(&["partner", "apply", "--comment", "the stand-in"]).done();
    applied(&world, 2, 1);
    (world, stand_in)
}

/// By whom and how the answer came.
fn channel(world: &World, asked: MessageId) -> Value {
    let copies = world.partner("register").copies();
    let mut answers = copies.iter().filter(|copy| copy.opened.kind() == "document-response");
    let answer = answers.find(|copy| copy.opened.header.in_reply_to == Some(asked)).unwrap();
    let id = answer.opened.header.message_id.to_string();
    world.mezhved(&["message", "show", &id, "--json"]).done().json()[0].clone()
}

fn token(world: &World) -> String {
    world.file("token").to_str().unwrap().to_owned()
}

fn posting() -> String {
    format!("auth = \"none\"\ntoken_sha256 = [\"{}\"]\n", mezhved::crypto::sha256(TOKEN.as_bytes()))
}

#[test]
fn an_honest_one_answers_in_the_response_in_its_own_form() {
    let (world, stand_in) = stood_in("employment", IN_RESPONSE, &[]);
    let asked = ask(&world, "employment");
    answered(&world, asked);
    world.until(asked, "delivered");
    let shown = channel(&world, asked);
    assert_eq!((&shown["signedOnBehalf"], &shown["channel"]), (&true.into(), &"plain".into()), "{shown}");
    assert_eq!((stand_in.count("responded"), stand_in.count("accepted"), stand_in.count("trouble")), (1, 0, 0));
    let kept = world.file("simulated/employment/envelopes").join(format!("in-register-{asked}.json"));
    let request: Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!(request["format"], "czn.request.1", "in its own form");
    let owed = world.listed(&["deadline", "list", "--debtor", "employment"]);
    assert_eq!(owed[0]["state"], "met", "{owed:?}");
    // Another secret is not the gateway's word.
    std::fs::write(world.file("secrets/employment.bearer"), "another-secret-of-somebody-else-0123456789").unwrap();
    let unheard = ask(&world, "employment");
    eventually("the refusal of the secret", SOON, || (stand_in.count("trouble") > 0).then_some(()));
    let told = stand_in.events.lock().unwrap().iter().find(|e| e["event"] == "trouble").unwrap().to_string();
    assert!(told.contains("HTTP 401") && !told.contains("another-secret"), "{told}");
    std::fs::write(world.file("secrets/employment.bearer"), SECRET).unwrap();
    answered(&world, unheard);
}

#[test]
fn an_honest_one_posts_its_answer_by_its_token_and_a_late_one_after_its_pause() {
    for more in [&[][..], &["--behaviour", "late", "--pause", "1"]] {
        let plain = posting();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{TOKEN}\n")).unwrap();
        let given = ["--token-file", file.path().to_str().unwrap()];
        let (world, stand_in) = stood_in("health", &plain, &[&given, more].concat());
        let asked = ask(&world, "health");
        answered(&world, asked);
        let shown = channel(&world, asked);
        assert_eq!((&shown["signedOnBehalf"], &shown["channel"]), (&true.into(), &"plain".into()), "{shown}");
        eventually("its word of the receipt", SOON, || (stand_in.count("accepted") == 1).then_some(()));
        assert_eq!(stand_in.count("responded"), 0);
        let kept = std::fs::read_to_string(world.file("simulated/health/sent.jsonl")).unwrap();
        assert!(kept.contains("\"receipted\":true"), "{kept}");
    }
}

#[test]
fn who_can_neither_post_nor_respond_says_so_and_only_takes() {
    let (world, stand_in) = stood_in("employment", "auth = \"none\"\n", &[]);
    let asked = ask(&world, "employment");
    world.until(asked, "delivered");
    eventually("what it lacks, for itself and for the message", SOON, || {
        let events = stand_in.events.lock().unwrap();
        let told = events.iter().filter_map(|e| e["text"].as_str()).filter(|text| text.contains("--token-file"));
        (told.count() == 2).then_some(())
    });
    let owed = world.listed(&["deadline", "list", "--debtor", "employment"]);
    assert_eq!(owed[0]["state"], "open", "{owed:?}");
}

#[test]
fn a_broken_one_answers_with_errors_pages_and_pieces_and_refuses() {
    let (world, _broken) = stood_in("employment", IN_RESPONSE, &["--behaviour", "broken"]);
    let asked = ask(&world, "employment");
    for code in ["media-type-wrong", "schema-invalid"] {
        eventually("a bad answer", SOON, || {
            let shown = world.mezhved(&["message", "show", &asked.to_string(), "--json"]).done().json();
            let delivery = &shown[0]["deliveries"][0];
            let detail = delivery["detail"].as_str().unwrap_or_default();
            (delivery["state"] == "parked" && delivery["reason"] == "answer-refused" && detail.contains(code))
                .then_some(())
        });
        world.mezhved(&["message", "replay", &asked.to_string()]).done();
    }
    let delivery = world.until(asked, "refused");
    assert_eq!(delivery["faultCode"], "http-422", "{delivery}");
    let tried = delivery["tries"].to_string();
    assert!(tried.contains("HTTP 500"), "{delivery}");
}

#[test]
fn what_is_wrong_with_its_secrets_is_told_before_it_runs() {
    let world = World::on(Backend::Sqlite).prepare();
    std::fs::write(world.file("token"), "somebody-elses-token-0123456789-0123456789").unwrap();
    without_envelopes(&world, "employment", "http://127.0.0.1:1/api", IN_RESPONSE);
    without_envelopes(&world, "health", "http://127.0.0.1:1/api", &posting());
    let (folder, token) = (world.folder().to_str().unwrap(), token(&world));
    for (arguments, says) in [
        (&["employment"][..], "secrets/employment.bearer"),
        (&["health", "--token-file", &token], "token_sha256"),
        (&["health", "--token-file", "nowhere"], "nowhere"),
        (&["health", "--key", &token], "take --key out"),
        (&["police", "--token-file", &token], "take --token-file out"),
    ] {
        let refused = mezhved(&[&["partner", "simulate"], arguments, &["--config", folder]].concat());
        assert!(refused.status != Some(0) && refused.stderr.contains(says), "{says}: {refused}");
    }
}
