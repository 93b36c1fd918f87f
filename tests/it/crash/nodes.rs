//! Two nodes on one PostgreSQL share the work; when one is killed the other goes on with what it held.

use std::collections::BTreeSet;

use mezhved::domain::MessageId;

use super::LOAD_MAX;
use super::load::Load;
use crate::support::eventually;
use crate::world::{Backend, World, bodies};

const MESSAGES: usize = 300;

#[test]
fn what_a_killed_node_held_is_delivered_by_the_other() {
    let plan = World::on(Backend::Postgres).setting("push.timeout_ms = 2000").setting("delivery.lease_ms = 4000");
    let world = plan.start();
    let mut other = world.command().start();
    let (register, partner) = (world.agency("register").clone(), world.partner("guardianship").clone());
    let request = || register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    let drafts: Vec<_> = (0..2 * MESSAGES).map(|_| request()).collect();
    let ids: BTreeSet<MessageId> = drafts.iter().map(|d| d.header.message_id).collect();
    let signed = |part: &[_]| part.iter().map(|d| register.sign(d)).collect();
    let (own, others) = drafts.split_at(MESSAGES);
    let first = Load::start(signed(own), world.wire());
    let second = Load::start(signed(others), world.wire_to(&other));

    eventually("half of the receipts", LOAD_MAX, || {
        (first.acknowledged() > MESSAGES / 2 && second.acknowledged() > MESSAGES / 2).then_some(())
    });
    other.kill();
    assert!(second.acknowledged() < MESSAGES, "killed while senders were at work");
    second.go_on(world.wire());
    for load in [first, second] {
        eventually("a receipt for every message", LOAD_MAX, || (load.acknowledged() == MESSAGES).then_some(()));
        load.finish();
    }
    let left = "SELECT COUNT(*) FROM deliveries WHERE recipient = 'guardianship' AND state <> 'delivered'";
    eventually("every delivery", LOAD_MAX, || (world.number(left) == 0).then_some(()));
    let received: BTreeSet<MessageId> = partner.ids().into_iter().map(|(_, id)| id).collect();
    assert_eq!(received, ids);
    // While both live no delivery is handed out twice: only what the killed one held was sent again.
    let (copies, _) = partner.counts();
    assert!(copies - ids.len() <= 32, "{copies} copies of {} messages", ids.len());
    // The killed node may have been the sealer; the other takes over when that lease ends.
    let verify = || world.mezhved(&["journal", "verify", "--json"]).done().json();
    let journal = eventually("a sealed journal", LOAD_MAX, || Some(verify()).filter(|found| found["unsealed"] == 0));
    assert!(journal["problem"].is_null(), "one chain of two sealers: {journal}");
}
