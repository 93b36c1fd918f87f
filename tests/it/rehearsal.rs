//! `partner simulate`: a participant's system that stands in until its own is ready, over the participant's real transport.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use mezhved::domain::MessageId;
use serde_json::Value;

use crate::support::{eventually, mezhved};
use crate::world::{Backend, SOON, World, bodies};

const KIND: &str = "criminal-record";

/// A running stand-in; it ends with the test.
struct StandIn {
    child: Child,
    events: Arc<Mutex<Vec<Value>>>,
}

impl StandIn {
    fn start(world: &World, id: &str, more: &[&str]) -> Self {
        let file = |end: &str| world.file(&format!("agencies/{id}.{end}.pem")).to_str().unwrap().to_owned();
        let gateway = world.gateway().agencies().to_owned();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mezhved"))
            .args(["partner", "simulate", id, "--config", world.folder().to_str().unwrap()])
            .args(["--key", &file("key"), "--cert", &file("cert"), "--gateway", &gateway])
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
