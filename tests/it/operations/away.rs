//! A partner that is away for long: its breaker opens, one probe goes out now and then, the others do not notice, and it all goes once it
//! is back.

use mezhved::envelope::technical::NoticeState;

use super::{journal_is_whole, queue, request};
use crate::exchange::http::notice_about;
use crate::support::eventually;
use crate::world::{Backend, Behaviour, SOON, World, bodies, now};

const MESSAGES: usize = 12;

#[test]
fn a_partner_that_is_away_gets_probes_only_and_all_of_its_queue_once_it_is_back_on_sqlite() {
    away(Backend::Sqlite);
}

#[test]
fn a_partner_that_is_away_gets_probes_only_and_all_of_its_queue_once_it_is_back_on_postgresql() {
    away(Backend::Postgres);
}

fn away(backend: Backend) {
    let plan =
        World::on(backend).setting("delivery.breaker_failures = 3").setting("delivery.breaker_probe_seconds = 1");
    // Attempts that would have been used up at once, were they counted while the partner is away.
    let plan = plan.setting("delivery.attempts_max = 4").setting("delivery.retry_base_ms = 10");
    let world = plan.setting("delivery.retry_ceiling_ms = 50").start();
    let nodes = (backend == Backend::Postgres).then(|| world.command().start());
    let partner = world.partner("guardianship");
    partner.behave(Behaviour::Status(503));
    let ids: Vec<_> = (0..MESSAGES).map(|_| request(&world, "guardianship")).collect();
    let breaker = || queue(&world, "guardianship")["breaker"].clone();
    let opened = eventually("an open breaker", SOON, || Some(breaker()).filter(|b| b["state"] != "closed"));
    assert!(opened["reason"] == "partner-error" && opened["failures"].as_u64() >= Some(3), "{opened}");

    // Once both nodes know, each call is a probe, and there is one in a second however many nodes there are.
    let probes = || breaker()["probes"].as_u64().unwrap();
    eventually("some probes", SOON, || (probes() >= 3).then_some(()));
    let (calls, before) = (partner.calls(), probes());
    eventually("more probes", SOON, || (probes() >= before + 4).then_some(()));
    let (more_calls, after) = (partner.calls(), probes());
    let (called, probed) = (more_calls - calls, usize::try_from(after - before).unwrap());
    assert!(called <= probed + 1, "{called} calls in the time of {probed} probes");
    let shown = queue(&world, "guardianship");
    let waiting = u64::try_from(MESSAGES).unwrap();
    assert!(shown["depth"] == waiting && shown["parked"] == 0, "{shown}");
    assert!(shown["oldestAgeSeconds"].is_u64() && shown["attempts"].as_u64() >= Some(1), "{shown}");

    // The others do not notice.
    world.until(request(&world, "health"), "delivered");

    partner.behave(Behaviour::Receipt);
    for id in &ids {
        world.until(*id, "delivered");
    }
    assert_eq!(partner.counts(), (MESSAGES, MESSAGES));
    assert_eq!(queue(&world, "guardianship")["breaker"]["state"], "closed");
    let told = |kind: &'static str| world.number(kind);
    assert_eq!(told("SELECT COUNT(*) FROM journal WHERE kind = 'breaker-opened'"), 1);
    assert_eq!(told("SELECT COUNT(*) FROM journal WHERE kind = 'breaker-closed'"), 1);
    drop(nodes);
    journal_is_whole(&world);
}

#[test]
fn one_message_that_a_partner_chokes_on_is_parked_alone() {
    let plan = World::on(Backend::Sqlite).setting("delivery.breaker_failures = 3").setting("delivery.attempts_max = 6");
    let world = plan.setting("delivery.retry_base_ms = 10").setting("delivery.retry_ceiling_ms = 50").start();
    world.partner("guardianship").behave(Behaviour::Status(500));
    let poison = world.until(request(&world, "guardianship"), "parked");
    assert!(poison["reason"] == "attempts-exhausted" && poison["attempts"] == 6, "{poison}");
    assert_eq!(queue(&world, "guardianship")["breaker"]["state"], "closed");
    world.partner("guardianship").behave(Behaviour::Receipt);
    world.until(request(&world, "guardianship"), "delivered");
}

#[test]
fn what_expires_behind_an_open_breaker_is_told_in_time() {
    let plan = World::on(Backend::Sqlite).setting("delivery.breaker_failures = 1");
    let world = plan.setting("delivery.breaker_probe_seconds = 3600").start();
    world.partner("guardianship").behave(Behaviour::Status(503));
    request(&world, "guardianship");
    eventually("an open breaker", SOON, || (queue(&world, "guardianship")["breaker"]["state"] == "open").then_some(()));
    let register = world.agency("register");
    let mut draft = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    draft.header.expires = Some(now().plus_seconds(2));
    world.post(register.sign(&draft)).receipt();
    let calls = world.partner("guardianship").calls();
    let expired = world.until(draft.header.message_id, "expired");
    assert!(expired["sentAt"].is_null(), "{expired}");
    assert_eq!(world.partner("guardianship").calls(), calls, "and it was never tried");
    let told = eventually("the notice", SOON, || notice_about(&world, draft.header.message_id));
    assert_eq!(told.state, NoticeState::Expired);
}
