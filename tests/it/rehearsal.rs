//! `partner simulate`: a participant's system that stands in until its own is ready, over the participant's real transport.

mod plain;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use mezhved::domain::MessageId;
use serde_json::Value;

use crate::support::{eventually, mezhved};
use crate::world::{Backend, RUNTIME, SOON, World, bodies};

const KIND: &str = "criminal-record";

/// A running stand-in; it ends with the test.
struct StandIn {
    child: Child,
    events: Arc<Mutex<Vec<Value>>>,
}

impl StandIn {
    fn start(world: &World, id: &str, more: &[&str]) -> Self {
        let file = |end: &str| world.file(&format!("agencies/{id}.{end}.pem")).to_str().unwrap().to_owned();
        Self::run(world, id, &[&["--key", &file("key"), "--cert", &file("cert")], more].concat())
    }

    /// Runs it with what stands in the folder only.
    fn run(world: &World, id: &str, more: &[&str]) -> Self {
        let gateway = world.gateway().agencies().to_owned();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mezhved"))
            .args(["partner", "simulate", id, "--config", world.folder().to_str().unwrap()])
            .args(["--gateway", &gateway])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (kept, out) = (events.clone(), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, events }
    }

    fn count(&self, event: &str) -> usize {
        self.events.lock().unwrap().iter().filter(|e| e["event"] == event).count()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn ask(world: &World, who: &str) -> MessageId {
    let register = world.agency("register");
    let request = register.draft(who, "document-request", bodies::request(KIND));
    world.post(register.sign(&request)).receipt();
    request.header.message_id
}

fn answered(world: &World, id: MessageId) {
    eventually("the answer at the register", SOON, || {
        let copies = world.partner("register").copies();
        let answers = copies.iter().filter(|copy| copy.opened.kind() == "document-response");
        answers.into_iter().find(|copy| copy.opened.header.in_reply_to == Some(id)).map(|_| ())
    });
}

#[test]
fn an_honest_one_answers_and_a_silent_one_only_receipts() {
    let world = World::on(Backend::Sqlite).start();
    let _police = StandIn::start(&world, "police", &[]);
    let employment = StandIn::start(&world, "employment", &["--behaviour", "silent"]);
    let (asked, unanswered) = (ask(&world, "police"), ask(&world, "employment"));
    answered(&world, asked);
    for id in [asked, unanswered] {
        world.until(id, "delivered");
    }
    let kept = std::fs::read_to_string(world.file("simulated/police/sent.jsonl")).unwrap();
    assert!(kept.contains("document-response"), "{kept}");
    assert_eq!(employment.count("accepted"), 0, "it sent nothing");
    let owed = world.listed(&["deadline", "list", "--debtor", "employment"]);
    assert_eq!(owed[0]["state"], "open", "{owed:?}");
}

/// What no list names: a question without a citizen, by the rules of the region's whole regulation.
#[test]
fn what_a_rule_says_is_owed_is_answered_whatever_its_type() {
    let world = World::on(Backend::Sqlite).whole_region().start();
    canonical(&world, "employment");
    let _employment = StandIn::start(&world, "employment", &[]);
    let register = world.agency("register");
    let question = include_str!("../../schemas/social/information-request/1/samples/minimal.xml");
    let question = register.draft("employment", "information-request", question);
    world.post(register.sign(&question)).receipt();
    eventually("the answer at the register", SOON, || {
        let answers = world.partner("register").copies();
        let answers = answers.iter().filter(|copy| copy.opened.kind() == "information-response");
        answers.into_iter().find(|c| c.opened.header.in_reply_to == Some(question.header.message_id)).map(|_| ())
    });
    let met = world.listed(&["deadline", "list", "--rule", "information-answer", "--state", "met"]);
    assert_eq!(met.len(), 1, "{met:?}");
}

/// Lets a participant speak in the canonical form: its own carries some types only.
fn canonical(world: &World, id: &str) {
    let file = world.file(&format!("participants/{id}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, bodies::replaced(&text, &format!("adapter = \"{id}\"\n"), "")).unwrap();
    world.mezhved(&["partner", "apply", "--comment", "canonical"]).done();
    applied(world, 2, 1);
}

/// Waits until the gateway works by these revisions.
fn applied(world: &World, participants: u32, bundle: u32) {
    eventually("the gateway by the new revisions", SOON, || {
        let ready = RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap();
        let ready: Value = serde_json::from_slice(&ready.bytes).unwrap();
        (ready["revisions"] == serde_json::json!({ "participants": participants, "bundle": bundle })).then_some(())
    });
}

#[test]
fn a_broken_one_takes_nothing_over_and_its_successor_gets_what_waited() {
    let world = World::on(Backend::Sqlite).setting("mailbox.lease_seconds = 1").start();
    let asked = ask(&world, "police");
    let broken = StandIn::start(&world, "police", &["--behaviour", "broken"]);
    eventually("three bad answers", SOON, || (broken.count("trouble") >= 3).then_some(()));
    let state = world.mezhved(&["message", "show", &asked.to_string(), "--json"]).done().stdout;
    assert!(!state.contains("delivered"), "{state}");
    drop(broken);
    let _honest = StandIn::start(&world, "police", &[]);
    answered(&world, asked);
    world.until(asked, "delivered");
}

#[test]
fn who_flaps_is_away_and_comes_back() {
    let world = World::on(Backend::Sqlite).setting("mailbox.lease_seconds = 1").start();
    let police = StandIn::start(&world, "police", &["--behaviour", "flapping", "--pause", "2"]);
    // A message each time until one meets it away.
    eventually("a moment when it is away", SOON, || {
        answered(&world, ask(&world, "police"));
        (police.count("trouble") > 0).then_some(())
    });
}

#[test]
fn what_it_lacks_is_told() {
    let world = World::on(Backend::Sqlite).prepare();
    let folder = world.folder().to_str().unwrap();
    for (arguments, says) in [
        (&["nobody"][..], "has no participant `nobody`"),
        (&["police"], "keys/police.key.pem"),
        (&["police", "--behaviour", "kind"], "possible values"),
    ] {
        let refused = mezhved(&[&["partner", "simulate"], arguments, &["--config", folder]].concat());
        assert!(refused.status != Some(0) && refused.stderr.contains(says), "{refused}");
    }
}

#[test]
fn a_new_agency_of_files_only_exchanges_messages() {
    let world = World::on(Backend::Sqlite).start();
    // What the administrators' guide says, while the gateway runs.
    world.mezhved(&["adapter", "new", "youth-affairs", "--like", "police"]).done();
    let adapter = world.file("adapters/youth-affairs");
    renamed(&adapter, "urn:example:uvd:vz:3", "urn:example:molodezh:1");
    mezhved(&["adapter", "test", adapter.to_str().unwrap()]).done();
    let own = world.file("participants/police.toml");
    let text = std::fs::read_to_string(&own).unwrap();
    std::fs::write(own, bodies::replaced(&text, "adapter = \"police\"", "adapter = \"youth-affairs\"")).unwrap();
    world.mezhved(&["config", "check"]).done();
    world.mezhved(&["partner", "apply", "--comment", "youth affairs"]).done();
    applied(&world, 2, 2);
    let _agency = StandIn::start(&world, "police", &[]);
    let asked = ask(&world, "police");
    answered(&world, asked);
    let kept = world.file("simulated/police/envelopes").join(format!("in-register-{asked}.xml"));
    let delivered = std::fs::read_to_string(kept).unwrap();
    assert!(delivered.contains("urn:example:molodezh:1"), "in its own form: {delivered}");
}

/// Writes another name in every file below a folder.
fn renamed(folder: &Path, from: &str, to: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            renamed(&path, from, to);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            std::fs::write(path, text.replace(from, to)).unwrap();
        }
    }
}
