//! SIGTERM: nothing more is taken, what runs may end, and what does not is given back at once, not when its lease ends.

use std::time::{Duration, Instant};

use super::{journal_is_whole, request};
use crate::support::eventually;
use crate::world::{Backend, Behaviour, SOON, World};

/// Far longer than any of these tests: nothing here may wait for it.
const LEASE: &str = "delivery.lease_ms = 3600000";

fn plan(backend: Backend, stop_seconds: u32) -> crate::world::Plan {
    let plan = World::on(backend).setting(LEASE).setting("push.timeout_ms = 600000");
    plan.setting(format!("delivery.stop_seconds = {stop_seconds}"))
}

#[test]
fn what_a_stopping_node_cannot_end_is_taken_over_at_once_by_the_other() {
    let mut world = plan(Backend::Postgres, 1).start();
    world.partner("guardianship").behave(Behaviour::Hangs);
    let id = request(&world, "guardianship");
    eventually("a call on its way", SOON, || (world.partner("guardianship").calls() == 1).then_some(()));
    let other = world.command().start();
    world.partner("guardianship").behave(Behaviour::Receipt);
    let begun = Instant::now();
    assert_eq!(world.process().stop(), Some(0));
    let stopped = begun.elapsed();
    assert!(stopped < Duration::from_secs(20), "{stopped:?}");
    let delivered = world.until(id, "delivered");
    eprintln!("stopped after {stopped:?}, delivered by the other after {:?}", begun.elapsed());
    assert_eq!(delivered["attempts"], 1, "an attempt that was cut off does not count: {delivered}");
    assert_eq!(world.partner("guardianship").counts(), (1, 1));
    // The jobs that one node at a time does are taken over too.
    let other_log = other.log();
    eventually("a sealed journal", SOON, || {
        let found = world.mezhved(&["journal", "verify", "--json"]).done().json();
        (found["unsealed"] == 0 && found["problem"].is_null()).then_some(())
    });
    drop(other_log);
    journal_is_whole(&world);
}

#[test]
fn a_node_that_comes_back_goes_on_at_once_with_what_it_gave_back() {
    let mut world = plan(Backend::Sqlite, 0).start();
    world.partner("guardianship").behave(Behaviour::Hangs);
    let id = request(&world, "guardianship");
    eventually("a call on its way", SOON, || (world.partner("guardianship").calls() == 1).then_some(()));
    assert_eq!(world.process().stop(), Some(0));
    assert_eq!(world.number("SELECT COUNT(*) FROM deliveries WHERE state = 'leased'"), 0);
    assert_eq!(
        world.number("SELECT COUNT(*) FROM leases WHERE lease_until > 0"),
        0,
        "no job is held by a node that is gone"
    );
    world.partner("guardianship").behave(Behaviour::Receipt);
    world.process().restart();
    world.until(id, "delivered");
}

#[test]
fn what_ends_in_time_is_settled_before_the_node_is_gone() {
    let mut world = plan(Backend::Sqlite, 25).start();
    world.partner("guardianship").behave(Behaviour::Slow(Duration::from_secs(2)));
    let id = request(&world, "guardianship");
    eventually("a call on its way", SOON, || (world.partner("guardianship").calls() == 1).then_some(()));
    assert_eq!(world.process().stop(), Some(0));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM deliveries WHERE recipient = 'guardianship' AND state = 'delivered'"),
        1
    );
    world.until(id, "delivered");
    assert_eq!(world.partner("guardianship").counts(), (1, 1));
}
