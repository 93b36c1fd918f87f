//! A person's word about a queue: all nodes obey within two seconds, and nothing is lost by it.

use std::time::{Duration, Instant};

use mezhved::envelope::technical::NoticeState;

use super::{journal_is_whole, queue, request};
use crate::exchange::http::notice_about;
use crate::support::eventually;
use crate::world::{Backend, SOON, World};

/// What is promised: after so long every node obeys.
const OBEYED: Duration = Duration::from_secs(2);

/// Says something about the queue of guardianship, and lets the promised time pass.
fn order(world: &World, word: &str, reason: &str) {
    let said =
        world.mezhved(&["queue", word, "guardianship", "--reason", reason, "--author", "Дежурный", "--json"]).done();
    assert_eq!(said.json()["changed"], true, "{said}");
    let begun = Instant::now();
    eventually("the promised time", SOON, || (begun.elapsed() >= OBEYED).then_some(()));
}

#[test]
fn a_queue_is_paused_stopped_and_resumed_on_sqlite() {
    ordered(Backend::Sqlite);
}

#[test]
fn a_queue_is_paused_stopped_and_resumed_by_all_nodes_on_postgresql() {
    ordered(Backend::Postgres);
}

fn ordered(backend: Backend) {
    let world = World::on(backend).setting("delivery.poll_ms = 60000").start();
    let other = (backend == Backend::Postgres).then(|| world.command().start());
    let partner = world.partner("guardianship");
    order(&world, "pause", "Регламентные работы");
    let waits: Vec<_> = (0..4).map(|_| request(&world, "guardianship")).collect();
    world.until(request(&world, "health"), "delivered");
    let shown = queue(&world, "guardianship");
    assert!(shown["state"] == "paused" && shown["depth"] == 4 && shown["attempts"] == 0, "{shown}");
    assert!(shown["author"] == "Дежурный" && shown["reason"] == "Регламентные работы", "{shown}");
    assert_eq!(partner.calls(), 0);

    // Nodes wake for it, whatever their own pace.
    order(&world, "resume", "Готово");
    waits.iter().for_each(|id| drop(world.until(*id, "delivered")));

    order(&world, "pause", "Снова работы");
    let caught = request(&world, "guardianship");
    order(&world, "stop", "Система снята с эксплуатации");
    let parked = world.until(caught, "parked");
    assert_eq!(parked["reason"], "queue-stopped", "{parked}");
    // What comes is accepted, and its sender told at once.
    let late = request(&world, "guardianship");
    world.until(late, "parked");
    let told = eventually("the notice", SOON, || notice_about(&world, late));
    assert_eq!((told.state, told.reason.as_deref()), (NoticeState::Parked, Some("queue-stopped")));
    assert_eq!(partner.counts(), (4, 4));

    let replay = ["dead", "replay", "--to", "guardianship", "--reason", "queue-stopped", "--why", "Система вернулась"];
    let refused = world.mezhved(&replay);
    assert!(refused.status == Some(1) && refused.stderr.contains("queue resume guardianship"), "{refused}");
    order(&world, "resume", "Система вернулась");
    world.mezhved(&replay).done();
    // The command line wakes nobody; the next message does, long before the poll.
    world.until(request(&world, "health"), "delivered");
    [caught, late].iter().for_each(|id| drop(world.until(*id, "delivered")));
    assert_eq!(partner.counts(), (6, 6));

    let shown = world.mezhved(&["queue", "show", "guardianship", "--json"]).done().json();
    let history: Vec<_> = shown["history"].as_array().unwrap().iter().map(|act| act["state"].clone()).collect();
    assert_eq!(history, ["running", "stopped", "paused", "running", "paused"]);
    let acts = "SELECT COUNT(*) FROM journal WHERE participant = 'guardianship' AND actor = 'Дежурный' AND kind LIKE 'queue-%'";
    assert_eq!(world.number(acts), 5);
    drop(other);
    journal_is_whole(&world);
}

#[test]
fn what_was_said_already_changes_nothing_and_an_unknown_participant_is_an_error() {
    let world = World::on(Backend::Sqlite).start();
    let said = |id: &str| world.mezhved(&["queue", "pause", id, "--reason", "Проба", "--json"]);
    assert_eq!(said("health").done().json()["changed"], true);
    assert_eq!(said("health").done().json()["changed"], false);
    let unknown = said("helth");
    assert!(unknown.status == Some(1) && unknown.stderr.contains("helth"), "{unknown}");
    assert_eq!(world.mezhved(&["queue", "pause", "health"]).status, Some(2), "without a reason");
    assert!(world.mezhved(&["queue", "list"]).done().stdout.contains("приостановлена"));
}
