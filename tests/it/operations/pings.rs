//! `partner ping`: each step of the way to a participant, and a signed ping that leaves no dead letter.

use serde_json::Value;

use super::journal_is_whole;
use crate::world::{Backend, Behaviour, World};

fn ping(world: &World, participant: &str) -> Value {
    world.mezhved(&["partner", "ping", participant, "--wait", "0", "--json"]).json()
}

/// The steps as `name+`, `tcp!`, `tls?`.
fn steps(report: &Value) -> String {
    let steps = report["steps"].as_array().unwrap_or_else(|| panic!("no steps: {report}")).iter();
    let word = |step: &Value| {
        let mark = match step["state"].as_str().unwrap() {
            "done" => '+',
            "failed" => '!',
            _ => '?',
        };
        format!("{}{mark}", step["step"].as_str().unwrap())
    };
    steps.map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_step_of_the_way_is_tried_on_sqlite() {
    tried(Backend::Sqlite);
}

#[test]
fn every_step_of_the_way_is_tried_on_postgresql() {
    tried(Backend::Postgres);
}

fn tried(backend: Backend) {
    let world = World::on(backend).start();
    let partner = world.partner("health");
    let report = ping(&world, "health");
    assert_eq!(
        (&report["outcome"], steps(&report).as_str()),
        (&"reached".into(), "name+ tcp+ tls? sign+ send+ receipt+"),
        "{report}"
    );
    let came = partner.first("ping").expect("the ping came");
    assert_eq!(came.opened.header.sender.as_str(), "mezhved");

    for (behaviour, outcome, last) in [
        (Behaviour::Silent, "silent", "receipt?"),
        (Behaviour::Garbage, "failed", "receipt!"),
        (Behaviour::Status(500), "failed", "send!"),
        (Behaviour::Fault("content-invalid".to_owned()), "failed", "receipt!"),
    ] {
        partner.behave(behaviour.clone());
        let report = ping(&world, "health");
        assert_eq!(report["outcome"], outcome, "{behaviour:?}: {report}");
        assert!(steps(&report).ends_with(last), "{behaviour:?}: {report}");
    }
    partner.behave(Behaviour::Receipt);
    // Tried once each, and no dead letter is left.
    assert_eq!((partner.calls(), world.listed(&["dead", "list"]).len()), (5, 0));

    // A mailbox: it lies there until it is fetched.
    let report = ping(&world, "police");
    assert_eq!((&report["outcome"], steps(&report).as_str()), (&"silent".into(), "sign+ send+ receipt?"), "{report}");
    let unknown = world.mezhved(&["partner", "ping", "nobody"]);
    assert!(unknown.status == Some(1) && unknown.stderr.contains("nobody"), "{unknown}");
    journal_is_whole(&world);
}

#[test]
fn a_way_that_is_broken_names_the_step() {
    let world = World::on(Backend::Sqlite).prepare();
    let file = world.file("participants/health.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let url = text.split("url = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    world.mezhved(&["partner", "apply"]).done();
    let at = |url: &str| {
        world.mezhved(&["partner", "set", "health", &format!("transport.url={url}")]).done();
        let report = world.mezhved(&["partner", "ping", "health", "--json"]);
        assert_eq!(report.status, Some(1), "{report}");
        report.json()
    };
    for (url, seen) in [
        ("https://no-such-host.invalid/inbox", "name!"),
        ("http://plain.example/inbox", "name!"),
        ("http://127.0.0.1:1/inbox", "name+ tcp!"),
        // Plain HTTP behind an https address.
        (&*url.replace("http:", "https:"), "name+ tcp+ tls!"),
    ] {
        let report = at(url);
        assert_eq!(steps(&report), seen, "{url}: {report}");
        let detail = &report["steps"].as_array().unwrap().last().unwrap()["facts"];
        assert!(detail.to_string().contains("detail"), "{report}");
    }
}
