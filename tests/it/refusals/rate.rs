//! What unverified peers can cause is bounded: signed faults by a rate, rows by a cap.

use super::good;
use crate::support::eventually;
use crate::world::{Backend, SOON, World};

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

#[test]
fn the_refusal_record_is_capped() {
    let limits = World::on(Backend::Sqlite).setting("limits.refusals_per_minute_max = 10000");
    let world = limits.setting("limits.refusals_kept_max = 20").start();
    for _ in 0..60 {
        assert_eq!(world.post("nonsense").status, 400);
    }
    eventually("a refusal record within its cap", SOON, || {
        (1..=20).contains(&world.number("SELECT COUNT(*) FROM refusals")).then_some(())
    });
}
