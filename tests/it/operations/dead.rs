//! Dead letters are found, shown with all that happened to them, sent again once, or ended for good.

use mezhved::domain::MessageId;
use mezhved::envelope::technical::NoticeState;

use super::{journal_is_whole, request};
use crate::commands::{copy_folder, edit, project};
use crate::exchange::http::notice_about;
use crate::support::eventually;
use crate::world::{Backend, Behaviour, SOON, World};

const WHY: [&str; 2] = ["--why", "Исправлено"];

fn refused(world: &World, count: usize) -> Vec<MessageId> {
    world.partner("guardianship").behave(Behaviour::Fault("content-invalid".to_owned()));
    let ids: Vec<_> = (0..count).map(|_| request(world, "guardianship")).collect();
    ids.iter().for_each(|id| drop(world.until(*id, "refused")));
    world.partner("guardianship").behave(Behaviour::Receipt);
    ids
}

#[test]
fn many_are_replayed_by_a_condition_each_once_on_sqlite() {
    replayed(Backend::Sqlite);
}

#[test]
fn many_are_replayed_by_a_condition_each_once_on_postgresql() {
    replayed(Backend::Postgres);
}

fn replayed(backend: Backend) {
    let world = World::on(backend).start();
    let ids = refused(&world, 5);
    let partner = world.partner("guardianship");
    let before = partner.counts().0;
    let list = |options: &[&str]| world.listed(&[&["dead", "list"], options].concat()).len();
    assert_eq!(list(&[]), 5);
    assert_eq!(list(&["--to", "guardianship", "--state", "refused", "--code", "content-invalid"]), 5);
    assert_eq!(list(&["--type", "document-request", "--from", "register", "--since", "2026-01-01T00:00:00Z"]), 5);
    assert_eq!(
        (list(&["--limit", "2"]), list(&["--to", "health"]), list(&["--until", "2026-01-01T00:00:00Z"])),
        (2, 0, 0)
    );
    assert_eq!(list(&["--reason", "given-up"]), 0);

    let replay = |options: &[&str]| {
        let all = [&["dead", "replay", "--json"], &WHY[..], options].concat();
        world.mezhved(&all).done().json()
    };
    let dry = replay(&["--to", "guardianship", "--dry-run"]);
    assert_eq!((dry.as_array().map(Vec::len), list(&[])), (Some(5), 5), "nothing has moved");
    let some = replay(&["--to", "guardianship", "--limit", "2"]);
    assert_eq!(some["replayed"].as_array().map(Vec::len), Some(2), "{some}");
    assert_eq!(replay(&["--to", "guardianship"])["replayed"].as_array().map(Vec::len), Some(3));
    assert_eq!(replay(&["--to", "guardianship"])["replayed"].as_array().map(Vec::len), Some(0));
    ids.iter().for_each(|id| drop(world.until(*id, "delivered")));
    // Each once more, and as the same message.
    assert_eq!(partner.counts(), (before + 5, 5));
    let named: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let again = replay(&named.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(again["replayed"].as_array().map(Vec::len), Some(0), "{again}");

    let shown = world.mezhved(&["dead", "show", &named[0], "--json"]).done().json();
    let chain = shown[0]["chain"].as_array().unwrap();
    let states: Vec<&str> = chain.iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["refused", "queued", "delivered"], "{shown}");
    assert!(chain[1]["detail"].as_str().unwrap().ends_with(": Исправлено"), "{shown}");
    let neither = world.mezhved(&["dead", "replay", "--why", "x"]);
    assert!(neither.status == Some(1) && neither.stderr.contains("--to"), "{neither}");
    let absent = world.mezhved(&["dead", "show", "nothing"]);
    assert!(absent.status == Some(1) && absent.stderr.contains("nothing"), "{absent}");
    journal_is_whole(&world);
}

#[test]
fn what_is_discarded_is_told_and_nothing_waits_for_it_any_more_on_sqlite() {
    discarded(Backend::Sqlite);
}

#[test]
fn what_is_discarded_is_told_and_nothing_waits_for_it_any_more_on_postgresql() {
    discarded(Backend::Postgres);
}

fn discarded(backend: Backend) {
    let plan = World::on(backend).setting("delivery.attempts_max = 1");
    let mut world = plan.prepare();
    copy_folder(&project("adapters/health"), &world.file("adapters/health"));
    let template = world.file("adapters/health/templates/request.out.xml");
    edit(&template, "body.legalAct)", "body.legalActs)");
    world.serve();
    let id = request(&world, "health");
    let parked = world.until(id, "parked");
    assert_eq!(parked["reason"], "translation-failed", "{parked}");
    let waiting = "SELECT COUNT(*) FROM obligations WHERE state = 'pending'";
    assert_eq!(world.number(waiting), 1);

    let discard = || {
        let named = id.to_string();
        let all = ["dead", "discard", &named, "--why", "Отправлено на бумаге", "--author", "Дежурный", "--json"];
        world.mezhved(&all).done().json()["discarded"].as_array().map(Vec::len)
    };
    assert_eq!(discard(), Some(1));
    world.until(id, "discarded");
    assert_eq!(discard(), Some(0), "once");
    assert_eq!(world.number(waiting), 0);
    let owed = world.listed(&["deadline", "list"]);
    assert_eq!((owed.len(), owed[0]["state"].as_str()), (1, Some("cancelled")), "{owed:?}");
    let told = eventually("the notice", SOON, || {
        let notices = world.partner("register").copies().into_iter().filter(|copy| copy.opened.kind() == "notice");
        let notices = notices.map(|copy| copy.opened.technical::<mezhved::envelope::technical::Notice>());
        notices.filter(|notice| notice.message_id == id).find(|notice| notice.reason.as_deref() == Some("discarded"))
    });
    assert_eq!(told.state, NoticeState::Parked);
    assert!(notice_about(&world, id).is_some_and(|first| first.reason.as_deref() == Some("translation-failed")));

    // For good: neither listed nor sent again.
    assert!(world.listed(&["dead", "list"]).is_empty());
    let again = world.mezhved(&["message", "replay", &id.to_string()]).done();
    assert!(again.stdout.contains("queued again: 0"), "{again}");
    let shown = world.mezhved(&["dead", "show", &id.to_string(), "--json"]).done().json();
    let last = shown[0]["chain"].as_array().unwrap().last().unwrap().clone();
    assert!(last["state"] == "discarded" && last["detail"] == "Дежурный: Отправлено на бумаге", "{shown}");
    let entry = "SELECT COUNT(*) FROM journal WHERE kind = 'delivery-discarded' AND actor = 'Дежурный'";
    assert_eq!(world.number(entry), 1);
    journal_is_whole(&world);
}
