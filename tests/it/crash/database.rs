//! The database goes away and comes back: nothing is accepted meanwhile, and nothing that was is lost.

use crate::support::eventually;
use crate::world::{Backend, Behaviour, RUNTIME, SOON, World, bodies};

#[test]
fn while_the_database_is_away_the_answer_is_an_unsigned_503_and_the_work_goes_on_after() {
    let plan = World::on(Backend::Postgres).setting("push.timeout_ms = 2000").setting("delivery.lease_ms = 4000");
    let world = plan.setting("delivery.retry_base_ms = 50").setting("delivery.retry_ceiling_ms = 500").start();
    let (register, partner) = (world.agency("register"), world.partner("guardianship"));
    let request = || register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    let ready = || RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().status;
    partner.behave(Behaviour::Status(503));
    let before = request();
    let receipt = world.post(register.sign(&before));
    receipt.receipt();

    world.database().cut();
    let during = request();
    let bytes = register.sign(&during);
    let refused = world.post(bytes.clone());
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("not-now")), "{}", refused.text());
    assert!(refused.headers.contains_key("retry-after"), "{:?}", refused.headers);
    assert_eq!(ready(), 503);
    // Neither a copy nor what is refused for its form is answered by guess.
    assert_eq!(world.post(register.sign(&before)).status, 503);
    partner.behave(Behaviour::Receipt);

    world.database().mend();
    let accepted = eventually("a receipt once the database is back", SOON, || {
        let answer = world.post(bytes.clone());
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(accepted.receipt().message_id, during.header.message_id);
    assert_eq!(world.post(register.sign(&before)).bytes, receipt.bytes);
    for draft in [&before, &during] {
        world.until(draft.header.message_id, "delivered");
    }
    assert_eq!((partner.counts().1, ready()), (2, 200));
}
