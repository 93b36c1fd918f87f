//! What an administrator sees of participants without envelopes.

use mezhved::crypto::sha256;
use mezhved::domain::Attachment;

use super::{SECRET, TOKEN, bare, plan, prepared, without_envelopes};
use crate::world::{Backend, bodies};

#[test]
fn the_folder_is_checked_listed_and_written_back_and_holds_no_secret() {
    let bare = bare(plan(Backend::Sqlite));
    let world = &bare.world;
    let checked = world.mezhved(&["config", "check"]);
    assert_eq!(checked.status, Some(0), "{checked}");
    let listed = world.mezhved(&["partner", "list", "--json"]).done().json();
    let framings: Vec<String> =
        listed["participants"].as_array().unwrap().iter().map(|p| format!("{} {}", p["id"], p["framing"])).collect();
    assert!(framings.contains(&"\"health\" \"plain\"".to_owned()), "{framings:?}");
    assert!(framings.contains(&"\"register\" \"envelope\"".to_owned()), "{framings:?}");
    assert!(world.mezhved(&["partner", "list"]).done().stdout.contains("http, plain"));
    let out = world.file("exported");
    world.mezhved(&["partner", "export", "--out", out.to_str().unwrap()]).done();
    let file = std::fs::read_to_string(out.join("participants/health.toml")).unwrap();
    assert_eq!(file, std::fs::read_to_string(world.file("participants/health.toml")).unwrap());
    assert!(!out.join("secrets").exists() && !file.contains(TOKEN) && !file.contains(SECRET));
    let simulated = world.mezhved(&["partner", "simulate", "health", "--key", "keys/health.key.pem"]);
    assert!(simulated.status == Some(1) && simulated.stderr.contains("it signs and verifies nothing"), "{simulated}");
}

#[test]
fn each_mistake_is_named_with_its_file_and_way_out() {
    let bare = prepared(plan(Backend::Sqlite));
    let world = &bare.world;
    std::fs::remove_file(world.file("secrets/health.basic")).unwrap();
    without_envelopes(
        world,
        "employment",
        "https://czn.example.org",
        "auth = \"none\"\n[plain.paths]\ndocument-reqest = \"/a\"\n[plain.responses]\ndocument-request = \"application/1\"\nnote = \"notice/1\"\n",
    );
    let checked = world.mezhved(&["config", "check"]);
    assert_eq!(checked.status, Some(1), "{checked}");
    let said = format!("{}{}", checked.stdout, checked.stderr);
    for part in [
        "participants/employment.toml:13",
        "`document-reqest`",
        "participants/employment.toml:15",
        "не переводит application/1",
        "`notice/1`",
        "secrets/health.basic",
        "положите файл",
    ] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    let applied = world.mezhved(&["partner", "apply"]);
    assert!(applied.status == Some(1) && applied.stderr.contains("ничего не изменено"), "{applied}");
}

#[test]
fn one_token_is_of_one_participant() {
    let bare = prepared(plan(Backend::Sqlite));
    let world = &bare.world;
    let token = format!("auth = \"none\"\ntoken_sha256 = [\"{}\"]\n", sha256(TOKEN.as_bytes()));
    without_envelopes(world, "guardianship", "https://opeka.example.org", &token);
    let checked = world.mezhved(&["config", "check"]);
    assert_eq!(checked.status, Some(1), "{checked}");
    let said = format!("{}{}", checked.stdout, checked.stderr);
    for part in ["participants/health.toml", "token_sha256", "`guardianship`", "mezhved key token"] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert!(!said.contains(TOKEN));
}

#[test]
fn files_do_not_go_where_there_is_no_envelope() {
    let bare = bare(plan(Backend::Sqlite));
    let register = bare.world.agency("register");
    let mut request = register.draft("health", "document-request", bodies::request("medical-conclusion"));
    request.header.attachments = vec![Attachment {
        digest: sha256(b"x"),
        size_bytes: 1,
        media_type: "application/pdf".to_owned(),
        name: "x.pdf".to_owned(),
        inline: Some(b"x".to_vec()),
        signs: None,
    }];
    let fault = bare.world.post(register.sign(&request)).fault();
    assert_eq!(fault.code, "attachment-invalid");
    assert!(fault.detail.unwrap().contains("without envelopes"));
}

#[test]
fn a_token_is_made_with_its_hash() {
    let made = crate::support::mezhved(&["key", "token", "--json"]).done().json();
    let token = made["token"].as_str().unwrap();
    assert!(token.len() >= 43, "{made}");
    assert_eq!(made["token_sha256"], sha256(token.as_bytes()).to_string());
}
