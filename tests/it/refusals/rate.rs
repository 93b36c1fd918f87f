//! What unverified peers can cause is bounded: signed faults by a rate, rows by a cap.

use super::good;
use crate::support::{AmqpVhost, eventually};
use crate::world::{Backend, Queues, RUNTIME, SOON, World};

#[test]
fn beyond_the_rate_of_one_address_the_answer_is_an_unsigned_429_and_nothing_is_recorded() {
    let world = World::on(Backend::Sqlite).setting("limits.refusals_per_minute_max = 3").start();
    let mut last = world.post("nonsense");
    // The minute may end within the test, but not twice.
    let signed = (1..).take_while(|_| {
        let was_signed = last.status == 400;
        last = if was_signed { world.post("nonsense") } else { last.clone() };
        was_signed
    });
    let signed = signed.count();
    assert!((3..=6).contains(&signed), "{signed} signed faults");
    assert_eq!(last.status, 429);
    assert_eq!(last.json()["code"], "too-fast");
    assert!(last.headers.contains_key("retry-after"), "{:?}", last.headers);
    let rows = i64::try_from(signed).unwrap();
    eventually("the refusal record", SOON, || (world.number("SELECT COUNT(*) FROM refusals") == rows).then_some(()));
    // Who signs is not held up.
    world.post(world.agency("register").sign(&good(&world))).receipt();
    // A verified sender is told its mistake all the same.
    let mut draft = good(&world);
    draft.header.recipient = crate::world::participant("nobody");
    assert_eq!(world.post(world.agency("register").sign(&draft)).fault().code, "recipient-unknown");
}

/// The store trims its record once in so many refusals.
const BETWEEN_TRIMS: i64 = 256;

#[test]
fn the_refusal_record_is_capped() {
    let limits = World::on(Backend::Sqlite).setting("limits.refusals_per_minute_max = 10000");
    let world = limits.setting("limits.refusals_kept_max = 20").start();
    let wire = world.wire();
    for _ in 0..20 {
        let posts = (0..30).map(|_| wire.post("/v1/messages", b"nonsense".to_vec()));
        let answers = RUNTIME.block_on(futures_util::future::join_all(posts));
        assert!(answers.into_iter().all(|answer| answer.unwrap().status == 400));
    }
    let kept = world.number("SELECT COUNT(*) FROM refusals");
    assert!((20..=20 + BETWEEN_TRIMS).contains(&kept), "{kept} of 600 refusals are kept");
}

#[test]
fn what_cannot_be_verified_on_a_queue_is_recorded_whatever_the_rate() {
    let vhost = AmqpVhost::create();
    let plan = World::on(Backend::Sqlite).broker(vhost.url(), &["guardianship"]);
    let world = plan.setting("limits.refusals_per_minute_max = 0").start();
    eventually("a gateway that is ready", SOON, || {
        (RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().status == 200).then_some(())
    });
    let queues = Queues::connect(&vhost, "guardianship");
    for _ in 0..3 {
        queues.send(b"nonsense");
    }
    eventually("the record", SOON, || (world.number("SELECT COUNT(*) FROM refusals") == 3).then_some(()));
    assert_eq!(queues.take("receipts"), None, "it is unanswered");
}
